"""Which documents are past their clocks, and the questions that follow at the limit (RULES.md "Settings",
Reading 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from plexstedi.config.load import Config
from plexstedi.edi.deadlines import ClockedDocument, ClockedStream, ClockKind, Late, Lateness, late
from plexstedi.edi.inbound.precedence import Folded, RankedAcknowledgment, fold
from plexstedi.edi.order import Phase
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import SupplierSettings
from plexstedi.state.document import Document
from plexstedi.state.document_states import FunctionalStatus
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import Subject, of_document, of_transaction
from plexstedi.sync.ingest.ranking import answer_header, ordered_on, sent_documents
from plexstedi.sync.isolation import Record, isolated
from plexstedi.sync.session import Session

_NOTED_BY = (ReviewKind.LINE_BACKORDERED, ReviewKind.LINE_ATTENTION)


@dataclass(frozen=True, slots=True)
class LateDocument:
    """A document with one of its clocks that ran past its warning or its limit."""

    document: Document
    late: Late

    @property
    def subject(self) -> Subject:
        """Of its review item."""
        return of_document(self.document.id, str(self.late.clock))

    def in_words(self) -> str:
        """What is late and since when, without how late it is now: the same text at every look."""
        hours = f"{int(self.late.allowed.total_seconds()) // 3600} h"
        since = f"{self.late.since:%Y-%m-%d %H:%M} UTC"
        return _WORDS[self.late.clock].format(kind=self.document.kind, hours=hours, since=since)


_WORDS = {
    ClockKind.DELIVERY: "the {kind} first sent at {since} was not delivered within {hours}",
    ClockKind.FUNCTIONAL_ACK: "no 997 was received within {hours} for the {kind} delivered at {since}",
    ClockKind.ACKNOWLEDGMENT: "not all lines are acknowledged, {hours} after the {kind} was delivered at {since}",
    ClockKind.CONFIRMED_SHORT: "less than ordered is confirmed, {hours} after the acknowledgment of {since}",
}
_FIXES = {
    ClockKind.DELIVERY: "Check the file's execution in the Stedi portal and the connection to the supplier.",
    ClockKind.FUNCTIONAL_ACK: "Ask the supplier's EDI contact whether the file arrived and could be read.",
    ClockKind.ACKNOWLEDGMENT: "Ask the supplier for its acknowledgment; `plexstedi status NUMBER` shows the open"
    " lines.",
    ClockKind.CONFIRMED_SHORT: "Ask the supplier about the remaining quantity, or order it elsewhere.",
}


def late_documents(store: Store, config: Config, now: datetime, *, supplier: str | None = None) -> list[LateDocument]:
    """Every clock past its warning or limit, oldest document first. Reads only.

    A document whose supplier is no longer in the configuration has no clocks.
    """
    found: list[LateDocument] = []
    for stream in clocked_streams(store, supplier=supplier):
        found += _late_of(store, config, stream, now)
    return _oldest_first(found)


def clocked_streams(store: Store, *, supplier: str | None = None) -> list[Document]:
    """One open document of each stream whose clocks run."""
    documents = store.documents.with_open_deadlines(supplier=supplier)
    return list({document.stream: document for document in documents}.values())


def _late_of(store: Store, config: Config, one: Document, now: datetime) -> list[LateDocument]:
    settings = (config.customers if one.kind == "810" else config.suppliers).get(one.supplier)
    return [] if settings is None else _of_stream(store, settings, one.stream, one.order_id, now)


def _oldest_first(found: Sequence[LateDocument]) -> list[LateDocument]:
    return sorted(found, key=lambda one: (one.document.id, one.late.clock))


def check_clocks(session: Session) -> None:
    """Ask a person about each order and clock at its limit, once, and withdraw what was answered since.

    Warnings are only told. A clock that a person has taken note of is not asked about again.
    """
    found: list[LateDocument] = []
    unknown: set[str | None] = set()
    for stream in clocked_streams(session.store):
        with isolated(session, _turn(stream)) as turn:
            found += _late_of(session.store, session.config, stream, session.clock.now())
        if turn.held:
            unknown.add(stream.order_id)
    past = _oldest_first(found)
    reviews = session.store.reviews
    with session.store.transaction():
        standing: set[Subject] = set()
        asked: set[tuple[str, ClockKind]] = set()
        for one in past:
            subject = one.subject
            cause = (one.document.order_id, one.late.clock)
            is_new = cause not in asked and not reviews.decided(ReviewKind.OVERDUE, subject)
            if one.late.lateness is Lateness.LIMIT and is_new:
                # The first document of an order tells of the others: one item per order and cause.
                asked.add(cause)
                standing.add(subject)
                _ask(session, one, subject)
        for review in reviews.standing():
            known = review.order_id not in unknown
            if known and review.kind is ReviewKind.OVERDUE and review.subject not in standing:
                session.withdraw(review.kind, review.subject, "no longer expected", order_id=review.order_id)
    _tell_warnings(session, [one for one in past if one.late.lateness is Lateness.WARNING])


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


def _ask(session: Session, one: LateDocument, subject: Subject) -> None:
    reason = Reason(code="overdue", where="order", message=one.in_words(), fix=_FIXES[one.late.clock])
    session.ask(
        ReviewKind.OVERDUE,
        subject,
        (reason,),
        supplier=one.document.supplier,
        order_id=one.document.order_id,
        order_number=one.document.order_number,
    )


def _tell_warnings(session: Session, warned: Sequence[LateDocument]) -> None:
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
    told = list(documents.values())
    last = store.documents.sent(told[-1].id)
    folded = _folded(store, order_id, told)
    noted = [
        line
        for line, standing in folded.lines.items()
        for kind in _NOTED_BY
        if store.reviews.decided(kind, of_transaction(standing.latest_from.transaction_id, f"line {line}"))
    ]
    record = store.orders.get(order_id)
    invoice = told[-1].kind == "810"
    clocked = ClockedStream(
        documents=tuple(_clocked(document) for document in told),
        wanted=invoice or (record is not None and record.phase is Phase.RELEASED),
        lines=() if invoice else tuple(line.line for line in last.lines if line.quantity > 0),
        standing=folded.lines,
        noted=noted,
    )
    return [LateDocument(documents[one.document], one) for one in late(clocked, settings, now)]


def _clocked(document: Document) -> ClockedDocument:
    return ClockedDocument(
        id=document.id,
        begun_at=document.first_attempt_at or document.frozen_at,
        delivered_at=document.delivered_at,
        awaits_delivery=document.state.is_under_way,
        functional_answered=document.functional_ack is not FunctionalStatus.NONE,
        cancels=document.kind == "860" and document.purpose == "01",
        unread=document.blocks and document.functional_ack is FunctionalStatus.REJECTED,
    )


def _folded(store: Store, order_id: str, documents: Sequence[Document]) -> Folded:
    """What the supplier has said of these documents; an answer that a person rejected is an answer too."""
    positions = {document.id: position for position, document in enumerate(documents)}
    said = [
        (inbound, outcome)
        for inbound in store.inbox.of_order(order_id)
        if inbound.document_id in positions
        and not inbound.state.is_disregarded
        and (outcome := store.inbox.outcome(inbound.transaction_id)) is not None
    ]
    if not said:
        return Folded({}, None)
    ordered = ordered_on(store, order_id)
    answers = [
        RankedAcknowledgment(
            header=answer_header(inbound, outcome, ordered),
            position=positions[inbound.document_id],
            outcomes=outcome.lines,
        )
        for inbound, outcome in said
        if inbound.document_id is not None
    ]
    return fold(
        answers, sent_documents(store, documents, [store.documents.sent(document.id) for document in documents])
    )
