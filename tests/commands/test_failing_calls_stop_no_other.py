"""Calls for some records fail while those for others succeed: the others go on, also when there are many in a row."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.records import Order
from plexstedi.sandbox.plex.store import copy_order
from plexstedi.sandbox.web import Request, Response, json_response
from tests.commands.conftest import Bench, MakeBench
from tests.commands.services import in_items, instead, meddle


def fails_for(concerned: Callable[[Request], bool], status: int) -> Callable[[Request, Response], Response]:
    refusal = json_response({"message": "odd", "code": "X"}, status)
    return lambda request, response: refusal if concerned(request) else response


def first_executions(count: int) -> Callable[[Request], bool]:
    """Whether a call is for one of the first executions that are asked about."""
    seen: list[str] = []

    def concerned(request: Request) -> bool:
        execution = re.search(r"/executions/([^/]+)", request.path)
        if execution is None:
            return False
        if execution[1] not in seen:
            seen.append(execution[1])
        return seen.index(execution[1]) < count

    return concerned


def unanswered(bench: Bench) -> list[str]:
    reviews = bench.run("review", "list", "--json").json["reviews"]
    return sorted(each["order"] for each in reviews if each["kind"] == "unanswered")


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_an_order_that_plex_refuses_to_speak_of_is_no_fault_of_the_configuration(
    make_bench: MakeBench, dialect: str
) -> None:
    bench = make_bench(dialect=dialect)
    order = bench.sandbox.plex.tenant.orders[0]
    of_it = fails_for(lambda request: "line" in request.path and order.id in f"{request.path} {request.query}", 400)
    end = meddle(bench, "plex", "", of_it)
    first = bench.run("run", "--json")
    assert (first.code, sorted(bench.numbers_sent())) == (5, ["PO-104002", "PO-104003", "PO-104004"])
    (fault,) = bench.run("status", "--json").json["health"]["faults"]
    assert (fault["code"], order.number in fault["message"]) == ("record-refused", True)
    assert bench.run("status", "--check").code == 3
    bench.later(hours=25)
    assert bench.run("run").code == 3
    assert unanswered(bench) == [order.number]
    assert bench.run("run").code == 0
    end()
    bench.later(minutes=5)
    assert bench.run("run").code == 0
    assert order.number in bench.numbers_sent()
    assert unanswered(bench) == []


def test_where_plex_refuses_every_order_it_is_the_configuration(make_bench: MakeBench) -> None:
    bench = make_bench(dialect="oauth2")
    meddle(bench, "plex", "line-items", instead(400))
    assert [bench.run("run").code for _ in range(2)] == [4, 4]
    assert bench.run("status", "--json").json["health"]["faults"][0]["code"] == "question-refused"


def test_deliveries_that_stedi_does_not_tell_of_keep_no_order_from_going_out(make_bench: MakeBench) -> None:
    bench = make_bench(orders=12)
    end = meddle(bench, "stedi", "/executions/", fails_for(first_executions(5), 500))
    # The feed would list the deliveries, and nothing would be asked for each document.
    meddle(bench, "stedi", "/polling/executions$", in_items(lambda item: None))
    assert bench.run("run").code == 0
    bench.later(minutes=40)
    assert bench.run("run").code == 5
    sent = len(bench.numbers_sent())
    orders = bench.sandbox.plex.tenant.orders
    with bench.sandbox.lock:
        bench.sandbox.plex.add_order(copy_order(orders[0], "PO-NEW", bench.sandbox.clock.now()))
    bench.later(minutes=10)
    assert bench.run("run").code == 5
    assert bench.numbers_sent()[sent:] == ["PO-NEW"]
    bench.later(minutes=10)
    assert bench.run("run").code == 5
    assert len(bench.run("status", "--json").json["health"]["faults"]) == 5, "each is told by itself"
    bench.later(hours=25)
    bench.run("run")
    assert len(unanswered(bench)) == 5
    assert bench.run("run").code == 0
    end()
    bench.run("run")
    assert unanswered(bench) == []


def refuse_writes_to(bench: Bench, order: Order, status: int) -> Callable[[], None]:
    """Calls that change something of this order are answered with a status and not processed. Returns what ends it."""
    keys = {order.id, *(line.id for line in order.lines)}
    handlers = bench.sandbox._handlers
    real = handlers["plex"]

    def answer(request, fault):
        concerns = any(key in f"{request.path} {request.body}" for key in keys)
        if request.method in ("PATCH", "PUT", "POST") and concerns:
            return json_response({"message": "odd", "code": "X"}, status)
        return real(request, fault)

    handlers["plex"] = answer

    def end() -> None:
        handlers["plex"] = real

    return end


@pytest.mark.parametrize(("dialect", "status"), [("connect", 400), ("connect", 500), ("oauth2", 500)])
def test_an_order_that_cannot_be_written_keeps_no_other_from_being_written(
    make_bench: MakeBench, dialect: str, status: int
) -> None:
    bench = make_bench(orders=8, dialect=dialect)
    bench.run("run")
    bench.later(hours=1)
    order = bench.sandbox.plex.tenant.orders[0]
    end = refuse_writes_to(bench, order, status)
    bench.later(hours=6)
    assert bench.run("run").code == 5
    written = {write.order for write in bench.sandbox.plex.writes}
    assert written == {*bench.numbers_sent()} - {order.number}
    faults = bench.run("status", "--json").json["health"]["faults"]
    assert len(faults) == 1
    assert order.number in faults[0]["message"]
    assert bench.run("status", "--check").code == 3
    bench.later(hours=25)
    assert bench.run("run").code == 3
    assert unanswered(bench) == [order.number]
    assert bench.run("run").code == 0
    end()
    assert bench.run("run").code == 0
    assert bench.writes(order.number)
    assert unanswered(bench) == []


def test_orders_without_a_response_are_reported_where_the_time_of_the_poll_is_over(
    make_bench: MakeBench,
) -> None:
    """The retries of the first orders take the whole of the poll's time: before, such a run ended with 0."""
    bench = make_bench()
    # One call at a time: the waits of several would add up on the sandbox's clock, which never runs by itself.
    bench.write_config(
        lambda text: text.replace("[plex]\n", "[plex]\nparallel_calls = 1\n") + "\n[run]\ntime_limit_minutes = 1\n"
    )
    bench.sandbox.inject(FaultRule(FaultKind.THROTTLED, origin="plex", path="/line-items$", times=None))
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (5, "throttled")
    assert "PO-10400" in ran.json["error"]["message"]
