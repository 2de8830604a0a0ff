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
from plexstedi.state.file.retention import drop_contents
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

    one(Stage.POLL, lambda: poll(session, seconds=session.time_left() * _POLL_SHARE))
    one(Stage.SUBMIT, lambda: submit(session, seconds=session.time_left() * _SUBMIT_SHARE))
    one(Stage.INGEST, lambda: ingest(session))


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Whether what is done once a day is due; also where the last time was noted by a wrong clock."""
    return last is None or not timedelta() <= now - last < _DAILY


def back_up_and_purge(session: Session) -> None:
    """Back up and purge the state when due. A failed backup is only a warning: the orders were sent."""
    settings, now = session.config.state, session.clock.now()
    database = session.store.database
    if settings.keep_days is not None and _is_due(session.store.cursors.time(Fact.CONTENTS_DROPPED), now):
        with session.store.transaction():
            session.store.cursors.put_time(Fact.CONTENTS_DROPPED, now)
            dropped = drop_contents(database, now - timedelta(days=settings.keep_days))
            if dropped.documents or dropped.received:
                session.note("contents-dropped", Subject("run"), documents=dropped.documents, answers=dropped.received)
    try:
        keep_backup(database, now, settings.backups)
    except StateUnusable as fault:
        session.run.warn(f"{fault.message}. {fault.fix}")
