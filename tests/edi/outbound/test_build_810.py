"""An invoice states exactly the debt that Plex states, or waits."""

from __future__ import annotations

from datetime import date, time

import pytest

from plexstedi import decimal_json
from plexstedi.edi.invoice import Invoice
from plexstedi.edi.outbound.document import Prepared, prepare_invoice
from plexstedi.edi.reasons import Held
from plexstedi.edi.x12.transaction import Segment
from plexstedi.edi.x12.writing import Envelope, render
from tests.edi.outbound_orders import INVOICES, D, billed, invoice, partner


def _made(made: Invoice) -> Prepared:
    result = prepare_invoice(made, partner(release="005010"))
    assert isinstance(result, Prepared), result
    return result


def _texts(prepared: Prepared, segment_id: str) -> list[list[str | None]]:
    return [
        [s.text(p) for p in range(1, len(s.elements) + 1)] for s in prepared.transaction.walk() if s.id == segment_id
    ]


def test_our_part_is_the_vendors_and_the_customers_is_the_buyers() -> None:
    result = _made(INVOICES["plain"])
    assert _texts(result, "IT1") == [["1", "500", "EA", "25", None, "VP", "B-100", "BP", "C-7"]]
    assert _texts(result, "BIG") == [["2026-11-19", "100455", None, "4500012345"]]
    assert _texts(result, "TDS") == [["12500"]]


def test_the_total_is_given_in_whole_currency_in_json_and_in_cents_on_the_wire() -> None:
    result = _made(INVOICES["taxed"])
    assert '"total_monetary_value_summary_TDS":{"amount_01":45.6}' in decimal_json.dumps(result.guide_json)
    envelope = Envelope("ZZ", "US", "ZZ", "OEM", "US", "OEM", date(2026, 11, 20), time(8), "T")
    assert "TDS*4560~" in render(result.transaction, envelope)


def test_taxes_of_lines_and_invoice_go_as_one_amount() -> None:
    assert _texts(_made(INVOICES["taxed"]), "TXI") == [["TX", "3"]]


def test_ctt_is_a_plain_object_in_an_invoice() -> None:
    summary = _made(INVOICES["plain"]).guide_json["summary"]
    assert isinstance(summary, dict)
    assert summary["transaction_totals_CTT"] == {"number_of_line_items_01": 1}


def test_a_rounded_line_is_billed_as_plex_rounds_it() -> None:
    assert _texts(_made(INVOICES["rounded-line"]), "TDS") == [["1"]]


def test_the_order_date_is_sent_only_if_it_is_known() -> None:
    result = _made(invoice(billed(1, "1", "5"), order_date=date(2026, 10, 1)))
    assert _texts(result, "BIG")[0][2] == "2026-10-01"


def test_a_credit_memo_says_that_it_is_one() -> None:
    begin = _made(INVOICES["credit"]).transaction.heading[0]
    assert isinstance(begin, Segment)
    assert begin.text(7) == "CR"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (invoice(billed(1, "1", "5"), void=True), "invoice-void"),
        (invoice(billed(1, "1", "5"), customer_order=None), "order-number-missing"),
        (invoice(), "invoice-empty"),
        (invoice(billed(1, "1", "5"), total=D("5.01")), "total-differs"),
        (invoice(billed(1, "2", "5", amount=D("9"))), "amount-differs"),
        (invoice(billed(1, "3", "0.333")), "total-not-in-cents"),
        (invoice(billed(1, "1", "5", unit="Pallet")), "unit-unknown"),
        (invoice(billed(1, "1", "5"), number="9" * 23), "too-long"),
    ],
)
def test_an_invoice_that_does_not_add_up_or_cannot_be_said_waits(made: Invoice, code: str) -> None:
    result = prepare_invoice(made, partner())
    assert isinstance(result, Held)
    assert code in [reason.code for reason in result.reasons]
    assert all(reason.fix for reason in result.reasons)


@pytest.mark.parametrize("name", ["Net 30", "NET 30"])
def test_payment_terms_are_found_by_their_name_in_any_case_as_in_an_order(name: str) -> None:
    result = _made(invoice(billed(1, "1", "5"), terms=name))
    assert [row[6] for row in _texts(result, "ITD")] == ["30"]
    assert result.dropped == ()
