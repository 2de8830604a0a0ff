"""What a dry run shows must be exactly what would go, and readable in a mail of cron."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from plexstedi.cli.ingest_acks import print_writes
from plexstedi.cli.render.tables import (
    aligned,
    plain,
    pretty_json,
    print_documents_preview,
    x12_lines,
)
from plexstedi.cli.result.things import WriteJson
from plexstedi.decimal_json import loads
from plexstedi.state.document import NewDocument
from plexstedi.sync.submit.submit import Preview
from tests.cli.conftest import sent_order

ISA = "ISA*00*          *00*          *ZZ*US             *ZZ*ACME           *261123*0000*U*00401*000000001*0*P*>~"


def a_preview(body: bytes = b"{}", x12: str = ISA) -> Preview:
    document = NewDocument(
        stream="id",
        order_id="id",
        order_number="PO-1001",
        order_release=None,
        supplier="ACME01",
        partnership="us_acme",
        transaction_setting="004010-850",
        kind="850",
        purpose="00",
        revision=1,
        change_sequence=0,
        counter=1,
        idempotency_key="ps1_key",
        file_name="ps1_file",
        route="generate-edi",
        body=body,
        x12=x12,
        sent=sent_order(),
        dropped=("order: N9 note left out (no place)",),
    )
    return Preview(document, {"heading": {"price": Decimal("4.2500")}})


def shown(capsys: pytest.CaptureFixture[str], previews: Sequence[Preview], show: str) -> str:
    print_documents_preview(previews, show)
    return capsys.readouterr().out


def test_the_table_names_key_and_file_whole(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, [a_preview()], "table")
    for text in ("PO-1001", "ACME01", "850", "ps1_key", "ps1_file"):
        assert text in out


def test_json_is_the_request_with_numbers_as_they_go(capsys: pytest.CaptureFixture[str]) -> None:
    """0.10 shown as 0.1 would hide what Stedi gets."""
    body = b'{"a":[0.10,1e2,"\\u00e9"],"b":{},"c":[],"d":null}'
    out = shown(capsys, [a_preview(body=body)], "json")
    assert "0.10" in out
    assert loads(out[out.index("{") :]) == loads(body)


def test_the_guide_json_is_shown_with_exact_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    assert '"price": 4.2500' in shown(capsys, [a_preview()], "guide")


def test_x12_has_one_segment_a_line_whatever_ends_a_segment(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"{ISA}GS*PO~ST*850*0001~"
    assert x12_lines(text).splitlines() == [ISA, "GS*PO~", "ST*850*0001~"]
    other = text.replace("~", "'")
    assert len(x12_lines(other).splitlines()) == 3
    assert "ISA*00" in shown(capsys, [a_preview(x12=text)], "x12")


def test_line_feeds_in_x12_are_shown_where_they_say_something() -> None:
    folded = f"{ISA}\r\nGS*PO~\r\nMSG*one\nplexstedi review accept 1~\r\n"
    assert x12_lines(folded).splitlines() == [ISA, "GS*PO~", r"MSG*one\nplexstedi review accept 1~"]
    assert x12_lines(f"{ISA[:-1]}\nGS*PO\nMSG*one") == f"{ISA[:-1]}\nGS*PO\nMSG*one"
    assert x12_lines("ST*855*0001~BAK*00*AC~").splitlines() == ["ST*855*0001~", "BAK*00*AC~"]
    assert x12_lines("\x1c".join([ISA[:-1], "GS*PO", ""])) == f"{ISA[:-1]}\x1c\nGS*PO\x1c"


def test_what_is_left_out_stands_beside_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert "dropped: order: N9 note left out" in shown(capsys, [a_preview()], "x12")


def test_nothing_due_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, [], "table") == "Nothing is due.\n"


def test_a_planned_write_shows_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    write = {
        "order": "PO-1001",
        "transaction": "tx",
        "level": "release",
        "record": "r1",
        "line": 10,
        "release": 2,
        "field": "Confirmed Qty",
        "before": None,
        "after": "60",
        "why": "line 10: ordered 100 EA, confirmed 60",
    }
    print_writes([WriteJson(**write)], planned=True)
    out = capsys.readouterr().out
    assert "Plex now" in out
    assert "line 10 release 2" in out
    assert "(empty)" in out
    assert "60" in out
    print_writes([], planned=True)
    assert capsys.readouterr().out == ""


def test_columns_line_up_and_no_word_is_cut() -> None:
    long = "x" * 300
    lines = aligned(("a", "b"), [("1", long), ("1234", "y")])
    assert long in lines[2]
    assert lines[3].index("y") == lines[2].index("x")


def test_text_of_others_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\nc") == r"a\x1b[2Jb c"
    assert plain(None) == ""


def test_pretty_json_is_the_same_json() -> None:
    text = '{"a":[1,{"b":"\\"x\\""},[]],"é":{"c":true}}'
    assert loads(pretty_json(loads(text))) == loads(text)
