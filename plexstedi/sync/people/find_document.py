"""Find the document that a number given by a user refers to: the last one of an order, release or invoice."""

from __future__ import annotations

import difflib

from plexstedi.advice import order_command
from plexstedi.errors import UsageFault
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.sync.session import Session


def find_last(session: Session, number: str, *, supplier: str | None, release: str | None) -> Document:
    """The last document of the order or invoice of this number. Raise UsageFault unless it is exactly one stream."""
    named = _orders_named(session, number)
    orders = [o for o in named if supplier is None or o.supplier == supplier]
    if not orders:
        document = _last_of_invoice(session, number, supplier)
        if document is not None:
            return document
        if named:
            codes = ", ".join(sorted({order.supplier for order in named}))
            raise UsageFault(f"order {number} is not one of {supplier}, but of {codes}", fix="Correct --supplier.")
        known = [order.number for order in session.store.orders.all()]
        near = ", ".join(difflib.get_close_matches(number, known, n=3, cutoff=0.6))
        raise UsageFault(
            f"there is no order {number} in the state file",
            fix=f"Did you mean {near}?" if near else "Check the number.",
        )
    order = _one_of(session, number, orders)
    documents = session.store.documents.of_order(order.id)
    if not documents:
        raise UsageFault(
            f"no document of order {number} was ever sent",
            fix=f"{order_command('submit --order', number)} sends what is due.",
        )
    releases = sorted({document.order_release or "" for document in documents})
    if release is None and len(releases) > 1:
        raise UsageFault(
            f"the releases of order {number} were sent separately", fix=f"Add --release, one of {', '.join(releases)}."
        )
    chosen = [document for document in documents if release is None or document.order_release == release]
    if not chosen:
        raise UsageFault(f"no document of release {release} of order {number} was sent", fix="Check --release.")
    return chosen[-1]


def _orders_named(session: Session, number: str) -> list[OrderRecord]:
    """Orders that have this number or were sent under it; if there is none, the one of this Plex id."""
    orders = session.store.orders
    sent = (orders.get(order_id) for order_id in session.store.documents.orders_sent_as(number))
    found = {record.id: record for record in (*orders.by_number(number), *sent) if record is not None}
    by_id = orders.get(number)
    return list(found.values()) or ([] if by_id is None else [by_id])


def _one_of(session: Session, number: str, orders: list[OrderRecord]) -> OrderRecord:
    """The only order, or the only one with documents. Raise UsageFault if there are several."""
    sent = [order for order in orders if session.store.documents.of_order(order.id)]
    if len(orders) == 1 or len(sent) == 1:
        return (sent or orders)[0]
    codes = ", ".join(order.supplier for order in orders)
    ids = " or ".join(order.id for order in sent or orders)
    fix = "Add --supplier CODE." if len({order.supplier for order in orders}) > 1 else f"Give {ids} instead."
    raise UsageFault(f"several orders have the number {number} (suppliers {codes})", fix=fix)


def _last_of_invoice(session: Session, number: str, customer: str | None) -> Document | None:
    """The last 810 of the invoice of this number; None if there is none. Raise UsageFault if there are several."""
    found = [
        documents[-1]
        for record in session.store.invoices.by_number(number)
        if customer in (None, record.customer) and (documents := session.store.documents.of_order(record.stream))
    ]
    if len(found) > 1:
        codes = ", ".join(document.supplier for document in found)
        raise UsageFault(f"several invoices have the number {number} (customers {codes})", fix="Add --supplier CODE.")
    return found[0] if found else None
