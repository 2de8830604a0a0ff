"""The stages of a run: each ends independently, and its result is recorded for `status`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from plexstedi.errors import Interrupted, PlexStediError, UsageFault
from plexstedi.internal import internal_fault
from plexstedi.sync.session import Session


class Stage(StrEnum):
    """The steps of a run, in order; each is also a command."""

    POLL = "poll"
    SUBMIT = "submit"
    INGEST = "ingest-acks"


@contextmanager
def stage(session: Session, name: Stage) -> Iterator[None]:
    """Run one stage. An unexpected error is raised as InternalFault; others as they are.

    An interrupted stage, or one with invalid usage, has neither succeeded nor failed.
    """
    try:
        yield
    # Neither success nor failure: the previous result of the stage stays recorded.
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
