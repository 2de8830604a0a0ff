"""Freeze a due document: fix the route, the bytes, the idempotency key and the file name of every attempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time

from msgspec import Struct

from plexstedi.edi.document_name import Slot, Usage, file_name, idempotency_key
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import DocumentSettings
from plexstedi.edi.x12.writing import Envelope, render
from plexstedi.plain_text import many
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_document, of_stream
from plexstedi.stedi.requests import Delimiters, RequestTooLarge, create_transaction_body, generate_edi_body
from plexstedi.sync.isolation import Record, is_held, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument


class Route(Struct, frozen=True):
    """The API call, partnership and transaction setting for a document."""

    call: str
    partnership: str
    setting: str
    mapping: str | None


def route_of(document: DueDocument) -> Route:
    """The route from the supplier's or customer's settings. Raise ValueError if they are incomplete."""
    settings = document.partner.settings
    sections: dict[str, DocumentSettings | None] = {
        "850": settings.document_850,
        "860": settings.document_860,
        "810": settings.document_810,
    }
    section = sections[document.prepared.kind]
    if settings.partnership_id is None or section is None or section.transaction_setting_id is None:
        raise ValueError(f"{document.partner.code} has no complete settings for {document.prepared.kind}")
    call = "generate-edi" if section.mapping_id is None else "create-outbound"
    return Route(call, settings.partnership_id, section.transaction_setting_id, section.mapping_id)


def freeze_each(session: Session, found: Iterable[DueDocument], total: int, until: float) -> Iterator[Document]:
    """Freeze each due document when a call is free to send it; stop when this stage's time is used up."""
    for done, due in enumerate(found):
        session.checkpoint()
        if session.clock.monotonic() >= until:
            session.run.warn(f"still to be sent: {many(total - done, 'document')}; the next run continues")
            break
        document = None
        record = freezing(due)
        if not is_held(session, record):
            with isolated(session, record):
                document = _freeze(session, due)
        if document is not None:
            yield document
        session.progress("sending", done + 1, total)


def freezing(due: DueDocument) -> Record:
    """The freezing of a document as an isolated record."""
    word = "invoice" if due.prepared.kind == "810" else "order"
    return Record(
        "freeze",
        f"the {due.prepared.kind} of stream {due.stream}",
        f"the {due.prepared.kind} of {word} {due.number}",
        due.mark,
        supplier=due.partner.code,
        order_id=due.order_id,
        order_number=due.number,
    )


def _freeze(session: Session, due: DueDocument) -> Document | None:
    frozen = freeze(session, due)
    with session.store.transaction():
        if isinstance(frozen, Reason):
            hold_unfrozen(session, due, frozen)
            return None
        document = session.store.documents.freeze(frozen, session.clock.now())
        session.run.counts.documents_queued += 1
        session.note(
            "document-frozen",
            of_document(document.id),
            order_id=document.order_id,
            document=document.kind,
            purpose=document.purpose,
            revision=document.revision,
            key=document.idempotency_key,
            file_name=document.file_name,
            dropped=list(document.dropped),
            adjusted=list(due.prepared.adjusted),
            replay_of=document.replay_of,
        )
    return document


def hold_unfrozen(session: Session, due: DueDocument, reason: Reason) -> None:
    """Hold a document that cannot be frozen."""
    new = session.open_review(
        ReviewKind.INVOICE_HELD if due.prepared.kind == "810" else ReviewKind.ORDER_HELD,
        of_stream(due.stream),
        (reason,),
        supplier=due.partner.code,
        order_id=due.order_id,
        order_number=due.number,
    )
    session.run.counts.documents_held += int(new)


def freeze(session: Session, document: DueDocument) -> NewDocument | Reason:
    """The frozen document, or the reason if it exceeds Stedi's size limit."""
    route = route_of(document)
    slot = Slot(
        tenant=session.config.tenant,
        usage=session.config.stedi.usage_indicator,
        order=document.number,
        release=document.release,
        change_sequence=document.change_sequence,
        kind=document.prepared.kind,
        # The counter grows with every document of a slot, so that a replay gets a new idempotency key.
        counter=session.store.documents.counter(
            document.stream,
            document.prepared.kind,
            document.change_sequence,
            number=document.number,
            release=document.release,
        ),
    )
    name = file_name(slot, document.mark)
    body = _body(session, document, route, name)
    if isinstance(body, RequestTooLarge):
        return Reason(
            code="too-large",
            where="order",
            message=f"the document has {body.size} bytes, Stedi accepts less than {body.limit}",
            fix="Split the order in Plex.",
        )
    return NewDocument(
        stream=document.stream,
        order_id=document.order_id,
        order_number=document.number,
        order_release=document.release,
        supplier=document.partner.code,
        partnership=route.partnership,
        transaction_setting=route.setting,
        kind=document.prepared.kind,
        purpose=document.purpose,
        revision=document.revision,
        change_sequence=document.change_sequence,
        counter=slot.counter,
        idempotency_key=idempotency_key(slot),
        file_name=name,
        route=route.call,
        body=body,
        x12=preview_x12(document, session.config.stedi.usage_indicator),
        sent=document.prepared.sent,
        dropped=tuple(str(dropped) for dropped in document.prepared.dropped),
        replay_of=document.replay_of,
    )


def _body(session: Session, document: DueDocument, route: Route, name: str) -> bytes | RequestTooLarge:
    usage = session.config.stedi.usage_indicator
    marks = document.partner.settings.text.delimiters
    delimiters = None if marks == "*~>^" else Delimiters(marks[0], marks[1], marks[2], marks[3])
    if route.call == "create-outbound":
        return create_transaction_body(
            document.prepared.guide_json,
            file_name=name,
            usage=usage,
            mapping_id=route.mapping,
            delimiters=delimiters,
        )
    return generate_edi_body(
        document.prepared.guide_json,
        transaction_setting_id=route.setting,
        file_name=name,
        usage=usage,
        delimiters=delimiters,
    )


def preview_x12(document: DueDocument, usage: Usage) -> str:
    """The document as X12 in our own rendering; Stedi adds its own envelope and control numbers."""
    # No current time in the envelope: the same content always gives the same preview.
    day = document.dated or datetime(2000, 1, 1, tzinfo=UTC).date()
    envelope = Envelope(
        sender_qualifier="ZZ",
        sender_id="US",
        receiver_qualifier="ZZ",
        receiver_id=document.partner.code[:15],
        sender_application="US",
        receiver_application=document.partner.code[:15],
        date=day,
        time=time(0, 0),
        usage=usage,
        delimiters=document.partner.settings.text.delimiters,
    )
    return render(document.prepared.transaction, envelope)
