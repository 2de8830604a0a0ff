"""Which Stedi key a command used, for how its ending is recorded and printed."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.errors import PlexStediError


class KeyUse(Struct):
    """What one command found out about the Stedi key."""

    seen: bool = False
    """Stedi was called and the key in use recorded."""
    refused: PlexStediError | None = None
    """Stedi refuses `stedi-api-key`; the command used another one."""
    replaced: PlexStediError | None = None
    """The same, but at the end of the run the other one became `stedi-api-key`."""
    warning: str | None = None
    """The warning about it, for JSON and a terminal: cron's mail has the fault."""
