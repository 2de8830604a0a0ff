"""The state file is gone or old: nothing is sent twice, and `recover` brings back what Stedi and Plex know."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest

from plexstedi.sandbox.plex.store import copy_order
from plexstedi.sandbox.web import json_response

MARK = ".was-here"
WHY = ("--reason", "the supplier says so on the phone")
SOON, LATE = {"hours": 2}, {"hours": 50}
"""While Stedi remembers keys, and long after."""


def bch(document) -> list[str]:
    return next(row.split("*") for row in document.edi.split("~") if row.startswith("BCH"))


def kinds(bench, number) -> list[str]:
    return [document.edi.split("~")[2].split("*")[1] for document in bench.sent(number)]


def edit(bench, number, add=5) -> None:
    """A buyer orders more of the first release."""
    with bench.sandbox.lock:
        line = bench.sandbox.plex.order(number).lines[0]
        release = line.releases[0]
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + add)


def cycle(bench, **span) -> None:
    """Time passes, then cron runs."""
    bench.later(**(span or {"minutes": 10}))
    ran = bench.run("run")
    assert ran.code in (0, 3), ran.err


def reviews(bench, kind) -> list[dict]:
    return [review for review in bench.run("review", "list", "--json").json["reviews"] if review["kind"] == kind]


def lose(bench, how, yesterday=None) -> None:
    """The ways to lose a state: the file, the file with its mark (a new server), or all since a copy was made."""
    if how == "restored":
        shutil.copy(yesterday, bench.state)
        return
    bench.state.unlink()
    if how == "deleted with its mark":
        bench.state.with_name(bench.state.name + MARK).unlink()


@pytest.fixture
def yesterday(bench):
    """Where the copy of the state is kept."""
    return bench.place / "yesterday.sqlite3"


def changed_twice(bench, yesterday) -> str:
    """850 of A went out, a copy of the state was made, then 860 to B: the number of that order."""
    cycle(bench)
    number = bench.numbers_sent()[0]
    shutil.copy(bench.state, yesterday)
    cycle(bench, hours=3)
    edit(bench, number)
    cycle(bench)
    assert kinds(bench, number) == ["850", "860"]
    cycle(bench, minutes=1)
    return number


@pytest.mark.parametrize("span", [SOON, LATE], ids=["soon", "late"])
@pytest.mark.parametrize("how", ["deleted", "deleted with its mark", "restored"])
def test_nothing_is_sent_by_a_lost_state_and_after_recover_the_next_change_is_one_860(bench, yesterday, how, span):
    number = changed_twice(bench, yesterday)
    before = len(bench.sandbox.generated())
    lose(bench, how, yesterday)
    bench.later(**span)
    ran = bench.run("run", "--json")
    assert ran.code == (7 if how == "deleted" else 3)
    assert "recover" in ran.json["error"]["fix"]
    assert bench.run("submit").code in (3, 7)
    assert len(bench.sandbox.generated()) == before

    recovered = bench.run("recover", "--yes", "--json")
    assert recovered.code == 0, recovered.err
    assert all(stream["in_sync"] for stream in recovered.json["streams"])
    cycle(bench)
    assert len(bench.sandbox.generated()) == before
    assert bench.run("recover", "--yes", "--json").json["streams"] == []

    edit(bench, number, add=7)
    cycle(bench)
    cycle(bench)
    assert kinds(bench, number) == ["850", "860", "860"]
    assert bch(bench.sent(number)[-1])[5] == "2"
    assert len(bench.sandbox.generated()) == before + 1
    assert bench.run("audit", "verify").code == 0


@pytest.mark.parametrize("span", [SOON, LATE], ids=["soon", "late"])
def test_a_lost_state_is_noticed_by_files_of_a_direction_that_stedi_does_not_know(bench, yesterday, span):
    changed_twice(bench, yesterday)
    before = len(bench.sandbox.generated())
    for execution in bench.sandbox.stedi.executions.values():
        execution.direction = "UNKNOWN"
    lose(bench, "deleted with its mark")
    bench.later(**span)
    assert bench.run("run").code == 3
    assert bench.run("recover", "--yes").code == 0
    cycle(bench)
    assert len(bench.sandbox.generated()) == before


@pytest.mark.parametrize("how", ["deleted with its mark", "restored"])
def test_an_order_that_changed_after_the_loss_is_held_with_both_versions(bench, yesterday, how):
    number = changed_twice(bench, yesterday)
    lose(bench, how, yesterday)
    bench.later(hours=30)
    edit(bench, number, add=11)
    bench.later(minutes=10)
    assert bench.run("run").code == 3
    recovered = bench.run("recover", "--yes", "--json").json
    assert [stream["order"] for stream in recovered["streams"] if not stream["in_sync"]] == [number]
    cycle(bench)
    assert kinds(bench, number) == ["850", "860"]

    (review,) = reviews(bench, "recovered-differs")
    shown = bench.run("review", "show", str(review["id"]), "--json").json
    stedi, plex = shown["versions"]
    assert stedi["x12"] == bench.sent(number)[-1].edi
    quantity = sum(release.quantity for release in bench.sandbox.plex.order(number).lines[0].releases)
    assert f"PO1*1*{quantity.normalize():f}*" in plex["x12"]
    for_people = bench.run("review", "show", str(review["id"])).out
    assert "BCH" in for_people
    assert "BEG" in for_people

    assert bench.run("review", "accept", str(review["id"]), *WHY).code == 0
    cycle(bench)
    assert kinds(bench, number) == ["850", "860"]
    edit(bench, number)
    cycle(bench)
    assert kinds(bench, number) == ["850", "860", "860"]
    assert bch(bench.sent(number)[-1])[5] == "2"


def test_what_a_changed_first_order_says_and_what_plex_holds_are_set_side_by_side(bench):
    cycle(bench)
    number = bench.numbers_sent()[0]
    bench.later(minutes=5)
    lose(bench, "deleted with its mark")
    edit(bench, number)
    bench.later(minutes=10)
    assert bench.run("recover", "--yes").code in (0, 3)
    (review,) = reviews(bench, "recovered-differs")
    shown = bench.run("review", "show", str(review["id"]), "--json").json
    assert [line[:5] for line in shown["differences"] if "PO1*" in line] == ["- PO1", "+ PO1"]
    with closing(sqlite3.connect(bench.state)) as state, state:
        state.execute("UPDATE documents SET x12 = x''")
    stedi, plex = bench.run("review", "show", str(review["id"]), "--json").json["versions"]
    assert (stedi["x12"], "its content was deleted (state.keep_days)" in stedi["title"]) == (None, True)
    assert plex["x12"], "what Plex holds is shown alone"


def test_recover_shows_first_and_does_nothing_without_a_yes(bench):
    cycle(bench)
    bench.later(minutes=5)
    bench.state.unlink()
    shown = bench.run("recover", "--dry-run")
    assert shown.code == 0
    assert bench.numbers_sent()[0] in shown.out
    assert not bench.state.exists()
    refused = bench.run("recover")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert not bench.state.exists()
    assert bench.run("run").code == 7, "a recovery that was not confirmed lets nothing go out"
    assert len(bench.sandbox.generated()) == 4
    assert bench.run("recover", "--yes").code == 0
    assert bench.run("run").code == 0
    assert len(bench.sandbox.generated()) == 4


@pytest.mark.parametrize("span", [SOON, LATE], ids=["soon", "late"])
def test_acknowledgments_that_came_while_the_state_was_lost_are_matched_after_it_is_recovered(bench, span):
    cycle(bench)
    lose(bench, "deleted with its mark")
    bench.later(hours=3)
    assert bench.run("ingest-acks").code in (0, 3)
    bench.later(**span)
    assert bench.run("recover", "--yes").code in (0, 3)
    counts = bench.run("run", "--json").json["counts"]
    assert counts["writes_made"] == 4
    for number in bench.numbers_sent():
        assert bench.writes(number)
        status = bench.run("status", number, "--json").json
        assert status["documents"][-1]["business_ack"] == "confirmed"
        assert status["documents"][-1]["functional_ack"] == "accepted"


def test_an_order_that_was_never_sent_is_not_taken_as_known_in_silence(bench):
    cycle(bench)
    template = bench.sandbox.plex.order(bench.numbers_sent()[0])
    with bench.sandbox.lock:
        bench.sandbox.plex.add_order(copy_order(template, "PO-NEVER-SENT", bench.sandbox.clock.now()))
    lose(bench, "deleted with its mark")
    bench.later(**LATE)
    bench.run("recover", "--yes")
    cycle(bench)
    assert bench.sent("PO-NEVER-SENT") == []
    (review,) = reviews(bench, "known-order-changed")
    assert review["order"] == "PO-NEVER-SENT"
    assert bench.run("review", "accept", str(review["id"]), *WHY).code == 0
    cycle(bench)
    assert kinds(bench, "PO-NEVER-SENT") == ["850"]


def test_orders_that_were_finished_long_ago_ask_nobody(bench):
    cycle(bench)
    number = bench.numbers_sent()[0]
    bench.later(hours=3)
    with bench.sandbox.lock:
        for line in bench.sandbox.plex.order(number).lines:
            for release in line.releases:
                bench.sandbox.plex.receive(number, line.number, release.number, release.quantity)
        bench.sandbox.plex.edit_header(number, status="Received")
    cycle(bench)
    lose(bench, "deleted with its mark")
    bench.later(days=20)
    recovered = bench.run("recover", "--yes", "--json").json
    assert {stream["order"] for stream in recovered["streams"]} == set(bench.numbers_sent())
    assert bench.run("review", "list", "--json").json["reviews"] == []


def test_a_file_that_was_retried_at_stedi_is_one_document(bench):
    bench.sandbox.fail_deliveries(bench.sandbox.sample_data.partners[0].code)
    bench.run("run")
    bench.later(hours=1)
    bench.sandbox.fail_deliveries(bench.sandbox.sample_data.partners[0].code, 0)
    with bench.sandbox.lock:
        failed = [e for e in bench.sandbox.stedi.executions.values() if e.status == "FAILED"]
        assert failed
        for execution in failed:
            bench.sandbox.stedi.retry(execution)
    bench.later(minutes=1)
    lose(bench, "deleted with its mark")
    bench.later(minutes=1)
    assert bench.run("recover", "--yes").code == 0
    cycle(bench)
    for number in bench.numbers_sent():
        (document,) = bench.run("status", number, "--json").json["documents"]
        assert document["state"] == "delivered"


def test_overriding_the_suspicion_sends_only_orders_that_stedi_has_no_file_of(bench):
    cycle(bench)
    template = bench.sandbox.plex.order(bench.numbers_sent()[0])
    lose(bench, "deleted with its mark")
    with bench.sandbox.lock:
        bench.sandbox.plex.add_order(copy_order(template, "PO-NEW", bench.sandbox.clock.now()))
    edit(bench, template.number)
    bench.later(hours=3)
    bench.run("run", "--override", "unknown-file")
    assert len(bench.numbers_sent()) == len(set(bench.numbers_sent())) == 5
    assert kinds(bench, "PO-NEW") == ["850"]
    assert kinds(bench, template.number) == ["850"]


@contextmanager
def lists_that_lag(bench):
    """Stedi's lists show no file; its keys are remembered all the same."""
    handlers = bench.sandbox._handlers
    real = handlers["stedi"]

    def answer(request, fault):
        if request.method == "GET" and request.path.endswith("/executions"):
            return json_response({"items": []})
        return real(request, fault)

    handlers["stedi"] = answer
    yield
    handlers["stedi"] = real


