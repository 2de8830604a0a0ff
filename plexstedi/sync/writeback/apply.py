"""Execute write plans: read first, write only differences, read back (DESIGN.md section 6).

Plex has no idempotency keys: a write without a response is read by the next run and decided then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plexstedi.config.load import WriteBack
from plexstedi.edi.writeback.custom_fields import differences
from plexstedi.edi.writeback.plan import FieldChange, RecordKey, WriteTarget
from plexstedi.edi.writeback.plan import Level as WriteLevel
from plexstedi.errors import PlexStediError, RequestRejected, ServiceUnavailable
from plexstedi.plex.port import FieldValue, FieldValues, Level, RecordRef
from plexstedi.state.writes import Write
from plexstedi.sync.isolation import Turns, hold, release_hold
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.writeback.open_writes import record_of_write, writes_to_check
from plexstedi.sync.writeback.releases import carry_out_releases, release_changes
from plexstedi.sync.writeback.results import (
    conflicts_with_other,
    record_done,
    record_not_done,
    record_still_missing,
)
from plexstedi.sync.writeback.targets import TARGETS

_BATCH = {WriteTarget.CUSTOM_FIELDS: 500, WriteTarget.RECORDS: 20}
"""Orders per batch. Custom fields: with up to ten lines each, their records fit into one call each way (5,000 a
call, plex/README.md 7.B). Acknowledgment records need a call each and should be read back soon."""


def carry_out(session: Session) -> list[int]:
    """Execute the open plans; return their ids. Raise ServiceUnavailable, ServiceRefused; what is done stays done."""
    target = TARGETS.get(session.config.plex.acknowledgments.write)
    if target is None:
        return []
    ids: list[int] = []
    fields: dict[Level, set[str]] = {}
    for write in writes_to_check(session):
        ids.append(write.id)
        if target is not WriteTarget.RELEASES:
            _add_fields(fields, write)
    if not ids:
        return []
    if target is WriteTarget.RELEASES:
        carry_out_releases(session, ids)
        return ids
    session.services.plex.check_fields(fields)
    turns = Turns(session, Stage.INGEST)
    size = _BATCH[target]
    for begin in range(0, len(ids), size):
        session.checkpoint()
        batch = list(session.store.writes.by_ids(ids[begin : begin + size]))
        _carry_out_together(session, batch, turns)
        session.progress("writing to Plex", min(begin + size, len(ids)), len(ids))
    turns.raise_unanswered()
    return ids


def _carry_out_together(session: Session, batch: Sequence[Write], turns: Turns) -> None:
    """Execute a batch in one call; if that fails, execute each write separately to isolate the cause.

    Every execution begins by reading Plex, so nothing is written twice.
    """
    try:
        _carry_out_batch(session, batch)
    except (ServiceUnavailable, RequestRejected) as fault:
        if fault.code == "time-limit":
            raise
        if len(batch) == 1:
            if isinstance(fault, RequestRejected):
                fault = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
            turns.no_response(record_of_write(batch[0]), fault)
            return
    except PlexStediError:
        raise
    except Exception as error:
        if len(batch) == 1:
            hold(session, record_of_write(batch[0]), error)
            return
    else:
        for write in batch:
            release_hold(session, record_of_write(write))
            if (missing := _not_written(session, write)) is not None:
                turns.no_response(record_of_write(write), missing)
            else:
                turns.succeeded(record_of_write(write))
        return
    for write in batch:
        session.checkpoint()
        with turns.turn(record_of_write(write)):
            _carry_out_batch(session, session.store.writes.still_open(write.id))
            if (missing := _not_written(session, write)) is not None:
                raise missing


def _not_written(session: Session, write: Write) -> ServiceUnavailable | None:
    """Why Plex did not take this write; None if it did, or a review item is open."""
    for left in session.store.writes.still_open(write.id):
        # Not shown yet does not count as a failure: Plex may lag behind its own writes.
        if left.error is not None and left.unseen_since is None:
            return ServiceUnavailable(
                left.error, fix="The next run reads the current values from Plex and continues.", code="not-written"
            )
    return None


def changes_of(session: Session, writes: Sequence[Write]) -> dict[int, tuple[FieldChange, ...]]:
    """The changes in Plex by write id: Plex is read, nothing is written."""
    if session.config.plex.acknowledgments.write is WriteBack.RELEASES:
        return {write.id: release_changes(session, write) for write in writes}
    now = read_now(session, writes)
    return {write.id: differences(write.plan, now, _last_written(session, write.order_id)) for write in writes}


def _last_written(session: Session, order_id: str) -> dict[RecordKey, dict[str, FieldValue]]:
    """The last value that we wrote to each field of an order: only such values may be cleared."""
    written: dict[RecordKey, dict[str, FieldValue]] = {}
    for write in session.store.writes.of_order(order_id):
        if write.done_at is not None:
            for entry in write.plan.entries:
                written.setdefault((entry.level, entry.record_id), {})[entry.field] = entry.plex_value()
    return written


def _carry_out_batch(session: Session, batch: Sequence[Write]) -> None:
    store = session.store
    if not batch:
        return
    changes = changes_of(session, batch)
    unseen = [write for write in batch if write.unseen_since is not None]
    batch = [w for w in batch if w.unseen_since is None and not conflicts_with_other(session, w, changes[w.id])]
    to_write = [write for write in batch if changes[write.id]]
    with store.transaction():
        for write in unseen:
            if changes[write.id]:
                record_still_missing(session, write, changes[write.id])
            else:
                record_done(session, write, already=False)
        for write in batch:
            if changes[write.id]:
                store.writes.begin(write.id, changes[write.id])
            else:
                record_done(session, write, already=True)
    if not to_write:
        return
    # The intent is committed above; the result is read back, since a response may be lost.
    results = session.services.plex.write_values(_values_to_write(to_write, changes))
    after = changes_of(session, to_write)
    by_record = {_key(result.record): result for result in results}
    with store.transaction():
        for write in to_write:
            if not after[write.id]:
                made = dict.fromkeys((c.level, c.record_id) for c in changes[write.id])
                outcomes = [by_record[key].outcome for key in made if key in by_record]
                record_done(session, write, already=False, outcomes=outcomes)
                continue
            left = after[write.id]
            outcomes = [r.outcome for c in left if (r := by_record.get((c.level, c.record_id))) is not None]
            record_not_done(session, write, left, outcomes)


def read_now(session: Session, writes: Sequence[Write]) -> dict[RecordKey, Mapping[str, FieldValue]]:
    """The current values in Plex of every field in these plans."""
    wanted: dict[RecordKey, tuple[RecordRef, dict[str, FieldValue]]] = {}
    for write in writes:
        for entry in write.plan.entries:
            ref = RecordRef(Level(entry.level), write.order_id, entry.record_id)
            wanted.setdefault((entry.level, entry.record_id), (ref, {}))[1][entry.field] = entry.plex_value()
    found = session.services.plex.read_values([FieldValues(ref, fields) for ref, fields in wanted.values()])
    return {_key(values.record): values.values for values in found}


def _key(record: RecordRef) -> RecordKey:
    level: WriteLevel = record.level.value
    return level, record.record_id


def _values_to_write(writes: Sequence[Write], changes: Mapping[int, Sequence[FieldChange]]) -> list[FieldValues]:
    """The custom fields that differ; an acknowledgment record that differs is written as a whole."""
    merged: dict[RecordKey, tuple[RecordRef, dict[str, FieldValue]]] = {}
    for write in writes:
        whole = write.plan.target is WriteTarget.RECORDS
        fields = {(change.level, change.record_id, change.field) for change in changes[write.id]}
        records = {(change.level, change.record_id) for change in changes[write.id]}
        for entry in write.plan.entries:
            key = (entry.level, entry.record_id)
            if (*key, entry.field) in fields or (whole and key in records):
                ref = RecordRef(Level(entry.level), write.order_id, entry.record_id)
                merged.setdefault((entry.level, entry.record_id), (ref, {}))[1][entry.field] = entry.plex_value()
    return [FieldValues(ref, fields) for ref, fields in merged.values()]


def _add_fields(fields: dict[Level, set[str]], write: Write) -> None:
    for entry in write.plan.entries:
        fields.setdefault(Level(entry.level), set()).add(entry.field)
