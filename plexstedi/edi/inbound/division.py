"""Divide the ACK quantities of a line into accepted, backordered and rejected (RULES.md Reading 3 and 4).

Suppliers write one backorder (of 100, 60 now and 40 later) in four ways: `BP 60`, `IB 40`, `IA 60` with `IB 40`,
`BP 60` with `IB 40`; with some suppliers `BP 60` means 40 now. Settings define the quantity of a code; nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.findings import DECIDE
from plexstedi.edi.inbound.reading.ack_codes import LineMeaning
from plexstedi.edi.settings import AcknowledgmentSettings

ZERO = Decimal(0)


class Parts(Struct, frozen=True):
    """Quantities in the unit sent."""

    accepted: Decimal = ZERO
    backordered: Decimal = ZERO
    rejected: Decimal = ZERO

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            self.accepted + other.accepted, self.backordered + other.backordered, self.rejected + other.rejected
        )

    @property
    def total(self) -> Decimal:
        """Sum of all three quantities."""
        return self.accepted + self.backordered + self.rejected


NO_PARTS = Parts()


class StatedPart(Struct, frozen=True):
    """One ACK (or the echo of a PO1) with its quantity in the unit sent; None if it has none."""

    code: str | None
    meaning: LineMeaning
    quantity: Decimal | None


class Divided(Struct, frozen=True):
    """Division per stated part, in the given order, and the remainder that follows from them."""

    parts: tuple[Parts, ...]
    remainder: Parts = NO_PARTS

    @property
    def total(self) -> Parts:
        """Sum of all parts and the remainder."""
        return sum(self.parts, self.remainder)


class Undivided(Struct, frozen=True):
    """The quantities are ambiguous: decided by a setting or a review."""

    code: str
    message: str
    fix: str


Division: TypeAlias = Divided | Undivided

_BACKORDERS = (LineMeaning.BACKORDER, LineMeaning.PARTIAL)
_ASK = f"ask the supplier, then {DECIDE}"


def divide(
    stated: Sequence[StatedPart], *, ordered: Decimal, open_quantity: Decimal, settings: AcknowledgmentSettings
) -> Division:
    """Divide the stated parts of a line with `ordered` ordered and `open_quantity` not yet received."""
    stated = _rejected_as_a_whole(stated)
    backorders = [p for p in stated if p.meaning in _BACKORDERS]
    if [p for p in stated if p.quantity == 0 and p.meaning is LineMeaning.REJECTED]:
        return Undivided("rejected-zero", f"{_written(stated)} rejects a quantity of zero", _ASK)
    # A part without quantity can only be the whole line, so it must be the only one.
    if [p for p in stated if p.quantity is None]:
        return _without_quantity(stated, open_quantity)
    if [p for p in backorders if p.quantity == 0]:
        return Undivided("backorder-zero", f"{_written(stated)} backorders a quantity of zero", _ASK)
    if not backorders:
        return Divided(tuple([_as_stated(p) for p in stated]))
    kinds = {p.meaning for p in backorders}
    if kinds == {LineMeaning.BACKORDER, LineMeaning.PARTIAL}:
        return _both(stated, ordered, open_quantity)
    if kinds == {LineMeaning.PARTIAL}:
        if settings.bp_quantity is None:
            return Undivided(
                "bp-ambiguous",
                f"{_written(stated)} of {open_quantity}: the BP quantity could ship either now or later",
                "set acknowledgments.bp_quantity of this supplier, then run `plexstedi replay --ack TRANSACTION"
                " --reason TEXT`",
            )
        setting, name = settings.bp_quantity, "bp_quantity"
    else:
        setting, name = settings.ib_quantity, "ib_quantity"
    if setting == "backordered":
        return _backordered_as_stated(stated, backorders, open_quantity)
    return _accepted_as_stated(stated, backorders, open_quantity, name)


def _rejected_as_a_whole(stated: Sequence[StatedPart]) -> Sequence[StatedPart]:
    """A single rejection with quantity zero states the quantity left, so it rejects the whole line."""
    if len(stated) == 1 and stated[0].quantity == 0 and stated[0].meaning is LineMeaning.REJECTED:
        return [replace(stated[0], quantity=None)]
    return stated


def _without_quantity(stated: Sequence[StatedPart], whole: Decimal) -> Division:
    """A single ACK without quantity applies to the whole line."""
    first = stated[0]
    if len(stated) > 1 or first.meaning is LineMeaning.PARTIAL:
        return Undivided("quantity-missing", f"{_written(stated)}: an ACK has no quantity", _ASK)
    if first.meaning is LineMeaning.BACKORDER:
        return Divided((Parts(backordered=whole),))
    return Divided((_as_stated(StatedPart(first.code, first.meaning, whole)),))


def _as_stated(part: StatedPart) -> Parts:
    """The quantity by the meaning of its code; with a code that holds the line it is shown as accepted."""
    quantity = part.quantity if part.quantity is not None else ZERO
    if part.meaning is LineMeaning.REJECTED:
        return Parts(rejected=quantity)
    if part.meaning is LineMeaning.BACKORDER:
        return Parts(backordered=quantity)
    return Parts(accepted=quantity)


def _both(stated: Sequence[StatedPart], ordered: Decimal, open_quantity: Decimal) -> Division:
    divided = Divided(tuple(_as_stated(p) for p in stated))
    # BP and IB state both parts, so their sum shows whether they are read correctly.
    if divided.total.total not in (ordered, open_quantity):
        return Undivided(
            "backorder-sum", f"{_written(stated)} add up to {divided.total.total}, not to {ordered} as ordered", _ASK
        )
    return divided


def _backordered_as_stated(
    stated: Sequence[StatedPart], backorders: Sequence[StatedPart], open_quantity: Decimal
) -> Division:
    parts = tuple(Parts(backordered=p.quantity or ZERO) if p in backorders else _as_stated(p) for p in stated)
    divided = Divided(parts)
    if len(backorders) < len(stated):
        return divided
    rest = open_quantity - divided.total.backordered
    if rest < 0:
        return Undivided("backorder-sum", f"{_written(stated)} backorders more than the {open_quantity} ordered", _ASK)
    return Divided(parts, Parts(accepted=rest))


def _accepted_as_stated(
    stated: Sequence[StatedPart], backorders: Sequence[StatedPart], open_quantity: Decimal, name: str
) -> Division:
    parts = tuple(Parts(accepted=p.quantity or ZERO) if p in backorders else _as_stated(p) for p in stated)
    rest = open_quantity - Divided(parts).total.total
    if rest <= 0:
        return Undivided(
            "backorder-sum",
            f"{_written(stated)} of {open_quantity}: read as accepted, nothing is left to backorder",
            f"check acknowledgments.{name} of this supplier, then run `plexstedi replay --ack TRANSACTION --reason"
            " TEXT`; or accept or reject it: `plexstedi review show ID` shows what each does",
        )
    return Divided(parts, Parts(backordered=rest))


def _written(stated: Sequence[StatedPart]) -> str:
    return ", ".join(f"{p.code or 'PO1'} {'' if p.quantity is None else p.quantity}".strip() for p in stated)
