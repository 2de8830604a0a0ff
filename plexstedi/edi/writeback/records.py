"""Plan Plex acknowledgment records (strategy `datasource`): one complete record per release.

Plex stores acknowledgment records beside a release (plex/README.md 7.D); a data source adds or updates one. The date
and quantity of the release itself are not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from plexstedi.edi.inbound.precedence import LineAckStatus
from plexstedi.edi.order import Order
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.plan import AckField, WriteEntry, WritePlan, WriteTarget
from plexstedi.edi.writeback.promises import ReleasePromise, release_promises


def plan_record_writes(
    order: Order,
    outcomes: Mapping[int, LineAckStatus],
    sent: SentOrder,
    fields: Mapping[AckField, str],
    settings: SupplierSettings,
) -> WritePlan:
    """Plan the acknowledgment record of each release.

    `fields` maps each written value to an input of the data source. A release that is received, cancelled or deleted
    gets no record, nor does a release of a held line. Quantities are in the Plex unit.
    """
    promises, withheld = release_promises(order, outcomes, sent, settings)
    entries = [
        WriteEntry(
            level="release",
            record_id=promise.release.id,
            line=promise.line.number,
            release_number=promise.release.number,
            field=name,
            kind_name=kind,
            value=_value(promise, kind),
            why=promise.why,
        )
        for promise in promises
        for kind, name in fields.items()
    ]
    return WritePlan(
        order_id=order.id,
        order_number=order.number,
        target=WriteTarget.RECORDS,
        entries=tuple(entries),
        withheld=tuple(withheld),
    )


def _value(promise: ReleasePromise, kind: AckField) -> str | None:
    match kind:
        case AckField.ACK_CODE:
            return promise.code
        case AckField.ACK_STATUS:
            return str(promise.outcome.state)
        case AckField.ACK_REFERENCE:
            return promise.reference
        case AckField.ACK_NOTE:
            return promise.note()
        case AckField.ACKNOWLEDGED_AT:
            at = promise.header.processed_at.astimezone(UTC)
            return at.isoformat(timespec="seconds").replace("+00:00", "Z")
        case AckField.CONFIRMED_QUANTITY:
            return f"{promise.confirmed:f}"
        case AckField.CONFIRMED_SHIP_DATE | AckField.CONFIRMED_DELIVERY_DATE:
            day = promise.last(of_ship=kind is AckField.CONFIRMED_SHIP_DATE)
            return None if day is None else day.isoformat()
        case AckField.SUPPLIER_REFERENCE:
            return promise.header.supplier_reference
