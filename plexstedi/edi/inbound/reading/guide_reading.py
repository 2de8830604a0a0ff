"""Parse Guide JSON of any release and guide to the neutral tree, by the suffix of each key.

Key names differ by release and guide (`quantity_ordered_02`, `quantity_02`, `…_N1_loop_ship_to`); they have in
common the X12 identity: a segment id in capitals, `_loop`, and a two-digit element position. Only these are used. A key
without them may matter and is not skipped: the document is `UnreadableDocument`, and its raw X12 is read instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.plain_values import MOST_DIGITS, is_plain
from plexstedi.edi.watched import Watch, unwatched
from plexstedi.edi.x12.transaction import Composite, Loop, Node, Segment, Simple, Transaction, Value

_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_POSITION = re.compile(r"(?:.*_)?([0-9]{2})", re.DOTALL)
_SECTIONS = ("heading", "detail", "summary")
_ENVELOPE = ("ST", "SE")
_LARGEST = 10**MOST_DIGITS
_IGNORED = -1

_Object: TypeAlias = Mapping[str, object]


class UnreadableDocument(Struct, frozen=True):
    """Not Guide JSON of the set; `reason` names the key."""

    reason: str


class _NotGuideJson(Exception):
    pass


def read_guide_json(
    document: object, set_id: str, release: str, watch: Watch = unwatched
) -> Transaction | UnreadableDocument:
    """The transaction in a Guide JSON document, without ST and SE. Does not raise for any JSON value."""
    try:
        return _transaction(document, set_id, release, watch)
    except _NotGuideJson as error:
        return UnreadableDocument(str(error))
    except RecursionError:
        return UnreadableDocument("nested too deeply")


def _transaction(document: object, set_id: str, release: str, watch: Watch) -> Transaction:
    if not isinstance(document, Mapping):
        raise _NotGuideJson("the document is not a JSON object")
    if not any(name in document for name in _SECTIONS):
        raise _NotGuideJson("there is neither heading nor detail nor summary")
    sections: dict[str, tuple[Node, ...]] = {}
    for name in _SECTIONS:
        content = document.get(name)
        nodes = () if content is None else _nodes(_object(content, name), name, watch)
        for node in nodes:
            if isinstance(node, Segment) and node.id == "ST" and (node.text(1) or set_id) != set_id:
                raise _NotGuideJson(f"{name}: ST01 is {node.text(1)}, not {set_id}")
        sections[name] = tuple(n for n in nodes if not (isinstance(n, Segment) and n.id in _ENVELOPE))
    return Transaction(set_id, release, sections["heading"], sections["detail"], sections["summary"])


def _object(value: object, path: str) -> _Object:
    # `dict` first: asking an abstract class costs more than the rest.
    if not isinstance(value, (dict, Mapping)):
        raise _NotGuideJson(f"{path} is not a JSON object")
    return value


def _nodes(content: _Object, path: str, watch: Watch) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for key, value in content.items():
        if value is None or key.startswith("_"):
            continue
        where = f"{path}.{key}"
        identity = _identity(key)
        if identity is None:
            raise _NotGuideJson(f"{where} is not an X12 segment")
        segment_id, is_loop = identity
        for entry in value if isinstance(value, (list, tuple)) else (value,):
            watch()
            if entry is None:
                continue
            inner = _object(entry, where)
            if is_loop:
                nodes.append(_loop(segment_id, inner, where, watch))
            else:
                nodes.append(Segment(segment_id, _positions(inner, where, composites=True)))
    return tuple(nodes)


@lru_cache(maxsize=4096)
def _identity(key: str) -> tuple[str, bool] | None:
    """Segment id in a key, and whether the key is a loop. Guide names before the id are in lower case."""
    words = key.split("_")
    for index, word in enumerate(words):
        if _SEGMENT_ID.fullmatch(word):
            return word, words[index + 1 : index + 2] == ["loop"]
    return None


@lru_cache(maxsize=4096)
def _position(key: str) -> int:
    """Position of the element that a key names; 0 if it names none, `_IGNORED` for a key of Stedi's own."""
    if key.startswith("_"):
        return _IGNORED
    found = _POSITION.fullmatch(key)
    return 0 if found is None else int(found[1])


def _loop(segment_id: str, content: _Object, path: str, watch: Watch) -> Loop:
    """The loop with its opening segment first; if it is missing, an empty one, so that the reader reports it."""
    nodes = _nodes(content, path, watch)
    if nodes and isinstance(nodes[0], Segment) and nodes[0].id == segment_id:
        return Loop(segment_id, nodes)
    head = next((n for n in nodes if isinstance(n, Segment) and n.id == segment_id), None)
    rest = tuple(n for n in nodes if n is not head)
    return Loop(segment_id, (head if head is not None else Segment(segment_id, ()), *rest))


def _positions(content: _Object, path: str, *, composites: bool) -> tuple[Value | None, ...]:
    found: list[Value | None] = []
    for key, value in content.items():
        position = _position(key)
        if value is None or (not value and value == "") or position == _IGNORED:
            continue
        if position == 0:
            raise _NotGuideJson(f"{path}.{key} is not an X12 element")
        missing = position - len(found)
        if missing <= 0 and found[position - 1] is not None:
            raise _NotGuideJson(f"{path}.{key}: two keys for the same element")
        read: Value
        if isinstance(value, str):
            read = value
        elif type(value) is int and -_LARGEST < value < _LARGEST:
            read = Decimal(value)
        elif type(value) is Decimal and is_plain(value):
            read = value
        elif isinstance(value, (dict, Mapping)):
            where = f"{path}.{key}"
            read = _composite(value, where)
            if not composites:
                raise _NotGuideJson(f"{where}: a composite within a composite")
        else:
            read = _simple(value, f"{path}.{key}")
        # Keys are nearly always in the order of the elements.
        if missing == 1:
            found.append(read)
        elif missing > 1:
            found += [*[None] * (missing - 1), read]
        else:
            found[position - 1] = read
    return tuple(found)


def _composite(value: object, where: str) -> Composite:
    parts = _positions(_object(value, where), where, composites=False)
    return Composite(tuple(None if isinstance(part, Composite) else part for part in parts))


def _simple(value: object, where: str) -> Value:
    """A scalar; a repeated element becomes a composite of its repetitions."""
    if isinstance(value, bool):
        raise _NotGuideJson(f"{where} is {value}, X12 has no such value")
    if isinstance(value, (int, float, Decimal)):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        # A number out of bounds stays text, so that the reader of the element reports it.
        return number if is_plain(number) else f"{number:.20E}"
    if isinstance(value, (str, date, time)):
        return value
    if isinstance(value, (list, tuple)):
        return Composite(tuple(_repetition(item, where) for item in value))
    raise _NotGuideJson(f"{where} is {type(value).__name__}, not a value")


def _repetition(value: object, where: str) -> Simple | None:
    if value is None:
        return None
    read = _simple(value, where)
    if isinstance(read, Composite):
        raise _NotGuideJson(f"{where}: a repeated composite")
    return read
