"""`plexstedi review`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import typer

from plexstedi.cli.completion import reviews
from plexstedi.cli.invocation import finish, of
from plexstedi.cli.options import DryRun, Json, Reason, Supplier, Yes, positive, reason_given
from plexstedi.cli.people.review_one_by_one import decide_one_after_the_other
from plexstedi.cli.people.review_together import (
    Decision,
    Ids,
    Kind,
    MaxDaysLate,
    OfOrder,
    OfSupplier,
    Within,
    decide_together,
    filters_of,
)
from plexstedi.cli.render.review_item import show_review
from plexstedi.cli.render.review_list import show_list
from plexstedi.cli.render.tables import plain
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.results import VersionJson
from plexstedi.cli.result.things import ConsequenceJson, DocumentJson, ReviewJson, ReviewLineJson, UnmatchedLineJson
from plexstedi.cli.work import work
from plexstedi.errors import UsageFault
from plexstedi.state.reviews import Review
from plexstedi.state.statistics import Statistics
from plexstedi.state.store import open_state
from plexstedi.sync.counts import Counts
from plexstedi.sync.people.review import ReviewDetail, decide, detail
from plexstedi.sync.session import Session

Id = Annotated[
    int,
    typer.Argument(
        metavar="ID",
        parser=positive,
        autocompletion=reviews,
        help="Number of the review, from `plexstedi review list`.",
    ),
]
Lines = Annotated[
    list[int] | None,
    typer.Option("--line", metavar="N", parser=positive, help="Only this line of the acknowledgment. Can be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    review = typer.Typer(
        help="List, show, accept and reject review items. Without a command: decide one after the other on a terminal,"
        " else list.",
        rich_markup_mode=None,
    )
    review.callback(invoke_without_command=True)(_without_command)
    app.add_typer(review, name="review", epilog="Example: plexstedi review list --supplier ACME01")
    review.command("list", epilog="Example: plexstedi review list --supplier ACME01")(_list)
    review.command(
        "show",
        short_help="Show one item: ordered, acknowledged, and what to do.",
        epilog="Example: plexstedi review show 12",
    )(_show)
    review.command(
        "accept",
        short_help="Accept items, by number or all that options select.",
        epilog='Example: plexstedi review accept 12 --line 10 --reason "agreed by phone"',
    )(_deciding("accept"))
    review.command(
        "reject",
        short_help="Reject items, by number or all that options select.",
        epilog='Example: plexstedi review reject 12 --reason "the supplier sends it again"',
    )(_deciding("reject"))


def _without_command(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is not None:
        return
    if not json and sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty():
        decide_one_after_the_other(context, show_review)
    else:
        _list(context, json=json)


def _list(context: typer.Context, supplier: Supplier = None, json: Json = False) -> None:
    """List open review items, oldest first."""
    invocation = of(context)
    outcome = Outcome(command="review list")
    store = open_state(invocation.state())
    try:
        invocation.must_own(store)
        open_items = store.reviews.open_items(supplier=supplier)
        outcome.counts = Counts(attention=store.reviews.attention(), in_doubt=Statistics(store.database).in_doubt())
        outcome.data = {"reviews": [ReviewJson.of(review) for review in open_items], "audit_head": store.audit.head()}
    finally:
        store.close()
    outcome.show = lambda: show_list(open_items)
    finish(invocation, outcome, as_json=json)


def _show(context: typer.Context, review: Id, json: Json = False) -> None:
    """Show a review item: ordered and acknowledged side by side, and the effect of accept and reject."""

    def body(session: Session, outcome: Outcome) -> None:
        found = detail(session, review)
        outcome.dry_run = False
        outcome.data.update(_detail(found))
        outcome.show = lambda: show_review(found, ids=of(context).verbose)

    work(context, "review show", body, as_json=json, dry_run=True)


def _deciding(how: Literal["accept", "reject"]) -> Callable[..., None]:
    """The command that accepts or rejects."""

    def command(
        context: typer.Context,
        reviews: Ids = None,
        reason: Reason = None,
        line: Lines = None,
        supplier: OfSupplier = None,
        kind: Kind = None,
        order: OfOrder = None,
        max_days_late: MaxDaysLate = None,
        within: Within = None,
        yes: Yes = False,
        dry_run: DryRun = False,
        json: Json = False,
    ) -> None:
        filters = filters_of(supplier, kind, order, max_days_late, within)
        decision = Decision(how, tuple(reviews or ()), filters, yes=yes, dry_run=dry_run, as_json=json)
        _decide_given(context, decision, reason, line or ())

    verb = how.capitalize()
    command.__doc__ = (
        f"{verb} review items: by number, or all open ones that the options select."
        " `plexstedi review show ID` describes the effect."
    )
    return command


def _decide_given(context: typer.Context, decision: Decision, reason: str | None, lines: Sequence[int]) -> None:
    decision.must_select()
    if len(decision.numbers) == 1 and not decision.dry_run:
        _decide(context, decision.how, decision.numbers[0], reason, lines, as_json=decision.as_json)
        return
    if lines:
        raise UsageFault("--line is for the decision of one review item", fix="Name one ID, or omit --line.")
    decide_together(context, decision, reason)


def _decide(
    context: typer.Context, how: str, review: int, reason: str | None, lines: Sequence[int], *, as_json: bool
) -> None:
    why = reason_given(reason)

    def body(session: Session, outcome: Outcome) -> None:
        closed = decide(session, review, accept=how == "accept", reason=why, lines=frozenset(lines))
        found = session.store.reviews.get(review)
        assert found is not None
        outcome.data["review"] = ReviewJson.of(found)
        outcome.data["asked"] = list(session.run.news)
        # Exit code 3 is for runs: a decision that was carried out is a success.
        session.run.news.clear()
        outcome.show = lambda: _print_decided(found, how, closed=closed, asked=outcome.data["asked"])

    work(context, f"review {how}", body, as_json=as_json, by_user=True)


def _detail(found: ReviewDetail) -> dict[str, Any]:
    return {
        "review": ReviewJson.of(found.review),
        "accept": ConsequenceJson.of(found.accept),
        "reject": ConsequenceJson.of(found.reject),
        "lines": [ReviewLineJson.of(line) for line in found.lines],
        "unmatched": [UnmatchedLineJson.of(line) for line in found.unmatched],
        "document": None if found.document is None else DocumentJson.of(found.document),
        "x12": found.x12,
        "versions": [VersionJson(title=version.title, x12=version.x12) for version in found.versions.versions],
        "differences": list(found.versions.differences),
    }


def _print_decided(review: Review, how: str, *, closed: bool, asked: Sequence[str]) -> None:
    about = f"order {review.order_number}" if review.order_number else review.subject
    say(f"Review {review.id} ({review.kind.value}, {plain(about)}): {how}ed.")
    if not closed:
        print("  Other lines of this acknowledgment still need review.")
    for line in asked:
        say(f"needs review: {plain(line)}", indent="  ", hanging="    ")
