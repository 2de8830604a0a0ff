"""`check` of Plex and Stedi: a few read-only calls; nothing is written or sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

from plexstedi.clock import Clock
from plexstedi.config.datasource_tables import default_id
from plexstedi.config.datasources import READ, WRITE
from plexstedi.config.load import AckLevel, Config, PlexApi, WriteBack
from plexstedi.config.tables import PlexConfig
from plexstedi.credentials.secrets import Secrets
from plexstedi.edi.order import Order
from plexstedi.edi.settings import SupplierSettings
from plexstedi.errors import ExitCode, PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Deadline
from plexstedi.plain_text import many
from plexstedi.plex.datasource.source_port import DataSourcePlex
from plexstedi.plex.port import PlexPort, UnreadableInvoice, UnreadableOrder, Window
from plexstedi.plex.rest_port import RestPlex
from plexstedi.plex.settings import Level
from plexstedi.plex.tenant import verify_tenant
from plexstedi.secret_names import SecretName
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.preflight import ACKNOWLEDGMENT_SETS, CouldNotVerify, NeededSetting, Verified, Wrong
from plexstedi.sync.keys.record import KeyRecord, refused_key
from plexstedi.sync.report.check import Area, Finding, not_verified, ok, warn, wrong
from plexstedi.sync.report.check_tables import check_limits, check_tables
from plexstedi.sync.services import open_plex, open_stedi, plex_settings

_SECONDS = 120.0
"""Time limit per service; an unavailable service is retried until then."""
_RECENT = timedelta(minutes=5)
_MOST_APART = timedelta(minutes=5)
_FAR_FUTURE = timedelta(days=3650)
_SAMPLES = 1
"""How many invoices are read over data sources, where each takes a call."""
_LEVEL_VALUES = ("confirmed_quantity", "confirmed_ship_date", "confirmed_delivery_date")


def check_plex(config: Config, secrets: Secrets, clock: Clock, only: str | None = None) -> Iterator[Finding]:
    """The right tenant responds, applies filters, shows its orders, and has the fields to be written."""
    try:
        port = open_plex(config, secrets, clock, deadline=_deadline(clock), calls=None)
    except PlexStediError as fault:
        yield not_verified(Area.PLEX, "access", "not checked: its requirements are missing, see above", fault.fix)
        return
    with closing(port) as plex:
        yield (first := _run_check("access", lambda: _tenant(config, plex)))
        yield from compare_clocks("Plex", plex.service_now(), clock.now())
        if first.exit_code is not ExitCode.DONE:
            return
        tables = plex.tables if isinstance(plex, DataSourcePlex) else None
        if tables is not None:
            yield from check_tables(tables)
        ask = partial(whom_to_ask, config.plex)
        with_invoices = "810" in config.documents.send
        purchasing, accounting = ask("purchasing"), ask("accounting")
        yield _run_check("filters", lambda: _filters(plex, clock), ask=purchasing)
        yield _run_check("orders", lambda: _orders(plex, purchasing), ask=purchasing)
        if isinstance(plex, RestPlex):
            yield _run_check("parts", lambda: _parts(plex), ask=ask("master data (parts)"))
        if tables is None:
            # Data sources were asked for receipts of the future: `check` makes at most 30 calls.
            yield _run_check("receipts", lambda: _receipts(plex, clock), harmless=True, ask=purchasing)
        if with_invoices:
            yield _run_check("invoices", lambda: _invoices(plex, clock), ask=accounting)
        if only in (None, *config.suppliers):
            suppliers = ask("master data (suppliers)")
            yield _run_check("suppliers", lambda: _suppliers(config, plex, only, suppliers), ask=suppliers)
        if config.plex.acknowledgments.write is WriteBack.CUSTOM_FIELDS:
            yield _run_check("custom fields", lambda: _fields(config, plex), ask=ask("custom fields"))
        if config.plex.acknowledgments.write is WriteBack.DATASOURCE and tables is None:
            yield _run_check("data sources", lambda: _records(config, plex))
        if tables is not None:
            yield from check_limits(tables)


def _deadline(clock: Clock) -> Deadline:
    return Deadline(clock.monotonic() + _SECONDS)


def _run_check(
    subject: str, check: Callable[[], Finding], *, area: Area = Area.PLEX, harmless: bool = False, ask: str = ""
) -> Finding:
    """Run one check; a fault becomes a finding of its kind. `harmless`: a refusal is only a warning.

    `ask`: the fix of a refusal where the key itself is known to work.
    """
    try:
        return check()
    except ServiceUnavailable as fault:
        return wrong(area, subject, fault.message, fault.fix, ExitCode.UNAVAILABLE)
    except PlexStediError as fault:
        # Plex responds alike to a wrong key and for a product without a subscription; the key was accepted before.
        fix = ask if ask and fault.code == ServiceRefused.code else fault.fix
        return (warn if harmless else wrong)(area, subject, fault.message, fix)


def _tenant(config: Config, plex: PlexPort) -> Finding:
    tenant = verify_tenant(plex.tenants(), plex_settings(config))
    return ok(Area.PLEX, "access", f"{config.plex.base_url} responds for tenant {tenant.code or tenant.id}")


def _filters(plex: PlexPort, clock: Clock) -> Finding:
    """A window in the far future must be empty; otherwise Plex ignores the filter."""
    begin = clock.now() + _FAR_FUTURE
    window = Window(begin, begin + timedelta(hours=1))
    reads: list[tuple[str, Callable[[Window], Sized]]] = [("orders", plex.touched_orders)]
    if isinstance(plex, DataSourcePlex):
        # The REST interfaces show the times of their rows: there each poll sees an ignored filter.
        tables = plex.tables
        reads += [(what, partial(tables.in_window, what)) for what in ("receipts", "invoices") if tables.has(what)]
    for what, read in reads:
        if touched := len(read(window)):
            return wrong(
                Area.PLEX,
                "filters",
                f"Plex shows {touched} {what} dated in the future: it ignores the date filters",
                f"Correct [plex.filters], or the inputs in [plex.datasources]: each poll would read all {what}.",
            )
    return ok(Area.PLEX, "filters", "date filters work")


def _parts(plex: RestPlex) -> Finding:
    """Parts may be read: asked for one that cannot exist. Some orders need the part master, others not."""
    plex.probe_parts()
    return ok(Area.PLEX, "parts", "can be read")


def whom_to_ask(plex: PlexConfig, product: str) -> str:
    """The fix where the key works and this product is refused, or empty."""
    match plex.api:
        case PlexApi.CONNECT:
            return (
                f"The key works for other products. Ask the owner of the app at developers.plex.com to subscribe it to "
                f"{product}, and your Plex administrator for the role."
            )
        case PlexApi.OAUTH2:
            return f"The client works otherwise. Ask your Plex administrator to grant {plex.auth.client_id} {product}."
        case PlexApi.DATASOURCE | PlexApi.SOAP:
            return (
                f"The account works otherwise. Ask your Plex administrator to let {plex.auth.username} see {product} "
                "(screen Web Service Access By User Account), else Plex Customer Care."
            )


def _orders(plex: PlexPort, ask: str) -> Finding:
    """Statuses are readable (they define which orders are open), and one open order as a sample."""
    touched = plex.open_orders()
    if not touched:
        return warn(
            Area.PLEX,
            "orders",
            "statuses are readable; Plex shows no open order",
            f"If there are open orders, it may not see them. {ask}",
        )
    sample = plex.order(touched[0].order_id)
    if isinstance(sample, UnreadableOrder):
        return wrong(Area.PLEX, "orders", f"order {sample.number} cannot be read: {sample.reason}", sample.fix)
    lines = len(sample.lines) if isinstance(sample, Order) else 0
    number = touched[0].number or touched[0].order_id
    return ok(
        Area.PLEX,
        "orders",
        f"{many(len(touched), 'open order')}; statuses readable; order {number} can be read, {many(lines, 'line')}",
    )


def _receipts(plex: PlexPort, clock: Clock) -> Finding:
    now = clock.now()
    return ok(Area.PLEX, "receipts", f"{len(plex.receipts(Window(now - timedelta(days=1), now)))} since yesterday")


def _invoices(plex: PlexPort, clock: Clock) -> Finding:
    """The key may read customer invoices, and those of the last day are readable; over data sources, some of them."""
    now = clock.now()
    window = Window(now - timedelta(days=1), now)
    if isinstance(plex, DataSourcePlex):
        readings = plex.some_invoices(window, _SAMPLES)
        what = f"the list and {len(readings)} since yesterday can be read"
    else:
        readings = plex.touched_invoices(window)
        what = f"{len(readings)} since yesterday"
    for one in readings:
        if isinstance(one, UnreadableInvoice):
            return wrong(Area.PLEX, "invoices", f"invoice {one.number} cannot be read: {one.reason}", one.fix)
    return ok(Area.PLEX, "invoices", what)


def _suppliers(config: Config, plex: PlexPort, only: str | None, ask: str) -> Finding:
    known = {supplier.code for supplier in plex.suppliers()}
    if not known:
        return wrong(Area.PLEX, "suppliers", "Plex shows no supplier at all: it may not see them", ask)
    wanted = config.suppliers if only is None else [only]
    missing = sorted(code for code in wanted if code not in known)
    if missing:
        return wrong(
            Area.PLEX,
            "suppliers",
            f"Plex has no supplier {', '.join(missing)}",
            "Name each table by the supplier's code in Plex, with the same capitalization.",
        )
    return ok(Area.PLEX, "suppliers", f"{len(list(wanted))} configured, all found among the {len(known)} of Plex")


def _fields(config: Config, plex: PlexPort) -> Finding:
    acknowledgments = config.plex.acknowledgments
    wanted: dict[Level, list[str]] = {}
    for value, name in acknowledgments.fields.listed().items():
        level = acknowledgments.level if value in _LEVEL_VALUES else AckLevel.ORDER
        wanted.setdefault(Level(level.value), []).append(name)
    plex.check_fields(wanted)
    count = sum(map(len, wanted.values()))
    if config.plex.api is PlexApi.OAUTH2:
        message = f"whether the {count} of [plex.acknowledgments.fields] exist cannot be checked over this interface"
        return not_verified(Area.PLEX, "custom fields", message, "Compare their names with Plex exactly.")
    return ok(Area.PLEX, "custom fields", f"{count} there: {', '.join(sorted({str(level) for level in wanted}))}")


def _records(config: Config, plex: PlexPort) -> Finding:
    """The web service account may use both data sources, and their parameter names match the configuration."""
    plex.check_fields({Level.RELEASE: ()})
    numbers = " and ".join(str(config.plex.datasources[name].id or default_id(name)) for name in (WRITE, READ))
    return ok(Area.PLEX, "data sources", f"{numbers} are open to {config.plex.auth.username}, and named as configured")


def check_stedi(config: Config, secrets: Secrets, clock: Clock, only: str | None = None) -> Iterator[Finding]:
    """The key works, and each partner is set up at Stedi as far as that can be queried."""
    try:
        client = open_stedi(config, secrets, clock, deadline=_deadline(clock))
    except PlexStediError as fault:
        yield not_verified(Area.STEDI, "access", "not checked: its requirements are missing, see above", fault.fix)
        return
    with closing(client) as stedi:
        yield (first := _run_check("access", lambda: _access(config, stedi), area=Area.STEDI))
        yield from compare_clocks("Stedi", stedi.service_now(), clock.now())
        if first.exit_code is not ExitCode.DONE:
            return
        for code in sorted(config.suppliers if only is None else {only} & config.suppliers.keys()):
            yield from _preflight(stedi, code, config.suppliers[code], ACKNOWLEDGMENT_SETS)
        if "810" in config.documents.send:
            for code in sorted(config.customers if only is None else {only} & config.customers.keys()):
                yield from _preflight(stedi, code, config.customers[code], ("997",))


def _access(config: Config, stedi: StediClient) -> Finding:
    stedi.check_access()
    theirs = stedi.service_now()
    if theirs is not None:
        stedi.check_feeds(theirs - _RECENT)
    if stedi.substitute is not None:
        fault = refused_key(KeyRecord(substitute=stedi.substitute))
        return warn(Area.STEDI, "access", fault.message, fault.fix)
    return ok(Area.STEDI, "access", f"{config.stedi.base_url} takes {SecretName.STEDI_API_KEY}")


def compare_clocks(service: str, theirs: datetime | None, ours: datetime) -> list[Finding]:
    """Compare this machine's clock with the Date header of a service's responses. Pure.

    A wrong clock breaks deadlines, makes poll windows miss orders, and misnames backups.
    """
    if theirs is None:
        return []
    apart, subject = abs(ours - theirs), f"clock, against {service}"
    if apart <= _MOST_APART:
        return [ok(Area.CONFIGURATION, subject, "agrees")]
    behind = "behind" if ours < theirs else "ahead of"
    message = f"this machine is {_span(apart)} {behind} {service} ({ours:%Y-%m-%d %H:%M} UTC against {theirs:%H:%M})"
    return [warn(Area.CONFIGURATION, subject, message, "Set the clock by NTP (timedatectl set-ntp true).")]


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def _preflight(stedi: StediClient, code: str, settings: SupplierSettings, answers: Sequence[str]) -> Iterator[Finding]:
    sections = {"850": settings.document_850, "860": settings.document_860, "810": settings.document_810}
    needed = [
        NeededSetting(set_id, section.transaction_setting_id)
        for set_id, section in sections.items()
        if section is not None and section.transaction_setting_id is not None
    ]
    if settings.partnership_id is None:
        return
    subject = f"partnership {settings.partnership_id} ({code})"
    match stedi.preflight(settings.partnership_id, needed, answers):
        case Verified(notes=notes):
            yield ok(Area.STEDI, subject, "verified")
            for note in notes:
                yield warn(Area.STEDI, subject, note)
        case CouldNotVerify(reason=reason):
            yield not_verified(Area.STEDI, subject, reason, "Check the partnership in the Stedi portal.")
        case Wrong(reasons=reasons):
            for reason in reasons:
                message, _, fix = reason.partition("; ")
                yield wrong(Area.STEDI, subject, message, fix or "Correct it in the Stedi portal.")
