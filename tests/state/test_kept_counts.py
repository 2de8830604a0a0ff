"""The counts that `status` shows are kept by triggers: always what counting would give."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from sqlite3 import IntegrityError

from plexstedi.edi.inbound.outcome import AckState
from plexstedi.edi.order import Phase
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.store import Store
from tests.older_state import make_older

from .conftest import NOW, a_document, an_order, keep_order
from .test_inbox import listed, outcome
from .test_invoices import an_invoice

COUNTS = {
    "order_counts": "SELECT supplier, phase, untraded, count(*) FROM orders GROUP BY 1, 2, 3",
    "invoice_counts": "SELECT customer, untraded, count(*) FROM invoices GROUP BY 1, 2",
    "document_counts": "SELECT supplier, partnership, kind, state, delivery, functional_ack, business_ack, count(*)"
    " FROM documents GROUP BY 1, 2, 3, 4, 5, 6, 7",
    "inbox_counts": "SELECT set_id, count(*) FROM inbox GROUP BY 1",
    "line_counts": "SELECT supplier, lines.state, count(*) FROM lines JOIN orders ON orders.id = order_id"
    " GROUP BY 1, 2",
}
TIMES = {
    "accepted_at": "SELECT max(accepted_at) FROM documents",
    "received_at": "SELECT max(received_at) FROM inbox",
    "done_at": "SELECT max(done_at) FROM writes",
}


def must_agree(store: Store) -> None:
    for table, counted in COUNTS.items():
        kept = store.database.rows(f"SELECT * FROM {table} WHERE n <> 0")
        assert sorted(map(tuple, kept)) == sorted(map(tuple, store.database.rows(counted))), table
    kept_times = {row["what"]: row["at"] for row in store.database.rows("SELECT * FROM latest_times")}
    for column, asked in TIMES.items():
        row = store.database.row(asked)
        assert row is not None
        assert kept_times.get(column) == row[0], column
    for row in store.database.rows("SELECT * FROM witnesses"):
        assert bool(row["in_ledger"]) == (store.documents.by_file_name(row["file_name"]) is not None)


def test_they_are_right_whatever_happens(store: Store) -> None:
    chance = random.Random(12)
    for step in range(600):
        with suppress(IntegrityError, KeyError):
            one_step(store, chance, step)
        if step % 50 == 0:
            must_agree(store)
    must_agree(store)
    assert len(store.database.rows("SELECT * FROM document_counts WHERE n > 0")) > 5


def one_step(store: Store, chance: random.Random, step: int) -> None:
    number, supplier = f"PO-{chance.randrange(8)}", f"S{chance.randrange(3)}"
    order_id, now = f"id-{number}", NOW + timedelta(minutes=chance.randrange(10_000))
    documents = store.documents.of_order(order_id)
    match chance.randrange(10):
        case 0:
            keep_order(store, an_order(number, supplier_code=supplier, phase=chance.choice(list(Phase))))
        case 1:
            store.orders.set_untraded(order_id, chance.random() < 0.5)
        case 2:
            new = a_document(number, step, supplier=supplier, change_sequence=step, file_name=f"{number}-{step}.edi")
            store.documents.freeze(new, now)
        case 3 if documents:
            store.documents.begin_attempt(documents[-1], now)
            store.documents.accept(
                documents[-1].id, now, file_execution_id="e", interchange_control=1, group_control=1, x12=None
            )
        case 4 if documents:
            store.documents.deliver(documents[-1].id, now)
            store.documents.set_functional(documents[-1].id, chance.choice(list(FunctionalStatus)), blocks=False)
        case 5 if documents:
            store.documents.set_business(documents[-1].id, chance.choice(list(BusinessStatus)))
            store.documents.move(documents[-1].id, DocumentState.WITHDRAWN, "given up")
        case 6:
            store.inbox.list_one(listed(f"t{step}"), now)
            store.inbox.set_set(f"t{chance.randrange(step + 1)}", chance.choice(("855", "865", "997")))
        case 7:
            store.inbox.set_lines(order_id, order_id, [outcome(chance.randrange(5), chance.choice(list(AckState)))])
        case 8:
            store.inbox.keep_lines(order_id, order_id, range(chance.randrange(5)))
            store.invoices.record(
                an_invoice(id=f"i{chance.randrange(9)}", customer_code=supplier),
                now=now,
                known=False,
                untraded=chance.random() < 0.5,
            )
        case _:
            name = f"{number}-{chance.randrange(600)}.edi"
            store.executions.record(ExecutionRecord(f"x{step}", name, None, "OUTBOUND", "SUCCESS", NOW, None))


def test_a_file_of_before_gets_them_counted(store: Store, path) -> None:
    chance = random.Random(5)
    for step in range(200):
        with suppress(IntegrityError, KeyError):
            one_step(store, chance, step)
    store.close()
    make_older(path, 4)
    again = Store.open(path, NOW)
    must_agree(again)
    assert [order.number for order in again.orders.by_number("PO-1")] == ["PO-1"]
    again.close()
