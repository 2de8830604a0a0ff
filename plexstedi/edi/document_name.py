"""Idempotency key and file name of a document. Both identify its slot, so that a document is never sent twice.

The key depends on the slot, not on the content (DESIGN.md section 6): Stedi refuses a second content for one slot with
422. The file name adds a fingerprint of the content; a document is looked up at Stedi by it.
"""

from __future__ import annotations

import re
from typing import Literal, cast, get_args

from msgspec import Struct

Usage = Literal["P", "T"]
Kind = Literal["850", "860", "810"]

_SCHEME = "ps1"
_KEY_LIMIT = 255
_FILE_NAME_LIMIT = 300
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_ESCAPE = "!"
_NONE = "."
_FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")


class Slot(Struct, frozen=True):
    """Identity of one document of one revision."""

    tenant: str
    usage: Usage
    order: str
    """Order number (810: invoice number) as in Plex."""
    release: str | None
    """`line-release` where each release is sent as an order of its own, else None."""
    change_sequence: int
    """0 for the first 850, then 1, 2, … (BCH05)."""
    kind: Kind
    counter: int
    """Starts at 1; incremented only after a definite refusal, or by a replay."""


def _encode(text: str) -> str:
    """Encode text for keys and file names: any other character becomes `!` and hex for each UTF-8 byte.

    Injective: text is not normalised, so names that differ only in Unicode composition stay different.
    """
    return "".join(c if c in _SAFE else "".join(f"{_ESCAPE}{byte:02x}" for byte in c.encode()) for c in text)


def _decode(text: str) -> str | None:
    """Inverse of `_encode`; None for text that `_encode` cannot have produced."""
    raw = bytearray()
    position = 0
    while position < len(text):
        if text[position] == _ESCAPE:
            digits = text[position + 1 : position + 3]
            if not re.fullmatch(r"[0-9a-f]{2}", digits):
                return None
            raw.append(int(digits, 16))
            position += 3
        else:
            if text[position] not in _SAFE:
                return None
            raw.append(ord(text[position]))
            position += 1
    try:
        decoded = raw.decode()
    except UnicodeDecodeError:
        return None
    return decoded if _encode(decoded) == text else None


def _fields(slot: Slot) -> list[str]:
    if slot.change_sequence < 0 or slot.counter < 1:
        raise ValueError(f"order {slot.order}: change sequence {slot.change_sequence}, counter {slot.counter}")
    if not slot.order or not slot.tenant or slot.release == "":
        raise ValueError("a slot needs a tenant and an order number; a release is a name or None")
    return [
        _SCHEME,
        _encode(slot.tenant),
        slot.usage,
        slot.kind,
        _encode(slot.order),
        _NONE if slot.release is None else _encode(slot.release),
        f"c{slot.change_sequence}",
        f"r{slot.counter}",
    ]


def _joined(fields: list[str], limit: int, slot: Slot) -> str:
    name = "_".join(fields)
    if len(name) > limit:
        raise ValueError(f"order {slot.order!r}: its name takes {len(name)} characters, {limit} are allowed")
    return name


def idempotency_key(slot: Slot) -> str:
    """Idempotency-Key of a slot: readable, at most 255 characters, unique per slot.

    Raise ValueError if it would be longer (an order number of more than about 60 non-ASCII characters).
    """
    return _joined(_fields(slot), _KEY_LIMIT, slot)


def file_name(slot: Slot, content_fingerprint: str) -> str:
    """File name of a document from slot and content, in the characters that Stedi allows (OpenAPI GenerateEdi).

    `content_fingerprint` is lower-case hex, 8 to 64 digits. Raise ValueError otherwise, or if the name is too long.
    """
    if not _FINGERPRINT.fullmatch(content_fingerprint):
        raise ValueError(f"{content_fingerprint!r} is not a fingerprint (8 to 64 lower-case hex digits)")
    return _joined([*_fields(slot), content_fingerprint], _FILE_NAME_LIMIT - len(".edi"), slot) + ".edi"


def name_prefix(tenant: str, usage: str) -> str:
    """Common prefix of the file names of a tenant and usage indicator."""
    return "_".join((_SCHEME, _encode(tenant), usage, ""))


def parse_file_name(name: str) -> tuple[Slot, str] | None:
    """Slot and fingerprint of a file name made by `file_name`; None for any other name."""
    if len(name) > _FILE_NAME_LIMIT or not name.endswith(".edi"):
        return None
    fields = name.removesuffix(".edi").split("_")
    if len(fields) != 9 or fields[0] != _SCHEME:
        return None
    _, tenant, usage, kind, order, release, change, counter, fingerprint = fields
    texts = (_decode(tenant), _decode(order), None if release == _NONE else _decode(release))
    numbers = (_number(change, "c"), _number(counter, "r"))
    if usage not in get_args(Usage) or kind not in get_args(Kind) or not _FINGERPRINT.fullmatch(fingerprint):
        return None
    if not texts[0] or not texts[1] or (release != _NONE and not texts[2]) or None in numbers or numbers[1] == 0:
        return None
    slot = Slot(
        tenant=texts[0],
        usage=cast("Usage", usage),
        order=texts[1],
        release=texts[2],
        change_sequence=numbers[0] or 0,
        kind=cast("Kind", kind),
        counter=numbers[1] or 0,
    )
    return slot, fingerprint


def _number(text: str, letter: str) -> int | None:
    digits = text.removeprefix(letter)
    if not text.startswith(letter) or not re.fullmatch(r"0|[1-9][0-9]{0,8}", digits):
        return None
    return int(digits)
