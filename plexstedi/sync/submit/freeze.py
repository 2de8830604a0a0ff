"""Freeze a due document: fix the bytes, the idempotency key and the file name that every attempt uses."""

from __future__ import annotations

from datetime import UTC, datetime, time

from plexstedi.edi.document_name import Slot, Usage, file_name, idempotency_key
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.text import Envelope, render
from plexstedi.state.document import NewDocument
from plexstedi.stedi.requests import Delimiters, RequestTooLarge, create_transaction_body, generate_edi_body
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument, Route, route_of


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
