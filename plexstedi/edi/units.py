"""Units of measure and price bases (RULES.md "Settings", Sending 4). All factors are exact."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, Overflow
from functools import lru_cache, reduce

from plexstedi.edi.settings import SupplierSettings, Unit

_BUILT_IN = {
    **dict.fromkeys(("ea", "each", "pc", "pcs"), "EA"),
    "ft": "FT",
    "in": "IN",
    **dict.fromkeys(("lb", "lbs"), "LB"),
    "kg": "KG",
    "m": "MR",
    "gal": "GA",
    "l": "LT",
    "hr": "HR",
}
"""Built-in Plex unit names (RULES.md "Settings"), lower case. A metre is MR, not M4 or MT (edi/X12.md 3.8)."""

PRICE_BASIS_UNITS: dict[str, tuple[Decimal, str | None]] = {
    "PE": (Decimal(1), "EA"),
    "PD": (Decimal(12), "EA"),
    "HP": (Decimal(100), "EA"),
    "TP": (Decimal(1000), "EA"),
    "TT": (Decimal(10_000), "EA"),
    "HT": (Decimal(100_000), "EA"),
    "PF": (Decimal(1), "FT"),
    "HF": (Decimal(100), "FT"),
    "PP": (Decimal(1), "LB"),
    "PT": (Decimal(2000), "LB"),
    "UM": (Decimal(1), None),
}
"""X12 element 639: quantity and unit that a price refers to; None: the unit of the line. PT is a short ton."""


def plex_unit(name: str | None, settings: SupplierSettings) -> Unit | None:
    """X12 unit for a Plex unit name, from the supplier's `units`, then the built-in names; case-insensitive.

    None if neither has it (the order is held, RULES.md "Settings").
    """
    if name is None or not name.strip():
        return None
    wanted = name.strip()
    exact = settings.units.get(wanted)
    if exact is not None:
        return exact
    for known, unit in settings.units.items():
        if known.casefold() == wanted.casefold():
            return unit
    return _built_in(wanted.casefold())


@lru_cache(maxsize=256)
def _built_in(name: str) -> Unit | None:
    code = _BUILT_IN.get(name)
    return None if code is None else Unit(unit=code)


def basis_quantity(basis: str | None, unit: str) -> Decimal | None:
    """Quantity of `unit` (element 355) that a price with this basis (element 639) refers to; 1 without a basis.

    None if the basis is unknown or refers to another unit: such a price cannot be compared with one per `unit`.
    """
    if basis is None:
        return Decimal(1)
    known = PRICE_BASIS_UNITS.get(basis)
    if known is None:
        return None
    quantity, per = known
    return quantity if per is None or per == unit else None


@lru_cache(maxsize=1024)
def exact_quotient(dividend: Decimal, divisor: Decimal, places: int) -> Decimal | None:
    """`dividend / divisor` if it has at most `places` decimals, else None. Never rounds.

    Raise ZeroDivisionError for a divisor of zero.
    """
    if divisor == 0:
        raise ZeroDivisionError(f"{dividend} / 0")
    top, bottom = dividend.as_integer_ratio(), divisor.as_integer_ratio()
    numerator, denominator = top[0] * bottom[1], top[1] * bottom[0]
    scaled, rest = divmod(numerator * 10**places, denominator)
    return None if rest else plain(Decimal(scaled).scaleb(-places, _EXACT))


def plain(number: Decimal) -> Decimal:
    """The number in canonical form: 3000.0 and 3E+3 become 3000, -0 becomes 0. Raise ValueError for none."""
    if number and number.same_quantum(_ONE):
        # Whole and written as such, like most numbers.
        return number
    if not number.is_finite():
        raise ValueError(f"{number} is not a number")
    if not number:
        return Decimal(0)
    short = number.normalize(_EXACT)
    return short.quantize(_ONE, context=_EXACT) if short == short.to_integral_value() else short


def product(*factors: Decimal) -> Decimal:
    """Exact product, independent of the precision of the decimal context."""
    return plain(reduce(_EXACT.multiply, factors, _ONE))


def total_of(*numbers: Decimal) -> Decimal:
    """Exact sum, independent of the precision of the decimal context."""
    return plain(reduce(_EXACT.add, numbers, Decimal(0)))


_ONE = Decimal(1)
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, Overflow])
"""Sums and products in it are exact, whatever their size: it has no limit that a number could reach."""
