"""Whether an invoice is to be sent: once, when it is booked; what happens to it afterwards is a person's.

X12 has no change of an 810: a sent invoice that Plex changes or voids is settled between people (a credit memo is an
invoice of its own, and goes out as one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.edi.outbound.document import prepare_invoice
from plexstedi.edi.outbound.due import DueHeld, Nothing
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason

__all__ = ["DueHeld", "InvoiceDue", "Nothing", "Send810", "invoice_due"]


@dataclass(frozen=True, slots=True)
class Send810:
    """The invoice is to be sent for the first time."""

    invoice: Invoice


InvoiceDue: TypeAlias = Nothing | Send810 | DueHeld


def invoice_due(has: Invoice | None, latest: Invoice, partner: Partner) -> InvoiceDue:
    """What is to be done about an invoice. Pure.

    `has` is the invoice as its customer was told it, None if it was not.
    """
    if has is None:
        return Send810(latest) if latest.booked and not latest.void else Nothing()
    if invoice_fingerprint(has) == invoice_fingerprint(latest):
        return Nothing()
    if latest.void:
        return _held("invoice-voided", f"invoice {latest.number} was sent and is void in Plex now")
    if not latest.booked:
        return _held("invoice-unbooked", f"invoice {latest.number} was sent and is no longer booked in Plex")
    before, now = prepare_invoice(has, partner), prepare_invoice(latest, partner)
    if not isinstance(before, Held) and not isinstance(now, Held) and before.guide_json == now.guide_json:
        return Nothing()
    return _held("invoice-changed", f"invoice {latest.number} was sent and is another in Plex now")


def _held(code: str, message: str) -> DueHeld:
    fix = (
        "Settle it with the customer (a credit memo of Plex is sent as an 810 of its own), then"
        " `plexstedi review accept ID --reason TEXT`"
    )
    return DueHeld((Reason(code=code, where="order", message=message, fix=fix),))
