"""Customer invoices are read whole from Plex's accounting, in either dialect, or named with what is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from plexstedi.edi.invoice import Invoice
from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import UnreadableInvoice, Window
from plexstedi.plex.settings import Api

WINDOW = Window(datetime(2026, 11, 19, 12, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))


def tax_row(amount: float) -> dict[str, Any]:
    return {"lineId": "l1", "taxCode": "MI-6", "taxRate": 0.06, "taxAmount": amount, "taxbleAmount": 1.0, "tax": True}


def line_row(line_id: str = "l1", **more: Any) -> dict[str, Any]:
    return {
        "lineId": line_id,
        "description": "Bracket assy",
        "credit": 12500.0,
        "debit": 0.0,
        "unitPrice": 25.0,
        "quantity": 500.0,
        "uoM": "Ea",
        "partNo": "B-100",
        "customerOrderNo": None,
        "offset": None,
        "taxes": [],
    } | more


def invoice_row(invoice_id: str = "i1", **more: Any) -> dict[str, Any]:
    return {
        "id": invoice_id,
        "invoiceNumber": "100455",
        "creditMemo": None,
        "customerId": None,
        "customerCode": "BIGOEM",
        "customerShipToCode": None,
        "customerPONo": "4500012345",
        "transactionDate": "2026-11-19T05:00:00Z",
        "currencyCode": "USD",
        "terms": "Net 45",
        "dueDate": "2027-01-03T05:00:00Z",
        "invoiceNote": None,
        "createdDate": "2026-11-19T20:00:00Z",
        "modifiedDate": "2026-11-19T20:05:00Z",
        "amount": 12500.0,
        "currencyAmount": None,
        "paid": False,
        "void": False,
        "booked": True,
        "lines": [line_row()],
    } | more


@pytest.fixture
def read(make_plex):
    """Serve invoices and read the window."""

    def reading(*rows: dict[str, Any], api: Api = Api.CONNECT, **more: Any):
        fake, plex = make_plex(api, **more)
        fake.put(fake.path("/accounting/v1/ar-invoices", "/ar-invoices"), list(rows))
        return plex.touched_invoices(WINDOW)

    return reading


@pytest.mark.parametrize("api", [Api.CONNECT, Api.OAUTH2])
def test_an_invoice_is_read_with_its_lines_in_either_dialect(read, api):
    (invoice,) = read(invoice_row(), api=api)
    assert isinstance(invoice, Invoice), invoice
    assert (invoice.number, invoice.customer_code, invoice.customer_order) == ("100455", "BIGOEM", "4500012345")
    assert (invoice.invoice_date, invoice.due) == (date(2026, 11, 19), date(2027, 1, 3))
    assert (invoice.booked, invoice.void, invoice.credit, invoice.total) == (True, False, False, Decimal(12500))
    (line,) = invoice.lines
    assert (line.number, line.quantity, line.unit, line.price) == (1, Decimal(500), "Ea", Decimal(25))
    assert (line.amount, line.part.number) == (Decimal(12500), "B-100")


def test_paid_and_void_invoices_are_asked_for_too(make_plex):
    fake, plex = make_plex()
    fake.put("/accounting/v1/ar-invoices", [])
    plex.touched_invoices(WINDOW)
    asked = [dict(call) for call in fake.calls("/accounting/v1/ar-invoices")]
    assert [sorted(call) for call in asked if "modifiedDateBegin" in call] == [
        ["modifiedDateBegin", "modifiedDateEnd", "paid"],
        ["modifiedDateBegin", "modifiedDateEnd", "paid", "void"],
    ]
    assert {call["paid"] for call in asked} == {"3"}
    assert len([call for call in asked if "createdDateBegin" in call]) == 2


def test_an_ignored_filter_is_loud(read):
    with pytest.raises(ServiceRefused, match="modifiedDateBegin"):
        read(invoice_row(modifiedDate="2024-01-01T00:00:00Z"))


def test_an_invoice_seen_twice_is_read_once_as_it_was_last(make_plex):
    fake, plex = make_plex()
    old, new = invoice_row(), invoice_row(modifiedDate="2026-11-19T21:00:00Z", void=True)
    fake.put("/accounting/v1/ar-invoices", [old, new])
    (invoice,) = plex.touched_invoices(WINDOW)
    assert invoice.void


def test_taxes_are_kept_by_line_and_what_only_balances_the_books_is_no_line(read):
    lines = [line_row(taxes=[tax_row(750.0)]), line_row("l2", offset=1, credit=0.0, debit=13250.0, quantity=None)]
    (invoice,) = read(invoice_row(lines=lines, amount=13250.0))
    (line,) = invoice.lines
    assert [tax.amount for tax in line.taxes] == [Decimal(750)]
    assert invoice.total == Decimal(13250)


def test_an_invoice_in_a_foreign_currency_is_read_in_that_currency(read):
    lines = [line_row(currencyCredit=11000.0, currencyDebit=0.0, unitPrice=22.0)]
    (invoice,) = read(invoice_row(lines=lines, currencyCode="EUR", currencyAmount=11000.0))
    assert (invoice.total, invoice.lines[0].amount) == (Decimal(11000), Decimal(11000))


def test_the_order_of_the_lines_stands_for_the_invoice_only_if_they_agree(read):
    lines = [line_row(customerOrderNo="77"), line_row("l2", customerOrderNo="77")]
    (agreed,) = read(invoice_row(customerPONo=None, lines=lines))
    assert agreed.customer_order == "77"
    lines[1]["customerOrderNo"] = "78"
    (differing,) = read(invoice_row(customerPONo=None, lines=lines))
    assert differing.customer_order is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"booked": None}, "booked is missing"),
        ({"createdDate": None}, "createdDate is missing"),
        ({"transactionDate": None}, "transactionDate is missing"),
        ({"amount": "a lot"}, "amount is 'a lot'"),
        ({"lines": [line_row(quantity=None)]}, "lines 1: quantity is missing"),
        ({"lines": [line_row(taxes=[{"taxCode": "MI-6"}])]}, "taxAmount is missing"),
    ],
)
def test_what_cannot_be_read_is_named_and_keeps_nobody_else_back(read, wrong, named):
    bad, good = read(invoice_row("i1", **wrong), invoice_row("i2", invoiceNumber="100456"))
    assert isinstance(bad, UnreadableInvoice)
    assert (bad.number, bad.customer_code) == ("100455", "BIGOEM")
    assert named in bad.reason
    assert "[plex.fields]" in bad.fix
    assert isinstance(good, Invoice)


def test_a_tenant_that_calls_a_field_otherwise_says_so_in_its_configuration(read):
    row = invoice_row()
    row["posted"] = row.pop("booked")
    (invoice,) = read(row, fields={"invoices.booked": "posted"})
    assert isinstance(invoice, Invoice)
    assert invoice.booked
