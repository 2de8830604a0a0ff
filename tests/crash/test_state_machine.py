"""Anything that can happen, in any order: nothing is sent twice, no change and no answer is lost.

Whole runs in one process against the sandbox, called directly instead of over sockets. A crash is an exception that
nothing catches, after a commit of the state or around an HTTP call; what is on the disk then is all that is left.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import plexstedi.sync.setup as opening
from plexstedi.config.load import load
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import LockHeld, PlexStediError
from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.faults import Call, FaultKind, FaultRule
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.plex.store import NewLine
from plexstedi.sandbox.server import Sandbox
from plexstedi.state.file.database import Database
from plexstedi.state.file.lock import RunLock
from plexstedi.state.inbox import InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.sync.ingest.ingest import ingest
from plexstedi.sync.people.recover import find_streams, import_streams
from plexstedi.sync.people.replay import plan, replay, replay_acknowledgment
from plexstedi.sync.people.review import decide
from plexstedi.sync.poll.orders import poll
from plexstedi.sync.run import run
from plexstedi.sync.session import Session
from plexstedi.sync.submit.submit import submit
from tests.crash.direct import Direct, through
from tests.crash.world import SCRATCH

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
ORDERS = 3
PICK = st.integers(0, ORDERS - 1)


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Trap:
    """Where the process dies: at the n-th commit, or before or after the n-th call is processed."""

    kind: str = ""
    left: int = 0
    sprung: int = field(default=0)

    def step(self, kind: str) -> None:
        if kind == self.kind and self.left > 0:
            self.left -= 1
            if self.left == 0:
                self.sprung += 1
                raise Crash


@dataclass(frozen=True)
class Skewed:
    """The clock of a server whose time is wrong by so much."""

    clock: SandboxClock
    by: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.by

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)


CHARACTERS = (
    Character.PROMPT,
    Character.DATES,
    Character.PARTIAL,
    Character.CORRECTED,
    Character.RENUMBERING,
    Character.REJECTING,
    Character.SLOPPY,
    Character.SILENT,
)
ABOUT_ANSWERS = (
    ReviewKind.ACKNOWLEDGMENT_HELD,
    ReviewKind.LINE_HELD,
    ReviewKind.LINE_REJECTED,
    ReviewKind.LINE_BACKORDERED,
    ReviewKind.LINE_ATTENTION,
)
"""Questions that any decision is safe to: none of them can make an order go out twice."""


class Morning(RuleBasedStateMachine):
    """Buyers, cron, suppliers, and everything that goes wrong."""

    write = "custom-fields"
    """How acknowledgments get into Plex."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=SCRATCH)
        self._undo = contextlib.ExitStack()
        self.place = Path(self._folder.name)
        self.state = self.place / "state.sqlite3"
        self.copy = self.place / "copy.sqlite3"
        sample_data = sample_tenant(ORDERS, 1, 7, START, characters=(Character.PROMPT,))
        self.sandbox = Sandbox(sample_data, SandboxClock.manual(START))
        text = config_text(self.sandbox, write=self.write)
        text = text.replace(
            'write = "releases"', 'write = "releases"\nrelease_values = ["note", "due_date", "quantity"]'
        )
        text += '\n[documents]\nsend = ["850", "860", "810"]\n\n[suppliers.S001.tolerance]\ndate_late_days = 5\n'
        start = f"[plex.poll]\nstart = {START - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}\n\n[plex.acknowledgments]"
        text = text.replace("[plex.acknowledgments]", start, 1)
        (self.place / "plexstedi.toml").write_text(text)
        self.config = load(self.place / "plexstedi.toml")
        self.trap = Trap()
        self.replayed: set[str] = set()
        self.delivered: set[int] = set()
        self.intruder = 0
        self.skew = timedelta(0)
        self.sandbox.on_call(self._on_call)
        self._divert()

    def _divert(self) -> None:
        patch = pytest.MonkeyPatch()
        self._undo.callback(patch.undo)
        self._undo.enter_context(through(Direct(self.sandbox)))
        commit = Database._commit

        def counted(database: Database) -> None:
            commit(database)
            if database.path is not None:
                self.trap.step("commit")

        patch.setattr(Database, "_commit", counted)

    def _on_call(self, call: Call) -> None:
        if self.intruder > 0:
            self.intruder -= 1
            if self.intruder == 0:
                with pytest.raises(LockHeld), self._lock():
                    raise AssertionError("a second run began while one was at work")
        self.trap.step(call.phase)

    def _lock(self) -> RunLock:
        return RunLock(self.state, command="plexstedi run", now=self.sandbox.clock.now)

    # What happens in Plex.

    def _order(self, pick: int):
        return self.sandbox.plex.tenant.orders[pick]

    @rule(pick=PICK, add=st.integers(-3, 9))
    def edit_quantity(self, pick: int, add: int) -> None:
        order = self._order(pick)
        if order.status == "Cancelled" or not order.lines:
            return
        line = order.lines[0]
        release = line.releases[0]
        wanted = max(Decimal(1), release.quantity + add)
        self.sandbox.plex.edit_release(order.number, line.number, release.number, quantity=wanted)

    @rule(pick=PICK, days=st.integers(1, 20))
    def edit_date(self, pick: int, days: int) -> None:
        order = self._order(pick)
        if order.status == "Cancelled" or not order.lines:
            return
        line = order.lines[-1]
        release = line.releases[-1]
        due = release.due + timedelta(days=days)
        self.sandbox.plex.edit_release(order.number, line.number, release.number, due=due)

    @rule(pick=PICK)
    def edit_price(self, pick: int) -> None:
        """Only the line's own date moves: no window shows it."""
        order = self._order(pick)
        if order.status != "Cancelled" and order.lines:
            line = order.lines[0]
            self.sandbox.plex.edit_line(order.number, line.number, price=(line.price or Decimal(1)) + 1)

    @rule(pick=PICK)
    def add_line(self, pick: int) -> None:
        order = self._order(pick)
        if order.status == "Cancelled" or not order.lines or order.lines[0].part is None:
            return
        like = order.lines[0]
        new = NewLine(like.part.number, like.unit, Decimal("2.50"), Decimal(7), like.releases[0].due)
        self.sandbox.plex.add_line(order.number, new)

    @rule(pick=PICK)
    def delete_line(self, pick: int) -> None:
        order = self._order(pick)
        if order.status != "Cancelled" and len(order.lines) > 1:
            self.sandbox.plex.delete_line(order.number, order.lines[-1].number)

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        if self._order(pick).status != "Cancelled":
            self.sandbox.plex.cancel(self._order(pick).number)

    @rule(pick=PICK, note=st.sampled_from(["Dock 4", "Call first", None]))
    def edit_note(self, pick: int, note: str | None) -> None:
        order = self._order(pick)
        if order.status != "Cancelled":
            self.sandbox.plex.edit_header(order.number, note=note)

    @rule(pick=st.integers(0, 2), what=st.sampled_from(["quantity", "void", "not void"]))
    def edit_invoice(self, pick: int, what: str) -> None:
        invoice = self.sandbox.plex.tenant.invoices[pick]
        if what == "quantity":
            invoice.lines[0].quantity += 1
        else:
            invoice.void = what == "void"
        invoice.modified = self.sandbox.clock.now()

    # What suppliers do.

    @rule(character=st.sampled_from(CHARACTERS))
    def the_supplier_changes_its_ways(self, character: Character) -> None:
        self.sandbox.set_character("S001", character)

    # What time and the network do.

    @rule(minutes=st.sampled_from([1, 4, 20, 200, 60 * 25]))
    def time_passes(self, minutes: int) -> None:
        self.sandbox.advance(timedelta(minutes=minutes))

    @rule(
        kind=st.sampled_from([FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.THROTTLED]),
        origin=st.sampled_from(["plex", "stedi", "stedi", "documents"]),
        path=st.sampled_from(["", "generate-edi"]),
        times=st.sampled_from([1, 6]),
    )
    def something_goes_wrong(self, kind: FaultKind, origin: str, path: str, times: int) -> None:
        self.sandbox.inject(FaultRule(kind, origin=origin, path=path if origin == "stedi" else "", times=times))

    @rule(pick=st.integers(0, 50))
    def an_answer_comes_again(self, pick: int) -> None:
        stedi = self.sandbox.stedi
        came = [e for e in stedi.executions.values() if e.direction == "INBOUND" and e.status == "COMPLETED"]
        if came:
            execution = came[pick % len(came)]
            text = stedi.files.contents[f"{execution.id}-input"][1].decode()
            stedi.receive(text, partnership=execution.partnership)

    # What runs.

    @rule(stage=st.sampled_from(["run", "run", "run", "poll", "submit", "ingest"]))
    def cron(self, stage: str) -> None:
        self._command(_STAGES[stage])
        if not self.copy.exists():
            self.someone_copies_the_state()

    @rule(kind=st.sampled_from(["commit", "before", "after"]), number=st.integers(1, 60))
    def cron_dies(self, kind: str, number: int) -> None:
        self.trap.kind, self.trap.left = kind, number
        self._command(_STAGES["run"])
        self.trap.left = 0

    @rule(number=st.integers(1, 60))
    def another_run_begins_meanwhile(self, number: int) -> None:
        self.intruder = number
        self._command(_STAGES["run"])
        self.intruder = 0

    @rule(hours=st.sampled_from([-30, -2, 2, 30]))
    def this_servers_clock_is_wrong(self, hours: int) -> None:
        self.skew = timedelta(hours=hours)

    @rule()
    def this_servers_clock_is_right_again(self) -> None:
        self.skew = timedelta(0)

    @rule(pick=st.integers(0, 50))
    def a_person_reads_an_answer_again(self, pick: int) -> None:
        if not self.state.exists():
            return
        store = Store.open_to_read(self.state)
        try:
            known = [
                i.transaction_id for i in store.inbox.in_state(*InboxState) if store.inbox.document(i.transaction_id)
            ]
        finally:
            store.close()
        if known:
            self._command(lambda session: replay_acknowledgment(session, known[pick % len(known)], "look again"))

    @rule(pick=st.integers(0, 50), accept=st.booleans())
    def a_person_decides_about_an_answer(self, pick: int, accept: bool) -> None:
        def act(session: Session) -> None:
            asked = [r for r in session.store.reviews.open_items() if r.kind in ABOUT_ANSWERS]
            if asked:
                decide(session, asked[pick % len(asked)].id, accept=accept, reason="so be it")

        if self.state.exists():
            self._command(act)

    @rule(pick=PICK, purpose=st.sampled_from([None, "05", "07", "15"]), queue=st.booleans())
    def a_person_sends_an_order_again(self, pick: int, purpose: str | None, queue: bool) -> None:
        def act(session: Session) -> None:
            records = session.store.orders.by_number(self._order(pick).number)
            documents = session.store.documents.of_order(records[0].id) if records else []
            if documents:
                one = plan(session, documents[-1], purpose)
                self.replayed.add(one.new.file_name)
                replay(session, [one], "they lost it", queue=queue)

        if self.state.exists():
            self._command(act)

    @rule()
    def someone_copies_the_state(self) -> None:
        if self.state.exists():
            shutil.copy(self.state, self.copy)

    @rule()
    def the_copy_is_put_back(self) -> None:
        """An old state: its runs send nothing; then it is recovered, and what differs is sent again by a person."""
        if not self.copy.exists():
            return
        self.sandbox.faults.clear()
        self.sandbox.advance(timedelta(minutes=1))
        for old in self.place.glob("state.sqlite3*"):
            if old.suffix in (".sqlite3-wal", ".sqlite3-shm"):
                old.unlink()
        shutil.copy(self.copy, self.state)
        self.delivered.clear()
        before = len(self.sandbox.generated())
        self._command(_STAGES["run"])
        names = Counter(document.filename for document in self.sandbox.generated()[before:])
        assert not {n for n in names if n in {d.filename for d in self.sandbox.generated()[:before]}}
        self._recover()

    def _recover(self) -> None:
        def act(session: Session) -> None:
            import_streams(session, find_streams(session))

        self._command(act)

    def _command(self, act: Callable[[Session], object]) -> None:
        """One command from beginning to end, or to the point where it dies."""
        clock = Skewed(self.sandbox.clock, self.skew)
        variables = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(self.sandbox).items()}
        around = opening.Surroundings(self.config, Secrets.of(variables, clock), self.state, clock)
        with self._lock():
            try:
                session = opening.open_session(around, dry_run=False)
            except Crash:
                return
            try:
                with contextlib.suppress(PlexStediError):
                    act(session)
                self.trap.left = 0
            except Crash:
                pass
            finally:
                session.services.close()
                session.store.close()

    # What must hold.

    @invariant()
    def no_slot_was_used_twice(self) -> None:
        slots = Counter(document.filename.rsplit("_", 1)[0] for document in self.sandbox.stedi.documents)
        assert [slot for slot, times in slots.items() if times > 1] == []

    @invariant()
    def no_order_says_the_same_twice_in_a_row(self) -> None:
        said: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for document in self.sandbox.stedi.documents:
            fields = document.filename.removesuffix(".edi").split("_")
            said[fields[4]].append((fields[8], document.filename in self.replayed))
        for number, marks in said.items():
            again = [one for one, (mark, wanted) in pairwise(marks) if one[0] == mark and not wanted]
            assert again == [], (number, marks)

    @invariant()
    def plex_has_no_acknowledgment_record_twice(self) -> None:
        records = Counter((r.release_id, r.note, r.date) for r in self.sandbox.plex.acknowledgements)
        assert [record for record, times in records.items() if times > 1] == []

    @invariant()
    def what_was_delivered_stays_delivered(self) -> None:
        if not self.state.exists():
            return
        store = Store.open_to_read(self.state)
        try:
            now = {d.id for d in store.documents.all() if d.state in ("delivered", "withdrawn")}
        finally:
            store.close()
        assert self.delivered <= now
        self.delivered = now

    def teardown(self) -> None:
        try:
            self._to_the_end()
        finally:
            self._undo.close()
            self._folder.cleanup()

    def _to_the_end(self) -> None:
        """Nothing goes wrong any more: all that was left is done, and nothing was lost."""
        self.skew = timedelta(0)
        self.sandbox.faults.clear()
        self.trap.left = 0
        self.sandbox.advance(timedelta(hours=25))
        for _ in range(4):
            for _ in range(3):
                self._command(_STAGES["run"])
                self.sandbox.advance(timedelta(hours=2))
            if not self._replace_what_differs():
                break
        self._command(_STAGES["run"])
        self.no_slot_was_used_twice()
        self.no_order_says_the_same_twice_in_a_row()
        store = Store.open_to_read(self.state)
        try:
            self._nothing_is_lost(store)
            assert store.audit.verify() is None
        finally:
            store.close()

    def _replace_what_differs(self) -> bool:
        """A person settles what `recover` could not: the order as it is now goes out in place of what was sent."""
        store = Store.open_to_read(self.state)
        try:
            differs = [r for r in store.reviews.open_items() if r.kind is ReviewKind.RECOVERED_DIFFERS]
            last = [store.documents.of_order(r.order_id or "")[-1].id for r in differs]
        finally:
            store.close()

        def act(session: Session) -> None:
            for document_id in last:
                with contextlib.suppress(PlexStediError):
                    one = plan(session, session.store.documents.get(document_id), "05")
                    self.replayed.add(one.new.file_name)
                    replay(session, [one], "as Plex has it", queue=False)

        if last:
            self._command(act)
        return bool(last)

    def _nothing_is_lost(self, store: Store) -> None:
        waiting = {review.order_number for review in store.reviews.open_items()}
        for order in self.sandbox.plex.tenant.orders:
            (record,) = store.orders.by_number(order.number) or (None,)
            if record is None:
                assert order.status == "Cancelled", f"{order.number} was never read"
                continue
            if record.untraded or order.number in waiting:
                continue
            documents = store.documents.of_order(record.id)
            assert record.up_to_date == record.latest, f"{order.number} has changes that nobody hears of"
            if not documents:
                continue
            last = store.documents.last_sent_document(record.id)
            assert last is not None
            assert last.state.is_final, (order.number, last.state)
            if order.status == "Cancelled":
                continue
            told = {line.line: line.quantity for line in store.documents.sent(last.id).lines if line.quantity}
            held = {ln.number: sum((r.quantity for r in ln.releases), Decimal(0)) for ln in order.lines}
            assert told == held, order.number
        known = {inbound.transaction_id: inbound.state for inbound in store.inbox.in_state(*InboxState)}
        for transaction in self.sandbox.stedi.processed:
            if transaction.execution.direction == "INBOUND":
                state = known.get(transaction.id)
                assert state not in (None, InboxState.LISTED, InboxState.STORED), transaction.id
        assert store.writes.count_open() == 0
        self._plex_says_what_was_confirmed(store, waiting)
        for invoice in self.sandbox.plex.tenant.invoices:
            (record,) = store.invoices.by_number(invoice.number)
            documents = store.documents.of_order(record.stream)
            assert documents or invoice.void or invoice.number in waiting, invoice.number
            assert all(document.is_closed for document in documents), invoice.number

    def _plex_says_what_was_confirmed(self, store: Store, waiting: set[str | None]) -> None:
        """Of every order that waits for nobody, each line's confirmed quantity stands in Plex."""
        if self.write != "custom-fields":
            return
        for order in self.sandbox.plex.tenant.orders:
            records = store.orders.by_number(order.number)
            if not records or order.status == "Cancelled" or order.number in waiting:
                continue
            keys = {line.number: line.id for line in order.lines}
            for _, outcome in store.inbox.lines(records[0].id):
                if outcome.applies and outcome.line in keys:
                    held = self.sandbox.plex.custom_of("PurchaseOrderLineItem", keys[outcome.line])
                    assert held.get("EDI_Confirmed_Qty") == outcome.confirmed, (order.number, outcome.line)


_STAGES: dict[str, Callable[[Session], object]] = {
    "run": lambda session: run(session, []),
    "poll": poll,
    "submit": submit,
    "ingest": ingest,
}


class MorningOfReleases(Morning):
    write = "releases"


class MorningOfRecords(Morning):
    write = "datasource"


def play(machine: type[Morning], *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
            derandomize=True,
            database=None,
        ),
    )


def test_whatever_happens_nothing_is_sent_twice_and_nothing_is_lost() -> None:
    play(Morning, examples=10, steps=14)


@pytest.mark.long
@pytest.mark.parametrize("machine", [Morning, MorningOfReleases, MorningOfRecords])
def test_whatever_happens_for_long_nothing_is_sent_twice_and_nothing_is_lost(machine: type[Morning]) -> None:
    play(machine, examples=40, steps=30)
