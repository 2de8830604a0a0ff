"""A state file of the test's own, and the shortest order and document to put into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from plexstedi.edi.order import Line, LineState, Order, Part, Phase, Release, ReleaseState
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.document_states import DocumentState
from plexstedi.state.store import Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def an_order(number: str = "PO-1001", quantity: str = "100", **more: object) -> Order:
    """A released order of one line."""
    release = Release(id="r1", number=1, state=ReleaseState.FIRM, quantity=Decimal(quantity), due=date(2026, 12, 1))
    line = Line(
        id="l1",
        number=10,
        state=LineState.OPEN,
        unit="Ea",
        price=Decimal("4.25"),
        part=Part(number="82695"),
        releases=(release,),
    )
    facts: dict[str, object] = {
        "id": f"id-{number}",
        "number": number,
        "supplier_id": "s1",
        "supplier_code": "ACME01",
        "phase": Phase.RELEASED,
        "status_name": "On Order",
        "order_date": date(2026, 11, 20),
        "lines": (line,),
        **more,
    }
    return Order(**facts)  # type: ignore[arg-type]


def a_document(number: str = "PO-1001", counter: int = 1, **more: object) -> NewDocument:
    """An 850 of that order, as it is frozen."""
    line = SentLine(line_id="l1", line=10, quantity=Decimal(100), unit="EA", price=Decimal("4.25"))
    made = NewDocument(
        stream=f"id-{number}",
        order_id=f"id-{number}",
        order_number=number,
        order_release=None,
        supplier="ACME01",
        partnership="us_acme",
        transaction_setting="set-850",
        kind="850",
        purpose="00",
        revision=1,
        change_sequence=0,
        counter=counter,
        idempotency_key=f"key-{number}-{counter}",
        file_name=f"{number}-{counter}.edi",
        route="generate-edi",
        body=b'{"heading": {}}',
        x12="ST*850*0001~",
        sent=SentOrder(number=number, lines=(line,)),
        dropped=("order: FOB left out",),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def keep_order(store: Store, order: Order) -> int | None:
    """Store what was read of an order; its new revision."""
    return store.orders.record(order, marks={}, now=NOW, known=False, baseline=False)


def brought_to(store: Store, state: DocumentState, number: str = "PO-1001", counter: int = 1) -> Document:
    """A document in this state, by the moves that lead there."""
    documents = store.documents
    if store.orders.get(f"id-{number}") is None:
        keep_order(store, an_order(number))
    document = documents.freeze(a_document(number, counter), NOW)
    if state is DocumentState.FROZEN:
        return document
    if state is DocumentState.WITHDRAWN:
        documents.move(document.id, DocumentState.WITHDRAWN, "given up")
        return documents.get(document.id)
    documents.begin_attempt(document, NOW)
    if state in (DocumentState.REFUSED, DocumentState.CONFLICT, DocumentState.IN_DOUBT):
        documents.move(document.id, state, "said so")
    elif state is not DocumentState.SENDING:
        documents.accept(document.id, NOW, file_execution_id="exec-1", interchange_control=7, group_control=7, x12=None)
        if state is DocumentState.DELIVERED:
            documents.deliver(document.id, NOW)
        elif state is DocumentState.FAILED:
            documents.fail(document.id, "connection refused")
    return documents.get(document.id)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path, NOW)
    yield opened
    opened.close()


def tamper(path: Path, *statements: str) -> None:
    """Change the file as someone with a database browser would: triggers switched off first."""
    connection = sqlite3.connect(path)
    try:
        triggers = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()
