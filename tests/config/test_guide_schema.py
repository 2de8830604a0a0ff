"""A guide whose bounds are no numbers is named when it is read; a bound that bounds nothing is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plexstedi.config.load import load
from plexstedi.errors import ConfigurationFault

TABLE = """
[suppliers.A.850]
guide_schema = "guide.json"
"""
GUIDE = '{"type": "object", "properties": {"heading": {"type": "object", "properties": {"a_02": {%s}}}}}'


def guide_with(write: Callable[[str], Path], minimal: str, keyword: str) -> Any:
    path = write(minimal + TABLE)
    (path.parent / "guide.json").write_text(GUIDE % keyword, encoding="utf-8")
    guide: Any = load(path).guide("A", "850")
    return guide["properties"]["heading"]["properties"]["a_02"]


@pytest.mark.parametrize("keyword", ['"maximum": 1.7976931348623157e308', '"minimum": -1e400', '"maxLength": 1e99'])
def test_a_bound_that_every_number_is_within_is_none(write, minimal, keyword):
    assert guide_with(write, minimal, keyword) == {}


@pytest.mark.parametrize(
    "keyword",
    [
        '"maximum": NaN',
        '"minimum": 1e400',
        '"multipleOf": 1e-400',
        '"maximum": 1, "maximum": 2',
        '"maximum": -1e99',
    ],
)
def test_a_bound_that_is_no_number_is_named(write, minimal, keyword):
    with pytest.raises(ConfigurationFault) as caught:
        guide_with(write, minimal, keyword)
    assert keyword.split(chr(34))[1] in str(caught.value)


def test_a_plain_bound_stays(write, minimal):
    assert guide_with(write, minimal, '"maximum": 99999, "minLength": 1') == {"maximum": 99999, "minLength": 1}
