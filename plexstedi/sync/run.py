"""`run`: poll, submit and ingest-acks one after the other, each with its share of the time.

An unavailable service or an unexpected error ends only its stage. A refusal or a suspicion ends the run, since its
cause affects all stages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from plexstedi.errors import InternalFault, PlexStediError, ServiceUnavailable, StateUnusable
from plexstedi.state.cursors import Fact
from plexstedi.state.file.backups import keep_backup
from plexstedi.state.file.retention import DroppedContents, drop_contents
from plexstedi.state.subject import Subject
from plexstedi.sync.ingest.ingest import ingest
from plexstedi.sync.poll.orders import poll
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage, stage
from plexstedi.sync.submit.submit import submit

_DAILY = timedelta(days=1)
_POLL_SHARE = 0.5
_SUBMIT_SHARE = 0.8
"""Share of the remaining time: acknowledgments always get some, however much is to be sent."""


def run(session: Session, faults: list[PlexStediError]) -> None:
    """All three stages. Faults that end only their stage are added to `faults`; others are raised."""

    def one(name: Stage, act: Callable[[], object]) -> None:
        try:
            with stage(session, name):
                act()
        except (ServiceUnavailable, InternalFault) as fault:
            # One unavailable service usually fails several stages with the same message.
            if all(fault.message != known.message for known in faults):
                faults.append(fault)

    one(Stage.POLL, lambda: poll(session, seconds=session.deadline.left(session.clock) * _POLL_SHARE))
    one(Stage.SUBMIT, lambda: submit(session, seconds=session.deadline.left(session.clock) * _SUBMIT_SHARE))
    one(Stage.INGEST, lambda: ingest(session))


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Whether what is done once a day is due; also where the last time was noted by a wrong clock."""
    return last is None or not timedelta() <= now - last < _DAILY


def purge(session: Session) -> None:
    """Delete old contents when due (`state.keep_days`), until the time limit; the next run continues."""
    settings, now, cursors = session.config.state, session.clock.now(), session.store.cursors
    if settings.keep_days is None or not _is_due(cursors.time(Fact.CONTENTS_DROPPED), now):
        return

    def note(dropped: DroppedContents) -> None:
        session.note("contents-dropped", Subject("run"), documents=dropped.documents, answers=dropped.received)

    before = now - timedelta(days=settings.keep_days)
    if drop_contents(session.store.database, before, note, lambda: _may_go_on(session)):
        with session.store.transaction():
            cursors.put_time(Fact.CONTENTS_DROPPED, now)


def back_up(session: Session) -> StateUnusable | None:
    """Create the backup of the day when due, after the lock is released and the state closed: no run waits for it.

    Return why there is none; that is only a warning: the orders were sent.
    """
    path = session.store.database.path
    if path is None:
        return None
    try:
        keep_backup(path, session.clock.now(), session.config.state.backups, lambda: _may_go_on(session))
    except StateUnusable as fault:
        return None if session.stop.signal is not None else fault
    return None


def _may_go_on(session: Session) -> bool:
    return session.stop.signal is None and session.deadline.left(session.clock) > 0
