"""`plexstedi schema`: scripts know what a command prints with `--json`, and every command prints it so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import typer
from jsonschema import Draft202012Validator

import plexstedi.cli.main as program
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.results import RESULTS, json_schema
from plexstedi.cli.result.values import JsonShape, Number, Time, exact, stamp
from plexstedi.decimal_json import dumps
from tests.advice_texts import followed
from tests.commands.advice import commands

from .conftest import Cli


def commands_with_json() -> set[str]:
    """Every command that takes `--json`, by its words."""
    program._register([])
    found, waiting = set(), [((), typer.main.get_command(program.app))]
    while waiting:
        path, here = waiting.pop()
        waiting += [((*path, name), inner) for name, inner in getattr(here, "commands", {}).items()]
        if any("--json" in parameter.opts for parameter in here.params):
            found.add(" ".join(path))
    return found


def test_every_command_that_prints_json_has_a_schema() -> None:
    assert commands_with_json() - {"", "review"} == set(RESULTS), "`review --json` prints what `review list` does"


@pytest.mark.parametrize("command", RESULTS)
def test_a_schema_is_valid_and_holds_what_every_command_has(command: str) -> None:
    schema = json_schema(command)
    Draft202012Validator.check_schema(schema)
    least = json.loads(dumps(Outcome(command=command).as_json()))
    assert list(Draft202012Validator(schema).iter_errors(least)) == []
    for wrong in ({**least, "another": 1}, {**least, "schema": 2}, {**least, "warnings": None}):
        assert list(Draft202012Validator(schema).iter_errors(wrong)) != []


def test_one_thing_has_one_shape_in_every_command() -> None:
    shapes: dict[str, object] = {}
    for command in RESULTS:
        for name, shape in json_schema(command).get("$defs", {}).items():
            assert shapes.setdefault(name, shape) == shape, (command, name)
    assert {"ReviewJson", "DocumentJson", "ReasonJson", "LateJson"} <= shapes.keys()


@pytest.mark.parametrize(
    ("number", "written"),
    [("120", "120"), ("120.000", "120"), ("1E+3", "1000"), ("0.1250", "0.125"), ("-7.50", "-7.5")],
)
def test_quantities_and_prices_are_exact_numbers(number: str, written: str) -> None:
    assert dumps(exact(Decimal(number))) == written


def test_times_are_in_utc() -> None:
    assert stamp(datetime(2026, 11, 23, 7, 0, 0, 999_999, tzinfo=UTC)) == "2026-11-23T07:00:00Z"
    assert stamp(datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-23T07:00:00Z"


def test_a_key_that_was_not_given_is_left_out_and_an_empty_one_is_null() -> None:
    class Thing(JsonShape):
        at: Time | None
        quantity: Number | None = None

    assert Thing(at=None).as_json() == {"at": None}
    assert Thing(at=None, quantity=Decimal("2.50")).as_json() == {"at": None, "quantity": Decimal("2.5")}


def test_the_schema_is_printed_and_the_commands_are_listed(cli: Cli) -> None:
    listed = cli.run("schema")
    assert (listed.code, listed.out.split("\n")[:-1]) == (0, list(RESULTS))
    printed = cli.run("schema", "review", "show")
    assert (printed.code, json.loads(printed.out)) == (0, json_schema("review show"))


def test_a_command_without_json_is_named(cli: Cli) -> None:
    refused = cli.run("schema", "reviews")
    assert refused.code == 2
    assert "no command reviews prints JSON" in refused.err
    advice = refused.err.split("fix: ")[1].strip()
    followed.add(advice)
    (named,) = commands(advice)
    assert cli.run(*named).out.split() == " ".join(RESULTS).split()