def test_a_slot_that_was_used_with_another_content_is_shown_with_both(bench):
    bench.run("run")
    # Prices below 1: X12 writes no zero before the point, so only the line that was changed differs.
    number = max(bench.numbers_sent(), key=lambda each: bench.sent(each)[0].edi.count("*."))
    assert bench.sent(number)[0].edi.count("*.") == 3
    lose(bench, "deleted with its mark")
    edit(bench, number)
    with lists_that_lag(bench):
        bench.later(minutes=2)
        ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    assert ran.json["counts"]["documents_sent"] == 3, "the same answer as before for the same bytes under the same key"
    assert len(bench.sandbox.generated()) == 4
    (review,) = reviews(bench, "document-conflict")
    shown = bench.run("review", "show", str(review["id"]), "--json").json
    assert shown["versions"][0]["x12"] == bench.sent(number)[0].edi
    assert [line[:5] for line in shown["differences"] if "PO1*" in line] == ["- PO1", "+ PO1"]

    bench.later(minutes=10)
    assert bench.run("recover", "--yes").code in (0, 3)
    assert reviews(bench, "document-conflict") == []
    (differs,) = reviews(bench, "recovered-differs")
    assert differs["order"] == number
    cycle(bench)
    assert len(bench.sent(number)) == 1


def test_the_copy_that_a_run_made_is_a_state_to_go_on_from(bench):
    cycle(bench)
    (copy,) = bench.place.glob("state.sqlite3.*.backup")
    cycle(bench, hours=3)
    edit(bench, bench.numbers_sent()[0])
    cycle(bench)
    assert list(bench.place.glob("state.sqlite3.*.backup")) == [copy], "one a day"
    cycle(bench, minutes=2)
    lose(bench, "restored", copy)
    bench.later(minutes=5)
    assert bench.run("run").code == 3
    assert bench.run("recover", "--yes").code == 0
    cycle(bench)
    assert len(bench.sandbox.generated()) == 5


def test_old_contents_are_dropped_by_a_run_and_nothing_is_sent_for_it(bench):
    bench.write_config(lambda text: text + "\n[state]\nkeep_days = 30\n")
    cycle(bench)
    number = bench.numbers_sent()[0]
    edit(bench, number)
    cycle(bench, hours=3)
    cycle(bench, days=40)
    cycle(bench, minutes=20)
    assert len(bench.sandbox.generated()) == 5
    assert "contents-dropped" in bench.run("audit", "export").out
    assert bench.run("audit", "verify").code == 0
    edit(bench, number)
    cycle(bench)
    assert kinds(bench, number) == ["850", "860", "860"]
