"""Times as numbers and UUIDs as bytes, as columns have them.

Both sort like their texts. Any other text stays as it is, so that nothing is lost.
"""

from __future__ import annotations

import re
from binascii import hexlify
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from plexstedi.state.file.codec import instant, moment
from plexstedi.state.file.digits import uuid_bytes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASH = re.compile("[0-9a-f]{64}")


def short_time(at: datetime) -> int:
    """An aware time as a number: microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def maybe_short_time(at: datetime | None) -> int | None:
    """As `short_time`; None stays None."""
    return None if at is None else short_time(at)


def microseconds(text: str) -> int | str:
    """A time (`codec.instant`) as a number. Any other text stays as it is: no event has it unless it was edited."""
    try:
        at = moment(text)
    except ValueError:
        return text
    return short_time(at) if instant(at) == text else text


def time_of(number: int) -> datetime:
    """Inverse of `microseconds`. Raise ValueError for a number that is not a time."""
    return _after(_EPOCH, number)


def instant_of(number: int) -> str:
    """`codec.instant` of a time as stored. Raise ValueError for a number that is not a time."""
    try:
        return f"{_second(number // 1_000_000)}.{number % 1_000_000:06d}Z"
    except TypeError as error:
        raise ValueError(f"{number!r} is not a time") from error


@lru_cache(maxsize=64)
def _second(number: int) -> str:
    # A run does many things in one second, and a date takes as long as all else of an event.
    return _after(_EPOCH_WITHOUT_ZONE, number * 1_000_000).isoformat()


def maybe_time_of(number: int | None) -> datetime | None:
    """As `time_of`; None stays None."""
    return None if number is None else time_of(number)


def _after(epoch: datetime, number: int) -> datetime:
    try:
        return epoch + number * _MICROSECOND
    except (OverflowError, TypeError) as error:
        raise ValueError(f"{number!r} is not a time") from error


@lru_cache(maxsize=1024)
def short_id(text: str) -> bytes | str:
    """An id as stored: a UUID, as Plex's and Stedi's ids are, as its 16 bytes; any other as it is."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else text


@lru_cache(maxsize=1024)
def id_of(stored: bytes | str) -> str:
    """Inverse of `short_id`. Raise TypeError for anything else."""
    if isinstance(stored, str):
        return stored
    if not isinstance(stored, bytes):
        raise TypeError(f"{stored!r} is not an id")
    return uuid_bytes(hexlify(stored)).decode()


def maybe_short_id(text: str | None) -> bytes | str | None:
    """As `short_id`; None stays None."""
    return None if text is None else short_id(text)


def maybe_id_of(stored: bytes | str | None) -> str | None:
    """As `id_of`; None stays None."""
    return None if stored is None else id_of(stored)


def short_hash(text: str) -> bytes | str:
    """A SHA-256 hash in hexadecimal digits as its 32 bytes; any other text as it is."""
    return bytes.fromhex(text) if _HASH.fullmatch(text) else text


def maybe_hash_of(stored: bytes | str | None) -> str | None:
    """Inverse of `short_hash`; None stays None."""
    return stored.hex() if isinstance(stored, bytes) else stored
