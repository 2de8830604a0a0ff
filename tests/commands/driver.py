"""Runs the command line in a process of its own, on the sandbox's time.

The clock stands still but for waits, and a wait moves the sandbox's clock too: no test ever sleeps.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import urllib.request
from datetime import datetime, timedelta

import plexstedi.cli.invocation as invocation
import plexstedi.sync.services as services
from plexstedi.cli.main import main


class SandboxTime:
    """The time given by the test; `sleep` moves it here and in the sandbox."""

    def __init__(self, start: datetime, control: str) -> None:
        self._start = start
        self._control = control
        self._waited = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._waited)

    def monotonic(self) -> float:
        return self._waited

    def sleep(self, seconds: float) -> None:
        self._waited += seconds
        body = json.dumps({"advance_seconds": seconds}).encode()
        request = urllib.request.Request(self._control + "/_sandbox/clock", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


def limit_file_size(most: str | None) -> None:
    """No file of this process may grow beyond so many bytes: a full disk."""
    if most is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))


def stedi_is_at(url: str | None) -> None:
    """Call this address instead of Stedi's, for a command that has no configuration yet."""
    if url is None:
        return
    real = services.connect_to_stedi
    services.connect_to_stedi = lambda _, *given, **more: real(url, *given, **more)


if __name__ == "__main__":
    stedi_is_at(os.environ.get("TEST_STEDI"))
    limit_file_size(os.environ.get("TEST_FILE_SIZE"))
    given = datetime.fromisoformat(os.environ["TEST_NOW"])
    invocation.clock_of_process = SandboxTime(given, os.environ["TEST_CONTROL"])
    main(sys.argv[1:])
