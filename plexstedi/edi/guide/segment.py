"""Bind one segment to one shape of a guide: elements to slots, item numbers to qualifier pairs, constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, field

from plexstedi.edi.guide.base_names import GuideJson
from plexstedi.edi.guide.model import GuideSlot, ItemPair, Shape
from plexstedi.edi.guide.value import Fitted, Misfit, constant_element, constant_json, fit
from plexstedi.edi.x12.elements import ITEM_PAIRS_FROM
from plexstedi.edi.x12.transaction import Composite, Segment, Value

_ESSENTIAL_ELEMENTS: Mapping[str, frozenset[int]] = {
    "BEG": frozenset({1, 2, 3, 4, 5}),
    "BCH": frozenset({1, 2, 3, 4}),
    "BIG": frozenset({1, 2, 4, 7}),
    "PO1": frozenset({2, 3, 4, 5}),
    "POC": frozenset({2, 3, 5, 6, 7}),
    "IT1": frozenset({2, 3, 4, 5}),
    "SCH": frozenset({1, 5, 6}),
    "CTP": frozenset({3, 9}),
    "TDS": frozenset({1}),
    "TXI": frozenset({1, 2}),
}
"""Elements without which the segment would be wrong. These segments themselves must not be dropped either."""

_KEY_ELEMENTS: Mapping[str, frozenset[int]] = {
    "CUR": frozenset({2}),
    "REF": frozenset({1, 2}),
    "FOB": frozenset({1}),
    "TD5": frozenset({5}),
    "DTM": frozenset({1, 2}),
    "N9": frozenset({1}),
    "MSG": frozenset({1}),
    "MTX": frozenset({2}),
    "NTE": frozenset({2}),
    "N1": frozenset({1}),
    "N3": frozenset({1, 2}),
    "PID": frozenset({1, 5}),
    "AMT": frozenset({1, 2}),
    "SAC": frozenset({1, 2, 5}),
}
"""Key elements of optional segments: without a slot for them the segment is dropped."""

_PAIRED_ELEMENTS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "N1": ((3, 4),),
    "FOB": ((2, 3),),
    "TD5": ((2, 3),),
    "ITD": (),
}
"""Pairs of elements that are meaningful only together."""


class Missing(Struct, frozen=True):
    """A required value that the document does not have."""

    key: str
    position: int
    description: str
    codes: tuple[str, ...] | None
    under: tuple[str, ...] = ()
    """Qualifiers allowed for it, if the guide lists them."""


class Unfit(Struct, frozen=True):
    """An element of ours that the shape does not accept."""

    position: int
    value: str
    message: str
    """Message, prefixed with position and value."""
    codes: tuple[str, ...] = ()
    no_place: bool = False


class NoFit(Struct, frozen=True):
    """The segment does not fit this shape. `variant`: the shape is for another qualifier, which is not an error."""

    variant: bool
    unfit: tuple[Unfit, ...] = ()
    missing: tuple[Missing, ...] = ()
    placed: frozenset[str] = frozenset()
    """Line: qualifiers of item numbers that were placed."""
    other: str = ""
    """Problem of the shape itself."""

    @property
    def message(self) -> str:
        """All of it in one sentence."""
        wants = [f"the guide requires {missing.key}" for missing in self.missing]
        return "; ".join((*([self.other] if self.other else []), *(each.message for each in self.unfit), *wants))

    @property
    def size(self) -> int:
        """Number of problems: the shape with the fewest is the best match."""
        return len(self.unfit) + len(self.missing) + (10 if self.other else 0)


class Lost(Struct, frozen=True):
    """An element without a slot in the shape."""

    position: int
    value: str
    why: str


class BoundSegment(Struct, frozen=True):
    """A bound segment."""

    json: dict[str, GuideJson]
    segment: Segment
    lost: tuple[Lost, ...]
    choice: int
    """Number of codes listed for the qualifier; fewer means a more specific variant."""


def is_head(segment_id: str) -> bool:
    """Whether the segment must not be dropped: a document without it would be wrong."""
    return segment_id in _ESSENTIAL_ELEMENTS


def bind_segment(segment: Segment, shape: Shape) -> BoundSegment | NoFit:
    """Bind the segment, elements in the order of the schema; NoFit with all misfits if an essential value is lost."""
    vital = _ESSENTIAL_ELEMENTS.get(segment.id, _KEY_ELEMENTS.get(segment.id, frozenset()))
    start = ITEM_PAIRS_FROM.get(segment.id)
    placed: dict[int, Fitted] = {}
    lost: list[Lost] = []
    unfit: list[Unfit] = []
    variant = False
    for position, value in enumerate(segment.elements, start=1):
        if value is None or (start is not None and position >= start):
            continue
        slot = shape.slot(position)
        outcome: Fitted | Misfit
        outcome = _NO_PLACEMENT if slot is None else fit(value, slot)
        if isinstance(outcome, Fitted):
            placed[position] = outcome
            continue
        required = slot is not None and slot.required
        expendable = outcome.code or (segment.id, position) in _EXPENDABLE
        if position in vital or not expendable or required:
            variant |= outcome.code and (position == 1 or slot is None) and not is_head(segment.id)
            unfit.append(_unfit(segment.id, position, value, outcome))
        else:
            lost.append(Lost(position, _shown(value), outcome.message))
    # A code without its qualifier, or the reverse, is invalid in X12.
    for pair in _PAIRED_ELEMENTS.get(segment.id, ()):
        _drop_halves(pair, segment, placed, lost)
    items = _NO_ITEMS if start is None else _place_items(segment, start, shape, placed, lost)
    return _filled(segment, shape, placed, lost, (*unfit, *items.unfit), items, variant=variant)


def _unfit(segment_id: str, position: int, value: Value, misfit: Misfit) -> Unfit:
    shown = _shown(value)
    words = f"unit {misfit.message}" if misfit.codes and (segment_id, position) in _UNITS else misfit.message
    return Unfit(position, shown, f"{segment_id}{position:02d} {shown}: {words}", misfit.codes, misfit.no_place)


_NO_PLACEMENT = Misfit(True, "the guide has no place for it", no_place=True)
_UNITS = frozenset({("PO1", 3), ("POC", 5), ("IT1", 3), ("SCH", 2), ("CTP", 5)})
_QUALIFIED = {("N1", 4): 3, ("REF", 2): 1, ("DTM", 2): 1, ("SCH", 6): 5, ("AMT", 2): 1, ("N9", 2): 1}
"""Position of the qualifier of an element."""
_EXPENDABLE = frozenset({("CTT", 2)})
"""Optional totals, which may be dropped: the values summed are sent anyway."""


def _drop_halves(pair: tuple[int, int], segment: Segment, placed: dict[int, Fitted], lost: list[Lost]) -> None:
    here = [position for position in pair if position in placed]
    if len(here) == 1 and all(segment.get(position) is not None for position in pair):
        placed.pop(here[0])
        lost.append(Lost(here[0], _shown(segment.get(here[0])), "it has no meaning without its counterpart"))


class _Items(Struct):
    """Result of placing the item numbers of a line."""

    unfit: list[Unfit] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    reported: set[int] = field(default_factory=set)
    """Positions of pairs that are already reported as missing."""
    qualifiers: set[str] = field(default_factory=set)


_NO_ITEMS = _Items()
"""Of a segment that has no item numbers."""


def _filled(
    segment: Segment,
    shape: Shape,
    placed: dict[int, Fitted],
    lost: Sequence[Lost],
    unfit: tuple[Unfit, ...],
    items: _Items,
    *,
    variant: bool = False,
) -> BoundSegment | NoFit:
    if shape.unknown_required:
        other = f"the guide requires {shape.unknown_required[0]}, which is not an element of {segment.id}"
        return NoFit(variant, unfit, other=other)
    missing = list(items.missing)
    refused = {each.position for each in unfit}
    for slot in shape.required_slots:
        if slot.position in placed or slot.position in refused or slot.position in items.reported:
            continue
        filled = _constant(slot)
        if filled is None:
            qualifier = shape.slot(_QUALIFIED.get((segment.id, slot.position), 0))
            under = () if qualifier is None or qualifier.codes is None else qualifier.codes
            missing.append(Missing(slot.key, slot.position, slot.description, slot.codes, under))
        else:
            placed[slot.position] = filled
    if unfit or missing:
        missing.sort(key=lambda each: each.position)
        return NoFit(variant, unfit, tuple(missing), frozenset(items.qualifiers))
    json = {slot.key: placed[slot.position].json for slot in shape.slots if slot.position in placed}
    length = max(placed, default=0)
    elements = tuple([placed[p].value if p in placed else None for p in range(1, length + 1)])
    qualifier = shape.slot(1)
    codes = None if qualifier is None else qualifier.codes
    return BoundSegment(json, Segment(segment.id, elements), tuple(lost), 10_000 if codes is None else len(codes))


def _constant(slot: GuideSlot) -> Fitted | None:
    if slot.components:
        inner = {s.key: constant_json(s.constant) for s in slot.components if s.constant is not None}
        if any(s.required and s.key not in inner for s in slot.components) or not inner:
            return None
        parts = tuple(constant_element(inner[s.key]) for s in slot.components if s.key in inner)
        return Fitted(dict(inner), Composite(parts))
    if slot.constant is None:
        return None
    value = constant_json(slot.constant)
    return Fitted(value, constant_element(value))


def constants_alone(segment_id: str, shape: Shape) -> BoundSegment | NoFit:
    """Build a required segment from constants of the guide; NoFit with the values that it lacks."""
    return _filled(Segment(segment_id, ()), shape, {}, (), (), _NO_ITEMS)


def _place_items(segment: Segment, start: int, shape: Shape, placed: dict[int, Fitted], lost: list[Lost]) -> _Items:
    """Assign item numbers to qualifier pairs of the guide, whatever the position of a pair."""
    numbers = item_numbers(segment)
    pairs = shape.item_pairs(start)
    result = _Items()
    fits: list[dict[int, tuple[Fitted, Fitted]]] = []
    for qualifier, number in numbers:
        options: dict[int, tuple[Fitted, Fitted]] = {}
        problem: Unfit | None = None
        outcomes: list[tuple[Fitted, Fitted] | Misfit | None] = []
        for index, pair in enumerate(pairs):
            outcome = outcomes[pair.same_as] if pair.same_as < index else _fit_pair(qualifier, number, pair)
            outcomes.append(outcome)
            if isinstance(outcome, tuple):
                options[index] = outcome
            elif outcome is not None:
                shown = f"{qualifier} {number}"
                problem = Unfit(_position(segment, start, qualifier), shown, f"{segment.id} {shown}: {outcome.message}")
        if not options and problem is not None:
            result.unfit.append(problem)
        fits.append(options)
    wanted = frozenset(index for index, pair in enumerate(pairs) if pair.required)
    chosen = _assign(tuple(map(tuple, fits)), wanted)
    refused = {each.value for each in result.unfit}
    for index, (qualifier, number) in enumerate(numbers):
        place = chosen.get(index)
        if place is None:
            if f"{qualifier} {number}" not in refused:
                lost.append(Lost(start, f"{qualifier} {number}", "the guide has no pair for it"))
            continue
        pair = pairs[place]
        placed[pair.qualifier.position], placed[pair.number.position] = fits[index][place]
        result.qualifiers.add(qualifier)
    # A number that does not fit is reported as such, not also as a missing pair.
    if result.unfit:
        result.reported |= {slot.position for pair in pairs for slot in (pair.qualifier, pair.number)}
        return result
    for index in sorted(wanted - set(chosen.values())):
        _missing_pair(pairs[index].qualifier, pairs[index].number, result)
    if numbers and not chosen and not result.missing:
        codes = tuple(dict.fromkeys(code for pair in pairs for code in pair.qualifier.codes or ()))
        key, description = (pairs[0].qualifier.key, pairs[0].number.description) if pairs else ("", "")
        result.missing.append(Missing(key, start, description, None, codes))
    return result


def _fit_pair(qualifier: str, number: str, pair: ItemPair) -> tuple[Fitted, Fitted] | Misfit | None:
    """How both fit; a Misfit of the number; None if the pair is for another qualifier."""
    first = fit(qualifier, pair.qualifier)
    if isinstance(first, Misfit):
        return None
    second = fit(number, pair.number)
    return second if isinstance(second, Misfit) else (first, second)


def _missing_pair(qualifier: GuideSlot, number: GuideSlot, result: _Items) -> None:
    """Record a required pair without a number, unless constants of the guide fill it."""
    if number.constant is not None and (qualifier.constant is not None or not qualifier.required):
        return
    known = qualifier.constant is not None
    description = number.description or qualifier.description
    key = (number if known else qualifier).key
    result.missing.append(Missing(key, qualifier.position, description, None, qualifier.codes or ()))
    result.reported |= {qualifier.position, number.position}


def _position(segment: Segment, start: int, qualifier: str) -> int:
    """Position of the number with this qualifier in our segment."""
    return next(p for p in range(start, len(segment.elements), 2) if segment.text(p) == qualifier) + 1


def item_numbers(segment: Segment) -> tuple[tuple[str, str], ...]:
    """Item numbers of a line segment as (element 235 qualifier, number)."""
    start = ITEM_PAIRS_FROM.get(segment.id)
    if start is None:
        return ()
    pairs = ((segment.text(p), segment.text(p + 1)) for p in range(start, len(segment.elements), 2))
    return tuple((qualifier, number) for qualifier, number in pairs if qualifier and number)


@lru_cache(maxsize=1024)
def _assign(fits: tuple[tuple[int, ...], ...], wanted: frozenset[int]) -> Mapping[int, int]:
    """Maximum bipartite matching of items to pairs; required pairs first, then earlier items and pairs.

    `fits` has the pairs that take each item: the lines of an order have few different ones.
    """
    owner: dict[int, int] = {}

    def assign(item: int, tried: set[int]) -> bool:
        for pair in sorted(fits[item], key=lambda p: (p not in wanted, p)):
            if pair in tried:
                continue
            tried.add(pair)
            if pair not in owner or assign(owner[pair], tried):
                owner[pair] = item
                return True
        return False

    for item in range(len(fits)):
        assign(item, set())
    return {item: pair for pair, item in owner.items()}


def _shown(value: Value | None) -> str:
    if isinstance(value, Composite):
        return ":".join("" if part is None else str(part) for part in value.components)
    return "" if value is None else str(value)
