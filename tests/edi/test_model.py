"""Stored models as JSON."""

from __future__ import annotations

import pytest

from plexstedi.edi.model import from_json, to_json
from plexstedi.edi.order import Part


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'{"number":7}', b'{"revision":"A"}', b'{"number":"1","more":1}', b"\xff\xfe"]
)
def test_what_is_not_the_model_is_one_kind_of_error(text: bytes) -> None:
    """A damaged content is reported as damaged, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"."):
        from_json(Part, text)


def test_a_model_is_what_it_was() -> None:
    assert to_json(Part(number="Größe", revision=None)) == '{"number":"Größe","revision":null}'
    assert from_json(Part, '{"number":"Größe","revision":null}') == Part(number="Größe")
