"""No statement of the state reads a whole table that grows: what a run costs does not grow with the years.

Every call by which `plexstedi/state` reaches the database is found in its source, and each of them must have been seen
here: all methods are called on a state with something in it, with and without each optional argument. SQLite then says
how it would answer each statement (`EXPLAIN QUERY PLAN`), and the statements of triggers likewise.
"""

from __future__ import annotations

import ast
import inspect
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

import plexstedi.state
from plexstedi.edi.inbound.outcome import Reconciliation
from plexstedi.edi.order import Supplier
from plexstedi.edi.reasons import Reason
from plexstedi.edi.writeback.plan import WritePlan
from plexstedi.errors import PlexStediError
from plexstedi.state.cursors import Fact
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.faults import OpenFault
from plexstedi.state.file.database import Database
from plexstedi.state.file.retention import drop_contents
from plexstedi.state.inbox import InboxState
from plexstedi.state.orders import Work
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.statistics import DocumentStatus, Statistics
from plexstedi.state.store import Store, altered_payload
from plexstedi.state.subject import of_document, of_stream

from .conftest import NOW, a_document, an_order, brought_to, keep_order
from .test_inbox import listed, outcome
from .test_invoices import an_invoice

FOLDER = Path(plexstedi.state.__file__).parent
SOURCES = (
    *sorted(FOLDER.glob("*.py")),
    *sorted(set((FOLDER / "reporting").glob("*.py")) - {FOLDER / "reporting" / "names.py"}),
    FOLDER / "file" / "retention.py",
)
"""Without `names.py`, which asks a connection of its own, for a shell that does not wait."""
REACH = {"execute", "insert", "rows", "row", "number"}

SMALL = {
    "memory": "one row per fact, and one per day of the last year",
    "legal_moves": "fixed",
    "poll_work": "orders to be read, gone once they are read",
    "suppliers": "one row per supplier",
    "unforeseen": "held records only",
    "standing_faults": "faults until they end",
    "order_counts": "one row per supplier and phase",
    "invoice_counts": "one row per customer",
    "document_counts": "one row per supplier and combination of states",
    "inbox_counts": "one row per transaction set",
    "line_counts": "one row per supplier and state",
    "latest_times": "one row per column",
}
"""Tables that do not grow with what is finished."""
OF_OPEN = {
    "orders_open",
    "orders_not_up_to_date",
    "invoices_not_up_to_date",
    "one_unsettled_document",
    "documents_to_recompute",
    "documents_without_997",
    "documents_not_acknowledged",
    "witnesses_without_document",
    "writes_not_seen",
    "one_open_write",
    "reviews_open",
    "one_open_review",
}
"""Partial indexes that hold only what is open: they may be read whole."""
BY_STATE = {
    "DocumentSearch.in_state": "asked for states that documents leave, or that are a person's",
    "Inbox.in_state": "asked for states that transactions leave, or that are a person's",
    "DocumentSearch.orders_not_final": "states that documents leave",
    "DocumentSearch.unconfirmed": "states that documents leave; few are refused",
    "DocumentSearch.with_open_deadlines": "of those under way only",
    "DocumentSearch.last_that_stedi_has": "its last entry only",
    "drop_contents": "once a day",
    "PageStatistics.responses": "a few days of it: the page reads earlier ones from their records",
}
"""Functions that may use the index of all states, in which finished rows are, too."""
EXCEPTIONS = {
    "Orders.all": "`recover` compares every order, and `replay` of an unknown number names near ones",
    "DocumentSearch.all": "the demo only, on a state of its own",
    "Statistics.order_numbers": "a number that is not found: near ones are named",
    "Invoices.numbers": "a number that is not found: near ones are named",
    "Documents.any": "its first row only",
    "Audit.append": "the last row only",
    "Audit._rows": "`audit export` reads the whole trail, a thousand events at a time",
    "Audit.verify": "reads the whole trail, a thousand events at a time",
    "drop_contents": "once a day",
}
"""Functions that may read a whole table, and why."""

Seen = dict[str, tuple[tuple[object, ...], str]]


