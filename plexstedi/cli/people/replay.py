"""`plexstedi replay`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from plexstedi.cli.completion import order_numbers
from plexstedi.cli.invocation import of
from plexstedi.cli.options import DryRun, Json, Override, Reason, Supplier, Yes, confirmed, overrides, reason_given
from plexstedi.cli.render.tables import plain, print_table, x12_lines
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome, print_news
from plexstedi.cli.result.results import TransactionJson
from plexstedi.cli.result.things import ReplayJson
from plexstedi.cli.work import work
from plexstedi.clock import StopRequest
from plexstedi.errors import UsageFault
from plexstedi.sync.people.find_document import find_last
from plexstedi.sync.people.replay import Replay, failed_since, plan, replay, replay_acknowledgment
from plexstedi.sync.people.replay_comparison import ContentChange
from plexstedi.sync.session import Session
from plexstedi.sync.setup import open_session


class PurposeCode(StrEnum):
    """BEG01 (X12 element 353) that a replayed 850 may have."""

    ORIGINAL = "00"
    REPLACE = "05"
    DUPLICATE = "07"
    RESUBMISSION = "15"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "replay",
        short_help="Send a document again, or process an acknowledgment again.",
        epilog='Example: plexstedi replay PO-104233 --purpose 15 --reason "supplier lost it"',
    )
    def command(
        context: typer.Context,
        number: Annotated[
            str | None,
            typer.Argument(
                metavar="NUMBER", autocompletion=order_numbers, help="Order number, as in Plex.", show_default=False
            ),
        ] = None,
        reason: Reason = None,
        purpose: Annotated[
            PurposeCode | None,
            typer.Option("--purpose", help="BEG01 of a replayed 850; default: as sent before."),
        ] = None,
        queue: Annotated[bool, typer.Option("--queue", help="Let the next submit send it.")] = False,
        supplier: Supplier = None,
        release: Annotated[
            str | None,
            typer.Option(
                "--release", metavar="LINE-RELEASE", help="The release, where releases are sent separately: 10-1."
            ),
        ] = None,
        ack: Annotated[
            str | None,
            typer.Option("--ack", metavar="TRANSACTION_ID", help="Process this stored acknowledgment again instead."),
        ] = None,
        failed: Annotated[
            bool, typer.Option("--failed", help="All documents refused or undelivered since --since.")
        ] = False,
        since: Annotated[
            str | None,
            typer.Option("--since", metavar="TIME", help="With --failed: a time, a date, yesterday, 2d, 6h."),
        ] = None,
        yes: Yes = False,
        dry_run: DryRun = False,
        override: Override = None,
        json: Json = False,
    ) -> None:
        """Send an order's last document again as a new, linked document; or process an acknowledgment again."""
        if (number is not None) + (ack is not None) + failed != 1:
            raise UsageFault("one of NUMBER, --ack and --failed is required", fix="See `plexstedi replay --help`.")
        if failed != (since is not None):
            raise UsageFault("--failed and --since must be used together", fix="Write --failed --since yesterday.")
        if ack is not None and (purpose, queue, release) != (None, False, None):
            raise UsageFault("--purpose, --queue and --release are for documents", fix="Omit them with --ack.")
        why = reason_given(reason)
        begin = of(context).instant(since, "--since")
        code = None if purpose is None else purpose.value

        def planned(session: Session) -> list[Replay]:
            if begin is not None:
                return [plan(session, last, code) for last in failed_since(session, begin)]
            assert number is not None
            return [plan(session, find_last(session, number, supplier=supplier, release=release), code)]

        if ack is not None:
            _replay_ack(context, ack, why, yes=yes, dry_run=dry_run, as_json=json)
            return
        shown = _preview(context, planned, as_json=json)
        if shown and not dry_run:
            noun = "this document" if len(shown) == 1 else f"these {len(shown)} documents"
            confirmed(f"{'Queue' if queue else 'Send'} {noun} again?", yes=yes)

        def body(session: Session, outcome: Outcome) -> None:
            outcome.data["replays"] = [ReplayJson.of(one) for one in shown]
            outcome.warnings.extend(warning for one in shown for warning in one.warnings)
            outcome.show = lambda: _show(outcome, count=len(shown))
            if dry_run or not shown:
                return
            # The preview held no lock: send only what the user confirmed.
            again = planned(session)
            if [one.new for one in again] != [one.new for one in shown]:
                raise UsageFault(
                    "the documents changed after the preview; nothing was sent",
                    fix="Check the new preview, then repeat the command.",
                )
            documents = replay(session, again, why, queue=queue)
            outcome.data["replays"] = [ReplayJson.of(one, sent) for one, sent in zip(shown, documents, strict=True)]

        work(
            context,
            "replay",
            body,
            as_json=json,
            dry_run=dry_run,
            overrides=overrides(override),
            by_user=True,
        )


