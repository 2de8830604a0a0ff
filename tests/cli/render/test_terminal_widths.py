"""What a person sees on a terminal of 80, 100 or 120 columns: whole words, no line too wide, and every fault."""

from __future__ import annotations

import re
import sys

import pytest

from plexstedi.cli.render.layout import columns_of, table, text_of
from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_stream
from tests.cli.conftest import NOW, Cli, an_order, record
from tests.forked import run_forked

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONG = (
    "line 10: 1886 EA due 2026-12-11, promised delivery 2026-12-25 (067), 14 days late; the supplier says:"
    ' "Internationale Verbindungstechnik-Gesellschaft cannot deliver before the holidays"'
)
SCREENS = [
    ["status"],
    ["status", "--needs-attention"],
    ["status", "--late"],
    ["status", "--supplier", "ACME01"],
    ["review", "list"],
    ["check", "--offline"],
    ["credentials", "list"],
    ["audit", "verify"],
]


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """Forty review items with long messages, and an order."""
    store = Store.open(cli.state, NOW)
    record(store, an_order())
    kinds = (ReviewKind.ORDER_HELD, ReviewKind.LINE_HELD, ReviewKind.OVERDUE)
    for number in range(40):
        reason = Reason(code="price-missing", where="line 10", message=_LONG, fix=f"{_LONG}; then enter it in Plex")
        store.reviews.open(
            kinds[number % 3],
            of_stream(f"id-{number}"),
            (reason,),
            NOW,
            supplier="ACME01",
            order_id=f"id-{number}",
            order_number=f"PO-2026-PLANT-NORTH-{number:05}",
        )
    store.close()
    return cli


def _on_a_terminal() -> None:
    sys.stdout.isatty = lambda: True
    sys.stderr.isatty = lambda: True


def shown(cli: Cli, *arguments: str, columns: int, **env: str) -> str:
    """What a terminal of this width shows."""
    ended = run_forked(
        ("--config", str(cli.config), "--state", str(cli.state), *arguments),
        environment=cli.environment(**{"TERM": "xterm", "COLUMNS": str(columns), **env}),
        before=_on_a_terminal,
    )
    return ended.out + ended.err


@pytest.mark.parametrize("screen", SCREENS, ids=" ".join)
def test_a_terminal_shows_whole_words_and_no_line_is_too_wide(filled: Cli, screen: list[str]) -> None:
    """A pipe gets unwrapped lines: a word that the terminal shows and the pipe does not was split."""
    piped = filled.run(*screen)
    assert "\x1b" not in piped.out + piped.err
    whole = set((piped.out + piped.err).split())
    assert len(whole) > 3
    for columns in (80, 100, 120):
        text = _COLOURS.sub("", shown(filled, *screen, columns=columns))
        # A path longer than the terminal stays whole, alone on its line.
        wide = [
            line for line in text.split("\n") if columns_of(line) > columns and max(map(columns_of, line.split())) < 40
        ]
        assert (columns, wide) == (columns, [])
        split = {word for word in text.split() if word.strip("-")} - whole
        assert (columns, split) == (columns, set())


def test_colours_are_left_out_where_nobody_wants_them(filled: Cli) -> None:
    assert _COLOURS.search(shown(filled, "check", "--offline", columns=80))
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = shown(filled, "check", "--offline", columns=80, **env)
        assert not _COLOURS.search(plain)
        assert "WRONG" in plain


def test_json_is_the_same_on_a_terminal_of_any_width(filled: Cli) -> None:
    piped = filled.run("review", "list", "--json").out
    assert shown(filled, "review", "list", "--json", columns=80) == piped


@pytest.mark.parametrize("command", ["run", "poll", "ingest-acks"])
def test_a_person_sees_why_a_run_failed_each_time_and_not_that_there_was_nothing_to_do(
    filled: Cli, command: str
) -> None:
    """Cron's mail has a standing fault once a day; somebody at a terminal would look at an empty screen."""
    for _ in range(2):
        text = " ".join(shown(filled, command, columns=80).split())
        assert "-key is not set" in text
        assert "fix: Run `plexstedi credentials set" in text
        assert "Nothing to do" not in text


def test_five_thousand_lines_fit() -> None:
    name = "Internationale Verbindungstechnik-Gesellschaft mbH & Co. KG, Niederlassung Süd"
    rows = [[str(number), f"PO-{number:06}", name, "2026-12-11", "held", _LONG] for number in range(5000)]
    for width in (80, 120):
        lines = [text_of(line) for line in table(("line", "order", "supplier", "due", "state", "why"), rows, width)]
        assert max(map(columns_of, lines)) <= width
        assert sum("PO-" in line for line in lines) == 5000
