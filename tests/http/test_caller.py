"""What a user of Plex and Stedi gains: nothing sent twice blindly, nothing given up too early, nothing secret shown."""

from __future__ import annotations

import heapq
import inspect
import logging
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexstedi.errors import ConfigurationFault, CredentialsFault, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Deadline, MemoryCallLog, PerMinute, path_segment
from plexstedi.http.response import InconclusiveSend, RejectedCall
from plexstedi.http.transport import REACHED_BY_ERROR, Reached, reached

from .conftest import StillClock

BASE = "https://core.example/2023"


def test_a_response_keeps_numbers_exact_and_has_the_services_time(make_caller, httpx_mock):
    httpx_mock.add_response(
        url=f"{BASE}/things?id=a&id=b%20c",
        text='{"price": 1.10}',
        headers={"Date": "Mon, 23 Nov 2026 11:59:58 GMT", "x-amzn-requestid": "req-1"},
    )
    answer = make_caller().get("/things", [("id", "a"), ("id", "b c")])
    assert answer.json() == {"price": Decimal("1.10")}
    assert answer.date == datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)
    assert answer.request_id == "req-1"


def test_keyed_send_is_repeated_with_the_same_bytes_and_key(make_caller, httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(json={"fileExecutionId": "1"})
    make_caller().post("/send", body=b'{"a":1}', headers={"Idempotency-Key": "k1"}, idempotent=True)
    sent = httpx_mock.get_requests()
    assert [request.content for request in sent] == [b'{"a":1}'] * 3
    assert {request.headers["Idempotency-Key"] for request in sent} == {"k1"}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_keyless_send_that_failed_is_not_repeated_and_may_have_been_done(make_caller, httpx_mock, status):
    httpx_mock.add_response(status_code=status)
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().post("/save", body=b"[]")
    assert caught.value.maybe_processed
    assert len(httpx_mock.get_requests()) == 1


def test_keyless_send_without_a_response_is_not_repeated(make_caller, httpx_mock):
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().patch("/order", body=b"{}")
    assert caught.value.maybe_processed
    assert len(httpx_mock.get_requests()) == 1


def test_send_that_never_connected_is_repeated_and_known_as_not_done(make_caller, httpx_mock):
    httpx_mock.add_exception(httpx.ConnectError("refused"), is_reusable=True)
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().put("/release", body=b"{}")
    assert not caught.value.maybe_processed
    assert len(httpx_mock.get_requests()) == 4


def test_throttled_send_is_known_as_not_done(make_caller, httpx_mock, clock):
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "7"})
    httpx_mock.add_response(json={})
    make_caller().post("/save", body=b"[]")
    assert clock.slept == [7.0]


def test_refused_key_after_an_unheard_try_does_not_hide_that_it_may_have_been_done(make_caller, httpx_mock):
    httpx_mock.add_exception(httpx.ReadError("reset"))
    httpx_mock.add_response(status_code=401)
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().post("/send", body=b"{}", idempotent=True)
    assert caught.value.maybe_processed


def test_send_still_in_flight_tells_when_to_ask_again(make_caller, httpx_mock):
    httpx_mock.add_response(status_code=409, headers={"Retry-After": "5"}, json={"message": "busy"}, is_reusable=True)
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().post("/send", body=b"{}", idempotent=True)
    assert (caught.value.status, caught.value.retry_after, caught.value.maybe_processed) == (409, 5.0, True)


def test_retry_after_as_a_date_counts_from_the_services_own_clock(make_caller, httpx_mock, clock):
    headers = {"Date": "Mon, 23 Nov 2026 09:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 09:00:20 GMT"}
    httpx_mock.add_response(status_code=503, headers=headers)
    httpx_mock.add_response(json=[])
    make_caller().get("/x")
    assert clock.slept == [20.0]


def test_a_wait_longer_than_the_budget_leaves_it_to_the_next_run(make_caller, httpx_mock, clock):
    httpx_mock.add_response(status_code=429, headers={"Retry-After": "3600"})
    with pytest.raises(ServiceUnavailable) as caught:
        make_caller().get("/x")
    assert caught.value.code == "throttled"
    assert clock.slept == []


