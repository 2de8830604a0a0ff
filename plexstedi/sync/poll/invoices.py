"""Poll customer invoices: changes in Plex's accounting become revisions in the state.

A list row is a complete invoice, so no work list is needed: each window is read, stored and finished in one step.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from plexstedi.config.datasource_tables import ACCOUNT_APIS
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.reasons import Reason
from plexstedi.plex.port import InvoiceReading, UnforeseenInvoice, UnreadableInvoice, Window
from plexstedi.state.cursors import Fact
from plexstedi.state.invoices import invoice_stream
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_invoice, of_stream
from plexstedi.sync.isolation import Record, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.timezones import invoice_in_stored_timezone

_STEP = timedelta(days=3)
"""Length of a window: Plex's accounting returns about 1,000 invoices before it times out (plex/README.md 6)."""
_STEP_BY_CALLS = timedelta(hours=6)
"""The same where the lines of each invoice take a call: a window must be complete within one run."""


def wanted(session: Session) -> bool:
    """Whether invoices are read at all."""
    return "810" in session.config.documents.send


def plan_windows(
    *,
    end: datetime,
    start: datetime,
    cursor: datetime | None,
    overlap: timedelta,
    since: datetime | None = None,
    look_back: datetime | None = None,
    step: timedelta = _STEP,
) -> tuple[Window, ...]:
    """The windows to read, oldest first.

    `cursor`: end of the last stored window; one in the future (the clock was set back) counts as now. `look_back`: set
    with a sweep of orders; invoices since then are read again, for rows that Plex committed late.
    `step`: the longest window.
    """
    begin = start if cursor is None else min(cursor, end) - overlap
    if look_back is not None:
        begin = min(begin, max(look_back, start))
    if since is not None:
        begin = since
    windows = []
    while begin < end:
        until = min(begin + step, end)
        windows.append(Window(begin, until))
        begin = until
    return tuple(windows)


def set_start(session: Session, now: datetime, orders_start: datetime) -> datetime:
    """Store and return the start: invoices created before it count as known to their customers.

    plex.poll.invoices_start; else `orders_start` if invoices are read from the first poll on, else the time of the
    first poll that reads invoices: earlier ones reached their customers by other means. Call before BEGAN is set.
    Nothing is stored while invoices are not read.
    """
    cursors = session.store.cursors
    remembered = cursors.time(Fact.INVOICES_START)
    first = orders_start if cursors.time(Fact.BEGAN) is None else now
    start = session.config.plex.poll.invoices_start or remembered or first
    if wanted(session) and remembered != start:
        cursors.put_time(Fact.INVOICES_START, start)
    return start


def poll_invoices(
    session: Session,
    end: datetime,
    start: datetime,
    until: float,
    since: datetime | None,
    look_back: datetime | None,
) -> bool:
    """Read the invoices changed up to `end`; return whether all were read before `until` (monotonic seconds).

    The other times are those of `plan_windows`.
    """
    cursors = session.store.cursors
    windows = plan_windows(
        end=end,
        start=start,
        cursor=cursors.time(Fact.INVOICES_CURSOR),
        overlap=timedelta(minutes=session.config.plex.poll.overlap_minutes),
        since=since,
        look_back=look_back,
        step=_STEP_BY_CALLS if session.config.plex.api in ACCOUNT_APIS else _STEP,
    )
    for done, window in enumerate(windows):
        session.checkpoint()
        if session.clock.monotonic() >= until:
            session.run.warn(f"invoices are read up to {window.begin:%Y-%m-%d %H:%M} UTC; the next run continues")
            return False
        readings = session.services.plex.touched_invoices(window)
        with session.store.transaction():
            for reading in readings:
                with isolated(session, _record_of(reading)):
                    record_invoice(session, reading, start)
            cursors.put_time(Fact.INVOICES_CURSOR, window.end)
        session.progress("reading invoices from Plex", done + 1, len(windows))
    return True


def _record_of(reading: InvoiceReading) -> Record:
    invoice_id = reading.id if isinstance(reading, Invoice) else reading.invoice_id
    mark = reading.mark if isinstance(reading, UnforeseenInvoice) else ""
    stream = invoice_stream(invoice_id)
    words = f"invoice {reading.number or invoice_id}"
    return Record("read", f"invoice {invoice_id}", words, mark, order_id=stream, order_number=reading.number or None)


def record_invoice(session: Session, reading: InvoiceReading, start: datetime) -> None:
    """Store one invoice as read from Plex; inside the caller's transaction. Raise the error of its reading."""
    if isinstance(reading, UnforeseenInvoice):
        raise reading.error
    if isinstance(reading, UnreadableInvoice):
        _open_review(session, reading, start)
        return
    reading = invoice_in_stored_timezone(session, reading)
    session.withdraw_review(ReviewKind.INVOICE_UNREADABLE, of_stream(invoice_stream(reading.id)), "it can be read now")
    invoices = session.store.invoices
    before = invoices.get(reading.id)
    first = before is None
    known = _created_before(reading, start)
    untraded = reading.customer_code not in session.config.customers
    # None: the content equals the latest revision, as for every overlap of two windows.
    revision = invoices.record(reading, now=session.clock.now(), known=known, untraded=untraded)
    # Given to a customer with settings: it cannot have the invoice by other means.
    if before is not None and before.untraded and not untraded and before.customer != reading.customer_code:
        invoices.set_traded(reading.id)
        session.note(
            "invoice-traded",
            of_invoice(reading.number),
            order_id=invoice_stream(reading.id),
            customer=reading.customer_code,
        )
    if revision is None:
        return
    session.note(
        "invoice-seen" if first else "invoice-changed",
        of_invoice(reading.number),
        order_id=invoice_stream(reading.id),
        revision=revision,
        customer=reading.customer_code,
        booked=reading.booked,
        void=reading.void,
        known=known if first else None,
        traded=not untraded if first else None,
    )


def _created_before(invoice: Invoice | UnreadableInvoice, start: datetime) -> bool:
    return invoice.created_at is not None and invoice.created_at < start


def _open_review(session: Session, invoice: UnreadableInvoice, start: datetime) -> None:
    """Open a review item for an unreadable invoice that may be due: not for other customers' or earlier invoices."""
    if _created_before(invoice, start):
        return
    if invoice.customer_code and invoice.customer_code not in session.config.customers:
        return
    stream = invoice_stream(invoice.invoice_id)
    session.open_review(
        ReviewKind.INVOICE_UNREADABLE,
        of_stream(stream),
        (Reason(code="invoice-unreadable", where="invoice", message=invoice.reason, fix=invoice.fix),),
        supplier=invoice.customer_code or None,
        order_id=stream,
        order_number=invoice.number or None,
    )
