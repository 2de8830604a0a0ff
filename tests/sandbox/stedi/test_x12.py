"""The sandbox's X12 against an independent reader, and there and back again."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyx12.x12file import X12Reader

from plexstedi.decimal_json import loads
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.guide_check import check_base, x12_number
from plexstedi.sandbox.stedi.guide_names import RELEASES, layout
from plexstedi.sandbox.stedi.guide_x12 import to_guide_json, to_segments
from plexstedi.sandbox.stedi.x12 import COMPONENT, Delimiters, X12Error, delimiters_of, read, write


def errors_of(edi: str) -> list[Any]:
    """What pyx12 finds wrong with the envelopes."""
    reader = X12Reader(io.StringIO(edi))
    found = []
    for _ in reader:
        found += reader.pop_errors()
    reader.cleanup()
    return [*found, *reader.pop_errors()]


def test_an_independent_reader_finds_no_fault_with_files_of_both_directions(
    sandbox: Sandbox, caller: Any, guide_850: Any, guide_860: Any
) -> None:
    for order, partner in zip(sandbox.plex.tenant.orders, sandbox.sample_data.partners, strict=False):
        caller.generate(partner, guide_850(order, partner.release), filename="a.edi")
        caller.generate(partner, guide_860(order, partner.release, 5), filename="b.edi", set_id="860")
    sandbox.advance(timedelta(days=9))
    files = [document.edi for document in sandbox.generated()]
    files += [
        caller.documents_http.get(
            caller.stedi(f"/executions/{execution.id}/input-url").json()["documentDownloadUrl"]
        ).text
        for execution in sandbox.stedi.finished
        if execution.direction == "INBOUND"
    ]
    assert len(files) > 60
    assert [errors_of(edi) for edi in files] == [[]] * len(files)


@pytest.mark.parametrize(
    ("old", "new"), [("SE*3*", "SE*4*"), ("GE*1*", "GE*2*"), ("IEA*1*000000001", "IEA*1*000000002")]
)
def test_wrong_counts_and_numbers_are_refused(sandbox: Sandbox, old: str, new: str) -> None:
    partnership = next(iter(sandbox.stedi.partnerships.values()))
    text = sandbox.stedi.compose(partnership, "855", (("BAK", "00", "AK", "1", "20261123"),), "T", sandbox.clock.now())
    assert read(text).groups[0].set_id == "855"
    with pytest.raises(X12Error):
        read(text.replace(old, new))
    with pytest.raises(X12Error):
        read(text[:90])


def test_a_file_in_other_delimiters_and_with_line_breaks_reads_the_same(sandbox: Sandbox) -> None:
    partnership = next(iter(sandbox.stedi.partnerships.values()))
    body = (("BAK", "00", "AK", "1", "20261123"), ("POC", "1", "CA", "", "", f"EA{COMPONENT}1"))
    text = sandbox.stedi.compose(partnership, "855", body, "T", sandbox.clock.now())
    interchange = read(text)
    other = write(interchange, Delimiters("|", ":", "!", "'")).replace("'", "'\n")
    assert read(other) == interchange
    assert delimiters_of(other) == Delimiters("|", ":", "^", "'")  # ISA11 of 4010 is no separator
    assert interchange.groups[0].sets[0][1] == body


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("set_id", ["850", "855", "860", "865", "810", "997"])
def test_every_key_of_the_tables_survives_the_way_to_x12_and_back(set_id: str, release: str) -> None:
    form = layout(set_id, release)
    whole: dict[str, Any] = {}
    for area, nodes in form.areas():
        filled = fill(nodes)
        if filled:
            whole[area] = filled
    whole["heading"]["transaction_set_header_ST"]["transaction_set_identifier_code_01"] = set_id
    for area in whole.values():
        area.pop("transaction_set_trailer_SE", None)
    assert check_base(whole, form) == []
    back = to_guide_json(set_id, "1", to_segments(whole, form), form)
    for area in back.values():
        area.pop("transaction_set_trailer_SE", None)  # type: ignore[union-attr]
    assert back == whole


def fill(nodes: Any) -> dict[str, Any]:
    """Every node once (arrays with one item), every element with a value of its type."""
    result: dict[str, Any] = {}
    for node in nodes:
        value = fill(node.children) if node.is_loop else elements(node.segment.elements)
        result[node.key] = [value] if node.repeat.value == "array" else value
    return result


def elements(definitions: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for element in definitions:
        if element.components:
            result[element.keys[0]] = elements(element.components)
        elif element.type in ("N0", "R"):
            result[element.keys[0]] = 1
        elif element.type == "N2":
            result[element.keys[0]] = Decimal("1.5") if element.maximum > 2 else 1
        elif element.type == "DT":
            result[element.keys[0]] = "2026-11-23"
        elif element.type == "TM":
            result[element.keys[0]] = "15:30"
        else:
            code = "00" if element.keys[0].startswith("transaction_set_purpose_code") else "A" * element.minimum
            result[element.keys[0]] = code
    return result


def test_implied_decimals_and_plain_numbers() -> None:
    form = layout("810", "005010")
    invoice = loads(
        '{"heading":{"beginning_segment_for_invoice_BIG":{"date_01":"2026-01-02","invoice_number_02":"1"}},'
        '"summary":{"total_monetary_value_summary_TDS":{"amount_01":42.5}}}'
    )
    assert ("TDS", "4250") in to_segments(invoice, form)
    numbers = ["1200.00", "0.50", "1E+3", "-0.25", "0.0"]
    assert [x12_number(Decimal(text)) for text in numbers] == ["1200", ".5", "1000", "-.25", "0"]


def test_a_segment_out_of_place_or_a_word_for_a_number_is_no_translation() -> None:
    form = layout("855", "004010")
    head = ("BAK", "00", "AK", "1", "20261123")
    for row in (("XYZ", "1"), ("PO1", "1", "many", "EA"), ("PO1", "1", "1", "EACH")):
        with pytest.raises(X12Error):
            to_guide_json("855", "0001", (head, row), form)
