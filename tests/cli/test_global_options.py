"""Global options are taken before and after the command."""

from __future__ import annotations

import pytest

from plexstedi.cli.main import _global_options_first


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("run --json", "run --json"),
        ("run --config a.toml --json", "--config a.toml run --json"),
        ("run --json --state=s.db", "--state=s.db run --json"),
        ("--config a.toml status PO-1 -v", "--config a.toml -v status PO-1"),
        ("review list --quiet", "--quiet review list"),
        ("run --config", "--config run"),
        ("run --log-format json --json", "--log-format json run --json"),
        ("status -- --config", "status -- --config"),
        ("--json status PO-1", "status --json PO-1"),
        ("review --json list --supplier S1", "review list --json --supplier S1"),
        ("--json audit export --order PO-1", "audit export --json --order PO-1"),
        ("status -- --json", "status -- --json"),
        ("status --version", "--version status"),
    ],
)
def test_where_they_stand_makes_no_difference(given: str, read: str) -> None:
    assert _global_options_first(given.split()) == read.split()


def test_a_command_finds_its_files_by_options_behind_it(cli) -> None:
    before = cli.run("status", "--json")
    after = cli.bare("status", "--json", "--config", str(cli.config), "--state", str(cli.state))
    assert (after.code, after.out) == (before.code, before.out)


@pytest.mark.parametrize("words", ["--json review list", "review --json list", "review --json", "--json review"])
def test_json_is_taken_wherever_it_stands(cli, words: str) -> None:
    plain, moved = cli.run("review", "list", "--json"), cli.run(*words.split())
    assert (moved.code, moved.out) == (0, plain.out)


def test_the_version_is_told_behind_a_command_too(cli) -> None:
    assert cli.bare("status", "--version").out == cli.bare("--version").out