def test_waits_are_jittered_and_end_within_the_budget(make_caller, httpx_mock, clock):
    httpx_mock.add_response(status_code=502, is_reusable=True)
    with pytest.raises(ServiceUnavailable):
        make_caller().get("/x")
    assert len(clock.slept) == 3
    assert all(wait <= limit for wait, limit in zip(clock.slept, (1, 2, 4), strict=True))


def test_a_run_never_sleeps_past_its_end(make_caller, httpx_mock, clock):
    httpx_mock.add_response(status_code=503, headers={"Retry-After": "30"})
    caller = make_caller(deadline=Deadline(clock.monotonic() + 20))
    with pytest.raises(ServiceUnavailable):
        caller.get("/x")
    assert clock.slept == []


def test_nothing_is_begun_after_the_end_of_the_run(make_caller, clock):
    caller = make_caller(deadline=Deadline(clock.monotonic()))
    with pytest.raises(InconclusiveSend) as caught:
        caller.post("/send", body=b"{}", idempotent=True)
    assert caught.value.code == "time-limit"
    assert not caught.value.maybe_processed


def test_one_call_does_not_wait_longer_than_the_run_lasts(make_caller, httpx_mock, clock):
    httpx_mock.add_response(json=[])
    make_caller(read_timeout=300.0, deadline=Deadline(clock.monotonic() + 90)).get("/x")
    assert httpx_mock.get_requests()[0].extensions["timeout"]["read"] == 90


def test_every_failure_of_httpx_has_a_known_meaning():
    def leaves(kind):
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*(leaves(each) for each in below))

    exported = {each for _, each in inspect.getmembers(httpx, inspect.isclass) if issubclass(each, Exception)}
    known = leaves(httpx.HTTPError) | {httpx.InvalidURL, httpx.CookieConflict} | leaves(httpx.StreamError)
    assert exported - known <= {httpx.HTTPError, httpx.RequestError, httpx.TransportError, httpx.TimeoutException} | {
        *(httpx.NetworkError, httpx.ProtocolError, httpx.StreamError)
    }
    # Only raised by raise_for_status, which is never called.
    unmapped = {
        kind for kind in known - {httpx.HTTPStatusError} if not any(k in REACHED_BY_ERROR for k in kind.__mro__)
    }
    assert unmapped == set()


def _of(kind: type[Exception]) -> Exception:
    return kind() if kind in (httpx.ResponseNotRead, httpx.RequestNotRead, httpx.StreamConsumed) else kind("no")


@pytest.mark.parametrize("kind", [kind for kind in REACHED_BY_ERROR if kind is not httpx.StreamError])
def test_every_failure_of_httpx_becomes_a_message_with_a_fix(make_caller, httpx_mock, kind):
    httpx_mock.add_exception(_of(kind), is_reusable=True)
    with pytest.raises(ServiceUnavailable) as caught:
        make_caller().get("/x")
    assert caught.value.fix
    assert len(httpx_mock.get_requests()) == (1 if reached(_of(kind)) is Reached.HOPELESS else 4)


@pytest.mark.parametrize(
    ("body", "content_type", "tries"),
    [(b"<html>log in</html>", "text/html", 1), (b'[{"id": 1', "application/json", 4), (b"NaN", "application/json", 4)],
)
def test_what_is_no_response_is_never_taken_for_one(make_caller, httpx_mock, body, content_type, tries):
    httpx_mock.add_response(content=body, headers={"content-type": content_type}, is_reusable=True)
    with pytest.raises(ServiceUnavailable) as caught:
        make_caller().get("/x")
    assert caught.value.code == "no-json"
    assert len(httpx_mock.get_requests()) == tries


def test_html_in_response_to_a_send_leaves_its_fate_open(make_caller, httpx_mock):
    httpx_mock.add_response(html="<html/>")
    with pytest.raises(InconclusiveSend) as caught:
        make_caller().post("/send", body=b"{}")
    assert caught.value.maybe_processed


