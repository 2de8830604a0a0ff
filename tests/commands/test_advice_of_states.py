"""What a stopped run, a lost state or an unwritten acknowledgment says to do is done, and leads on."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.advice import fixes, follow, items
from tests.commands.conftest import Bench, Ran
from tests.commands.test_nothing_hidden import circling


@pytest.fixture
def answered(make_bench) -> Bench:
    """Three orders, delivered and acknowledged; the acknowledgments are not pulled yet."""
    bench = make_bench(orders=3, suppliers=1)
    assert bench.run("run").code == 0
    bench.later(hours=3)
    return bench


def overridden(bench: Bench, stopped: Ran) -> Ran:
    """The run again, with the override that the stopped one names."""
    assert stopped.json["error"]["code"] == "suspicion"
    (name,) = re.findall(r"--override ([a-z-]+)`", stopped.json["error"]["fix"])
    ran = bench.run("run", "--override", name, "--json")
    assert "error" not in ran.json, ran.json
    return ran


def test_a_feed_that_goes_in_circles_is_passed_once_as_it_is_said(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(minutes=10)
    bench.run("run")
    number = bench.numbers_sent()[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(
            number, 1, bench.sandbox.plex.order(number).lines[0].releases[0].number, quantity=Decimal(7)
        )
    bench.later(minutes=10)
    circling(bench)
    assert overridden(bench, bench.run("run", "--json")).json["counts"]["documents_sent"] == 1
    assert bench.run("run", "--json").json["error"]["code"] == "suspicion", "once"


@pytest.mark.parametrize(("decision", "written"), [("accept", 1), ("reject", 0)])
def test_a_reference_in_plex_that_is_not_known_is_decided_as_it_is_said(answered, decision, written):
    order = answered.sandbox.plex.order(answered.numbers_sent()[0])
    with answered.sandbox.lock:
        answered.sandbox.plex.custom[("PurchaseOrder", order.id)] = {"EDI_Ack_Reference": "stedi:newer-than-ours"}
    assert answered.run("run").code == 3
    (fix,) = fixes(answered, "write-conflict")
    shown = follow(answered, fix).json
    assert shown[decision]["possible"]
    answered.run("review", decision, str(shown["review"]["id"]), "--reason", "agreed")
    assert items(answered, "write-conflict") == []
    assert answered.run("run", "--json").json["counts"]["writes_made"] == written


def test_what_somebody_changed_in_plex_meanwhile_is_overwritten_only_as_it_is_said(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.run("run")
    bench.later(hours=3)
    bench.sandbox.inject(FaultRule(FaultKind.STALE_READ, origin="plex", path="field-values/save", seconds=120.0))
    bench.run("run")
    bench.later(minutes=5)
    with bench.sandbox.lock:
        field = next(values for values in bench.sandbox.plex.custom.values() if "EDI_Ack_Code" in values)
        field["EDI_Ack_Code"] = "HOLD"
    bench.run("run")
    (fix,) = fixes(bench, "write-failed")
    follow(bench, fix)
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 1
    assert field["EDI_Ack_Code"] != "HOLD"


@pytest.mark.parametrize("way", ["as planned", "another way"])
def test_what_is_not_yet_written_is_written_by_the_command_that_status_names(answered, way):
    answered.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", times=None))
    answered.run("ingest-acks")
    answered.sandbox.faults.clear()
    if way == "another way":
        answered.write_config(lambda text: text.replace('write = "custom-fields"', 'write = "releases"'))
    notes = {one["why"] for one in answered.run("status", "--json").json["unwritten"]}
    (why,) = notes
    assert ("plans it again" in why) is (way == "another way")
    assert follow(answered, why).json["counts"]["writes_made"] == 3
    assert answered.run("status", "--json").json["unwritten"] == []


def replaces_state(state: Path, other: Path) -> None:
    """Another file takes the place of the state while a run is at work."""
    import plexstedi.sync.run as stages

    real = stages.submit

    def submit(*given: object, **named: object) -> object:
        other.replace(state)
        return real(*given, **named)

    stages.submit = submit


def test_a_state_that_was_replaced_during_a_run_is_recovered_as_it_is_said(answered):
    other = answered.place / "other.sqlite3"
    shutil.copy(answered.state, other)
    with answered.sandbox.lock:
        from plexstedi.sandbox.plex.store import copy_order

        like = answered.sandbox.plex.order(answered.numbers_sent()[0])
        answered.sandbox.plex.add_order(copy_order(like, "PO-NEW", answered.sandbox.clock.now()))
    answered.later(minutes=5)
    ran = answered.run("run", "--json", before=lambda: replaces_state(answered.state, other))
    assert (ran.code, ran.json["error"]["code"]) == (7, "state-replaced")
    follow(answered, ran.json["error"]["fix"])
    answered.later(minutes=5)
    answered.run("run")
    assert len(answered.sent("PO-NEW")) == 1
    assert len(answered.sandbox.generated()) == len({document.filename for document in answered.sandbox.generated()})


def stops_half_way() -> None:
    """The time ends before all orders are read."""
    import plexstedi.sync.people.recover as recovering
    from plexstedi.state.orders import Work

    recovering.poll = lambda session, **more: session.store.orders.add_work([Work("o-left", "PO-LEFT", "window")])


def test_a_recovery_that_the_time_ended_carries_on_as_it_is_said(answered):
    answered.run("run")
    answered.state.unlink()
    ran = answered.run("recover", "--yes", "--json", before=stops_half_way)
    assert ran.code == 5
    follow(answered, ran.json["error"]["fix"])
    sent = len(answered.sandbox.generated())
    answered.later(minutes=5)
    answered.run("run")
    assert len(answered.sandbox.generated()) == sent


def test_a_review_item_that_is_decided_already_names_the_list(answered):
    order = answered.sandbox.plex.order(answered.numbers_sent()[0])
    with answered.sandbox.lock:
        answered.sandbox.plex.custom[("PurchaseOrder", order.id)] = {"EDI_Ack_Reference": "stedi:newer-than-ours"}
    answered.run("run")
    (item,) = items(answered, "write-conflict")
    accept = ("review", "accept", str(item["id"]), "--reason", "ours counts", "--json")
    assert answered.run(*accept).code == 0
    again = answered.run(*accept)
    assert again.code == 2
    assert follow(answered, again.json["error"]["fix"]).json["reviews"] == []
