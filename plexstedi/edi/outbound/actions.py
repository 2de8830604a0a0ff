"""What is due of an order or an invoice: the actions that a decision ends in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from plexstedi.edi.invoice import Invoice
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.build_850 import Purpose
from plexstedi.edi.reasons import Reason
from plexstedi.edi.stream import StreamKey


@dataclass(frozen=True, slots=True)
class Nothing:
    """The supplier has what it needs to have."""


@dataclass(frozen=True, slots=True)
class Send850:
    """The order is to be sent for the first time; `purpose` differs for a replay by a person."""

    order: Order
    stream: StreamKey
    purpose: Purpose = "00"


@dataclass(frozen=True, slots=True)
class Replace850:
    """The whole order is to be sent again, to replace what the supplier has (BEG01 05)."""

    order: Order
    stream: StreamKey


@dataclass(frozen=True, slots=True)
class Change860:
    """The net change from what the supplier has to the order as it is now."""

    has: Order
    order: Order
    stream: StreamKey


@dataclass(frozen=True, slots=True)
class Cancel860:
    """The order as the supplier has it is to be cancelled; `order` is the cancelled revision."""

    has: Order
    order: Order
    stream: StreamKey


@dataclass(frozen=True, slots=True)
class DueHeld:
    """Something is due, and a person has to decide or correct something first."""

    reasons: tuple[Reason, ...]


Due: TypeAlias = Nothing | Send850 | Replace850 | Change860 | Cancel860 | DueHeld


@dataclass(frozen=True, slots=True)
class Send810:
    """The invoice is to be sent for the first time."""

    invoice: Invoice


InvoiceDue: TypeAlias = Nothing | Send810 | DueHeld
