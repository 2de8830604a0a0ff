"""Invoices are kept revision by revision, and those of a customer that is new to us are never sent late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from plexstedi.edi.invoice import Invoice, InvoiceLine
from plexstedi.state.invoices import invoice_of_stream, invoice_stream
from plexstedi.state.store import Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def an_invoice(**more: object) -> Invoice:
    line = InvoiceLine(id="l1", number=1, quantity=Decimal(2), unit="Ea", price=Decimal(5))
    facts: dict[str, object] = {
        "id": "i1",
        "number": "100455",
        "customer_id": "",
        "customer_code": "BIGOEM",
        "invoice_date": date(2026, 11, 19),
        "customer_order": "45",
        "lines": (line,),
        **more,
    }
    return Invoice(**facts)  # type: ignore[arg-type]


def put(store: Store, invoice: Invoice, *, untraded: bool = False) -> int | None:
    return store.invoices.record(invoice, now=NOW, known=False, untraded=untraded)


def test_only_a_change_makes_a_revision(store: Store) -> None:
    assert put(store, an_invoice()) == 1
    assert put(store, an_invoice(modified_at=NOW + timedelta(hours=1))) is None
    assert put(store, an_invoice(void=True)) == 2
    assert not store.invoices.revision("i1", 1).void
    assert store.invoices.revision("i1", 2).void
    (record,) = store.invoices.by_number("100455")
    assert (record.latest, record.customer) == (2, "BIGOEM")


def test_an_invoice_that_is_up_to_date_is_examined_again_only_when_it_changes(store: Store) -> None:
    put(store, an_invoice())
    store.invoices.set_up_to_date("i1", 1)
    assert store.invoices.not_up_to_date() == []
    put(store, an_invoice(void=True))
    assert [record.id for record in store.invoices.not_up_to_date()] == ["i1"]
    assert store.invoices.not_up_to_date("100456") == []


def test_a_customer_that_gets_a_table_is_taken_to_have_its_invoices(store: Store) -> None:
    put(store, an_invoice(), untraded=True)
    assert store.invoices.untraded_customers() == [("BIGOEM", 1)]
    assert store.invoices.not_up_to_date() == []
    assert [record.id for record in store.invoices.take_as_known("BIGOEM")] == ["i1"]
    assert store.invoices.untraded_customers() == []
    assert [record.known for record in store.invoices.not_up_to_date()] == [True]


def test_a_stream_of_an_invoice_is_never_that_of_an_order() -> None:
    assert invoice_of_stream(invoice_stream("i1")) == "i1"
    assert invoice_of_stream("i1/10-1") is None
    assert invoice_of_stream(None) is None
