"""Model of a guide: its schema parsed once, by X12 identity instead of key names.

A key identifies a segment by its upper-case id, an element by `_NN`, a loop by `_loop` (stedi/README.md 8); the rest of
it is the guide's name of a variant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from msgspec import Struct

from plexstedi.edi.guide.capacity import BaseCapacity, Capacity, Placement
from plexstedi.edi.guide.compiled import Check, compiled
from plexstedi.edi.guide.schema import Flat, GuideUnreadableError, SameSchema, Schema, alternatives
from plexstedi.edi.partner import Partner
from plexstedi.edi.x12.sets import SECTIONS, Section

SEGMENT_KEY = re.compile(r"(?:^|_)([A-Z][A-Z0-9]{1,2})(_loop)?(?:_[a-z0-9_]*)?$")
ELEMENT_KEY = re.compile(r"_([0-9]{2})$")


class GuideSlot(Struct, frozen=True, dict=True):
    """Slot of an element in a segment, or of a component in a composite."""

    key: str
    position: int
    required: bool
    schema: Schema
    root: Schema
    """The guide's schema, to which references point."""
    forms: tuple[Flat, ...]
    """Schema alternatives of its value."""
    components: tuple[GuideSlot, ...]
    """Slots of a composite; empty for a simple element."""
    description: str
    codes: tuple[str, ...] | None
    """Allowed texts, if the guide lists them; None: any."""
    width: int
    """Minimum length, 0 if none: numbers are padded to it."""
    array: bool
    """Whether the value is in a list."""

    @cached_property
    def accepts(self) -> Check:
        """Whether a JSON value is valid here."""
        return compiled(self.schema, self.root)

    @cached_property
    def constant(self) -> Any:
        """The only allowed value, or the default; None if there is neither."""
        values = [code for form in self.forms for code in form.codes or (None,)]
        if len(values) == 1 and values[0] is not None:
            return values[0]
        defaults = [form.keywords.get("default") for form in self.forms]
        return next((default for default in defaults if default is not None), None)


class Shape(Struct, frozen=True, dict=True):
    """Structure of a child: slots of a segment, or children of a loop (including its opening segment)."""

    slots: tuple[GuideSlot, ...] = ()
    children: tuple[Child, ...] = ()
    unknown_required: tuple[str, ...] = ()
    """Required keys that are not an element, segment or loop."""
    description: str = ""

    def slot(self, position: int) -> GuideSlot | None:
        """Slot of an element position, None if absent."""
        return self._by_position.get(position)

    def children_of(self, segment_id: str) -> tuple[tuple[int, Child], ...]:
        """Children for this segment or loop, with their place in the schema."""
        return self._by_id.get(segment_id, ())

    def item_pairs(self, start: int) -> tuple[ItemPair, ...]:
        """Pairs of slots for the item numbers of a line, from this position on."""
        known = self._item_pairs.get(start)
        if known is None:
            known = self._item_pairs[start] = _item_pairs(self, start)
        return known

    @cached_property
    def required_slots(self) -> tuple[GuideSlot, ...]:
        """Slots that must be filled."""
        return tuple(slot for slot in self.slots if slot.required)

    @cached_property
    def demands(self) -> bool:
        """Whether something must be in it, so that it cannot be left empty."""
        return bool(self.unknown_required) or any(child.required for child in self.children)

    def opened_by(self, loop_id: str) -> tuple[Child | None, Shape]:
        """For a loop: its opening segment, and the shape of what follows it."""
        known = self._opened.get(loop_id)
        if known is None:
            opening = next((child for child in self.children if not child.loop and child.id == loop_id), None)
            rest = Shape(
                children=tuple(child for child in self.children if child is not opening),
                unknown_required=self.unknown_required,
            )
            known = self._opened[loop_id] = opening, rest
        return known

    @cached_property
    def _opened(self) -> dict[str, tuple[Child | None, Shape]]:
        return {}

    @cached_property
    def _by_id(self) -> Mapping[str, tuple[tuple[int, Child], ...]]:
        found: dict[str, list[tuple[int, Child]]] = {}
        for order, child in enumerate(self.children):
            found.setdefault(child.id, []).append((order, child))
        return {segment_id: tuple(children) for segment_id, children in found.items()}

    @cached_property
    def _item_pairs(self) -> dict[int, tuple[ItemPair, ...]]:
        return {}

    @cached_property
    def _by_position(self) -> Mapping[int, GuideSlot]:
        # The first slot of a position counts.
        return {slot.position: slot for slot in reversed(self.slots)}


