"""The shell completes names that are there, and a half-typed command neither fails, prints nor leaves a file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order

from .conftest import NOW, Cli, an_order, record

WHY = Reason(code="noted", where="order", message="has a charge", fix="see the document")


@pytest.fixture
def filled(cli: Cli) -> Cli:
    store = Store.open(cli.state, NOW)
    for number in ("PO-1001", "PO-1002", "XY-1", "$(reboot)", "PO-1003 a"):
        record(store, an_order(number))
    with store.transaction():
        store.reviews.open(ReviewKind.NOTICE, of_order("PO-1001"), [WHY], NOW, order_number="PO-1001")
    store.close()
    return cli


def offered(cli: Cli, *words: str, place: bool = True, shell: str = "bash") -> list[str]:
    files = ("--config", str(cli.config), "--state", str(cli.state)) if place else ()
    line = ["plexstedi", *files, *words]
    asked = {"COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1), "_TYPER_COMPLETE_ARGS": " ".join(line)}
    ran = cli.bare(_PLEXSTEDI_COMPLETE=f"complete_{shell}", **asked)
    assert (ran.code, ran.err) == (0, "")
    return ran.out.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("status", "PO-"), ["PO-1001", "PO-1002"]),
        (("replay", "X"), ["XY-1"]),
        (("submit", "--order", "PO-1002"), ["PO-1002"]),
        (("audit", "export", "--order", "XY"), ["XY-1"]),
        (("review", "accept", "--order", "$"), []),
        (("review", "list", "--supplier", "ACME"), ["ACME01"]),
        (("review", "show", "1"), ["1"]),
        (("review", "reject", "2"), []),
        (("credentials", "set", "plex-p"), ["plex-password"]),
        (("ingest"), ["ingest-acks"]),
    ],
)
def test_names_are_completed(filled: Cli, words: tuple[str, ...], names: list[str]) -> None:
    assert offered(filled, *([words] if isinstance(words, str) else words)) == names


def test_a_missing_or_damaged_state_offers_nothing(cli: Cli) -> None:
    before = files(cli.home)
    assert offered(cli, "status", "PO-") == []
    assert offered(cli, "status", "PO-", place=False) == []
    assert files(cli.home) == before, "completion created a file"
    cli.state.parent.mkdir(parents=True, exist_ok=True)
    cli.state.write_bytes(b"no database" * 1000)
    cli.config.write_text("[state\n")
    assert offered(cli, "review", "show", "") == []
    assert offered(cli, "review", "list", "--supplier", "") == []


def test_nothing_is_created_beside_the_state(filled: Cli) -> None:
    before = files(filled.state.parent)
    assert offered(filled, "status", "PO-")
    assert files(filled.state.parent) == before


def test_a_run_that_is_writing_is_seen_and_not_disturbed(filled: Cli) -> None:
    with closing(sqlite3.connect(filled.state)) as writer:
        writer.execute("UPDATE orders SET number = 'PO-2001' WHERE number = 'XY-1'")
        writer.commit()
        writer.execute("BEGIN IMMEDIATE")
        assert offered(filled, "status", "PO-2") == ["PO-2001"]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
