"""Events of the audit trail as stored: what many repeat is a number, the rest is compressed.

A stored event says the same as one of text columns, byte by byte: its hash is computed from the text.
"""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from plexstedi.state.file.codec import instant, moment
from plexstedi.state.file.dictionaries import OF_EVENTS
from plexstedi.state.file.digits import end_of_taken, put_back, take_out, uuid_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_RAW = -13
"""Deflate without header and checksum, which the event's hash makes superfluous; a window of 8 KB."""
_DIGITS = 0x80
"""In the first byte, which has the number of the dictionary: UUIDs and hashes were taken out (`digits`)."""
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pack_event(actor: str, kind: str, detail: str, subject: str, *beside: str) -> bytes:
    """The texts of an event compressed. `beside`: ids that the event names; `unpack_event` needs the same."""
    known = "".join(beside).encode()
    taken, rest = take_out("\0".join((actor, kind, detail, subject)).encode(), known)
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=OF_EVENTS[-1] + known)
    return bytes((len(OF_EVENTS) - 1 | (_DIGITS if taken else 0),)) + taken + packer.compress(rest) + packer.flush()


def unpack_event(content: bytes, *beside: str) -> tuple[str, str, str, str]:
    """Actor, kind, detail and subject. Raise ValueError if the content is damaged."""
    try:
        number, stored = content[0] & ~_DIGITS, content[1:]
        end = end_of_taken(stored) if content[0] & _DIGITS else 0
        unpacker = zlib.decompressobj(_RAW, zdict=OF_EVENTS[number] + "".join(beside).encode())
        text = unpacker.decompress(stored[end:])
        if end:
            text = put_back(stored, end, text)
        texts = text.decode().split("\0", 3)
    except (zlib.error, IndexError) as error:
        raise ValueError("the content of the event is damaged") from error
    if len(texts) != 4 or not unpacker.eof or unpacker.unused_data:
        raise ValueError("the content of the event is cut off, or something follows it")
    actor, kind, detail, subject = texts
    return actor, kind, detail, subject


def microseconds(text: str) -> int | str:
    """A time (`codec.instant`) as a number. Any other text stays as it is: no event has it unless it was edited."""
    try:
        at = moment(text)
    except ValueError:
        return text
    return (at - _EPOCH) // _MICROSECOND if instant(at) == text else text


def time_of(number: int) -> datetime:
    """Inverse of `microseconds`. Raise ValueError for a number that is not a time."""
    return _after(_EPOCH, number)


def instant_of(number: int) -> str:
    """`codec.instant` of a time as stored. Raise ValueError for a number that is not a time."""
    # Without a zone, which is UTC anyway: to write it and replace it by Z takes as long as all else.
    return f"{_after(_EPOCH_WITHOUT_ZONE, number).isoformat(timespec='microseconds')}Z"


def _after(epoch: datetime, number: int) -> datetime:
    try:
        return epoch + number * _MICROSECOND
    except (OverflowError, TypeError) as error:
        raise ValueError(f"{number!r} is not a time") from error


def short_id(text: str) -> bytes | str:
    """An id as stored: a UUID, as Plex's and Stedi's ids are, as its 16 bytes; any other as it is."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else text


@lru_cache(maxsize=64)
def id_of(stored: bytes | str) -> str:
    """Inverse of `short_id`. Raise TypeError for anything else."""
    if isinstance(stored, str):
        return stored
    if not isinstance(stored, bytes):
        raise TypeError(f"{stored!r} is not an id")
    return uuid_text(stored.hex())
