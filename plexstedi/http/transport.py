"""The attempts of a call: rate limit, retries, time limit, and a record of each attempt.

`Retrying` is an httpx transport, so everything that passes through a client (also the token request of an `httpx.Auth`)
is throttled, retried and recorded alike. Whether a request may be repeated depends on whether it can have been
processed, never on its method alone (DESIGN.md section 6 "Everywhere"): it never reached the service, was refused
unprocessed (429), or is idempotent (a read, or a send under an idempotency key).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

import httpx
from msgspec import Struct
from msgspec.structs import asdict

from plexstedi.clock import Clock
from plexstedi.decimal_json import BrokenJsonError, Json, ListReader, loads
from plexstedi.errors import ServiceUnavailable
from plexstedi.http.deadline import AttemptLimit, Deadline, LimitedBackend
from plexstedi.http.headers import http_date, looks_like_html, request_id, retry_after
from plexstedi.http.network import Network, tls_fault
from plexstedi.http.response_body import LARGEST_RESPONSE, TOO_LARGE, BeyondLimitError, read_bounded
from plexstedi.http.throttle import PerMinute
from plexstedi.logs import call_facts

log = logging.getLogger("plexstedi.http")
# httpx logs whole URLs at INFO, including presigned ones.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

CALL = "plexstedi.call"
"""Key of the request's `Call` in `httpx.Request.extensions`."""

_REPEATABLE_STATUSES = frozenset({500, 502, 503, 504})
READ_JSON = "plexstedi.json"
"""Key of the parsed JSON in `httpx.Response.extensions`, so that a body is parsed once."""
KEPT_ITEMS = "plexstedi.items"
"""Key of what `Call.keep` kept of the items of a list."""
_MIN_SECONDS_LEFT = 1.0
"""Seconds that must remain of the run for another attempt to start."""


class ServiceTime(Struct):
    """The current time at a service, by the Date header of its last response."""

    _last: tuple[datetime, float] | None = None
    """The Date and the `Clock.monotonic` at which it arrived: one value, since several threads call at once."""

    def update(self, date: datetime | None, clock: Clock) -> None:
        """Store the Date of a response that has just arrived."""
        if date is not None:
            self._last = date, clock.monotonic()

    def now(self, clock: Clock) -> datetime | None:
        """The service's time, extrapolated from its last response; None before the first response."""
        if (last := self._last) is None:
            return None
        date, received = last
        return date + timedelta(seconds=clock.monotonic() - received)


class RetryPolicy(Struct, frozen=True):
    """Number of tries and waits between them. Times in seconds."""

    tries: int = 4
    budget: float = 60.0
    """Counted from the first attempt: no further attempt starts after this."""
    first_wait: float = 1.0
    throttled_wait: float = 15.0
    """First wait after a 429 without Retry-After: limits are per minute (plex/README.md 4.2)."""
    longest_wait: float = 30.0

    def wait(self, number: int, *, throttled: bool, rng: random.Random) -> float:
        """Full jitter: a random wait between 0 and the exponentially growing wait of attempt `number` (from 1)."""
        first = self.throttled_wait if throttled else self.first_wait
        return rng.uniform(0.0, min(self.longest_wait, first * 2 ** (number - 1)))


class Attempt(Struct, frozen=True):
    """One attempt, for the audit trail: no query, no headers, no body."""

    service: str
    method: str
    path: str
    status: int | None
    outcome: str
    """`ok`, `refused`, `throttled`, `failed`, `broken-answer`, `never-connected`, `no-answer`."""
    milliseconds: int
    request_id: str | None
    number: int