def test_redirects_are_not_followed(make_caller, httpx_mock):
    httpx_mock.add_response(status_code=302, headers={"Location": "https://login.example/"})
    with pytest.raises(ServiceUnavailable, match="redirect"):
        make_caller().get("/x")
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_key_names_causes_and_fix(make_caller, httpx_mock, status):
    httpx_mock.add_response(status_code=status, json={"code": "REQUEST_NOT_AUTHENTICATED", "message": "no"})
    with pytest.raises(ServiceRefused, match="expired") as caught:
        make_caller().get("/x")
    assert caught.value.exit_code == 4
    assert "check" in caught.value.fix


@pytest.mark.parametrize(
    ("document", "code", "message", "details"),
    [
        (
            {"code": "REQUEST_VALIDATION_FAILED", "message": "bad", "errors": [{"code": "A", "message": "b"}]},
            "REQUEST_VALIDATION_FAILED",
            "bad",
            ("A: b",),
        ),
        ({"message": "guide", "errors": [{"path": ["x", 0], "message": "m"}]}, None, "guide", ("x.0: m",)),
        ({"__type": "ThrottlingException:http://x", "Message": "m"}, "ThrottlingException", "m", ()),
        ({"error": "validation_failed", "validation_errors": ["a", "b"]}, "validation_failed", "", ("a", "b")),
        (["unexpected"], None, "", ()),
    ],
)
def test_the_services_own_words_are_read_from_every_known_shape(
    make_caller, httpx_mock, document, code, message, details
):
    httpx_mock.add_response(status_code=400, json=document)
    with pytest.raises(RejectedCall) as caught:
        make_caller().post("/x", body=b"{}")
    error = caught.value
    assert (error.status, error.service_code, error.service_message, error.details) == (400, code, message, details)


def test_error_words_are_bounded(make_caller, httpx_mock):
    httpx_mock.add_response(status_code=400, json={"message": "x" * 100_000, "errors": ["y" * 9000] * 50})
    with pytest.raises(RejectedCall) as caught:
        make_caller().get("/x")
    assert len(caught.value.message) < 2000
    assert sum(map(len, caught.value.details)) < 12_000


def test_no_key_query_or_address_shows_in_errors_attempts_or_logs(make_caller, httpx_mock, attempts, caplog):
    caplog.set_level(logging.DEBUG)
    httpx_mock.add_response(
        status_code=400, json={"message": "bad sk-very-secret-key at https://s3.example/?X-Amz-Signature=abc"}
    )
    with pytest.raises(RejectedCall) as caught:
        make_caller().get("/x", [("token", "page-secret")])
    shown = f"{caught.value} {caught.value.fix} {caught.value.details} {attempts} {caplog.text}"
    for secret in ("sk-very-secret-key", "X-Amz-Signature", "page-secret"):
        assert secret not in shown
    assert "try 1" in caplog.text


def test_each_attempt_is_recorded(make_caller, httpx_mock, attempts):
    httpx_mock.add_exception(httpx.ConnectTimeout("x"))
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(json=[])
    make_caller().get("/x", [("a", "b")])
    assert [(a.method, a.path, a.status, a.outcome, a.number) for a in attempts] == [
        ("GET", "/x", None, "never-connected", 1),
        ("GET", "/x", 503, "failed", 2),
        ("GET", "/x", 200, "ok", 3),
    ]


URL = "https://bucket.example/doc.json?X-Amz-Signature=abc"


def test_presigned_download_carries_no_header_of_ours(make_caller, httpx_mock):
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(content=b"ISA*not json~")
    assert make_caller().download(URL) == b"ISA*not json~"
    assert all("authorization" not in request.headers for request in httpx_mock.get_requests())


@pytest.mark.parametrize("failure", [403, 500, httpx.ConnectError(URL), httpx.InvalidURL(URL)])
def test_presigned_address_never_shows(make_caller, httpx_mock, caplog, attempts, failure):
    caplog.set_level(logging.DEBUG)
    if isinstance(failure, int):
        httpx_mock.add_response(status_code=failure, is_reusable=True)
    else:
        httpx_mock.add_exception(failure, is_reusable=True)
    with pytest.raises((RejectedCall, ServiceUnavailable)) as caught:
        make_caller().download(URL)
    assert "bucket.example" not in f"{caught.value} {caught.value.fix} {attempts} {caplog.text}"


