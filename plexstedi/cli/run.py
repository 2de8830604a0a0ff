"""`plexstedi run`: the command for cron."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import of, work
from plexstedi.cli.options import Json, Override, overrides
from plexstedi.cli.result.outcome import Outcome, counts_line, print_news
from plexstedi.cli.result.overview import not_traded
from plexstedi.sync.keys.rotation import rotate_if_due
from plexstedi.sync.run import back_up_and_purge, run
from plexstedi.sync.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("run", epilog="Example (cron): */5 * * * * plexstedi --config /etc/plexstedi/plexstedi.toml run")
    def command(context: typer.Context, override: Override = None, json: Json = False) -> None:
        """Poll, submit and ingest acknowledgments under one lock. Prints nothing when there was nothing to do."""

        def body(session: Session, outcome: Outcome) -> None:
            outcome.show = lambda: _show(outcome)
            outcome.collect(lambda: run(session, outcome.faults))
            if not outcome.faults:
                outcome.collect(lambda: back_up_and_purge(session))
                outcome.collect(lambda: rotate_if_due(session, of(context).secrets()))
            outcome.collect(lambda: outcome.data.update(not_traded=not_traded(session)))

        work(context, "run", body, as_json=json, overrides=overrides(override), scheduled=True, alerting=True)


def _show(outcome: Outcome) -> None:
    counts_line(outcome, "orders_seen", "orders_changed", "documents_queued", "documents_sent", "documents_delivered")
    counts_line(outcome, "acks_received", "acks_applied", "acks_held", "writes_made", "attention", "in_doubt")
    print_news(outcome)