class Call(Struct):
    """The state of one call across its attempts; attached to its request."""

    idempotent: bool
    """Whether it may be repeated even if an earlier attempt was processed."""
    shown_path: str
    """The path as shown in logs and messages."""
    wants_json: bool = True
    reads: bool = False
    """It changes nothing at the service and can be aborted at any time."""
    keep: Callable[[httpx.Request], Callable[[Json, str], object]] | None = None
    """If set, a list is read item by item as it arrives: for an attempt's request, what to keep (`ListReader`). An
    attempt that fails, or whose list is broken, leaves nothing."""
    is_final: Callable[[httpx.Response], bool] = lambda response: False
    """Whether a response with an error status shows that the request was refused unprocessed, as it always will be."""
    number: int = 0
    maybe_processed: bool = False
    """Whether some attempt may have been processed although its response is missing."""
    started: float | None = None
    status: int | None = None
    retry_after: float | None = None


class Reached(Enum):
    """Whether a request that ended in a transport error can have reached the service."""

    NEVER = "never-connected"
    MAYBE = "no-answer"
    HOPELESS = "unsendable"
    """Not sent, and another attempt would fail in the same way."""


REACHED_BY_ERROR: dict[type[Exception], Reached] = {
    httpx.ConnectError: Reached.NEVER,
    httpx.ConnectTimeout: Reached.NEVER,
    httpx.PoolTimeout: Reached.NEVER,
    httpx.ProxyError: Reached.NEVER,
    httpx.ReadTimeout: Reached.MAYBE,
    httpx.WriteTimeout: Reached.MAYBE,
    httpx.ReadError: Reached.MAYBE,
    httpx.WriteError: Reached.MAYBE,
    httpx.CloseError: Reached.MAYBE,
    httpx.RemoteProtocolError: Reached.MAYBE,
    httpx.DecodingError: Reached.MAYBE,
    httpx.StreamError: Reached.MAYBE,
    httpx.LocalProtocolError: Reached.HOPELESS,
    httpx.UnsupportedProtocol: Reached.HOPELESS,
    httpx.TooManyRedirects: Reached.HOPELESS,
    httpx.InvalidURL: Reached.HOPELESS,
    httpx.CookieConflict: Reached.HOPELESS,
}
TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)


def reached(error: Exception) -> Reached:
    """Whether a request that ended in this error can have reached the service; unknown errors count as MAYBE."""
    return next((REACHED_BY_ERROR[kind] for kind in type(error).__mro__ if kind in REACHED_BY_ERROR), Reached.MAYBE)


def _limited(transport: httpx.HTTPTransport, attempt_limit: AttemptLimit) -> httpx.HTTPTransport:
    """The transport with connections that check the limit. httpx has no public way to set a network backend."""
    transport._pool._network_backend = LimitedBackend(attempt_limit)
    return transport


