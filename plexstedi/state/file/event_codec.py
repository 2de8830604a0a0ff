"""Events of the audit trail as stored: what many repeat is a number, the rest is compressed.

A stored event says the same as one of text columns, byte by byte: its hash is computed from the text.
"""

from __future__ import annotations

import zlib

from plexstedi.state.file.dictionaries import OF_EVENTS
from plexstedi.state.file.digits import end_of_taken, put_back, take_out

_RAW = -13
"""Deflate without header and checksum, which the event's hash makes superfluous; a window of 8 KB."""
_MEMORY = 5
"""As many bytes as with the default (8), in two fifths of the time: an event has some 200 bytes."""
_DIGITS = 0x80
"""In the first byte, which has the number of the dictionary: UUIDs and hashes were taken out (`digits`)."""


def pack_event(actor: str, kind: str, detail: str, subject: str, *beside: str) -> bytes:
    """The texts of an event compressed. `beside`: ids that the event names; `unpack_event` needs the same."""
    known = "".join(beside).encode()
    taken, rest = take_out("\0".join((actor, kind, detail, subject)).encode(), known)
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, _MEMORY, zdict=OF_EVENTS[-1] + known)
    return bytes((len(OF_EVENTS) - 1 | (_DIGITS if taken else 0),)) + taken + packer.compress(rest) + packer.flush()


def unpack_event(content: bytes, *beside: str) -> tuple[str, str, str, str]:
    """Actor, kind, detail and subject. Raise ValueError if the content is damaged."""
    try:
        begin = end_of_taken(content) if content[0] & _DIGITS else 1
        unpacker = zlib.decompressobj(_RAW, zdict=OF_EVENTS[content[0] & ~_DIGITS] + "".join(beside).encode())
        text = unpacker.decompress(content[begin:])
        if begin > 1:
            text = put_back(content, begin, text)
        texts = text.decode().split("\0", 3)
    except (zlib.error, IndexError) as error:
        raise ValueError("the content of the event is damaged") from error
    if len(texts) != 4 or not unpacker.eof or unpacker.unused_data:
        raise ValueError("the content of the event is cut off, or something follows it")
    actor, kind, detail, subject = texts
    return actor, kind, detail, subject
