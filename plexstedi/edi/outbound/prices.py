"""Quantity, unit and price of a line as sent: exact conversion or a hold (RULES.md Sending 4)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from plexstedi.edi.advice import sentence, write
from plexstedi.edi.guide.capacity import Capacity, Placement, placement_for
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import SupplierSettings, Unit
from plexstedi.edi.units import PRICE_BASIS_UNITS, basis_quantity, exact_quotient, plain, plex_unit, product
from plexstedi.edi.x12.transaction import Composite, Segment, segment

_PRICE_DECIMALS = 6
_BASIS_AT = {"PO1": 5, "POC": 7, "IT1": 5}
"""Position of the price basis in the line segment; the price is the element before it."""
_CTP_PRICE, _CTP_BASIS = 3, 9
_LIST_PRICES = frozenset({"MSR", "RTL", "SLP", "SRP"})
"""CTP02 (element 236) codes that are not purchase prices: suggested and list prices."""
_PURCHASE_PRICES = ("UCP", "CON", "NET", "CUP", "INV", "PRO")
"""CTP02 codes of purchase prices, best first: unit cost, contract, net, confirmed, billed, producer's price."""


class Units(Struct, frozen=True):
    """X12 units of a line, for quantities and for the price (different only if Plex prices per another unit)."""

    quantity: Unit
    price: Unit
    name: str = ""
    """Plex name of the unit of the price."""
    table: str = "units"
    """Configuration table of the units: `suppliers.ACME01.units`."""


class DocumentPrice(Struct, frozen=True):
    """A price as sent: PO104, PO105."""

    price: Decimal
    basis: str | None
    per: Decimal
    """Number of X12 units that the Plex price refers to; 0 if price and quantity have different X12 units."""


class PricePlacement(Struct, frozen=True):
    """Placement of a line's price: in the line segment, or in CTP03 (RULES.md Sending 4)."""

    placement: Placement | None
    basis: int
    """Position of its basis (element 639) there."""
    in_ctp: bool = False


def price_placement(capacity: Capacity, loop: str) -> PricePlacement:
    """Placement of the price in this line loop: CTP03 only if the guide has none in the line segment."""
    basis = _BASIS_AT[loop]
    own = placement_for(capacity, "detail", (), loop)
    if capacity.by_guide and (own is None or not own.has(basis - 1)):
        for placement in capacity.placements("detail", (loop,), "CTP"):
            if placement.has(_CTP_PRICE) and not set(placement.codes.get(2, ("",))) <= _LIST_PRICES:
                return PricePlacement(placement, _CTP_BASIS, in_ctp=True)
    return PricePlacement(own, basis)


def price_segment(price: Decimal, basis: str | None, unit: str, placement: Placement) -> Segment:
    """CTP with the price; class and identifier only where the guide requires them."""
    listed = placement.codes.get(2)
    paid = next((code for code in _PURCHASE_PRICES if listed is not None and code in listed), None)
    return segment(
        "CTP",
        e02=paid,
        e03=price,
        e05=Composite((unit,)) if 5 in placement.required else None,
        e09=basis,
    )


def line_units(
    price_name: str | None, order_unit: str | None, settings: SupplierSettings, where: str, table: str
) -> Units | Reason:
    """X12 units of a line by Plex unit names: of the price, and of the quantity if different.

    A reason if `units` of the partner (configuration table `table`) lacks one (DESIGN.md section 6).
    """
    quantity_name = order_unit or price_name
    if quantity_name is None:
        return Reason(
            code="unit-missing",
            where=where,
            message="Plex has no unit for this line",
            fix="Set the line's unit in Plex",
        )
    differs = price_name is not None and price_name.strip().casefold() != quantity_name.strip().casefold()
    quantity = plex_unit(quantity_name, settings)
    price = plex_unit(price_name, settings) if price_name is not None else quantity
    unknown = [n for n, unit in ((quantity_name, quantity), (price_name, price)) if unit is None and n is not None]
    if differs and not unknown:
        listed = {name.casefold() for name in settings.units}
        unknown = [n for n in (quantity_name, price_name) if n is not None and n.strip().casefold() not in listed]
    if quantity is None or price is None or unknown:
        names = " and ".join(f'"{name}"' for name in dict.fromkeys(unknown))
        settings_ = " and ".join(
            write(table, name.strip(), '{unit = "…", factor = "…"}') for name in dict.fromkeys(unknown)
        )
        why = f"it is ordered in {quantity_name} and priced per {price_name}" if differs else "X12 has no unit for it"
        return Reason(
            code="unit-unknown",
            where=where,
            message=f"unit {names}: {why}",
            fix=f"Say in `units` what it is in X12: {settings_} (the X12 unit, and how many of it one is)",
        )
    return Units(quantity, price, (price_name or quantity_name).strip(), table)


