"""Open a session from configuration and secrets: state, limits, and services that are connected at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from plexstedi.clock import Clock, StopRequest
from plexstedi.config.load import Config
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import Interrupted
from plexstedi.http.caller import Deadline
from plexstedi.state.store import Store, expect_state
from plexstedi.sync.services import KeptMasterData, Services, StoredCalls, no_transaction
from plexstedi.sync.session import PROGRAM, Session

_SLICE_SECONDS = 0.25


class InterruptibleClock(Struct, frozen=True):
    """A clock whose waits end when a signal requests a stop."""

    clock: Clock
    stop: StopRequest

    def now(self) -> datetime:
        """As the underlying clock."""
        return self.clock.now()

    def monotonic(self) -> float:
        """As the underlying clock."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in slices. Raise Interrupted once a stop is requested: no work is in progress while waiting."""
        left = seconds
        while left > 0:
            if self.stop.signal is not None:
                raise Interrupted(f"stopped by {self.stop.signal} while waiting", fix="The next run continues.")
            step = min(left, _SLICE_SECONDS)
            self.clock.sleep(step)
            left -= step


class Surroundings(Struct):
    """Parameters for opening a session."""

    config: Config
    secrets: Secrets
    state_path: Path
    clock: Clock
    stop: StopRequest = field(default_factory=StopRequest)
    overrides: frozenset[str] = frozenset()
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None
    time_limit_seconds: float | None = None


def open_session(around: Surroundings, *, dry_run: bool, actor: str = PROGRAM, recover: bool = False) -> Session:
    """Open state and limits; services are connected at first use.

    A dry run works on a private in-memory copy. Raise StateUnusable, ConfigurationFault (another tenant's state).
    """
    clock = InterruptibleClock(around.clock, around.stop)
    # An unexpectedly missing state file must not be created silently: that could resend every order.
    if not recover:
        expect_state(around.state_path)
    store = Store.open_copy(around.state_path) if dry_run else Store.open(around.state_path, clock.now())
    try:
        config = around.config
        store.cursors.belongs_to(config.tenant, config.stedi.usage_indicator)
        limit = around.time_limit_seconds or config.run.time_limit_minutes * 60.0
        deadline = Deadline(
            clock.monotonic() + limit, around.stop, partial(no_transaction, store, threading.get_ident())
        )
        services = Services(
            config=config,
            secrets=around.secrets,
            clock=clock,
            deadline=deadline,
            stored_calls=StoredCalls(store.cursors, keeps=not dry_run and store.database.path is not None),
            kept=KeptMasterData(store, clock),
            former_timezones=tuple(name for name, _ in store.cursors.timezones()),
        )
        return Session(
            config=config,
            store=store,
            clock=clock,
            services=services,
            deadline=deadline,
            actor=actor,
            dry_run=dry_run,
            overrides=around.overrides,
            stop=around.stop,
            progress=around.progress,
        )
    except BaseException:
        store.close()
        raise
