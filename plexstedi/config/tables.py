"""The tables of the configuration file (DESIGN.md section 5); supplier tables are in `edi/settings.py`."""

# No `from __future__ import annotations`: to evaluate the types of fields from text takes a fiftieth of `status`.

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import asdict

from plexstedi.config.machine_tables import AlertsConfig, CredentialsConfig, ReportConfig, RunConfig, StateConfig
from plexstedi.config.values import Count, Pattern, Positive, ServiceUrl, TenantId, Time, TimeZone, Whole
from plexstedi.edi.read_settings import Before, Settings
from plexstedi.edi.settings import Code, Company, SupplierSettings


class PlexApi(StrEnum):
    """The generation of Plex interfaces that the tenant has (plex/README.md 1)."""

    CONNECT = "connect"
    OAUTH2 = "oauth2"
    DATASOURCE = "datasource"
    SOAP = "soap"


class PlexAuth(Settings, frozen=True, kw_only=True):
    """`[plex.auth]`: the identity at Plex; secrets are never in the configuration."""

    token_url: ServiceUrl | None = None
    client_id: Code | None = None
    username: Code | None = None
    company_code: Code | None = None


class DataSource(Settings, frozen=True, kw_only=True):
    """One data source: its number, and the tenant's names of its inputs and columns."""

    id: Annotated[Whole, Meta(ge=1, le=10**12)] | None = None
    """None: the number in Plex's catalogue, where the table has one."""
    inputs: dict[Code, Code] = field(default_factory=dict)
    columns: dict[Code, Code] = field(default_factory=dict)
    constants: dict[Code, bool | int | Code] = field(default_factory=dict)
    """Inputs with a fixed value, by the input's name."""
    values: dict[Code, dict[Code, bool | int | Code]] = field(default_factory=dict)
    """Translations of our values: `{ack_status = {confirmed = 1}}`. A value that is not listed is not written."""
    row_limit: Positive | None = None
    """How many rows the data source returns at most; None: the catalogue's limit, else 1000."""
    dates: Code | None = None
    """The form of dates that are texts, as for strptime: "%m/%d/%Y"; None: dates are ISO 8601."""


def _short_datasource(value: object) -> object:
    return {"id": value} if isinstance(value, int) and not isinstance(value, bool) else value


class StatusesConfig(Settings, frozen=True, kw_only=True):
    """`[plex.statuses]`: status names by meaning, for tenants whose statuses have no flags (plex/README.md 5.6)."""

    unreleased_orders: tuple[Code, ...] = ()
    released_orders: tuple[Code, ...] = ()
    received_orders: tuple[Code, ...] = ()
    cancelled_orders: tuple[Code, ...] = ()
    open_lines: tuple[Code, ...] = ()
    cancelled_lines: tuple[Code, ...] = ()
    firm_releases: tuple[Code, ...] = ()
    forecast_releases: tuple[Code, ...] = ()
    received_releases: tuple[Code, ...] = ()
    cancelled_releases: tuple[Code, ...] = ()


class PollConfig(Settings, frozen=True, kw_only=True):
    """`[plex.poll]`: the range of a poll."""

    start: Time | None = None
    """Orders created before are treated as known and not sent; None: 24 h before the first poll."""
    invoices_start: Time | None = None
    """Customer invoices created before are treated as known and not sent; None: `start`, or the first poll after "810"
    was added to documents.send, if that is later."""
    overlap_minutes: Positive = 15
    sweep_hours: Positive = 24


class WriteBack(StrEnum):
    """How acknowledgments are written into Plex."""

    CUSTOM_FIELDS = "custom-fields"
    RELEASES = "releases"
    DATASOURCE = "datasource"
    REPORT_ONLY = "report-only"


class AckLevel(StrEnum):
    """The Plex object that stores the confirmed quantity and dates."""

    ORDER = "order"
    LINE = "line"
    RELEASE = "release"


class AcknowledgmentFields(Settings, frozen=True, kw_only=True):
    """`[plex.acknowledgments.fields]`: the Plex custom field of each value; a value not listed is not written."""

    ack_code: Code | None = None
    ack_status: Code | None = None
    ack_reference: Code | None = None
    acknowledged_at: Code | None = None
    confirmed_quantity: Code | None = None
    confirmed_ship_date: Code | None = None
    confirmed_delivery_date: Code | None = None
    supplier_reference: Code | None = None

    def listed(self) -> dict[str, str]:
        """The values that are written, each with its Plex custom field."""
        return {value: name for value, name in asdict(self).items() if name is not None}


class AcknowledgmentObjects(Settings, frozen=True, kw_only=True):
    """`[plex.acknowledgments.objects]`: standard object names; None: found through the API."""

    order: Code | None = None
    line: Code | None = None
    release: Code | None = None


