"""`plexstedi review accept` and `reject` of several items: preview, one confirmation, one reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import typer
from msgspec import Struct

from plexstedi.cli.completion import order_numbers, reviews, suppliers
from plexstedi.cli.invocation import of
from plexstedi.cli.options import confirmed, positive, reason_given
from plexstedi.cli.render.tables import aligned, plain
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.results import ReviewDecisionJson
from plexstedi.cli.work import work
from plexstedi.clock import StopRequest
from plexstedi.edi.plain_values import plain_number, plain_whole
from plexstedi.errors import UsageFault
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.people.review_bulk import (
    Decided,
    ItemDecision,
    Proposal,
    carry_out,
    foreseen,
    propose,
    summary_fault,
)
from plexstedi.sync.people.review_selection import Filters
from plexstedi.sync.session import Session
from plexstedi.sync.setup import open_session

_MOST_DAYS = 3650
_MOST_PERCENT = Decimal(100)


def _days(text: str) -> int:
    number = plain_whole(text)
    if number is None or not 0 <= number <= _MOST_DAYS:
        raise typer.BadParameter(f"{text[:40]!r} is not a whole number of days from 0 to {_MOST_DAYS}.")
    return number


def _percent(text: str) -> Decimal:
    number = plain_number(text)
    if number is None or not 0 <= number <= _MOST_PERCENT:
        raise typer.BadParameter(f"{text[:40]!r} is not a percentage from 0 to 100, like 2 or 2.5.")
    return number


Ids: TypeAlias = Annotated[
    list[int] | None,
    typer.Argument(
        metavar="ID",
        autocompletion=reviews,
        parser=positive,
        help="Numbers of reviews. Without one: all that the options select.",
        show_default=False,
    ),
]
OfSupplier: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--supplier", metavar="CODE", autocompletion=suppliers, help="Select the open items of this supplier."
    ),
]
Kind: TypeAlias = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Select this kind of item: line-held.")
]
OfOrder: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--order", metavar="NUMBER", autocompletion=order_numbers, help="Select the items of this order or invoice."
    ),
]
MaxDaysLate: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--max-days-late",
        metavar="N",
        parser=_days,
        help="Select lines held only for a date that is at most N days after the due date.",
    ),
]
Within: TypeAlias = Annotated[
    Decimal | None,
    typer.Option(
        "--within",
        metavar="PCT",
        parser=_percent,
        help="Select lines held only for a quantity or price that differs by at most PCT percent.",
    ),
]


class Decision(Struct, frozen=True):
    """What the command line says."""

    how: Literal["accept", "reject"]
    numbers: tuple[int, ...]
    filters: Filters
    yes: bool
    dry_run: bool
    as_json: bool

    @property
    def accept(self) -> bool:
        """Whether to accept."""
        return self.how == "accept"

    def must_select(self) -> None:
        """Raise UsageFault unless it says which items, in one way."""
        if not self.numbers and not self.filters.any_given:
            raise UsageFault(
                f"review {self.how} needs to know which items",
                fix="Name an ID from `plexstedi review list`, or select: --supplier CODE, --kind KIND, --order NUMBER,"
                " --max-days-late N, --within PCT.",
            )
        if self.numbers and self.filters.any_given:
            raise UsageFault("IDs and options that select cannot be combined", fix="Use one of them.")


def filters_of(
    supplier: str | None, kind: str | None, order: str | None, max_days_late: int | None, within: Decimal | None
) -> Filters:
    """The filters of the options. Raise UsageFault for an unknown kind."""
    if kind is not None and kind not in list(ReviewKind):
        raise UsageFault(f"there is no kind {kind} of review items", fix=f"Use one of {', '.join(ReviewKind)}.")
    return Filters(supplier, None if kind is None else ReviewKind(kind), order, max_days_late, within)


def decide_together(context: typer.Context, decision: Decision, reason: str | None) -> None:
    """Preview, ask, and decide each item in a transaction of its own."""
    why = "" if decision.dry_run else reason_given(reason)
    proposals = _preview(context, decision)
    possible = [proposal for proposal in proposals if proposal.fault is None]
    if possible and not decision.dry_run:
        noun = "this item" if len(possible) == 1 else f"these {len(possible)} items"
        confirmed(f"{decision.how.capitalize()} {noun}?", yes=decision.yes)

    def body(session: Session, outcome: Outcome) -> None:
        if decision.dry_run:
            done = foreseen(proposals, accept=decision.accept)
        else:
            done = carry_out(session, proposals, accept=decision.accept, reason=why)
        outcome.data["items"] = [
            ReviewDecisionJson.of(proposal, item) for proposal, item in zip(proposals, done, strict=True)
        ]
        outcome.data["asked"] = list(session.run.news)
        # Exit code 3 is for runs: a decision that was carried out is a success.
        session.run.news.clear()
        outcome.show = lambda: _show(done, outcome.data["asked"])
        fault = summary_fault(done)
        if fault is not None:
            raise fault

    work(
        context,
        f"review {decision.how}",
        body,
        as_json=decision.as_json,
        dry_run=decision.dry_run,
        by_user=True,
    )


def _preview(context: typer.Context, decision: Decision) -> tuple[Proposal, ...]:
    """Preview on a private copy of the state, printed on stderr: the prompt holds no lock."""
    around = of(context).surroundings(overrides=frozenset(), stop=StopRequest(), as_json=decision.as_json)
    with closing(open_session(around, dry_run=True)) as session:
        found = propose(session, decision.numbers, decision.filters, accept=decision.accept)
    rows = [_row(proposal) for proposal in found]
    if rows:
        headers = ("id", "supplier", "order", "line", "what", "days late", "off by %", "writes", "effect")
        print("\n".join(aligned(headers, [[plain(value) for value in row] for row in rows])), file=sys.stderr)
    return found


def _row(proposal: Proposal) -> tuple[object, ...]:
    if proposal.candidate is None or proposal.consequence is None:
        fault = proposal.fault
        return (proposal.number, "", "", "", "", "", "", "", "" if fault is None else f"not possible: {fault.message}")
    candidate, effect = proposal.candidate, proposal.consequence
    review = candidate.review
    return (
        review.id,
        review.supplier,
        review.order_number,
        review.line,
        review.kind.value,
        candidate.days_late,
        None if candidate.percent_off is None else f"{candidate.percent_off:.2f}",
        len(effect.writes) or "",
        effect.words if proposal.fault is None else f"not possible: {effect.words}",
    )


def _show(done: Sequence[ItemDecision], asked: Sequence[str]) -> None:
    if not done:
        print("No open review item is selected.")
    for item in done:
        about = "" if item.review is None else f" ({item.review.kind.value}{_order(item)})"
        text = item.result.value.replace("-", " ")
        if item.result is Decided.FAILED and item.fault is not None:
            text = f"failed: {item.fault.message}"
        elif item.result is Decided.CLOSED_BEFORE and item.review is not None:
            text = f"was closed before: {item.review.closing_reason}"
        print(f"Review {item.number}{about}: {plain(text)}")
    for line in asked:
        print(f"  needs review: {plain(line)}")


def _order(item: ItemDecision) -> str:
    number = None if item.review is None else item.review.order_number
    return f", order {plain(number)}" if number else ""
