"""`plexstedi ingest-acks`."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import work
from plexstedi.cli.options import DryRun, Json, Override, overrides
from plexstedi.cli.render.tables import print_write_plan
from plexstedi.cli.result import Outcome, counts_line, print_news
from plexstedi.sync.ingest.ingest import ingest
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage, stage


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ingest-acks", epilog="Example: plexstedi ingest-acks --dry-run")
    def command(context: typer.Context, dry_run: DryRun = False, override: Override = None, json: Json = False) -> None:
        """Pull acknowledgments from Stedi, match and reconcile them, write them to Plex."""

        def body(session: Session, outcome: Outcome) -> None:
            outcome.show = lambda: _show(outcome)
            with stage(session, Stage.INGEST):
                outcome.data["writes"] = [change.as_json() for change in ingest(session)]

        work(
            context,
            "ingest-acks",
            body,
            as_json=json,
            dry_run=dry_run,
            overrides=overrides(override),
            scheduled=True,
        )


def _show(outcome: Outcome) -> None:
    counts_line(outcome, "acks_received", "acks_applied", "acks_held", "writes_made", "attention")
    print_write_plan(outcome.data.get("writes", ()), planned=outcome.dry_run)
    print_news(outcome)
