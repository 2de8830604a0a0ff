"""README's lists of every option and every setting, made from the command line and the models of the configuration.

    python tests/readme_tables.py

writes them into README; `test_readme.py` holds that they are as made.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import typer
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

import plexstedi.cli.main as program
from plexstedi.config.tables import ConfigTables
from plexstedi.edi.read_settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPTIONS, SETTINGS = "### Every option", "### Every setting"
_EVERYWHERE = {"--help", "--json", "--config", "--state", "--verbose", "--quiet", "--log-format", "--version"}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def options() -> Iterator[tuple[str, str, str]]:
    """Command, argument or option as it is written, and what its help says."""
    program._register([])
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(program.app))]
    while waiting:
        path, here = waiting.pop(0)
        waiting[:0] = [((*path, name), inner) for name, inner in sorted(getattr(here, "commands", {}).items())]
        for parameter in here.params:
            names = sorted((name for name in parameter.opts if name.startswith("-")), key=len, reverse=True)
            if path and not getattr(parameter, "hidden", False) and not set(names) & _EVERYWHERE:
                value = "" if getattr(parameter, "is_flag", False) else str(parameter.metavar or parameter.name).upper()
                written = f"{', '.join(names)} {value}".strip() if names else value
                yield " ".join(path), written, str(parameter.help or "")


def settings(model: type[Settings] = ConfigTables, table: str = "") -> Iterator[tuple[str, str, str, str, str]]:
    """Table, key, what it takes, its default, and what it is for."""
    told = _docstrings(model)
    inner: list[tuple[type[Settings], str]] = []
    for field in fields(model):
        key, kind = field.encode_name, _bare(field.type)
        own, is_dict = _model(kind)
        if own is not None:
            inner.append((own, f"{table}.{key}".strip(".") + (".NAME" if is_dict else "")))
            continue
        yield f"[{table}]", key, _takes(kind), _written(default_of(field)), told.get(field.name, "")
    for own, place in inner:
        if not place.startswith(("suppliers", "customers")):
            yield from settings(own, place)


def default_of(field: FieldInfo) -> Any:
    """The default of a setting; NODEFAULT if it is required."""
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _docstrings(model: type[Settings]) -> dict[str, str]:
    """The first sentence below each field."""
    (body,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for before, after in pairwise(body.body):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and is_text:
            found[before.target.id] = " ".join(str(after.value.value).split()).replace("None: ", "Not given: ")
    return found


def _bare(kind: Any) -> Any:
    """A type without what is only checked of its values, and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            left = [each for each in get_args(kind) if each is not type(None)]
            kind = left[0] if len(left) == 1 else Union[tuple(left)]  # noqa: UP007 - made of a list
        else:
            return kind


def _model(kind: Any) -> tuple[type[Settings] | None, bool]:
    """The model of a table, or of each table of a table of tables."""
    is_dict = get_origin(kind) is dict
    own = _bare(get_args(kind)[1]) if is_dict else kind
    return (own, is_dict) if inspect.isclass(own) and issubclass(own, Settings) else (None, is_dict)


def _takes(kind: Any) -> str:
    kind = _bare(kind)
    if get_origin(kind) is Literal:
        return ", ".join(f'`"{each}"`' for each in get_args(kind))
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return ", ".join(f'`"{each.value}"`' for each in kind)
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_takes(each) for each in get_args(kind)))
    if get_origin(kind) in (list, tuple):
        return f"list of {_takes(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"table of {_takes(get_args(kind)[1])}"
    if inspect.isclass(kind) and issubclass(kind, Settings):
        return "table"
    names = {"bool": "`true`, `false`", "int": "whole number", "Decimal": "number", "datetime": "time", "str": "text"}
    return names.get(getattr(kind, "__name__", str(kind)), "text")


def _written(default: Any) -> str:
    if default is NODEFAULT:
        return "required"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, enum.Enum):
        return f'`"{default.value}"`'
    if default in (None, "", (), [], {}, frozenset()):
        return ""
    if isinstance(default, str):
        return f'`"{default}"`'
    if isinstance(default, tuple | list):
        return "`[" + ", ".join(f'"{getattr(each, "value", each)}"' for each in default) + "]`"
    return f"`{default}`"


def made() -> dict[str, str]:
    """The text of each section, by its heading."""
    told = "\n".join(f"| `{command}` | `{_cell(option)}` | {_cell(said)} |" for command, option, said in options())
    rows = "\n".join(
        f"| `{_cell(table)}` | `{_cell(key)}` | {_cell(takes)} | {_cell(default)} | {_cell(said)} |"
        for table, key, takes, default, said in settings()
    )
    return {
        OPTIONS: "Made from `--help`. Besides, every command but `schema` takes `--json`, and all take the global\n"
        "options.\n\n"
        f"<details><summary>Options by command</summary>\n\n| command | option | what for |\n|---|---|---|\n{told}\n\n"
        "</details>\n",
        SETTINGS: "Made from the configuration's models. `[suppliers.CODE]` and, for 810, `[customers.CODE]` take the\n"
        "keys of `[supplier_defaults]`; these apply to all suppliers. [config.example.toml](config.example.toml)\n"
        "explains them with examples.\n\n<details><summary>Keys by table</summary>\n\n"
        "| table | key | takes | default | what for |\n"
        f"|---|---|---|---|---|\n{rows}\n\n</details>\n",
    }


def section(text: str, heading: str) -> tuple[int, int]:
    """Where the text below a heading begins and ends."""
    found = re.search(rf"^{re.escape(heading)}\n\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise KeyError(heading)
    return found.span(1)


def main() -> None:
    """Write both sections into README."""
    text = README.read_text()
    for heading, body in made().items():
        begin, end = section(text, heading)
        text = text[:begin] + body + "\n" + text[end:]
    README.write_text(text)


if __name__ == "__main__":
    main()
