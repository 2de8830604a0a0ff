"""The stage of an open order, from the statuses of its last document. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from plexstedi.state.document import Document
from plexstedi.state.document_states import BusinessStatus, DocumentState, FunctionalStatus
from plexstedi.state.reporting.page_statistics import OpenOrderCount


class OrderStage(StrEnum):
    """How far an open order is with its supplier."""

    CONFIRMED = "confirmed"
    """Every line is confirmed as ordered."""
    DIFFERS = "changed"
    """The supplier changed, backordered or rejected at least one line, or the acknowledgment is held."""
    AWAITED = "awaiting confirmation"
    """Delivered, and at least one line is not acknowledged."""
    UNDER_WAY = "being delivered"
    NOT_SENT = "not sent"
    FAILED = "not delivered"
    """Delivery failed, Stedi refused the document, its outcome is unknown, or the 997 rejects it."""


_FAILED = {DocumentState.FAILED, DocumentState.REFUSED, DocumentState.CONFLICT, DocumentState.IN_DOUBT}
_DIFFERS = {BusinessStatus.CHANGED, BusinessStatus.BACKORDERED, BusinessStatus.REJECTED, BusinessStatus.HELD}


def stage_of(
    state: DocumentState | None, functional: FunctionalStatus | None, business: BusinessStatus | None
) -> OrderStage:
    """The stage by the last document's statuses; without a document the order is not sent."""
    if state is None or state is DocumentState.WITHDRAWN:
        return OrderStage.NOT_SENT
    if state in _FAILED or functional is FunctionalStatus.REJECTED:
        return OrderStage.FAILED
    # An acknowledgment proves that the document arrived, whatever is known of its delivery.
    if business is BusinessStatus.CONFIRMED:
        return OrderStage.CONFIRMED
    if business in _DIFFERS:
        return OrderStage.DIFFERS
    if state is DocumentState.DELIVERED or business is BusinessStatus.PARTIAL:
        return OrderStage.AWAITED
    return OrderStage.UNDER_WAY


def stage_of_last(document: Document | None) -> OrderStage:
    """The stage by the order's last document."""
    if document is None:
        return OrderStage.NOT_SENT
    return stage_of(document.state, document.functional_ack, document.business_ack)


def counted_by_stage(counts: Iterable[OpenOrderCount]) -> dict[str, int]:
    """Number of open orders by stage, without stages that have none."""
    found: dict[str, int] = {}
    for one in counts:
        stage = stage_of(one.state, one.functional_ack, one.business_ack).value
        found[stage] = found.get(stage, 0) + one.orders
    return found
