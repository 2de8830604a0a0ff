"""No acknowledgment is lost between two pages, and a delivery is only claimed when it is proven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from plexstedi.errors import ServiceUnavailable
from plexstedi.http.response import InconclusiveSend
from plexstedi.stedi.client import StediClient
from plexstedi.stedi.models import (
    Delivered,
    DeliveryFailed,
    DeliveryPending,
    Execution,
    ExecutionFault,
    RetriedAs,
    StediTransaction,
    delivery_of,
    read_execution,
    read_transaction,
    whole,
)
from plexstedi.stedi.paging import FromTime, FromToken

Answer = Callable[..., None]
Make = Callable[..., dict[str, Any]]


def test_the_first_poll_asks_by_time_and_later_ones_by_token(
    stedi: StediClient, answer: Answer, transaction: Make
) -> None:
    start = FromTime(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    answer(
        "/polling/transactions?startDateTime=2026-11-23T07%3A00%3A00.000Z&pageSize=500",
        {"items": [transaction("t1"), transaction("t2")], "nextPageToken": "tok=1"},
    )
    answer("/polling/transactions?pageToken=tok%3D1&pageSize=500", {"items": [], "nextPageToken": "tok=2"})
    page = stedi.poll_transactions(start)
    assert [item.id for item in page.items] == ["t1", "t2"]
    assert not page.last
    checkpoint = page.after(start)
    end = stedi.poll_transactions(checkpoint)
    assert end.last
    assert end.after(checkpoint) == FromToken("tok=2")


def test_without_a_new_token_the_old_one_is_kept(stedi: StediClient, answer: Answer, execution: Make) -> None:
    answer("/polling/executions?pageToken=old&pageSize=2", {"items": [execution()]})
    page = stedi.poll_executions(FromToken("old"), page_size=2)
    assert page.last
    assert page.after(FromToken("old")) == FromToken("old")


def test_a_record_that_cannot_be_read_is_shown_and_does_not_hide_the_others(
    stedi: StediClient, httpx_mock: HTTPXMock, transaction: Make
) -> None:
    broken = transaction("t2")
    del broken["processedAt"]
    items = [transaction("t1"), broken, "nonsense", transaction("t3")]
    httpx_mock.add_response(json={"items": items, "nextPageToken": "n"})
    page = stedi.poll_transactions(FromToken("t"))
    assert [item.id for item in page.items] == ["t1", "t3"]
    assert [record.raw for record in page.unreadable] == [broken, "nonsense"]
    assert "t2" in page.unreadable[0].reason
    assert not page.last


@pytest.mark.parametrize("value", [{}, [], {"items": None}, {"items": "x"}])
def test_a_response_without_a_list_is_not_taken_for_an_empty_feed(
    stedi: StediClient, httpx_mock: HTTPXMock, value: Any
) -> None:
    httpx_mock.add_response(json=value)
    with pytest.raises(ServiceUnavailable, match="/polling/transactions"):
        stedi.poll_transactions(FromToken("t"))


def test_a_page_from_a_proxy_is_not_taken_for_an_unknown_execution(stedi: StediClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, html="<html>not found</html>")
    with pytest.raises(ServiceUnavailable):
        stedi.execution("e1")


def read(value: dict[str, Any]) -> StediTransaction:
    found = read_transaction(value)
    assert isinstance(found, StediTransaction)
    return found


def test_control_numbers_are_compared_as_numbers_however_they_are_written(transaction: Make) -> None:
    assert [read(transaction(set_control=text)).set_control for text in ("0001", "1", "000000001")] == [1, 1, 1]
    assert [whole(value) for value in ("0002", 2, True, "x", None, "-1", "²")] == [2, 2, None, None, None, None, None]


def test_a_transaction_is_read_wholly(transaction: Make) -> None:
    errors = [{"message": "bad date", "mark": {"start": {"line": 1, "column": 1}}}]
    found = read(transaction(translationErrors=errors))
    assert (found.set_id, found.release, found.functional_id) == ("855", "004010", "PR")
    assert (found.partnership_id, found.sender_isa, found.errors) == ("us_acme", "ZZ:ACME", ("bad date",))
    assert found.processed_at == datetime(2026, 11, 23, 7, 30, 15, 801000, tzinfo=UTC)
    assert found.raw == transaction(translationErrors=errors)


def test_a_transaction_without_x12_metadata_is_kept_with_an_unknown_set(transaction: Make) -> None:
    bare = transaction(direction="SIDEWAYS", status="new-word")
    del bare["x12"]
    found = read(bare)
    assert (found.set_id, found.group_control, found.direction) == (None, None, "SIDEWAYS")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "COMPLETED"}, Delivered()),
        ({"status": "IN_PROGRESS"}, DeliveryPending("IN_PROGRESS")),
        ({"status": "STARTED"}, DeliveryPending("STARTED")),
        ({"status": "RETRYING"}, DeliveryPending("RETRYING")),
        ({"status": "SOMETHING_NEW"}, DeliveryPending("SOMETHING_NEW")),
        ({"status": "RETRIED", "childExecutionId": "child"}, RetriedAs("child")),
        ({"status": "RETRIED"}, DeliveryPending("RETRIED")),
        (
            {"status": "FAILED", "faultCode": "DELIVERY_FAILURE", "faultMessage": "no route", "retryable": True},
            DeliveryFailed("FAILED", "DELIVERY_FAILURE", "no route", retryable=True),
        ),
        (
            {
                "status": "FAILED",
                "deliveryReports": [
                    {"attempt": 1, "status": "FAILED", "message": "first"},
                    {"attempt": 3, "status": "FAILED", "message": "third"},
                ],
            },
            DeliveryFailed("FAILED", None, "third", retryable=False),
        ),
        ({"status": "IGNORED"}, DeliveryFailed("IGNORED", None, "Stedi gives no reason", retryable=False)),
    ],
)
def test_only_completed_means_delivered(execution: Make, fields: dict[str, Any], expected: object) -> None:
    found = read_execution(execution(**fields))
    assert isinstance(found, Execution)
    assert delivery_of(found) == expected


def test_an_execution_is_found_by_its_id_or_known_to_be_missing(
    stedi: StediClient, answer: Answer, execution: Make
) -> None:
    answer("/executions/e1", execution(executionId="e1"))
    answer("/executions/e2", {"message": "no such execution"}, status=404)
    found = stedi.execution("e1")
    assert found is not None
    assert (found.file_name, found.mode) == ("ps1_one.edi", "test")
    assert found.created_at == datetime(2026, 11, 23, 7, 0, 0, 123000, tzinfo=UTC)
    assert stedi.execution("e2") is None


def test_files_are_looked_up_by_partnership_and_time_over_all_pages(
    stedi: StediClient, answer: Answer, execution: Make
) -> None:
    query = (
        "/executions?direction=OUTBOUND&partnershipId=us_acme&from=2026-11-22T00%3A00%3A00.000Z"
        "&to=2026-11-23T00%3A00%3A00.000Z&displayName=ps1_&pageSize=500"
    )
    answer(query, {"items": [execution(executionId="e2")], "nextPageToken": "next"})
    answer(query + "&pageToken=next", {"items": [execution(executionId="e1")]})
    pages = stedi.executions(
        partnership_id="us_acme",
        begin=datetime(2026, 11, 22, tzinfo=UTC),
        end=datetime(2026, 11, 23, tzinfo=UTC),
        direction="OUTBOUND",
        display_name="ps1_",
    )
    assert [item.id for page in pages for item in page.items] == ["e2", "e1"]


def test_a_listing_that_turns_in_circles_is_stopped(stedi: StediClient, httpx_mock: HTTPXMock, execution: Make) -> None:
    httpx_mock.add_response(json={"items": [execution()], "nextPageToken": "same"}, is_reusable=True)
    with pytest.raises(ServiceUnavailable, match="twice"):
        list(stedi.executions())
    assert len(httpx_mock.get_requests()) == 2


def test_control_numbers_of_a_mapped_send_come_from_its_execution(
    stedi: StediClient, answer: Answer, transaction: Make
) -> None:
    answer("/executions/e1/transactions?pageSize=500", {"items": [transaction(direction="OUTBOUND")]})
    answer("/executions/e2/transactions?pageSize=500", {"message": "not yet"}, status=404)
    (found,) = stedi.execution_transactions("e1")
    assert (found.interchange_control, found.group_control, found.set_control) == (12, 34, 1)
    assert stedi.execution_transactions("e2") == ()


def test_faults_tell_what_went_wrong(stedi: StediClient, answer: Answer) -> None:
    fault = {
        "id": "f1",
        "executionId": "e1",
        "faultCode": "DELIVERY_FAILURE",
        "faultMessage": "connection refused",
        "createdAt": "2026-11-23T07:00:00Z",
    }
    answer("/executions/e1/faults?pageSize=500", {"items": [fault]})
    assert stedi.execution_faults("e1") == (ExecutionFault("DELIVERY_FAILURE", "connection refused"),)


def test_a_retry_is_asked_for_once_and_by_id(stedi: StediClient, answer: Answer, httpx_mock: HTTPXMock) -> None:
    answer("/executions/retry", {}, method="POST")
    stedi.retry_executions(["e1"])
    assert httpx_mock.get_requests()[0].content == b'{"condition":{"executionIds":["e1"]}}'


def test_a_retry_that_got_no_response_is_not_repeated(stedi: StediClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    with pytest.raises(InconclusiveSend) as caught:
        stedi.retry_executions(["e1"])
    assert caught.value.maybe_processed
    assert len(httpx_mock.get_requests()) == 1


def test_access_is_checked_by_the_smallest_read(stedi: StediClient, answer: Answer) -> None:
    answer("/executions?pageSize=1", {"items": []})
    stedi.check_access()
