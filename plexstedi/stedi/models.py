"""Typed values of Stedi's API responses.

Read leniently: Stedi adds codes and fields without notice (stedi/README.md 4.3), so codes remain text and missing
values are None. A record without its essential fields becomes an UnreadableEntry; it is never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct

from plexstedi.decimal_json import Json, NotPlain, as_time, as_whole
from plexstedi.http.error_body import clean

INBOUND = "INBOUND"
OUTBOUND = "OUTBOUND"
COMPLETED = "COMPLETED"
"""The status of an execution whose file reached all connections (stedi/README.md 3.1)."""
_TOO_LARGE = 10**18
"""Upper limit of control numbers and counts; larger ones do not fit into an SQLite column."""


class DeliveryAttempt(Struct, frozen=True):
    """One attempt to deliver a file to a connection (OpenAPI DeliveryReport)."""

    attempt: int | None
    status: str
    """FAILED or DELIVERED."""
    message: str
    file_name: str | None
    at: datetime | None


@dataclass(frozen=True)
class Execution:
    """One inbound or outbound file (OpenAPI ExecutionSummary, GetExecution)."""

    id: str
    direction: str
    status: str
    partnership_id: str | None
    directory: str | None
    file_name: str | None
    """Outbound: the file name that we set."""
    mode: str | None
    """production, test, other or unknown; from the usage indicator (ISA15)."""
    transaction_count: int | None
    fault_code: str | None
    fault_message: str | None
    retryable: bool
    parent_id: str | None
    child_id: str | None
    """The execution that retries this one, if any."""
    created_at: datetime
    updated_at: datetime | None
    deliveries: tuple[DeliveryAttempt, ...]
    raw: Mapping[str, Json] = field(repr=False, compare=False)


class Delivered(Struct, frozen=True):
    """The file was delivered to all connections."""


class DeliveryPending(Struct, frozen=True):
    """Delivery is not final yet; `status` is Stedi's code."""

    status: str


class DeliveryFailed(Struct, frozen=True):
    """Delivery failed after all attempts; it may still be retried at Stedi."""

    status: str
    fault_code: str | None
    message: str
    retryable: bool


class RetriedAs(Struct, frozen=True):
    """The delivery continues in another execution."""

    execution_id: str


DeliveryState: TypeAlias = Delivered | DeliveryPending | DeliveryFailed | RetriedAs


def delivery_of(execution: Execution) -> DeliveryState:
    """The delivery state of an outbound execution (stedi/README.md 3.1); an unknown status counts as pending."""
    if execution.status == COMPLETED:
        return Delivered()
    if execution.status == "RETRIED" and execution.child_id is not None:
        return RetriedAs(execution.child_id)
    if execution.status in {"FAILED", "IGNORED", "PARTIALLY_COMPLETED"}:
        reports = [report.message for report in execution.deliveries if report.status == "FAILED"]
        message = execution.fault_message or (reports[-1] if reports else "Stedi gives no reason")
        return DeliveryFailed(execution.status, execution.fault_code, message, execution.retryable)
    return DeliveryPending(execution.status)


class ExecutionFault(Struct, frozen=True):
    """One error of an execution (OpenAPI ExecutionFault)."""

    code: str
    message: str


@dataclass(frozen=True)
class StediTransaction:
    """One transaction set in Stedi (OpenAPI TransactionSummary)."""

    id: str
    execution_id: str
    direction: str
    mode: str | None
    """production, test or other."""
    status: str | None
    """succeeded or failed."""
    processed_at: datetime
    partnership_id: str | None
    sender_profile: str | None
    sender_isa: str | None
    """Sender's qualifier and id (ISA05:ISA06), as "ZZ:ACME"; duplicates are detected by sender, ISA13, GS06, ST02."""
    set_id: str | None
    """ST01: 855, 865, 997, …"""
    functional_id: str | None
    release: str | None
    """GS08."""
    interchange_control: int | None
    group_control: int | None
    set_control: int | None
    transaction_setting_id: str | None
    errors: tuple[str, ...]
    raw: Mapping[str, Json] = field(repr=False, compare=False)


@dataclass(frozen=True)
class UnreadableEntry:
    """A feed record without its essential fields; kept and reported for review."""

    reason: str
    raw: Json = field(repr=False)
    error: Exception | None = None
    """The exception, if it was an unexpected one."""


def read_execution(value: Json) -> Execution | UnreadableEntry:
    """Read an ExecutionSummary or GetExecution response."""
    if not isinstance(value, Mapping):
        return UnreadableEntry("the execution is not a JSON object", value)
    identity, created = _text(value, "executionId"), _time(value, "createdAt")
    direction, status = _text(value, "direction"), _text(value, "status")
    if identity is None or created is None or direction is None or status is None:
        return UnreadableEntry(f"execution {identity or '?'} lacks executionId, createdAt, direction or status", value)
    source = _table(value, "source")
    return Execution(
        id=identity,
        direction=direction,
        status=status,
        partnership_id=_text(value, "partnershipId"),
        directory=_text(source, "dirname"),
        file_name=_text(source, "name"),
        mode=_text(value, "mode"),
        transaction_count=_whole(value, "transactionCount"),
        fault_code=_text(value, "faultCode"),
        fault_message=_safe_text(value, "faultMessage"),
        retryable=value.get("retryable") is True,
        parent_id=_text(value, "parentExecutionId"),
        child_id=_text(value, "childExecutionId"),
        created_at=created,
        updated_at=_time(value, "updatedAt"),
        deliveries=tuple(_delivery(report) for report in _tables(value, "deliveryReports")),
        raw=value,
    )


