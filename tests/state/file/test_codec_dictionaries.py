"""What was compressed with any dictionary ever released, or with none, is read back."""

from __future__ import annotations

import hashlib
import zlib

import pytest

from plexstedi.state.file.codec import pack, unpack
from plexstedi.state.file.dictionaries import DICTIONARIES, NEWEST, OF_EVENTS

RELEASED = (
    "42be262f3876326c1239950e0a682de6321dec7d5e0f3fbd9780e272c1c04d5e",
    "7a220101a1c277631cfc45bbcb2142c865e10d7be098d00924eca707f37bb2d3",
)
RELEASED_OF_EVENTS = (
    "d0f443bdbb642d09229cc8cd700dbd64bfd6321105619632f27fdde0cc6f3981",
    "a0112ba6598ddd7897f09d264a7fa28fdb41e87149968073f892e05f886ec9f3",
)
ID, OTHER, HASH = "7cb73161-26a3-41d7-be96-8f7757a56e3f", "00000000-0000-4000-8000-00000000005b", "0123456789abcdef" * 4
PAYLOADS = (
    b"",
    b"{}",
    b'{"order_id":"7cb73161","order_number":"PO-1"}',
    bytes(range(256)) * 400,
    NEWEST,
    f"{ID} {HASH} {OTHER} {ID} {HASH}{ID} {HASH}0 {ID.upper()}".encode(),
    f"{ID}\x01{HASH}".encode(),
    "".join(f"{ID[:-4]}{number:04x}/{number:064x}/" for number in range(500)).encode(),
)


def test_a_released_dictionary_never_changes() -> None:
    assert tuple(hashlib.sha256(each).hexdigest() for each in DICTIONARIES) == RELEASED
    assert tuple(hashlib.sha256(each).hexdigest() for each in OF_EVENTS) == RELEASED_OF_EVENTS
    assert len({zlib.adler32(each) for each in DICTIONARIES}) == len(DICTIONARIES)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_was_compressed_is_read_back(payload: bytes) -> None:
    assert unpack(pack(payload)) == payload
    assert unpack(pack(payload, b"beside"), b"beside") == payload
    assert unpack(pack(payload, OTHER.encode()), OTHER.encode()) == payload
    assert unpack(zlib.compress(payload, 6), b"beside") == payload
    for dictionary in DICTIONARIES:
        for together in (dictionary, dictionary + b"beside"):
            packer = zlib.compressobj(zdict=together)
            assert unpack(packer.compress(payload) + packer.flush(), b"beside") == payload


@pytest.mark.parametrize("damage", [lambda p: p[:-1], lambda p: p + b"x", lambda p: p[:9] + b"\0\0" + p[11:]])
def test_a_damaged_content_is_not_read(damage) -> None:
    with pytest.raises(zlib.error):
        unpack(damage(pack(b'{"order_id":"7cb73161","order_number":"PO-1"}')))


def test_a_content_needs_the_one_that_it_was_kept_beside() -> None:
    with pytest.raises(zlib.error):
        unpack(pack(b"content", b"beside"), b"another")


@pytest.mark.parametrize("place", range(60))
def test_a_changed_byte_is_found(place: int) -> None:
    packed = bytearray(pack(f'{{"id":"{ID}","sha256":"{HASH}"}}'))
    packed[place % len(packed)] ^= 0x41
    with pytest.raises(zlib.error):
        unpack(bytes(packed))


def test_ids_and_hashes_are_stored_as_bytes() -> None:
    assert len(pack(f'{{"id":"{ID}"}}')) < len(pack('{"id":""}')) + 16 + 5
    assert len(pack(f'{{"sha256":"{HASH}"}}')) < len(pack('{"sha256":""}')) + 32 + 5
