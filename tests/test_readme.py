"""README lists every option and every setting that there is, and none that is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from plexstedi.config.tables import ConfigTables
from plexstedi.edi.settings import SupplierSettings
from tests.readme_tables import OPTIONS, README, SETTINGS, made, options, section, settings
from tests.test_advice import app

GLOBAL = {"--config", "--state", "--verbose", "-v", "--quiet", "-q", "--log-format"}
"""Options of the program itself that every command takes, too."""


def commands(here: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and subcommand with the words that call it; the program itself by none."""
    here = here or app()
    yield path, here
    for name, inner in getattr(here, "commands", {}).items():
        yield from commands(inner, (*path, name))


def shown_options(command: Any) -> set[str]:
    """The options that a command's `--help` lists, in each spelling, but for `--help`."""
    shown = (parameter for parameter in command.params if not getattr(parameter, "hidden", False))
    return {name for parameter in shown for name in parameter.opts if name.startswith("-")} - {"--help"}


def command_rows(text: str) -> dict[str, set[str]]:
    """README's first table of commands: the options that are named beside each command."""
    found = re.search(r"^## Commands$(.*?)^###", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", found[1], re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a command twice"
    return {name: set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said)) for name, said in rows}


@cache
def known_keys() -> tuple[set[tuple[str, ...]], set[tuple[str, ...]]]:
    """Every key with its tables, and every part of one that a text may name."""
    keys = {(*table.strip("[]").split("."), key) for table, key, *_ in settings()}
    return keys, {key[begin:end] for key in keys for begin in range(len(key)) for end in range(begin, len(key) + 1)}


def unknown_keys(text: str) -> set[str]:
    """Keys of the configuration that a text names in backticks, and that no table has. Pure.

    A key is named with its table (`run.every_minutes`, or as in a supplier's: `text.uppercase`), or with its value
    (`level = "line"`). A table that stands in brackets (`[plex.poll]`) is a key of the table above it.
    """
    begins = {*ConfigTables.__struct_fields__, *SupplierSettings.__struct_fields__}
    keys, known = known_keys()
    unknown = {name for name in re.findall(r"`(\w+) = ", text) if name not in {key[-1] for key in keys}}
    for name in re.findall(r"`\[?([a-z_]+(?:\.\w+)+)[`\] ]", text):
        first, *parts = name.split(".")
        # The keys of one supplier's table are those of `supplier_defaults`.
        of_partner = first in ("suppliers", "customers")
        if first in begins and tuple(parts[1:] if of_partner else (first, *parts)) not in known:
            unknown.add(name)
    return unknown


@pytest.mark.parametrize("heading", [OPTIONS, SETTINGS])
def test_the_list_is_as_the_program_is(heading: str) -> None:
    """Else: `python tests/readme_tables.py` writes it."""
    text = README.read_text()
    begin, end = section(text, heading)
    assert text[begin:end].strip() == made()[heading].strip()


def test_the_lists_have_what_one_looks_for() -> None:
    found = {(command, option.split()[0]) for command, option, _ in options()}
    assert {("submit", "--limit"), ("review accept", "--line"), ("audit verify", "--head")} <= found
    keys = {(table, key) for table, key, *_ in settings()}
    assert {("[plex.poll]", "sweep_hours"), ("[supplier_defaults.acknowledgments]", "bp_quantity")} <= keys
    assert ("[supplier_defaults.860]", "transaction_setting_id") in keys
    assert {table.strip("[]").split(".")[0] for table, _ in keys} == set(ConfigTables.__struct_fields__) - {
        "suppliers",
        "customers",
    }


def test_a_required_key_says_so_and_a_default_is_shown() -> None:
    rows = {(table, key): (takes, default) for table, key, takes, default, _ in settings()}
    assert rows["[plex.acknowledgments]", "write"][1] == "required"
    assert rows["[run]", "time_limit_minutes"] == ("whole number", "`4`")
    assert rows["[stedi]", "usage_indicator"] == ('`"P"`, `"T"`', "required")


def test_the_commands_are_those_of_the_program_and_their_options_exist() -> None:
    """The short table, written by hand."""
    rows = command_rows(README.read_text())
    assert set(rows) == {path[0] for path, _ in commands() if path}
    exist = {name: set() for name in rows}
    for path, command in commands():
        if path:
            exist[path[0]] |= shown_options(command)
    # What `schema` says of `--json` is about the other commands.
    exist["schema"].add("--json")
    assert {name: wrong for name, named in rows.items() if (wrong := named - exist[name])} == {}
    assert len(set().union(*rows.values())) > 15, "else this looks at nothing"


def test_every_option_of_every_command_stands_in_the_readme() -> None:
    """In the list, or among those that the text says all commands take."""
    listed: dict[str, set[str]] = {}
    begin, end = section(text := README.read_text(), OPTIONS)
    for command, option in re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", text[begin:end], re.MULTILINE):
        listed.setdefault(command, set()).update(re.findall(r"(?<!\S)-[\w-]+", option))
    there = {" ".join(path): shown_options(command) - {"--json"} for path, command in commands() if path}
    assert listed == {command: names for command, names in there.items() if names} | {
        command: set() for command in listed if not there[command]
    }


def test_what_all_commands_take_is_said_and_is_so() -> None:
    begin = README.read_text().split("\n## Commands\n")[1].split("\n| ")[0]
    root = shown_options(app())
    assert root == {*GLOBAL, "--version", "--install-completion", "--show-completion"}
    assert [name for name in root if not re.search(rf"`{name}[` ]", begin)] == []
    without = {
        path for path, each in commands() if not hasattr(each, "commands") and "--json" not in shown_options(each)
    }
    assert without == {("schema",)}


def test_every_key_that_the_text_names_exists() -> None:
    assert unknown_keys(README.read_text()) == set()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("set `run.every_minutes` and `[plex.datasources]`", set()),
        ("set `run.every_hours`", {"run.every_hours"}),
        ("in `[plex.polling]`", {"plex.polling"}),
        ("`plex.acknowledgments.fields.ack_code`", set()),
        ("`acknowledgments.ignore_segments` of a supplier", set()),
        ("`acknowledgments.ignore_lines` of a supplier", {"acknowledgments.ignore_lines"}),
        ("`[suppliers.CODE]`, `[suppliers.CODE.850]`, `customers.CODE.duns`", set()),
        ("`[suppliers.CODE.851]`, `customers.CODE.dun`", {"suppliers.CODE.851", "customers.CODE.dun"}),
        ('`levels = "line"` and `level = "line"`', {"levels"}),
        ("`some.file` and `plexstedi.toml`", set()),
    ],
)
def test_a_key_that_does_not_exist_is_noticed(text: str, unknown: set[str]) -> None:
    assert unknown_keys(text) == unknown