def document_quantity(quantity: Decimal, units: Units) -> Decimal:
    """A Plex quantity in X12 units, exact."""
    return product(quantity, units.quantity.factor)


def document_price(
    price: Decimal, units: Units, placement: Placement | None, position: int, where: str
) -> DocumentPrice | Reason:
    """The price with its basis if `placement` has a place for it at `position`, else converted exactly to one unit.

    A reason if neither is possible: a price per hundred is never sent as a price each.
    """
    if price < 0:
        return Reason(
            code="price-negative", where=where, message=f"price {price} is negative", fix="Correct the price in Plex"
        )
    unit, ordered = units.price, units.quantity.unit
    per = _priced_quantity(unit)
    if per is None:
        return Reason(
            code="price-basis-inconsistent",
            where=where,
            message=f"price_basis {unit.price_basis} does not fit a factor of {plain(unit.factor)} {unit.unit}",
            fix="Correct factor or price_basis in this supplier's `units`",
        )
    same = unit.unit == ordered
    if unit.price_basis is not None and placement is not None and placement.allows(position, unit.price_basis):
        return DocumentPrice(plain(price), unit.price_basis, per if same else Decimal(0))
    # Without a basis PO104 is per unit ordered, and no factor between the two units is configured.
    if not same:
        return Reason(
            code="price-unit-differs",
            where=where,
            message=f"it is ordered in {ordered} and priced per {unit.unit}, with no place for a price basis",
            fix=_basis_fix(units, per, placement, position) or f"Price the line in Plex per unit ordered ({ordered})",
        )
    each = plain(price) if per == 1 else exact_quotient(price, per, _PRICE_DECIMALS)
    if each is None:
        return Reason(
            code="price-not-exact",
            where=where,
            message=f"price {price} per {plain(per)} {ordered} is not exact in {_PRICE_DECIMALS} decimals "
            f"per {ordered}, and there is no place for its price basis",
            fix=_basis_fix(units, per, placement, position)
            or f"Correct the price in Plex so that it is exact per {ordered}, or ask the supplier for a price basis "
            "in its guide",
        )
    return DocumentPrice(each, _plain_basis(placement, position, ordered), per)


def _basis_fix(units: Units, per: Decimal, placement: Placement | None, position: int) -> str | None:
    """Fix that sets a price basis, if the target accepts one that matches the price in Plex."""
    unit = units.price
    for code, (quantity, of) in PRICE_BASIS_UNITS.items():
        fits = quantity == per and of == unit.unit and unit.price_basis is None
        if fits and placement is not None and placement.allows(position, code):
            value = f'{{unit = "{unit.unit}", factor = "{plain(unit.factor):f}", price_basis = "{code}"}}'
            return sentence(write(units.table, units.name, value))
    return None


def _priced_quantity(unit: Unit) -> Decimal | None:
    """Number of X12 units that the Plex price refers to; None if factor and price basis contradict each other."""
    known = basis_quantity(unit.price_basis, unit.unit) if unit.price_basis else None
    if known is None or known == unit.factor:
        return unit.factor
    return known if unit.factor == 1 else None


def _plain_basis(placement: Placement | None, position: int, unit: str) -> str | None:
    """Basis code of a price per unit, only where the guide requires one."""
    if placement is None or position not in placement.required:
        return None
    candidates = ("PE", "UM") if unit == "EA" else ("UM",)
    return next((code for code in candidates if placement.allows(position, code)), None)