class ItemPair(Struct, frozen=True):
    """Slots of a qualifier and its item number."""

    qualifier: GuideSlot
    number: GuideSlot
    same_as: int
    """Index of the first pair with equal schemas: what fits there fits here."""

    @property
    def required(self) -> bool:
        """Whether one of them must be filled."""
        return self.qualifier.required or self.number.required


def _item_pairs(shape: Shape, start: int) -> tuple[ItemPair, ...]:
    slots = [(shape.slot(position), shape.slot(position + 1)) for position in range(start, start + 20, 2)]
    pairs = [(qualifier, number) for qualifier, number in slots if qualifier is not None and number is not None]
    schemas = [(qualifier.schema, number.schema) for qualifier, number in pairs]
    return tuple(ItemPair(*pair, schemas.index(schema)) for pair, schema in zip(pairs, schemas, strict=True))


class Child(Struct, frozen=True):
    """A key of the guide for a segment or a loop."""

    key: str
    id: str
    loop: bool
    required: bool
    array: bool
    least: int
    most: int | None
    shapes: tuple[Shape, ...]
    description: str

    def heads(self) -> tuple[Shape, ...]:
        """Shapes of the segment; for a loop those of its opening segment."""
        if not self.loop:
            return self.shapes
        return tuple(
            head
            for shape in self.shapes
            for child in shape.children
            if not child.loop and child.id == self.id
            for head in child.shapes
        )


