"""Whatever Plex, Stedi or a file does to a run: nothing is lost, nothing is overwritten, and each fault is reported."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.web import Request, Response, json_response
from tests.commands.services import documents_of, in_items, instead, meddle
from tests.edited_event import edit_event


@pytest.fixture
def acknowledged(make_bench):
    """Three orders, delivered and acknowledged; the answers are not pulled yet."""
    bench = make_bench(orders=3, suppliers=1)
    assert bench.run("run").code == 0
    bench.later(hours=3)
    return bench


@pytest.mark.parametrize("kind", [FaultKind.ERROR_BEFORE, FaultKind.HTML, FaultKind.THROTTLED])
def test_plex_that_takes_no_write_is_reported_by_every_run_until_it_does(acknowledged, kind):
    acknowledged.sandbox.inject(FaultRule(kind, origin="plex", path="/field-values/save", times=None))
    for _ in range(3):
        ran = acknowledged.run("run", "--json")
        assert (ran.code, ran.json["counts"]["writes_made"]) == (5, 0)
        acknowledged.later(minutes=10)
    acknowledged.sandbox.faults.clear()
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (0, 3)


def test_an_acknowledgment_that_stedi_lists_without_its_metadata_is_read_all_the_same(acknowledged):
    def bare(item: dict) -> dict:
        return {key: value for key, value in item.items() if key not in ("x12", "businessIdentifiers")}

    meddle(acknowledged, "stedi", "/polling/transactions$", in_items(bare))
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["writes_made"]) == (0, 3, 3)


def test_an_acknowledgment_of_a_direction_that_stedi_does_not_know_is_read(acknowledged):
    """The published direction UNKNOWN was taken for one of our own documents, and dropped."""

    def unknown(item: dict) -> dict:
        return {**item, "direction": "UNKNOWN"}

    meddle(acknowledged, "stedi", "/polling/transactions$", in_items(unknown))
    meddle(acknowledged, "stedi", "/polling/executions$", in_items(unknown))
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["writes_made"]) == (0, 3, 3)
    documents = acknowledged.run("status", acknowledged.numbers_sent()[0], "--json").json["documents"]
    assert [document["functional_ack"] for document in documents] == ["accepted"]
    again = acknowledged.run("run", "--json")
    assert (again.code, again.json["counts"]["attention"]) == (0, 0)


def test_an_acknowledgment_listed_without_its_partnership_needs_review(acknowledged):
    """It was counted as another plant's."""

    def bare(item: dict) -> dict:
        return {key: value for key, value in item.items() if key != "partnership"}

    meddle(acknowledged, "stedi", "/polling/transactions$", in_items(bare))
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (3, 0)
    reviews = acknowledged.run("review", "list", "--json").json["reviews"]
    assert {review["kind"] for review in reviews} == {"feed-entry-unreadable"}
    assert all("lacks its partnership" in review["reasons"][0]["message"] for review in reviews)


def test_a_failed_file_of_a_direction_that_stedi_does_not_know_needs_review(acknowledged):
    with acknowledged.sandbox.lock:
        acknowledged.sandbox.stedi.receive_failed("ISA*", None, "FAILED_TO_PARSE", "no interchange", None)
    meddle(acknowledged, "stedi", "/polling/executions$", in_items(lambda item: {**item, "direction": "UNKNOWN"}))
    acknowledged.later(minutes=1)
    assert acknowledged.run("run").code == 3
    (review,) = acknowledged.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "inbound-file-failed"


def test_an_entry_of_a_feed_that_cannot_be_read_needs_review(acknowledged):
    changed: list[str] = []

    def broken(item: dict) -> dict:
        if item["direction"] == "INBOUND" and not changed:
            changed.append(item["transactionId"])
            return {key: value for key, value in item.items() if key != "fileExecutionId"}
        return item

    end = meddle(acknowledged, "stedi", "/polling/transactions$", in_items(broken))
    assert acknowledged.run("run").code == 3
    end()
    (review,) = acknowledged.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "feed-entry-unreadable"
    assert changed[0] in str(review["reasons"])


@pytest.mark.parametrize("status", [404, 500])
def test_a_document_that_stedi_does_not_return_holds_up_no_other_and_is_reported_after_a_day(acknowledged, status):
    first = next(each for each in acknowledged.sandbox.stedi.processed if each.set_id == "855")
    own = f"/(transactions/{first.id}|executions/{first.execution.id})/(in|out)put-url"
    end = meddle(acknowledged, "stedi", own, instead(status))
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (5 if status == 500 else 0, 2)
    acknowledged.later(hours=25)
    assert acknowledged.run("run").code in (3, 5)
    (review,) = acknowledged.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "document-missing"
    end()
    acknowledged.later(minutes=5)
    assert acknowledged.run("run", "--json").json["counts"]["acks_applied"] == 1
    assert acknowledged.run("review", "list", "--json").json["reviews"] == []


