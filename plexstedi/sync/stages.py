"""The stages of a run: each ends by itself, and how it ended is noted for whoever asks how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from plexstedi.errors import Interrupted, PlexStediError, UsageFault
from plexstedi.internal import internal_fault
from plexstedi.sync.session import Session


class Stage(StrEnum):
    """What a run does, one after the other; also commands of their own."""

    POLL = "poll"
    SUBMIT = "submit"
    INGEST = "ingest-acks"


@contextmanager
def stage(session: Session, name: Stage) -> Iterator[None]:
    """One stage. An error that nobody foresaw is raised as InternalFault; foreseen ones as they are.

    A stage that was interrupted, or asked for something impossible, has neither succeeded nor failed.
    """
    try:
        yield
    except (Interrupted, UsageFault):
        raise
    except PlexStediError as fault:
        session.run.stages[name] = fault
        raise
    except Exception as error:
        unforeseen = internal_fault(error, name)
        session.run.stages[name] = unforeseen
        raise unforeseen from error
    else:
        session.run.stages[name] = None
