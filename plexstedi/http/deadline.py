"""The deadline of a run, enforced while an attempt waits on the network.

A socket timeout applies to each single read, so a server that sends one byte now and then never exceeds it; and a
signal does not interrupt a blocked read (PEP 475). Therefore reads wait in slices. Between slices the run's deadline
and a stop request are checked: a read is aborted at once; a send gets `SEND_GRACE_SECONDS` for its response and is
recorded as inconclusive afterwards.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
from msgspec import Struct, field

from plexstedi.clock import Clock, StopRequest
from plexstedi.errors import Interrupted

_SLICE_SECONDS = 0.25
_WRITE_CHUNK_BYTES = 65_536
SEND_GRACE_SECONDS = 15.0
"""How long a send may still wait for its response after a stop request; service managers kill later than that."""


class Deadline(Struct, frozen=True):
    """The `Clock.monotonic` instant by which the run must have ended, and a request to stop earlier."""

    at: float
    stop: StopRequest = field(default_factory=StopRequest)
    before_call: Callable[[], None] = lambda: None
    """Called before each call; raises if a precondition of calls (no open transaction) does not hold."""

    def left(self, clock: Clock) -> float:
        """Seconds that remain; negative once the deadline has passed."""
        return self.at - clock.monotonic()


class _ThreadAttempt(threading.local):
    """The attempt of one thread: several threads call a service at once, each waits for its own response."""

    reads: bool = True


class AttemptLimit(Struct):
    """Whether the current thread's attempt may still wait for the network."""

    clock: Clock
    deadline: Deadline | None
    _attempt: _ThreadAttempt = field(default_factory=_ThreadAttempt)
    _stop_requested_at: float | None = None

    def begin(self, *, reads: bool) -> None:
        """Start an attempt. `reads`: it changes nothing at the service and can be aborted at any time."""
        self._attempt.reads = reads

    def is_over(self) -> bool:
        """Whether the time is used up. Raise Interrupted for a read once a stop was requested."""
        if self.deadline is None:
            return False
        if self.deadline.stop.signal is not None:
            if self._attempt.reads:
                raise Interrupted(
                    f"stopped by {self.deadline.stop.signal} while reading",
                    fix="Nothing is left half done; the next run continues.",
                )
            # Aborting a send at once would leave its outcome unknown, although the response usually arrives shortly.
            now = time.monotonic()
            self._stop_requested_at = now if self._stop_requested_at is None else self._stop_requested_at
            if now - self._stop_requested_at > SEND_GRACE_SECONDS:
                return True
        return self.deadline.left(self.clock) <= 0


class LimitedStream(httpcore.NetworkStream):
    """A connection whose reads and writes check the attempt limit between slices."""

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
        for start in range(0, len(buffer), _WRITE_CHUNK_BYTES):
            if self._attempt_limit.is_over():
                raise httpcore.WriteTimeout("the time limit of the run is reached")
            self._inner.write(buffer[start : start + _WRITE_CHUNK_BYTES], timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return LimitedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._attempt_limit)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class LimitedBackend(httpcore.SyncBackend):
    """Opens connections that check the attempt limit."""

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
