"""Doing what a fix says: its settings are taken from its words, as a person would copy them into the configuration."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from plexstedi.edi.reasons import Reason

_SETTING = re.compile(
    r"""\b[iI]n\ \[(?P<table>(?:[^\]"]|"[^"]*")+)\]\ write
    \ (?P<key>"[^"]*"|\S+)\ =\ (?P<value>\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\d+|true)""",
    re.VERBOSE,
)


def settings_of(fix: str) -> list[tuple[list[str], Any]]:
    """Every setting that a fix advises: the path of its key, and its value; what a person has to know is filled in."""
    found = []
    for match in _SETTING.finditer(fix):
        table = _path(tomllib.loads(f"[{match['table']}]"))
        (written,) = tomllib.loads(
            f"{match['key']} = {match['value']}".replace('factor = "…"', 'factor = "2"').replace("…", "AB"),
            parse_float=Decimal,
        ).items()
        found.append(([*table, written[0]], written[1]))
    return found


def _path(table: dict[str, Any]) -> list[str]:
    path = []
    while table:
        ((key, table),) = table.items()
        path.append(key)
    return path


def followed(settings: dict[str, Any], reasons: Iterable[Reason]) -> dict[str, Any]:
    """The partner's settings with all that these reasons advise."""
    made = copy.deepcopy(settings)
    for reason in reasons:
        for path, value in settings_of(reason.fix):
            _put(made, path, value)
    return made


def _put(settings: dict[str, Any], path: list[str], value: Any) -> None:
    assert path[0] in ("suppliers", "customers", "company"), path
    if path[0] == "company":
        settings.setdefault("_company", {})[path[1]] = value
        return
    assert path[1] == "ACME01", path
    here = settings
    for key in path[2:-1]:
        here = here.setdefault(key, {})
    here[path[-1]] = value
