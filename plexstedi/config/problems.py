"""Converts pydantic errors into problems for administrators: file, TOML key, message, fix."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from plexstedi.errors import Problem

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SECRETIVE = re.compile(r"secret|password|passwd|token(?!_url)|api_?key|credential", re.IGNORECASE)
_FROM_TYPE = {
    "string_type": ("must be text", 'Put it in quotes: "…".'),
    "bool_type": ("must be true or false", "Write true or false, without quotes."),
    "bool_parsing": ("must be true or false", "Write true or false, without quotes."),
    "int_type": ("must be a whole number", "Write it without quotes and without a fraction."),
    "int_parsing": ("must be a whole number", "Write it without quotes and without a fraction."),
    "int_from_float": ("must be a whole number", "Write it without a fraction."),
    "decimal_type": ("must be a number", "Write a number like 2 or 2.5."),
    "decimal_parsing": ("must be a number", "Write a number like 2 or 2.5."),
    "finite_number": ("must be a number", "Write a number like 2 or 2.5."),
    "string_too_short": ("is too short or empty", "Fill it in, or omit the key."),
    "string_too_long": ("is too long", "Shorten it."),
    "tuple_type": ("must be a list", 'Write it in brackets: ["…", "…"].'),
    "too_short": ("must not be an empty list", "List at least one, or omit the key."),
    "dict_type": ("must be a table", "Write it as [table] with keys, or as { key = value }."),
    "model_type": ("must be a table", "Write it as [table] with keys, or as { key = value }."),
    "model_attributes_type": ("must be a table", "Write it as [table] with keys, or as { key = value }."),
    "timezone_aware": ("has no time zone", "Write the time in UTC like 2026-11-01T00:00:00Z."),
}


def toml_key(path: Sequence[str | int]) -> str:
    """A path in TOML notation: dotted, quoted where TOML requires it, list items by position from 0."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            continue
        escaped = step.replace("\\", "\\\\").replace('"', '\\"')
        text += ("." if text else "") + (step if _BARE_KEY.match(step) else f'"{escaped}"')
    return text


def problems_of(
    error: ValidationError, file: str, root: type[BaseModel], raw: Mapping[str, object]
) -> tuple[Problem, ...]:
    """One problem per key that pydantic rejects, in the order of the file's tables."""
    found: dict[tuple[str | int, ...], list[tuple[str, str]]] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail, raw)
        words = _words(detail, path, root)
        if words not in found.setdefault(path, []):
            found[path].append(words)
    return tuple(
        Problem(file, toml_key(path), " or ".join(message for message, _ in words), words[0][1])
        for path, words in found.items()
    )


def _path(detail: ErrorDetails, raw: Mapping[str, object]) -> tuple[str | int, ...]:
    """The part of pydantic's location that exists in the file; pydantic also adds the alternatives of a union."""
    path: list[str | int] = []
    here: Any = raw
    for step in detail["loc"]:
        if _holds(here, step):
            here = here[step]
        elif detail["type"] == "missing" and step == detail["loc"][-1]:
            here = None
        else:
            break
        path.append(step)
    return tuple(path)


def _holds(table: object, step: str | int) -> bool:
    if isinstance(table, Mapping):
        return step in table
    return isinstance(table, list) and isinstance(step, int) and step < len(table)


def _words(detail: ErrorDetails, path: tuple[str | int, ...], root: type[BaseModel]) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "setting":
        return str(context["message"]), str(context["fix"])
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), known_keys(root, path[:-1]))
    if kind == "missing":
        return "is missing", "Add it; it has no default because only you can choose it."
    if kind in ("enum", "literal_error"):
        return _not_one_of(detail["input"], str(context["expected"]))
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        word = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        limits = [f"{word[name]} {limit}" for name, limit in context.items() if name in word]
        return f"must be {' and '.join(limits)}, not {detail['input']}", "Choose a number in that range."
    if kind == "string_pattern_mismatch":
        return f"does not match {context['pattern']}", "Copy it exactly as the portal shows it, without spaces."
    if kind.startswith("datetime"):
        return "must be a time", "Write it in UTC like 2026-11-01T00:00:00Z, without quotes."
    known = _FROM_TYPE.get(kind)
    if known is not None:
        return known
    return f"is not valid: {detail['msg']}", "Compare it with config.example.toml."


def unknown_key(key: str, known: Iterable[str]) -> tuple[str, str]:
    """Message and fix for an unknown key, with the nearest known one."""
    if _SECRETIVE.search(key):
        return (
            "is not a key of this table, and secrets are never stored in this file",
            "Remove it, store it with `plexstedi credentials set NAME`, and renew it if others could read it.",
        )
    names = sorted(known)
    near = get_close_matches(key.casefold(), names, n=1, cutoff=0.6)
    if near:
        return "is an unknown key", f"Did you mean `{near[0]}`?"
    return "is an unknown key", f"Remove it; known here: {', '.join(names)}."


def known_keys(root: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that the table at `path` may have; empty if any name is valid."""
    here: object = root
    for step in path:
        here = _descend(here, step)
    model = _model(here)
    return [_name(name, field) for name, field in model.model_fields.items()] if model else []


def _name(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _alternatives(annotation: object) -> list[object]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [inner for part in get_args(annotation) for inner in _alternatives(part)]
    return [annotation]


def _model(annotation: object) -> type[BaseModel] | None:
    for part in _alternatives(annotation):
        if isinstance(part, type) and get_origin(part) is None and issubclass(part, BaseModel):
            return part
    return None


def _descend(annotation: object, step: str | int) -> object:
    model = _model(annotation)
    if model is not None:
        for name, field in model.model_fields.items():
            if step in (name, _name(name, field)):
                return field.annotation
        return None
    for part in _alternatives(annotation):
        arguments: tuple[Any, ...] = get_args(part)
        if arguments:
            return arguments[-1] if get_origin(part) is dict else arguments[0]
    return None


def _not_one_of(value: object, expected: str) -> tuple[str, str]:
    choices = [choice for pair in re.findall(r"'([^']*)'|(\d+)", expected) for choice in pair if choice]
    listed = ", ".join(f'"{choice}"' for choice in choices)
    shown = f'"{value}"' if isinstance(value, str) and len(value) <= 40 else "this"
    near = get_close_matches(str(value).casefold(), [choice.casefold() for choice in choices], n=1)
    if near:
        choice = next(choice for choice in choices if choice.casefold() == near[0])
        return f"{shown} is not among {listed}", f'Did you mean "{choice}"?'
    return f"{shown} is not among {listed}", f"Choose one of {listed}."
