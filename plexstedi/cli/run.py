"""`plexstedi run`: the command for cron."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import Invocation, of
from plexstedi.cli.options import Json, Override, overrides
from plexstedi.cli.page.files import write_run_page
from plexstedi.cli.result.outcome import Outcome, on_a_terminal, print_done
from plexstedi.cli.work import work
from plexstedi.errors import Interrupted, LockHeld, PlexStediError, StateUnusable
from plexstedi.internal import place_of
from plexstedi.sync.endings import warning_is_due
from plexstedi.sync.keys.rotation import rotate_if_due
from plexstedi.sync.run import back_up, purge, run
from plexstedi.sync.session import Session
from plexstedi.sync.statistics.daily import record_days


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
            if not any(isinstance(fault, StateUnusable) for fault in outcome.faults):
                outcome.collect(lambda: record_days(session))
            if json:
                from plexstedi.cli.result.overview import not_traded

                outcome.collect(lambda: outcome.data.update(not_traded=not_traded(session)))

        def unlocked(session: Session | None, outcome: Outcome) -> None:
            kept = back_up(session) if session is not None and succeeded else None
            state, now = of(context).state_if_known(), of(context).clock.now()
            for problem in (kept, _page(of(context), session, outcome)):
                if problem is None or state is None:
                    continue
                to_cron = not (json or on_a_terminal())
                if not to_cron or warning_is_due(state, problem, now, idle=outcome.idle):
                    outcome.warnings.append(f"{problem.message}. {problem.fix}")

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


def _page(invocation: Invocation, session: Session | None, outcome: Outcome) -> PlexStediError | None:
    """Write the page of `run.html`, however the run ended; return why it could not be written."""
    # The run that holds the lock writes the page; a signal ends this one.
    if any(isinstance(fault, (LockHeld, Interrupted)) for fault in outcome.faults):
        return None
    config, state = invocation.config_if_readable(), invocation.state_if_known()
    if config is None or state is None or (session is not None and session.stop.signal is not None):
        return None
    try:
        return write_run_page(config, state, invocation.clock.now())
    except PlexStediError:
        # A run without a session has met and reported it already.
        if session is not None:
            raise
        return None
    except Exception as error:
        # The ending is recorded already: as a fault it would only be an exit code in cron's mail.
        return PlexStediError(
            f"the page (run.html) cannot be made: {type(error).__name__} in {place_of(error)}",
            fix="Report it with the traceback that status --html prints. Orders are not affected.",
            code="page",
        )


def _show(outcome: Outcome) -> None:
    print_done(outcome)
