"""The time zone in which each stored order's dates were read: changing `plex.timezone` does not change any order."""

from __future__ import annotations

from datetime import datetime

from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.edi.order import Order, fingerprint
from plexstedi.state.cursors import TimezoneHistory
from plexstedi.sync.session import Session


def zone_at(known: TimezoneHistory, seen: datetime) -> str | None:
    """The time zone used at a time; None if none is recorded."""
    found = None
    for name, since in known:
        if since is None or since <= seen:
            found = name
    return found


def _former_zone(session: Session, seen: datetime) -> str | None:
    """The time zone used at a time; None if it is the current one, or none is recorded."""
    zone = zone_at(session.store.cursors.timezones(), seen)
    return None if zone == (session.config.plex.timezone or "") else zone


def in_stored_timezone(session: Session, order: Order) -> Order:
    """The order with dates in the time zone in which it was stored, if nothing else differs.

    Once an order changes in Plex, all of its dates are in the current zone.
    """
    orders = session.store.orders
    record = orders.get(order.id)
    if record is None:
        return order
    zone = _former_zone(session, orders.revision_seen(order.id, record.latest)[0])
    if zone is None:
        return order
    # Interpret the same rows in the former zone: if that equals the stored revision, only the zone differs.
    before = session.services.plex.order_in_former_zone(order.id, zone)
    stored = fingerprint(orders.revision(order.id, record.latest))
    return before if before is not None and fingerprint(before) == stored else order


def invoice_in_stored_timezone(session: Session, invoice: Invoice) -> Invoice:
    """The same for an invoice."""
    invoices = session.store.invoices
    record = invoices.get(invoice.id)
    if record is None:
        return invoice
    zone = _former_zone(session, invoices.revision_seen(invoice.id, record.latest)[0])
    if zone is None:
        return invoice
    before = session.services.plex.invoice_in_former_zone(invoice.id, zone)
    stored = invoice_fingerprint(invoices.revision(invoice.id, record.latest))
    return before if before is not None and invoice_fingerprint(before) == stored else invoice
