"""Common parts of every command: file locations, secrets, and how it ends."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zoneinfo import ZoneInfo

import typer

from plexstedi.cli.options import instant
from plexstedi.cli.result.outcome import Outcome
from plexstedi.clock import Clock, StopRequest, SystemClock
from plexstedi.config.load import (
    Config,
    default_config_path,
    default_state_path,
    load,
    readable_state_path,
)
from plexstedi.errors import ConfigurationFault, PlexStediError, UntrustedFile
from plexstedi.ownership import is_there, must_be_ours
from plexstedi.state.file.database import files_of_state
from plexstedi.state.store import Store
from plexstedi.sync.counts import Counts

if TYPE_CHECKING:
    from plexstedi.credentials.secrets import Secrets
    from plexstedi.sync.setup import Surroundings

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
        # Commands that only read the state need none.
        from plexstedi.credentials.key_settings import KeySettings
        from plexstedi.credentials.secrets import Secrets

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
        from plexstedi.cli.render.progress import progress_reporter
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


def finish(invocation: Invocation, outcome: Outcome, *, as_json: bool) -> NoReturn:
    """Print an outcome and exit with its code. Every JSON object contains the current totals."""
    if as_json and outcome.counts is None:
        invocation.add_current_totals(outcome)
    invocation.reported = True
    outcome.emit(as_json=as_json, quiet=invocation.quiet)
    raise typer.Exit(int(outcome.exit_code))
