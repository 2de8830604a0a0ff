"""The state's README lists every table and every legal move, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plexstedi.state
from plexstedi.state.file.schema import DOCUMENT_MOVES, INBOX_MOVES, REVIEW_MOVES, WRITE_MOVES, statements_of_new_file

FOLDER = Path(plexstedi.state.__file__).parent
PAPER = (FOLDER / "README.md").read_text()


def section(heading: str) -> str:
    """The text below a heading, down to the next one."""
    found = re.search(rf"^#+ {heading}$(.*?)(?=^#|\Z)", PAPER, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no heading {heading}"
    return found[1]


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w./]+)`", cell)


def test_it_lists_every_table_with_its_module() -> None:
    rows = [re.split(r" \| ", row) for row in re.findall(r"^\| (`.*) \|$", section("Tables"), re.MULTILINE)]
    made = {name for statement in statements_of_new_file() for name in re.findall(r'^CREATE TABLE "?(\w+)', statement)}
    assert {table for row in rows for table in names(row[0])} == made
    for row in rows:
        module = (FOLDER / names(row[1])[0]).read_text()
        for table in names(row[0]):
            assert re.search(rf"\b{table}\b", module), f"{names(row[1])[0]} does not know the table {table}"


@pytest.mark.parametrize(
    ("heading", "moves"),
    [("Documents", DOCUMENT_MOVES), ("Inbox", INBOX_MOVES), ("Writes", WRITE_MOVES), ("Reviews", REVIEW_MOVES)],
)
def test_it_lists_every_legal_move(heading: str, moves: tuple[tuple[str, str], ...]) -> None:
    rows = re.findall(r"^\| (`\w+`) \| [^|]+ \| ([^|]*)\|$", section(heading), re.MULTILINE)
    listed = {(names(state)[0], after) for state, following in rows for after in names(following)}
    assert listed == set(moves)
    ends = {after for _, after in moves} - {before for before, _ in moves}
    assert ends <= {names(state)[0] for state, _ in rows}
