"""A document is never sent twice because its key names its slot, and is found again because its name does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.edi.document_name import Kind, Slot, Usage, file_name, idempotency_key, parse_file_name

_SLOTS = st.builds(
    Slot,
    tenant=st.text(min_size=1, max_size=3),
    usage=st.sampled_from(["P", "T"]),
    order=st.text(min_size=1, max_size=6),
    release=st.none() | st.text(min_size=1, max_size=6),
    change_sequence=st.integers(0, 9999),
    kind=st.sampled_from(["850", "860", "810"]),
    counter=st.integers(1, 999),
)
_FINGERPRINTS = st.text("0123456789abcdef", min_size=8, max_size=16)


def _slot(order: str = "PO-1001", tenant: str = "5eed0000-0000-4000-8000-000000000001", kind: Kind = "850") -> Slot:
    usage: Usage = "P"
    return Slot(tenant, usage, order, None, 0, kind, 1)


@given(one=_SLOTS, other=_SLOTS)
def test_two_slots_share_a_key_only_if_they_are_the_same(one: Slot, other: Slot) -> None:
    assert (idempotency_key(one) == idempotency_key(other)) == (one == other)


@given(one=_SLOTS)
def test_neighbouring_slots_have_keys_of_their_own(one: Slot) -> None:
    near = [
        Slot(one.tenant, one.usage, one.order + "_", one.release, one.change_sequence, one.kind, one.counter),
        Slot(one.tenant, one.usage, one.order, one.order, one.change_sequence, one.kind, one.counter),
        Slot(one.tenant, one.usage, one.order, one.release, one.change_sequence + 1, one.kind, one.counter),
        Slot(one.tenant, one.usage, one.order, one.release, one.change_sequence, one.kind, one.counter + 1),
    ]
    keys = {idempotency_key(slot) for slot in (one, *near)}
    assert len(keys) == len({one, *near})


@given(slot=_SLOTS, fingerprint=_FINGERPRINTS)
def test_a_file_name_says_its_slot_again(slot: Slot, fingerprint: str) -> None:
    name = file_name(slot, fingerprint)
    assert re.fullmatch(r"[a-zA-Z0-9.*'()!_-]{1,300}", name)
    assert name.startswith("ps1_")
    assert parse_file_name(name) == (slot, fingerprint)


@given(name=st.text(max_size=60) | st.text("ps1_PT850abc!.-r0c", max_size=60).map("ps1_".__add__))
def test_a_name_is_ours_only_if_we_would_write_it(name: str) -> None:
    parsed = parse_file_name(name)
    assert parsed is None or file_name(*parsed) == name


@pytest.mark.parametrize("order", ["PO-1001", "B" * 30, "Ö" * 30, "A/B 7", "4500_01", "注文"])
def test_real_order_numbers_fit(order: str) -> None:
    key = idempotency_key(_slot(order))
    assert len(key) <= 255
    assert key.isascii()
    assert parse_file_name(file_name(_slot(order), "0" * 16)) == (_slot(order), "0" * 16)


def test_a_key_can_be_read_by_a_user() -> None:
    assert idempotency_key(_slot("PO-1001", tenant="T1")) == "ps1_T1_P_850_PO-1001_._c0_r1"


def test_what_would_be_too_long_or_no_fingerprint_is_refused_not_cut() -> None:
    with pytest.raises(ValueError, match="255"):
        idempotency_key(_slot("Ö" * 60))
    with pytest.raises(ValueError, match="fingerprint"):
        file_name(_slot(), "not hex!")


@pytest.mark.parametrize(
    "name",
    [
        "invoice.edi",
        "ps1_T1_P_850_PO-1_._c0_r1_00000000.txt",
        "ps1_T1_P_850_PO-1_._c0_r0_00000000.edi",
        "ps1_T1_P_850_PO-1_._c00_r1_00000000.edi",
        "ps1_T1_P_850_PO!2D1_._c0_r1_00000000.edi",
        "ps2_T1_P_850_PO-1_._c0_r1_00000000.edi",
    ],
)
def test_names_of_others_are_not_taken_for_ours(name: str) -> None:
    assert parse_file_name(name) is None
