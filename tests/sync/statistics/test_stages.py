"""A buyer sees where each open order stands with its supplier, from its last document alone."""

from __future__ import annotations

import pytest

from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.reporting.page_statistics import OpenOrderCount
from plexstedi.sync.statistics.stages import OrderStage, counted_by_stage, stage_of

D, F, B = DocumentState, FunctionalStatus, BusinessStatus


@pytest.mark.parametrize(
    ("state", "functional", "business", "stage"),
    [
        (None, None, None, OrderStage.NOT_SENT),
        (D.WITHDRAWN, F.NONE, B.NONE, OrderStage.NOT_SENT),
        (D.FROZEN, F.NONE, B.NONE, OrderStage.UNDER_WAY),
        (D.SENDING, F.NONE, B.NONE, OrderStage.UNDER_WAY),
        (D.ACCEPTED, F.NONE, B.NONE, OrderStage.UNDER_WAY),
        (D.ACCEPTED, F.NONE, B.CONFIRMED, OrderStage.CONFIRMED),
        (D.ACCEPTED, F.NONE, B.PARTIAL, OrderStage.AWAITED),
        (D.DELIVERED, F.NONE, B.NONE, OrderStage.AWAITED),
        (D.DELIVERED, F.ACCEPTED, B.PARTIAL, OrderStage.AWAITED),
        (D.DELIVERED, F.ACCEPTED, B.CONFIRMED, OrderStage.CONFIRMED),
        *((D.DELIVERED, F.ACCEPTED, b, OrderStage.DIFFERS) for b in (B.CHANGED, B.BACKORDERED, B.REJECTED, B.HELD)),
        *((d, F.NONE, B.NONE, OrderStage.FAILED) for d in (D.FAILED, D.REFUSED, D.CONFLICT, D.IN_DOUBT)),
        (D.DELIVERED, F.REJECTED, B.NONE, OrderStage.FAILED),
        (D.DELIVERED, F.ACCEPTED_WITH_ERRORS, B.NONE, OrderStage.AWAITED),
    ],
)
def test_the_stage_of_an_order(
    state: DocumentState | None, functional: FunctionalStatus | None, business: BusinessStatus | None, stage: OrderStage
) -> None:
    assert stage_of(state, functional, business) is stage


def test_orders_of_one_stage_are_added_up_whatever_their_documents_say() -> None:
    counts = [
        OpenOrderCount(None, None, None, 3),
        OpenOrderCount(D.DELIVERED, F.NONE, B.NONE, 4),
        OpenOrderCount(D.DELIVERED, F.ACCEPTED, B.PARTIAL, 5),
    ]
    assert counted_by_stage(counts) == {"not sent": 3, "awaiting confirmation": 9}
