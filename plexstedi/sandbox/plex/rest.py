"""The common part of both REST dialects of the simulated Plex: tenants, access, rate limit, errors, and reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

from msgspec import Struct, field

from plexstedi.decimal_json import Json
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.plex.custom_fields import LINE, ORDER
from plexstedi.sandbox.plex.filters import (
    APPROVED_FILTERS,
    INVOICE_FILTERS,
    LINE_FILTERS,
    ORDER_STATUS_FILTERS,
    PART_FILTERS,
    RECEIPT_FILTERS,
    RELEASE_FILTERS,
    RELEASE_STATUS_FILTERS,
    SUPPLIER_FILTERS,
    TENANT_FILTERS,
    order_filters,
    read_moment,
    select,
)
from plexstedi.sandbox.plex.invoice_rows import invoice_row
from plexstedi.sandbox.plex.records import ORDER_STATUSES, RELEASE_STATUSES, OrderStatus, Supplier, Tenant
from plexstedi.sandbox.plex.rows import (
    Row,
    Value,
    address_row,
    approved_row,
    day_there,
    from_json,
    line_row,
    order_row,
    order_status_row,
    part_row,
    receipt_row,
    release_row,
    release_status_row,
    supplier_row,
)
from plexstedi.sandbox.plex.sample_data import SampleData
from plexstedi.sandbox.plex.store import Place, PlexStore
from plexstedi.sandbox.web import HttpError, Request, Response, json_response

FIRM_DAYS = 14
PLAN_DAYS = 60
"""A release due within FIRM_DAYS is derived as firm, within PLAN_DAYS as planned, beyond that as forecast."""


class PlexSettings(Struct):
    """The settings of the simulated Plex. The secrets are sample values."""

    api_key: str = "sandboxsandboxsandboxsandbox0001"
    api_secret: str | None = None
    """Required beside the key, if the app has one."""
    expired_keys: frozenset[str] = frozenset({"sandboxsandboxsandboxexpired0000"})
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-client-secret"
    account: str = "RIVERBEND.webservice@plex.com"
    account_password: str = "sandbox-account-password"
    granted: frozenset[int] = frozenset(
        {
            382, 16518, 28809, 231084, 19022, 21338, 2874, 3827, 6197, 6200, 126, 107, 20, 2769, 15303, 2770,
            21287, 735,
        }
    )  # fmt: skip
    """The data sources granted to the web service account."""
    row_limits: dict[int, int] = field(default_factory=dict)
    """By data source: another limit than the catalogue's."""
    row_limit_flag: str = "rowLimitedExceeded"
    """One of the three published spellings."""
    row_limit_flag_in_tables: bool = True
    """Whether format 1 has the flag in each table, or beside the tables."""
    text_dates: str | None = None
    """The form in which older data sources give and take dates, as for strptime; None: ISO 8601."""
    credentials_lapse: datetime | None = None
    """From this time on, key, client secret and account are refused with 401."""
    moved: dict[str, str] = field(default_factory=dict)
    """Collections of Connect that are at another version, by the path that they no longer have: 404 there."""
    calls_per_minute: int = 200
    retry_after: bool = False
    """Whether a 429 has a Retry-After header; not known for the real Plex."""
    unsubscribed: tuple[str, ...] = ()
    """Path prefixes of products without a subscription: 401."""
    token_lifetime: timedelta = timedelta(minutes=10)
    page_size: int = 50
    """Rows per page in the `oauth2` dialect."""


class PlexCall(Struct, frozen=True):
    """One authenticated call: its tenant's store, the spelling of names, and the filters disabled by a fault."""

    request: Request
    store: PlexStore
    spelling: str
    ignored: str = ""


def plex_error(status: int, code: str, message: str, details: Iterable[str] = ()) -> Response:
    """An error in Plex's format."""
    body: dict[str, Json] = {"code": code, "message": message}
    errors: list[Json] = [{"code": "ARGUMENT_INVALID", "message": detail} for detail in details]
    if errors:
        body["errors"] = errors
    return json_response(body, status)


def refuse(detail: str) -> NoReturn:
    raise HttpError(plex_error(400, "REQUEST_VALIDATION_FAILED", "One or more validation errors occurred.", [detail]))


def not_found() -> NoReturn:
    """Raise a 404 without a body, which Plex returns for a wrong path and for a missing record alike."""
    raise HttpError(Response(404))


def not_authenticated() -> NoReturn:
    """Raise a 401, the same for a wrong or expired key, a product without subscription, and a tenant without access."""
    raise HttpError(plex_error(401, "REQUEST_NOT_AUTHENTICATED", "The request could not be authenticated."))


