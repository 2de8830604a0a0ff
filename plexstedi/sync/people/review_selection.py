"""The open review items that are decided together: by number, or by filters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from plexstedi.state.reviews import Review, ReviewKind

DATE_REASONS = frozenset({"date", "backordered", "backorder-late"})
"""Reasons that `max_days_late` measures."""
AMOUNT_REASONS = frozenset({"quantity", "price"})
"""Reasons that `within` measures."""


class ReviewCandidate(Struct, frozen=True):
    """An open review item, with how far its acknowledged lines are from the order."""

    review: Review
    reason_codes: frozenset[str] = frozenset()
    """Codes of everything that holds its lines."""
    days_late: int | None = None
    """None: it is not about lines, or they do not tell."""
    percent_off: Decimal | None = None
    """Of a quantity or price; None as `days_late`."""


class Filters(Struct, frozen=True):
    """Conditions that a selected item meets; None: any."""

    supplier: str | None = None
    kind: ReviewKind | None = None
    order: str | None = None
    max_days_late: int | None = None
    within: Decimal | None = None
    """Percent."""

    @property
    def any_given(self) -> bool:
        """Whether there is a condition."""
        return self != Filters()


def select(candidates: Sequence[ReviewCandidate], filters: Filters) -> tuple[ReviewCandidate, ...]:
    """The candidates that meet every condition, in their order.

    `max_days_late` and `within` select only items that nothing else holds: a line with another part is not accepted
    because its date is right. What is not known is within no limit.
    """
    return tuple(candidate for candidate in candidates if _meets(candidate, filters))


def _meets(candidate: ReviewCandidate, filters: Filters) -> bool:
    review = candidate.review
    if filters.supplier is not None and review.supplier != filters.supplier:
        return False
    if filters.kind is not None and review.kind is not filters.kind:
        return False
    if filters.order is not None and review.order_number != filters.order:
        return False
    measured: frozenset[str] = frozenset()
    if filters.max_days_late is not None:
        measured |= DATE_REASONS
        if candidate.days_late is None or candidate.days_late > filters.max_days_late:
            return False
    if filters.within is not None:
        measured |= AMOUNT_REASONS
        if candidate.percent_off is None or candidate.percent_off > filters.within:
            return False
    return not measured or (bool(candidate.reason_codes) and candidate.reason_codes <= measured)
