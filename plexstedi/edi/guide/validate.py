"""Validate a finished document against the JSON Schema of its guide (drafts 07 and 2020-12), before sending.

Numbers are compared exactly: documents have Decimals, schemas may have floats from JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct

from plexstedi.edi.guide.schema import GuideUnreadableError, Schema, resolve


class GuideFault(Struct, frozen=True):
    """One violation: path of keys and indexes, and the requirement of the guide."""

    path: str
    message: str


def faults(value: Any, schema: Schema, root: Schema | None = None, path: str = "") -> Iterator[GuideFault]:
    """All violations of a value, lazily. Raise GuideUnreadableError for an unsupported schema."""
    top = schema if root is None else root
    if isinstance(schema, bool):
        if not schema:
            yield GuideFault(path, "nothing is allowed here")
        return
    if "$ref" in schema:
        yield from faults(value, resolve(str(schema["$ref"]), top), top, path)
    yield from _of_any_type(value, schema, path)
    if isinstance(value, str):
        yield from _of_text(value, schema, path)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield from _of_number(Decimal(value), schema, path)
    elif isinstance(value, Mapping):
        yield from _of_object(value, schema, top, path)
    elif isinstance(value, Sequence):
        yield from _of_array(value, schema, top, path)
    yield from _of_combinations(value, schema, top, path)


def is_valid(value: Any, schema: Schema, root: Schema) -> bool:
    """Whether a value has no violation."""
    return next(faults(value, schema, root), None) is None


WRONG_TYPE = "must be written as"
"""Prefix of the message of a type violation; violations of a value have other messages."""
_TYPE_WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "object": "an object",
    "array": "a list",
    "boolean": "true or false",
    "null": "empty",
}
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (dict, Mapping),
    "array": (list, tuple),
    "boolean": (bool,),
    "null": (type(None),),
}
"""Python's types of a JSON type, which for numbers are not enough: there are none of them here."""