def read_transaction(value: Json) -> StediTransaction | UnreadableEntry:
    """Read a TransactionSummary or GetTransaction response; without X12 metadata, `set_id` is None."""
    if not isinstance(value, Mapping):
        return UnreadableEntry("the transaction is not a JSON object", value)
    identity, execution = _text(value, "transactionId"), _text(value, "fileExecutionId")
    direction, processed = _text(value, "direction"), _time(value, "processedAt")
    if identity is None or execution is None or direction is None or processed is None:
        reason = f"transaction {identity or '?'} lacks transactionId, fileExecutionId, direction or processedAt"
        return UnreadableEntry(reason, value)
    x12 = _table(value, "x12")
    metadata = _table(x12, "metadata")
    partnership = _table(value, "partnership")
    partnership_id = _text(partnership, "partnershipId")
    if partnership_id is None and direction != OUTBOUND:
        # Not another plant's, which names its own: nobody would see the acknowledgment.
        return UnreadableEntry(f"transaction {identity} lacks its partnership", value)
    group, control = _table(metadata, "functionalGroup"), _table(metadata, "transaction")
    isa = _table(_table(metadata, "sender"), "isa")
    isa_id = _text(isa, "id")
    return StediTransaction(
        id=identity,
        execution_id=execution,
        direction=direction,
        mode=_text(value, "mode"),
        status=_text(value, "status"),
        processed_at=processed,
        partnership_id=partnership_id,
        sender_profile=_text(_table(partnership, "sender"), "profileId"),
        sender_isa=None if isa_id is None else f"{_text(isa, 'qualifier') or ''}:{isa_id.strip()}",
        set_id=_text(control, "transactionSetIdentifier"),
        functional_id=_text(group, "functionalIdentifierCode"),
        release=_text(group, "release"),
        interchange_control=_whole(_table(metadata, "interchange"), "controlNumber"),
        group_control=_whole(group, "controlNumber"),
        set_control=_whole(control, "controlNumber"),
        transaction_setting_id=_text(_table(x12, "transactionSetting"), "transactionSettingId"),
        errors=tuple(_safe_text(error, "message") or "no message" for error in _tables(value, "translationErrors")),
        raw=value,
    )


def read_fault(value: Json) -> ExecutionFault | UnreadableEntry:
    """Read an ExecutionFault."""
    if not isinstance(value, Mapping):
        return UnreadableEntry("the fault is not a JSON object", value)
    return ExecutionFault(
        _text(value, "faultCode") or "UNKNOWN_ERROR", _safe_text(value, "faultMessage") or "no message"
    )


class Control(Struct, frozen=True):
    """The control data of a generated file, as far as the response states it."""

    file_execution_id: str | None
    interchange_control: int | None
    group_control: int | None
    edi: str | None


def read_generated(value: Json) -> Control:
    """Read a GenerateEdi or CreatePartnershipOutboundTransaction response."""
    body = value if isinstance(value, Mapping) else {}
    interchanges = _tables(_table(body, "metadata"), "interchangeMetadata")
    first = interchanges[0] if interchanges else {}
    groups = first.get("functionalGroupControlNumbers")
    group = groups[0] if isinstance(groups, Sequence) and not isinstance(groups, str) and groups else None
    return Control(
        file_execution_id=_text(body, "fileExecutionId"),
        interchange_control=_whole(first, "interchangeControlNumber"),
        group_control=whole(group),
        edi=_text(body, "edi"),
    )


def whole(value: Json) -> int | None:
    """A control number or count, which Stedi returns as a number or as zero-padded text ("0001")."""
    number = as_whole(value)
    return number if number is not None and 0 <= number < _TOO_LARGE else None


def _delivery(report: Mapping[str, Json]) -> DeliveryAttempt:
    return DeliveryAttempt(
        attempt=_whole(report, "attempt"),
        status=_text(report, "status") or "UNKNOWN",
        message=_safe_text(report, "message") or "",
        file_name=_text(report, "filename"),
        at=_time(report, "createdAt"),
    )


def _text(table: Mapping[str, Json], key: str) -> str | None:
    value = table.get(key)
    return value if isinstance(value, str) and value and not isinstance(value, NotPlain) else None


def _safe_text(table: Mapping[str, Json], key: str) -> str | None:
    """Stedi's text without URLs: a fault may quote a presigned URL, or one with a password."""
    text = _text(table, key)
    return None if text is None else clean(text)


def _whole(table: Mapping[str, Json], key: str) -> int | None:
    return whole(table.get(key))


def _time(table: Mapping[str, Json], key: str) -> datetime | None:
    return as_time(table.get(key))


def _table(table: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value: Any = table.get(key)
    return value if isinstance(value, Mapping) else {}


def _tables(table: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    value: Any = table.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