def test_a_document_that_cannot_be_read_is_held_though_stedi_refuses_the_file_that_it_came_in(acknowledged):
    with acknowledged.sandbox.lock:
        store = acknowledged.sandbox.stedi
        first = next(each for each in store.processed if each.set_id == "855")
        store.files.put(f"{first.id}-output", "application/json", b'{"heading": {"trunc')
    meddle(acknowledged, "stedi", f"/transactions/{first.id}/input-url", instead(404))
    meddle(acknowledged, "stedi", f"/executions/{first.execution.id}/input-url", instead(400))
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["acks_held"]) == (3, 2, 1)
    (review,) = acknowledged.run("review", "list", "--json").json["reviews"]
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
    meddle(two, "stedi", "/polling/executions$", in_items(lambda item: None))
    ran = two.run("run", "--json")
    assert len(two.sent("PO-777")) == 1
    two.later(minutes=40)
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


def test_an_acknowledgment_in_plex_that_we_do_not_know_is_not_overwritten(acknowledged):
    order = acknowledged.sandbox.plex.order(acknowledged.numbers_sent()[0])
    with acknowledged.sandbox.lock:
        acknowledged.sandbox.plex.custom[("PurchaseOrder", order.id)] = {"EDI_Ack_Reference": "stedi:newer-than-ours"}
    ran = acknowledged.run("run", "--json")
    assert (ran.code, ran.json["counts"]["writes_made"]) == (3, 2)
    (review,) = acknowledged.run("review", "list", "--json").json["reviews"]
    assert (review["kind"], review["order"]) == ("write-conflict", order.number)
    assert "newer-than-ours" in str(review["reasons"])
    assert acknowledged.writes(order.number) == []
    acknowledged.later(minutes=10)
    assert acknowledged.run("run").out == ""
    assert acknowledged.run("review", "accept", str(review["id"]), "--reason", "ours is the last").code == 0
    assert acknowledged.run("run", "--json").json["counts"]["writes_made"] == 1


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
    fields = {"status": "FAILED", "faultCode": "X", "faultMessage": said}
    meddle(bench, "stedi", "/polling/executions$", in_items(lambda item: item | fields))
    bench.run("run")
    bench.later(minutes=30)
    ran = bench.run("run", "--json")
    shown = ran.out + ran.err + bench.run("review", "list").out + bench.run("audit", "export").out
    assert "PUT (address) failed" in shown
    for secret in ("X-Amz-Signature", "user:pass", key):
        assert secret not in shown
        assert secret.encode() not in bench.state.read_bytes()


def test_a_suspicion_that_does_not_exist_cannot_be_overridden(make_bench):
    ran = make_bench(orders=1, suppliers=1).run("run", "--override", "nonsense", "--json")
    assert ran.code == 2
    assert "unknown-file" in ran.json["error"]["fix"]


def test_the_head_of_the_trail_is_in_every_json_object(acknowledged):
    for command in (("check",), ("status", "NOPE"), ("replay", "NOPE", "--reason", "x"), ("credentials", "list")):
        assert len(acknowledged.run(*command, "--json").json["audit_head"]) == 64


@pytest.mark.parametrize(
    "spoilt", [{"at": "2020-01-01T00:00:00+00:00"}, {"at": "x"}, {"detail": "garbage"}, {"detail": "[1]"}]
)
def test_an_event_that_is_no_event_any_more_is_found_like_any_other_edit(acknowledged, spoilt):
    edit_event(acknowledged.state, 3, **spoilt)
    verified = acknowledged.run("audit", "verify", "--json")
    assert (verified.code, verified.json["error"]["code"]) == (7, "audit-broken")
    assert "event 3" in verified.json["error"]["message"]
    assert "Traceback" not in verified.err + acknowledged.run("audit", "export").err


def test_another_programs_database_and_an_emptied_file_are_no_state(acknowledged):
    bench = acknowledged
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
def test_looking_leaves_nothing_behind(acknowledged, command):
    def there() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in acknowledged.place.iterdir() if path.is_file()}

    before = there()
    assert acknowledged.run(*command).code in (0, 3)
    assert there() == before


def test_whether_a_file_can_be_read_is_not_typers_to_tell(acknowledged, monkeypatch):
    """typer would call a file that this user may not read a usage error (2), before we can say 4 or 7."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert acknowledged.run("status").code == 0


@pytest.fixture
def unwritten(make_bench):
    """An order that was sent and acknowledged, while Plex takes no writes; the bench and the order's number."""
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