def _preview(context: typer.Context, planned: Any, *, as_json: bool) -> list[Replay]:
    """Preview on a private copy of the state, printed on stderr: the prompt holds no lock."""
    around = of(context).surroundings(overrides=frozenset(), stop=StopRequest(), as_json=as_json)
    session = open_session(around, dry_run=True)
    try:
        found: list[Replay] = planned(session)
    finally:
        session.close()
    rows = [
        (
            one.new.order_number
            if one.new.order_release is None
            else f"{one.new.order_number} {one.new.order_release}",
            one.new.supplier,
            one.new.kind,
            one.new.purpose,
            str(one.new.revision),
            f"document {one.last.id}, {one.last.state}",
            one.new.file_name,
            one.new.idempotency_key,
        )
        for one in found
    ]
    if rows:
        headers = ("order or invoice", "partner", "kind", "purpose", "revision", "replays", "file name", "key")
        print_table(headers, rows, spare=("key", "file name", "revision"), file=sys.stderr)
    for one in found:
        first, *others = _content(one)
        say(first, hanging="  ", file=sys.stderr)
        for line in others:
            say(line.strip(), indent="  ", hanging="    ", file=sys.stderr)
    if len(found) == 1:
        print(f"It is sent as this X12:\n{x12_lines(found[0].new.x12)}", file=sys.stderr)
    for one in found:
        for warning in one.warnings:
            about = f"{_word(one.new.kind)} {plain(one.new.order_number)}"
            say(f"warning: {about}: {plain(warning)}", hanging="  ", file=sys.stderr)
    return found


_MOST_SHOWN = 20
_CONTENT = {
    ContentChange.SAME: "the same content as before",
    ContentChange.REBUILT: "rebuilt from the same revision with the current settings; it differs from what was sent",
    ContentChange.NOT_COMPARABLE: "rebuilt with the current settings; what was sent before cannot be compared with it",
}


def _content(one: Replay) -> list[str]:
    """What is sent again, in words."""
    new, change = one.new, one.comparison.change
    about = f"{_word(new.kind)} {new.order_number}"
    differences = one.comparison.differences
    left = len(differences) - _MOST_SHOWN
    return [
        plain(f"{about}: {new.kind} with {_CONTENT[change]}."),
        *(f"  {plain(difference)}" for difference in differences[:_MOST_SHOWN]),
        *([f"  and {left} more; --json lists all"] if left > 0 else []),
    ]


def _replay_ack(
    context: typer.Context, transaction_id: str, reason: str, *, yes: bool, dry_run: bool, as_json: bool
) -> None:
    if not dry_run:
        print(f"Transaction {plain(transaction_id)} is processed again with the current settings.", file=sys.stderr)
        confirmed("Process it again?", yes=yes)

    def body(session: Session, outcome: Outcome) -> None:
        before = session.store.writes.count_open()
        state = replay_acknowledgment(session, transaction_id, reason)
        writes = session.store.writes.count_open() - before
        outcome.data["transaction"] = TransactionJson(id=transaction_id, state=state, writes_planned=writes)

        def show() -> None:
            say(f"Transaction {plain(transaction_id)} is now {state}.")
            if writes > 0:
                print("  The next run writes its values to Plex.")
            print_news(outcome)

        outcome.show = show

    work(context, "replay", body, as_json=as_json, dry_run=dry_run, by_user=True)


def _show(outcome: Outcome, *, count: int) -> None:
    if not count:
        print("Nothing to replay.")
    replays: Sequence[ReplayJson] = outcome.data["replays"]
    for entry in replays:
        state = "would be sent" if entry.state is None else entry.state
        say(f"{_word(entry.kind)} {plain(entry.order)}: {entry.kind} {entry.file_name}: {state}", hanging="  ")
    print_news(outcome)


def _word(kind: str) -> str:
    return "invoice" if kind == "810" else "order"