def _is_type(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            return False
        return name == "number" or value == int(value)
    return isinstance(value, TYPES.get(name, ()))


def has_type(value: Any, names: Sequence[str]) -> bool:
    """Whether a value has one of these JSON types."""
    for name in names:  # noqa: SIM110 -- a generator costs more than the check
        if _is_type(value, name):
            return True
    return False


def is_text_within(value: str, schema: Mapping[str, Any]) -> bool:
    """Whether a text has the lengths, pattern and format of a schema."""
    return next(_of_text(value, schema, ""), None) is None


def is_number_within(value: int | Decimal, schema: Mapping[str, Any]) -> bool:
    """Whether a number has the bounds of a schema; a boolean is none."""
    return isinstance(value, bool) or next(_of_number(Decimal(value), schema, ""), None) is None


def _of_any_type(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[GuideFault]:
    stated = schema.get("type")
    if stated is not None:
        names = (stated,) if isinstance(stated, str) else tuple(stated)
        if not has_type(value, names):
            yield GuideFault(path, _wrong_type(value, names))
    if "const" in schema and not is_same(value, schema["const"]):
        yield GuideFault(path, f"must be {schema['const']!r}, not {value!r}")
    if "enum" in schema and not any(is_same(value, item) for item in schema["enum"]):
        yield GuideFault(path, f"must be one of {', '.join(map(str, schema['enum']))}, not {value!r}")


def _wrong_type(value: Any, names: Sequence[str]) -> str:
    if "integer" in names and _is_type(value, "number"):
        return "is a fraction: whole numbers only"
    return f"{WRONG_TYPE} {' or '.join(_TYPE_WORDS.get(name, name) for name in names)}"


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON: true is not 1; numbers are compared exactly."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | float | Decimal):
        return Decimal(one) == _exact(other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    return type(one) is type(other) and bool(one == other)


def _has_repeated(items: Sequence[Any]) -> bool:
    return any(is_same(item, earlier) for index, item in enumerate(items) for earlier in items[:index])


def _exact(number: Any) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    # JSON Schema patterns are ECMA expressions: `$` only matches at the end of the text, `\d` is ASCII.
    try:
        return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", text), re.ASCII)
    except re.error as error:
        raise GuideUnreadableError(f"the pattern {text!r} cannot be read: {error}") from error


def _of_text(value: str, schema: Mapping[str, Any], path: str) -> Iterator[GuideFault]:
    if len(value) < schema.get("minLength", 0):
        yield GuideFault(path, f"must have at least {schema['minLength']} characters, {value!r} has {len(value)}")
    if len(value) > schema.get("maxLength", len(value)):
        yield GuideFault(path, f"must have at most {schema['maxLength']} characters, {value!r} has {len(value)}")
    if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield GuideFault(path, f"{value!r} must match {schema['pattern']}")
    if schema.get("format") == "date" and not is_date(value):
        yield GuideFault(path, f"{value!r} is not a date (YYYY-MM-DD)")


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def is_date(value: str) -> bool:
    """Whether a text is a day of the calendar in the form YYYY-MM-DD."""
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _of_number(value: Decimal, schema: Mapping[str, Any], path: str) -> Iterator[GuideFault]:
    if "minimum" in schema and value < _exact(schema["minimum"]):
        yield GuideFault(path, f"must be at least {schema['minimum']}, not {value}")
    if "maximum" in schema and value > _exact(schema["maximum"]):
        yield GuideFault(path, f"must be at most {schema['maximum']}, not {value}")
    if "exclusiveMinimum" in schema and value <= _exact(schema["exclusiveMinimum"]):
        yield GuideFault(path, f"must be more than {schema['exclusiveMinimum']}, not {value}")
    if "exclusiveMaximum" in schema and value >= _exact(schema["exclusiveMaximum"]):
        yield GuideFault(path, f"must be less than {schema['exclusiveMaximum']}, not {value}")
    if "multipleOf" in schema:
        top, bottom = value.as_integer_ratio(), _exact(schema["multipleOf"]).as_integer_ratio()
        if (top[0] * bottom[1]) % (top[1] * bottom[0]):
            yield GuideFault(path, f"{_multiple(_exact(schema['multipleOf']))}, not {value}")


def _multiple(of: Decimal) -> str:
    if of == 1:
        return "must be a whole number"
    decimals = -of.normalize().adjusted()
    if decimals > 0 and of == Decimal(1).scaleb(-decimals):
        return f"must have at most {decimals} decimals"
    return f"must be a multiple of {of}"


def _of_object(value: Mapping[str, Any], schema: Mapping[str, Any], root: Schema, path: str) -> Iterator[GuideFault]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    patterns: Mapping[str, Schema] = schema.get("patternProperties", {})
    others: Schema = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield GuideFault(_at(path, name), "is required")
    for name, item in value.items():
        matched = [s for expression, s in patterns.items() if _pattern(expression).search(name)]
        if name in properties:
            matched.append(properties[name])
        if not matched and others is not True:
            if others is False:
                yield GuideFault(_at(path, name), "is not known to the guide")
            else:
                matched.append(others)
        for subschema in matched:
            yield from faults(item, subschema, root, _at(path, name))
    if "propertyNames" in schema:
        for name in value:
            yield from faults(name, schema["propertyNames"], root, _at(path, name))
    yield from _counted(len(value), schema, "Properties", path)
    for name, needed in _dependencies(schema):
        if name not in value:
            continue
        if isinstance(needed, Sequence) and not isinstance(needed, str):
            for other in needed:
                if other not in value:
                    yield GuideFault(_at(path, str(other)), f"is required with {name}")
        else:
            yield from faults(value, needed, root, path)


def _dependencies(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for keyword in ("dependencies", "dependentRequired", "dependentSchemas"):
        yield from schema.get(keyword, {}).items()


def _of_array(value: Sequence[Any], schema: Mapping[str, Any], root: Schema, path: str) -> Iterator[GuideFault]:
    yield from _counted(len(value), schema, "Items", path)
    items = schema.get("items", True)
    first: Sequence[Schema] = schema.get("prefixItems", ())
    rest: Schema = items if isinstance(items, Mapping | bool) else schema.get("additionalItems", True)
    if not isinstance(items, Mapping | bool):
        first = items
    for index, item in enumerate(value):
        yield from faults(item, first[index] if index < len(first) else rest, root, f"{path}[{index}]")
    if schema.get("uniqueItems") and _has_repeated(value):
        yield GuideFault(path, "must not repeat an entry")
    if "contains" in schema:
        matching = sum(is_valid(item, schema["contains"], root) for item in value)
        if not schema.get("minContains", 1) <= matching <= schema.get("maxContains", matching):
            yield GuideFault(path, "does not have the required number of entries")


def _counted(count: int, schema: Mapping[str, Any], what: str, path: str) -> Iterator[GuideFault]:
    low, high = schema.get(f"min{what}", 0), schema.get(f"max{what}", count)
    if count < low:
        yield GuideFault(path, f"must have at least {low} entries, has {count}")
    if count > high:
        yield GuideFault(path, f"must have at most {high} entries, has {count}")


def _of_combinations(value: Any, schema: Mapping[str, Any], root: Schema, path: str) -> Iterator[GuideFault]:
    for part in schema.get("allOf", ()):
        yield from faults(value, part, root, path)
    if "anyOf" in schema and not any(is_valid(value, part, root) for part in schema["anyOf"]):
        yield from _nearest(value, schema["anyOf"], root, path)
    if "oneOf" in schema:
        fitting = sum(is_valid(value, part, root) for part in schema["oneOf"])
        if fitting == 0:
            yield from _nearest(value, schema["oneOf"], root, path)
        elif fitting > 1:
            yield GuideFault(path, f"fits {fitting} of the guide's alternatives instead of one")
    if "not" in schema and is_valid(value, schema["not"], root):
        yield GuideFault(path, "is excluded by the guide")
    if "if" in schema:
        branch = "then" if is_valid(value, schema["if"], root) else "else"
        if branch in schema:
            yield from faults(value, schema[branch], root, path)


def _nearest(value: Any, parts: Sequence[Schema], root: Schema, path: str) -> Iterator[GuideFault]:
    found = [tuple(faults(value, part, root, path)) for part in parts]
    yield from min(found, key=len, default=(GuideFault(path, "fits no alternative"),))


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
