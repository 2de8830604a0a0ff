"""`plexstedi run`: the command for cron."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import of, work
from plexstedi.cli.options import Json, Override, overrides
from plexstedi.cli.result.outcome import Outcome, on_a_terminal, print_done
from plexstedi.cli.result.overview import not_traded
from plexstedi.sync.endings import warning_is_due
from plexstedi.sync.keys.rotation import rotate_if_due
from plexstedi.sync.run import back_up, purge, run
from plexstedi.sync.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("run", epilog="Example (cron): */5 * * * * plexstedi --config /etc/plexstedi/plexstedi.toml run")
    def command(context: typer.Context, override: Override = None, json: Json = False) -> None:
        """Poll, submit and ingest acknowledgments under one lock. Prints nothing when there was nothing to do."""

        succeeded = False

        def body(session: Session, outcome: Outcome) -> None:
            nonlocal succeeded
            outcome.show = lambda: _show(outcome)
            outcome.collect(lambda: run(session, outcome.faults))
            if not outcome.faults:
                succeeded = True
                outcome.collect(lambda: purge(session))
                outcome.collect(lambda: rotate_if_due(session, of(context).secrets()))
            outcome.collect(lambda: outcome.data.update(not_traded=not_traded(session)))

        def unlocked(session: Session, outcome: Outcome) -> None:
            if not succeeded:
                return
            fault, state = back_up(session), session.store.database.path
            if fault is None or state is None:
                return
            to_cron = not (json or on_a_terminal())
            if not to_cron or warning_is_due(state, fault, session.clock.now(), idle=outcome.idle):
                outcome.warnings.append(f"{fault.message}. {fault.fix}")

        work(
            context,
            "run",
            body,
            as_json=json,
            overrides=overrides(override),
            scheduled=True,
            alerting=True,
            unlocked=unlocked,
        )


def _show(outcome: Outcome) -> None:
    print_done(outcome)
