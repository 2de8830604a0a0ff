"""What is taken out of a text comes back, and is all that has the form of a UUID or hash."""

from __future__ import annotations

import random

from plexstedi.state.file.digits import _DIGITS, _places, end_of_taken, put_back, take_out

CHANCE = random.Random(4)


def digits(number: int) -> str:
    return "".join(CHANCE.choice("0123456789abcdef") for _ in range(number))


KNOWN = [*("-".join(map(digits, (8, 4, 4, 4, 12))) for _ in range(4)), digits(64), digits(64)]


def any_text() -> bytes:
    pieces = ['"', "_", " ", ":", "\0", "-", "a", "x", "0", "ü", *KNOWN, KNOWN[0].upper(), digits(65), digits(36)]
    return "".join(CHANCE.choices(pieces, k=CHANCE.randrange(12))).encode()


def test_the_places_are_those_of_the_pattern():
    found = 0
    for text in (any_text() for _ in range(5000)):
        places = _places(text)
        assert places == [match.span(2) for match in _DIGITS.finditer(text)], text
        found += len(places)
    assert found > 500


def test_what_was_taken_out_comes_back():
    for text in (any_text() for _ in range(5000)):
        taken, rest = take_out(text, KNOWN[1].encode())
        if taken:
            content = b"\0" + taken
            assert put_back(content, end_of_taken(content), rest) == text
        else:
            assert rest == text
