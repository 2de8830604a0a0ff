"""Whatever Stedi, the network or a clock does to a send: the document goes out once, and it is known whether it did."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.web import Request, Response, json_response
from tests.commands.services import documents_of, in_items, meddle

SEND = "/generate-edi"


def at(bench, **ahead) -> dict[str, str]:
    """This server's clock is wrong by so much."""
    return {"TEST_NOW": (bench.sandbox.clock.now() + timedelta(**ahead)).isoformat()}


def never_twice(bench) -> None:
    times = Counter(document.filename.rsplit("_", 1)[0] for document in bench.sandbox.generated())
    assert [slot for slot, count in times.items() if count > 1] == []


def sent_unconfirmed(bench, env=None) -> None:
    """The second order reaches Stedi, and no answer to it comes back."""
    bench.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", path=SEND, times=None))
    assert bench.run("run", env=env).code == 5
    bench.sandbox.faults.clear()
    assert len(bench.sent("PO-777")) == 1


def test_stedis_clock_tells_that_a_key_has_expired_when_ours_stands_still(two):
    sent_unconfirmed(two)
    two.later(hours=30)
    two.run("run", env=at(two, hours=-29.5))
    assert len(two.sent("PO-777")) == 1
    assert two.run("status", "PO-777", "--json").json["documents"][0]["state"] in ("accepted", "delivered")


@pytest.mark.parametrize("ahead", [{"hours": 3}, {"days": 2}])
def test_a_clock_that_was_ahead_at_the_send_does_not_hide_the_file(two, ahead):
    sent_unconfirmed(two, at(two, **ahead))
    hide = meddle(two, "stedi", "/polling/executions$", in_items(lambda item: None))
    for _ in range(3):
        two.later(hours=28)
        two.run("run")
    hide()
    assert len(two.sent("PO-777")) == 1
    assert two.run("status", "PO-777", "--json").json["documents"][0]["state"] in ("accepted", "delivered")


def test_a_file_of_a_direction_that_stedi_does_not_know_is_found(two):
    """The search listed OUTBOUND only: it proved the file absent, and the order was sent a second time."""
    sent_unconfirmed(two)
    two.sandbox.stedi.executions[two.sent("PO-777")[0].execution_id].direction = "UNKNOWN"
    hide = meddle(two, "stedi", "/polling/executions$", in_items(lambda item: None))
    two.later(hours=28)
    two.run("run")
    hide()
    assert len(two.sent("PO-777")) == 1
    assert two.run("status", "PO-777", "--json").json["documents"][0]["state"] in ("accepted", "delivered")


def test_what_the_feed_has_shown_is_there_although_the_listing_hides_it(two):
    sent_unconfirmed(two)
    meddle(two, "stedi", "/executions$", lambda request, response: _without(request, response, "PO-777"))
    two.later(hours=28)
    two.run("run")
    assert len(two.sent("PO-777")) == 1


def _without(request: Request, response: Response, number: str) -> Response:
    if request.path.endswith("/polling/executions"):
        return response
    return in_items(lambda item: None if number in item["source"]["name"] else item)(request, response)


def test_a_refusal_after_an_attempt_without_a_response_concludes_nothing(two):
    """Stedi took it and failed to say so; then it says that it does not know the setting."""
    calls: list[int] = []

    def then_refuse(request: Request, response: Response) -> Response:
        calls.append(1)
        return response if len(calls) == 1 else json_response({"message": "unknown setting", "code": "NotFound"}, 404)

    two.sandbox.inject(FaultRule(FaultKind.ERROR_AFTER, origin="stedi", path=SEND, times=1))
    end = meddle(two, "stedi", SEND, then_refuse)
    unheard = two.run("run", "--json")
    assert unheard.code == 5
    assert unheard.json["counts"]["documents_rejected"] == 0
    end()
    order = two.sandbox.plex.order("PO-777")
    with two.sandbox.lock:
        release = order.lines[0].releases[0]
        two.sandbox.plex.edit_release("PO-777", order.lines[0].number, release.number, quantity=release.quantity + 12)
    for _ in range(3):
        two.later(minutes=20)
        two.run("run")
    never_twice(two)
    assert documents_of(two, "PO-777") == ["850", "860"]


def test_what_was_only_throttled_for_a_day_is_sent_and_not_in_doubt(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    for _ in range(3):
        bench.sandbox.inject(FaultRule(FaultKind.THROTTLED, origin="stedi", path=SEND, times=None))
        assert bench.run("run").code == 5
        bench.sandbox.faults.clear()
        bench.later(hours=12, minutes=1)
    bench.later(minutes=1)
    ran = bench.run("run", "--json")
    assert (ran.json["counts"]["documents_sent"], ran.json["counts"]["in_doubt"]) == (1, 0)


def test_a_document_in_doubt_is_marked_as_sent_as_soon_as_stedi_shows_it(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", path=SEND, times=None))
    bench.run("run")
    bench.sandbox.faults.clear()
    show = meddle(bench, "stedi", "/executions$", in_items(lambda item: None))
    bench.later(hours=30)
    doubt = bench.run("run", "--json")
    assert (doubt.code, doubt.json["counts"]["in_doubt"]) == (3, 1)
    show()
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["in_doubt"] == 0
    assert bench.run("review", "list", "--json").json["reviews"] == []
    assert len(bench.sandbox.generated()) == 1


def test_a_send_without_a_response_is_found_in_the_feed_before_the_run_ends(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", path=SEND, times=None))
    real, sends = bench.sandbox._handlers["stedi"], []

    def delivered_meanwhile(request, fault):
        if request.path.endswith("generate-edi"):
            sends.append(request.path)
        elif request.path.endswith("/polling/executions") and sends:
            bench.later(minutes=30)
        return real(request, fault)

    bench.sandbox._handlers["stedi"] = delivered_meanwhile
    assert bench.run("poll").code == 0
    ran = bench.run("submit", "--json")
    assert (ran.code, ran.json["counts"]["documents_sent"]) == (0, 1), ran.err
    bench.sandbox.faults.clear()
    bench.later(hours=1)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert len(bench.sandbox.generated()) == 1
