"""Guides compiled into functions: whether a value is valid, in a third of the time of `validate.faults`.

Compiled once per schema. The common keywords are compiled; a schema with any other one is checked by `faults`, which
remains the definition: it finds the reasons for what is not valid here, and tests compare both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from plexstedi.edi.guide.schema import SameSchema, Schema, resolve
from plexstedi.edi.guide.validate import TYPES, has_type, is_date, is_number_within, is_same, is_text_within, is_valid

Check: TypeAlias = Callable[[Any], bool]

_NOT_COMPILED = frozenset(
    (
        *("additionalItems", "contains", "dependencies", "dependentRequired", "dependentSchemas", "if"),
        *("maxContains", "maxProperties", "minContains", "minProperties", "not", "patternProperties"),
        *("prefixItems", "propertyNames", "uniqueItems"),
    )
)
_OF_TEXT = frozenset(("minLength", "maxLength", "pattern", "format"))
_OF_NUMBERS = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_OF_OBJECTS = frozenset(("required", "properties", "additionalProperties"))
_OF_ARRAYS = frozenset(("items", "minItems", "maxItems"))
_BESIDES_TEXT = _OF_NUMBERS | _OF_OBJECTS | _OF_ARRAYS | {"$ref", "const", "allOf", "anyOf", "oneOf"}


def is_valid_document(value: Any, schema: Schema, root: Schema) -> bool:
    """Whether `faults` finds nothing in a value. Raise GuideUnreadableError for an unsupported schema."""
    return compiled(schema, root)(value)


def compiled(schema: Schema, root: Schema) -> Check:
    """`is_valid_document` for values of this schema."""
    if isinstance(schema, bool) or isinstance(root, bool):
        return lambda value: is_valid(value, schema, root)
    return _compiled(SameSchema(schema), SameSchema(root))


@lru_cache(maxsize=8192)
def _compiled(schema: SameSchema, root: SameSchema) -> Check:
    try:
        return _check(schema.schema, root.schema)
    except (AttributeError, TypeError, ValueError, RecursionError):
        # Malformed somewhere, perhaps where no document comes by: `faults` decides that when it gets there.
        return lambda value: is_valid(value, schema.schema, root.schema)


def _check(schema: Schema, root: Mapping[str, Any]) -> Check:
    if isinstance(schema, bool):
        return lambda _: schema
    if not _NOT_COMPILED.isdisjoint(schema) or not isinstance(schema.get("items", True), Mapping | bool):
        return lambda value: is_valid(value, schema, root)
    plain = _plain_text(schema)
    if plain is not None:
        return plain
    checks: list[Check] = []
    if "$ref" in schema:
        checks.append(_reference(str(schema["$ref"]), root))
    stated = schema.get("type")
    if stated == "object" and not _OF_OBJECTS.isdisjoint(schema):
        checks.append(_object(schema, root, otherwise=False))
    elif stated is not None:
        checks.append(_type((stated,) if isinstance(stated, str) else tuple(stated)))
    if "const" in schema:
        checks.append(_listed((schema["const"],)))
    if "enum" in schema:
        checks.append(_listed(tuple(schema["enum"])))
    if not _OF_TEXT.isdisjoint(schema):
        checks.append(_text(schema))
    if not _OF_NUMBERS.isdisjoint(schema):
        checks.append(lambda value: not isinstance(value, int | Decimal) or is_number_within(value, schema))
    if stated != "object" and not _OF_OBJECTS.isdisjoint(schema):
        checks.append(_object(schema, root, otherwise=True))
    if not _OF_ARRAYS.isdisjoint(schema):
        checks.append(_array(schema, root))
    checks += [
        _combination(keyword, [_check(part, root) for part in schema[keyword]])
        for keyword in ("allOf", "anyOf", "oneOf")
        if keyword in schema
    ]
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> bool:
        for each in checks:  # noqa: SIM110 -- a generator costs more than the check
            if not each(value):
                return False
        return True

    return check


def _plain_text(schema: Mapping[str, Any]) -> Check | None:
    """The check of a text as one function, since most values of a guide are texts; None for any other schema."""
    if schema.get("type") != "string" or not _BESIDES_TEXT.isdisjoint(schema) or "pattern" in schema:
        return None
    if "enum" in schema:
        texts = frozenset(item for item in schema["enum"] if type(item) is str)
        return (lambda value: type(value) is str and value in texts) if _OF_TEXT.isdisjoint(schema) else None
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if schema.get("format") == "date":
        return lambda value: isinstance(value, str) and least <= len(value) <= most and is_date(value)
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _reference(reference: str, root: Mapping[str, Any]) -> Check:
    """Resolved when it is used: a schema may contain itself, or a reference that no document needs."""

    def check(value: Any) -> bool:
        target = resolve(reference, root)
        return target if isinstance(target, bool) else _compiled(SameSchema(target), SameSchema(root))(value)

    return check


def _type(names: Sequence[str]) -> Check:
    if list(names) == ["number"]:
        return lambda value: isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    if any(name not in TYPES for name in names):
        return lambda value: has_type(value, names)
    kinds = tuple(kind for name in names for kind in TYPES[name])
    return lambda value: isinstance(value, kinds)


def _text(schema: Mapping[str, Any]) -> Check:
    if "pattern" in schema or "format" in schema:
        return lambda value: not isinstance(value, str) or is_text_within(value, schema)
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    return lambda value: not isinstance(value, str) or least <= len(value) <= most


def _listed(allowed: Sequence[Any]) -> Check:
    texts = frozenset(item for item in allowed if type(item) is str)

    def check(value: Any) -> bool:
        return value in texts if type(value) is str else any(is_same(value, item) for item in allowed)

    return check


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], *, otherwise: bool) -> Check:
    """`otherwise`: the result for any value but an object."""
    required = frozenset(schema.get("required", ()))
    checks = {name: _check(part, root) for name, part in schema.get("properties", {}).items()}
    others = _check(schema.get("additionalProperties", True), root)

    def check(value: Any) -> bool:
        # `dict` first: asking an abstract class costs more than what follows.
        if not isinstance(value, (dict, Mapping)):
            return otherwise
        if not value.keys() >= required:
            return False
        for name, item in value.items():  # noqa: SIM110 -- a generator costs more than the check
            if not checks.get(name, others)(item):
                return False
        return True

    return check


def _array(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    of_item = _check(schema.get("items", True), root)

    def check(value: Any) -> bool:
        if isinstance(value, str) or not isinstance(value, list | tuple | Sequence):
            return True
        if len(value) < least or (most is not None and len(value) > most):
            return False
        for item in value:  # noqa: SIM110 -- a generator costs more than the check
            if not of_item(item):
                return False
        return True

    return check


def _combination(keyword: str, checks: Sequence[Check]) -> Check:
    if keyword == "allOf":
        return lambda value: all(check(value) for check in checks)
    if keyword == "anyOf":
        return lambda value: any(check(value) for check in checks)
    return lambda value: sum(check(value) for check in checks) == 1
