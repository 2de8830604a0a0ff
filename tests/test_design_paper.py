"""DESIGN.md says what the program does: commands, exit codes, counts and secrets are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import plexstedi
from plexstedi.cli.main import _command_names
from plexstedi.errors import ExitCode
from plexstedi.secret_names import SecretName
from plexstedi.sync.counts import Counts

DESIGN = (Path(plexstedi.__file__).parent / "DESIGN.md").read_text()


def section(heading: str) -> str:
    """The text below a heading, down to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", DESIGN, re.MULTILINE | re.DOTALL)
    assert found, f"DESIGN.md has no heading {heading}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """What the first column of a table has between backticks, or as a number."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w-]+)`|^(\d+)$", cell) for name in name if name]


def test_it_lists_every_command_and_no_other() -> None:
    assert sorted(first_cells(section("Section 4: commands"))) == sorted(_command_names())


def test_it_lists_every_exit_code_and_no_other() -> None:
    assert [int(code) for code in first_cells(section("Exit codes"))] == [int(code) for code in ExitCode]


def test_it_lists_every_count_of_the_json_object() -> None:
    listed = re.search(r"`counts` always has all of: (.*?)\. ", section("Streams and JSON"), re.DOTALL)
    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == list(Counts().as_dict())


def test_it_names_every_secret() -> None:
    listed = re.search(r"By name: (.*?)\. ", section("Secrets"), re.DOTALL)
    assert listed
    assert re.findall(r"`([\w-]+)`", listed[1]) == [str(name) for name in SecretName]


def test_its_sections_are_numbered_as_code_cites_them() -> None:
    assert re.findall(r"^## Section (\d): ", DESIGN, re.MULTILINE) == ["1", "2", "3", "4", "5", "6"]
