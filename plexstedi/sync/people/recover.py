"""`recover`: a lost or old state is rebuilt from what Stedi was given and what Plex holds.

Every outbound file under a name of ours that the ledger lacks is taken over. A stream counts as in sync only when a
revision of the order (as Plex has it now, or as an old state had it) renders to the mark in the name of its last file;
every other stream is blocked and shown to a person with both versions. Nothing is ever sent by this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from plexstedi.advice import replay_command
from plexstedi.edi.document_name import parse_file_name
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.order_number import PossibleOwner, owner_of_files
from plexstedi.edi.outbound.actions import Send850
from plexstedi.edi.outbound.document import Prepared, Renderings, prepare
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import PlexStediError, ServiceUnavailable
from plexstedi.state.cursors import Fact
from plexstedi.state.document import RECOVERED, NewDocument
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_document, of_order, of_stream
from plexstedi.sync.feed import TRANSACTIONS, read_anew
from plexstedi.sync.partners import partner_of
from plexstedi.sync.people.recovered_files import (
    Found,
    Recovered,
    delivery_at_stedi,
    free_key,
    payload_at_stedi,
    settle_earlier,
)
from plexstedi.sync.people.recovered_lines import RecoveredSent, sent_by_position
from plexstedi.sync.poll.orders import poll
from plexstedi.sync.replay_words import REPLACES
from plexstedi.sync.session import Session
from plexstedi.sync.setup import check_tenant
from plexstedi.sync.submit.document import order_witness, stream_name
from plexstedi.sync.submit.executions import read_executions

_LOOK_BEHIND = timedelta(days=2)
"""An order is in Plex, at the longest so much, before its first document goes out; older ones were touched since."""


@dataclass(frozen=True)
class FoundStream:
    """The files of one stream, oldest first, and the order that they speak of."""

    order_number: str
    release: str | None
    files: tuple[Found, ...]
    record: OrderRecord | None
    revision: int | None
    """The revision of the order that the last file says; None: none that is known."""
    others: tuple[OrderRecord, ...] = ()
    """Where `record` is None: orders of this number of which none is surely the one."""

    @property
    def in_sync(self) -> bool:
        """Whether it is known what the supplier has."""
        return self.revision is not None

    def what(self) -> str:
        """What will be done with it, in words."""
        if self.record is None and self.others:
            return "the number was used again, and the order of this file cannot be determined: needs review"
        if self.record is None:
            return "Plex has no such order: the file is recorded, needs review"
        if self.revision == self.record.latest:
            return "in sync: imported"
        if self.revision is not None:
            return f"says revision {self.revision}: imported, later changes are sent next"
        return "the order in Plex differs from the last document: imported, blocked, needs review"


def look(session: Session) -> list[FoundStream]:
    """What recovery would take over: Stedi's files against the orders as Plex has them now.

    Reads Plex wholly and Stedi's feed to its end; the state learns revisions and witnesses, nothing else. Raise
    ServiceUnavailable when the time is over before all orders were read; what was read stays.
    """
    check_tenant(session)
    session.overrides |= {"sweep-empty"}
    read_executions(session, all_of_ours=True)
    unknown = unknown_files(session)
    if not unknown:
        return []
    _read_plex(session, since=min(witness.created_at for witness in unknown) - _LOOK_BEHIND)
    streams: dict[tuple[str, str | None], list[Found]] = {}
    for witness in unknown:
        parsed = parse_file_name(witness.file_name)
        if parsed is not None:
            slot, mark = parsed
            if slot.kind == "810":
                continue
            streams.setdefault((slot.order, slot.release), []).append(Found(witness, slot, mark))
    return [_stream(session, number, release, files) for (number, release), files in sorted(streams.items(), key=str)]


def unknown_files(session: Session) -> list[ExecutionRecord]:
    """Files of ours that the ledger lacks. A retried file comes twice under one name: the newest execution counts."""
    return list({witness.file_name: witness for witness in session.store.witnesses.unknown_to_ledger()}.values())


def _read_plex(session: Session, since: datetime) -> None:
    cursor = session.store.memory.time(Fact.PLEX_CURSOR)
    overlap = timedelta(minutes=session.config.plex.poll.overlap_minutes)
    poll(session, since=since if cursor is None else min(since, cursor - overlap), full=True)
    left = session.store.orders.work_left()
    if left:
        raise ServiceUnavailable(
            f"{left} orders are still to be read from Plex, so nothing was imported",
            fix="Run `plexstedi recover` again: it continues.",
            code="time-limit",
        )


def _stream(session: Session, number: str, release: str | None, files: Sequence[Found]) -> FoundStream:
    ordered = tuple(sorted(files, key=lambda f: (f.slot.change_sequence, f.slot.counter, f.witness.created_at)))
    last = ordered[-1]
    orders = session.store.orders
    records = {record.id: record for record in orders.by_number(number)}
    said = {
        each: _revision_said(session, record, StreamKey(order_id=each, release=release), last.mark)
        for each, record in records.items()
    }
    suppliers = session.config.suppliers
    owner = owner_of_files(
        [
            PossibleOwner(
                id=record.id,
                has_documents=any(d.order_number == number for d in session.store.documents.of_order(record.id)),
                matches_content=said[record.id] is not None,
                same_partner=record.supplier in suppliers
                and suppliers[record.supplier].partnership_id == last.witness.partnership,
                in_plex=record.phase is not Phase.VANISHED,
                created_at=orders.revision(record.id, record.latest).created_at,
            )
            for record in records.values()
        ],
        min(file.witness.created_at for file in ordered),
    )
    if owner is None:
        return FoundStream(number, release, ordered, None, None, tuple(records.values()))
    return FoundStream(number, release, ordered, records[owner], said[owner])


def _revision_said(session: Session, record: OrderRecord, key: StreamKey, mark: str) -> int | None:
    """The newest revision that renders to this mark."""
    if record.supplier not in session.config.suppliers or session.config.problems_of(record.supplier):
        return None
    renderings = Renderings(partner_of(session, record.supplier))
    for revision in range(record.latest, 0, -1):
        if order_witness(session.store.orders.revision(record.id, revision), key, renderings) == mark:
            return revision
    return None


def take_over(session: Session, found: Sequence[FoundStream]) -> None:
    """Add the files to the ledger, stream by stream; each stream in one transaction."""
    if not found:
        return
    with session.store.transaction():
        look_again_from(session, min(file.witness.created_at for stream in found for file in stream.files))
        _ask_about_the_rest(session, found)
    for stream in found:
        session.checkpoint()
        deliveries = {
            file.witness.execution_id: delivery_at_stedi(session, file.witness.execution_id) for file in stream.files
        }
        payloads = {
            file.witness.execution_id: payload_at_stedi(session, file.witness.execution_id) for file in stream.files
        }
        with session.store.transaction():
            if stream.record is None:
                _note_orphan(session, stream)
            else:
                _take_over(session, stream, stream.record, deliveries, payloads)


def look_again_from(session: Session, since: datetime) -> None:
    """Answers that came since the first of these files are listed again; those that are known make no difference."""
    known = session.store.memory.time(Fact.ANSWERS_FROM)
    session.store.memory.put_time(Fact.ANSWERS_FROM, since if known is None else min(since, known))
    read_anew(session, TRANSACTIONS)


def _ask_about_the_rest(session: Session, found: Sequence[FoundStream]) -> None:
    """Orders that a new state takes as known, and that were made while documents went out: no file says them.

    They may never have been sent: a person is asked (`documents.known_orders`).
    """
    began = min(file.witness.created_at for stream in found for file in stream.files)
    with_files = {stream.record.id for stream in found if stream.record is not None}
    for record in session.store.orders.all():
        if record.id in with_files or not record.known or record.untraded or record.phase is not Phase.RELEASED:
            continue
        created = session.store.orders.revision(record.id, record.latest).created_at
        if created is None or created < began or session.store.documents.of_order(record.id):
            continue
        session.store.orders.forget_baseline(record.id)
        session.note("order-without-document", of_order(record.number), order_id=record.id)


def _note_orphan(session: Session, stream: FoundStream) -> None:
    """A file for an order that Plex does not have: kept out of the way of other orders, and asked about."""
    message = f"Stedi received {len(stream.files)} documents for it and Plex has no such order"
    if stream.others:
        ids = ", ".join(f"{each.id} of {each.supplier}, {each.phase}" for each in stream.others)
        message = (
            f"Stedi received {len(stream.files)} documents under this number, and their order cannot be determined: "
            f"in Plex the number is on {ids}"
        )
    reason = Reason(
        code="order-missing",
        where=f"order {stream.order_number}",
        message=message,
        fix="Resolve it with the supplier, then `plexstedi review accept ID --reason TEXT`; until then no older "
        "order of this supplier is sent for the first time.",
    )
    for file in stream.files:
        session.store.witnesses.settle(file.witness.execution_id)
    partnership = stream.files[-1].witness.partnership
    suppliers = session.config.suppliers.items()
    supplier = next((code for code, settings in suppliers if settings.partnership_id == partnership), None)
    session.ask(
        ReviewKind.ORDER_HELD,
        Subject(f"order number {stream.order_number}"),
        (reason,),
        supplier=supplier,
        order_number=stream.order_number,
    )


def _take_over(
    session: Session,
    stream: FoundStream,
    record: OrderRecord,
    deliveries: Mapping[str, Recovered],
    payloads: Mapping[str, tuple[bytes, str]],
) -> None:
    store = session.store
    revision = record.latest if stream.revision is None else stream.revision
    key = StreamKey(order_id=record.id, release=stream.release)
    told = _told(session, record, store.orders.revision(record.id, revision), key)
    files = [RecoveredSent(file.slot.kind, file.mark, payloads[file.witness.execution_id][1]) for file in stream.files]
    sent = sent_by_position(told, files)
    settle_earlier(session, stream_name(key))
    store.orders.set_settled(record.id, 0)
    for position, file in enumerate(stream.files):
        last = position == len(stream.files) - 1
        state = deliveries[file.witness.execution_id]
        body, text = payloads[file.witness.execution_id]
        settings = session.config.suppliers.get(record.supplier)
        document = store.documents.take_over(
            NewDocument(
                stream=stream_name(key),
                order_id=record.id,
                order_number=record.number,
                order_release=stream.release,
                supplier=record.supplier,
                partnership=file.witness.partnership or (settings.partnership_id if settings else None) or "",
                transaction_setting=RECOVERED,
                kind=file.slot.kind,
                purpose=RECOVERED,
                revision=revision if last else 0,
                change_sequence=file.slot.change_sequence,
                counter=file.slot.counter,
                idempotency_key=free_key(session, file),
                file_name=file.witness.file_name,
                route="generate-edi",
                body=body,
                x12=text,
                sent=sent[position],
                dropped=(),
            ),
            sent_at=file.witness.created_at,
            execution_id=state.execution_id,
            delivered=state.delivered or not last,
            failed=state.failed if last else None,
            blocks=last and not stream.in_sync,
        )
        store.documents.set_controls(document.id, state.interchange, state.group, state.set_control)
        session.note(
            "document-recovered",
            of_document(document.id),
            order_id=record.id,
            file_name=file.witness.file_name,
            in_sync=stream.in_sync,
        )
    if not stream.in_sync:
        _ask(session, stream, record)


def _told(session: Session, record: OrderRecord, order: Order, key: StreamKey) -> SentOrder:
    """What the supplier has, as far as the order in Plex tells it: lines to match answers with."""
    whole = order.model_copy(update={"phase": Phase.RELEASED})
    prepared: Prepared | Held
    try:
        renderings = Renderings(partner_of(session, record.supplier))
        prepared = prepare(Send850(whole, key), renderings, change_sequence=0, revision_seen=date.min)
    except (KeyError, PlexStediError):
        return SentOrder(number=record.number, release=key.release, lines=())
    if isinstance(prepared, Held):
        return SentOrder(number=record.number, release=key.release, lines=())
    return prepared.sent


def _ask(session: Session, stream: FoundStream, record: OrderRecord) -> None:
    last = stream.files[-1]
    reason = Reason(
        code="recovered-differs",
        where="order",
        message=f"its last document at Stedi ({last.witness.file_name}, {_day(last.witness.created_at)}) differs "
        f"from Plex now (revision {record.latest})",
        fix="Compare both with `plexstedi review show ID`. If the supplier has the order as Plex has it:"
        " `plexstedi review accept ID --reason TEXT`. Otherwise"
        f" {replay_command(record.number, release=stream.release, purpose=REPLACES)} sends the current order to "
        "replace it.",
    )
    session.ask(
        ReviewKind.RECOVERED_DIFFERS,
        of_stream(stream_name(StreamKey(order_id=record.id, release=stream.release))),
        (reason,),
        supplier=record.supplier,
        order_id=record.id,
        order_number=record.number,
    )


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
