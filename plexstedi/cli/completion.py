"""What a shell offers for a half-typed name. Never fails, prints or creates anything: the user is typing."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import typer

from plexstedi.config.load import default_config_path, default_state_path
from plexstedi.secret_names import SecretName
from plexstedi.state.reporting import names

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", re.ASCII)
"""Foreign names become words of a command line unquoted: one that a shell would interpret is not offered."""

_Name = TypeVar("_Name")


def order_numbers(context: typer.Context, incomplete: str) -> list[str]:
    """Numbers of orders and invoices."""
    return _quietly(
        lambda: [each for each in names.order_numbers(_state(context), incomplete) if _fits(each, incomplete)]
    )


def suppliers(context: typer.Context, incomplete: str) -> list[str]:
    """Codes of suppliers, in the configuration or of orders in the state."""
    found: set[str] = set()
    for source in (lambda: _table(_config(context), "suppliers"), lambda: names.suppliers(_state(context))):
        found.update(_quietly(source))
    return sorted(code for code in found if _fits(code, incomplete))


def reviews(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Numbers of open review items with their kind."""
    return _quietly(
        lambda: [
            (str(number), kind)
            for number, kind in names.open_reviews(_state(context))
            if _fits(str(number), incomplete)
        ]
    )


def secrets(incomplete: str) -> list[str]:
    """Names of secrets."""
    return [name.value for name in SecretName if name.value.startswith(incomplete)]


def _fits(name: str, incomplete: str) -> bool:
    return name.startswith(incomplete) and _SAFE.fullmatch(name) is not None


def _quietly(find: Callable[[], Iterable[_Name]]) -> list[_Name]:
    try:
        return list(find())
    except Exception:
        # Nothing to offer. A command that is run with this file says what is wrong with it.
        return []


def _config(context: typer.Context) -> Path:
    given = context.find_root().params.get("config")
    return Path(given) if given else default_config_path(os.environ)


def _state(context: typer.Context) -> Path:
    given = context.find_root().params.get("state")
    if given:
        return Path(given)
    config = _config(context)
    own = _quietly(lambda: [_text(config)["state"]["path"]])
    if own and not os.environ.get("PLEXSTEDI_STATE"):
        return config.parent / Path(str(own[0])).expanduser()
    return default_state_path(os.environ, None)


def _text(config: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads(config.read_text(encoding="utf-8"))


def _table(config: Path, name: str) -> list[str]:
    return list(_text(config)[name])
