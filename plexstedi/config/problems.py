"""Converts what is wrong with settings into problems for administrators: file, TOML key, message, fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from plexstedi.edi.plain_values import MOST_DIGITS
from plexstedi.edi.read_settings import InvalidSettings
from plexstedi.errors import Problem

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SECRETIVE = re.compile(r"secret|password|passwd|token(?!_url)|api_?key|credential", re.IGNORECASE)


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


def problems_of(error: InvalidSettings, file: str) -> tuple[Problem, ...]:
    """One problem per key that is refused, in the order of the file's tables."""
    found: dict[tuple[str | int, ...], list[tuple[str, str]]] = {}
    for path, message, fix, known in error.faults:
        words = (message, fix) if known is None else _unknown_key(path, known)
        if words not in found.setdefault(path, []):
            found[path].append(words)
    return tuple(
        Problem(file, toml_key(path), " or ".join(message for message, _ in words), words[0][1])
        for path, words in found.items()
    )


def numbers_too_long(document: Mapping[str, object], file: str) -> Iterator[Problem]:
    """One problem per whole number that has more digits than a fraction may have, wherever it is in a file.

    Python reads one of thousands of digits (hexadecimal), but cannot write it into a message.
    """
    most = 10**MOST_DIGITS
    # Not recursive: tables may be nested deeper than Python can call.
    left: list[tuple[tuple[str | int, ...], object]] = [((), document)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [((*path, key), each) for key, each in value.items()]
        elif isinstance(value, list):
            left += [((*path, place), each) for place, each in enumerate(value)]
        elif isinstance(value, int) and abs(value) >= most:
            yield Problem(file, toml_key(path), f"has more than {MOST_DIGITS} digits", "Choose a smaller number.")


def _unknown_key(path: Sequence[str | int], known: Iterable[str]) -> tuple[str, str]:
    """Message and fix for an unknown key, with the nearest known one."""
    key = str(path[-1])
    if _SECRETIVE.search(key):
        return (
            "is not a key of this table, and secrets are never stored in this file",
            "Remove it, store it with `plexstedi credentials set NAME`, and renew it if others could read it.",
        )
    names = sorted(known)
    near = get_close_matches(key.casefold(), names, n=1, cutoff=0.6)
    if near:
        return "is an unknown key", f"Did you mean `{near[0]}`?"
    return "is an unknown key", f"{_removal(path)}; known here: {', '.join(names)}."


def _removal(path: Sequence[str | int]) -> str:
    """TOML reads a code with a dot, without quotes, as a table within a table: removing it would lose the supplier."""
    if len(path) != 3 or path[0] not in ("suppliers", "customers"):
        return "Remove it"
    table, code = str(path[0]), f"{path[1]}.{path[2]}"
    return f"If {code} is the code in Plex, write [{toml_key((table, code))}]; else remove it"
