"""Customer invoices through data sources: the same as through Connect, each changed one once, none cut short."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import UnreadableInvoice, Window
from plexstedi.plex.settings import DataSourceMap
from tests.plex.datasource.conftest import tables
from tests.plex.rest.test_invoices import invoice_row
from tests.plex.rest.test_invoices import line_row as rest_line

WINDOW = Window(datetime(2026, 11, 19, 12, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
HEADER = {
    "Invoice_Link": 41,
    "Invoice_No": "100455",
    "Customer": "BIGOEM",
    "Invoice_Date": "2026-11-19T05:00:00Z",
    "Created_Date": "2026-11-19T20:00:00Z",
    "Updated_Date": "2026-11-19T20:05:00Z",
    "Booked": True,
    "Void": False,
    "PO_No": "4500012345",
    "Currency": "USD",
    "Terms": "Net 45",
    "Due_Date": "2027-01-03T05:00:00Z",
    "Amount": 12500.0,
}
LINE = {
    "Invoice_Link": 41,
    "Line_No": 1,
    "Quantity": 500.0,
    "Unit_Price": 25.0,
    "Unit": "Ea",
    "Amount": 12500.0,
    "Part_No": "B-100",
    "Description": "Bracket assy",
    "Offset": 0,
    "Tax": None,
    "Tax_Amount": None,
}


def with_invoices(**more: Any) -> dict[str, DataSourceMap]:
    window = {"begin": "Begin_Date", "end": "End_Date"}
    columns = {
        "invoice": "Invoice_Link",
        "number": "Invoice_No",
        "customer": "Customer",
        "invoice_date": "Invoice_Date",
        "created_at": "Created_Date",
        "modified_at": "Updated_Date",
        "booked": "Booked",
        "void": "Void",
        "customer_order": "PO_No",
        "currency": "Currency",
        "terms": "Terms",
        "due": "Due_Date",
        "total": "Amount",
    }
    lines = {
        "invoice": "Invoice_Link",
        "line": "Line_No",
        "quantity": "Quantity",
        "price": "Unit_Price",
        "unit": "Unit",
        "amount": "Amount",
        "part": "Part_No",
        "description": "Description",
        "offset": "Offset",
        "tax": "Tax",
        "tax_amount": "Tax_Amount",
    }
    return tables() | {
        "invoices": DataSourceMap(21287, window, columns, **more),
        "invoice_lines": DataSourceMap(735, {"invoice": "Invoice_Link"}, lines),
    }


@pytest.fixture
def invoicing(make_sources):
    """One invoice with a line, and what Plex says of it changed by a test."""

    def make(headers=(HEADER,), lines=(LINE,), **more):
        fake, plex = make_sources(tables=with_invoices(**more))
        fake.put(21287, list(headers))
        fake.put(735, list(lines))
        return fake, plex

    return make


def without_ids(invoice: Invoice) -> Invoice:
    lines = tuple(replace(line, id="") for line in invoice.lines)
    return replace(invoice, id="", lines=lines)


def test_an_invoice_is_the_same_as_through_connect_but_for_plexs_ids(make_plex, invoicing):
    fake, connect = make_plex()
    fake.put("/accounting/v1/ar-invoices", [invoice_row(lines=[rest_line()])])
    _, plex = invoicing()
    (theirs,), (ours,) = connect.touched_invoices(WINDOW), plex.touched_invoices(WINDOW)
    assert isinstance(theirs, Invoice)
    assert isinstance(ours, Invoice)
    assert ours.id == "41"
    assert without_ids(ours) == without_ids(theirs)
    assert invoice_fingerprint(without_ids(ours)) == invoice_fingerprint(without_ids(theirs))


def test_only_invoices_changed_in_the_window_cost_a_call_and_a_late_booking_is_seen(invoicing):
    old = HEADER | {"Invoice_Link": 7, "Created_Date": "2026-11-01T08:00:00Z", "Updated_Date": "2026-11-02T08:00:00Z"}
    late = old | {"Invoice_Link": 8, "Invoice_No": "100300", "Updated_Date": "2026-11-19T21:00:00Z"}
    fake, plex = invoicing([old, late, HEADER])
    fake.rows[735] = lambda inputs: [LINE | {"Invoice_Link": int(inputs["Invoice_Link"])}]
    assert [one.number for one in plex.touched_invoices(WINDOW)] == ["100455", "100300"]
    (asked,) = fake.calls(21287)
    assert asked == {"Begin_Date": "2026-10-15T12:00:00Z", "End_Date": "2026-11-20T00:00:00Z"}
    assert [each["Invoice_Link"] for each in fake.calls(735)] == ["41", "8"]


@pytest.mark.parametrize(
    ("booked", "void", "wanted"),
    [
        (True, False, (True, False)),
        ("1", "0", (True, False)),
        ("2026-11-19T20:05:00Z", None, (True, False)),
        (None, "", (False, False)),
        ("", "2026-11-20T00:00:00Z", (False, True)),
    ],
)
def test_booked_and_void_are_flags_or_the_date_since_when(invoicing, booked, void, wanted):
    _, plex = invoicing([HEADER | {"Booked": booked, "Void": void}])
    (one,) = plex.touched_invoices(WINDOW)
    assert isinstance(one, Invoice)
    assert (one.booked, one.void) == wanted


def test_lines_keep_their_sequence_offsets_are_left_out_and_a_tax_is_the_lines(invoicing):
    second = LINE | {"Line_No": 10, "Part_No": "B-200", "Tax": "MI-6", "Tax_Amount": 6.0}
    third = LINE | {"Line_No": 9, "Part_No": "B-150"}
    _, plex = invoicing(lines=[second, LINE | {"Line_No": 3, "Offset": 1}, third, LINE])
    (one,) = plex.touched_invoices(WINDOW)
    assert isinstance(one, Invoice)
    assert [line.part and line.part.number for line in one.lines] == ["B-100", "B-150", "B-200"]
    assert [(tax.name, int(tax.amount)) for tax in one.lines[2].taxes] == [("MI-6", 6)]


@pytest.mark.parametrize(
    ("header", "line", "word"),
    [
        ({"Booked": "perhaps"}, {}, "booked"),
        ({"Invoice_Date": None}, {}, "transactionDate"),
        ({"Updated_Date": "yesterday"}, {}, "modifiedDate"),
        ({}, {"Quantity": None}, "quantity"),
        ({}, {"Tax_Amount": "1_0"}, "taxAmount"),
    ],
)
def test_an_invoice_that_cannot_be_read_is_named_and_others_go_on(invoicing, header, line, word):
    fake, plex = invoicing([HEADER | header, HEADER | {"Invoice_Link": 42, "Invoice_No": "100456"}])
    fake.rows[735] = lambda inputs: [LINE | (line if inputs["Invoice_Link"] == "41" else {"Invoice_Link": 42})]
    bad, good = plex.touched_invoices(WINDOW)
    assert isinstance(bad, UnreadableInvoice)
    assert word in bad.reason
    assert "[plex.datasources]" in bad.fix
    assert bad.number == "100455"
    assert isinstance(good, Invoice)


def test_lines_of_another_invoice_are_an_ignored_input(invoicing):
    _, plex = invoicing(lines=[LINE, LINE | {"Invoice_Link": 99}])
    with pytest.raises(ServiceRefused, match=r"invoice_lines.*ignored its input Invoice_Link"):
        plex.touched_invoices(WINDOW)


def test_an_invoice_whose_lines_plex_cuts_short_is_not_used(invoicing):
    fake, plex = invoicing(lines=[LINE, LINE | {"Line_No": 2}])
    fake.limit = 1
    with pytest.raises(ServiceUnavailable, match=r"735 \(\[plex.datasources.invoice_lines\]\) has more rows"):
        plex.touched_invoices(WINDOW)
