"""What differs in a document that is sent again is told in words, so that nobody sends another order by mistake."""

from __future__ import annotations

import pytest

from plexstedi.decimal_json import dumps
from plexstedi.sync.people.replay_comparison import ContentChange, compared


def request(purpose: str = "00", *lines: str, name: str = "a_r1", **more: str) -> bytes:
    content = {"heading": {"BEG": {"purpose_01": purpose, **more}}, "detail": [{"line": line} for line in lines]}
    group = {"transactionSettingId": "s", "transactions": [content]}
    return dumps({"transactionGroups": [group], "filename": name}).encode()


@pytest.mark.parametrize(
    ("before", "after", "change", "told"),
    [
        (request(name="a_r1"), request(name="a_r2"), ContentChange.SAME, ()),
        (request("00"), request("15"), ContentChange.REBUILT, ("heading.BEG.purpose_01: 00 → 15",)),
        (request(), request(note_02="x"), ContentChange.REBUILT, ("heading.BEG.note_02: added, x",)),
        (request("00", "1", "2"), request("00", "1"), ContentChange.REBUILT, ("detail[2].line: left out, was 2",)),
        (b"", request(), ContentChange.NOT_COMPARABLE, ()),
        (b"{", request(), ContentChange.NOT_COMPARABLE, ()),
    ],
)
def test_same_rebuilt_or_not_comparable(before, after, change, told):
    found = compared(before, after, same_kind=True)
    assert (found.change, found.differences) == (change, told)


def test_an_850_is_not_compared_with_an_860():
    assert compared(request(), request(), same_kind=False).change is ContentChange.NOT_COMPARABLE
