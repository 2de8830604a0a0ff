"""Execute plans for releases (strategy `releases`) one by one: read, compare, write, read back.

Values that a buyer changed in Plex since the order was sent, and received or cancelled releases, are not changed. Plex
has no idempotency keys: a write without a response is read by the next run and decided then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.order import ReleaseState
from plexstedi.edi.writeback.plan import FieldChange, ReleaseField, WriteEntry
from plexstedi.plex.note_token import token, with_token
from plexstedi.plex.port import CurrentRelease, ReleaseUpdate, WriteOutcome
from plexstedi.state.subject import of_write
from plexstedi.state.writes import Write
from plexstedi.sync.isolation import Turns
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.supplier_copy import order_after
from plexstedi.sync.writeback.open_writes import record_of_write
from plexstedi.sync.writeback.results import (
    conflicts_with_other,
    record_done,
    record_not_done,
    record_still_missing,
)

_Now: TypeAlias = Mapping[str, CurrentRelease | None]


class ReleaseDifference(Struct, frozen=True):
    """What to change in one release, and what is skipped, with the reason."""

    changes: tuple[FieldChange, ...] = ()
    skipped: tuple[str, ...] = ()


def carry_out_releases(session: Session, write_ids: Sequence[int]) -> None:
    """Execute the plans of these writes. Raise ServiceUnavailable, ServiceRefused; completed writes stay done."""
    turns = Turns(session, Stage.INGEST)
    for done, write in enumerate(session.store.writes.by_ids(write_ids), 1):
        session.checkpoint()
        with turns.turn(record_of_write(write)):
            _carry_out(session, write)
        session.progress("writing to Plex", done, len(write_ids))
    turns.raise_unanswered()


def release_changes(session: Session, write: Write) -> tuple[FieldChange, ...]:
    """The changes in Plex: Plex is read, nothing is written."""
    found = _differences_by_release(session, write, _read(session, _entries(write)))
    return tuple(change for difference in found.values() for change in difference.changes)


def _carry_out(session: Session, write: Write) -> None:
    now = _read(session, _entries(write))
    found = _differences_by_release(session, write, now)
    changes = [change for difference in found.values() for change in difference.changes]
    if not changes:
        _finish(session, write, now, found, already=write.unseen_since is None)
        return
    # Plex reported it as written: do not write again until it is decided that it was lost.
    if write.unseen_since is not None:
        with session.store.transaction():
            record_still_missing(session, write, changes)
        return
    if conflicts_with_other(session, write, changes):
        return
    with session.store.transaction():
        # An earlier attempt may have written part of it: keep those changes recorded as ours.
        session.store.writes.begin(write.id, _merged(write.changes, changes))
    outcomes = {
        release_id: session.services.plex.update_release(_update(write, release_id, difference.changes))
        for release_id, difference in found.items()
        if difference.changes
    }
    (begun,) = session.store.writes.by_ids([write.id])
    now |= _read(session, outcomes)
    left = [change for each in _differences_by_release(session, begun, now).values() for change in each.changes]
    if not left:
        _finish(session, begun, now, found, already=False, outcomes=outcomes.values())
        return
    with session.store.transaction():
        unfinished = dict.fromkeys(change.record_id for change in left)
        record_not_done(session, begun, left, [outcomes[each] for each in unfinished if each in outcomes])


def _change(entry: WriteEntry, before: str | None, after: str) -> FieldChange:
    return FieldChange(
        level="release",
        record_id=entry.record_id,
        line=entry.line,
        release_number=entry.release_number,
        field=entry.field,
        before=before,
        after=after,
        why=entry.why,
    )


def _finish(
    session: Session,
    write: Write,
    now: _Now,
    found: Mapping[str, ReleaseDifference],
    *,
    already: bool,
    outcomes: Collection[WriteOutcome] = (),
) -> None:
    """Record the order as Plex holds it now as the latest revision: our own write must not count as a change to
    send."""
    with session.store.transaction():
        record_done(session, write, already=already, revision=_recorded(session, write, now), outcomes=outcomes)
        for reason in (reason for each in found.values() for reason in each.skipped):
            session.note("release-left-alone", of_write(write.id), order_id=write.order_id, reason=reason)


def _recorded(session: Session, write: Write, now: _Now) -> int | None:
    """The revision that contains the written values; None if none of them is sent to suppliers."""
    orders = session.store.orders
    record = orders.get(write.order_id)
    assert record is not None
    after = order_after(orders.revision(record.id, record.latest), [c for c in write.changes if _holds(now, c)])
    if after is None:
        return None
    revision = orders.record(
        after,
        marks=orders.marks(record.id),
        now=session.clock.now(),
        known=record.known,
        baseline=record.baseline > 0,
    )
    return record.latest if revision is None else revision


def _holds(now: _Now, change: FieldChange) -> bool:
    """Whether Plex holds the written value rather than a later edit."""
    release = now.get(change.record_id)
    if release is None or change.after is None:
        return False
    if change.field == ReleaseField.QUANTITY:
        return release.quantity == Decimal(change.after)
    return release.due is not None and release.due.isoformat() == change.after


def _read(session: Session, release_ids: Iterable[str]) -> dict[str, CurrentRelease | None]:
    return {release_id: session.services.plex.current_release(release_id) for release_id in release_ids}


def _differences_by_release(session: Session, write: Write, now: _Now) -> dict[str, ReleaseDifference]:
    return {
        release_id: difference(
            entries,
            now[release_id],
            _own_values(session, write, release_id),
            has_receipts=_has_receipts(session, write, release_id),
        )
        for release_id, entries in _entries(write).items()
    }


def difference(
    entries: Sequence[WriteEntry],
    now: CurrentRelease | None,
    ours: Mapping[str, Collection[str]],
    *,
    has_receipts: bool,
) -> ReleaseDifference:
    """The entries of one release that differ from Plex's values `now`, and those that are skipped.

    `ours`: values that we wrote before, by field. A date or quantity that is neither as ordered nor ours was edited by
    a user and is not changed; nor is any of a line with receipts (RULES.md Reading 14).
    """
    where = f"line {entries[0].line} release {entries[0].release_number}"
    if now is None:
        return ReleaseDifference(skipped=(f"{where}: Plex no longer has it",))
    # Received, cancelled or closed: Plex or its users own this release now.
    if now.state is not ReleaseState.FIRM:
        return ReleaseDifference(skipped=(f"{where}: its status in Plex is {now.status or 'empty'}",))
    changes, skipped = [], []
    for entry in entries:
        before, after = _before_and_after(entry, now)
        if _same(entry, before, after):
            continue
        if entry.kind is not ReleaseField.NOTE:
            if has_receipts:
                skipped.append(f"{where}: {entry.field} stays {before}, a receipt was already booked")
                continue
            # A value that is neither as ordered nor ours is a buyer's later edit.
            known = [value for value in (entry.asked, *ours.get(entry.field, ())) if value is not None]
            if before is not None and not any(_same(entry, before, value) for value in known):
                skipped.append(f"{where}: {entry.field} stays {before}, it was changed in Plex after it was sent")
                continue
        changes.append(_change(entry, before, after))
    return ReleaseDifference(tuple(changes), tuple(skipped))


def _before_and_after(entry: WriteEntry, now: CurrentRelease) -> tuple[str | None, str]:
    """What the field holds and is to hold, as text; for a note with all that people wrote into it."""
    value = entry.value or ""
    match entry.kind:
        case ReleaseField.QUANTITY:
            return None if now.quantity is None else f"{now.quantity:f}", value
        case ReleaseField.DUE_DATE:
            return None if now.due is None else now.due.isoformat(), value
        case _:
            return now.note, with_token(now.note, value)


def _same(entry: WriteEntry, before: str | None, after: str) -> bool:
    if before is None:
        return False
    if entry.kind is ReleaseField.QUANTITY:
        return Decimal(before) == Decimal(after)
    if entry.kind is ReleaseField.NOTE:
        return token(before) is not None and token(before) == token(after)
    return before == after


def _own_values(session: Session, write: Write, release_id: str) -> dict[str, set[str]]:
    """Every value that we wrote, or may have written, into this release."""
    found: dict[str, set[str]] = {}
    for each in session.store.writes.of_order(write.order_id):
        for change in each.changes:
            if change.record_id == release_id and change.after is not None:
                found.setdefault(change.field, set()).add(change.after)
    return found


def _has_receipts(session: Session, write: Write, release_id: str) -> bool:
    """Whether anything of the release's line has been received."""
    received = session.store.receipts.received(write.order_id)
    record = session.store.orders.get(write.order_id)
    if not received or record is None:
        return False
    order = session.store.orders.revision(record.id, record.latest)
    line = next((line.id for line in order.lines if any(each.id == release_id for each in line.releases)), "")
    return received.get(line, Decimal(0)) > 0


def _entries(write: Write) -> dict[str, list[WriteEntry]]:
    """The plan's entries by release, in plan order."""
    found: dict[str, list[WriteEntry]] = {}
    for entry in write.plan.entries:
        found.setdefault(entry.record_id, []).append(entry)
    return found


def _merged(earlier: Sequence[FieldChange], now: Sequence[FieldChange]) -> list[FieldChange]:
    again = {(change.record_id, change.field) for change in now}
    return [*(c for c in earlier if (c.record_id, c.field) not in again), *now]


def _update(write: Write, release_id: str, changes: Sequence[FieldChange]) -> ReleaseUpdate:
    after = {change.field: change for change in changes}
    note, due, quantity = (
        after.get(name) for name in (ReleaseField.NOTE, ReleaseField.DUE_DATE, ReleaseField.QUANTITY)
    )
    return ReleaseUpdate(
        order_id=write.order_id,
        release_id=release_id,
        note=None if note is None else note.after,
        due=None if due is None or due.after is None else date.fromisoformat(due.after),
        quantity=None if quantity is None else Decimal(quantity.after or "0"),
    )