class Retrying(httpx.BaseTransport):
    """Repeats a request until there is a response, or another attempt would be unsafe, pointless or too late.

    Return the last response, whatever its status, fully read. Raise ServiceUnavailable if there is none;
    `Call.maybe_processed` then tells whether the request may have been processed.
    """

    def __init__(
        self,
        *,
        service: str,
        clock: Clock,
        rng: random.Random,
        retry: RetryPolicy,
        limiter: PerMinute | None,
        deadline: Deadline | None,
        transport: httpx.BaseTransport | None,
        on_attempt: Callable[[Attempt], None] | None,
        service_time: ServiceTime | None = None,
        largest_response: int = LARGEST_RESPONSE,
        legacy_tls: bool = False,
    ) -> None:
        self._largest_response = largest_response
        self._attempt_limit = AttemptLimit(clock, deadline)
        self._service_time = service_time
        self._service = service
        self._clock = clock
        self._rng = rng
        self._retry = retry
        self._limiter = limiter
        self._deadline = deadline
        prepare = partial(_limited, attempt_limit=self._attempt_limit)
        self._inner = transport if transport is not None else Network(prepare, legacy_tls)
        self._on_attempt = on_attempt

    def close(self) -> None:
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = request.extensions.get(CALL)
        if not isinstance(call, Call):
            reads = request.method in {"GET", "HEAD"}
            call = Call(idempotent=reads, shown_path=request.url.path, reads=reads)
        if self._deadline is not None:
            self._deadline.before_call()
        if call.started is None:
            call.started = self._clock.monotonic()
        # The tries are counted per pass; a repetition after a new token has its own count.
        for number in range(1, self._retry.tries + 1):
            call.number += 1
            wait = self._try(request, call, number)
            if isinstance(wait, httpx.Response):
                return wait
            self._pause(wait, f"{self._service} did not respond in time")
        raise AssertionError("the last try returns or raises")

    def _try(self, request: httpx.Request, call: Call, number: int) -> httpx.Response | float:
        """One attempt: the response to return, or the seconds to wait before the next attempt."""
        self._throttle()
        try:
            return self._attempt(request, call, number)
        finally:
            if self._limiter is not None:
                self._limiter.finished()

    def _attempt(self, request: httpx.Request, call: Call, number: int) -> httpx.Response | float:
        self._cap_timeouts(request)
        began = self._clock.monotonic()
        self._attempt_limit.begin(reads=call.reads)
        reader = None
        try:
            response = self._inner.handle_request(request)
            reader = ListReader(call.keep(request)) if call.keep is not None and response.is_success else None
            response = read_bounded(response, self._largest_response, self._attempt_limit, reader)
        except BeyondLimitError:
            # The body was cut off, so the request was processed: a send must not count as never sent.
            call.maybe_processed = True
            call.status = None
            self._record(request, call, began, None, TOO_LARGE)
            raise self._too_large(call) from None
        except TRANSPORT_ERRORS as error:
            reach = reached(error)
            call.maybe_processed |= reach is Reached.MAYBE
            call.status = None
            self._record(request, call, began, None, reach.value)
            again = reach is Reached.NEVER or (reach is Reached.MAYBE and call.idempotent)
            wait = self._wait(call, number, None, throttled=False) if again else None
            if wait is None:
                raise self._out_of_time_while(error, call) or self._unreachable(error) from error
            return wait
        call.status = response.status_code
        if self._service_time is not None:
            self._service_time.update(http_date(response.headers.get("date")), self._clock)
        outcome = self._outcome(response, call, reader)
        self._record(request, call, began, response, outcome)
        call.retry_after = retry_after(response.headers, self._clock.now())
        # 409 under an idempotency key: an earlier attempt is still in progress. Without a key nothing was processed.
        unsure = outcome in {"failed", "broken-answer"} or (response.status_code == 409 and call.idempotent)
        call.maybe_processed |= unsure
        again = outcome == "throttled" or (unsure and call.idempotent and self._may_repeat(request, response, call))
        wait = self._wait(call, number, call.retry_after, throttled=outcome == "throttled") if again else None
        return response if wait is None else wait

    @staticmethod
    def _may_repeat(request: httpx.Request, response: httpx.Response, call: Call) -> bool:
        if response.status_code == 409:
            return request.method != "GET" or call.retry_after is not None
        # An HTML page instead of JSON is a log-in page or a wrong address: repeating the call changes nothing.
        return response.status_code in _REPEATABLE_STATUSES or not looks_like_html(response)

    @staticmethod
    def _outcome(response: httpx.Response, call: Call, reader: ListReader | None) -> str:
        status = response.status_code
        if call.is_final(response):
            return "refused"
        if status == 429:
            return "throttled"
        if status >= 500:
            return "failed"
        if status >= 300:
            return "refused"
        if call.wants_json and response.content.strip():
            try:
                if reader is not None and reader.is_list:
                    response.extensions[KEPT_ITEMS] = reader.finish()
                else:
                    response.extensions[READ_JSON] = loads(response.content)
            except BrokenJsonError:
                return "broken-answer"
        return "ok"

    def _wait(self, call: Call, number: int, asked: float | None, *, throttled: bool) -> float | None:
        """Seconds before the next attempt; None if the call is not repeated."""
        if number >= self._retry.tries:
            return None
        wait = asked if asked is not None else self._retry.wait(number, throttled=throttled, rng=self._rng)
        elapsed = self._clock.monotonic() - (call.started if call.started is not None else 0.0)
        if elapsed + wait > self._retry.budget:
            return None
        if self._deadline is not None and self._deadline.left(self._clock) - wait < _MIN_SECONDS_LEFT:
            return None
        return wait

    def _throttle(self) -> None:
        if self._limiter is None:
            return
        with self._limiter.turn:
            while (wait := self._limiter.reserve()) > 0:
                self._pause(wait, f"the limit of {self._limiter.limit} calls per minute to {self._service} is reached")

    def _pause(self, seconds: float, reason: str) -> None:
        """Sleep, but never past the run's deadline."""
        if self._deadline is not None and self._deadline.left(self._clock) - seconds < _MIN_SECONDS_LEFT:
            raise self._out_of_time(reason)
        if seconds > 0:
            self._clock.sleep(seconds)

    def _cap_timeouts(self, request: httpx.Request) -> None:
        """Reduce the attempt's timeouts to the time left of the run."""
        if self._deadline is None:
            return
        left = self._deadline.left(self._clock)
        if left < _MIN_SECONDS_LEFT:
            raise self._out_of_time("the time limit of the run is reached")
        timeout = request.extensions.get("timeout", {})
        request.extensions["timeout"] = {
            phase: left if seconds is None else min(seconds, left) for phase, seconds in timeout.items()
        }

    def _record(
        self, request: httpx.Request, call: Call, began: float, response: httpx.Response | None, outcome: str
    ) -> None:
        """Log the attempt and report it to `on_attempt`: no query, header or body."""
        attempt = Attempt(
            service=self._service,
            method=request.method,
            path=call.shown_path,
            status=None if response is None else response.status_code,
            outcome=outcome,
            milliseconds=round((self._clock.monotonic() - began) * 1000),
            request_id=None if response is None else request_id(response.headers),
            number=call.number,
        )
        level = logging.DEBUG if outcome == "ok" else logging.INFO
        if log.isEnabledFor(level):
            log.log(
                level,
                "%s %s %s: %s%s, try %d, %d ms",
                *(attempt.service, attempt.method, attempt.path, outcome),
                "" if attempt.status is None else f" ({attempt.status})",
                *(attempt.number, attempt.milliseconds),
                extra=call_facts(**asdict(attempt)),
            )
        if self._on_attempt is not None:
            self._on_attempt(attempt)

    def _out_of_time(self, reason: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"{reason}, and the run must end",
            fix="The next run continues where this one stopped. If it happens often, raise run.time_limit_minutes.",
            code="time-limit",
        )

    def _out_of_time_while(self, error: Exception, call: Call) -> ServiceUnavailable | None:
        """The fault for a timeout caused by the run's deadline; None for any other error."""
        timed_out = isinstance(error, httpx.TimeoutException)
        if self._deadline is None or not timed_out or self._deadline.left(self._clock) >= _MIN_SECONDS_LEFT:
            return None
        return self._out_of_time(f"{self._service} did not finish its response to {call.shown_path} in time")

    def _too_large(self, call: Call) -> ServiceUnavailable:
        size = self._largest_response / 2**20
        return ServiceUnavailable(
            f"{self._service}'s response to {call.shown_path} is larger than {size:g} MB (run.max_response_mb)",
            fix="If this size is correct, raise run.max_response_mb; otherwise check what the service returns.",
            code=TOO_LARGE,
        )

    def _unreachable(self, error: Exception) -> ServiceUnavailable:
        name = type(error).__name__
        if (of_tls := tls_fault(self._service, str(error))) is not None:
            return of_tls
        words = {
            Reached.NEVER: "cannot be reached",
            Reached.MAYBE: "did not respond",
            Reached.HOPELESS: "cannot be asked",
        }
        return ServiceUnavailable(
            f"{self._service} {words[reached(error)]} ({name})",
            fix="Check the network, any proxy and the base_url; the next run tries again.",
        )
