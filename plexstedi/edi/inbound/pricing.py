"""Compare an acknowledged price with the one sent, exactly and per the same quantity (RULES.md Reading 1 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.findings import DECIDE
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.inbound.reading.other_segments import StatedPrice
from plexstedi.edi.sent import SentLine
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.units import PRICE_BASIS_UNITS, exact_quotient

_ONE = Fraction(1)
_WHOLE = Decimal(1)


def stated_prices(ack_line: AcknowledgedLine) -> tuple[StatedPrice, ...]:
    """Every purchase price that the line states, PO104 first."""
    if ack_line.price is None:
        return ack_line.other_prices
    own = StatedPrice(segment="PO1", place="PO104", price=ack_line.price, basis=ack_line.price_basis)
    return (own, *ack_line.other_prices)


def stated_numbers(ack_line: AcknowledgedLine) -> Sequence[Decimal]:
    """Every quantity and price that the line states."""
    stated = [ack_line.quantity]
    stated += [detail.quantity for detail in ack_line.details]
    stated += [schedule.quantity for schedule in ack_line.schedules]
    stated.append(ack_line.price)
    stated += [price.price for price in ack_line.other_prices]
    return [number for number in stated if number is not None]


class Compared(Struct, frozen=True):
    """Both prices, per the same unit."""

    sent: Fraction
    acknowledged: Fraction

    @property
    def differs(self) -> bool:
        """Whether the acknowledged price differs."""
        # Fractions compare slowly, and most prices are those sent: one and the same object, see `_each`.
        return self.sent is not self.acknowledged and self.sent != self.acknowledged

    def within(self, up_pct: Decimal, down_pct: Decimal) -> bool:
        """Whether the acknowledged price is at most this many percent above or below the one sent."""
        difference = (self.acknowledged - self.sent) * 100
        return -Fraction(down_pct) * self.sent <= difference <= Fraction(up_pct) * self.sent


class Incomparable(Struct, frozen=True):
    """The prices refer to quantities that cannot be converted into each other."""

    message: str
    fix: str


PriceComparison: TypeAlias = Compared | Incomparable


def compare_price(
    acknowledged: Decimal, basis: str | None, unit: str | None, sent: SentLine, settings: SupplierSettings
) -> PriceComparison:
    """Compare the acknowledged price (PO104, PO105, PO103) with the one sent. Without a basis it has the basis sent."""
    used = basis.upper() if basis is not None else sent.price_basis
    theirs = _per(used, unit or sent.unit)
    ours = _per(sent.price_basis, sent.unit)
    if theirs is None or ours is None:
        return Incomparable(
            f"the price basis {used if theirs is None else sent.price_basis} (PO105) is not known",
            f"compare the price by hand, then {DECIDE}",
        )
    factor = _factor(theirs[1], ours[1], settings)
    if factor is None:
        return Incomparable(
            f"a price per {theirs[1]} cannot be compared with the price per {ours[1]} sent",
            f"set ack_units.{theirs[1]} of this supplier with unit {ours[1]} and its factor, then run"
            " `plexstedi replay --ack TRANSACTION --reason TEXT`; or accept or reject it: `plexstedi review show ID`"
            " shows what each does",
        )
    stated = _each(acknowledged, theirs[0])
    return Compared(_each(sent.price, ours[0]), stated if factor is _ONE else stated / factor)


@lru_cache(maxsize=1024)
def _each(price: Decimal, per: Decimal) -> Fraction:
    """Price of one. Most prices are those sent."""
    return Fraction(price) if per == 1 else Fraction(price) / Fraction(per)


def price_sent(sent: SentLine) -> Decimal | None:
    """The price as sent, per unit; None if it has no finite decimal form or its basis is unknown."""
    per = _per(sent.price_basis, sent.unit)
    if per is None or per[1] != sent.unit:
        return None
    return exact_quotient(sent.price, per[0], 10)


def _per(basis: str | None, unit: str) -> tuple[Decimal, str] | None:
    """Quantity and unit that a price refers to."""
    if basis is None:
        return _WHOLE, unit
    known = PRICE_BASIS_UNITS.get(basis)
    if known is None:
        return None
    quantity, per = known
    return quantity, per or unit


def _factor(theirs: str, ours: str, settings: SupplierSettings) -> Fraction | None:
    """How many of `ours` equal one of `theirs`."""
    if theirs == ours:
        return _ONE
    forth, back = settings.ack_units.get(theirs), settings.ack_units.get(ours)
    if forth is not None and forth.unit == ours:
        return Fraction(forth.factor)
    if back is not None and back.unit == theirs:
        return 1 / Fraction(back.factor)
    return None
