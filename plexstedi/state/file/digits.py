"""UUIDs and SHA-256 hashes in a text as bytes: no compression makes as little of 36 or 64 random digits.

What comes back is the text, byte by byte: only what has the one form of a UUID or hash in lower case is taken out.
"""

from __future__ import annotations

import re
from binascii import hexlify
from collections.abc import Sequence

_BEFORE = b'"_ :\0'
_DIGITS = re.compile(rb"([\"_ :\0])([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})(?![0-9a-f-])")
"""With the character before it (one of `_BEFORE`): these are found much sooner than digits."""
_FORMS = bytes(ord("0") if one in b"0123456789abcdef" else one if one == ord("-") else ord(" ") for one in range(256))
"""`bytes.translate` makes a zero of each digit."""
_UUID_FORM = b"00000000-0000-0000-0000-000000000000"
_HASH_FORM = b"0" * 64
_UUID, _HASH, _AGAIN = b"\x01", b"\x02", b"\x03"
"""What is in the text instead. `_AGAIN` is followed by the place among those taken out: UUIDs, then hashes."""
_MOST = 200


def take_out(text: bytes, beside: bytes) -> tuple[bytes, bytes]:
    """What was taken out, with its numbers in front, and the rest of the text.

    Nothing (empty) if there is none, or the text has one of the marks. What `beside` has stays: there it is cheaper.
    """
    # Each event and content goes through here.
    if not (places := _places(text)):
        return b"", text
    found = dict.fromkeys([one for begin, end in places if (one := text[begin:end]) not in beside])
    uuids = [one for one in found if len(one) == 36][:_MOST]
    hashes = [one for one in found if len(one) == 64][: _MOST - len(uuids)]
    if not (uuids or hashes) or _UUID in text or _HASH in text or _AGAIN in text:
        return b"", text
    numbers = {one: bytes((number + 0x20,)) for number, one in enumerate((*uuids, *hashes))}
    fresh = set(numbers)
    pieces, rest = [], 0
    for begin, end in places:
        one = text[begin:end]
        if one not in numbers:
            continue
        pieces.append(text[rest:begin])
        if one in fresh:
            fresh.remove(one)
            pieces.append(_UUID if len(one) == 36 else _HASH)
        else:
            pieces.append(_AGAIN + numbers[one])
        rest = end
    taken = bytes.fromhex(b"".join([*uuids, *hashes]).replace(b"-", b"").decode())
    return bytes((len(uuids), len(hashes))) + taken, b"".join((*pieces, text[rest:]))


def _places(text: bytes) -> list[tuple[int, int]]:
    """Where what `_DIGITS` finds begins and ends."""
    # To search for a fixed text takes a tenth of the time of a pattern.
    forms = text.translate(_FORMS)
    if _HASH_FORM in forms:
        return [match.span(2) for match in _DIGITS.finditer(text)]
    found = []
    begin = forms.find(_UUID_FORM, 1)
    while begin > 0:
        end = begin + len(_UUID_FORM)
        if text[begin - 1] in _BEFORE and forms[end : end + 1] not in (b"0", b"-"):
            found.append((begin, end))
        begin = forms.find(_UUID_FORM, begin + 1)
    return found


def end_of_taken(content: bytes) -> int:
    """Where that which was taken out ends in a content, after its first byte. Raise IndexError if it is cut off."""
    return 3 + 16 * content[1] + 32 * content[2]


def put_back(content: bytes, end: int, rest: bytes) -> bytes:
    """Inverse of `take_out`. Raise ValueError if the text does not fit what was taken out."""
    # Each event with an id or a hash goes through here, and the whole trail is read at once: no needless step.
    uuids = content[1]
    digits = hexlify(content[3:end])
    found = [digits[at : at + 64] for at in range(32 * uuids, len(digits), 64)]
    if uuids:
        found[:0] = [uuid_bytes(digits[at : at + 32]) for at in range(0, 32 * uuids, 32)]
    if _AGAIN in rest:
        first, *pieces = rest.split(_AGAIN)
        try:
            rest = first + b"".join([found[piece[0] - 0x20] + piece[1:] for piece in pieces])
        except IndexError as error:
            raise ValueError("the content is damaged") from error
    if rest.count(_UUID) != uuids or rest.count(_HASH) != len(found) - uuids:
        raise ValueError("the content is damaged")
    if len(found) == 1:
        return rest.replace(_UUID if uuids else _HASH, found[0])
    return _filled(_filled(rest, _UUID, found[:uuids]), _HASH, found[uuids:])


def _filled(rest: bytes, mark: bytes, values: Sequence[bytes]) -> bytes:
    first, *pieces = rest.split(mark)
    return first + b"".join([value + piece for value, piece in zip(values, pieces, strict=True)])


def uuid_bytes(digits: bytes) -> bytes:
    """32 digits as a UUID is written."""
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
