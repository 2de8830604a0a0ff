"""Where each `plex.acknowledgments.write` writes to."""

from __future__ import annotations

from plexstedi.config.load import WriteBack
from plexstedi.edi.writeback.plan import WriteTarget

TARGETS = {
    WriteBack.CUSTOM_FIELDS: WriteTarget.CUSTOM_FIELDS,
    WriteBack.RELEASES: WriteTarget.RELEASES,
    WriteBack.DATASOURCE: WriteTarget.RECORDS,
}
