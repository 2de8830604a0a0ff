"""Reading from the made-up Stedi: polling that withholds, tokens that last, lists, and downloads elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.sample_data import TradingPartner
from plexstedi.sandbox.server import Sandbox


@pytest.fixture
def partner(sandbox: Sandbox) -> TradingPartner:
    return sandbox.sample_data.partners[0]


def inbound(caller: Any, partner: TradingPartner, number: str) -> str:
    """An 855 of the partner out of the blue; return its execution."""
    body: Json = {
        "partnership": partner.partnership_id,
        "set": "855",
        "transaction": {
            "heading": {
                "beginning_segment_for_purchase_order_acknowledgment_BAK": {
                    "transaction_set_purpose_code_01": "00",
                    "acknowledgment_type_02": "AK",
                    "purchase_order_number_03": number,
                    "date_04": "2026-11-23",
                }
            }
        },
    }
    found: str = caller.control("POST", "inbound", body)["executionId"]
    return found


def start(sandbox: Sandbox, ago: timedelta = timedelta(minutes=5)) -> str:
    return f"{sandbox.clock.now() - ago:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("feed", ["transactions", "executions"])
def test_polling_needs_a_start_a_minute_ago_or_a_token_and_a_sane_page(
    sandbox: Sandbox, caller: Any, feed: str
) -> None:
    path, fine = f"/polling/{feed}", start(sandbox)
    statuses = [
        caller.stedi(path).status_code,
        caller.stedi(path, startDateTime=start(sandbox, timedelta(seconds=59))).status_code,
        caller.stedi(path, startDateTime="yesterday").status_code,
        caller.stedi(path, startDateTime=fine, pageSize=0).status_code,
        caller.stedi(path, startDateTime=fine, pageSize=501).status_code,
        caller.stedi(path, pageToken="made up").status_code,
        caller.stedi(path, startDateTime=fine, pageSize=500).status_code,
    ]
    assert statuses == [400, 400, 400, 400, 400, 400, 200]


def test_the_newest_15_seconds_are_withheld_and_a_token_comes_with_an_empty_page(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    inbound(caller, partner, "PO-1")
    empty = caller.stedi("/polling/transactions", startDateTime=start(sandbox)).json()
    assert empty["items"] == []
    sandbox.advance(timedelta(seconds=15))
    found = caller.stedi("/polling/transactions", pageToken=empty["nextPageToken"]).json()
    assert len(found["items"]) == 1
    again = caller.stedi("/polling/transactions", pageToken=found["nextPageToken"]).json()
    assert (again["items"], again["nextPageToken"]) == ([], found["nextPageToken"])


def test_the_start_is_exclusive_pages_are_oldest_first_and_tokens_do_not_expire(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    for number in range(5):
        inbound(caller, partner, f"PO-{number}")
        sandbox.advance(timedelta(seconds=10))
    sandbox.advance(timedelta(minutes=2))
    first = caller.stedi("/polling/transactions", startDateTime="2026-11-23T15:00:00Z", pageSize=2).json()
    assert [item["businessIdentifiers"][0]["value"] for item in first["items"]] == ["PO-1", "PO-2"]
    sandbox.advance(timedelta(days=400))
    rest = caller.stedi("/polling/transactions", pageToken=first["nextPageToken"]).json()["items"]
    assert [item["businessIdentifiers"][0]["value"] for item in rest] == ["PO-3", "PO-4"]
    assert [item["processedAt"] for item in rest] == sorted(item["processedAt"] for item in rest)


def test_polling_shows_both_directions_and_executions_appear_when_they_are_finished(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, guide_850: Any
) -> None:
    caller.generate(partner, guide_850(sandbox.plex.tenant.orders[0], "004010"))
    inbound(caller, partner, "PO-1")
    sandbox.advance(timedelta(seconds=30))
    assert [item["direction"] for item in caller.polled()] == ["INBOUND", "OUTBOUND"]
    feed = caller.stedi("/polling/executions", startDateTime="2026-11-23T14:00:00Z").json()["items"]
    assert [(item["direction"], item["status"]) for item in feed] == [
        ("INBOUND", "COMPLETED"),
        ("OUTBOUND", "COMPLETED"),
    ]


def test_a_file_that_could_not_be_read_is_an_execution_with_a_fault_and_no_transaction(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    failed: Json = {"code": "FAILED_TO_PARSE", "message": "not X12"}
    told = caller.control("POST", "inbound", {"partnership": partner.partnership_id, "failed": failed, "x12": "junk"})
    found_out = caller.control("POST", "inbound", {"x12": "ISA*garbage"})
    sandbox.advance(timedelta(minutes=1))
    feed = caller.stedi("/polling/executions", startDateTime="2026-11-23T14:00:00Z").json()["items"]
    assert [(item["executionId"], item["faultCode"]) for item in feed] == [
        (told["executionId"], "FAILED_TO_PARSE"),
        (found_out["executionId"], "FAILED_TO_TRANSLATE"),
    ]
    assert caller.polled() == []
    assert caller.stedi(f"/executions/{told['executionId']}/faults").json()["items"][0]["faultMessage"] == "not X12"


def test_raw_x12_finds_its_partnership_and_is_translated(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    partnership = sandbox.stedi.partnerships[partner.partnership_id]
    body = (("BAK", "00", "AD", "PO-77", "20261123"), ("PO1", "1", "5", "EA"), ("ACK", "IA", "5", "EA"), ("CTT", "1"))
    text = sandbox.stedi.compose(partnership, "855", body, "P", sandbox.clock.now())
    caller.control("POST", "inbound", {"x12": text})
    sandbox.advance(timedelta(minutes=1))
    (item,) = caller.polled()
    assert (item["partnership"]["partnershipId"], item["mode"]) == (partner.partnership_id, "production")
    line = caller.output(item)["detail"]["baseline_item_data_PO1_loop"][0]
    assert line["baseline_item_data_PO1"]["quantity_ordered_02"] == 5
    url = caller.stedi(f"/transactions/{item['transactionId']}/input-url").json()["documentDownloadUrl"]
    own = caller.documents_http.get(url).text
    assert own == text[text.index("ST*855*") : text.index("GE*")]
    url = caller.stedi(f"/executions/{item['fileExecutionId']}/input-url").json()["documentDownloadUrl"]
    assert caller.documents_http.get(url).text == text


def test_a_file_of_two_interchanges_in_windows_1252_is_read_and_kept_as_it_came(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    partnership = sandbox.stedi.partnerships[partner.partnership_id]
    body = (("BAK", "00", "AD", "PO-77", "20261123"), ("N1", "SU", "Müller"), ("CTT", "0"))
    first, second = (
        # The sandbox writes no umlaut itself.
        sandbox.stedi.compose(
            partnership, "855", (*body[:1], ("N1", "SU", "Muller"), body[2]), "P", sandbox.clock.now()
        )
        for _ in range(2)
    )
    content = f"{first}\r\n  {second.replace('~', '~  ')[:-3]}\r\n\x1a\0".replace("Muller", "Müller").encode("cp1252")
    sandbox.stedi.receive(content)
    sandbox.advance(timedelta(minutes=1))
    items = caller.polled()
    numbers = [item["x12"]["metadata"]["interchange"]["controlNumber"] for item in items]
    assert len(set(numbers)) == len(items) == 2
    assert len({item["fileExecutionId"] for item in items}) == 1
    assert "Müller" in str(caller.output(items[1]))
    url = caller.stedi(f"/executions/{items[0]['fileExecutionId']}/input-url").json()["documentDownloadUrl"]
    assert caller.documents_http.get(url).content == content


def test_odd_guide_json_is_given_out_as_it_is(sandbox: Sandbox, caller: Any, partner: TradingPartner) -> None:
    odd: Json = {"heading": {"nothing like X12": True}}
    body: Json = {"partnership": partner.partnership_id, "set": "855", "transaction": odd}
    caller.control("POST", "inbound", body)
    sandbox.advance(timedelta(minutes=1))
    (item,) = caller.polled()
    assert caller.output(item) == odd


# Lists.


def test_executions_are_newest_first_and_found_by_part_of_their_name(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, guide_850: Any
) -> None:
    for number in range(3):
        caller.generate(partner, guide_850(sandbox.plex.tenant.orders[0], "004010"), filename=f"850_{number}.edi")
        sandbox.advance(timedelta(minutes=1))
    page = caller.stedi("/executions", direction="OUTBOUND", pageSize=2).json()
    rest = caller.stedi("/executions", direction="OUTBOUND", pageSize=2, pageToken=page["nextPageToken"]).json()
    names = [item["source"]["name"] for item in page["items"] + rest["items"]]
    assert names == ["850_2.edi", "850_1.edi", "850_0.edi"]
    assert "nextPageToken" not in rest
    named = caller.stedi("/executions", displayName="850_1").json()["items"]
    assert [item["source"]["name"] for item in named] == ["850_1.edi"]
    assert caller.stedi("/executions", displayName="85").status_code == 400
    assert caller.stedi("/executions", partnershipId="another").json()["items"] == []
    window = {"from": "2026-11-23T15:01:00Z", "to": "2026-11-23T15:01:00Z", "direction": "OUTBOUND"}
    assert len(caller.stedi("/executions", **window).json()["items"]) == 1
    assert caller.stedi("/executions", status="FAILED").json()["items"] == []


def test_transactions_are_listed_by_set_and_order_number(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    inbound(caller, partner, "PO-1")
    inbound(caller, partner, "PO-2")
    found = caller.stedi("/transactions", transactionSetId="855", businessIdentifier="PO-2").json()["items"]
    assert len(found) == 1
    one = caller.stedi(f"/transactions/{found[0]['transactionId']}").json()
    assert one == found[0]
    assert caller.stedi("/transactions", transactionSetId="997").json()["items"] == []
    assert caller.stedi("/transactions/unknown").status_code == 404


def test_an_executions_transactions_give_the_control_numbers(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, guide_850: Any
) -> None:
    path = f"/partnerships/{partner.partnership_id}/transactions/004010-850"
    sent = caller.stedi_post(path, {"transaction": guide_850(sandbox.plex.tenant.orders[0], "004010")}).json()
    listing = f"/executions/{sent['fileExecutionId']}/transactions"
    assert caller.stedi(listing).json()["items"] == []
    sandbox.advance(timedelta(seconds=1))
    (item,) = caller.stedi(listing).json()["items"]
    metadata = item["x12"]["metadata"]
    assert metadata["interchange"]["controlNumber"] == metadata["functionalGroup"]["controlNumber"] == 1
    assert metadata["transaction"] == {"controlNumber": "0001", "transactionSetIdentifier": "850"}


# Documents.


def test_a_presigned_url_works_for_an_hour_without_authorization_and_not_with_it(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    inbound(caller, partner, "PO-1")
    item = caller.stedi("/transactions").json()["items"][0]
    redirect = caller.stedi(f"/transactions/{item['transactionId']}/output")
    url = redirect.json()["documentDownloadUrl"]
    assert (redirect.status_code, redirect.headers["Location"]) == (302, url)
    assert url.startswith(sandbox.urls.documents_url)
    assert caller.documents_http.get(url).status_code == 200
    assert caller.documents_http.get(url, headers=caller.stedi_headers).status_code == 400
    assert caller.documents_http.get(url.replace("Signature=", "Signature=0")).status_code == 403
    assert caller.documents_http.get(url.split("?")[0]).status_code == 403
    sandbox.advance(timedelta(minutes=60))
    assert caller.documents_http.get(url).status_code == 200
    sandbox.advance(timedelta(seconds=1))
    assert caller.documents_http.get(url).status_code == 403


def test_an_inbound_file_has_no_output_document(caller: Any, partner: TradingPartner) -> None:
    execution_id = inbound(caller, partner, "PO-1")
    assert caller.stedi(f"/executions/{execution_id}/input-url").status_code == 200
    assert caller.stedi(f"/executions/{execution_id}/output-url").status_code == 404


def test_every_response_is_dated_by_the_sandbox_clock(sandbox: Sandbox, caller: Any) -> None:
    sandbox.advance(timedelta(days=1))
    assert caller.stedi("/executions").headers["Date"] == "Tue, 24 Nov 2026 15:00:00 GMT"
    assert caller.plex("/mdm/v1/tenants").headers["Date"] == "Tue, 24 Nov 2026 15:00:00 GMT"
    assert caller.stedi("/executions").headers["x-amzn-RequestId"]


# Preflight.


def test_partnerships_and_settings_can_be_read_unless_that_is_switched_off(
    sandbox: Sandbox, caller: Any, partner: TradingPartner
) -> None:
    path = f"/x12/partnerships/{partner.partnership_id}"
    detail = caller.stedi(path).json()
    outbound = {row["transactionSetIdentifier"]: row for row in detail["outboundTransactions"]}
    assert outbound["850"]["outboundX12TransactionSettingsId"] == "004010-850"
    assert {row["transactionSetIdentifier"] for row in detail["inboundTransactions"]} == {"855", "865", "997"}
    connections = caller.stedi(f"{path}/connections").json()["remoteFtp"]
    assert connections[0]["connectionId"] == outbound["850"]["connection"]["connectionId"]
    assert caller.stedi(f"{path}/outbound-transactions/004010-850").status_code == 200
    assert caller.stedi(f"{path}/outbound-transactions/nope").status_code == 404
    assert caller.stedi(f"{path}/outbound-control-numbers").json() == {
        "interchangeControlNumber": 0,
        "groupControlNumber": 0,
    }
    assert len(caller.stedi("/x12/partnerships").json()["items"]) == len(sandbox.stedi.partnerships)
    sandbox.stedi_settings.preflight = False
    assert caller.stedi(path).status_code == 403
    assert caller.stedi("/executions").status_code == 200
