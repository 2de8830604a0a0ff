"""Overdue documents and their review items (RULES.md "Settings", Reading 17)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct

from plexstedi.config.load import Config
from plexstedi.edi.deadlines import DeadlineDocument, DeadlineKind, DeadlineStream, Overdue, OverdueLevel, overdue
from plexstedi.edi.order import Phase
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.state.document import Document
from plexstedi.state.document_states import FunctionalStatus
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject, of_document, of_transaction
from plexstedi.sync.ingest.ranking import fold_stream
from plexstedi.sync.isolation import Record, isolated
from plexstedi.sync.session import Session

_NOTED_BY = (ReviewKind.LINE_BACKORDERED, ReviewKind.LINE_ATTENTION)


class LateDocument(Struct, frozen=True):
    """A document past the warning or the limit of one of its deadlines."""

    document: Document
    late: Overdue
    due: date | None = None
    """The first day on which something of its lines is due, as last sent; None if no day was sent."""

    @property
    def subject(self) -> Subject:
        """Subject of its review item."""
        return of_document(self.document.id, str(self.late.kind))

    def in_words(self) -> str:
        """What is overdue and since when, without the current delay: the text is the same in each run."""
        hours = f"{int(self.late.allowed.total_seconds()) // 3600} h"
        since = f"{self.late.since:%Y-%m-%d %H:%M} UTC"
        return _WORDS[self.late.kind].format(kind=self.document.kind, hours=hours, since=since)


_WORDS = {
    DeadlineKind.DELIVERY: "the {kind} first sent at {since} was not delivered within {hours}",
    DeadlineKind.FUNCTIONAL_ACK: "no 997 was received within {hours} for the {kind} delivered at {since}",
    DeadlineKind.ACKNOWLEDGMENT: "not all lines are acknowledged, {hours} after the {kind} was delivered at {since}",
    DeadlineKind.CONFIRMED_SHORT: "less than ordered is confirmed, {hours} after the acknowledgment of {since}",
}
_FIXES = {
    DeadlineKind.DELIVERY: "Check the file's execution in the Stedi portal and the connection to the supplier.",
    DeadlineKind.FUNCTIONAL_ACK: "Ask the supplier's EDI contact whether the file arrived and could be read.",
    DeadlineKind.ACKNOWLEDGMENT: "Ask the supplier for its acknowledgment; `plexstedi status NUMBER` shows the open"
    " lines.",
    DeadlineKind.CONFIRMED_SHORT: "Ask the supplier about the remaining quantity, or order it elsewhere.",
}


def late_documents(store: Store, config: Config, now: datetime, *, supplier: str | None = None) -> list[LateDocument]:
    """Every deadline past its warning or limit, oldest document first. Read-only.

    A document whose supplier has no settings has no deadlines.
    """
    found: list[LateDocument] = []
    for stream in streams_with_deadlines(store, supplier=supplier):
        found += _late_of(store, config, stream, now)
    return _oldest_first(found)


def streams_with_deadlines(store: Store, *, supplier: str | None = None) -> list[Document]:
    """One open document of each stream with running deadlines."""
    documents = store.documents.with_open_deadlines(supplier=supplier)
    return list({document.stream: document for document in documents}.values())


def _late_of(store: Store, config: Config, one: Document, now: datetime) -> list[LateDocument]:
    settings = (config.customers if one.kind == "810" else config.suppliers).get(one.supplier)
    return [] if settings is None else _of_stream(store, settings, one.stream, one.order_id, now)


def _oldest_first(found: Sequence[LateDocument]) -> list[LateDocument]:
    return sorted(found, key=lambda one: (one.document.id, one.late.kind))


def check_deadlines(session: Session) -> None:
    """Open a review item for each order and deadline whose limit has passed, and withdraw those no longer overdue.

    Warnings are only reported. A decided item is not opened again.
    """
    found: list[LateDocument] = []
    unknown: set[str | None] = set()
    for stream in streams_with_deadlines(session.store):
        with isolated(session, _turn(stream)) as turn:
            found += _late_of(session.store, session.config, stream, session.clock.now())
        # Its deadlines are unknown in this run: leave its review items unchanged.
        if turn.held:
            unknown.add(stream.order_id)
    overdue = _oldest_first(found)
    reviews = session.store.reviews
    with session.store.transaction():
        still_overdue: set[Subject] = set()
        opened: set[tuple[str, DeadlineKind]] = set()
        for one in overdue:
            subject = one.subject
            cause = (one.document.order_id, one.late.kind)
            is_new = cause not in opened and not reviews.decided(ReviewKind.OVERDUE, subject)
            if one.late.level is OverdueLevel.LIMIT and is_new:
                # One item per order and deadline: the first document represents the later ones.
                opened.add(cause)
                still_overdue.add(subject)
                _open_review(session, one, subject)
        for review in reviews.open_items():
            known = review.order_id not in unknown
            if known and review.kind is ReviewKind.OVERDUE and review.subject not in still_overdue:
                session.withdraw_review(review.kind, review.subject, "no longer expected", order_id=review.order_id)
    _report_warnings(session, [one for one in overdue if one.late.level is OverdueLevel.WARNING])


def _turn(document: Document) -> Record:
    word = "invoice" if document.kind == "810" else "order"
    return Record(
        "check the deadlines of",
        f"stream {document.stream}",
        f"{word} {document.order_number}",
        supplier=document.supplier,
        order_id=document.order_id,
        order_number=document.order_number,
    )


def _open_review(session: Session, one: LateDocument, subject: Subject) -> None:
    reason = Reason(code="overdue", where="order", message=one.in_words(), fix=_FIXES[one.late.kind])
    session.open_review(
        ReviewKind.OVERDUE,
        subject,
        (reason,),
        supplier=one.document.supplier,
        order_id=one.document.order_id,
        order_number=one.document.order_number,
    )


def _report_warnings(session: Session, warned: Sequence[LateDocument]) -> None:
    if not warned:
        return
    numbers = list(dict.fromkeys(one.document.order_number for one in warned))
    shown = ", ".join(numbers[:5]) + (", …" if len(numbers) > 5 else "")
    noun = "order is" if len(numbers) == 1 else "orders are"
    session.run.warn(f"{len(numbers)} {noun} past a warning deadline ({shown}); see `plexstedi status --late`")


def _of_stream(
    store: Store, settings: SupplierSettings, stream: str, order_id: str, now: datetime
) -> list[LateDocument]:
    sent = (document for document in store.documents.of_stream(stream) if document.state.may_have_reached_supplier)
    documents = {document.id: document for document in sent}
    if not documents:
        return []
    stream_documents = list(documents.values())
    last = store.documents.sent(stream_documents[-1].id)
    folded, _ = fold_stream(store, order_id, stream_documents, decided=False)
    noted = [
        line
        for line, line_state in folded.lines.items()
        for kind in _NOTED_BY
        if store.reviews.decided(kind, of_transaction(line_state.latest_from.transaction_id, f"line {line}"))
    ]
    record = store.orders.get(order_id)
    invoice = stream_documents[-1].kind == "810"
    clocked = DeadlineStream(
        documents=tuple(_with_deadlines(document) for document in stream_documents),
        wanted=invoice or (record is not None and record.phase is Phase.RELEASED),
        lines=() if invoice else tuple(line.line for line in last.lines if line.quantity > 0),
        statuses=folded.lines,
        reviewed=noted,
    )
    return [
        LateDocument(documents[one.document], one, first_due(last, one.lines))
        for one in overdue(clocked, settings, now)
    ]


def first_due(sent: SentOrder, lines: Collection[int]) -> date | None:
    """The first due day of these lines, without lines of all, among what is still ordered."""
    wanted = [line for line in sent.lines if not lines or line.line in lines]
    days = [part.due for line in wanted for part in line.schedules if part.quantity > 0]
    return min((day for day in days if day is not None), default=None)


def _with_deadlines(document: Document) -> DeadlineDocument:
    return DeadlineDocument(
        id=document.id,
        begun_at=document.first_attempt_at or document.frozen_at,
        delivered_at=document.delivered_at,
        awaits_delivery=document.state.is_under_way,
        functional_ack_received=document.functional_ack is not FunctionalStatus.NONE,
        cancels=document.kind == "860" and document.purpose == "01",
        rejected_unresolved=document.blocks and document.functional_ack is FunctionalStatus.REJECTED,
    )
