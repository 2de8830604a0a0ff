"""Reads the JSON Schema of a guide and rejects one with unusable bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plexstedi import decimal_json
from plexstedi.edi.plain_values import BROKEN_CHARACTER
from plexstedi.errors import ConfigurationFault, Problem

_SCHEMA_SIGNS = {"properties", "$ref", "allOf", "anyOf", "oneOf"}


def read_guide_schema(path: Path, file: str, key: str) -> Mapping[str, Any]:
    def wrong(message: str, fix: str) -> ConfigurationFault:
        return ConfigurationFault([Problem(file, key, f"{path} {message}", fix)])

    save = "In the Stedi portal open the guide, Actions, View Schema, tab JSON to EDI, and save it there."
    try:
        document = decimal_json.loads(path.read_bytes())
    except FileNotFoundError:
        raise wrong("does not exist", save) from None
    except OSError as error:
        raise wrong(
            f"cannot be read ({error.strerror})", "Give the user that runs plexstedi read permission."
        ) from None
    except decimal_json.BrokenJsonError as error:
        raise wrong(f"is not JSON ({error})", save) from None
    if not isinstance(document, Mapping) or not _SCHEMA_SIGNS & document.keys():
        raise wrong("is JSON, but not a JSON Schema", save)
    odd = next(_unusable_bounds(document), None)
    if odd is not None:
        raise wrong(f"has {odd}, which is not a number", save)
    return document


_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


_HUGE = re.compile(r"-?([0-9]+(\.[0-9]+)?e\+?[0-9]+|[0-9]{31,}…?)")


def _unusable_bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    """Numeric bounds of a schema that are unusably large, each with its keyword.

    A bound that no real value can exceed (a maximum of 1e308) is removed from the schema instead: it has no effect.
    """
    waiting: list[Any] = [schema]
    while waiting:
        here = waiting.pop()
        inner = here.values() if isinstance(here, dict) else here
        waiting += [each for each in inner if isinstance(each, dict | list)]
        odd = [n for n, v in here.items() if isinstance(v, decimal_json.NotPlain)] if isinstance(here, dict) else []
        for name in odd:
            value = here[name].lower().strip(BROKEN_CHARACTER)
            if _HUGE.fullmatch(value) and name in (_LOWER if value.startswith("-") else _UPPER):
                del here[name]
            else:
                yield f"{name} {value!r}"
