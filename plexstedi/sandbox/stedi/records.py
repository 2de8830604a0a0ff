"""The records of the simulated Stedi: partnerships with settings, files and their transactions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.sample_data import TradingPartner
from plexstedi.sandbox.stedi.x12 import Delimiters, Party, Segment

LOCAL = Party("ZZ", "RIVERBEND", "RIVERBEND")
LOCAL_PROFILE = "riverbend"

Direction = Literal["INBOUND", "OUTBOUND", "UNKNOWN"]


class Setting(Struct):
    """One transaction setting of a partnership. With `guide_schema`, documents are validated against that guide."""

    id: str
    set_id: str
    direction: Direction
    guide_id: str
    guide_schema: Json = None


class Partnership(Struct):
    """One trading relationship with its settings and counters."""

    id: str
    partner: TradingPartner
    connection_id: str
    settings: dict[str, Setting]
    interchange_number: int = 0
    group_number: int = 0
    their_number: int = 0
    failing_attempts: int = 0
    """Number of failing delivery attempts per file; with 3 or more the file fails."""

    @property
    def remote(self) -> Party:
        return Party(self.partner.isa_qualifier, self.partner.isa_id, self.partner.isa_id)


class DeliveryReport(Struct, frozen=True):
    id: str
    attempt: int
    at: datetime
    delivered: bool
    message: str


class Transaction(Struct):
    """One transaction set of a file. It is listed once `processed_at` is set."""

    id: str
    execution: Execution
    set_id: str
    control_number: str
    group_number: int
    setting_id: str | None
    guide_id: str | None
    order_number: str | None
    interchange_number: int
    processed_at: datetime | None = None


class Execution(Struct):
    """One inbound or outbound file and its status."""

    id: str
    number: int
    direction: Direction
    partnership: Partnership | None
    filename: str
    created: datetime
    updated: datetime
    status: str
    usage: str
    release: str
    interchange_number: int
    functional_code: str = ""
    transactions: list[Transaction] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    fault_code: str | None = None
    fault_message: str | None = None
    fault_id: str | None = None
    parent: str | None = None
    child: str | None = None
    finished_at: datetime | None = None
    sender: Party = LOCAL
    receiver: Party = LOCAL


class GeneratedDocument(Struct):
    """An EDI file that Stedi generated for us; tests count these."""

    execution_id: str
    partnership_id: str
    setting_ids: tuple[str, ...]
    filename: str
    idempotency_key: str | None
    transactions: tuple[Json, ...]
    edi: str
    usage_indicator: str
    interchange_control_number: int
    group_control_numbers: tuple[int, ...]
    created: datetime
    delivered: datetime | None = None
    failed: bool = False
    overwrote: str | None = None
    """The execution whose delivered file of the same name was overwritten by this one."""


class OutgoingGroup(Struct, frozen=True):
    """One functional group to generate: validated Guide JSON and its segments."""

    setting: Setting
    transactions: tuple[Json, ...]
    bodies: tuple[tuple[Segment, ...], ...]
    local_application: str | None = None
    partner_application: str | None = None


class Outgoing(Struct, frozen=True):
    """The validated content of one send."""

    partnership: Partnership
    groups: tuple[OutgoingGroup, ...]
    filename: str | None
    usage: str
    acknowledgment_requested: str
    delimiters: Delimiters
    idempotency_key: str | None
