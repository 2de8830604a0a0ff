"""Find lines with changes in Plex that an 860 would report but that are not sent yet.

A receipt, a release that is closed or re-entered, a forecast, or a note without a place in the guide is not a change
for the supplier, so it does not hold an acknowledgment (RULES.md Reading 13).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.guide.schema import GuideUnreadableError
from plexstedi.edi.order import Line, Order, Phase, Release
from plexstedi.edi.outbound.changes import LineChange, is_note_alone, line_changes
from plexstedi.edi.outbound.document import Renderings, with_descriptions_of
from plexstedi.edi.outbound.view import LineView, OrderView
from plexstedi.edi.reasons import Held
from plexstedi.edi.settings import ChangeOrders
from plexstedi.edi.stream import StreamKey, order_of_stream


def lines_with_unsent_changes(
    has: Order, latest: Order, renderings: Renderings | None, stream: StreamKey
) -> frozenset[int]:
    """Numbers of the lines that an 860 from `has` to `latest` would change. Pure.

    Without `renderings` (the supplier's settings are not usable) the ordered content is compared; likewise if one of
    the revisions cannot be expressed in a document: it is held, so its change is not sent either.
    """
    before, now = order_of_stream(has, stream), order_of_stream(latest, stream)
    if now.phase is Phase.RECEIVED:
        return frozenset()
    if now.phase is Phase.CANCELLED and before.phase is not Phase.CANCELLED:
        return frozenset(line.number for line in before.open_lines())
    by_content = lines_that_differ(before, now)
    if renderings is None or not by_content:
        return by_content
    try:
        was, becomes = renderings.view(has, "850", stream), renderings.view(latest, "850", stream)
    except GuideUnreadableError:
        return by_content
    if isinstance(was, Held) or isinstance(becomes, Held):
        return by_content
    becomes = with_descriptions_of(becomes, was)
    changes = line_changes(was, becomes)
    numbers = {line.line.number for change in changes for line in (change.before, change.after) if line is not None}
    unsaid = _unsaid_notes(has, latest, renderings, stream, changes)
    return frozenset(number for number in numbers - unsaid if _is_visible(number, was, becomes, renderings))


def _unsaid_notes(
    has: Order, latest: Order, renderings: Renderings, stream: StreamKey, changes: Sequence[LineChange]
) -> frozenset[int]:
    """Lines of which only the note changed, where the 860 has no place for it: nothing is due for them."""
    settings = renderings.partner.settings
    noted = {change.after.line.number for change in changes if is_note_alone(change) and change.after is not None}
    if not noted or settings.change_orders is not ChangeOrders.SEND_860 or settings.document_860 is None:
        return frozenset()
    try:
        was, becomes = renderings.view(has, "860", stream), renderings.view(latest, "860", stream)
    except GuideUnreadableError:
        return frozenset()
    if isinstance(was, Held) or isinstance(becomes, Held):
        return frozenset()
    said = {line.line.number for each in line_changes(was, becomes) for line in (each.after,) if line is not None}
    return frozenset(noted - said)


def _is_visible(number: int, was: OrderView, becomes: OrderView, renderings: Renderings) -> bool:
    """Whether a change of this line is visible in the bound document."""
    alone = [replace(view, lines=_only(view, number)) for view in (was, becomes)]
    if not all(view.lines for view in alone):
        return True
    shown = [renderings.visible(view) for view in alone]
    return None in shown or shown[0] != shown[1]


def _only(view: OrderView, number: int) -> tuple[LineView, ...]:
    return tuple(line for line in view.lines if line.number == number)


def lines_that_differ(before: Order, after: Order) -> frozenset[int]:
    """Numbers of the lines whose ordered content differs, independent of supplier and guide.

    The order of the releases does not count, unless two of them exchanged their dates or quantities.
    """
    was, becomes = _ordered(before), _ordered(after)
    differ = {number for number in was.keys() | becomes.keys() if was.get(number) != becomes.get(number)}
    old = {(line.number, r.id): r for line in before.open_lines() for r in line.firm_releases()}
    for line in after.open_lines():
        for now in line.firm_releases():
            sent = old.get((line.number, now.id), now)
            if (sent.quantity, sent.due) != (now.quantity, now.due):
                differ.add(line.number)
    return frozenset(differ)


def _ordered(order: Order) -> dict[int, tuple[object, ...]]:
    """Ordered content by line number, without Plex ids and states; lines with nothing ordered are omitted."""
    found: dict[int, tuple[object, ...]] = {}
    for line in order.open_lines():
        ordered = sorted((r for r in line.firm_releases() if r.quantity != 0), key=_content)
        releases = tuple((r.quantity, r.due, r.ship_to, r.note) for r in ordered)
        blanket = line.blanket_quantity if order.blanket else None
        if releases or blanket is not None:
            # Two lines with one number are an error that holds the order elsewhere; both count here.
            found[line.number] = (*found.get(line.number, ()), *_priced(line), blanket, releases)
    return found


def _content(release: Release) -> tuple[date, Decimal, str, str]:
    return (release.due or date.min, release.quantity or Decimal(0), release.ship_to or "", release.note or "")


def _priced(line: Line) -> tuple[object, ...]:
    """All of a line except its releases. The description of a part is master data and excluded."""
    described = line.description if line.part is None else None
    numbers = (line.part, line.item, line.supplier_part, line.manufacturer_part)
    return (line.unit, line.order_unit, line.price, *numbers, described, line.note)
