"""Every command explains itself, with an example that can be tried as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import pytest
from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner

from plexstedi.cli import main

from .conftest import Cli


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and subcommand that there is."""
    with redirect_stdout(StringIO()):
        main.run(["--help"])
    root = get_command(main.app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        yield (name,)
        if below:
            yield from ((name, sub) for sub in below)


ALL = sorted(commands())


def help_of(*command: str) -> str:
    """The help of a command as one line: a terminal wraps it."""
    done = CliRunner().invoke(main.app, [*command, "--help"], prog_name="plexstedi")
    assert done.exit_code == 0, done.output
    return re.sub(r"\s+", " ", done.output)


def test_the_commands_of_the_contract_are_all_there() -> None:
    names = {name for name, *_ in ALL}
    assert names == {
        *("poll", "submit", "ingest-acks", "run", "replay", "review", "status", "recover", "notify", "audit"),
        *("check", "credentials", "init", "demo", "sandbox", "schema"),
    }
    assert isinstance(main.app, Typer)


@pytest.mark.parametrize("command", [(), *sorted({command[:1] for command in ALL if len(command) > 1})], ids=" ".join)
def test_the_list_of_commands_says_what_each_does_in_a_line_of_80_columns(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main.app, [*command, "--help"], prog_name="plexstedi", env={"COLUMNS": "80"}).output
    described = shown.partition("Commands:")[2].partition("Example:")[0].strip().splitlines()
    assert len(described) > 1
    wrapped = [line for line in described if line.startswith("    ")]
    cut = [line for line in described if line.endswith("...")]
    assert (wrapped, cut) == ([], [])


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_help_says_what_it_does_and_gives_an_example(command: tuple[str, ...]) -> None:
    described, _, example = help_of(*command).partition("Example")
    assert "Usage: plexstedi" in described
    assert re.search(rf"plexstedi (\S+ )*?{' '.join(command)}", example)


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_the_example_uses_only_options_that_exist(command: tuple[str, ...]) -> None:
    """An example that was right once is worse than none."""
    described, _, example = help_of(*command).partition("Example")
    known = {*options_in(described), *options_in(help_of().partition("Commands")[0])}
    if "COMMAND [ARGS]" in described:
        below = example.partition(f"plexstedi {command[0]} ")[2].split()[0]
        known |= options_in(help_of(*command, below).partition("Example")[0])
    assert options_in(example) <= known


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<!\S)--[a-z][a-z-]*", text))


def test_help_works_where_nothing_is_set_up(cli: Cli) -> None:
    ran = cli.bare("status", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "Example: plexstedi status" in ran.out


def test_an_unknown_command_is_a_usage_error_that_names_a_near_one(cli: Cli) -> None:
    ran = cli.bare("stauts")
    assert (ran.code, "status" in ran.err) == (2, True)


def test_a_wrong_option_with_json_is_one_json_object(cli: Cli) -> None:
    ran = cli.bare("status", "--nonsense", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
