"""What needs review, worst first and grouped by cause: the part of `status` that one looks at first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from plexstedi.edi.deadlines import OverdueLevel
from plexstedi.state.reviews import Review, ReviewKind
from plexstedi.sync.ingest.deadlines import LateDocument

WORST_FIRST = (
    ReviewKind.DELIVERY_FAILED,
    ReviewKind.SYNTAX_REJECTED,
    ReviewKind.DOCUMENT_CONFLICT,
    ReviewKind.DOCUMENT_REFUSED,
    ReviewKind.DOCUMENT_IN_DOUBT,
    ReviewKind.LINE_REJECTED,
    ReviewKind.OVERDUE,
    ReviewKind.UNFORESEEN,
    ReviewKind.ORDER_UNREADABLE,
    ReviewKind.INVOICE_UNREADABLE,
    ReviewKind.RECORD_UNREADABLE,
    ReviewKind.UNANSWERED,
    ReviewKind.ORDER_HELD,
    ReviewKind.INVOICE_HELD,
    ReviewKind.ACKNOWLEDGMENT_HELD,
    ReviewKind.DOCUMENT_MISSING,
    ReviewKind.FEED_ENTRY_UNREADABLE,
    ReviewKind.INBOUND_FILE_FAILED,
    ReviewKind.LINE_HELD,
    ReviewKind.LINE_BACKORDERED,
    ReviewKind.WRITE_CONFLICT,
    ReviewKind.WRITE_FAILED,
    ReviewKind.WRITE_WITHHELD,
    ReviewKind.RECOVERED_DIFFERS,
    ReviewKind.ORDER_UNKNOWN,
    ReviewKind.ACKNOWLEDGMENT_NOT_APPLIED,
    ReviewKind.LINE_ATTENTION,
    ReviewKind.SYNTAX_ERRORS,
    ReviewKind.KNOWN_ORDER_CHANGED,
    ReviewKind.NOTICE,
)
"""What stops an order or a delivery, before what only needs to be seen."""
_SHOWN_ORDERS = 3


class ReviewGroup(Struct, frozen=True):
    """Open review items of one kind and supplier, oldest first."""

    kind: ReviewKind
    supplier: str
    reviews: tuple[Review, ...]

    @property
    def what(self) -> str:
        """The cause in words."""
        if self.kind is ReviewKind.KNOWN_ORDER_CHANGED:
            return "changed, from before PlexStedi"
        return self.kind.value.replace("-", " ")

    @property
    def orders(self) -> str:
        """Its orders: some by number, and how many more."""
        numbers = list(dict.fromkeys(review.order_number for review in self.reviews if review.order_number))
        more = len(numbers) - _SHOWN_ORDERS
        shown = ", ".join(numbers[:_SHOWN_ORDERS])
        return f"{shown} and {more} more" if more > 0 else shown


def worst_first(reviews: Sequence[Review]) -> list[Review]:
    """By kind, the worst first; then by supplier, order and age."""
    return sorted(
        reviews,
        key=lambda each: (WORST_FIRST.index(each.kind), each.supplier or "", each.order_number or "", each.opened_at),
    )


def grouped(reviews: Sequence[Review]) -> list[ReviewGroup]:
    """The groups, the worst kind first; of one kind, the supplier with most items first."""
    groups: dict[tuple[ReviewKind, str], list[Review]] = {}
    for review in reviews:
        groups.setdefault((review.kind, review.supplier or ""), []).append(review)
    found = [ReviewGroup(kind, supplier, tuple(items)) for (kind, supplier), items in groups.items()]
    return sorted(found, key=lambda each: (WORST_FIRST.index(each.kind), -len(each.reviews), each.supplier))


def latest_first(late: Sequence[LateDocument]) -> list[LateDocument]:
    """The longest overdue first, limits before warnings."""
    return sorted(
        late, key=lambda one: (one.late.level is not OverdueLevel.LIMIT, -one.late.by, one.document.order_number)
    )
