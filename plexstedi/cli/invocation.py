"""Common parts of every command: file locations, lock, session, and how it ends."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import typer

from plexstedi.cli.ending.recorder import EndingRecorder
from plexstedi.cli.options import instant
from plexstedi.cli.render.progress import progress_reporter
from plexstedi.cli.result.outcome import Outcome, on_a_terminal
from plexstedi.clock import Clock, StopRequest, SystemClock
from plexstedi.config.load import (
    Config,
    default_config_path,
    default_state_path,
    load,
    readable_state_path,
)
from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import ConfigurationFault, PlexStediError, UntrustedFile
from plexstedi.internal import internal_fault
from plexstedi.ownership import is_there, must_be_ours
from plexstedi.state.file.database import files_of_state
from plexstedi.state.file.lock import RunLock
from plexstedi.state.store import Store
from plexstedi.sync.counts import Counts
from plexstedi.sync.session import PROGRAM, Session, current_user

if TYPE_CHECKING:
    from plexstedi.sync.setup import Surroundings

LOCK_WAIT_SECONDS = 30.0
"""How long a command run by a user waits for the lock (DESIGN.md section 4)."""

clock_of_process: Clock = SystemClock()
"""The clock of every command; tests of whole commands replace it."""


@dataclass
class Invocation:
    """The global options of one command line."""

    config_path: Path | None = None
    plants: tuple[Path, ...] = ()
    """Several configurations: only `status` takes them."""
    state_path: Path | None = None
    quiet: bool = False
    verbose: bool = False
    reported: bool = False
    """Whether the command has printed its result."""
    _config: Config | None = field(default=None, repr=False)

    @property
    def clock(self) -> Clock:
        """The clock of this process."""
        return clock_of_process

    def config(self) -> Config:
        """The configuration, read once. Raise ConfigurationFault."""
        if self._config is None:
            self._config = load(self.config_file())
        return self._config

    def config_file(self) -> Path:
        """Expected path of the configuration."""
        return self.config_path or default_config_path(os.environ)

    def config_if_readable(self) -> Config | None:
        """The configuration; None if it is invalid. Raise UntrustedFile, which is never ignored."""
        try:
            return self.config()
        except UntrustedFile:
            raise
        except ConfigurationFault:
            return None

    def instant(self, text: str | None, option: str) -> datetime | None:
        """A time given on the command line, in the tenant's time zone. Raise UsageFault if it is invalid."""
        if text is None:
            return None
        config = self.config_if_readable()
        name = None if config is None else config.plex.timezone
        return instant(text, option, self.clock.now(), UTC if name is None else ZoneInfo(name))

    def must_own(self, store: Store) -> None:
        """Raise ConfigurationFault if the configuration (if any) belongs to another tenant than this state."""
        config = self.config_if_readable()
        if config is not None:
            store.cursors.must_belong_to(config.tenant, config.stedi.usage_indicator)

    def state(self) -> Path:
        """The resolved path of the state file, so that files beside it are found by any of its names.

        Raise ConfigurationFault if its path is set in an unreadable configuration, UntrustedFile if others can write
        it.
        """
        path = self.state_as_given()
        real = Path(os.path.realpath(path))
        must_be_ours([path, *files_of_state(real)])
        return real

    def state_as_given(self) -> Path:
        """The path of the state file as configured. Raise ConfigurationFault as `state`."""
        if self.state_path is not None:
            return self.state_path
        known = None if os.environ.get("PLEXSTEDI_STATE") else self.config()
        return default_state_path(os.environ, known)

    def state_if_known(self) -> Path | None:
        """As `state`, also if other sections than `[state]` are invalid; None if it cannot be determined."""
        try:
            return self.state()
        except ConfigurationFault:
            if self.state_path is not None or os.environ.get("PLEXSTEDI_STATE"):
                # The path does not come from the configuration: it was rejected itself.
                return None
            return readable_state_path(os.environ, self.config_file())

    def add_current_totals(self, outcome: Outcome) -> None:
        """Add the current totals to an outcome: the head of the audit trail, `attention` and `in_doubt`.

        Without a readable state: null, and no counts.
        """
        head, counts = None, Counts()
        try:
            path = self.state()
            if is_there(path):
                with closing(Store.open_to_read(path)) as store:
                    head = store.audit.head()
                    counts.set_totals(store)
        except PlexStediError:
            # If the command needs the state, it reports the fault itself.
            pass
        outcome.data.setdefault("audit_head", head)
        outcome.counts = counts

    def secrets(self) -> Secrets:
        """The sources of secrets, as configured; without a readable configuration, the standard ones."""
        config = self.config_if_readable()
        if config is None:
            return Secrets.of(os.environ, self.clock)
        given, folder = config.credentials, config.file.parent

        def whole(path: str | None) -> Path | None:
            return None if path is None else folder / Path(path).expanduser()

        key = KeySettings(whole(given.key_file), given.key_beside_data, whole(given.passphrase_file))
        return Secrets.of(os.environ, self.clock, commands=given.commands, key=key)

    def surroundings(
        self, *, overrides: frozenset[str], stop: StopRequest, as_json: bool, time_limit: float | None = None
    ) -> Surroundings:
        """The parameters of this command's session."""
        from plexstedi.sync.setup import Surroundings

        return Surroundings(
            config=self.config(),
            secrets=self.secrets(),
            state_path=self.state(),
            clock=self.clock,
            stop=stop,
            overrides=overrides,
            progress=progress_reporter(enabled=not (as_json or self.quiet)),
            time_limit_seconds=time_limit,
        )


def of(context: typer.Context) -> Invocation:
    """The invocation created by the global options."""
    found = context.obj
    if not isinstance(found, Invocation):
        raise TypeError("a command was called without the global options")
    return found


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


def finish(invocation: Invocation, outcome: Outcome, *, as_json: bool) -> NoReturn:
    """Print an outcome and exit with its code. Every JSON object contains the current totals."""
    if as_json and outcome.counts is None:
        invocation.add_current_totals(outcome)
    invocation.reported = True
    outcome.emit(as_json=as_json, quiet=invocation.quiet)
    raise typer.Exit(int(outcome.exit_code))


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
