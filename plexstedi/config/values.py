"""The values of settings: what they may be, and the messages about those that they may not."""

from __future__ import annotations

import difflib
import ipaddress
import re
import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from msgspec import Meta

from plexstedi.edi.plain_values import as_utc
from plexstedi.edi.read_settings import After, Before, refusal
from plexstedi.edi.settings import PathText


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _service_url(value: str) -> str:
    parts = _http_url(value)
    if parts.query or parts.fragment:
        raise refusal("has a query or a fragment", "Use the address up to the path, without `?` and `#`.")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise refusal(
            "is not https", "Use https://; plain http is allowed only to this machine (127.0.0.1, localhost)."
        )
    return value.rstrip("/")


def _ping_url(value: str) -> str:
    _http_url(value)
    return value


def _http_url(value: str) -> Any:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refusal("is not a web address", 'Write it like "https://host/path".') from None
    if parts.scheme not in ("https", "http") or not host:
        raise refusal("is not a web address", 'Write it like "https://host/path".')
    if parts.username is not None or parts.password is not None:
        raise refusal(
            "holds a user name or password", "Remove it; store secrets with `plexstedi credentials set NAME`."
        )
    return parts


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise refusal(
            "is not a UUID", "Write the tenant's id like 01234567-89ab-cdef-0123-456789abcdef, not its code (PCN)."
        ) from None


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise refusal(f"is not a regular expression ({error})", 'Write one like "^PO[0-9]+$", or omit it.') from None
    return value


def _timezone(value: str) -> str:
    problem = _no_timezone(value)
    if problem is not None:
        raise refusal(*problem)
    return value


def timezone_problem(value: str) -> str | None:
    """The problem with a time zone name, with similar names; None if it is valid."""
    problem = _no_timezone(value)
    return None if problem is None else f"{value} {problem[0]}. {problem[1]}"


def _no_timezone(value: str) -> tuple[str, str] | None:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = {name.casefold(): name for name in available_timezones()}
        if not known:
            return "cannot be looked up: this machine has no time zone data", "Install them: pip install tzdata."
        last = {name.rpartition("/")[2]: name for name in known}
        wanted = value.strip().casefold().replace(" ", "_")
        near = [known[name] for name in difflib.get_close_matches(wanted, known, n=3)]
        near += [known[last[name]] for name in difflib.get_close_matches(wanted, last, n=2)]
        hint = ", ".join(dict.fromkeys(near)) or "names are like America/Detroit, Europe/Berlin"
        return "is not a time zone", f"Write an IANA name: {hint}."
    return None


ServiceUrl = Annotated[str, After(_service_url)]
PingUrl = Annotated[str, After(_ping_url)]
TenantId = Annotated[str, After(_uuid)]
TimeZone = Annotated[str, After(_timezone)]
Pattern = Annotated[str, After(_pattern)]


def _time(value: object) -> object:
    if isinstance(value, int | float):
        raise refusal("must be a time", "Write the time in UTC like 2026-11-01T00:00:00Z.")
    if isinstance(value, date):
        return value
    # A time in quotes, which a machine's tool may have written: in all the forms that pydantic knows.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(datetime).validate_python(value)
    except ValidationError:
        return value


def _near(value: datetime) -> datetime:
    """A time with a margin to the limits of `datetime`, so that spans can be added or subtracted."""
    utc = as_utc(value)
    if utc is None or not 2000 <= utc.year <= 2199:
        raise refusal("is not a time of this or the last century", "Write the time in UTC like 2026-11-01T00:00:00Z.")
    return utc


Time = Annotated[datetime, Before(_time), After(_near)]
Whole = int
Count = Annotated[Whole, Meta(ge=0, le=100_000)]
Positive = Annotated[Whole, Meta(ge=1, le=100_000)]
"""Counts, and time spans in any unit; the limit keeps dates within `datetime`."""


def _known_home(text: str) -> str:
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise refusal(
            f"names an unknown home directory: {text.partition('/')[0][:40]}", "Write the whole path."
        ) from None
    return text


HomePath = Annotated[PathText, After(_known_home)]
"""A path that may begin with `~`."""
