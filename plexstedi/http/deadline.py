"""How long an attempt may wait: looked at while it waits, so that neither a trickle nor a silence outlasts the run.

A timeout of a socket is one of each single read; a server that sends a byte now and then never meets it. And a signal
does not end a blocked read (PEP 475). So reads wait in slices, and between two slices the run's limit and a request to
stop are looked at: a read ends at once, a send gets a little time to be answered, and is recorded as unheard after it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore

from plexstedi.clock import Clock, StopRequest
from plexstedi.errors import Interrupted

_SLICE_SECONDS = 0.25
_SENT_AT_ONCE = 65_536
SEND_GRACE_SECONDS = 15.0
"""So long a send may still be answered after a request to stop; service managers kill later than that."""


@dataclass(frozen=True)
class Deadline:
    """The instant of `Clock.monotonic` by which the run must have ended, and the request to end it before."""

    at: float
    stop: StopRequest = field(default_factory=StopRequest)
    before_call: Callable[[], None] = lambda: None
    """What must hold when a call is made; it raises where it does not."""

    def left(self, clock: Clock) -> float:
        """Seconds that remain; negative when it is past."""
        return self.at - clock.monotonic()


@dataclass
class AttemptLimit:
    """What the attempt that is under way may still wait for."""

    clock: Clock
    deadline: Deadline | None
    _reads: bool = True
    _asked_at: float | None = None

    def begin(self, *, reads: bool) -> None:
        """Another attempt begins. `reads`: nothing is lost if it is broken off."""
        self._reads = reads

    def is_over(self) -> bool:
        """Whether there is no more time. Raise Interrupted for a read once a stop is asked for."""
        if self.deadline is None:
            return False
        if self.deadline.stop.signal is not None:
            if self._reads:
                raise Interrupted(
                    f"stopped by {self.deadline.stop.signal} while reading",
                    fix="Nothing is left half done; the next run continues.",
                )
            now = time.monotonic()
            self._asked_at = now if self._asked_at is None else self._asked_at
            if now - self._asked_at > SEND_GRACE_SECONDS:
                return True
        return self.deadline.left(self.clock) <= 0


class LimitedStream(httpcore.NetworkStream):
    """A connection whose reads and writes look at the attempt_limit between slices."""

    def __init__(self, inner: httpcore.NetworkStream, attempt_limit: AttemptLimit) -> None:
        self._inner = inner
        self._attempt_limit = attempt_limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        began = time.monotonic()
        while True:
            if self._attempt_limit.is_over():
                raise httpcore.ReadTimeout("the time limit of the run is reached")
            left = None if timeout is None else timeout - (time.monotonic() - began)
            if left is not None and left <= 0:
                raise httpcore.ReadTimeout("timed out")
            try:
                return self._inner.read(max_bytes, _SLICE_SECONDS if left is None else min(left, _SLICE_SECONDS))
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SENT_AT_ONCE):
            if self._attempt_limit.is_over():
                raise httpcore.WriteTimeout("the time limit of the run is reached")
            self._inner.write(buffer[start : start + _SENT_AT_ONCE], timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return LimitedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._attempt_limit)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class LimitedBackend(httpcore.SyncBackend):
    """Opens connections that look at the attempt_limit."""

    def __init__(self, attempt_limit: AttemptLimit) -> None:
        self._attempt_limit = attempt_limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return LimitedStream(
            super().connect_tcp(host, port, timeout, local_address, socket_options), self._attempt_limit
        )
