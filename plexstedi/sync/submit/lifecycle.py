"""Decisions common to orders and invoices before a document: due, held, waiting, up to date, moved, orphaned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.decimal_json import dumps
from plexstedi.edi.advice import partner_table
from plexstedi.edi.document_name import parse_file_name
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Reason
from plexstedi.state.document import Document
from plexstedi.state.document_states import DocumentState
from plexstedi.state.invoices import InvoiceRecord, invoice_of_stream
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind, is_orphan
from plexstedi.state.subject import of_document, of_stream
from plexstedi.sync.isolation import Record, is_held, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument, text_mark
from plexstedi.sync.submit.freeze import route_of

Word = Literal["order", "invoice"]


class Trade(Struct, frozen=True):
    """An order or an invoice, as far as its documents are concerned."""

    word: Word
    id: str
    """Owner id of its documents: the Plex id of an order, the stream of an invoice."""
    number: str
    partner: str
    """The code of the supplier or customer."""
    revision: int
    """The latest revision."""
    held: ReviewKind
    """The kind of the review items that hold it."""
    baseline: int = 0
    """The revision that the partner knows by other means."""

    def where(self, stream: str) -> str:
        """What a reason about one of its streams concerns: the order, or the release sent as an order of its own."""
        release = stream.removeprefix(f"{self.id}/")
        return self.word if release == stream else f"release {release}"

    @property
    def counterpart(self) -> str:
        """The partner's role, for messages."""
        return "supplier" if self.word == "order" else "customer"


def trade_of_order(record: OrderRecord) -> Trade:
    """The trade of an order."""
    return Trade(
        "order",
        record.id,
        record.number,
        record.supplier,
        record.latest,
        ReviewKind.ORDER_HELD,
        record.baseline,
    )


def trade_of_invoice(record: InvoiceRecord) -> Trade:
    """The trade of an invoice."""
    return Trade("invoice", record.stream, record.number, record.customer, record.latest, ReviewKind.INVOICE_HELD)


def plex_id(trade: Trade) -> str:
    """The id in Plex."""
    return invoice_of_stream(trade.id) or trade.id


class Waits(Struct, frozen=True):
    """Something is due or open in this stream, but nothing can be sent now."""


def record_of_trade(trade: Trade, step: str, stream: str | None = None) -> Record:
    """A processing step of it, or of one of its streams, as an isolated record."""
    own = trade.id if trade.word == "invoice" else f"order {trade.id}"
    return Record(
        step,
        own if stream is None else f"stream {stream}",
        f"{trade.word} {trade.number}",
        f"revision {trade.revision}",
        supplier=trade.partner,
        order_id=trade.id,
        order_number=trade.number,
    )


def decide_each(
    session: Session, trades: Sequence[Trade], decide: Callable[[Trade], Sequence[DueDocument]], progress: str
) -> Iterator[DueDocument]:
    """Decide each one in a transaction of its own; yield the documents to send.

    Excludes those for which Stedi has files that the ledger lacks.
    """
    unknown = _unknown_streams(session)
    for done, trade in enumerate(trades, 1):
        session.checkpoint()
        found: Sequence[DueDocument] = ()
        turn = record_of_trade(trade, "decide what is due of")
        if not is_held(session, turn):
            with isolated(session, turn):
                found = [one for one in decide(trade) if (one.number, one.release) not in unknown]
        session.progress(progress, done, len(trades))
        yield from found


def _unknown_streams(session: Session) -> frozenset[tuple[str, str | None]]:
    """Order numbers (with the release, if sent separately) for which Stedi has files that the ledger lacks.

    Their documents are never sent, even if the suspicion is overridden: they might be duplicates.
    """
    names = (parse_file_name(execution.file_name) for execution in session.store.executions.unknown_to_ledger())
    return frozenset((name[0].order, name[0].release) for name in names if name is not None)


def last_sent(documents: Sequence[Document]) -> Document | Waits | None:
    """The last document of a stream that the partner has or may get; Waits while one is in progress or blocks.

    `documents`: all of the stream.
    """
    last = next((document for document in reversed(documents) if not document.state.is_abandoned), None)
    if last is None:
        return None
    # After a rejecting 997 or TA1 the supplier's state is unknown: nothing follows until a user decides.
    blocked = any(document.blocks for document in documents)
    return Waits() if blocked or not last.is_closed else last


def has_revision(session: Session, trade: Trade, stream: str, last: Document | None) -> int:
    """The revision that the partner has: from its last document, a user's decision, or the start of polling."""
    known = session.store.orders.known_revision(stream)
    return max(trade.baseline, known, 0 if last is None else last.revision)


def moved(trade: Trade, last: Document) -> tuple[Reason, ...]:
    """Reasons if it now belongs to another partner or has another number than the last document."""
    if (trade.partner, trade.number) == (last.supplier, last.order_number):
        return ()
    return (
        Reason(
            code=f"{trade.word}-moved",
            where=trade.word,
            message=f"it was sent as {trade.word} {last.order_number} to {last.supplier} and is now {trade.word}"
            f" {trade.number} of {trade.partner} in Plex",
            fix=_moved_fix(trade, last.supplier),
        ),
    )


