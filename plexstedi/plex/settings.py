"""The settings of the Plex client (`[plex]`), independent of the configuration file's format."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from msgspec import Struct, field


class Api(StrEnum):
    """The generation of Plex interfaces (plex/README.md 1)."""

    CONNECT = "connect"
    OAUTH2 = "oauth2"
    DATASOURCE = "datasource"
    SOAP = "soap"


class Level(StrEnum):
    """The Plex object that holds a custom field."""

    ORDER = "order"
    LINE = "line"
    RELEASE = "release"


class StatusNames(Struct, frozen=True):
    """`[plex.statuses]`: the meaning of status names without flags in Plex; compared case-insensitively."""

    unreleased_orders: tuple[str, ...] = ()
    released_orders: tuple[str, ...] = ()
    received_orders: tuple[str, ...] = ()
    cancelled_orders: tuple[str, ...] = ()
    open_lines: tuple[str, ...] = ()
    cancelled_lines: tuple[str, ...] = ()
    firm_releases: tuple[str, ...] = ()
    forecast_releases: tuple[str, ...] = ()
    received_releases: tuple[str, ...] = ()
    cancelled_releases: tuple[str, ...] = ()

    @property
    def names_orders(self) -> bool:
        """Whether any order status is named, so that Plex need not have a table of them."""
        return any((self.unreleased_orders, self.released_orders, self.received_orders, self.cancelled_orders))

    @property
    def names_releases(self) -> bool:
        """The same for releases."""
        return any((self.firm_releases, self.forecast_releases, self.received_releases, self.cancelled_releases))


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


class DataSourceMap(Struct, frozen=True):
    """One data source: its number, and the mapping of our names to its inputs and columns.

    Our names are values of an acknowledgment (`ack_reference`), Plex's names of a record's keys (`Line_Item_Key`), and
    `order_id`, `release_id`: the ids of the REST interface. `constants` are inputs with a fixed value; `values`
    translates our values into the data source's (`{"ack_status": {"confirmed": 1}}`).
    """

    id: int
    inputs: Mapping[str, str] = field(default_factory=_nothing)
    columns: Mapping[str, str] = field(default_factory=_nothing)
    constants: Mapping[str, str | int | bool] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Mapping[str, str | int | bool]] = field(default_factory=lambda: MappingProxyType({}))
    row_limit: int = 1000
    """How many rows it returns at most."""
    dates: str | None = None
    """The form of dates that are texts (strptime); None: ISO 8601."""


class AcknowledgmentRecords(Struct, frozen=True):
    """`write = "datasource"`: the account and the two data sources of Plex's acknowledgment records."""

    url: str
    username: str
    write: DataSourceMap
    read: DataSourceMap
    values: frozenset[str]
    """Those of our names that are values of an acknowledgment; all others are keys."""
    company: DataSourceMap | None = None
    """Identifies the account's company in its column `code`."""
    company_code: str | None = None


class PlexSettings(Struct, frozen=True):
    """`[plex]`. `paths`, `filters` and `fields` override the dialect's; their keys are the dialect's own."""

    api: Api
    base_url: str
    tenant_id: str | None = None
    customer_id: str | None = None
    """The tenant's number (PCN), where it is named by that."""
    tenant_code: str | None = None
    requests_per_minute: int = 190
    approved_supplier_parts: bool = False
    """Whether a line without the supplier's part number gets it from Plex's list of approved suppliers."""
    parallel_calls: int = 1
    """How many orders are read at once."""
    read_timeout: float = 300.0
    """Seconds. Plex has no paging, so a wide window can take minutes (plex/README.md 4.2)."""
    legacy_tls: bool = False
    """Whether a host without secure renegotiation is accepted."""
    token_url: str | None = None
    client_id: str | None = None
    paths: Mapping[str, str] = field(default_factory=_nothing)
    filters: Mapping[str, str] = field(default_factory=_nothing)
    fields: Mapping[str, str] = field(default_factory=_nothing)
    statuses: StatusNames = StatusNames()
    objects: Mapping[Level, str] = field(default_factory=lambda: MappingProxyType({}))
    """`[plex.acknowledgments.objects]`: standard object names; other levels are looked up through the API."""
    timezone: ZoneInfo | None = None
    """`plex.timezone`: the plant's time zone; None: not configured."""
    former_timezones: tuple[ZoneInfo | None, ...] = ()
    """Earlier values of `plex.timezone` with which stored orders may have been read."""
    day_fields: frozenset[str] = frozenset()
    """Custom fields that hold a day."""
    username: str | None = None
    """The web service account, where everything is read through data sources."""
    company_code: str | None = None
    """The company of that account."""
    tables: Mapping[str, DataSourceMap] = field(default_factory=lambda: MappingProxyType({}))
    """`[plex.datasources]`, by our name of the table."""
    records: AcknowledgmentRecords | None = None
    """None: acknowledgments are written into custom fields, or not at all."""
