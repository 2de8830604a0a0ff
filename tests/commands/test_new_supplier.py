"""A new supplier is its guide and a table: what the guide demands is told before anything goes, exactly as it goes."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from plexstedi import decimal_json
from plexstedi.sandbox.plex.store import copy_order
from tests.edi.guides.corpus import GUIDES_850

ACCOUNT = "reference_identification_REF"


def demanding():
    """A 4010 guide with room for everything, that wants our account number at the supplier."""
    schema = copy.deepcopy(GUIDES_850["full-4010"][0])
    schema["properties"]["heading"]["required"].append(ACCOUNT)
    return schema


def with_guide(text: str, more: str = "") -> str:
    """S001's 850 by the guide."""
    setting = '[suppliers.S001.850]\ntransaction_setting_id = "004010-850"\n'
    assert setting in text
    return text.replace(setting, f'{setting}guide_schema = "s001-850.json"\n{more}')


@pytest.fixture
def bench(make_bench):
    """One supplier with that guide, and its orders read from Plex."""
    made = make_bench(orders=3, suppliers=1)
    (made.place / "s001-850.json").write_text(json.dumps(demanding()))
    made.write_config(with_guide)
    made.run("poll")
    return made


def test_check_names_what_the_guide_wants_by_its_path_and_where_it_could_come_from(bench):
    told = bench.run("check", "--offline", "--supplier", "S001", "--json")
    assert told.code == 0, told.err
    held = [trial for trial in told.json["orders"] if trial["result"] == "held"]
    assert len(held) == len(told.json["orders"]) == 3
    (reason,) = [r for r in held[0]["reasons"] if ACCOUNT in r["where"]]
    assert "references" in reason["fix"]
    shown = bench.run("check", "--offline", "--supplier", "S001").out
    assert "how to supply it" in shown
    assert ACCOUNT in shown


def test_what_was_missing_is_supplied_by_a_setting_and_the_order_goes(bench):
    waiting = bench.run("run", "--json").json["counts"]
    assert (waiting["documents_sent"], waiting["attention"]) == (0, 3)
    bench.write_config(lambda text: with_guide(text, '[suppliers.S001.references]\nIA = "V-1001"\n'))
    told = bench.run("check", "--offline", "--supplier", "S001", "--json").json["orders"]
    assert {trial["result"] for trial in told} == {"would-send"}
    assert all("REF" in " ".join(trial["segments"]) for trial in told)
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 3
    assert all("~REF*IA*V-1001~" in document.edi for document in bench.sandbox.generated())


def test_a_preview_shows_the_name_the_key_and_the_content_that_go_then(bench):
    bench.write_config(lambda text: with_guide(text, '[suppliers.S001.references]\nIA = "V-1001"\n'))
    number = bench.sandbox.plex.tenant.orders[0].number
    (shown,) = bench.run("submit", "--dry-run", "--order", number, "--json").json["documents"]
    guide = bench.run("submit", "--dry-run", "--order", number, "--show", "guide").out
    x12 = bench.run("submit", "--dry-run", "--order", number, "--show", "x12").out
    request = bench.run("submit", "--dry-run", "--order", number, "--show", "json").out
    bench.run("submit", "--order", number)
    (sent,) = bench.sent(number)
    assert (shown["file_name"], shown["idempotency_key"]) == (sent.filename, sent.idempotency_key)
    assert decimal_json.loads(_body(guide)) == sent.transactions[0]
    assert decimal_json.loads(_body(request)) == decimal_json.loads(shown["request"])
    assert _segments(x12) == _segments(sent.edi.replace("~", "~\n"))


def _body(shown: str) -> str:
    return "\n".join(line for line in shown.splitlines() if not line.startswith("#"))


def _segments(text: str) -> list[str]:
    """Segments of the transaction without what the envelope counts; X12 writes 0.5 as `0.5` or `.5`."""
    lines = [re.sub(r"\*\.(\d)", r"*0.\1", line.strip()) for line in text.splitlines()]
    return [line for line in lines if line and line[:2] not in ("IS", "GS", "ST", "SE", "GE", "IE") and line[0] != "#"]


@pytest.mark.long
def test_an_order_of_5000_lines_goes_out_whole(make_bench):
    made = make_bench(orders=1, suppliers=1)
    like = made.sandbox.plex.tenant.orders[0]
    lines = [replace(like.lines[0], number=number, price=Decimal(number) / 100) for number in range(1, 5001)]
    order = copy_order(replace(like, lines=lines), "PO-LONG", made.sandbox.clock.now())
    with made.sandbox.lock:
        made.sandbox.plex.add_order(order)
    made.later(minutes=5)
    ran = made.run("run", "--json")
    assert ran.code == 0, ran.err
    (sent,) = made.sent("PO-LONG")
    assert sent.edi.count("~PO1*") == 5000
    assert "~PO1*5000*" in sent.edi
    assert "~CTT*5000" in sent.edi
