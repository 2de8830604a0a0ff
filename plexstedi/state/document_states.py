"""The states of an outbound document, and what each says of where the document can be.

Whoever asks about a group of states asks for it by name: here for one document, in SQL by `codec.listed`.
"""

from __future__ import annotations

from enum import StrEnum


class DocumentState(StrEnum):
    """Where an outbound document is; the legal moves are in `schema.DOCUMENT_MOVES`."""

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
        """Delivered, refused or withdrawn: the next document of its stream may go."""
        return self in _FINAL

    @property
    def is_abandoned(self) -> bool:
        """Refused by Stedi or withdrawn by a person: it tells the supplier nothing."""
        return self in _GIVEN_UP

    @property
    def may_have_reached_supplier(self) -> bool:
        """It can be answered. In conflict, Stedi holds another content under its key; frozen, nobody has it."""
        return self in _MAY_HAVE_REACHED_SUPPLIER

    @property
    def is_under_way(self) -> bool:
        """Handed to Stedi, and its delivery is awaited."""
        return self in _UNDER_WAY

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether Stedi has it is not known."""
        return self in _OUTCOME_UNKNOWN

    @property
    def is_before_acceptance(self) -> bool:
        """Stedi has not said that it took it, and may yet have it, or take it."""
        return self is DocumentState.FROZEN or self.is_outcome_unknown


_FINAL = frozenset({DocumentState.DELIVERED, DocumentState.REFUSED, DocumentState.WITHDRAWN})
_GIVEN_UP = frozenset({DocumentState.REFUSED, DocumentState.WITHDRAWN})
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
    """First of three independent statuses: did the file reach the supplier?"""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class FunctionalStatus(StrEnum):
    """Second: did the supplier's system take the syntax (997)?"""

    NONE = "none"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_ERRORS = "accepted_with_errors"
    REJECTED = "rejected"


class BusinessStatus(StrEnum):
    """Third: what did the supplier say (855, 865)? The worst state of its lines; `partial`: some lines unanswered."""

    NONE = "none"
    CONFIRMED = "confirmed"
    CHANGED = "changed"
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    HELD = "held"
    PARTIAL = "partial"