def test_presigned_address_must_be_https(make_caller):
    with pytest.raises(ServiceUnavailable, match="not https"):
        make_caller().download("http://bucket.example/doc")


@pytest.mark.parametrize("url", ["http://connect.plex.com", "ftp://127.0.0.1", "connect.plex.com", "https://"])
def test_a_key_never_leaves_unencrypted(make_caller, url):
    with pytest.raises(ConfigurationFault, match="https"):
        make_caller(base_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"])
def test_loopback_may_be_plain(make_caller, url):
    assert make_caller(base_url=url)


@pytest.mark.parametrize("key", ["abc\n", "“quoted”"])
def test_a_key_with_impossible_characters_is_named_and_not_shown(make_caller, key):
    with pytest.raises(CredentialsFault) as caught:
        make_caller(headers={"Authorization": key})
    assert key.strip() not in str(caught.value)


def test_an_id_cannot_reach_another_path():
    assert path_segment("../tenants?x=1") == "..%2Ftenants%3Fx%3D1"


def test_the_limit_per_minute_holds_also_right_after_another_run(make_caller, httpx_mock, clock):
    call_log = MemoryCallLog()
    for seconds in (50, 40, 30):
        call_log.record("Plex", clock.now() - timedelta(seconds=seconds))
    limiter = PerMinute(3, service="Plex", clock=clock, call_log=call_log)
    httpx_mock.add_response(json=[], is_reusable=True)
    caller = make_caller("Plex", limiter=limiter)
    for _ in range(3):
        caller.get("/x")
    assert clock.slept == [10.0, 10.0, 10.0]
    assert len(call_log.load("Plex", clock.now() - timedelta(hours=1))) == 6


def test_a_clock_set_back_does_not_stop_all_calls(clock):
    call_log = MemoryCallLog()
    call_log.record("Plex", clock.now() + timedelta(hours=3))
    assert PerMinute(1, service="Plex", clock=clock, call_log=call_log).reserve() == 0


def test_httpx_does_not_log_whole_addresses():
    assert logging.getLogger("httpx").getEffectiveLevel() >= logging.WARNING
    assert logging.getLogger("httpcore").getEffectiveLevel() >= logging.WARNING


def test_a_key_that_a_good_response_echoes_is_taken_out_wherever_it_stands(make_caller, httpx_mock):
    """Also spelled with JSON's escapes, as a name, and deep inside."""
    key = "sk-very-secret-key"
    escaped = "".join(f"\\u{ord(character):04x}" for character in key)
    text = f'{{"{key}": 1, "a": [{{"b": "x {key} y"}}], "c": "{escaped}", "n": 1.10, "t": true, "z": null}}'
    httpx_mock.add_response(text=text, headers={"content-type": "application/json"}, is_reusable=True)
    answer = make_caller().get("/x")
    assert key not in repr(answer.json())
    assert answer.json() == {
        "(secret)": 1,
        "a": [{"b": "x (secret) y"}],
        "c": "(secret)",
        "n": Decimal("1.10"),
        "t": True,
        "z": None,
    }
    posted = make_caller().post("/x", body=b"{}", idempotent=True)
    assert key not in repr(posted.json())


def test_a_response_too_deep_to_be_looked_through_is_no_response(make_caller, httpx_mock, monkeypatch):
    def too_deep(document, secrets):
        raise RecursionError

    httpx_mock.add_response(text='"\\u0041"', headers={"content-type": "application/json"})
    monkeypatch.setattr("plexstedi.http.scrub.without", too_deep)
    with pytest.raises(ServiceUnavailable, match="no readable JSON"):
        make_caller().get("/x").json()


def test_what_is_no_secret_is_left_as_it_is(make_caller, httpx_mock):
    """Plex's answers are full of the tenant's id, which is a header of ours, too."""
    tenant = "01234567-89ab-cdef-0123-456789abcdef"
    httpx_mock.add_response(json={"id": tenant})
    caller = make_caller(headers={"X-Plex-Connect-Api-Key": "plex-very-secret", "X-Plex-Connect-Tenant-Id": tenant})
    assert caller.get("/x").json() == {"id": tenant}


def test_a_token_that_is_echoed_is_taken_out_too(make_caller, httpx_mock):
    class Bearer(httpx.Auth):
        def auth_flow(self, request):
            request.headers["Authorization"] = "Bearer a-fresh-token-of-today"
            yield request

    httpx_mock.add_response(json={"note": "called with a-fresh-token-of-today"})
    assert make_caller(headers={}, auth=Bearer()).get("/x").json() == {"note": "called with (secret)"}


def test_a_document_that_holds_our_key_is_kept_without_it(make_caller, httpx_mock):
    httpx_mock.add_response(content=b"ISA*00*sk-very-secret-key~")
    assert make_caller().download("https://files.example/x") == b"ISA*00*(secret)~"


def test_a_request_id_that_is_our_key_is_not_reported(make_caller, httpx_mock):
    httpx_mock.add_response(status_code=400, json={}, headers={"x-request-id": "sk-very-secret-key"})
    with pytest.raises(RejectedCall) as caught:
        make_caller().get("/x")
    assert "sk-very-secret-key" not in f"{caught.value} {caught.value.fix}"


def test_what_must_hold_is_looked_at_before_each_call(make_caller, httpx_mock, clock) -> None:
    def must_hold() -> None:
        raise AssertionError("a transaction is open")

    caller = make_caller(deadline=Deadline(clock.monotonic() + 60, before_call=must_hold))
    with pytest.raises(AssertionError, match="a transaction is open"):
        caller.get("/x")
    assert httpx_mock.get_requests() == []


def test_threads_that_call_at_once_share_one_limit(clock):
    """With four threads and a limit of 50, no 60 seconds have more than 50 calls, and 200 calls take 3 waits."""
    call_log = MemoryCallLog()
    limiter = PerMinute(50, service="Plex", clock=clock, call_log=call_log)
    lock = threading.Lock()

    def call_fifty_times():
        for _ in range(50):
            while (wait := limiter.reserve()) > 0:
                with lock:
                    clock.sleep(wait)
            limiter.finished()

    threads = [threading.Thread(target=call_fifty_times) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = sorted(call_log.load("Plex", clock.at - timedelta(days=1)))
    assert len(made) == 200
    for at in made:
        assert sum(at <= other < at + timedelta(seconds=60) for other in made) <= 50


@given(
    seconds=st.lists(st.floats(min_value=0.05, max_value=2.0), min_size=150, max_size=150),
    counted=st.lists(st.floats(min_value=0.0, max_value=1.0), min_size=150, max_size=150),
)
@settings(max_examples=50)
def test_whenever_the_service_counts_a_call_the_limit_is_kept_and_used(seconds, counted):
    """Four callers, 40 calls a minute; the service counts each call somewhere between its start and its end."""
    clock, limit = StillClock(), 40
    start = clock.at
    limiter = PerMinute(limit, service="Plex", clock=clock)
    due = [(0.0, caller, "try") for caller in range(4)]
    at_service = []
    while due:
        at, caller, what = heapq.heappop(due)
        clock.at = start + timedelta(seconds=at)
        if what == "end":
            limiter.finished()
        if len(at_service) == len(seconds):
            continue
        if (wait := limiter.reserve()) > 0:
            heapq.heappush(due, (at + wait, caller, "try"))
            continue
        takes = seconds[len(at_service)]
        at_service.append(at + takes * counted[len(at_service)])
        heapq.heappush(due, (at + takes, caller, "end"))
    at_service.sort()
    assert all(later - first > 59.999 for first, later in zip(at_service, at_service[limit:], strict=False))
    # 150 calls fill three whole minutes and a part of the fourth.
    assert at_service[3 * limit] <= 3 * 60 / 0.95