@pytest.fixture
def statements(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[Seen, set[tuple[str, int]]]:
    """Each statement that was seen with its parameters and function, and the lines of code that led to it."""
    seen: Seen = {}
    lines: set[tuple[str, int]] = set()

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Database, sql: str, parameters: Sequence[object] = ()) -> Any:
            frame, first = sys._getframe(1), ""
            while frame is not None and frame.f_code.co_filename.startswith(str(FOLDER)):
                if not frame.f_code.co_filename.endswith("database.py"):
                    name = frame.f_code.co_qualname
                    first = name if not first or first.rpartition(".")[2].startswith("_") else first
                    lines.add((frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back  # type: ignore[assignment]
            if first:
                seen.setdefault(sql, (tuple(parameters), first))
            return real(self, sql, parameters)

        return call

    for name in ("execute", "insert", "rows", "row"):
        monkeypatch.setattr(Database, name, watched(getattr(Database, name)))
    fill(store)
    call_all(store)
    return seen, lines


def fill(store: Store) -> None:
    """One of each, in states that lead into each branch."""
    keep_order(store, an_order())
    keep_order(store, an_order(quantity="120"))
    store.orders.set_supplier(Supplier(id="s1", code="ACME01", name="Acme"))
    store.orders.set_untraded("id-PO-1001", False)
    for number, state in (("PO-2", DocumentState.DELIVERED), ("PO-3", DocumentState.SENDING)):
        brought_to(store, state, number)
    sent = store.documents.last_of_order("id-PO-2")
    assert sent is not None
    store.inbox.list_one(listed("t1"), NOW)
    store.inbox.store("t1", b"{}", "guide-json", "hash")
    store.inbox.assign("t1", order_id="id-PO-2", document_id=sent.id, type_code="AD", dated=None, content_hash="hash")
    store.inbox.set_lines("id-PO-2", "id-PO-2", [outcome(20)])
    said = Reconciliation(set_id="855", order_number="PO-2", type_code="AD", lines=(outcome(20),))
    for _ in range(2):
        store.inbox.set_outcome("t1", said)
        store.inbox.set_lines("id-PO-2", "id-PO-2", [outcome(20)])
    store.invoices.record(an_invoice(), now=NOW, known=False, untraded=False)
    store.receipts.record("r1", "id-PO-1001", "l1", Decimal(1), NOW)
    store.reviews.open(ReviewKind.ORDER_HELD, of_stream("s"), (), NOW, supplier="ACME01", order_id="id-PO-1001")
    store.unforeseen.hold("record", "mark", "1", NOW)
    store.faults.fail("order X", "code", "message", "fix", NOW, stage="poll")
    store.faults.stage_failed("poll", "key", "code", "message", "fix", NOW)
    store.faults.reported(store.faults.open_faults(), NOW)
    for name in ("PO-2-1.edi", "unknown.edi"):
        store.executions.record(ExecutionRecord(f"exec {name}", name, "us_acme", "OUTBOUND", "SUCCESS", NOW, None))
    store.audit.append(NOW, "plexstedi", "order-seen", of_stream("s"), order_id="id-PO-2")
    store.audit.append(NOW, "plexstedi", "attempt-begun", of_document(sent.id), sha256="0")
    store.audit.append(NOW, "plexstedi", "transaction-stored", of_stream("transaction t1"), sha256="0")


_GIVEN: dict[str, object] = {
    "accept": True,
    "by": "me",
    "business": BusinessStatus.CONFIRMED,
    "changes": (),
    "content": "{}",
    "decisions": {"10": "accept"},
    "document": b"{}",
    "document_id": 1,
    "fact": Fact.TENANT,
    "fault": OpenFault("place", "", "code", NOW, "message", "fix"),
    "faults": (),
    "ids": (1,),
    "kind": ReviewKind.ORDER_HELD,
    "limit": 10,
    "line": 10,
    "listed": listed("t9"),
    "marks": {},
    "new": a_document("PO-2", 7),
    "now": NOW + timedelta(hours=1),
    "number": "PO-2",
    "numbers": (10,),
    "order": an_order("PO-2", "130"),
    "invoice": an_invoice(void=True),
    "order_id": "id-PO-2",
    "outcome": Reconciliation(set_id="855", order_number="PO-2", type_code="AD", lines=(outcome(),)),
    "outcomes": (outcome(),),
    "plan": WritePlan(order_id="id-PO-2", order_number="PO-2"),
    "reason": "reason",
    "reasons": (Reason(code="x", where="order", message="m", fix="f"),),
    "record": "order X",
    "record_id": "id-PO-2",
    "review_id": 1,
    "revision": 1,
    "state": DocumentState.WITHDRAWN,
    "states": InboxState.STORED,
    "status": FunctionalStatus.ACCEPTED,
    "stream": "id-PO-2",
    "subject": of_stream("s"),
    "supplier": "ACME01",
    "transaction_id": "t1",
    "transactions": ("t1",),
    "work": (Work("id-PO-2", "PO-2", "window"),),
    "write_id": 1,
    "execution": ExecutionRecord("exec-9", "x.edi", "us_acme", "OUTBOUND", "SUCCESS", NOW, None),
}
"""Arguments by name, where their type does not say enough."""


_LISTED: dict[str, tuple[object, ...]] = {
    "DocumentSearch.in_state": (DocumentState.SENDING, DocumentState.FROZEN),
    "Inbox.in_state": (InboxState.STORED, InboxState.WAITING),
    "Cursors.latest_time": (NOW,),
}


def call_all(store: Store) -> None:
    """Every public function, with each optional argument given and not; what each did is taken back."""
    document = store.documents.last_of_order("id-PO-2")
    sending = store.documents.last_of_order("id-PO-3")
    assert sending is not None
    holders = [
        *(each for name, each in vars(store).items() if name != "database"),
        Statistics(store.database),
    ]
    for holder in holders:
        for name, function in inspect.getmembers(holder, inspect.ismethod):
            if not name.startswith("_"):
                function = partial(function, *_LISTED.get(function.__qualname__, ()))
                for given in _arguments(function):
                    _and_back(store, function, {**given, **({"document": document} if name == "begin_attempt" else {})})
    _and_back(store, lambda: drop_contents(store.database, NOW + timedelta(days=900)), {})
    _and_back(store, lambda: altered_payload(store), {})
    scripts: tuple[Callable[[], object], ...] = (
        lambda: store.reviews.open(ReviewKind.ORDER_HELD, of_stream("s"), _GIVEN["reasons"], NOW),  # type: ignore[arg-type]
        lambda: [store.orders.revision("id-PO-1001", 1), keep_order(store, an_order("PO-NEW"))],
        lambda: store.invoices.revision("i1", 1),
        lambda: store.documents.accept(
            sending.id, NOW, file_execution_id="e", interchange_control=1, group_control=1, x12="ST*850~"
        ),
        lambda: store.faults.stage_failed("poll", "another", "code", "message", "fix", NOW),
        lambda: [store.faults.stage_failed("new", "key", "c", "m", "f", NOW), store.faults.stage_succeeded("new", NOW)],
        lambda: store.faults.stage_succeeded("poll", NOW, began=NOW + timedelta(hours=1)),
        lambda: [store.faults.stage_succeeded("poll", NOW), store.faults.reported(store.faults.ended(), NOW)],
    )
    for script in scripts:
        _and_back(store, script, {})


def _and_back(store: Store, function: Callable[..., object], given: dict[str, object]) -> None:
    with suppress(_Back), store.transaction():
        with suppress(KeyError, ValueError, sqlite3.IntegrityError, PlexStediError, StopIteration):
            found = function(**given)
            if isinstance(found, Iterator):
                list(found)
        raise _Back


class _Back(Exception):
    """Takes the transaction back."""


def _arguments(function: Callable[..., object]) -> Iterator[dict[str, object]]:
    """The arguments by name; optional ones with None and without."""
    choices: list[list[tuple[str, object]]] = []
    for name, parameter in inspect.signature(function).parameters.items():
        written = str(parameter.annotation)
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        value = _value(name, written)
        choices.append([(name, value), (name, None)] if "None" in written else [(name, value)])
        if written == "DocumentStatus":
            choices[-1] = [(name, column) for column in get_args(DocumentStatus)]
        if written == "bool":
            choices[-1].append((name, False))
    for chosen in product(*choices):
        yield dict(chosen)


def _value(name: str, written: str) -> object:
    if "ReviewKind" in written:
        return ReviewKind.ORDER_HELD
    if written.startswith("BusinessStatus"):
        return BusinessStatus.CONFIRMED
    if written.startswith("InboxState"):
        return InboxState.HELD
    if written.startswith("LineOutcome"):
        return outcome()
    if written.startswith("Supplier"):
        return Supplier(id="s1", code="ACME01", name="Acme")
    if written == "str" and name in ("document", "kind", "order", "subject", "state", "outcome", "reason", "status"):
        return "text"
    if name == "excluding":
        return () if "Collection" in written else "t2" if written == "str" else 0
    if name in _GIVEN:
        return _GIVEN[name]
    if "datetime" in written:
        return NOW
    if written == "date":
        return NOW.date()
    if written.startswith("int"):
        return 1
    if written.startswith("bool"):
        return True
    if "Decimal" in written:
        return Decimal(1)
    return "text"


def test_every_call_that_reaches_the_database_is_seen(statements: tuple[Seen, set[tuple[str, int]]]) -> None:
    _, lines = statements
    trees = {source: ast.parse(source.read_text()) for source in SOURCES}
    missed = [
        f"{source.name}:{call.lineno} {ast.unparse(call)[:100]}"
        for source, tree in trees.items()
        for call in _calls(tree, REACH | _helpers(tree))
        if not any((str(source), line) in lines for line in range(call.lineno, (call.end_lineno or call.lineno) + 1))
    ]
    assert missed == []


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def _helpers(tree: ast.AST) -> set[str]:
    """Private methods by which statements reach the database, directly or through another."""
    found: set[str] = set()
    while True:
        more = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and node.name.startswith("_")
            # What a generator does, its caller is not there to see.
            and not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
            and any(True for _ in _calls(node, REACH | found))
        }
        if more <= found:
            return found
        found |= more


def test_no_statement_reads_a_whole_table_that_grows(
    store: Store, statements: tuple[Seen, set[tuple[str, int]]]
) -> None:
    seen, _ = statements
    wrong = [
        (function, scan, sql)
        for sql, (parameters, function) in seen.items()
        if function not in EXCEPTIONS
        for scan in scans(store, sql, parameters)
    ]
    assert wrong == []


def test_the_index_of_all_states_is_used_for_states_that_end_only(
    store: Store, statements: tuple[Seen, set[tuple[str, int]]]
) -> None:
    seen, _ = statements
    using = {
        function.partition(".<locals>")[0]
        for sql, (parameters, function) in seen.items()
        for row in store.database.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)
        if "_by_state" in row["detail"]
    }
    assert using == set(BY_STATE)


