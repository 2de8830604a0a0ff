"""A read that lags behind a write asks nobody: it is read again, and the item that it led to closes automatically."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.faults import FaultKind, FaultRule

WAYS = [
    ("connect", "custom-fields"),
    ("oauth2", "custom-fields"),
    ("connect", "releases"),
    ("oauth2", "releases"),
    ("connect", "datasource"),
]
_WRITES = r"field-values/save|/purchase-orders/[^/]+$|releases/[^/]+$|/execute$"


@pytest.fixture(params=WAYS, ids=lambda way: "-".join(way))
def lagging(request, make_bench):
    """Orders sent and answered, in a Plex whose reads lag behind its writes by so many minutes."""
    dialect, write = request.param

    def made(minutes):
        bench = make_bench(orders=1, suppliers=1, dialect=dialect)
        bench.config.write_text(config_text(bench.sandbox, dialect, write))
        assert bench.run("run").code == 0
        bench.later(hours=3)
        for method in ("POST", "PUT", "PATCH"):
            bench.sandbox.inject(
                FaultRule(
                    FaultKind.STALE_READ, origin="plex", method=method, path=_WRITES, times=None, seconds=minutes * 60.0
                )
            )
        return bench

    return made


def items(bench):
    return bench.run("review", "list", "--json").json["reviews"]


def writes(bench):
    return len([write for write in bench.sandbox.plex.writes if write.effective])


def test_a_value_that_shows_in_the_next_run_is_nobodys_business(lagging):
    bench = lagging(minutes=4)
    first = bench.run("run", "--json")
    assert first.code == 0, first.err
    assert "the next run checks again" in "".join(first.json["warnings"])
    assert "error" not in first.json
    (unwritten,) = bench.run("status", "--json").json["unwritten"]
    assert "shows the previous value" in unwritten["why"]
    assert first.json["counts"]["writes_made"] == 0
    assert items(bench) == []
    written = writes(bench)
    assert written
    bench.later(minutes=5)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["writes_made"] == 1
    assert items(bench) == []
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 0
    assert writes(bench) == written


def test_after_two_later_runs_and_ten_minutes_it_needs_review_until_it_shows(lagging):
    bench = lagging(minutes=60)
    assert bench.run("run").code == 0
    written = writes(bench)
    for _ in range(2):
        bench.later(minutes=3)
        assert bench.run("run").code == 0
        assert items(bench) == []
    bench.later(minutes=5)
    asked = bench.run("run", "--json")
    assert asked.code == 3, asked.err
    (item,) = items(bench)
    assert item["kind"] == "write-failed"
    assert "closes automatically" in item["reasons"][0]["fix"]
    bench.later(minutes=5)
    assert bench.run("run").code == 0
    assert len(items(bench)) == 1
    bench.later(minutes=60)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["writes_made"] == 1
    assert items(bench) == []
    assert writes(bench) == written
    assert bench.run("status", "--check").code == 0


def test_what_a_user_changed_meanwhile_is_never_overwritten(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    bench.sandbox.inject(FaultRule(FaultKind.STALE_READ, origin="plex", path="field-values/save", seconds=120.0))
    assert bench.run("run").code == 0
    bench.later(minutes=5)
    with bench.sandbox.lock:
        field = next(values for values in bench.sandbox.plex.custom.values() if "EDI_Ack_Code" in values)
        field["EDI_Ack_Code"] = "HOLD"
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    (item,) = items(bench)
    assert "HOLD" in item["reasons"][0]["message"]
    bench.later(minutes=5)
    bench.run("run")
    assert field["EDI_Ack_Code"] == "HOLD"
    assert bench.run("review", "accept", str(item["id"]), "--reason", "ours counts").code == 0
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 1
    assert field["EDI_Ack_Code"] != "HOLD"
