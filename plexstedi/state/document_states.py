"""The states of an outbound document, and groups of them as properties.

SQL uses the same groups through `codec.listed`.
"""

from __future__ import annotations

from enum import StrEnum


class DocumentState(StrEnum):
    """State of an outbound document; the legal moves are `schema.DOCUMENT_MOVES`."""

    FROZEN = "frozen"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    CONFLICT = "conflict"
    IN_DOUBT = "in_doubt"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """Delivered, refused or withdrawn: the next document of its stream may be sent."""
        return self in _FINAL

    @property
    def is_abandoned(self) -> bool:
        """Refused by Stedi or withdrawn by a user: it has no effect at the supplier."""
        return self in _ABANDONED

    @property
    def may_have_reached_supplier(self) -> bool:
        """It can be acknowledged. `conflict`: Stedi has other content under its key. `frozen`: it was never sent."""
        return self in _MAY_HAVE_REACHED_SUPPLIER

    @property
    def is_under_way(self) -> bool:
        """Sent to Stedi, delivery pending."""
        return self in _UNDER_WAY

    @property
    def is_outcome_unknown(self) -> bool:
        """It is not known whether Stedi has it."""
        return self in _OUTCOME_UNKNOWN

    @property
    def is_before_acceptance(self) -> bool:
        """Stedi has not confirmed it, and may have it or accept it later."""
        return self is DocumentState.FROZEN or self.is_outcome_unknown


_FINAL = frozenset({DocumentState.DELIVERED, DocumentState.REFUSED, DocumentState.WITHDRAWN})
_ABANDONED = frozenset({DocumentState.REFUSED, DocumentState.WITHDRAWN})
_MAY_HAVE_REACHED_SUPPLIER = frozenset(
    {
        DocumentState.SENDING,
        DocumentState.ACCEPTED,
        DocumentState.DELIVERED,
        DocumentState.FAILED,
        DocumentState.IN_DOUBT,
    }
)
_UNDER_WAY = frozenset({DocumentState.SENDING, DocumentState.ACCEPTED})
_OUTCOME_UNKNOWN = frozenset({DocumentState.SENDING, DocumentState.IN_DOUBT, DocumentState.CONFLICT})


class Delivery(StrEnum):
    """First of three independent statuses: whether the file reached the supplier."""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class FunctionalStatus(StrEnum):
    """Second: whether the supplier's system accepted the syntax (997)."""

    NONE = "none"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"


class BusinessStatus(StrEnum):
    """Third: the supplier's acknowledgment (855, 865), as worst line state; `partial`: some lines have none."""

    NONE = "none"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    HELD = "held"
    PARTIAL = "partial"
