"""Whatever Stedi, Plex, the network or a clock does to a call: nothing twice, nothing lost, nothing in silence."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.web import Request, Response, json_response

SEND = "/generate-edi"


def meddle(bench, origin: str, path: str, change: Callable[[Request, Response], Response]) -> Callable[[], None]:
    """Change the answers to calls whose path matches; the call itself is processed. Returns what ends it."""
    handlers = bench.sandbox._handlers
    real = handlers[origin]

    def answer(request, fault):
        response = real(request, fault)
        return change(request, response) if re.search(path, request.path) else response

    handlers[origin] = answer

    def end() -> None:
        handlers[origin] = real

    return end


def instead(status: int, message: str = "so it is") -> Callable[[Request, Response], Response]:
    return lambda request, response: json_response({"message": message, "code": "X"}, status)


def in_items(change: Callable[[dict], dict | None]) -> Callable[[Request, Response], Response]:
    """Change each item of a listing; None takes it out."""

    def answer(request: Request, response: Response) -> Response:
        document = json.loads(response.body)
        document["items"] = [item for each in document["items"] if (item := change(each)) is not None]
        return json_response(document, response.status)

    return answer


def at(bench, **ahead) -> dict[str, str]:
    """This server's clock is wrong by so much."""
    return {"TEST_NOW": (bench.sandbox.clock.now() + timedelta(**ahead)).isoformat()}


def documents_of(bench, number: str) -> list[str]:
    return [document.transactions[0] and document.filename.split("_")[3] for document in bench.sent(number)]


def never_twice(bench) -> None:
    times = Counter(document.filename.rsplit("_", 1)[0] for document in bench.sandbox.generated())
    assert [slot for slot, count in times.items() if count > 1] == []


