"""`recover`: a lost or old state is rebuilt from what Stedi was given and what Plex holds.

Every outbound file under a name of ours that the ledger lacks is taken over. A stream counts as in sync only when the
order as Plex has it now renders to the mark in the name of its last file; every other stream is blocked and shown to a
person with both versions. Nothing is ever sent by this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from plexstedi.edi.held import Held, Reason
from plexstedi.edi.names import Slot, idempotency_key, parse_file_name
from plexstedi.edi.order import Order, Phase
from plexstedi.edi.outbound.due import Send850
from plexstedi.edi.outbound.prepare import Prepared, prepare
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import PlexStediError
from plexstedi.state.documents import RECOVERED, NewDocument
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.witnesses import Witness
from plexstedi.stedi.models import Delivered, DeliveryFailed, RetriedAs, delivery_of
from plexstedi.sync.due_document import order_witness, stream_name
from plexstedi.sync.due_documents import partner_of
from plexstedi.sync.poll import poll
from plexstedi.sync.session import Session
from plexstedi.sync.tenant import check_tenant
from plexstedi.sync.witness import drain_executions


@dataclass(frozen=True)
class Found:
    """One file of ours at Stedi that the ledger lacks."""

    witness: Witness
    slot: Slot
    mark: str


@dataclass(frozen=True)
class FoundStream:
    """The files of one stream, oldest first, and the order that they speak of."""

    order_number: str
    release: str | None
    files: tuple[Found, ...]
    record: OrderRecord | None
    in_sync: bool

    def as_json(self) -> dict[str, str | int | bool | list[str] | None]:
        """For `--json` and the table."""
        return {
            "order": self.order_number,
            "release": self.release,
            "supplier": None if self.record is None else self.record.supplier,
            "files": [found.witness.file_name for found in self.files],
            "in_sync": self.in_sync,
            "what": self.what(),
        }

    def what(self) -> str:
        """What will be done with it, in words."""
        if self.record is None:
            return "Plex has no such order: the file is noted, a person is asked"
        if self.in_sync:
            return "in sync: taken over"
        return "the order in Plex is not what was sent last: taken over, blocked, a person is asked"


def look(session: Session) -> list[FoundStream]:
    """What recovery would take over: Stedi's files against the orders as Plex has them now.

    Reads Plex wholly and Stedi's feed to its end; the state learns revisions and witnesses, nothing else.
    """
    check_tenant(session)
    session.overrides |= {"unknown-file", "sweep-empty"}
    drain_executions(session)
    session.tally.warnings.clear()
    poll(session, full=True)
    streams: dict[tuple[str, str | None], list[Found]] = {}
    for witness in session.store.witnesses.unknown_to_ledger():
        parsed = parse_file_name(witness.file_name)
        if parsed is not None:
            slot, mark = parsed
            streams.setdefault((slot.order, slot.release), []).append(Found(witness, slot, mark))
    return [_stream(session, number, release, files) for (number, release), files in sorted(streams.items(), key=str)]


def _stream(session: Session, number: str, release: str | None, files: Sequence[Found]) -> FoundStream:
    ordered = tuple(sorted(files, key=lambda f: (f.slot.change_sequence, f.slot.counter, f.witness.created_at)))
    records = [r for r in session.store.orders.by_number(number) if r.phase is not Phase.VANISHED]
    record = records[0] if len(records) == 1 else None
    in_sync = False
    if record is not None and record.supplier in session.config.suppliers:
        order = session.store.orders.revision(record.id, record.latest)
        key = StreamKey(order_id=record.id, release=release)
        in_sync = order_witness(order, key, partner_of(session, record.supplier)) == ordered[-1].mark
    return FoundStream(number, release, ordered, record, in_sync)


def take_over(session: Session, found: Sequence[FoundStream]) -> None:
    """Add the files to the ledger, stream by stream; each stream in one transaction."""
    for stream in found:
        session.checkpoint()
        deliveries = {file.witness.execution_id: _delivery(session, file.witness.execution_id) for file in stream.files}
        payloads = {file.witness.execution_id: _payload(session, file.witness.execution_id) for file in stream.files}
        with session.store.transaction():
            if stream.record is None:
                _note_orphan(session, stream)
            else:
                _take_over(session, stream, stream.record, deliveries, payloads)


@dataclass(frozen=True)
class Recovered:
    """What Stedi says of one file."""

    failed: str | None
    delivered: bool
    execution_id: str
    interchange: int | None
    group: int | None
    set_control: int | None


def _delivery(session: Session, execution_id: str) -> Recovered:
    execution = session.stedi.execution(execution_id)
    state = None if execution is None else delivery_of(execution)
    controls = session.stedi.execution_transactions(execution_id)
    first = controls[0] if controls else None
    return Recovered(
        failed=state.message if isinstance(state, DeliveryFailed) else None,
        delivered=isinstance(state, Delivered),
        execution_id=state.execution_id if isinstance(state, RetriedAs) else execution_id,
        interchange=None if first is None else first.interchange_control,
        group=None if first is None else first.group_control,
        set_control=None if first is None else first.set_control,
    )


def _payload(session: Session, execution_id: str) -> tuple[bytes, str]:
    """The document as Stedi got it, and as X12."""
    given = session.stedi.execution_document(execution_id, "input") or b""
    text = session.stedi.execution_document(execution_id, "output") or b""
    return given, text.decode("utf-8", errors="replace")


def _note_orphan(session: Session, stream: FoundStream) -> None:
    """A file for an order that Plex does not have: kept out of the way of other orders, and asked about."""
    reason = Reason(
        code="order-missing",
        where=f"order {stream.order_number}",
        message=f"Stedi was given {len(stream.files)} documents for it and Plex has no such order",
        fix="Settle it with the supplier, then accept.",
    )
    for file in stream.files:
        session.store.witnesses.settle(file.witness.execution_id)
    session.ask(
        ReviewKind.ORDER_HELD, f"order number {stream.order_number}", (reason,), order_number=stream.order_number
    )


def _take_over(
    session: Session,
    stream: FoundStream,
    record: OrderRecord,
    deliveries: Mapping[str, Recovered],
    payloads: Mapping[str, tuple[bytes, str]],
) -> None:
    store = session.store
    order = store.orders.revision(record.id, record.latest)
    key = StreamKey(order_id=record.id, release=stream.release)
    told = _told(session, record, order, key)
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
                revision=record.latest if last else 0,
                change_sequence=file.slot.change_sequence,
                counter=file.slot.counter,
                idempotency_key=idempotency_key(file.slot),
                file_name=file.witness.file_name,
                route="generate-edi",
                body=body,
                x12=text,
                sent=told,
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
            f"document {document.id}",
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
        prepared = prepare(
            Send850(whole, key), partner_of(session, record.supplier), change_sequence=0, revision_seen=date.min
        )
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
        message=f"its last document at Stedi ({last.witness.file_name}, {_day(last.witness.created_at)}) does not say"
        f" what Plex holds now (revision {record.latest})",
        fix="Compare both in `plexstedi review show`. Accept: the supplier has it as Plex has it. Otherwise"
        " `plexstedi replay` sends the order as it is now.",
    )
    session.ask(
        ReviewKind.RECOVERED_DIFFERS,
        stream_name(StreamKey(order_id=record.id, release=stream.release)),
        (reason,),
        supplier=record.supplier,
        order_id=record.id,
        order_number=record.number,
    )


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
