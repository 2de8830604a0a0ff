"""Flatten JSON Schema as used by guides: resolve references, merge allOf, expand oneOf and anyOf to alternatives.

What a flattened alternative cannot express (`not`, `if`, exactness of `oneOf`) is checked by `validate`, which
validates the finished document against the original schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

from msgspec import Struct

from plexstedi.edi.plain_values import is_digits

Schema: TypeAlias = "Mapping[str, Any] | bool"

_MOST_ALTERNATIVES = 64
_DEEPEST = 40
_NOT_FOLLOWED = ("$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties")


class GuideUnreadableError(ValueError):
    """The schema of a guide uses an unsupported feature; the message names it and its location."""


class SameSchema:
    """Cache key for a schema, by identity since a mapping is not hashable; keeps the schema alive."""

    __slots__ = ("schema",)

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameSchema) and other.schema is self.schema


class Flat(Struct, frozen=True):
    """One alternative of a schema, without references and combinations at its top level."""

    keywords: Mapping[str, Any]

    @property
    def types(self) -> frozenset[str]:
        """Allowed JSON types; empty: any."""
        stated = self.keywords.get("type")
        if isinstance(stated, str):
            return frozenset((stated,))
        return frozenset(stated) if isinstance(stated, Sequence) else frozenset()

    @property
    def properties(self) -> Mapping[str, Schema]:
        """Properties of an object, in the order of the schema."""
        found: Mapping[str, Schema] = self.keywords.get("properties", {})
        return found

    @property
    def required(self) -> frozenset[str]:
        """Required keys of an object."""
        return frozenset(self.keywords.get("required", ()))

    @property
    def codes(self) -> tuple[Any, ...] | None:
        """Values of an enum or const; None: any value."""
        if "const" in self.keywords:
            return (self.keywords["const"],)
        listed = self.keywords.get("enum")
        return tuple(listed) if isinstance(listed, Sequence) and not isinstance(listed, str) else None

    @property
    def is_array(self) -> bool:
        """Whether it allows a list."""
        return "array" in self.types or (not self.types and "items" in self.keywords)

    @property
    def is_object(self) -> bool:
        """Whether it allows an object."""
        return "object" in self.types or (not self.types and "properties" in self.keywords)

    def text(self, keyword: str) -> str:
        """Text of a keyword (`description`) with collapsed white space; '' if absent."""
        value = self.keywords.get(keyword)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def whole(self, keyword: str) -> int | None:
        """Integer value of a keyword (`maxItems`), None if absent."""
        value = self.keywords.get(keyword)
        return None if value is None or isinstance(value, bool) else int(value)


def resolve(reference: str, root: Schema) -> Schema:
    """Resolve a local `$ref`. Raise GuideUnreadableError for a remote or unresolvable one."""
    if not reference.startswith("#"):
        raise GuideUnreadableError(
            f"$ref {reference} points outside the file; save the schema with its references included"
        )
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, Sequence) and not isinstance(found, str) and is_digits(name) and int(name) < len(found):
            found = found[int(name)]
        else:
            raise GuideUnreadableError(f"$ref {reference} cannot be resolved")
    if isinstance(found, Mapping | bool):
        return found
    raise GuideUnreadableError(f"$ref {reference} is not a schema")


def alternatives(schema: Schema, root: Schema, depth: int = 0) -> tuple[Flat, ...]:
    """Alternatives of a schema; empty if it is unsatisfiable.

    Raise GuideUnreadableError for unresolvable or circular references, and for too many alternatives.
    """
    if depth > _DEEPEST:
        raise GuideUnreadableError("the references of the schema are circular")
    if isinstance(schema, bool):
        return (Flat({}),) if schema else ()
    unsupported = [keyword for keyword in _NOT_FOLLOWED if keyword in schema]
    if unsupported:
        raise GuideUnreadableError(f"{unsupported[0]} is not supported")
    own = {k: v for k, v in schema.items() if k not in ("$ref", "allOf", "anyOf", "oneOf")}
    factors: list[tuple[Flat, ...]] = [(Flat(own),)]
    if "$ref" in schema:
        factors.append(alternatives(resolve(str(schema["$ref"]), root), root, depth + 1))
    factors += [alternatives(part, root, depth + 1) for part in schema.get("allOf", ())]
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            factors.append(tuple(f for part in schema[keyword] for f in alternatives(part, root, depth + 1)))
    count = 1
    for factor in factors:
        count *= len(factor)
    if count > _MOST_ALTERNATIVES:
        raise GuideUnreadableError(f"{count} alternatives in one place are too many")
    merged: list[Flat] = []
    for combination in product(*factors):
        one = _merge(combination)
        if one is not None:
            merged.append(one)
    return tuple(merged)


def _merge(parts: Sequence[Flat]) -> Flat | None:
    """Conjunction of all parts; None if they contradict each other."""
    result: dict[str, Any] = {}
    for part in parts:
        for keyword, value in part.keywords.items():
            if keyword not in result:
                result[keyword] = value
                continue
            joined = _join(keyword, result[keyword], value)
            if joined is _CONTRADICTION:
                return None
            result[keyword] = joined
    if "const" in result and "enum" in result and result["const"] not in result["enum"]:
        return None
    return Flat(result)


_CONTRADICTION = object()


def _join(keyword: str, one: Any, other: Any) -> Any:
    match keyword:
        case "properties":
            return {
                name: {"allOf": [one[name], other[name]]}
                if name in one and name in other
                else one.get(name, other.get(name))
                for name in dict.fromkeys((*one, *other))
            }
        case "required":
            return tuple(dict.fromkeys((*one, *other)))
        case "enum":
            both = [value for value in one if value in other]
            return both or _CONTRADICTION
        case "const":
            return one if one == other else _CONTRADICTION
        case "type":
            return _join_types(one, other)
        case "minLength" | "minimum" | "exclusiveMinimum" | "minItems" | "minProperties":
            return max(one, other)
        case "maxLength" | "maximum" | "exclusiveMaximum" | "maxItems" | "maxProperties":
            return min(one, other)
        case "additionalProperties":
            return one if isinstance(one, bool) and not one else other
        case "items":
            return {"allOf": [one, other]}
        case _:
            return one


def _join_types(one: Any, other: Any) -> Any:
    first = (one,) if isinstance(one, str) else tuple(one)
    second = (other,) if isinstance(other, str) else tuple(other)
    both = [name for name in first if name in second or (name == "integer" and "number" in second)]
    both += ["integer"] if "number" in first and "integer" in second else []
    return tuple(dict.fromkeys(both)) or _CONTRADICTION
