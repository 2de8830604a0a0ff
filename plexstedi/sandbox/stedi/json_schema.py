"""The subset of JSON Schema that Stedi's guides use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from plexstedi.decimal_json import Json
from plexstedi.sandbox.stedi.guide_check import GuideError

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}


def check_schema(value: Json, schema: Json) -> list[GuideError]:
    """All violations of `schema` in `value`. Unknown keywords are ignored, as JSON Schema requires."""
    return list(_check(value, schema, schema, ()))


def _check(value: Json, schema: Json, root: Json, path: tuple[str, ...]) -> Iterator[GuideError]:
    if isinstance(schema, bool):
        if not schema:
            yield GuideError("not_allowed", path, "nothing is allowed here")
        return
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _check(value, _resolve(reference, root), root, path)
    yield from _check_combined(value, schema, root, path)
    if not _type_fits(value, schema.get("type")):
        yield GuideError("invalid_type", path, f"expected {schema['type']}, got {type(value).__name__}")
        return
    options = schema.get("enum")
    if isinstance(options, Sequence) and not isinstance(options, str) and value not in options:
        yield GuideError("invalid_enum_value", path, f"{value!r} is not one of {', '.join(map(str, options))}")
    if "const" in schema and value != schema["const"]:
        yield GuideError("invalid_value", path, f"must be {schema['const']!r}")
    if isinstance(value, str):
        yield from _check_text(value, schema, path)
    elif isinstance(value, Mapping):
        yield from _check_object(value, schema, root, path)
    elif isinstance(value, list | tuple):
        yield from _check_array(value, schema, root, path)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield from _check_number(Decimal(value), schema, path)


def _resolve(reference: str, root: Json) -> Json:
    node: Json = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if not part:
            continue
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node


def _check_combined(value: Json, schema: Mapping[str, Json], root: Json, path: tuple[str, ...]) -> Iterator[GuideError]:
    every = schema.get("allOf")
    if isinstance(every, list | tuple):
        for part in every:
            yield from _check(value, part, root, path)
    for word in ("anyOf", "oneOf"):
        choices = schema.get(word)
        if isinstance(choices, list | tuple):
            fits = sum(1 for choice in choices if not any(True for _ in _check(value, choice, root, path)))
            if fits == 0 or (word == "oneOf" and fits > 1):
                yield GuideError("invalid_union", path, f"fits {fits} of the {len(choices)} forms of {word}")


def _type_fits(value: Json, wanted: Json) -> bool:
    if wanted is None:
        return True
    names = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(names, list | tuple):
        return True
    for name in names:
        if name in ("number", "integer"):
            is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            if is_number and (name == "number" or value == round(Decimal(str(value)))):
                return True
        elif isinstance(name, str) and isinstance(value, _TYPES.get(name, (object,))):
            return True
    return False


def _limit(schema: Mapping[str, Json], word: str) -> Decimal | None:
    limit = schema.get(word)
    return Decimal(limit) if isinstance(limit, int | Decimal) and not isinstance(limit, bool) else None


def _check_text(value: str, schema: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[GuideError]:
    longest, shortest, pattern = _limit(schema, "maxLength"), _limit(schema, "minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        yield GuideError("too_big", path, f"{len(value)} characters; at most {longest} fit")
    if shortest is not None and len(value) < shortest:
        yield GuideError("too_small", path, f"{len(value)} characters; at least {shortest} are needed")
    if isinstance(pattern, str) and re.search(pattern, value) is None:
        yield GuideError("invalid_string", path, f"{value!r} does not match {pattern}")


def _check_number(value: Decimal, schema: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[GuideError]:
    least, most = _limit(schema, "minimum"), _limit(schema, "maximum")
    above, below = _limit(schema, "exclusiveMinimum"), _limit(schema, "exclusiveMaximum")
    if (least is not None and value < least) or (above is not None and value <= above):
        yield GuideError("too_small", path, f"{value} is too small")
    if (most is not None and value > most) or (below is not None and value >= below):
        yield GuideError("too_big", path, f"{value} is too big")


def _check_object(
    value: Mapping[str, Json], schema: Mapping[str, Json], root: Json, path: tuple[str, ...]
) -> Iterator[GuideError]:
    required, known = schema.get("required"), schema.get("properties")
    properties: Mapping[str, Json] = known if isinstance(known, Mapping) else {}
    if isinstance(required, list | tuple):
        for key in required:
            if isinstance(key, str) and key not in value:
                yield GuideError("required", (*path, key), f"{key} is required")
    for key, item in value.items():
        if key in properties:
            yield from _check(item, properties[key], root, (*path, key))
        elif schema.get("additionalProperties") is False:
            yield GuideError("unrecognized_keys", (*path, key), f"{key!r} is not allowed")


def _check_array(
    value: Sequence[Json], schema: Mapping[str, Json], root: Json, path: tuple[str, ...]
) -> Iterator[GuideError]:
    most, least = _limit(schema, "maxItems"), _limit(schema, "minItems")
    if most is not None and len(value) > most:
        yield GuideError("too_big", path, f"{len(value)} items; at most {most} fit")
    if least is not None and len(value) < least:
        yield GuideError("too_small", path, f"{len(value)} items; at least {least} are needed")
    if "items" in schema:
        for index, item in enumerate(value):
            yield from _check(item, schema["items"], root, (*path, str(index)))
