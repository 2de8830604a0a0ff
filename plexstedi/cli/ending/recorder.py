"""After a run, however it ended: record the ending for `status` and cron's mail, and send alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from plexstedi.cli.result.outcome import Outcome
from plexstedi.clock import Clock
from plexstedi.config.load import AlertsConfig, Config, readable_alerts
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import LockHeld, PlexStediError
from plexstedi.state.store import Store
from plexstedi.sync.endings import Ending, record_beside_state, record_in_state, warning_is_due
from plexstedi.sync.session import Session


class EndingRecorder(Struct):
    """After a run, however it ended: record the ending for `status` and cron's mail, and send alerts."""

    outcome: Outcome
    clock: Clock
    config_file: Path
    find_state: Callable[[], Path | None]
    """The state file; None if it cannot be determined."""
    find_secrets: Callable[[], Secrets]
    find_config: Callable[[], Config | None]
    """The configuration; None if it is invalid."""
    alerting: bool
    to_cron: bool
    """The output goes to cron's mail: persistent faults are printed only when due."""
    done: bool = False

    def of_session(self, session: Session, began: datetime) -> None:
        """After a run with a session; still under the lock."""
        from plexstedi.sync.people.alerts import after_run

        outcome, alerts = self.outcome, session.config.alerts
        self.done, unrecorded = True, False
        if self.alerting:
            unrecorded = outcome.collect(
                lambda: outcome.warnings.extend(
                    after_run(session, outcome.faults, int(outcome.exit_code), self.find_secrets())
                )
            )
        unrecorded = (
            outcome.collect(
                lambda: outcome.take(
                    record_in_state(session.store, self._ending(session, began), to_cron=self.to_cron),
                    to_cron=self.to_cron,
                )
            )
            or unrecorded
        )
        if unrecorded:
            self._beside(self._ending(session, began), session.store.database.path, alerts)
        self._metrics(session.store, session.store.database.path, session.config)

    def of_no_session(self, *, started: bool) -> None:
        """After a run that could not open its session (configuration, state, lock), or lost it."""
        from plexstedi.sync.people.channels import ping, run_log

        outcome, now = self.outcome, self.clock.now()
        ending = Ending(outcome.command, now, now, int(outcome.exit_code), outcome.by_precedence(), started=started)
        alerts = readable_alerts(self.config_file)
        if alerts is not None and self.alerting:
            outcome.collect(
                lambda: outcome.warnings.extend(
                    ping(alerts, int(outcome.exit_code), 0, run_log(outcome.faults, outcome.warnings, ()))
                )
            )
        state = self.find_state()
        self._beside(ending, state, alerts)
        config = self.find_config()
        # The run that holds the lock writes its own.
        if config is not None and not any(isinstance(fault, LockHeld) for fault in outcome.faults):
            self._metrics(None, state, config)

    def of_late_faults(self) -> None:
        """After faults that came when the ending was already recorded: the backup, the pages, printing the result."""
        now, outcome, state = self.clock.now(), self.outcome, self.find_state()
        ending = Ending(outcome.command, now, now, int(outcome.exit_code), outcome.faults[outcome.recorded :])
        if state is not None:
            outcome.collect(lambda: record_beside_state(state, ending, to_cron=False))
        self._alert(ending, state, readable_alerts(self.config_file))

    def _beside(self, ending: Ending, state: Path | None, alerts: AlertsConfig | None) -> None:
        outcome = self.outcome
        if state is not None:
            outcome.collect(
                lambda: outcome.take(
                    record_beside_state(state, ending, to_cron=self.to_cron),
                    to_cron=self.to_cron,
                )
            )
        else:
            outcome.recorded = len(outcome.faults)
        self._alert(ending, state, alerts)

    def _alert(self, ending: Ending, state: Path | None, alerts: AlertsConfig | None) -> None:
        from plexstedi.sync.people.alerts import after_unrecorded_run

        outcome = self.outcome
        if alerts is not None and self.alerting:
            outcome.collect(
                lambda: outcome.warnings.extend(
                    after_unrecorded_run(
                        alerts,
                        ending.faults,
                        state,
                        ending.at,
                        started=ending.started,
                        secrets=self.find_secrets(),
                    )
                )
            )

    def _metrics(self, store: Store | None, state: Path | None, config: Config) -> None:
        """Write the metrics file. A failure is a warning: the orders were sent."""
        if config.run.metrics_file is None or state is None:
            return
        from plexstedi.sync.report.metrics import gather, metrics_path, write_metrics

        path = metrics_path(config, config.run.metrics_file)
        now, outcome = self.clock.now(), self.outcome
        try:
            write_metrics(path, gather(store, state, config, now))
        except (OSError, PlexStediError) as error:
            why = error.message if isinstance(error, PlexStediError) else error.strerror
            fault = PlexStediError(
                f"the metrics file {path} (run.metrics_file) cannot be written ({why})",
                fix="Create its folder, and give the user of the run write permission there.",
                code="metrics-file",
            )
            if not self.to_cron or warning_is_due(state, fault, now, idle=outcome.idle):
                outcome.warnings.append(f"{fault.message}. {fault.fix}")

    def _ending(self, session: Session, began: datetime) -> Ending:
        outcome = self.outcome
        return Ending(
            command=outcome.command,
            began=began,
            at=session.clock.now(),
            exit_code=int(outcome.exit_code),
            faults=outcome.by_precedence(),
            stages=session.run.stages,
            warnings=tuple(session.run.warnings),
            idle=outcome.idle,
            key=session.key,
            calls=dict(session.services.calls.counted),
        )
