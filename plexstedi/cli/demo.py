"""`plexstedi demo`: the whole loop on the embedded sandbox, without set-up."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plexstedi.cli.render.progress import progress_reporter
from plexstedi.cli.render.summary import sentences
from plexstedi.cli.render.tables import x12_lines
from plexstedi.cli.render.terminal import head, say, terminal_width
from plexstedi.cli.result.outcome import Outcome, print_fault
from plexstedi.cli.sandbox import PrintedDialect, files_kept_in
from plexstedi.config.load import load
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import PlexStediError, UsageFault
from plexstedi.plain_text import many
from plexstedi.state.store import Store
from plexstedi.sync.counts import Counts
from plexstedi.sync.endings import Ending, record_in_state
from plexstedi.sync.health import read_health
from plexstedi.sync.report.order import order_report
from plexstedi.sync.report.overview import overview
from plexstedi.sync.run import run
from plexstedi.sync.session import Session
from plexstedi.sync.setup import Surroundings, open_session

if TYPE_CHECKING:
    from plexstedi.sandbox.server import Sandbox

_MOST_RUNS = 200
_START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday morning in simulated time: the demo's output is always the same."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "demo",
        short_help="Run the whole loop on a sandbox, from order to Plex again.",
        epilog="Example: plexstedi demo --orders 200 --suppliers 20 --dir ./demo",
    )
    def command(
        orders: Annotated[int, typer.Option("--orders", min=4, help="Number of purchase orders.")] = 60,
        suppliers: Annotated[int, typer.Option("--suppliers", min=1, help="Number of suppliers.")] = 12,
        plex_api: Annotated[
            PrintedDialect, typer.Option("--plex-api", help="The interface over which the demo reaches Plex.")
        ] = PrintedDialect.CONNECT,
        directory: Annotated[
            Path | None,
            typer.Option("--dir", metavar="DIR", help="Keep the configuration and state in this directory."),
        ] = None,
        json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    ) -> None:
        """Run the whole loop on a sandbox: purchase orders to suppliers, acknowledgments back to Plex."""
        from plexstedi.sandbox.clock import SandboxClock
        from plexstedi.sandbox.plex.sample_data import sample_tenant
        from plexstedi.sandbox.server import Sandbox

        sandbox = Sandbox(sample_tenant(orders, suppliers, 7, _START), SandboxClock.manual(_START))
        outcome = Outcome(command="demo")
        with _place(directory) as place, sandbox.serve():
            demo = Demo(sandbox, place, plex_api, quiet=json, is_kept=directory is not None)
            try:
                demo.play()
            except PlexStediError as fault:
                outcome.faults.append(fault)
            outcome.counts = demo.total
            outcome.data["runs"] = demo.runs
            outcome.data["made_up_minutes"] = int((sandbox.clock.now() - _START).total_seconds() // 60)
            if json:
                outcome.emit(as_json=True)
            elif outcome.faults:
                print_fault(outcome.faults[0])
        raise typer.Exit(int(outcome.exit_code))


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="plexstedi-demo-") as place:
            yield Path(place)
        return
    with files_kept_in(directory):
        if (directory / "state.sqlite3").exists():
            raise UsageFault(
                f"{directory} holds the state of an earlier demo", fix="Use another directory, or delete it."
            )
        if (directory / "plexstedi.toml").exists():
            raise UsageFault(
                f"{directory / 'plexstedi.toml'} already exists; the demo never overwrites",
                fix="Use another directory.",
            )
        # Whether it can be written, before the demo works for seconds; an interrupted one leaves nothing.
        (directory / "plexstedi.toml").touch()
        (directory / "plexstedi.toml").unlink()
    yield directory


class Demo:
    """The steps of the demo."""

    def __init__(self, sandbox: Sandbox, place: Path, plex_api: PrintedDialect, *, quiet: bool, is_kept: bool) -> None:
        from plexstedi.sandbox.config_text import config_text, secrets

        self._sandbox = sandbox
        self._quiet = quiet
        self._is_kept = is_kept
        self._state = place / "state.sqlite3"
        file = place / "plexstedi.toml"
        file.write_text(config_text(sandbox, plex_api.value), encoding="utf-8")
        self._config = load(file)
        variables = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(sandbox).items()}
        self._secrets = Secrets.of(variables, sandbox.clock)
        self.total = Counts()
        self.runs = 0

    def play(self) -> None:
        """All steps. Raise what a run raises."""
        sample_data = self._sandbox.sample_data
        self._say(
            f"A sandbox Plex with {many(len(sample_data.tenant.orders), 'purchase order')} for"
            f" {many(len(sample_data.partners), 'supplier')}, and a sandbox Stedi, both on loopback."
        )
        self._step("First run: orders are read from Plex and sent to the suppliers as X12 850")
        self._run_until(
            lambda session: session.store.orders.work_left() == 0 and not session.store.orders.not_up_to_date()
        )
        self._show_document()
        self._step("One hour later: suppliers' systems return 997s, their staff return 855s")
        self._later(timedelta(minutes=45))
        self._later(timedelta(minutes=75))
        self._step("Meanwhile a buyer changes an order: the net change is sent as an 860")
        changed = self._change_an_order()
        self._later(timedelta(minutes=10))
        self._step("Next morning: corrected acknowledgments were received, overdue ones were not")
        self._later(timedelta(hours=30))
        self._later(timedelta(hours=30))
        self._step(f"What happened to order {changed}")
        self._show_order(changed)
        self._step("Current state")
        self._show_status()
        self._step("What to look at next")
        self._show_next(changed)

    def _say(self, text: str, *, indent: str = "", hanging: str = "") -> None:
        if not self._quiet:
            say(text, indent=indent, hanging=hanging)
            sys.stdout.flush()

    def _step(self, text: str) -> None:
        if self._quiet:
            return
        if terminal_width() is None:
            print(f"\n== {text}", flush=True)
        else:
            head(text)

    def _later(self, span: timedelta) -> None:
        self._sandbox.advance(span)
        self._run_until(lambda session: session.store.orders.work_left() == 0)

    def _run_until(self, finished: Callable[[Session], bool]) -> None:
        """Repeat runs at cron's interval until finished."""
        for _ in range(_MOST_RUNS):
            if self._run_once(finished):
                return
            self._sandbox.advance(timedelta(minutes=1))
        raise UsageFault("the demo did not finish", fix="Try fewer --orders.")

    def _run_once(self, finished: Callable[[Session], bool]) -> bool:
        around = Surroundings(
            config=self._config,
            secrets=self._secrets,
            state_path=self._state,
            clock=self._sandbox.clock,
            progress=progress_reporter(enabled=not self._quiet),
        )
        session = open_session(around, dry_run=False)
        faults: list[PlexStediError] = []
        began = session.clock.now()
        try:
            run(session, faults)
            session.run.counts.set_totals(session.store)
            stages = session.run.stages
            record_in_state(session.store, Ending("run", began, session.clock.now(), 0, faults, stages), to_cron=False)
            done = finished(session)
        finally:
            session.close()
        left = [fault for fault in faults if fault.code != "time-limit"]
        if left:
            raise left[0]
        self.runs += 1
        self._count(session)
        return done and not faults

    def _count(self, session: Session) -> None:
        counts = session.run.counts
        current = {"attention", "in_doubt"}
        for name, value in counts.as_dict().items():
            setattr(self.total, name, value if name in current else getattr(self.total, name) + value)
        if counts.nothing_done():
            return
        clock = f"{self._sandbox.clock.now():%a %H:%M}"
        self._say(f"{clock}  {' '.join(sentences(counts))}", indent="  ", hanging=" " * 13)

    def _change_an_order(self) -> str:
        """Double the first release of an acknowledged order, as a buyer would."""
        with self._reading() as store:
            number = next(
                document.order_number
                for document in store.documents.all()
                if document.business_ack.value in ("confirmed", "changed")
            )
        with self._sandbox.lock:
            line = self._sandbox.plex.order(number).lines[0]
            release = line.releases[0]
            before, after = release.quantity, release.quantity * 2
            self._sandbox.plex.edit_release(number, line.number, release.number, quantity=after)
        self._say(f"  {number} line {line.number}: {before:f} becomes {after:f}")
        self._sandbox.advance(timedelta(minutes=6))
        return number

    def _show_document(self) -> None:
        with self._reading() as store:
            document = store.documents.all()[0]
            text = store.documents.x12(document.id)
        self._say(f"One of them, order {document.order_number} to {document.supplier}, as X12:")
        if not self._quiet:
            print(f"\n{x12_lines(text)}", flush=True)

    def _show_order(self, number: str) -> None:
        from plexstedi.cli.render.text import show_report

        if self._quiet:
            return
        with self._reading() as store:
            show_report(order_report(store, store.orders.by_number(number)[0]))

    def _show_next(self, changed: str) -> None:
        """Commands for the files of this demo, if they are kept; else how to keep them."""
        if self._is_kept:
            files = shlex.join(["plexstedi", "--config", str(self._config.file), "--state", str(self._state)])
            with self._reading() as store:
                shown = [f"review show {item.id}" for item in store.reviews.open_items()[:1]]
            for what, command in (
                *(("one item, ordered against acknowledged", command) for command in shown),
                ("one order with its timeline", f"status {changed}"),
                ("the page for a purchasing desk", "status --html page.html"),
                ("the audit trail, unedited", "audit verify"),
            ):
                self._say(f"{what}:", indent="  ")
                self._say(f"{files} {command}", indent="    ", hanging="      ")
        else:
            keeping = "keeps the files of this demo, to look at with other commands"
            self._say(f"plexstedi demo --dir try     {keeping}", indent="  ", hanging=" " * 31)
        self._say("plexstedi sandbox            serves this Plex and Stedi, to try every command", indent="  ")
        self._say("plexstedi init               begins your own configuration", indent="  ")

    def _show_status(self) -> None:
        from plexstedi.cli.render.text import show_overview

        if self._quiet:
            return
        now = self._sandbox.clock.now()
        with self._reading() as store:
            health = read_health(store, self._state, self._config, now)
            show_overview(overview(store, self._config, now), health, now, None)

    @contextmanager
    def _reading(self) -> Iterator[Store]:
        store = Store.open_to_read(self._state)
        try:
            yield store
        finally:
            store.close()