class PlexService(Struct):
    """Both tenants, access checks and the rate limit."""

    clock: SandboxClock
    sample_data: SampleData
    settings: PlexSettings = field(default_factory=PlexSettings)
    stores: dict[str, PlexStore] = field(default_factory=dict)
    _calls: deque[datetime] = field(default_factory=deque)

    def __post_init__(self) -> None:
        for tenant in (self.sample_data.tenant, self.sample_data.other):
            self.stores[tenant.id] = PlexStore(tenant, self.clock)

    @property
    def lapsed(self) -> bool:
        """Whether key, client secret and account are no longer valid."""
        at = self.settings.credentials_lapse
        return at is not None and self.clock.now() >= at

    @property
    def store(self) -> PlexStore:
        """The tenant that the configuration names."""
        return self.stores[self.sample_data.tenant.id]

    @property
    def other(self) -> PlexStore:
        """The key's default tenant: another company."""
        return self.stores[self.sample_data.other.id]

    def tenant_store(self, tenant_id: str | None, pcn: str | None) -> PlexStore:
        for store in self.stores.values():
            if tenant_id == store.tenant.id or pcn == store.tenant.pcn:
                return store
        not_authenticated()

    def throttle(self) -> None:
        """Count a call. Raise a 429 above the limit of calls in the last minute."""
        now = self.clock.now()
        while self._calls and self._calls[0] <= now - timedelta(minutes=1):
            self._calls.popleft()
        if len(self._calls) >= self.settings.calls_per_minute:
            response = plex_error(429, "TOO_MANY_REQUESTS", "The request limit has been exceeded.")
            if self.settings.retry_after:
                wait = self._calls[0] + timedelta(minutes=1) - now
                response.headers["Retry-After"] = str(max(1, -(-int(wait.total_seconds() * 1000) // 1000)))
            raise HttpError(response)
        self._calls.append(now)

    def check_subscription(self, path: str) -> None:
        if any(path.startswith(prefix) for prefix in self.settings.unsubscribed):
            not_authenticated()


def _status(store: PlexStore, place: Place) -> OrderStatus:
    return store.order_status(place.order)


def orders(call: PlexCall) -> list[Row]:
    """The order list. Without the filter `active`, only active orders: cancelled and received ones are omitted."""
    store = call.store
    places = [Place(order) for order in store.tenant.orders]
    if call.request.one("active") is None:
        places = [place for place in places if _status(store, place).active]
    filters = order_filters(lambda p: _status(store, p).active, lambda p: _status(store, p).receive)
    found = select(places, filters, call.request, spelling=call.spelling, ignored=call.ignored)
    return [order_row(place, _status(store, place)) for place in found]


def order_place(call: PlexCall, order_id: str) -> Place:
    place = call.store.places.get(order_id)
    if place is None or place.line is not None:
        not_found()
    return place


def order(call: PlexCall, order_id: str) -> Row:
    place = order_place(call, order_id)
    return order_row(place, _status(call.store, place))


def lines(call: PlexCall, order_id: str) -> list[Place]:
    place = order_place(call, order_id)
    places = [Place(place.order, line) for line in place.order.lines]
    return select(places, LINE_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored)


def line(call: PlexCall, order_id: str, line_id: str) -> Row:
    place = call.store.places.get(line_id)
    if place is None or place.order.id != order_id or place.line is None or place.release is not None:
        not_found()
    return line_row(place)


def releases(call: PlexCall) -> list[Row]:
    places = [call.store.shown(place) for place in call.store.places.values() if place.release is not None]
    found = select(places, RELEASE_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored)
    return [release_row(place) for place in found]


def release_place(call: PlexCall, release_id: str) -> Place:
    place = call.store.places.get(release_id)
    if place is None or place.release is None:
        not_found()
    return place


def release(call: PlexCall, release_id: str) -> Row:
    return release_row(call.store.shown(release_place(call, release_id)))


def receipts(call: PlexCall) -> list[Row]:
    found = select(
        call.store.tenant.receipts, RECEIPT_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored
    )
    return [receipt_row(each) for each in found]


def suppliers(call: PlexCall) -> list[Row]:
    found = select(
        call.store.tenant.suppliers, SUPPLIER_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored
    )
    return [supplier_row(each) for each in found]


def find_supplier(call: PlexCall, supplier_id: str) -> Supplier:
    for each in call.store.tenant.suppliers:
        if each.id == supplier_id:
            return each
    not_found()


def addresses(call: PlexCall, supplier_id: str) -> list[Row]:
    supplier = find_supplier(call, supplier_id)
    return [address_row(each, supplier) for each in supplier.addresses]


def parts(call: PlexCall) -> list[Row]:
    found = select(call.store.tenant.parts, PART_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored)
    return [part_row(each) for each in found]


def approved_suppliers(call: PlexCall) -> list[Row]:
    found = select(
        call.store.tenant.approved, APPROVED_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored
    )
    return [approved_row(each) for each in found]


def part(call: PlexCall, part_id: str) -> Row:
    for each in call.store.tenant.parts:
        if each.id == part_id:
            return part_row(each)
    not_found()


def invoices(call: PlexCall) -> list[Row]:
    found = select(
        call.store.tenant.invoices, INVOICE_FILTERS, call.request, spelling=call.spelling, ignored=call.ignored
    )
    return [invoice_row(each) for each in found]


def invoice(call: PlexCall, invoice_id: str) -> Row:
    for each in call.store.tenant.invoices:
        if each.id == invoice_id:
            return invoice_row(each)
    not_found()


def tenants(call: PlexCall) -> list[Row]:
    found: list[Tenant] = select([call.store.tenant], TENANT_FILTERS, call.request, spelling=call.spelling)
    return [{"id": each.id, "code": each.code} for each in found]


def order_statuses(call: PlexCall) -> list[Row]:
    return [
        order_status_row(s) for s in select(ORDER_STATUSES, ORDER_STATUS_FILTERS, call.request, spelling=call.spelling)
    ]


def order_types(call: PlexCall) -> list[Row]:
    names = ("Purchased Components and Materials", "Blanket", "Indirect Services")
    return [
        {"name": name, "note": None, "active": True, "default": name == names[0], "includeInMRP": name != names[2]}
        for name in names
    ]


def release_statuses(call: PlexCall) -> list[Row]:
    found = select(RELEASE_STATUSES, RELEASE_STATUS_FILTERS, call.request, spelling=call.spelling)
    return [release_status_row(status) for status in found]


def custom_values(store: PlexStore, place: Place) -> dict[str, Value]:
    """An order's or a line's custom field values, for the dialect that returns them in its rows."""
    thing, record_id = (ORDER, place.order.id) if place.line is None else (LINE, place.line.id)
    return {name: from_json(value) for name, value in store.custom_of(thing.name, record_id).items()}


def update_release(call: PlexCall, release_id: str, body: Json) -> Row:
    """PUT of a release, with two traps of Plex: an omitted `status` is derived from the due date, and an omitted `note`
    is cleared.
    """
    place = release_place(call, release_id)
    each, store = place.release, call.store
    assert each is not None
    if not isinstance(body, dict):
        refuse("The request body must be an object.")
    before: dict[str, Json] = _release_state(place)
    store.release_written(place)
    due, quantity = body.get("dueDate"), body.get("quantity")
    if due is not None:
        moment = read_moment(due) if isinstance(due, str) else None
        if moment is None:
            refuse("dueDate must be a full date-time.")
        each.due = day_there(moment)
    if quantity is not None:
        if isinstance(quantity, bool) or not isinstance(quantity, int | Decimal) or quantity <= 0:
            refuse("quantity must be a positive number.")
        each.quantity = Decimal(quantity)
    each.status = _new_status(body, each.due, store)
    note, ship_to, kind = body.get("note"), body.get("poShipTo"), body.get("type")
    each.note = note if isinstance(note, str) else None
    each.ship_to = ship_to if isinstance(ship_to, str) else each.ship_to
    each.type = kind if isinstance(kind, str) else each.type
    each.modified = store.clock.now()
    store.record_write("release", "Release", release_id, before, _release_state(place))
    return release_row(place)


def _release_state(place: Place) -> dict[str, Json]:
    each = place.release
    assert each is not None
    return {
        "status": each.status,
        "dueDate": f"{each.due}",
        "quantity": each.quantity,
        "note": each.note,
        "type": each.type,
    }


def _new_status(body: dict[str, Json], due: date, store: PlexStore) -> str:
    status = body.get("status")
    if isinstance(status, str):
        if not any(known.name == status for known in RELEASE_STATUSES):
            refuse(f"The release status '{status}' does not exist.")
        return status
    days = (due - store.clock.now().date()).days
    firm, plan = body.get("firmDays"), body.get("planDays")
    if days <= (firm if isinstance(firm, int) else FIRM_DAYS):
        return "Firm"
    return "Planned" if days <= (plan if isinstance(plan, int) else PLAN_DAYS) else "Forecast"
