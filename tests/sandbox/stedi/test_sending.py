"""Sending through the made-up Stedi: what it refuses, what its keys do, and what a 200 does not mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from plexstedi.decimal_json import Json, dumps
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.records import Order
from plexstedi.sandbox.plex.sample_data import TradingPartner
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.x12 import read
from plexstedi.sandbox.web import ConnectionDropped


@pytest.fixture
def partner(sandbox: Sandbox) -> TradingPartner:
    return sandbox.sample_data.partners[0]


@pytest.fixture
def order(sandbox: Sandbox, partner: TradingPartner) -> Order:
    return next(order for order in sandbox.plex.tenant.orders if order.supplier.code == partner.code)


@pytest.fixture
def transaction(order: Order, guide_850: Any) -> Any:
    return guide_850(order, "004010")


def test_an_accepted_850_becomes_x12_with_right_counts_and_its_control_numbers_come_back(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any, order: Order
) -> None:
    answer = caller.generate(partner, transaction).json()
    edi = answer["edi"]
    assert len(edi.split("~")[0] + "~") == 106
    assert edi[70:76] == "261123"
    interchange = read(edi)  # refuses wrong counts and numbers
    assert (interchange.envelope.usage, interchange.envelope.release) == ("T", "004010")
    metadata = answer["metadata"]["interchangeMetadata"][0]
    assert metadata == {"interchangeControlNumber": 1, "functionalGroupControlNumbers": [1]}
    assert interchange.groups[0].sets[0][1][0][:4] == ("BEG", "00", "SA", order.number)
    (document,) = sandbox.generated()
    assert (document.edi, document.transactions) == (edi, (transaction,))


def test_control_numbers_count_per_partnership(sandbox: Sandbox, caller: Any, transaction: Any, guide_850: Any) -> None:
    first, second = sandbox.sample_data.partners[:2]
    other = guide_850(sandbox.plex.tenant.orders[1], "005010")
    numbers = [
        caller.generate(who, what, filename=f"{n}.edi").json()["metadata"]["interchangeMetadata"][0]
        for n, (who, what) in enumerate([(first, transaction), (second, other), (first, transaction)])
    ]
    assert [each["interchangeControlNumber"] for each in numbers] == [1, 1, 2]


def test_without_an_indicator_the_file_is_production(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    body: Json = {"transactionGroups": [{"transactionSettingId": "004010-850", "transactions": [transaction]}]}
    caller.stedi_post(f"/x12/partnerships/{partner.partnership_id}/generate-edi", body)
    body = {"transaction": transaction, "interchangeOverrides": {"interchangeUsageIndicator": "T"}}
    answer = caller.stedi_post(f"/partnerships/{partner.partnership_id}/transactions/004010-850", body)
    assert set(answer.json()) == {"fileExecutionId"}
    assert [document.usage_indicator for document in sandbox.generated()] == ["P", "T"]


def change(transaction: Any, path: str, value: Any) -> Any:
    """The transaction with one value set, or removed with `...`."""
    keys = path.split("/")
    node = transaction
    for key in keys[:-1]:
        node = node[int(key)] if key.isdigit() else node[key]
    if value is ...:
        del node[keys[-1]]
    else:
        node[keys[-1]] = value
    return transaction


BEG = "heading/beginning_segment_for_purchase_order_BEG"
PO1 = "detail/baseline_item_data_PO1_loop/0/baseline_item_data_PO1"


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (f"{BEG}/purchase_order_number_03", "X" * 23, "too_big"),
        (f"{BEG}/purchase_order_number_03", "", "too_small"),
        (f"{BEG}/purchase_order_number_03", ..., "required"),
        (f"{BEG}/transaction_set_purpose_code_01", "99", "invalid_enum_value"),
        (f"{BEG}/date_05", "20261123", "invalid_date"),
        (f"{BEG}/date_05", "2026-02-30", "invalid_date"),
        (f"{BEG}/purchase_order_nr_03", "1", "unrecognized_keys"),
        ("heading/currency_CUR", [{"entity_identifier_code_01": "BY", "currency_code_02": "USD"}], "invalid_type"),
        ("heading/date_time_reference_DTM", {"date_time_qualifier_01": "002"}, "invalid_type"),
        ("heading/transaction_set_header_ST", ..., "required"),
        (f"{BEG.removesuffix('_BEG')}_BEG", ..., "required"),
        ("heading/transaction_set_header_ST/transaction_set_identifier_code_01", "860", "invalid_value"),
        (f"{PO1}/quantity_02", 5, "unrecognized_keys"),
        (f"{PO1}/quantity_ordered_02", "5", "invalid_type"),
        (f"{PO1}/unit_or_basis_for_measurement_code_03", "EACH", "too_big"),
        (f"{PO1}/product_service_id_07", "P" * 49, "too_big"),
        ("trailer", {}, "unrecognized_keys"),
    ],
)
def test_what_the_base_guide_does_not_allow_is_refused_with_its_path(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any, path: str, value: Any, code: str
) -> None:
    answer = caller.generate(partner, change(transaction, path, value))
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert code in {error["code"] for error in errors}
    assert all(error["message"] for error in errors)
    assert sandbox.generated() == []


def test_5010_has_other_names(sandbox: Sandbox, caller: Any, guide_850: Any) -> None:
    partner = sandbox.sample_data.partners[1]
    right, wrong = (guide_850(sandbox.plex.tenant.orders[1], release) for release in ("005010", "004010"))
    assert caller.generate(partner, wrong).status_code == 400
    assert caller.generate(partner, right).status_code == 200


def test_a_delimiter_in_a_value_is_refused_and_other_delimiters_let_it_through(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    change(transaction, f"{PO1}/product_service_id_07", "A*B")
    assert caller.generate(partner, transaction).status_code == 400
    body: Json = {
        "transactionGroups": [{"transactionSettingId": "004010-850", "transactions": [transaction]}],
        "overrides": {"delimiters": {"element": "|", "composite": ">", "repetition": "^", "segment": "~"}},
    }
    answer = caller.stedi_post(f"/x12/partnerships/{partner.partnership_id}/generate-edi", body)
    assert "|BP|A*B~" in answer.json()["edi"]


@pytest.mark.parametrize("filename", ["", "a b.edi", "a/b.edi", "a:b", "x" * 301, "é.edi"])
def test_file_names_outside_the_pattern_are_refused(
    caller: Any, partner: TradingPartner, transaction: Any, filename: str
) -> None:
    assert caller.generate(partner, transaction, filename=filename).status_code == 400


def test_unknown_partnership_and_setting_are_404(sandbox: Sandbox, caller: Any, partner: TradingPartner) -> None:
    body: Json = {"transactionGroups": [{"transactionSettingId": "004010-999", "transactions": [{}]}]}
    assert caller.stedi_post(f"/x12/partnerships/{partner.partnership_id}/generate-edi", body).status_code == 404
    assert caller.stedi_post("/x12/partnerships/nobody/generate-edi", body).status_code == 404
    inbound: Json = {"transactionGroups": [{"transactionSettingId": "004010-855", "transactions": [{}]}]}
    assert caller.stedi_post(f"/x12/partnerships/{partner.partnership_id}/generate-edi", inbound).status_code == 404


def test_a_guide_of_the_partner_is_as_strict_as_its_schema(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    begin: dict[str, Json] = {"$ref": "#/$defs/begin"}
    schema: Json = {
        "type": "object",
        "required": ["heading"],
        "properties": {"heading": {"type": "object", "properties": {BEG.split("/")[1]: begin}}},
        "$defs": {"begin": {"properties": {"purchase_order_type_code_02": {"enum": ["NE"]}}}},
    }
    sandbox.use_guide(partner.code, "850", schema)
    answer = caller.generate(partner, transaction)
    assert answer.json()["errors"][0]["path"][-1] == "purchase_order_type_code_02"
    change(transaction, f"{BEG}/purchase_order_type_code_02", "NE")
    assert caller.generate(partner, transaction).status_code == 200


def test_keys_bare_with_prefix_two_at_once_and_wrong(sandbox: Sandbox, caller: Any) -> None:
    sandbox.stedi_settings.api_keys.add("next.key")
    keys = ["sandbox1.stedi-made-up-key", "Key sandbox1.stedi-made-up-key", "next.key", "wrong", "Bearer next.key"]
    answers = [caller.stedi_http.get("/2023-08-01/executions", headers={"Authorization": key}) for key in keys]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403, 403]
    assert caller.stedi_http.get("/2023-08-01/nothing", headers=caller.stedi_headers).status_code == 403


# Idempotency.


def test_the_same_key_and_bytes_replay_the_first_response(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    first, second = (caller.generate(partner, transaction, key="k1") for _ in range(2))
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.json() == first.json()
    assert len(sandbox.generated()) == 1


def test_the_same_key_with_other_bytes_is_422(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    caller.generate(partner, transaction, key="k1")
    assert caller.generate(partner, transaction, key="k1", filename="b.edi").status_code == 422
    same_content: Json = {"transaction": transaction}
    path = f"/partnerships/{partner.partnership_id}/transactions/004010-850"
    assert caller.stedi_post(path, same_content, "k1").status_code == 422
    assert len(sandbox.generated()) == 1


def test_after_24_hours_the_key_is_forgotten_and_the_order_goes_out_again(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    caller.generate(partner, transaction, key="k1")
    sandbox.advance(timedelta(hours=24) - timedelta(seconds=1))
    caller.generate(partner, transaction, key="k1")
    assert len(sandbox.generated()) == 1
    sandbox.advance(timedelta(seconds=1))
    caller.generate(partner, transaction, key="k1")
    assert len(sandbox.generated()) == 2


def test_a_refusal_is_not_remembered(sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any) -> None:
    assert caller.generate(partner, transaction, key="k1", filename="no good").status_code == 400
    assert caller.generate(partner, transaction, key="k1").status_code == 200
    assert len(sandbox.generated()) == 1


def test_while_the_first_is_under_way_the_key_is_409(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    sandbox.inject(FaultRule(FaultKind.DROP_LATER, origin="stedi", method="POST", seconds=60))
    with pytest.raises(ConnectionDropped):
        caller.generate(partner, transaction, key="k1")
    busy = caller.generate(partner, transaction, key="k1")
    assert (busy.status_code, busy.headers["Retry-After"]) == (409, "1")
    assert caller.generate(partner, transaction, key="k1", filename="b.edi").status_code == 422
    sandbox.advance(timedelta(seconds=60))
    assert caller.generate(partner, transaction, key="k1").headers["idempotent-replayed"] == "true"
    assert len(sandbox.generated()) == 1


# Delivery.


def execution(caller: Any, answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = caller.stedi(f"/executions/{answer.json()['fileExecutionId']}").json()
    return found


def test_a_200_is_not_a_delivery(sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any) -> None:
    answer = caller.generate(partner, transaction)
    assert execution(caller, answer)["status"] == "IN_PROGRESS"
    assert sandbox.generated()[0].delivered is None
    sandbox.advance(timedelta(seconds=1))
    found = execution(caller, answer)
    assert (found["status"], [report["status"] for report in found["deliveryReports"]]) == ("COMPLETED", ["DELIVERED"])


def test_a_failing_delivery_is_tried_three_times_six_minutes_apart_and_never_listed(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    sandbox.fail_deliveries(partner.code)
    answer = caller.generate(partner, transaction)
    sandbox.advance(timedelta(minutes=12))
    assert execution(caller, answer)["status"] == "IN_PROGRESS"
    sandbox.advance(timedelta(minutes=2))
    found = execution(caller, answer)
    assert (found["status"], found["faultCode"], len(found["deliveryReports"])) == ("FAILED", "DELIVERY_FAILURE", 3)
    sandbox.advance(timedelta(days=2))
    assert caller.polled() == []
    faults = caller.stedi(f"/executions/{found['executionId']}/faults").json()["items"]
    assert faults[0]["faultCode"] == "DELIVERY_FAILURE"


def test_a_delivery_that_works_the_second_time_is_a_delivery(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    sandbox.fail_deliveries(partner.code, 1)
    answer = caller.generate(partner, transaction)
    sandbox.advance(timedelta(minutes=7))
    reports = [report["status"] for report in execution(caller, answer)["deliveryReports"]]
    assert reports == ["FAILED", "DELIVERED"]


def test_a_retry_delivers_the_same_file_once_as_a_child(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    sandbox.fail_deliveries(partner.code)
    answer = caller.generate(partner, transaction)
    sandbox.advance(timedelta(minutes=20))
    sandbox.fail_deliveries(partner.code, 0)
    failed = execution(caller, answer)["executionId"]
    for _ in range(2):
        retry = caller.stedi_post("/executions/retry", {"condition": {"executionIds": [failed]}})
        assert (retry.status_code, retry.content) == (200, b"")
    sandbox.advance(timedelta(minutes=1))
    parent = execution(caller, answer)
    child = caller.stedi(f"/executions/{parent['childExecutionId']}").json()
    assert (parent["status"], child["status"], child["parentExecutionId"]) == ("RETRIED", "COMPLETED", failed)
    assert len(sandbox.stedi.executions) == 2
    assert len(sandbox.generated()) == 1


def test_a_file_of_the_same_name_overwrites_the_delivered_one(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    for _ in range(2):
        caller.generate(partner, transaction)
    sandbox.advance(timedelta(seconds=5))
    first, second = sandbox.generated()
    assert (first.overwrote, second.overwrote) == (None, first.execution_id)


def test_the_recorded_transaction_is_exactly_what_was_sent(
    sandbox: Sandbox, caller: Any, partner: TradingPartner, transaction: Any
) -> None:
    answer = caller.generate(partner, transaction)
    url = caller.stedi(f"/executions/{answer.json()['fileExecutionId']}/input-url").json()["documentDownloadUrl"]
    assert caller.documents_http.get(url).content == dumps(transaction).encode()