@pytest.fixture
def two(make_bench):
    """One order sent and delivered, and a second one, copied from it, that is due."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    assert bench.run("run").code == 0
    bench.later(minutes=10)
    assert bench.run("run").code == 0
    like = bench.numbers_sent()[0]
    with bench.sandbox.lock:
        from plexstedi.sandbox.plex.store import copy_order

        order = copy_order(bench.sandbox.plex.order(like), "PO-777", bench.sandbox.clock.now())
        bench.sandbox.plex.add_order(order)
    bench.later(minutes=5)
    return bench


def sent_unheard(bench, env=None) -> None:
    """The second order reaches Stedi, and no answer to it comes back."""
    bench.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", path=SEND, times=None))
    assert bench.run("run", env=env).code == 5
    bench.sandbox.faults.clear()
    assert len(bench.sent("PO-777")) == 1


# ------------------------------------------------------------------------------------------------------ never twice


def test_stedis_clock_tells_that_a_key_has_expired_when_ours_stands_still(two):
    sent_unheard(two)
    two.later(hours=30)
    two.run("run", env=at(two, hours=-29.5))
    assert len(two.sent("PO-777")) == 1
    assert two.run("status", "PO-777", "--json").json["documents"][0]["state"] in ("accepted", "delivered")


@pytest.mark.parametrize("ahead", [{"hours": 3}, {"days": 2}])
def test_a_clock_that_was_ahead_at_the_send_does_not_hide_the_file(two, ahead):
    sent_unheard(two, at(two, **ahead))
    hide = meddle(two, "stedi", "/polling/executions$", in_items(lambda item: None))
    for _ in range(3):
        two.later(hours=28)
        two.run("run")
    hide()
    assert len(two.sent("PO-777")) == 1
    assert two.run("status", "PO-777", "--json").json["documents"][0]["state"] in ("accepted", "delivered")


def test_what_the_feed_has_shown_is_there_although_the_listing_hides_it(two):
    sent_unheard(two)
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


# ------------------------------------------------------------------------------------------- never lost, never silent


@pytest.fixture
def answered(make_bench):
    """Three orders, delivered and answered; the answers are not pulled yet."""
    bench = make_bench(orders=3, suppliers=1)
    assert bench.run("run").code == 0
    bench.later(hours=3)
    return bench


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.HTML, FaultKind.THROTTLED])
def test_plex_that_takes_no_write_is_reported_by_every_run_until_it_does(answered, kind):
    answered.sandbox.inject(FaultRule(kind, origin="plex", path="/field-values/save", times=None))
    for _ in range(3):
        ran = answered.run("run", "--json")
        assert (ran.code, ran.json["counts"]["writes_made"]) == (5, 0)
        answered.later(minutes=10)
    answered.sandbox.faults.clear()
    ran = answered.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (0, 3)


def test_an_acknowledgment_that_stedi_lists_without_its_metadata_is_read_all_the_same(answered):
    def bare(item: dict) -> dict:
        return {key: value for key, value in item.items() if key not in ("x12", "businessIdentifiers")}

    meddle(answered, "stedi", "/polling/transactions$", in_items(bare))
    ran = answered.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["writes_made"]) == (0, 3, 3)


def test_an_entry_of_a_feed_that_cannot_be_read_needs_review(answered):
    changed: list[str] = []

    def broken(item: dict) -> dict:
        if item["direction"] == "INBOUND" and not changed:
            changed.append(item["transactionId"])
            return {key: value for key, value in item.items() if key != "fileExecutionId"}
        return item

    end = meddle(answered, "stedi", "/polling/transactions$", in_items(broken))
    assert answered.run("run").code == 3
    end()
    (review,) = answered.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "feed-entry-unreadable"
    assert changed[0] in str(review["reasons"])


@pytest.mark.parametrize("status", [404, 500])
def test_a_document_that_stedi_does_not_return_holds_up_no_other_and_is_reported_after_a_day(answered, status):
    first = next(each for each in answered.sandbox.stedi.processed if each.set_id == "855")
    own = f"/(transactions/{first.id}|executions/{first.execution.id})/(in|out)put-url"
    end = meddle(answered, "stedi", own, instead(status))
    ran = answered.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (5 if status == 500 else 0, 2)
    answered.later(hours=25)
    assert answered.run("run").code in (3, 5)
    (review,) = answered.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "document-missing"
    end()
    answered.later(minutes=5)
    assert answered.run("run", "--json").json["counts"]["acks_applied"] == 1
    assert answered.run("review", "list", "--json").json["reviews"] == []


def test_a_document_that_cannot_be_read_is_held_though_stedi_refuses_the_file_that_it_came_in(answered):
    with answered.sandbox.lock:
        store = answered.sandbox.stedi
        first = next(each for each in store.processed if each.set_id == "855")
        store.files.put(f"{first.id}-output", "application/json", b'{"heading": {"trunc')
    meddle(answered, "stedi", f"/transactions/{first.id}/input-url", instead(404))
    meddle(answered, "stedi", f"/executions/{first.execution.id}/input-url", instead(400))
    ran = answered.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["acks_held"]) == (3, 2, 1)
    (review,) = answered.run("review", "list", "--json").json["reviews"]
    assert review["reasons"][0]["code"] == "unreadable"


@pytest.mark.parametrize("status", [400, 500])
def test_a_file_that_stedi_does_not_respond_for_keeps_no_order_from_going(two, status):
    first = two.sandbox.generated()[0].execution_id
    order = two.numbers_sent()[0]
    with two.sandbox.lock:
        line = two.sandbox.plex.order(order).lines[0]
        release = line.releases[0]
        two.sandbox.plex.edit_release(order, line.number, release.number, quantity=release.quantity + 12)
    two.later(minutes=5)
    meddle(two, "stedi", r"/executions/(?!.*transactions)[^/]+$", _except_listing(first, status))
    ran = two.run("run", "--json")
    assert len(two.sent("PO-777")) == 1
    two.later(minutes=10)
    ran = two.run("run", "--json")
    assert ran.code == 5
    assert "cannot confirm the delivery" in ran.json["error"]["message"]


def _except_listing(known: str, status: int) -> Callable[[Request, Response], Response]:
    """Of the file that was delivered already Stedi still answers."""

    def answer(request: Request, response: Response) -> Response:
        return response if request.path.endswith(known) else instead(status)(request, response)

    return answer


def test_an_order_that_plex_does_not_respond_for_keeps_no_other_from_going(make_bench):
    bench = make_bench(orders=8, suppliers=1, characters=(Character.SILENT,))
    bad = bench.sandbox.plex.tenant.orders[2]
    end = meddle(bench, "plex", f"/purchase-orders/{bad.id}/line-items", instead(500))
    for _ in range(2):
        ran = bench.run("run", "--json")
        assert ran.code == 5
        assert bad.number in ran.json["error"]["message"]
        bench.later(minutes=10)
    sent = set(bench.numbers_sent())
    assert len(sent) == 5
    assert bad.number not in sent
    other = next(order for order in bench.sandbox.plex.tenant.orders if order.number in sent)
    with bench.sandbox.lock:
        release = other.lines[0].releases[0]
        bench.sandbox.plex.edit_release(other.number, 1, release.number, quantity=release.quantity + 12)
    bench.later(minutes=10)
    bench.run("run")
    assert documents_of(bench, other.number) == ["850", "860"]
    end()
    bench.later(minutes=10)
    assert bench.run("run").code == 0
    assert documents_of(bench, bad.number) == ["850"]


def test_an_acknowledgment_in_plex_that_we_do_not_know_is_not_overwritten(answered):
    order = answered.sandbox.plex.order(answered.numbers_sent()[0])
    with answered.sandbox.lock:
        answered.sandbox.plex.custom[("PurchaseOrder", order.id)] = {"EDI_Ack_Reference": "stedi:newer-than-ours"}
    ran = answered.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (3, 2)
    (review,) = answered.run("review", "list", "--json").json["reviews"]
    assert (review["kind"], review["order"]) == ("write-conflict", order.number)
    assert "newer-than-ours" in str(review["reasons"])
    assert answered.writes(order.number) == []
    answered.later(minutes=10)
    assert answered.run("run").out == ""
    assert answered.run("review", "accept", str(review["id"]), "--reason", "ours is the last").code == 0
    assert answered.run("run", "--json").json["counts"]["writes_made"] == 1


def circling(bench) -> None:
    """Stedi's feed of executions leads from page to page for ever."""
    tokens = {"a": "b", "b": "a"}
    real = bench.sandbox._handlers["stedi"]
    item = json.loads(real(_poll_request(bench), None).body)["items"][-1]

    def circle(request: Request, fault: FaultRule | None) -> Response:
        if not request.path.endswith("/polling/executions"):
            return real(request, fault)
        return json_response({"items": [item], "nextPageToken": tokens.get(request.one("pageToken") or "", "a")})

    bench.sandbox._handlers["stedi"] = circle