@dataclass(frozen=True, slots=True)
class Guide:
    """A parsed guide: shape of each section, and the schema for validation."""

    schema: Schema
    sections: Mapping[Section, Shape]
    required: frozenset[str]
    _placements: dict[tuple[Section, tuple[str, ...], str], tuple[Placement, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def by_guide(self) -> bool:
        """Always True: this capacity is that of a guide."""
        return True

    def placements(self, section: Section, path: tuple[str, ...], segment_id: str) -> tuple[Placement, ...]:
        """Placements of a segment inside the loops of `path` (see `Capacity`)."""
        known = self._placements.get((section, path, segment_id))
        if known is None:
            known = self._placements[section, path, segment_id] = self._find_placements(section, path, segment_id)
        return known

    def _find_placements(self, section: Section, path: tuple[str, ...], segment_id: str) -> tuple[Placement, ...]:
        shapes: tuple[Shape, ...] = (self.sections[section],) if section in self.sections else ()
        optional = not path and section not in self.required
        for loop_id in path:
            shapes = tuple(
                inner
                for shape in shapes
                for child in shape.children
                if child.loop and child.id == loop_id
                for inner in child.shapes
            )
        return tuple(
            _place(child, head, must=child.required and not optional)
            for shape in shapes
            for child in shape.children
            if child.id == segment_id and not _opens(child, path)
            for head in child.heads()
        )


def _opens(child: Child, path: tuple[str, ...]) -> bool:
    """Whether this child is the opening segment of the current loop, and so not a separate placement."""
    return bool(path) and not child.loop and child.id == path[-1]


def _place(child: Child, head: Shape, *, must: bool) -> Placement:
    lengths: dict[int, int] = {}
    for slot in head.slots:
        known = [form.whole("maxLength") for form in slot.forms]
        longest = [length for length in known if length is not None]
        if longest and len(longest) == len(known):
            lengths[slot.position] = max(longest)
    return Placement(
        codes={slot.position: slot.codes for slot in head.slots if slot.codes is not None},
        positions=frozenset(slot.position for slot in head.slots),
        required=frozenset(slot.position for slot in head.slots if slot.required),
        max_lengths=lengths,
        repeats=child.most if child.array else 1,
        must=must,
    )


def read_guide(schema: Mapping[str, Any]) -> Guide:
    """Parse the guide of a JSON Schema, once per schema object.

    Raise GuideUnreadableError for a schema that is not a guide or uses unsupported features.
    """
    return _read(SameSchema(schema))


@lru_cache(maxsize=512)
def _read(same: SameSchema) -> Guide:
    try:
        return _understood(same.schema)
    except RecursionError as error:
        raise GuideUnreadableError("the schema contains itself") from error
    except GuideUnreadableError:
        raise
    except (AttributeError, TypeError, KeyError, ValueError, ArithmeticError) as error:
        raise GuideUnreadableError(f"the schema is malformed: {error}") from error


def _understood(schema: Mapping[str, Any]) -> Guide:
    tops = alternatives(schema, schema)
    if len(tops) != 1 or not set(tops[0].properties) & set(SECTIONS):
        raise GuideUnreadableError(
            "the schema has no heading, detail or summary: it is not a guide of a transaction set"
        )
    top = tops[0]
    sections: dict[Section, Shape] = {}
    for section in SECTIONS:
        if section in top.properties:
            shapes = _shapes(top.properties[section], schema)
            if len(shapes) != 1:
                raise GuideUnreadableError(f"{section} has {len(shapes)} alternatives")
            sections[section] = shapes[0]
    return Guide(schema, sections, top.required)


def _shapes(schema: Schema, root: Schema) -> tuple[Shape, ...]:
    return tuple(_shape(flat, root) for flat in alternatives(schema, root))


def _shape(flat: Flat, root: Schema) -> Shape:
    slots: list[GuideSlot] = []
    children: list[Child] = []
    unknown: list[str] = []
    for key, schema in flat.properties.items():
        required = key in flat.required
        segment_key, element_key = SEGMENT_KEY.search(key), ELEMENT_KEY.search(key)
        if element_key:
            slots.append(_slot(key, int(element_key.group(1)), required, schema, root))
        elif segment_key:
            child = _child(key, segment_key.group(1), segment_key.group(2) is not None, required, schema, root)
            if child is not None:
                children.append(child)
            elif required:
                unknown.append(key)
        elif required:
            unknown.append(key)
    missing = [key for key in flat.required if key not in flat.properties]
    return Shape(tuple(slots), tuple(children), (*unknown, *missing), flat.text("description"))


def _slot(key: str, position: int, required: bool, schema: Schema, root: Schema) -> GuideSlot:
    forms = alternatives(schema, root)
    components: tuple[GuideSlot, ...] = ()
    described = next((form.text("description") for form in forms if form.text("description")), "")
    for form in forms:
        inner = form
        if form.is_array:
            listed = alternatives(form.keywords.get("items", True), root)
            inner = listed[0] if listed else form
        if inner.is_object:
            components = _shape(inner, root).slots
            break
    allowed = [form.codes for form in forms]
    codes: tuple[str, ...] | None = None
    if allowed and all(found is not None for found in allowed):
        codes = tuple(dict.fromkeys(str(code) for found in allowed for code in found or ()))
    return GuideSlot(
        key=key,
        position=position,
        required=required,
        schema=schema,
        root=root,
        forms=forms,
        components=components,
        description=described,
        codes=codes,
        width=max((form.whole("minLength") or 0 for form in forms), default=0),
        array=bool(forms) and all(form.is_array for form in forms),
    )


def _child(key: str, segment_id: str, loop: bool, required: bool, schema: Schema, root: Schema) -> Child | None:
    forms = alternatives(schema, root)
    lists = [form for form in forms if form.is_array]
    if not forms:
        return None
    if not lists:
        shapes = tuple(_shape(form, root) for form in forms)
        return Child(key, segment_id, loop, required, False, 1, 1, shapes, _described(forms, shapes))
    shapes = tuple(s for form in lists for s in _shapes(form.keywords.get("items", True), root))
    least = max(form.whole("minItems") or 0 for form in lists)
    tops = [form.whole("maxItems") for form in lists]
    bounded = [top for top in tops if top is not None]
    most = max(bounded) if len(bounded) == len(tops) else None
    return Child(key, segment_id, loop, required, True, least, most, shapes, _described(forms, shapes))


def _described(forms: tuple[Flat, ...], shapes: tuple[Shape, ...]) -> str:
    own = next((form.text("description") for form in forms if form.text("description")), "")
    return own or next((shape.description for shape in shapes if shape.description), "")


def capacity_for(partner: Partner, set_id: str) -> Capacity:
    """Capacity of the partner's documents of this set. Raise GuideUnreadableError if its schema is not a guide."""
    schema = partner.guides.get(set_id)
    return BaseCapacity(set_id, partner.settings.release) if schema is None else read_guide(schema)
