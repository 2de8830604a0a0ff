"""Build the Plex write plan from combined acknowledgments, by the strategy of `plex.acknowledgments.write`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import assert_never

from msgspec.structs import replace

from plexstedi.config.datasources import RECORD_VALUES, WRITE
from plexstedi.config.load import AckLevel, WriteBack
from plexstedi.edi.inbound.precedence import Folded, newest_first
from plexstedi.edi.model import to_json
from plexstedi.edi.order import Order
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.custom_fields import plan_writes
from plexstedi.edi.writeback.plan import AckField, ReleaseField, WritePlan
from plexstedi.edi.writeback.records import plan_record_writes
from plexstedi.edi.writeback.releases import plan_release_writes
from plexstedi.state.document import Document
from plexstedi.state.orders import OrderRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_order
from plexstedi.sync.session import Session


def plan_order(
    session: Session,
    order_id: str,
    streams: Mapping[str, Folded],
    last_sent: Mapping[str, SentOrder],
    last: Document | None,
) -> None:
    """Store one write plan for the whole order after these acknowledgments; in the caller's transaction.

    `last_sent`: the last document sent, by stream. `last`: the order's last document in any state.
    """
    write = session.config.plex.acknowledgments.write
    newest = next(iter(newest_first(f.header for f in streams.values() if f.header is not None)), None)
    record = session.store.orders.get(order_id)
    assert record is not None
    if newest is None:
        # No acknowledgment counts any more, for example after a change was sent: discard what was planned from them.
        _drop(session, record)
        return
    if not _is_still_supplier(session, record, last):
        # The order was moved to another supplier in Plex: the former supplier's promises do not apply.
        _drop(session, record)
        return
    order = session.store.orders.revision(order_id, record.latest)
    # A supplier without a table may still acknowledge earlier documents: use the default settings.
    settings = session.config.suppliers.get(record.supplier, session.config.supplier_defaults)
    match write:
        case WriteBack.REPORT_ONLY:
            # A plan kept here would be written with outdated values once the strategy is set back.
            _drop(session, record)
            return
        case WriteBack.RELEASES:
            values = tuple(ReleaseField(name) for name in session.config.plex.acknowledgments.release_values)
            plan = _combined(
                plan_release_writes(order, folded.lines, last_sent[stream], values, settings)
                for stream, folded in streams.items()
            )
        case WriteBack.DATASOURCE:
            inputs = session.config.plex.datasources[WRITE].inputs
            written = {AckField(value): name for value, name in inputs.items() if value in RECORD_VALUES}
            plan = _combined(
                plan_record_writes(order, folded.lines, last_sent[stream], written, settings)
                for stream, folded in streams.items()
            )
        case WriteBack.CUSTOM_FIELDS:
            plan = _custom_fields(session, order, streams, last_sent, settings)
        case _:
            assert_never(write)
    subject = of_order(record.number)
    if not plan.withheld:
        session.withdraw_review(ReviewKind.WRITE_WITHHELD, subject, "all of it can be written now", order_id=order_id)
    else:
        session.open_review(
            ReviewKind.WRITE_WITHHELD,
            subject,
            plan.withheld,
            supplier=record.supplier,
            order_id=order_id,
            order_number=record.number,
        )
    if not plan.entries:
        _drop(session, record)
    elif planned := session.store.writes.plan(order_id, newest.transaction_id, plan, session.clock.now()):
        session.note(
            "write-planned",
            of_order(record.number),
            order_id=order_id,
            transaction=newest.transaction_id,
            write=planned,
            fields=len(plan.entries),
            sha256=hashlib.sha256(to_json(plan).encode()).hexdigest(),
        )


def _is_still_supplier(session: Session, record: OrderRecord, last: Document | None) -> bool:
    """Whether the order still belongs to the supplier that received its documents."""
    settings = session.config.suppliers.get(record.supplier)
    if last is None or settings is None:
        return last is not None and record.supplier == last.supplier
    return record.supplier == last.supplier or settings.partnership_id == last.partnership


def _drop(session: Session, record: OrderRecord) -> None:
    """Discard open and failed writes: writing them later would be wrong."""
    session.store.writes.drop_open(record.id)
    session.withdraw_review(
        ReviewKind.WRITE_FAILED,
        Subject(f"write of order {record.number}"),
        "the planned values are superseded",
        order_id=record.id,
    )


def _custom_fields(
    session: Session,
    order: Order,
    streams: Mapping[str, Folded],
    last_sent: Mapping[str, SentOrder],
    settings: SupplierSettings,
) -> WritePlan:
    config = session.config.plex.acknowledgments
    # Two streams would overwrite each other's values in the same line or order record.
    if len(streams) > 1 and config.level is not AckLevel.RELEASE:
        return WritePlan(order_id=order.id, order_number=order.number, withheld=(_level_reason(),))
    fields = {AckField(name): field for name, field in config.fields.listed().items()}
    folded_and_sent = [(folded, last_sent[stream]) for stream, folded in streams.items()]
    return plan_writes(order, folded_and_sent, fields, config.level.value, settings)


def _combined(of_streams: Iterable[WritePlan]) -> WritePlan:
    """Combine the plans of an order's streams (at least one) into one."""
    plans = list(of_streams)
    return replace(
        plans[0],
        entries=tuple(entry for plan in plans for entry in plan.entries),
        withheld=tuple(reason for plan in plans for reason in plan.withheld),
    )


def _level_reason() -> Reason:
    return Reason(
        code="level",
        where="order",
        message="its releases were sent as separate orders, which a line or order in Plex cannot distinguish",
        fix='Set plex.acknowledgments.level = "release".',
    )
