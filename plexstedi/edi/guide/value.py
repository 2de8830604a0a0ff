"""Fit one value to one slot of a guide: in the type, width and code list of the guide, without changing its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

from msgspec import Struct

from plexstedi.edi.guide.base_names import GuideJson, json_number, simple_json
from plexstedi.edi.guide.model import GuideSlot
from plexstedi.edi.guide.validate import WRONG_TYPE, faults
from plexstedi.edi.units import plain
from plexstedi.edi.x12.transaction import Composite, Simple, Value

_WIDEST = 18
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,14}")


class Fitted(Struct, frozen=True):
    """The value as accepted: in JSON, and as the X12 element sent."""

    json: GuideJson
    value: Value


class Misfit(Struct, frozen=True):
    """The value is not accepted: `code` if the guide lists other codes, else because of its format."""

    code: bool
    message: str
    codes: tuple[str, ...] = ()
    """Accepted codes, if listed."""
    no_place: bool = False
    """The guide has no slot for it."""


def fit(value: Value, slot: GuideSlot) -> Fitted | Misfit:
    """Fit the value to the slot type. Only the notation changes: leading zeros, trailing decimals, date separators."""
    if isinstance(value, str) and not slot.components and not slot.array and slot.accepts(value):
        # Most values are texts that fit as they are.
        return Fitted(value, value)
    if isinstance(value, Composite):
        return _fit_composite(value, slot)
    if slot.components:
        return _fit_composite(Composite((value,)), slot)
    natural = _natural(value)
    if not slot.array and slot.accepts(natural):
        return Fitted(natural, _element(value, natural))
    for notation in _notations(value, slot.width):
        candidate: GuideJson = [notation] if slot.array else notation
        if slot.accepts(candidate):
            return Fitted(candidate, _element(value, notation))
    codes = slot.codes
    if codes is not None and not isinstance(value, (Decimal, date, time)):
        return Misfit(True, f"{simple_json(value)} is not accepted: {', '.join(codes)}", codes)
    return Misfit(False, _in_words(value, slot))


def _in_words(value: Simple, slot: GuideSlot) -> str:
    """Violations of the notation that comes closest to the requirement of the guide."""
    found = [
        tuple(dict.fromkeys(fault.message for fault in faults([n] if slot.array else n, slot.schema, slot.root)))
        for n in _notations(value, slot.width)
    ]
    typed = [messages for messages in found if not any(m.startswith(WRONG_TYPE) for m in messages)]
    nearest = min(typed or found, key=len, default=())
    return " and ".join(f"it {message}" for message in nearest) or "no representation of it fits"


def _fit_composite(value: Composite, slot: GuideSlot) -> Fitted | Misfit:
    inner: dict[str, GuideJson] = {}
    parts: list[Simple | None] = [None] * len(value.components)
    for position, component in enumerate(value.components, start=1):
        if component is None:
            continue
        inner_slot = next((s for s in slot.components if s.position == position), None)
        if inner_slot is None:
            if not slot.components and position == 1 and len(value.components) == 1:
                return _fit_alone(component, slot)
            return Misfit(False, f"the guide has no place for component {position:02d}")
        fitted = fit(component, inner_slot)
        if isinstance(fitted, Misfit):
            return fitted
        inner[inner_slot.key] = fitted.json
        parts[position - 1] = fitted.value if not isinstance(fitted.value, Composite) else None
    for inner_slot in slot.components:
        if inner_slot.required and inner_slot.key not in inner:
            if inner_slot.constant is None:
                return Misfit(False, f"the guide requires component {inner_slot.position:02d}, {inner_slot.key}")
            inner[inner_slot.key] = constant_json(inner_slot.constant)
    ordered: GuideJson = {s.key: inner[s.key] for s in slot.components if s.key in inner}
    return Fitted([ordered] if slot.array else ordered, Composite(tuple(parts)))


def _fit_alone(component: Simple, slot: GuideSlot) -> Fitted | Misfit:
    """Fit a composite of one component to a simple element of the guide."""
    return fit(component, slot)


def _natural(value: Simple) -> int | Decimal | str:
    """The most natural notation of a value, in which most values fit."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return json_number(value)
    return value.isoformat() if isinstance(value, date) else f"{value:%H:%M}"


def _notations(value: Simple, width: int) -> Iterator[int | Decimal | str]:
    """All notations of the same value, most natural first."""
    yield _natural(value)
    if isinstance(value, str):
        if _WHOLE.fullmatch(value):
            yield int(value)
    elif isinstance(value, Decimal):
        yield from _number_texts(plain(value), width)
    elif isinstance(value, date):
        yield f"{value:%Y%m%d}"
        yield f"{value:%y%m%d}"
    else:
        yield from (f"{value:%H:%M:%S}", f"{value:%H%M}", f"{value:%H%M%S}")


def _number_texts(number: Decimal, width: int) -> Iterator[str]:
    shortest = f"{number:f}"
    yield shortest
    widths = [width] if width else range(2, _WIDEST + 1)
    _, _, decimals = shortest.partition(".")
    for more in range(7):
        places = len(decimals) + more
        text = shortest if more == 0 else f"{shortest}{'' if decimals else '.'}{'0' * more}"
        if places > 6 and more:
            return
        yield text
        for wide in widths:
            padded = text.zfill(wide)
            if padded != text:
                yield padded


def _element(value: Simple, notation: int | Decimal | str) -> Simple:
    """The X12 element as sent: as text if the guide has its own notation of a number."""
    if isinstance(value, Decimal) and isinstance(notation, str):
        return notation
    return value


def constant_json(value: Any) -> GuideJson:
    """A constant of the schema as our JSON: a JSON float becomes the Decimal as written."""
    if isinstance(value, float):
        return json_number(Decimal(repr(value)))
    if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
        return value
    return str(value)


def constant_element(value: GuideJson) -> Simple:
    """A constant as an X12 element."""
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return str(value)
