"""`[plex]` of the configuration as the Plex client needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from plexstedi.config.datasources import COMPANY, READ, RECORD_VALUES, WRITE
from plexstedi.config.load import AckLevel, Config, WriteBack
from plexstedi.config.tables import timezone_problem
from plexstedi.plex.settings import AcknowledgmentRecords, Api, DataSourceMap, Level, PlexSettings, StatusNames

_DAYS = ("confirmed_ship_date", "confirmed_delivery_date")


def plex_settings(config: Config, former_timezones: Sequence[str] = ()) -> PlexSettings:
    """`[plex]` as the client needs it. `former_timezones`: in which stored orders were read; empty for none told."""
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
        timezone=_zone(plex.timezone),
        former_timezones=tuple(_zone(name) for name in former_timezones if not name or timezone_problem(name) is None),
        day_fields=frozenset(name for value, name in plex.acknowledgments.fields.listed().items() if value in _DAYS),
        records=_records(config) if plex.acknowledgments.write is WriteBack.DATASOURCE else None,
    )


def _zone(name: str | None) -> ZoneInfo | None:
    return ZoneInfo(name) if name else None


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
