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
    ],
)
def test_where_they_stand_makes_no_difference(given: str, read: str) -> None:
    assert _global_options_first(given.split()) == read.split()


def test_a_command_finds_its_files_by_options_behind_it(cli) -> None:
    before = cli.run("status", "--json")
    after = cli.bare("status", "--json", "--config", str(cli.config), "--state", str(cli.state))
    assert (after.code, after.out) == (before.code, before.out)
