"""`review list` as text: on a terminal the most important reason of each item, elsewhere all of them."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.cli.render.tables import print_table
from plexstedi.cli.render.terminal import say, terminal_width
from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import Review

_HEADERS = ("id", "since", "supplier", "order", "line", "what", "why")
_REFUSED = ("rejected", "deletion-rejected", "other-part", "currency")
_DIFFERENCES = ("price", "quantity", "quantity-sum", "date", "backorder-late")
_UNCLEAR = len(_REFUSED)
"""All other codes: what cannot be understood decides before what merely differs."""


def most_important_first(reasons: Sequence[Reason]) -> list[Reason]:
    """What the supplier refuses, then what is unclear, then price, quantity and date; else as given."""
    return sorted(reasons, key=lambda reason: _rank(reason.code))


def _rank(code: str) -> int:
    if code in _REFUSED:
        return _REFUSED.index(code)
    return _UNCLEAR + 1 + _DIFFERENCES.index(code) if code in _DIFFERENCES else _UNCLEAR


def in_short(review: Review) -> str:
    """The most important reason, and how many others there are. The place is left out where the row has it."""
    if not review.reasons:
        return ""
    first, *others = most_important_first(review.reasons)
    said = first.message if first.where == f"line {review.line}" else f"{first.where}: {first.message}"
    return f"{said} (and {len(others)} more)" if others else said


def in_full(review: Review) -> str:
    """All reasons, on one line."""
    return "; ".join(f"{reason.where}: {reason.message}" for reason in review.reasons)


def show_list(reviews: Sequence[Review]) -> None:
    """Print the items."""
    if not reviews:
        print("No item needs review.")
        return
    on_terminal = terminal_width() is not None
    why = in_short if on_terminal else in_full
    print_table(_HEADERS, [(*_facts(review), why(review)) for review in reviews], spare=("since",))
    if on_terminal and any(len(review.reasons) > 1 for review in reviews):
        say()
        say("`plexstedi review show ID` has all reasons of an item.")


def _facts(review: Review) -> tuple[object, ...]:
    since = f"{review.opened_at:%Y-%m-%d %H:%M}"
    return review.id, since, review.supplier, review.order_number, review.line, review.kind.value
