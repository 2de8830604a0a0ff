"""A command that works in a session under the lock. Commands that only read the state do not load this."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from plexstedi.cli.ending.recorder import EndingRecorder
from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.result.outcome import Outcome, on_a_terminal
from plexstedi.clock import StopRequest
from plexstedi.credentials.secrets import Secrets
from plexstedi.internal import internal_fault
from plexstedi.state.file.lock import RunLock
from plexstedi.sync.session import PROGRAM, Session, current_user

LOCK_WAIT_SECONDS = 30.0
"""How long a command run by a user waits for the lock (DESIGN.md section 4)."""


def work(
    context: typer.Context,
    command: str,
    body: Callable[[Session, Outcome], None],
    *,
    as_json: bool,
    dry_run: bool = False,
    overrides: frozenset[str] = frozenset(),
    by_user: bool = False,
    scheduled: bool = False,
    time_limit: float | None = None,
    recover: bool = False,
    alerting: bool = False,
    unlocked: Callable[[Session | None, Outcome], None] | None = None,
) -> None:
    """Run `body` in a session under the lock, print the result, and end with its exit code.

    Whatever happens, the lock is released and the result is printed. A dry run takes no lock and works on a copy of the
    state. `recover`: create a missing state file. `scheduled`: called by a timer; record the ending for `status` and
    cron's mail. `alerting`: send alerts about the ending. `unlocked`: called after the session,
    or without one that could not be opened, without the lock.
    """
    invocation = of(context)
    noting = scheduled and not dry_run
    outcome = Outcome(command=command, dry_run=dry_run, quiet_when_idle=noting)
    afterwards = EndingRecorder(
        outcome,
        clock=invocation.clock,
        config_file=invocation.config_file(),
        find_state=invocation.state_if_known,
        find_secrets=invocation.secrets,
        find_config=invocation.config_if_readable,
        alerting=alerting,
        to_cron=not (as_json or on_a_terminal()),
    )
    stop = StopRequest()
    started = False

    def locked() -> None:
        nonlocal started
        # Commands that only read the state do not load httpx.
        from plexstedi.sync.people.channels import ping_start
        from plexstedi.sync.setup import open_session

        with _signals(stop):
            with _locked(invocation, by_user=by_user, dry_run=dry_run) as lock:
                around = invocation.surroundings(overrides=overrides, stop=stop, as_json=as_json, time_limit=time_limit)
                session = open_session(
                    around, dry_run=dry_run, actor=current_user() if by_user else PROGRAM, recover=recover
                )
                started = True
                if noting and alerting:
                    ping_start(session.config.alerts)
                try:
                    began = session.clock.now()
                    if lock is not None:
                        lock.cover_state()
                    _in_session(session, around.secrets, outcome, body)
                    if noting:
                        outcome.collect(lambda: afterwards.of_session(session, began))
                finally:
                    outcome.collect(session.store.close)
            if unlocked is not None:
                outcome.collect(lambda: unlocked(session, outcome))

    outcome.collect(locked)
    # The session could not be opened, or failed before its ending was recorded.
    if noting and not afterwards.done:
        outcome.collect(lambda: afterwards.of_no_session(started=started))
        if unlocked is not None and not started:
            outcome.collect(lambda: unlocked(None, outcome))
    if noting and len(outcome.faults) > outcome.recorded:
        outcome.collect(afterwards.of_late_faults)
    try:
        finish(invocation, outcome, as_json=as_json)
    except typer.Exit:
        raise
    except Exception as error:
        if noting:
            outcome.faults.append(internal_fault(error, command))
            afterwards.of_late_faults()
        raise


def _in_session(session: Session, secrets: Secrets, outcome: Outcome, body: Callable[[Session, Outcome], None]) -> None:
    """Run the body; a fault is reported together with what was done before it."""
    # Commands that only read the state do not load httpx.
    from plexstedi.sync.keys.record import observe_key, observe_plex_key

    outcome.counts = session.run.counts
    outcome.warnings = session.run.warnings

    def add_audit_head() -> None:
        outcome.data.setdefault("audit_head", session.store.audit.head())

    outcome.collect(lambda: body(session, outcome))
    outcome.collect(lambda: observe_key(session, secrets))
    outcome.collect(lambda: observe_plex_key(session, secrets))
    outcome.faults.extend(session.run.unforeseen)
    # No service is called from here on; alerts are sent over connections of their own.
    outcome.collect(session.services.close)
    outcome.collect(lambda: session.run.counts.set_totals(session.store))
    outcome.attention = bool(session.run.news)
    outcome.data.setdefault("news", session.run.news)
    outcome.collect(add_audit_head)
    outcome.data.setdefault("audit_head", None)


@contextmanager
def _locked(invocation: Invocation, *, by_user: bool, dry_run: bool) -> Iterator[RunLock | None]:
    if dry_run:
        yield None
        return
    lock = RunLock(
        invocation.state(),
        command=shlex.join(["plexstedi", *sys.argv[1:]]),
        now=invocation.clock.now,
        wait_seconds=LOCK_WAIT_SECONDS if by_user else 0.0,
        sleep=invocation.clock.sleep if by_user else None,
    )
    with lock:
        yield lock


@contextmanager
def _signals(stop: StopRequest) -> Iterator[None]:
    """The first SIGTERM or SIGINT stops the run after the current document; the second ends it at once."""

    def request_stop(number: int, frame: FrameType | None) -> None:
        if stop.signal is not None:
            raise KeyboardInterrupt
        stop.signal = signal.Signals(number).name

    before = {number: signal.signal(number, request_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
