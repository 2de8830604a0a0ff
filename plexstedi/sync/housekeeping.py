"""After a good run: a copy of the state file once a day, and contents dropped that are older than `state.keep_days`.

Not after a run that met a fault: a state that is wrong must not push good copies out.
"""

from __future__ import annotations

from datetime import timedelta

from plexstedi.errors import StateUnusable
from plexstedi.state.file.backups import keep_backup
from plexstedi.state.file.retention import drop_contents
from plexstedi.sync.session import Session


def keep_house(session: Session) -> None:
    """Copy and drop what is due. A copy that cannot be made is a warning: the orders went out all the same."""
    settings, now = session.config.state, session.clock.now()
    database = session.store.database
    if settings.keep_days is not None:
        with session.store.transaction():
            dropped = drop_contents(database, now - timedelta(days=settings.keep_days))
            if dropped.documents or dropped.answers:
                session.note("contents-dropped", "run", documents=dropped.documents, answers=dropped.answers)
    try:
        keep_backup(database, now, settings.backups)
    except StateUnusable as fault:
        session.tally.warn(f"{fault.message}. {fault.fix}")
