"""The 850 of a whole order, and what of an order its supplier can see in it."""

from __future__ import annotations

from dataclasses import replace

from plexstedi.edi.guide.base_names import GuideJson
from plexstedi.edi.guide.rooms import room_for
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.build_850 import Purpose, build_850
from plexstedi.edi.outbound.build_view import look
from plexstedi.edi.outbound.prepared import Prepared, finish_order
from plexstedi.edi.outbound.view import SeenOrder
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held
from plexstedi.edi.stream import StreamKey


def prepare_850(order: Order, stream: StreamKey, partner: Partner, purpose: Purpose) -> Prepared | Held:
    """The order as an 850 with this BEG01. Raise GuideUnreadableError for a guide that cannot be followed."""
    seen = look(order, partner, room_for(partner, "850"), "850", stream)
    return seen if isinstance(seen, Held) else _prepared(seen, partner, purpose)


def _prepared(seen: SeenOrder, partner: Partner, purpose: Purpose) -> Prepared | Held:
    built = build_850(seen, partner, room_for(partner, "850"), purpose)
    return built if isinstance(built, Held) else finish_order("850", built, partner, seen, ())


def visible(seen: SeenOrder, partner: Partner) -> dict[str, GuideJson] | None:
    """The whole order as the supplier would see it now; None if it could not be sent.

    What the guide has no place for is not in it, so a change of that alone is no change for the supplier.
    """
    shown = _prepared(seen, partner, "00")
    return None if isinstance(shown, Held) else shown.guide_json


def with_descriptions_of(seen: SeenOrder, other: SeenOrder) -> SeenOrder:
    """The order with the parts' descriptions of another view: master data is no change of the order."""
    known = {line.id: line.description for line in other.lines}
    lines = tuple(
        line if line.description_counts or line.id not in known else replace(line, description=known[line.id])
        for line in seen.lines
    )
    return replace(seen, lines=lines)
