"""One row of `documents`: the frozen values, and the states after freezing."""

from __future__ import annotations

import json
from datetime import datetime

from msgspec import Struct

from plexstedi.edi.sent import SentOrder
from plexstedi.state.document_states import BusinessStatus, Delivery, DocumentState, FunctionalStatus
from plexstedi.state.file.codec import unpack
from plexstedi.state.file.database import Row
from plexstedi.state.file.short import id_of, maybe_id_of, maybe_time_of, time_of

RECOVERED = "recovered"
"""Purpose and transaction setting of a document imported by `recover`: the original values are not known."""


class NewDocument(Struct, frozen=True):
    """A document to be frozen: all values that an attempt needs."""

    stream: str
    order_id: str
    order_number: str
    order_release: str | None
    supplier: str
    partnership: str
    transaction_setting: str
    kind: str
    purpose: str
    revision: int
    change_sequence: int
    counter: int
    idempotency_key: str
    file_name: str
    route: str
    body: bytes
    x12: str
    sent: SentOrder
    dropped: tuple[str, ...]
    replay_of: int | None = None


class Document(Struct, frozen=True):
    """One row of `documents`; the payloads are read separately."""

    id: int
    stream: str
    order_id: str
    order_number: str
    order_release: str | None
    supplier: str
    partnership: str
    transaction_setting: str
    kind: str
    purpose: str
    revision: int
    change_sequence: int
    counter: int
    idempotency_key: str
    file_name: str
    route: str
    dropped: tuple[str, ...]
    state: DocumentState
    delivery: Delivery
    functional_ack: FunctionalStatus
    business_ack: BusinessStatus
    retry: bool
    """A user requested the same content again after it was refused or in doubt; the next attempt clears it."""
    blocks: bool
    """A rejecting 997 was not reviewed yet: the stream waits."""
    file_execution_id: str | None
    interchange_control: int | None
    group_control: int | None
    set_control: int | None
    frozen_at: datetime
    first_attempt_at: datetime | None
    accepted_at: datetime | None
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    error: str | None
    replay_of: int | None

    @property
    def is_closed(self) -> bool:
        """Whether the next document of the stream may be sent."""
        return self.state.is_final and not self.blocks


DOCUMENT_COLUMNS = (
    "id, stream, order_id, order_number, order_release, supplier, partnership, transaction_setting, kind, purpose,"
    " revision, change_sequence, counter, idempotency_key, file_name, route, dropped, state, delivery, functional_ack,"
    " business_ack, retry, blocks, file_execution_id, interchange_control, group_control, set_control, frozen_at,"
    " first_attempt_at, accepted_at, delivered_at, next_attempt_at, error, replay_of"
)


def document_of_row(row: Row) -> Document:
    return Document(
        id=row["id"],
        stream=id_of(row["stream"]),
        order_id=id_of(row["order_id"]),
        order_number=row["order_number"],
        order_release=row["order_release"],
        supplier=row["supplier"],
        partnership=row["partnership"],
        transaction_setting=row["transaction_setting"],
        kind=row["kind"],
        purpose=row["purpose"],
        revision=row["revision"],
        change_sequence=row["change_sequence"],
        counter=row["counter"],
        idempotency_key=row["idempotency_key"],
        file_name=row["file_name"],
        route=row["route"],
        dropped=tuple(json.loads(unpacked(row["dropped"]) or b"[]")),
        state=DocumentState(row["state"]),
        delivery=Delivery(row["delivery"]),
        functional_ack=FunctionalStatus(row["functional_ack"]),
        business_ack=BusinessStatus(row["business_ack"]),
        retry=bool(row["retry"]),
        blocks=bool(row["blocks"]),
        file_execution_id=maybe_id_of(row["file_execution_id"]),
        interchange_control=row["interchange_control"],
        group_control=row["group_control"],
        set_control=row["set_control"],
        frozen_at=time_of(row["frozen_at"]),
        first_attempt_at=maybe_time_of(row["first_attempt_at"]),
        accepted_at=maybe_time_of(row["accepted_at"]),
        delivered_at=maybe_time_of(row["delivered_at"]),
        next_attempt_at=maybe_time_of(row["next_attempt_at"]),
        error=row["error"],
        replay_of=row["replay_of"],
    )


def unpacked(packed: bytes) -> bytes:
    return unpack(packed) if packed else b""
