"""One row of `documents`: the frozen values, and the states after freezing."""

from __future__ import annotations

import json
from datetime import datetime

from msgspec import Struct

from plexstedi.edi.sent import SentOrder
from plexstedi.state.document_states import BusinessStatus, Delivery, DocumentState, FunctionalStatus
from plexstedi.state.file.codec import Columns, unpack
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


def unpacked(packed: bytes) -> bytes:
    return unpack(packed) if packed else b""


def _dropped(packed: bytes) -> tuple[str, ...]:
    return tuple(json.loads(unpacked(packed) or b"[]")) if packed else ()


DOCUMENT = Columns(
    Document,
    {
        "stream": id_of,
        "order_id": id_of,
        "dropped": _dropped,
        "state": DocumentState,
        "delivery": Delivery,
        "functional_ack": FunctionalStatus,
        "business_ack": BusinessStatus,
        "retry": bool,
        "blocks": bool,
        "file_execution_id": maybe_id_of,
        "frozen_at": time_of,
        "first_attempt_at": maybe_time_of,
        "accepted_at": maybe_time_of,
        "delivered_at": maybe_time_of,
        "next_attempt_at": maybe_time_of,
    },
)
