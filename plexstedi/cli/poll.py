"""`plexstedi poll`."""

from __future__ import annotations

from typing import Annotated

import typer

from plexstedi.cli.invocation import of
from plexstedi.cli.options import DryRun, Json, Override, overrides
from plexstedi.cli.render.tables import plain
from plexstedi.cli.render.terminal import say, terminal_width
from plexstedi.cli.result.outcome import Outcome, print_done
from plexstedi.cli.result.overview import not_traded
from plexstedi.cli.result.results import DueJson
from plexstedi.cli.work import work
from plexstedi.sync.poll.orders import poll
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage, stage
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.submit import mark_due

_SHOWN_DUE = 20


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "poll",
        short_help="Read what is new or changed in Plex, and record what to send.",
        epilog="Example: plexstedi poll --since 2026-11-20T00:00:00Z --dry-run",
    )
    def command(
        context: typer.Context,
        since: Annotated[
            str | None,
            typer.Option(
                "--since",
                metavar="TIME",
                help="Read changes since then: a time, a date, yesterday, 2d, 6h.",
            ),
        ] = None,
        full: Annotated[
            bool, typer.Option("--full", help="Also read every open order (sweep), and master data again.")
        ] = False,
        dry_run: DryRun = False,
        override: Override = None,
        json: Json = False,
    ) -> None:
        """Read changes from Plex; record new revisions and what must be sent."""
        begin = of(context).instant(since, "--since")

        def body(session: Session, outcome: Outcome) -> None:
            outcome.show = lambda: _show(outcome)

            def read() -> None:
                with stage(session, Stage.POLL):
                    poll(session, since=begin, full=full)

            def report() -> None:
                outcome.data["due"] = [_due(one) for one in mark_due(session)]
                outcome.data["not_traded"] = not_traded(session)

            outcome.collect(read)
            outcome.collect(report)

        work(
            context,
            "poll",
            body,
            as_json=json,
            dry_run=dry_run,
            overrides=overrides(override),
            scheduled=True,
        )


def _show(outcome: Outcome) -> None:
    found = outcome.data.get("due", ())
    shown = found[:_SHOWN_DUE] if terminal_width() is not None else found
    for due in shown:
        what = "invoice" if due.kind == "810" else "order"
        say(f"due: {due.kind} for {what} {plain(due.order)} ({plain(due.supplier)})", indent="  ")
    if len(found) > len(shown):
        say(f"and {len(found) - len(shown)} more (submit --dry-run shows all)", indent="  ")
    print_done(outcome, due=True)


def _due(one: DueDocument) -> DueJson:
    return DueJson(order=one.number, supplier=one.partner.code, kind=one.prepared.kind, purpose=one.purpose)
