"""One number on two orders: one goes on, the same one in every run, and the reason says what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plexstedi.edi.order_number import (
    Claim,
    PossibleOwner,
    Use,
    holder,
    number_key,
    number_taken,
    owner_of_files,
    taken_by,
)

DAY = datetime(2026, 11, 23, 7, tzinfo=UTC)


def claim(order_id: str, use: Use, *, created: int | None = 0, seen: int = 0, since: int = 0) -> Claim:
    at = None if created is None else DAY + timedelta(hours=created)
    first_seen = DAY + timedelta(hours=seen)
    return Claim(order_id, "PO-1", "ACME01", "status On Order", at, first_seen, use, since)


@pytest.mark.parametrize(
    ("claims", "has_it"),
    [
        ([claim("old", Use.SENT), claim("new", Use.WANTED, created=5)], "old"),
        # Sent first counts, however old the other is.
        ([claim("a", Use.WANTED, created=0), claim("b", Use.SENT, created=9, since=4)], "b"),
        ([claim("a", Use.SENT, since=9), claim("b", Use.SENT, since=4)], "b"),
        ([claim("a", Use.WANTED, created=0), claim("b", Use.KNOWN, created=9)], "b"),
        ([claim("a", Use.WANTED, created=9), claim("file", Use.FILE, created=1)], "file"),
        # A person, or the start, takes the supplier to have it: then a file under that number is its own.
        ([claim("a", Use.KNOWN, created=0), claim("file", Use.FILE, created=1)], "a"),
        # Cancelled, deleted or not released, and never sent: it asks for nothing.
        ([claim("gone", Use.NONE, created=0), claim("new", Use.WANTED, created=9)], "new"),
        ([claim("a", Use.WANTED, created=2), claim("b", Use.WANTED, created=1)], "b"),
        ([claim("a", Use.WANTED, created=1, seen=2), claim("b", Use.WANTED, created=1, seen=1)], "b"),
        ([claim("b", Use.WANTED), claim("a", Use.WANTED)], "a"),
        ([claim("a", Use.WANTED, created=None), claim("b", Use.WANTED, created=9)], "b"),
        ([claim("a", Use.NONE), claim("b", Use.NONE)], None),
    ],
)
def test_the_order_that_has_the_number(claims: list[Claim], has_it: str | None) -> None:
    found = holder(claims)
    assert (found.id if found else None) == has_it
    assert holder(claims[::-1]) == found


USES = st.sampled_from(list(Use))
CLAIMS = st.lists(
    st.builds(
        claim,
        st.uuids().map(str),
        USES,
        created=st.one_of(st.none(), st.integers(0, 3)),
        seen=st.integers(0, 2),
        since=st.integers(0, 3),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.id,
)


@given(CLAIMS)
def test_at_most_one_order_goes_out_under_a_number(claims: list[Claim]) -> None:
    """Never two documents for one slot, and never none where one of them may go."""
    free = [one.id for one in claims if taken_by(one.id, claims) is None]
    asking = [one for one in claims if one.use is not Use.NONE]
    assert len(free) == 1 if asking else len(free) == len(claims)


@given(CLAIMS, st.randoms())
def test_once_sent_the_number_stays_with_it(claims: list[Claim], random: object) -> None:
    """Whatever happens to it or to the others in Plex afterwards."""
    first = holder(claims)
    if first is None:
        return
    since = min((one.since for one in claims if one.use is Use.SENT), default=1) - 1
    sent = replace(first, use=Use.SENT, since=since, status="status Cancelled")
    others = [replace(one, created_at=DAY - timedelta(days=9)) for one in claims if one.id != first.id]
    assert holder([*others, sent]) == sent


@pytest.mark.parametrize(
    ("one", "other", "uppercase", "same"),
    [
        ("PO-1", "PO-1", False, True),
        ("PO-1", " PO-1 ", False, True),
        ("PO 1", "PO1", False, True),
        ("PO\u00a01", "PO1", False, True),
        ("PO-1", "PO-01", False, False),
        ("po-1", "PO-1", False, False),
        ("po-1", "PO-1", True, True),
    ],
)
def test_numbers_that_a_supplier_cannot_tell_apart(one: str, other: str, uppercase: bool, same: bool) -> None:
    assert (number_key(one, uppercase=uppercase) == number_key(other, uppercase=uppercase)) is same


def test_the_reason_names_both_and_what_leads_on() -> None:
    sent = replace(claim("id-old", Use.SENT), partner="BOLT02", status="status Cancelled")
    new = claim("id-new", Use.WANTED, created=26)
    reason = number_taken(new, sent)
    assert reason.code == "number-taken"
    for said in ("ACME01", "status On Order", "2026-11-24 09:00", "BOLT02", "status Cancelled", "2026-11-23 07:00"):
        assert said in reason.message
    assert "another number" in reason.fix
    # A person is told once, not again when the other one has been sent.
    assert number_taken(new, replace(sent, use=Use.WANTED)) == reason


def owner(order_id: str, **fields: object) -> PossibleOwner:
    plain = PossibleOwner(order_id, False, False, True, True, DAY)
    return replace(plain, **fields)


@pytest.mark.parametrize(
    ("owners", "whose"),
    [
        ([owner("a")], "a"),
        ([], None),
        # Made after the file: the number was given out again.
        ([owner("new", created_at=DAY + timedelta(hours=9), matches_content=True)], None),
        ([owner("old"), owner("new", created_at=DAY + timedelta(hours=9), matches_content=True)], "old"),
        ([owner("a", matches_content=True), owner("b")], "a"),
        ([owner("a", matches_content=True), owner("b", has_documents=True)], "b"),
        ([owner("a", same_partner=False), owner("b")], "b"),
        ([owner("a", in_plex=False, matches_content=True), owner("b")], "a"),
        ([owner("a", in_plex=False), owner("b")], "b"),
        # Two that could be it: a person is asked.
        ([owner("a"), owner("b")], None),
        ([owner("a", matches_content=True), owner("b", matches_content=True)], None),
    ],
)
def test_a_file_found_at_stedi_is_never_taken_for_the_wrong_orders(owners: list[PossibleOwner], whose: str) -> None:
    assert owner_of_files(owners, DAY + timedelta(hours=1)) == whose
    assert owner_of_files(owners[::-1], DAY + timedelta(hours=1)) == whose
