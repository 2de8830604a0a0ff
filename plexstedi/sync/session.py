"""The context of one command: configuration, clock, state, the two services, and limits."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import asdict

from plexstedi.clock import Clock, StopRequest
from plexstedi.config.load import Config
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Reason
from plexstedi.errors import Interrupted, ServiceUnavailable, SuspicionStop
from plexstedi.logs import log_event
from plexstedi.state.audit import Fact
from plexstedi.state.document import Document
from plexstedi.state.invoices import invoice_of_stream
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject, of_document
from plexstedi.sync.counts import RunCounts
from plexstedi.sync.key_use import KeyUse

if TYPE_CHECKING:
    # Commands that only read the state do not load httpx.
    from plexstedi.http.caller import Deadline
    from plexstedi.sync.services import Services

_ROUTINE = frozenset(
    {
        "attempt-begun",
        "attempt-ended",
        "feed-token-taken",
        "invoice-seen",
        "order-not-traded",
        "order-seen",
        "sweep-started",
        "transaction-known",
        "transaction-listed",
        "transaction-stored",
        "write-planned",
    }
)
"""Events of the audit trail that are logged with `--verbose` only."""
_LOGGED = frozenset({"purpose", "revision", "review", "state", "outcome", "status", "set", "verdict"})
"""Details of an event that are logged: states and codes, no content."""

PROGRAM = "plexstedi"
"""Actor of everything that no user decided."""


def current_user() -> str:
    """The user who runs a command, as recorded in the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown user"


class Session(Struct):
    """Shared by all parts of a run."""

    config: Config
    store: Store
    clock: Clock
    services: Services
    deadline: Deadline
    actor: str = PROGRAM
    dry_run: bool = False
    overrides: frozenset[str] = frozenset()
    stop: StopRequest = field(default_factory=StopRequest)
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None
    run: RunCounts = field(default_factory=RunCounts)
    partners: dict[str, Partner] = field(default_factory=dict)
    """Suppliers by code, as far as `partners.py` has read their guides."""
    key: KeyUse = field(default_factory=KeyUse)
    receipts_read: bool = False
    """Plex was asked for receipts in this run."""

    def close(self) -> None:
        """Close the connections and the state."""
        try:
            self.services.close()
        finally:
            self.store.close()

    def checkpoint(self) -> None:
        """Called between two documents: stop if a signal requested it. Raise Interrupted."""
        if self.stop.signal is not None:
            raise Interrupted(
                f"stopped by {self.stop.signal} after the current document",
                fix="Nothing is left half done; the next run continues.",
            )

    def check_deadline(self) -> None:
        """Called during long decisions: `checkpoint`, and check the run's time limit.

        Raise Interrupted, ServiceUnavailable (code `time-limit`); the open transaction is rolled back.
        """
        self.checkpoint()
        if self.deadline.left(self.clock) <= 0:
            raise ServiceUnavailable(
                "the time limit of the run is reached while acknowledgments are decided, and the run must end",
                fix="The next run continues. If it happens often, raise run.time_limit_minutes.",
                code="time-limit",
            )

    def suspect(self, name: str, message: str, *, effect: str = "") -> None:
        """Stop on a suspicion unless it is overridden for this run; `effect` is of the stop. Raise SuspicionStop."""
        if name in self.overrides:
            self.note("suspicion-overridden", Subject(name), message=message)
            self.run.warn(f"overridden: {message}")
            return
        raise SuspicionStop(name, f"{message}{effect}", passed=self.overrides)

    def note(self, kind: str, subject: Subject, *, order_id: str | None = None, **detail: Fact) -> None:
        """Append an event to the audit trail."""
        self.store.audit.append(self.clock.now(), self.actor, kind, subject, order_id=order_id, **detail)
        order = None if order_id is None or kind in _ROUTINE else self.store.orders.get(order_id)
        log_event(
            kind,
            f"{kind}: {subject}",
            routine=kind in _ROUTINE,
            order=None if order is None else order.number,
            supplier=None if order is None else order.supplier,
            document=subject.document,
            transaction=subject.transaction,
            **{name: value for name, value in detail.items() if name in _LOGGED and isinstance(value, str | int)},
        )

    def open_review(
        self,
        kind: ReviewKind,
        subject: Subject,
        reasons: Sequence[Reason],
        *,
        supplier: str | None = None,
        order_id: str | None = None,
        order_number: str | None = None,
        line: int | None = None,
        urgent: bool = True,
    ) -> bool:
        """Open a review item or update the open one; return whether it is new. `urgent`: a new one ends the run with
        3."""
        new = self.store.reviews.open(
            kind,
            subject,
            reasons,
            self.clock.now(),
            supplier=supplier,
            order_id=order_id,
            order_number=order_number,
            line=line,
        )
        # An item that was already open is neither audited nor reported again.
        if new:
            opened = self.store.reviews.open_one(kind, subject)
            # Use the stored reasons: their commands contain the item's number and can be run as shown.
            reasons = reasons if opened is None else opened.reasons
            what = "; ".join(str(reason) for reason in reasons)
            self.note(
                "review-opened",
                subject,
                order_id=order_id,
                review=kind,
                reasons=[asdict(reason) for reason in reasons],
            )
            self._log_reasons(kind, reasons, subject, supplier, order_number)
            if urgent:
                word = "order" if invoice_of_stream(order_id) is None else "invoice"
                about = f"{word} {order_number}" if order_number else subject.text
                self.run.news.append(f"{about}: {kind}: {what}")
        return new

    def _log_reasons(
        self, kind: ReviewKind, reasons: Sequence[Reason], subject: Subject, supplier: str | None, number: str | None
    ) -> None:
        """The codes of the reasons; their texts may quote what a supplier wrote."""
        for reason in reasons:
            log_event(
                "needs-review",
                f"needs review, {kind}: {reason.code}",
                order=number,
                supplier=supplier,
                document=subject.document,
                transaction=subject.transaction,
                code=reason.code,
            )

    def open_review_of_document(
        self, kind: ReviewKind, document: Document, reason: Reason, *, urgent: bool = True
    ) -> bool:
        """Open a review item of one document, as `open_review`."""
        return self.open_review(
            kind,
            of_document(document.id),
            (reason,),
            supplier=document.supplier,
            order_id=document.order_id,
            order_number=document.order_number,
            urgent=urgent,
        )

    def withdraw_review(self, kind: ReviewKind, subject: Subject, why: str, *, order_id: str | None = None) -> None:
        """Withdraw a review item whose reason no longer exists."""
        if self.store.reviews.withdraw(kind, subject, self.clock.now(), why):
            self.note("review-withdrawn", subject, order_id=order_id, review=kind, why=why)