def test_every_exception_is_still_one(store: Store, statements: tuple[Seen, set[tuple[str, int]]]) -> None:
    seen, _ = statements
    scanning = {function for sql, (given, function) in seen.items() if any(True for _ in scans(store, sql, given))}
    assert scanning == set(EXCEPTIONS)


def test_no_trigger_reads_a_whole_table_that_grows(store: Store) -> None:
    wrong = []
    for row in store.database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"):
        body = re.search(r"\bBEGIN\b(.*)\bEND\b", row["sql"], re.DOTALL)
        assert body is not None
        for statement in filter(str.strip, re.sub(r"\b(NEW|OLD)\.\w+", "'x'", body[1]).split(";")):
            if "RAISE" not in statement:
                wrong += [(row["name"], scan) for scan in scans(store, statement, ())]
    assert wrong == []


def scans(store: Store, sql: str, parameters: Sequence[object]) -> Iterator[str]:
    """Steps of the plan that read a whole table, or a whole index, of what is finished."""
    for row in store.database.rows(f"EXPLAIN QUERY PLAN {sql}", tuple(parameters)):
        detail = str(row["detail"])
        found = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
        table = None if found is None else _table(found[1], sql)
        if "rowid>" in detail or (found and table not in SMALL and table is not None and found[2] not in OF_OPEN):
            yield detail


def _table(name: str, sql: str) -> str | None:
    """The table behind an alias; None for what the statement itself makes."""
    alias = re.search(rf"(\w+) AS {name}\b", sql)
    if alias is not None and alias[1] != "SELECT":
        return alias[1]
    made = re.search(rf"\b(?:RECURSIVE|WITH) {name}\b", sql) or name in ("CONSTANT", "json_each")
    return None if made else name


def test_the_search_key_of_a_number_is_one_for_all_that_are_taken_for_the_same() -> None:
    from plexstedi.edi.order_number import number_key, search_key

    wrong = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if len({search_key(each) for each in (character, character.upper(), character.casefold())}) > 1
    ]
    assert wrong == []
    for number in (" 0012 a", "0012\tA", "12A", number_key("0 0 12 a", uppercase=True), "0012 a".strip().casefold()):
        assert search_key(number) == search_key("12a"), number
