"""The writes to Plex that are open: planned by the configured strategy and not yet seen there."""

from __future__ import annotations

from collections.abc import Iterator

from plexstedi.errors import ServiceUnavailable
from plexstedi.plain_text import many
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.writes import Write
from plexstedi.sync.isolation import Record, is_held
from plexstedi.sync.session import Session
from plexstedi.sync.writeback.targets import TARGETS


def record_of_write(write: Write) -> Record:
    """The execution of one write as an isolated record."""
    number = write.plan.order_number
    words = f"the acknowledgment of order {number} to Plex"
    return Record("write", f"write {write.id}", words, order_id=write.order_id, order_number=number)


def open_writes(session: Session) -> Iterator[Write]:
    """Open writes of the configured strategy, except held ones; one by one, since a run may have thousands."""
    target = TARGETS.get(session.config.plex.acknowledgments.write)
    for write in session.store.writes.open():
        if write.plan.target is target and not is_held(session, record_of_write(write)):
            yield write


def writes_to_check(session: Session) -> Iterator[Write]:
    """Open writes, and failed ones that Plex did not show: it may show them by now."""
    yield from open_writes(session)
    target = TARGETS.get(session.config.plex.acknowledgments.write)
    for write in session.store.writes.unseen_and_failed():
        if write.plan.target is target:
            yield write


def any_to_check(session: Session) -> bool:
    """Whether `writes_to_check` has any."""
    return any(True for _ in writes_to_check(session))


def report_unwritten(session: Session) -> None:
    """Raise ServiceUnavailable if Plex did not take a planned write; the next run reads the value first.

    A write that Plex reported as done but does not show yet is not a fault, since Plex may lag and faults trigger
    alerts: it is a warning and listed by `status`, until it appears or needs review (`record_still_missing`).
    """
    left = [
        write
        for write in open_writes(session)
        if write.error is not None
        and write.unseen_since is None
        and not session.store.reviews.is_open(ReviewKind.UNANSWERED, record_of_write(write).subject)
    ]
    if left:
        numbers = ", ".join(write.plan.order_number for write in left[:5]) + (", …" if len(left) > 5 else "")
        raise ServiceUnavailable(
            f"the acknowledgments of {many(len(left), 'order')} are not yet written to Plex ({numbers}):"
            f" {left[0].error}",
            fix="The next run reads the current values from Plex and continues.",
            code="not-written",
        )


def planned_for_other_strategy(session: Session) -> list[str]:
    """Orders whose open plan was made for another strategy: they are planned again."""
    target = TARGETS.get(session.config.plex.acknowledgments.write)
    return [write.order_id for write in session.store.writes.open() if write.plan.target is not target]
