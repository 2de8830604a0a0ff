"""An invoice is sent once, when it is booked; what Plex does to it afterwards is a person's."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from plexstedi.edi.invoice import invoice_fingerprint
from plexstedi.edi.outbound.actions import Send810
from plexstedi.edi.outbound.due import DueHeld, Nothing, invoice_due
from tests.edi.outbound_orders import billed, invoice, partner

SENT = invoice(billed(1, "2", "5.00"))


def test_only_a_booked_invoice_that_is_not_void_is_sent() -> None:
    assert invoice_due(None, SENT, partner()) == Send810(SENT)
    for change in ({"booked": False}, {"void": True}):
        assert invoice_due(None, replace(SENT, **change), partner()) == Nothing()


def test_a_number_written_otherwise_or_a_later_time_is_no_change() -> None:
    again = invoice(billed(1, "2.0", "5"), modified_at=datetime(2026, 11, 24, tzinfo=UTC))
    assert invoice_fingerprint(again) == invoice_fingerprint(SENT)
    assert invoice_due(SENT, again, partner()) == Nothing()


def test_what_the_customer_does_not_see_is_no_change() -> None:
    """`terms` without an entry in the settings never goes out."""
    assert invoice_due(SENT, replace(SENT, terms="Net 90"), partner()) == Nothing()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"void": True}, "invoice-voided"),
        ({"booked": False}, "invoice-unbooked"),
        ({"customer_order": "1"}, "invoice-changed"),
        ({"lines": (billed(1, "2", "5.50"),)}, "invoice-changed"),
        ({"total": Decimal("11")}, "invoice-changed"),
    ],
)
def test_a_sent_invoice_that_is_another_now_waits_with_the_fix(change: dict[str, object], code: str) -> None:
    decision = invoice_due(SENT, replace(SENT, **change), partner())
    assert isinstance(decision, DueHeld)
    assert [reason.code for reason in decision.reasons] == [code]
    assert "100455" in decision.reasons[0].message
    assert "credit memo" in decision.reasons[0].fix
