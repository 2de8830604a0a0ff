"""A long list is read while it arrives, and is worth nothing until it is complete."""

from __future__ import annotations

import gzip

import httpx
import pytest

from plexstedi.errors import ServiceUnavailable

KEY = "sk-very-secret-key"
JSON = {"content-type": "application/json"}


def ids(item):
    return item["id"]


def test_of_each_item_only_what_is_wanted_is_kept(make_caller, httpx_mock):
    httpx_mock.add_response(text='[{"id": 1.10, "note": "x"}, {"id": "b"}]', headers=JSON)
    response = make_caller().get("/x", keep=lambda: ids)
    assert repr(response.items) == "[Decimal('1.10'), 'b']"
    assert response.document is None


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_list_may_arrive_in_any_pieces_and_packed(make_caller, httpx_mock, coding):
    body = b'[{"id": 1}, {"id": 22}]'
    packed = gzip.compress(body) if coding == "gzip" else body
    pieces = [packed[start : start + 1] for start in range(len(packed))]
    httpx_mock.add_response(stream=Pieces(pieces), headers={**JSON, "content-encoding": coding})
    assert make_caller().get("/x", keep=lambda: ids).items == [1, 22]


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces):
        self._pieces = pieces

    def __iter__(self):
        return iter(self._pieces)


def test_nothing_of_a_broken_list_is_used(make_caller, httpx_mock, attempts):
    """The first try ends in the middle of the list; the second one is complete."""
    httpx_mock.add_response(text='[{"id": 1}, {"id": 2}, {"id', headers=JSON)
    httpx_mock.add_response(text='[{"id": 3}]', headers=JSON)
    assert make_caller().get("/x", keep=lambda: ids).items == [3]
    assert [attempt.outcome for attempt in attempts] == ["broken-answer", "ok"]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('[{"id": 1}, {"id"', "application/json", "broken JSON"),
        ('[{"id": 1}]]', "application/json", "broken JSON"),
        ('[{"id": 1}, {"id"', "text/html", "an HTML page"),
        ("<html>[]</html>", "application/json", "an HTML page"),
        ("no list", "application/json", "broken JSON"),
    ],
)
def test_what_is_no_list_fails_as_any_other_response_does(make_caller, httpx_mock, attempts, text, kind, words):
    httpx_mock.add_response(text=text, headers={"content-type": kind}, is_reusable=True)
    said = []
    for keep in (None, lambda: ids):
        attempts.clear()
        with pytest.raises(ServiceUnavailable, match=words) as caught:
            make_caller().get("/x", keep=keep)
        said.append((str(caught.value), caught.value.code, [attempt.outcome for attempt in attempts]))
    assert said[0] == said[1]


def test_an_object_instead_of_a_list_is_read_as_a_whole(make_caller, httpx_mock):
    httpx_mock.add_response(text='{"data": [{"id": 1}], "next": null}', headers=JSON)
    response = make_caller().get("/x", keep=lambda: ids)
    assert response.items is None
    assert response.json() == {"data": [{"id": 1}], "next": None}


def test_a_key_that_a_list_echoes_is_taken_out_of_its_items(make_caller, httpx_mock):
    escaped = "".join(f"\\u{ord(character):04x}" for character in KEY)
    httpx_mock.add_response(text=f'[{{"id": "a {KEY}"}}, {{"id": "{escaped}"}}, {{"id": 3}}]', headers=JSON)
    assert make_caller().get("/x", keep=lambda: ids).items == ["a (secret)", "(secret)", 3]


def test_a_list_counts_against_the_limit_although_it_is_not_kept(make_caller, httpx_mock):
    httpx_mock.add_response(text="[" + ",".join(['{"id": 1}'] * 200) + "]", headers=JSON)
    with pytest.raises(ServiceUnavailable, match=r"run\.max_response_mb"):
        make_caller(largest_response=1000).get("/x", keep=lambda: ids)
