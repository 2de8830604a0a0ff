"""`run`: poll, submit and ingest-acks one after the other, each with its share of the time.

A service that cannot be reached in one stage, or an error that nobody foresaw, does not keep the other stages from what
they can do; a refusal or a suspicion ends the run, since what is wrong then is wrong for all of them.
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
"""Of what is left then: acknowledgments always get some time, however much there is to send."""


def run(session: Session, faults: list[PlexStediError]) -> None:
    """All three stages. What ends only its stage is added to `faults`; everything else is raised."""

    def one(name: Stage, act: Callable[[], object]) -> None:
        try:
            with stage(session, name):
                act()
        except (ServiceUnavailable, InternalFault) as fault:
            if all(fault.message != known.message for known in faults):
                faults.append(fault)

    one(Stage.POLL, lambda: poll(session, seconds=session.time_left() * _POLL_SHARE))
    one(Stage.SUBMIT, lambda: submit(session, seconds=session.time_left() * _SUBMIT_SHARE))
    one(Stage.INGEST, lambda: ingest(session))


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Whether what is done once a day is due; also where the last time was noted by a wrong clock."""
    return last is None or not timedelta() <= now - last < _DAILY


def keep_house(session: Session) -> None:
    """Copy and drop what is due. A copy that cannot be made is a warning: the orders went out all the same."""
    settings, now = session.config.state, session.clock.now()
    database = session.store.database
    if settings.keep_days is not None and _is_due(session.store.cursors.time(Fact.CONTENTS_DROPPED), now):
        with session.store.transaction():
            session.store.cursors.put_time(Fact.CONTENTS_DROPPED, now)
            dropped = drop_contents(database, now - timedelta(days=settings.keep_days))
            if dropped.documents or dropped.answers:
                session.note("contents-dropped", Subject("run"), documents=dropped.documents, answers=dropped.answers)
    try:
        keep_backup(database, now, settings.backups)
    except StateUnusable as fault:
        session.run.warn(f"{fault.message}. {fault.fix}")
