"""Fault injection: which fault, on which calls, how often; and a hook around every call."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct


class FaultKind(StrEnum):
    """The fault of one call."""

    DROP_BEFORE = "drop-before"
    """The connection is closed; nothing was processed."""
    DROP_AFTER = "drop-after"
    """Processed, then the connection is closed without a response."""
    DROP_LATER = "drop-later"
    """The connection is closed at once; the call is processed `seconds` of sandbox time later."""
    THROTTLED = "429"
    ERROR_BEFORE = "500-before"
    ERROR_AFTER = "500-after"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    SLOW = "slow"
    """The response comes after `seconds` of real time, at most `MAX_REAL_SECONDS`."""
    TRUNCATED = "truncated"
    """Half of the body with the Content-Length of the whole body."""
    HTML = "html"
    """A log-in page with status 200 instead of the response; nothing was processed."""
    IGNORED_FILTER = "ignored-filter"
    """Plex: the query parameters that match `filter` are ignored."""
    DEFAULT_TENANT = "default-tenant"
    """Plex: the data of the key's default tenant, another company, is returned."""
    NO_ACCESS_TOKEN = "no-access-token"
    """The token endpoint returns 200 without `access_token`."""
    STALE_READ = "stale-read"
    """Plex: a write is processed, but reads return the previous values for `seconds` of sandbox time."""
    TOKEN_REFUSED = "token-refused"
    """Stedi: a call with a page token gets 400; calls without one are unaffected."""
    UNAUTHENTICATED = "401"
    FORBIDDEN = "403"
    BROKEN_BODY = "broken-body"
    """Processed; half of the body, as a complete HTTP response: JSON or XML that ends in the middle."""
    EMPTY_BODY = "empty-body"
    """Status 200 without a body; nothing was processed."""
    NO_ROWS = "no-rows"
    """Plex: a list or a data source returns no rows, as if there were none."""
    ACCESS_DENIED = "access-denied"
    """Plex: the grant for a data source, or the subscription of a product, is missing."""
    ROW_LIMIT = "row-limit"
    """Plex: a data source returns at most one row.

    `filter` is the flag's spelling, after `tables.` if it is in the table; empty: as the settings have it."""
    RESULT_ERROR = "result-error"
    """Plex: a data source does nothing, and states that with HTTP 200 in `Result_Error`."""
    ERRORS_WITH_200 = "errors-with-200"
    """Plex: a data source does nothing, and states `errors` (over SOAP `Error`) with HTTP 200."""
    XML_BOMB = "xml-bomb"
    """XML whose entities would expand to gigabytes, with status 200; nothing was processed."""
    EXTERNAL_ENTITY = "external-entity"
    """XML that names a file of the reader as an entity, with status 200; nothing was processed."""
    LONG_ATTRIBUTE = "long-attribute"
    """XML with an attribute of 5 MB, with status 200; nothing was processed."""


MAX_REAL_SECONDS = 5.0
"""Upper limit of a fault's real waiting time, in seconds."""

LATE_KINDS = frozenset(
    (
        FaultKind.IGNORED_FILTER,
        FaultKind.DEFAULT_TENANT,
        FaultKind.NO_ACCESS_TOKEN,
        FaultKind.STALE_READ,
        FaultKind.TOKEN_REFUSED,
        FaultKind.NO_ROWS,
        FaultKind.ACCESS_DENIED,
        FaultKind.ROW_LIMIT,
        FaultKind.RESULT_ERROR,
        FaultKind.ERRORS_WITH_200,
    )
)
"""Kinds that the origin itself applies while it processes the call."""


class FaultRule(Struct, frozen=True):
    """A fault on matching calls: the first `skip` of them succeed, the next `times` fail (None: all).

    `origin` is `plex`, `stedi` or `documents`; `path` is a regular expression searched in the path. `source` is the
    number of a data source: it selects its calls over JSON and over SOAP, where all have one path.
    """

    kind: FaultKind
    origin: str | None = None
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = 1
    retry_after: int | None = None
    seconds: float = 1.0
    filter: str = ""
    source: int | None = None

    def matches(self, origin: str, method: str, path: str, source: int | None) -> bool:
        return (
            (self.source is None or self.source == source)
            and (self.origin is None or self.origin == origin)
            and (self.method is None or self.method == method)
            and re.search(self.path, path) is not None
        )


class Call(Struct, frozen=True):
    """One call as passed to a hook. `phase` is `before` or `after` its processing; `number` counts calls from 1."""

    phase: str
    origin: str
    method: str
    path: str
    number: int


Hook = Callable[[Call], None]


class FaultBook:
    """The active rules and their match counts."""

    def __init__(self) -> None:
        self._rules: list[tuple[FaultRule, list[int]]] = []
        self._hooks: list[Hook] = []
        self._lock = threading.Lock()

    def add(self, rule: FaultRule) -> None:
        with self._lock:
            self._rules.append((rule, [0]))

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def on_call(self, hook: Hook) -> None:
        """Call `hook` before and after the processing of every call, outside the sandbox's lock.

        A hook may raise ConnectionDropped to close the connection there.
        """
        self._hooks.append(hook)

    def notify(self, call: Call) -> None:
        for hook in self._hooks:
            hook(call)

    def pick(self, origin: str, method: str, path: str, source: int | None = None) -> FaultRule | None:
        """The fault of this call, if any: that of the first active rule that matches."""
        with self._lock:
            for rule, seen in self._rules:
                if rule.matches(origin, method, path, source):
                    seen[0] += 1
                    if seen[0] > rule.skip and (rule.times is None or seen[0] <= rule.skip + rule.times):
                        return rule
        return None
