"""Reads the response headers that retries, logs and errors depend on."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx

_LONGEST_DATE = 60
_FIRST_YEAR, _LAST_YEAR = 2000, 2199
"""A Date outside of these years is invalid; accepting it would corrupt the stored latest service time."""


def request_id(headers: httpx.Headers) -> str | None:
    """The service's id of the request, to be quoted to its support."""
    names = ("x-request-id", "x-amzn-requestid", "apigw-requestid", "x-amz-request-id", "x-correlation-id")
    return next((headers[name][:100] for name in names if name in headers), None)


@lru_cache(maxsize=16)  # Each response of a second has the same.
def http_date(text: str | None) -> datetime | None:
    """An HTTP date as timezone-aware UTC; None if absent or malformed."""
    if text is None:
        return None
    try:
        parsed = parsedate_to_datetime(text[:_LONGEST_DATE])
        at = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return at if _FIRST_YEAR <= at.year <= _LAST_YEAR else None


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds of a Retry-After header; an HTTP date counts from the response's own Date, if it has one."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until = http_date(text or None)
    if until is None:
        return None
    return max(0.0, (until - (http_date(headers.get("date")) or now)).total_seconds())


def looks_like_html(response: httpx.Response) -> bool:
    """Whether the response is an HTML page (a log-in page, a proxy's error) instead of JSON."""
    return "html" in response.headers.get("content-type", "").lower() or response.content[:64].lstrip().startswith(b"<")
