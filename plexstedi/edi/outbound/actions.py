"""Possible decisions on what to send for an order or an invoice."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.build_850 import Purpose
from plexstedi.edi.reasons import Reason
from plexstedi.edi.stream import StreamKey


class Nothing(Struct, frozen=True):
    """Nothing to send: the partner has the current state."""


class Send850(Struct, frozen=True):
    """Send the order for the first time; `purpose` differs for a replay by a user."""

    order: Order
    stream: StreamKey
    purpose: Purpose = "00"


class Replace850(Struct, frozen=True):
    """Send the whole order again, replacing what the supplier has (BEG01 05)."""

    order: Order
    stream: StreamKey


class Change860(Struct, frozen=True):
    """Send the net change from what the supplier has (`has`) to the current order."""

    has: Order
    order: Order
    stream: StreamKey


class Cancel860(Struct, frozen=True):
    """Cancel the order as the supplier has it (`has`); `order` is the cancelled revision."""

    has: Order
    order: Order
    stream: StreamKey


class DueHeld(Struct, frozen=True):
    """A document is due, but something must be decided or corrected first."""

    reasons: tuple[Reason, ...]


Due: TypeAlias = Nothing | Send850 | Replace850 | Change860 | Cancel860 | DueHeld


class Send810(Struct, frozen=True):
    """Send the invoice."""

    invoice: Invoice


InvoiceDue: TypeAlias = Nothing | Send810 | DueHeld