def moved_since_known(trade: Trade, partner: str, number: str) -> tuple[Reason, ...]:
    """As `moved`, for one that its partner knows without a document from here: under this number, at this partner."""
    if (trade.partner, trade.number) == (partner, number):
        return ()
    return (
        Reason(
            code=f"{trade.word}-moved",
            where=trade.word,
            message=f"{partner} has it as {trade.word} {number}, not sent from here, and it is now {trade.word}"
            f" {trade.number} of {trade.partner} in Plex",
            fix=_moved_fix(trade, partner),
        ),
    )


def hold_without_settings(session: Session, trade: Trade) -> None:
    """Hold what was sent and changed while its partner has no settings any longer: nothing else reports the change."""
    documents = session.store.documents.of_order(trade.id)
    last = next((document for document in reversed(documents) if not document.state.is_abandoned), None)
    if last is None or has_revision(session, trade, last.stream, last) >= trade.revision:
        return
    table = partner_table(last.kind, trade.partner)
    missing = Reason(
        code=f"{trade.counterpart}-missing",
        where=trade.word,
        message=f"it was sent and has changed, but there is no [{table}] in the configuration",
        fix=f"Add [{table}] again, or resolve it with the {trade.counterpart}, then"
        " `plexstedi review accept ID --reason TEXT`.",
    )
    hold(session, trade, last.stream, moved(trade, last) or (missing,))


def _moved_fix(trade: Trade, was: str) -> str:
    if trade.word == "order":
        return (
            f"Cancel it with {was} and send a new order under another number, then"
            " `plexstedi review accept ID --reason TEXT`."
        )
    return (
        f"Resolve it with {was} (a Plex credit memo is sent as a separate 810), then"
        " `plexstedi review accept ID --reason TEXT`."
    )


def orphans(session: Session, trade: Trade, made_at: datetime | None) -> tuple[Reason, ...]:
    """Files of this partner without a record in Plex, from `recover`: one may be this record under an old number."""
    if not session.store.reviews.may_be_open(trade.held):
        return ()
    return tuple(
        Reason(
            code="maybe-sent",
            where=trade.word,
            message=f"the {trade.counterpart} was sent {trade.word} {review.order_number}, which Plex no longer "
            "has: it may be this one under an older number",
            fix=f"Resolve it with the {trade.counterpart}, then `plexstedi review accept {review.id} --reason TEXT`,"
            " which is about that document.",
        )
        for review in session.store.reviews.open_items(supplier=trade.partner)
        # A record created in Plex after the recovery cannot be the lost one.
        if review.kind is trade.held and is_orphan(review) and (made_at is None or made_at <= review.opened_at)
    )


def hold(session: Session, trade: Trade, stream: str, reasons: Sequence[Reason]) -> Waits:
    """Hold a stream for these reasons: it waits."""
    new = session.open_review(
        trade.held,
        of_stream(stream),
        [replace(reason, where=trade.where(stream)) if reason.where == "order" else reason for reason in reasons],
        supplier=trade.partner,
        order_id=trade.id,
        order_number=trade.number,
    )
    session.run.counts.documents_held += int(new)
    return Waits()


def release(session: Session, trade: Trade, stream: str) -> None:
    """Withdraw the holds of this stream."""
    # Whether an invoice from before the start is sent is decided by a user only.
    kinds = (trade.held, ReviewKind.KNOWN_ORDER_CHANGED) if trade.word == "order" else (trade.held,)
    for kind in kinds:
        session.withdraw_review(kind, of_stream(stream), "nothing holds it any longer", order_id=trade.id)


def nothing_due(session: Session, trade: Trade, stream: str, documents: Iterable[Document]) -> None:
    """Withdraw the holds of this stream, and what Stedi refused of its documents: it is not to be sent any more.

    Should the same become due again, it is tried again. A replay that Stedi refused is still what a user wants.
    """
    release(session, trade, stream)
    for document in documents:
        if document.state is DocumentState.REFUSED and document.replay_of is None and not document.retry:
            session.store.documents.allow_retry(document.id)
            session.withdraw_review(
                ReviewKind.DOCUMENT_REFUSED, of_document(document.id), "it is not due any longer", order_id=trade.id
            )


def ready_to_send(
    session: Session,
    trade: Trade,
    prepared: Prepared,
    partner: Partner,
    *,
    stream: str,
    documents: Sequence[Document],
    dated: date | None,
    purpose: str,
    change_sequence: int = 0,
    order_release: str | None = None,
    mark: str | None = None,
) -> DueDocument | Waits:
    """The document to send; Waits if Stedi already rejected this content. Withdraws the stream's holds.

    `documents`: those of the stream so far.
    """
    document = DueDocument(
        stream=stream,
        release=order_release,
        order_id=trade.id,
        number=trade.number,
        revision=trade.revision,
        dated=dated,
        partner=partner,
        prepared=prepared,
        purpose=purpose,
        change_sequence=change_sequence,
        mark=mark or text_mark(dumps(prepared.guide_json)),
    )
    if _refused_before(document, documents):
        return Waits()
    release(session, trade, stream)
    return document


def _refused_before(document: DueDocument, earlier: Sequence[Document]) -> bool:
    """Whether Stedi already rejected this content over this route: it is resent only by a user, or once changed."""
    if not earlier or earlier[-1].state is not DocumentState.REFUSED:
        return False
    refused = earlier[-1]
    if refused.retry:
        return False
    route = route_of(document)
    # A corrected partnership or setting may resolve the rejection: then the same content is sent again.
    same_route = (refused.partnership, refused.transaction_setting) == (route.partnership, route.setting)
    return same_route and document.mark in refused.file_name
