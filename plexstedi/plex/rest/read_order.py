"""Converts Plex rows into the canonical order: pure, and the same for every REST dialect.

A line has no quantity and no due date in Plex; both are in its releases (plex/README.md 5.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from plexstedi.edi.order import Line, Order, Part, Release
from plexstedi.plex.note_token import without_token
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.rest.statuses import Statuses


class MasterData(Struct, frozen=True):
    """The records that an order's rows refer to, by Plex id."""

    supplier_codes: Mapping[str, str]
    parts: Mapping[str, Part]
    items: Mapping[str, str]
    approved: Mapping[str, str] = field(default_factory=dict)
    """The supplier's own numbers by part, for lines that state none."""


def parts_named(releases: Sequence[Row]) -> dict[str, Part]:
    """Parts by id, as far as releases state number and revision: saves a call per part (plex/README.md 5.5)."""
    parts: dict[str, Part] = {}
    for row in releases:
        part_id, number = row.text("partId"), row.text("partNumber")
        if part_id is not None and number is not None:
            parts.setdefault(part_id, Part(number=number, revision=row.text("partRevision")))
    return parts


def read_part(row: Row) -> Part:
    """A part of the part master. Raise RowFault."""
    return Part(number=row.needed("number"), revision=row.text("revision"))


def read_order(
    header: Row, lines: Sequence[Row], releases: Sequence[Row], *, statuses: Statuses, known: MasterData
) -> Order:
    """The order of this header, with lines and releases sorted by number.

    The order date is the day on which it was put on order, else its created day. Raise RowFault (UnknownStatus for a
    status without a configured meaning) if a value that a document could contain cannot be read.
    """
    number = header.needed("poNumber")
    supplier_id = header.needed("supplierId")
    code = known.supplier_codes.get(supplier_id)
    if code is None:
        raise RowFault(f"order {number}: its supplier {supplier_id} is not among Plex's suppliers")
    status = header.text("status")
    of_line: dict[str, list[Row]] = {row.needed("id"): [] for row in lines}
    for row in releases:
        if row.needed("poLineItemId") not in of_line:
            raise RowFault(
                f"order {number}: a release belongs to a line that Plex does not list; the order is being edited"
            )
        of_line[row.needed("poLineItemId")].append(row)
    read_lines = [_read_line(row, of_line[row.needed("id")], statuses, known, f"order {number}") for row in lines]
    return Order(
        id=header.needed("id"),
        number=number,
        supplier_id=supplier_id,
        supplier_code=code,
        supplier_address_id=header.text("supplierAddressId"),
        phase=statuses.phase(status, f"order {number}"),
        status_name=status or "",
        type_name=header.text("type"),
        blanket=header.flag("blanketOrder") or False,
        order_date=header.day("orderedDate") or header.day("poDate"),
        due=header.day("dueDate"),
        currency=header.text("currencyCode"),
        terms=header.text("terms"),
        freight_terms=header.text("freightTerms"),
        fob=header.text("fob"),
        ship_via=header.text("shipVia"),
        ship_to=header.text("shipTo"),
        note=header.text("note"),
        buyer=header.text("issuedById"),
        lines=tuple(sorted(read_lines, key=lambda line: (line.number, line.id))),
        created_at=header.time("createdDate"),
        modified_at=header.time("modifiedDate"),
    )


def _read_line(row: Row, releases: Sequence[Row], statuses: Statuses, known: MasterData, order: str) -> Line:
    line_id, number = row.needed("id"), row.whole("lineItemNumber")
    what = f"{order}, line {number}"
    part_id, item_id = row.text("partId"), row.text("itemId")
    if part_id is not None and part_id not in known.parts:
        raise RowFault(f"{what}: its part {part_id} is not among Plex's parts")
    if part_id is None and item_id is not None and item_id not in known.items:
        raise RowFault(f"{what}: its supply item {item_id} is not among Plex's supply items")
    status = row.text("status")
    read = [_read_release(release, statuses, what) for release in releases]
    return Line(
        id=line_id,
        number=number,
        state=statuses.line(status, what),
        unit=row.text("unit"),
        order_unit=row.text("orderUnit"),
        price=row.number("unitPrice"),
        part=None if part_id is None else known.parts[part_id],
        item=known.items[item_id] if part_id is None and item_id is not None else None,
        supplier_part=(own := row.text("supplierPartNumber")),
        approved_supplier_part=known.approved.get(part_id) if own is None and part_id is not None else None,
        manufacturer_part=row.text("manufacturerPartNumber"),
        description=row.text("description"),
        note=row.text("note"),
        blanket_quantity=row.number("blanketQuantity"),
        releases=tuple(sorted(read, key=lambda release: (release.number, release.id))),
        status_name=status or "",
        modified_at=row.time("modifiedDate"),
    )


def _read_release(row: Row, statuses: Statuses, line: str) -> Release:
    number = row.whole("releaseLineNumber")
    status = row.text("status")
    return Release(
        id=row.needed("id"),
        number=number,
        state=statuses.release(status, f"{line}, release {number}"),
        quantity=row.number("quantity"),
        due=row.day("dueDate"),
        ship_to=row.text("poShipTo"),
        note=without_token(row.text("note")),
        status_name=status or "",
        modified_at=row.time("modifiedDate"),
    )
