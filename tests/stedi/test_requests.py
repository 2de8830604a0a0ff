"""What goes to Stedi is exact: the numbers of the order, always a usage indicator, never more than Stedi takes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.decimal_json import NotPlain, dumps
from plexstedi.stedi.requests import (
    Delimiters,
    RequestTooLarge,
    create_transaction_body,
    generate_edi_body,
    retry_body,
)

TRANSACTION = {"detail": {"quantity_02": Decimal("0.10"), "unit_price_04": Decimal("1E+3"), "text": "Größe"}}


def test_a_document_goes_out_byte_for_byte_as_expected() -> None:
    body = generate_edi_body(TRANSACTION, transaction_setting_id="004010-850", file_name="ps1_a.edi", usage="P")
    assert (
        body
        == (
            '{"transactionGroups":[{"transactionSettingId":"004010-850","transactions":['
            '{"detail":{"quantity_02":0.10,"unit_price_04":1000,"text":"Größe"}}]}],'
            '"filename":"ps1_a.edi","overrides":{"interchangeUsageIndicator":"P"}}'
        ).encode()
    )


def test_a_mapped_document_names_its_mapping_and_its_usage() -> None:
    body = create_transaction_body(TRANSACTION, file_name="ps1_a.edi", usage="T", mapping_id="01HMAP")
    assert isinstance(body, bytes)
    sent = json.loads(body)
    assert sent["mappingId"] == "01HMAP"
    assert sent["interchangeOverrides"] == {"interchangeUsageIndicator": "T"}
    assert list(sent) == ["transaction", "filename", "mappingId", "interchangeOverrides"]


def test_chosen_delimiters_are_sent_all_four() -> None:
    delimiters = Delimiters(element="*", segment="~", composite=">", repetition="^")
    body = generate_edi_body({}, transaction_setting_id="s", file_name="a", usage="T", delimiters=delimiters)
    assert isinstance(body, bytes)
    assert json.loads(body)["overrides"]["delimiters"] == {
        "element": "*",
        "segment": "~",
        "composite": ">",
        "repetition": "^",
    }


def test_what_stedi_would_refuse_for_its_size_is_reported_before_it_is_sent() -> None:
    fits, too_large = {"a": "x" * (4_999_999 - 8)}, {"a": "x" * (5_000_000 - 8)}
    mapped = {"a": "x" * (4_000_000 - 8)}
    assert isinstance(generate_edi_body(fits, transaction_setting_id="s", file_name="a", usage="T"), bytes)
    assert generate_edi_body(too_large, transaction_setting_id="s", file_name="a", usage="T") == RequestTooLarge(
        5_000_000, 5_000_000
    )
    assert isinstance(create_transaction_body(mapped, file_name="a", usage="T"), bytes)
    assert create_transaction_body(mapped, file_name="a", usage="T", mapping_id="m") == RequestTooLarge(
        4_000_000, 4_000_000
    )


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "ä", "x" * 301, "a\n"])
def test_a_file_name_that_stedi_would_refuse_is_never_sent(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        generate_edi_body({}, transaction_setting_id="s", file_name=name, usage="T")


def test_a_retry_always_names_its_executions() -> None:
    assert retry_body(("a", "b")) == b'{"condition":{"executionIds":["a","b"]}}'
    for ids in ((), tuple("x" for _ in range(1001))):
        with pytest.raises(ValueError, match="1 to 1000"):
            retry_body(ids)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["1E+5", "NaN", "Infinity", "\x7f\x00\u2028", "\ud800", NotPlain("1e99")]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_VALUES)
def test_a_document_of_any_values_is_written_as_all_json_is(value: Any) -> None:
    """The bytes are part of the contract: under one idempotency key they must never differ."""
    wanted = dumps(value)
    try:
        body = generate_edi_body(value, transaction_setting_id="s", file_name="a", usage="T")
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            wanted.encode()
        return
    assert isinstance(body, bytes)
    assert f'"transactions":[{wanted}]}}]' in body.decode()
