"""`[plex]` of the configuration as the Plex client needs it."""

from __future__ import annotations

from collections.abc import Mapping

from plexstedi.config import AckLevel, Config, WriteBack
from plexstedi.config.datasources import COMPANY, READ, RECORD_VALUES, WRITE
from plexstedi.plex.settings import AcknowledgmentRecords, Api, DataSourceMap, Level, PlexSettings, StatusNames


def plex_settings(config: Config) -> PlexSettings:
    """`[plex]` as the client needs it."""
    plex = config.plex
    objects: Mapping[str, str | None] = {
        AckLevel.ORDER: plex.acknowledgments.objects.order,
        AckLevel.LINE: plex.acknowledgments.objects.line,
        AckLevel.RELEASE: plex.acknowledgments.objects.release,
    }
    return PlexSettings(
        api=Api(plex.api.value),
        base_url=plex.base_url,
        tenant_id=plex.tenant_id,
        tenant_code=plex.tenant_code,
        requests_per_minute=plex.requests_per_minute,
        read_timeout=float(plex.read_timeout_seconds),
        token_url=plex.auth.token_url,
        client_id=plex.auth.client_id,
        paths=plex.paths,
        filters=plex.filters,
        fields=plex.fields,
        statuses=StatusNames(**plex.statuses.model_dump()),
        objects={Level(level): name for level, name in objects.items() if name is not None},
        records=_records(config) if plex.acknowledgments.write is WriteBack.DATASOURCE else None,
    )


def _records(config: Config) -> AcknowledgmentRecords:
    """Where Plex's own acknowledgment records are written and read."""

    def source(name: str) -> DataSourceMap:
        given = config.plex.datasources[name]
        return DataSourceMap(given.id, given.inputs, given.columns, given.constants, given.values)

    return AcknowledgmentRecords(
        url=config.plex.datasource_url,
        username=config.plex.auth.username or "",
        write=source(WRITE),
        read=source(READ),
        values=frozenset(RECORD_VALUES),
        company=source(COMPANY) if COMPANY in config.plex.datasources else None,
        company_code=config.plex.auth.company_code or config.plex.tenant_code,
    )
