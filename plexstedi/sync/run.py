"""`run`: poll, submit and ingest-acks one after the other, each with its share of the time.

A service that cannot be reached in one stage does not keep the others from what they can do; a refusal or a suspicion
ends the run, since what is wrong then is wrong for all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from plexstedi.errors import PlexStediError, ServiceUnavailable
from plexstedi.sync.ingest import ingest
from plexstedi.sync.poll import poll
from plexstedi.sync.session import Session
from plexstedi.sync.submit import submit

_POLL_SHARE = 0.5
_SUBMIT_SHARE = 0.8
"""Of what is left then: acknowledgments always get some time, however much there is to send."""


def run(session: Session, faults: list[PlexStediError]) -> None:
    """All three stages. What ends a stage is added to `faults`; Interrupted and StateUnusable are raised."""

    def stage(act: Callable[[], object]) -> None:
        try:
            act()
        except ServiceUnavailable as fault:
            if all(fault.message != known.message for known in faults):
                faults.append(fault)

    stage(lambda: poll(session, seconds=session.time_left() * _POLL_SHARE))
    stage(lambda: submit(session, seconds=session.time_left() * _SUBMIT_SHARE))
    stage(lambda: ingest(session))
