"""`review list`: a person sees at a glance why an item waits; nothing is lost for a program or a pipe."""

from __future__ import annotations

import re

import pytest

from plexstedi.cli.render.review_list import in_full, in_short, most_important_first
from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_order
from tests.advice_texts import followed
from tests.cli.conftest import NOW, Cli, an_order, record

from .test_terminal_widths import shown

DATE = Reason(code="date", where="line 4", message="2616 EA due 2026-12-18, promised 12 days late", fix="decide")
PRICE = Reason(code="price", where="line 4", message="ordered at 1.20, acknowledged at 1.35", fix="decide")
UNCLEAR = Reason(code="unit-unknown", where="order", message="the unit CA has no factor", fix="set ack_units")
REFUSED = Reason(code="rejected", where="line 4", message="the supplier rejects the line", fix="decide")


def an_item(*reasons: Reason) -> Review:
    facts = ("S001", "id-1", "PO-1", 4, reasons, "open", NOW, None, None, None)
    return Review(1, ReviewKind.LINE_HELD, of_order("PO-1"), *facts)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([DATE, PRICE], [PRICE, DATE]),
        ([DATE, PRICE, UNCLEAR], [UNCLEAR, PRICE, DATE]),
        ([DATE, UNCLEAR, REFUSED], [REFUSED, UNCLEAR, DATE]),
        ([DATE, DATE], [DATE, DATE]),
    ],
)
def test_a_refusal_is_before_what_is_unclear_and_that_before_a_difference(
    given: list[Reason], wanted: list[Reason]
) -> None:
    assert most_important_first(given) == wanted


def test_the_others_are_counted_and_the_line_is_not_said_twice() -> None:
    assert in_short(an_item(DATE)) == DATE.message
    assert in_short(an_item(DATE, PRICE)) == f"{PRICE.message} (and 1 more)"
    assert in_short(an_item(DATE, PRICE, UNCLEAR)) == f"order: {UNCLEAR.message} (and 2 more)"
    assert in_short(an_item()) == ""
    assert in_full(an_item(DATE, PRICE)) == f"line 4: {DATE.message}; line 4: {PRICE.message}"


def test_a_terminal_shows_one_reason_and_where_the_others_are(cli: Cli) -> None:
    store = Store.open(cli.state, NOW)
    record(store, an_order("PO-1"))
    with store.transaction():
        store.reviews.open(
            ReviewKind.RECORD_UNREADABLE, of_order("PO-1"), [DATE, PRICE, REFUSED], NOW, order_number="PO-1", line=4
        )
    store.close()
    for columns in (80, 100, 120):
        text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", shown(cli, "review", "list", columns=columns)).split())
        assert f"{REFUSED.message} (and 2 more)" in text
        assert DATE.message not in text
    advice = re.search(r"`plexstedi review show ID` .*", text)
    assert advice is not None
    followed.add(advice[0])
    (item,) = cli.run("review", "list", "--json").json["reviews"]
    assert [reason["message"] for reason in item["reasons"]] == [DATE.message, PRICE.message, REFUSED.message]
    piped = cli.run("review", "list").out
    assert all(reason.message in piped for reason in (DATE, PRICE, REFUSED))
    everything = cli.run("review", "show", str(item["id"])).out
    assert all(reason.message in everything for reason in (DATE, PRICE, REFUSED))
