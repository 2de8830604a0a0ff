"""An event is read back byte by byte, whatever it says; what was damaged is no event."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.state.file.codec import instant, moment
from plexstedi.state.file.dictionaries import OF_EVENTS
from plexstedi.state.file.event_codec import pack_event, unpack_event
from plexstedi.state.file.short import id_of, instant_of, microseconds, short_id, short_time, time_of

UUID = "7cb73161-26a3-41d7-be96-8f7757a56e3f"
HASH = "0123456789abcdef" * 4
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(TEXTS, TEXTS, TEXTS, st.text(st.characters(exclude_categories=["Cs"])), TEXTS)
def test_what_was_stored_is_read_back(actor: str, kind: str, detail: str, subject: str, beside: str) -> None:
    packed = pack_event(actor, kind, detail, subject, beside, UUID)
    assert unpack_event(packed, beside, UUID) == (actor, kind, detail, subject)


def test_an_id_that_the_event_names_costs_little() -> None:
    texts = ("plexstedi", "transaction-listed", "{}", f"transaction {UUID}")
    assert len(pack_event(*texts, UUID)) + 15 < len(pack_event(*texts))


@pytest.mark.parametrize("text", [UUID, f"{UUID} {HASH} {UUID} {UUID[::-1]}", f"{HASH}\x01{UUID}", f"{HASH}-{UUID}"])
def test_ids_and_hashes_come_back(text: str) -> None:
    for beside in ("", UUID):
        packed = pack_event("plexstedi", "attempt-begun", text, "document 1", beside)
        assert unpack_event(packed, beside) == ("plexstedi", "attempt-begun", text, "document 1")


def test_a_hash_costs_its_bytes() -> None:
    short, long = (
        pack_event("plexstedi", "attempt-begun", f'{{"sha256":"{one}"}}', "document 1") for one in ("", HASH)
    )
    assert len(long) < len(short) + 32 + 5
    with pytest.raises(ValueError, match=r"damaged|cut off"):
        unpack_event(long[:20])


def test_an_event_of_an_earlier_version_is_read() -> None:
    """As version 6 of the schema stored it."""
    texts = ("plexstedi", "attempt-begun", f'{{"sha256":"{HASH}"}}', f"document {UUID}")
    packer = zlib.compressobj(9, zlib.DEFLATED, -12, zdict=OF_EVENTS[0] + UUID.encode())
    assert unpack_event(b"\0" + packer.compress("\0".join(texts).encode()) + packer.flush(), UUID) == texts


@pytest.mark.parametrize("damage", [lambda p: p[:-2], lambda p: p + b"x", lambda p: b"\x09" + p[1:], lambda p: b""])
def test_a_damaged_event_is_not_read(damage) -> None:
    with pytest.raises(ValueError, match=r"damaged|cut off"):
        unpack_event(damage(pack_event("plexstedi", "order-seen", '{"revision":1}', "order PO-1")))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_the_same_text_again(at: datetime) -> None:
    number = microseconds(instant(at))
    assert isinstance(number, int)
    assert time_of(number) == at
    assert short_time(at) == number
    assert instant_of(number) == instant(at)
    assert moment(instant(at)) == at


@pytest.mark.parametrize("text", ["", "x", "2026-01-01", "2026-01-01T00:00:00+00:00", "2026-01-01 00:00:00.000000Z"])
def test_another_text_is_no_time_and_stays(text: str) -> None:
    assert microseconds(text) == text
    for read in (time_of, instant_of):
        for other in (text, 1e30):
            with pytest.raises(ValueError, match=r"not a time|format code"):
                read(other)  # type: ignore[operator]


@pytest.mark.parametrize("one", [UUID, UUID.upper(), "4711", "", "id-PO-1", UUID.replace("-", ""), UUID + " "])
def test_an_id_is_the_same_again(one: str) -> None:
    assert id_of(short_id(one)) == one
    assert isinstance(short_id(one), bytes) is (one == UUID)
