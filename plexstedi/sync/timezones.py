"""In which time zone the days of each stored order were read: another `plex.timezone` is no change of any order."""

from __future__ import annotations

import json
from datetime import datetime

from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.edi.order import Order, fingerprint
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.file.codec import instant, moment
from plexstedi.sync.session import Session

History = tuple[tuple[str, datetime | None], ...]
"""Each `plex.timezone` (empty: none) with the time since which orders are read in it; the first from the beginning."""


def history(cursors: Cursors) -> History:
    """As noted so far. A state from before this was noted read every date as it was written."""
    noted = cursors.get(Fact.TIMEZONES)
    if noted is None:
        return () if cursors.get(Fact.BEGAN) is None else (("", None),)
    return tuple((name, None if since is None else moment(since)) for name, since in json.loads(noted))


def note_timezone(cursors: Cursors, name: str | None, now: datetime) -> None:
    """Note that orders are read in this time zone from now on; in the caller's transaction, before polling begins."""
    known = history(cursors)
    if known and known[-1][0] == (name or ""):
        return
    entries = [*known, (name or "", now if known else None)]
    cursors.put(Fact.TIMEZONES, json.dumps([(zone, None if at is None else instant(at)) for zone, at in entries]))


def zone_at(known: History, seen: datetime) -> str | None:
    """The time zone in which something was read then; None if none is noted."""
    found = None
    for name, since in known:
        if since is None or since <= seen:
            found = name
    return found


def _former_zone(session: Session, seen: datetime) -> str | None:
    """The time zone in which something was read then; None if that is the present one, or none is noted."""
    zone = zone_at(history(session.store.cursors), seen)
    return None if zone == (session.config.plex.timezone or "") else zone


def as_it_was_read(session: Session, order: Order) -> Order:
    """The order in the days of the time zone in which it was stored, where nothing else makes it differ.

    Once an order is changed in Plex, all of its days are those of the present zone.
    """
    orders = session.store.orders
    record = orders.get(order.id)
    if record is None:
        return order
    zone = _former_zone(session, orders.revision_seen(order.id, record.latest)[0])
    if zone is None:
        return order
    before = session.plex.order_in_former_zone(order.id, zone)
    stored = fingerprint(orders.revision(order.id, record.latest))
    return before if before is not None and fingerprint(before) == stored else order


def invoice_as_it_was_read(session: Session, invoice: Invoice) -> Invoice:
    """The same for an invoice."""
    invoices = session.store.invoices
    record = invoices.get(invoice.id)
    if record is None:
        return invoice
    zone = _former_zone(session, invoices.revision_seen(invoice.id, record.latest)[0])
    if zone is None:
        return invoice
    before = session.plex.invoice_in_former_zone(invoice.id, zone)
    stored = invoice_fingerprint(invoices.revision(invoice.id, record.latest))
    return before if before is not None and invoice_fingerprint(before) == stored else invoice