def test_a_feed_that_goes_round_in_circles_stops_before_anything_is_sent(two):
    circling(two)
    ran = two.run("run", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (3, "suspicion")
    assert "feed-stuck" in ran.json["error"]["fix"]
    assert two.sent("PO-777") == []


def _poll_request(bench) -> Request:
    key = min(bench.sandbox.stedi_settings.api_keys)
    query = (("startDateTime", "2026-11-20T00:00:00Z"),)
    return Request("GET", "/2023-08-01/polling/executions", query, {"authorization": key}, b"")


def test_what_stedi_quotes_in_a_fault_does_not_leak(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    key = min(bench.sandbox.stedi_settings.api_keys)
    said = f"PUT https://s3.example/x?X-Amz-Signature=abc failed for sftp://user:pass@host with {key}"

    def fail(request: Request, response: Response) -> Response:
        document = json.loads(response.body) | {"status": "FAILED", "faultCode": "X", "faultMessage": said}
        return json_response(document)

    meddle(bench, "stedi", r"/executions/[^/]+$", fail)
    ran = bench.run("run", "--json")
    shown = ran.out + ran.err + bench.run("review", "list").out + bench.run("audit", "export").out
    assert "PUT (address) failed" in shown
    for secret in ("X-Amz-Signature", "user:pass", key):
        assert secret not in shown
        assert secret.encode() not in bench.state.read_bytes()


# ------------------------------------------------------------------------------------------------- the state file


def test_a_suspicion_that_does_not_exist_cannot_be_overridden(make_bench):
    ran = make_bench(orders=1, suppliers=1).run("run", "--override", "nonsense", "--json")
    assert ran.code == 2
    assert "unknown-file" in ran.json["error"]["fix"]


def test_the_head_of_the_trail_is_in_every_json_object(answered):
    for command in (("check",), ("status", "NOPE"), ("replay", "NOPE", "--reason", "x"), ("credentials", "list")):
        assert len(answered.run(*command, "--json").json["audit_head"]) == 64


@pytest.mark.parametrize(
    "spoilt", ["at = '2020-01-01T00:00:00+00:00'", "at = 'x'", "detail = 'garbage'", "detail = '[1]'"]
)
def test_an_event_that_is_no_event_any_more_is_found_like_any_other_edit(answered, spoilt):
    connection = sqlite3.connect(answered.state)
    connection.execute("DROP TRIGGER events_no_update")
    connection.execute(f"UPDATE events SET {spoilt} WHERE seq = 3")
    connection.commit()
    connection.close()
    verified = answered.run("audit", "verify", "--json")
    assert (verified.code, verified.json["error"]["code"]) == (7, "audit-broken")
    assert "event 3" in verified.json["error"]["message"]
    assert "Traceback" not in verified.err + answered.run("audit", "export").err


def test_another_programs_database_and_an_emptied_file_are_no_state(answered):
    bench = answered
    bench.state.write_bytes(b"")
    emptied = bench.run("run", "--json")
    assert (emptied.code, emptied.json["error"]["code"]) == (7, "state-missing")
    foreign = bench.place / "foreign.sqlite3"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = foreign.read_bytes()
    ran = bench.run("--state", str(foreign), "run", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (7, "state-foreign")
    assert foreign.read_bytes() == before


LOOKING = [("status",), ("poll", "--dry-run"), ("submit", "--dry-run"), ("ingest-acks", "--dry-run")]


@pytest.mark.parametrize("command", LOOKING)
def test_looking_leaves_nothing_behind(answered, command):
    def there() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in answered.place.iterdir() if path.is_file()}

    before = there()
    assert answered.run(*command).code in (0, 3)
    assert there() == before


def test_whether_a_file_can_be_read_is_not_typers_to_tell(answered, monkeypatch):
    """typer would call a file that this user may not read a usage error (2), before we can say 4 or 7."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert answered.run("status").code == 0


# ------------------------------------------------------------------------------------------ answers not yet in Plex


@pytest.fixture
def unwritten(make_bench):
    """An order that was sent and answered, while Plex takes no writes; the bench and the order's number."""
    bench = make_bench(orders=1, suppliers=1)
    assert bench.run("run").code == 0
    bench.later(hours=3)
    end = meddle(bench, "plex", "custom-fields", instead(503))
    assert bench.run("run").code == 5
    end()
    return bench, bench.numbers_sent()[0]


def test_status_shows_what_plex_does_not_know_yet(unwritten, tmp_path):
    bench, number = unwritten
    waiting = bench.run("status", "--json").json["unwritten"]
    assert [(each["order"], each["supplier"]) for each in waiting] == [
        (number, bench.sandbox.plex.order(number).supplier.code)
    ]
    shown = bench.run("status").out
    assert "Not yet written to Plex" in shown
    page = tmp_path / "page.html"
    bench.run("status", "--html", str(page))
    assert "Not yet written to Plex" in page.read_text()
    assert bench.run("run").code == 0
    assert bench.run("status", "--json").json["unwritten"] == []


def test_an_acknowledgment_planned_for_one_way_of_writing_is_written_in_the_new_one(unwritten):
    bench, number = unwritten
    bench.write_config(lambda text: text.replace('write = "custom-fields"', 'write = "releases"'))
    assert "another [plex.acknowledgments] write" in bench.run("status").out
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (0, 1)
    notes = [release.note for line in bench.sandbox.plex.order(number).lines for release in line.releases]
    assert all("[PlexStedi:" in note for note in notes)
    assert bench.run("status", "--json").json["unwritten"] == []


def test_what_is_not_to_be_written_does_not_wait_to_be_written_late(unwritten):
    """Kept, it would be written as if it were the last word when the way of writing is set back."""
    bench, number = unwritten
    bench.write_config(lambda text: text.replace('write = "custom-fields"', 'write = "report-only"'))
    assert bench.run("run").code == 0
    bench.write_config(lambda text: text.replace('write = "report-only"', 'write = "custom-fields"'))
    assert bench.run("run").code == 0
    assert bench.run("status", "--json").json["unwritten"] == []
    assert bench.sandbox.plex.writes == []
    transaction = bench.run("status", number, "--json").json["answers"][0]["transaction"]
    bench.run("replay", "--ack", transaction, "--reason", "report-only has ended", "--yes")
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (0, 1)