class AcknowledgmentsConfig(Settings, frozen=True, kw_only=True):
    """`[plex.acknowledgments]`: the values written back to Plex, and their location."""

    write: WriteBack
    level: AckLevel = AckLevel.LINE
    fields: AcknowledgmentFields = AcknowledgmentFields()
    objects: AcknowledgmentObjects = AcknowledgmentObjects()
    release_values: tuple[Literal["note", "due_date", "quantity"], ...] = ("note",)
    """With `write = "releases"`: which values of a release are written. Dates and quantities are an opt-in."""


class PlexConfig(Settings, frozen=True, kw_only=True):
    """`[plex]`: the Plex tenant and its interface."""

    api: PlexApi = PlexApi.CONNECT
    base_url: ServiceUrl = "https://connect.plex.com"
    tenant_id: TenantId | None = None
    customer_id: Annotated[Code, Meta(pattern="^[0-9]+$")] | None = None
    """The tenant's number (PCN), instead of `tenant_id` where Plex gave only that; needs `tenant_code`."""
    tenant_code: Code | None = None
    timezone: TimeZone | None = None
    """IANA name of the plant's time zone; None: the date part of a Plex time is used as it is."""
    requests_per_minute: Annotated[Whole, Meta(ge=1, le=200)] = 190
    """Plex Connect allows about 200 calls a minute (plex/README.md 4.2)."""
    read_timeout_seconds: Positive = 300
    legacy_tls: bool = False
    """Accept an old Plex host that knows no secure renegotiation (RFC 5746); certificates are verified as always."""
    key_lapses_days: Count = 31
    """Days after which a key of Plex Connect may lapse: warned 7 days ahead. 0: your keys do not lapse."""
    parallel_calls: Annotated[Whole, Meta(ge=1, le=16)] = 4
    """How many orders are read at once; `requests_per_minute` holds for all calls together."""
    approved_supplier_parts: bool = False
    """A line without the supplier's part number gets it from Plex's approved suppliers (connect)."""
    auth: PlexAuth = PlexAuth()
    paths: dict[Code, Code] = field(default_factory=dict)
    filters: dict[Code, str] = field(default_factory=dict)
    """An empty value: this Plex has no such filter."""
    fields: dict[Code, Code] = field(default_factory=dict)
    datasource_url: ServiceUrl = "https://cloud.plex.com/api/datasources"
    """The base URL of data sources, for `write = "datasource"`."""
    datasources: dict[Code, Annotated[DataSource, Before(_short_datasource)]] = field(default_factory=dict)
    statuses: StatusesConfig = StatusesConfig()
    poll: PollConfig = PollConfig()
    acknowledgments: AcknowledgmentsConfig


class StediConfig(Settings, frozen=True, kw_only=True):
    """`[stedi]`: the Stedi account and the usage indicator."""

    base_url: ServiceUrl = "https://core.us.stedi.com/2023-08-01"
    usage_indicator: Literal["P", "T"]
    """ISA15 (X12 element I14). Stedi delivers T files too (stedi/README.md 1)."""
    key_rotation_days: Positive = 90
    """Days after which the key is replaced: by `run` with `api_keys_url`, else by a user, warned 14 days ahead."""
    api_keys_url: ServiceUrl | None = None
    """Stedi's API-keys API, `https://apikeys.us.stedi.com/2022-01-19/api_keys`, if the account has it."""
    read_timeout_seconds: Positive = 60
    parallel_calls: Annotated[Whole, Meta(ge=1, le=32)] = 8
    """How many documents are sent, or fetched, at once."""


class KnownOrders(StrEnum):
    """The treatment of a later change of an order created before `plex.poll.start`."""

    HOLD = "hold"
    SEND = "send"
    IGNORE = "ignore"


class DocumentsConfig(Settings, frozen=True, kw_only=True):
    """`[documents]`: which documents are sent."""

    send: tuple[Literal["850", "860", "810"], ...] = ("850", "860")
    max_per_run: Positive = 500
    known_orders: KnownOrders = KnownOrders.HOLD
    order_pattern: Pattern = ""
    """Regular expression of our order numbers; others belong to another plant. Empty: all numbers match."""


class ConfigTables(Settings, frozen=True, kw_only=True):
    """The whole file. `company`, suppliers and customers use the types that documents are built from."""

    plex: PlexConfig
    stedi: StediConfig
    documents: DocumentsConfig = DocumentsConfig()
    company: Company = Company()
    alerts: AlertsConfig = AlertsConfig()
    run: RunConfig = RunConfig()
    report: ReportConfig = ReportConfig()
    state: StateConfig = StateConfig()
    credentials: CredentialsConfig = CredentialsConfig()
    supplier_defaults: SupplierSettings = SupplierSettings()
    suppliers: dict[Code, SupplierSettings] = field(default_factory=dict)
    customers: dict[Code, SupplierSettings] = field(default_factory=dict)
