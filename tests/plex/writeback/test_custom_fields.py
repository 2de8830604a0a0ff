"""Writing acknowledgments into custom fields: into the right object, never twice, and each record with its own fate."""

from __future__ import annotations

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import pytest

from plexstedi.errors import ServiceRefused, ServiceUnavailable
from plexstedi.plex.port import FieldValues, NotWritten, RecordRef, WriteRefused, WriteUnknown, Written
from plexstedi.plex.settings import Api, Level
from plexstedi.plex.writeback import fields_connect
from plexstedi.plex.writeback.custom_fields import StandardObject, choose_object, field_value, values_agree
from plexstedi.plex.writeback.identities import read_keys

FIELDS = "/platform/custom-fields/v1"
SAVE = f"{FIELDS}/field-values/save"
SEARCH = f"{FIELDS}/field-values/search"
KEYS = "/platform/identity-mappings/v1/ids-to-keys"
OBJECTS = [("PurchaseOrder", ["EDI_Status", "EDI_Reference"]), ("PurchaseOrderLine", ["EDI_Quantity", "EDI_Ship"])]


def record(level: Level, record_id: str, order_id: str = "o1") -> RecordRef:
    return RecordRef(level, order_id, record_id)


def changes(count: int = 1) -> list[FieldValues]:
    return [
        FieldValues(record(Level.LINE, f"l{n}"), {"EDI_Quantity": Decimal(10 + n), "EDI_Ship": "2026-12-08"})
        for n in range(count)
    ]


def prepare(fake, *, gone: tuple[str, ...] = ()) -> None:
    names = [{"standardObjectName": name, "standardObjectLabel": name, "tableName": name} for name, _ in OBJECTS]
    fake.put(f"{FIELDS}/standard-objects", names)
    fake.put(
        f"{FIELDS}/field-definitions",
        [{"standardObjectName": name, "fieldName": field} for name, fields in OBJECTS for field in fields],
    )

    def keys(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        column = "PO_Key" if asked["standardObjectName"] == "PurchaseOrder" else "Line_Key"
        found = [{"id": each.upper(), column: int(each[1:]) + 100} for each in asked["ids"] if each not in gone]
        document = {"standardObject": {"name": "x", "keys": [column]}, "recordIdentifiers": found}
        return httpx.Response(200, json=document)

    fake.answers[KEYS] = keys
    fake.answers[SAVE] = lambda request: httpx.Response(200)


def test_values_go_to_the_object_of_their_level_under_its_keys(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    order = FieldValues(record(Level.ORDER, "o1"), {"EDI_Status": "accepted"})
    results = plex.write_values([*changes(), order])
    assert [result.outcome for result in results] == [Written(), Written()]
    assert fake.bodies(SAVE) == [
        [
            {
                "standardObjectName": "PurchaseOrder",
                "recordIdentifiers": {"PO_Key": 101},
                "customFields": {"EDI_Status": "accepted"},
            },
            {
                "standardObjectName": "PurchaseOrderLine",
                "recordIdentifiers": {"Line_Key": 100},
                "customFields": {"EDI_Quantity": 10, "EDI_Ship": "2026-12-08"},
            },
        ],
    ]


def test_five_hundred_acknowledgments_cost_few_calls(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    wanted = changes(500)
    fake.answers[SEARCH] = lambda request: httpx.Response(200, json=[])
    plex.read_values(wanted)
    assert all(result.outcome == Written() for result in plex.write_values(wanted))
    plex.read_values(wanted)
    assert len(fake.asked) <= 6


def test_more_than_the_limit_goes_out_in_several_batches(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    plex.write_values(changes(5001))
    assert [len(body) for body in fake.bodies(SAVE)] == [5000, 1]


def test_held_values_are_read_whatever_the_case_of_the_field(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    fake.say(SEARCH, 200, [{"recordIdentifiers": {"line_key": 100}, "customFields": {"edi_quantity": 10.50}}])
    held = plex.read_values(changes(2))
    assert [dict(each.values) for each in held] == [
        {"EDI_Quantity": Decimal("10.5"), "EDI_Ship": None},
        {"EDI_Quantity": None, "EDI_Ship": None},
    ]


def test_a_line_that_is_gone_is_refused_and_the_others_are_written(make_plex):
    fake, plex = make_plex()
    prepare(fake, gone=("l0",))
    first, second = plex.write_values(changes(2))
    assert isinstance(first.outcome, WriteRefused)
    assert second.outcome == Written()


def test_one_bad_record_does_not_take_the_others_along(make_plex):
    fake, plex = make_plex()
    prepare(fake)

    def save(request: httpx.Request) -> httpx.Response:
        if b'"EDI_Quantity":13' in request.content:
            return httpx.Response(400, json={"code": "REQUEST_VALIDATION_FAILED", "message": "13 is too much"})
        return httpx.Response(200)

    fake.answers[SAVE] = save
    results = plex.write_values(changes(8))
    assert [isinstance(result.outcome, Written) for result in results] == [n != 3 for n in range(8)]
    assert results[3].outcome == WriteRefused("13 is too much")


def test_a_service_that_refuses_everything_is_not_asked_a_thousand_times(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    fake.say(SAVE, 400, {"message": "no"})
    results = plex.write_values(changes(500))
    assert all(isinstance(result.outcome, WriteRefused) for result in results)
    assert len(fake.bodies(SAVE)) < 60


def test_a_write_without_a_response_is_unknown_and_never_repeated(make_plex, monkeypatch):
    monkeypatch.setattr(fields_connect, "_MAX_RECORDS", 1)
    fake, plex = make_plex()
    prepare(fake)

    def save(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    fake.answers[SAVE] = save
    order = FieldValues(record(Level.ORDER, "o1"), {"EDI_Status": "x"})
    results = plex.write_values([order, *changes()])
    assert isinstance(results[0].outcome, WriteUnknown)
    assert isinstance(results[1].outcome, NotWritten)
    assert len(fake.bodies(SAVE)) == 1


def test_a_write_that_never_left_is_known_as_not_done(make_plex):
    fake, plex = make_plex()
    prepare(fake)

    def save(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    fake.answers[SAVE] = save
    assert isinstance(plex.write_values(changes())[0].outcome, NotWritten)


def test_a_refused_key_before_anything_is_written_stops_the_run(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    fake.say(SAVE, 401)
    with pytest.raises(ServiceRefused):
        plex.write_values(changes())


def test_a_refused_key_later_does_not_hide_what_was_written(make_plex, monkeypatch):
    monkeypatch.setattr(fields_connect, "_MAX_RECORDS", 1)
    fake, plex = make_plex()
    prepare(fake)
    fake.answers[SAVE] = lambda request: httpx.Response(200 if b"EDI_Status" in request.content else 403)
    order = FieldValues(record(Level.ORDER, "o1"), {"EDI_Status": "x"})
    results = plex.write_values([order, *changes()])
    assert results[0].outcome == Written()
    assert isinstance(results[1].outcome, NotWritten)


def test_a_field_that_is_not_defined_is_named_before_anything_is_written(make_plex):
    fake, plex = make_plex()
    prepare(fake)
    plex.check_fields({Level.LINE: ["edi_quantity"], Level.ORDER: []})
    with pytest.raises(ServiceRefused, match="EDI_Missing") as caught:
        plex.check_fields({Level.LINE: ["EDI_Missing", "EDI_Quantity"]})
    assert "plex.acknowledgments.fields" in caught.value.fix


def test_an_object_named_in_the_configuration_is_taken(make_plex):
    fake, plex = make_plex(objects={Level.LINE: "PurchaseOrder"})
    prepare(fake)
    with pytest.raises(ServiceRefused, match="PurchaseOrder has no custom field"):
        plex.write_values(changes())


def _object(name: str, *fields: str, table: str = "") -> StandardObject:
    return StandardObject(name, name, table, frozenset(field.casefold() for field in fields))


@pytest.mark.parametrize(
    ("objects", "named", "chosen"),
    [
        ([_object("PO", "A"), _object("POLineItem", "A")], None, "POLineItem"),
        ([_object("X17", "A", table="Purchasing_v_Line_Item"), _object("X18", "A")], None, "X17"),
        ([_object("Custom1", "A"), _object("Custom2", "B")], None, "Custom1"),
        ([_object("POLine", "B"), _object("LineItem", "A")], None, "LineItem"),
        ([_object("POLine", "A"), _object("Other", "A")], "other", "Other"),
    ],
)
def test_the_object_of_a_line_is_found(objects, named, chosen):
    assert choose_object(objects, Level.LINE, ["A"], named).name == chosen


@pytest.mark.parametrize(
    ("objects", "named"),
    [
        ([], None),
        ([_object("POLine", "A"), _object("LineItem", "A")], None),
        ([_object("Custom1", "A"), _object("Custom2", "A")], None),
        ([_object("PurchaseOrder", "A")], None),
        ([_object("POLine", "A")], "Nowhere"),
    ],
)
def test_an_object_that_is_not_clear_is_asked_for(objects, named):
    with pytest.raises(ServiceRefused) as caught:
        choose_object(objects, Level.LINE, ["A"], named)
    assert "[plex.acknowledgments.objects] line" in caught.value.fix


@pytest.mark.parametrize(
    "document",
    [
        {"recordIdentifiers": [{"ID": "ABC", "Key": 5}]},
        {"standardObject": {"keys": [{"name": "Key"}]}, "recordIdentifiers": [{"id": "abc", "Key": 5, "Other": 6}]},
        {"recordIdentifiers": [{"id": "abc", "keys": {"Key": 5}}, "junk", {"id": "xyz", "Key": 9}]},
    ],
)
def test_keys_are_found_however_the_response_is_built(document):
    assert read_keys(document, ["abc"]) == {"abc": {"Key": 5}}


def test_something_else_than_keys_is_not_read_as_no_keys():
    with pytest.raises(ServiceUnavailable):
        read_keys([], ["abc"])


@pytest.mark.parametrize(
    ("wrote", "found", "agree"),
    [
        (None, None, True),
        ("", None, True),
        ("a", None, False),
        (None, "a", False),
        (Decimal("10"), Decimal("10.0"), True),
        (Decimal("10"), "10.00", True),
        (Decimal("10"), "ten", False),
        (" a", "a ", True),
        ("a", "A", False),
        ("2026-12-08", "2026-12-08T05:00:00Z", True),
        ("2026-12-08", "2026-12-09T00:00:00Z", False),
        ("2026-12-08T10:00:00Z", "2026-12-08T10:00:00.000Z", True),
        ("2026-12-08T10:00:00Z", "2026-12-08T11:00:00Z", False),
    ],
)
def test_read_back_tells_a_kept_value_from_another(wrote, found, agree):
    assert values_agree(wrote, found) is agree


@pytest.mark.parametrize(
    ("document", "value"),
    [(True, "true"), (5, Decimal(5)), (Decimal("5.50"), Decimal("5.5")), (" ", None), ([1], "[1]")],
)
def test_custom_field_values_are_text_or_exact_numbers(document, value):
    assert field_value(document) == value


def test_oauth2_patches_each_order_once(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.say("/purchase-orders/o1", 200, {})
    fake.say("/purchase-orders/o2", 404)
    results = plex.write_values(
        [
            FieldValues(record(Level.ORDER, "o1"), {"s": "accepted"}),
            FieldValues(record(Level.LINE, "l1"), {"q": Decimal("1.50")}),
            FieldValues(record(Level.LINE, "l1"), {"d": None}),
            FieldValues(record(Level.ORDER, "o2", "o2"), {"s": "x"}),
        ]
    )
    assert [type(result.outcome) for result in results] == [Written, Written, Written, WriteRefused]
    assert [method for method, *_ in fake.asked] == ["PATCH", "PATCH"]
    assert fake.bodies("/purchase-orders/o1") == [
        {"custom_fields": {"s": "accepted"}, "lines": [{"id": "l1", "custom_fields": {"q": 1.5, "d": None}}]}
    ]


def test_oauth2_reads_back_orders_and_lines(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.say("/purchase-orders/o1", 200, {"id": "o1", "custom_fields": {"S": "accepted"}})
    fake.say("/purchase-orders/o1/line-items", 200, {"data": [{"id": "l1", "custom_fields": {"q": 7}}]})
    held = plex.read_values(
        [
            FieldValues(record(Level.LINE, "l1"), {"q": None}),
            FieldValues(record(Level.ORDER, "o1"), {"s": None}),
            FieldValues(record(Level.LINE, "l9", "gone"), {"q": None}),
        ]
    )
    assert [dict(each.values) for each in held] == [{"q": Decimal(7)}, {"s": "accepted"}, {"q": None}]


def test_oauth2_write_without_a_response_is_unknown_and_the_others_are_written_all_the_same(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.say("/purchase-orders/o1", 502)
    results = plex.write_values([FieldValues(record(Level.ORDER, each, each), {"s": "x"}) for each in ("o1", "o2")])
    assert type(results[0].outcome) is WriteUnknown
    assert type(results[1].outcome) is not NotWritten
    assert len(fake.asked) == 2


def test_oauth2_has_no_fields_on_releases(make_plex):
    _, plex = make_plex(Api.OAUTH2)
    with pytest.raises(ServiceRefused) as caught:
        plex.check_fields({Level.RELEASE: ["q"]})
    assert "plex.acknowledgments.level" in caught.value.fix


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("Date", "2026-12-07T23:00:00Z"),
        ("DateTime", "2026-12-07T23:00:00Z"),
        ("Text", "2026-12-08"),
        (None, "2026-12-07T23:00:00Z"),
    ],
)
def test_a_day_goes_to_a_field_of_dates_as_the_plants_midnight_and_to_one_of_text_as_it_is(make_plex, kind, written):
    fake, plex = make_plex(timezone=ZoneInfo("Europe/Berlin"), day_fields=frozenset({"EDI_Ship"}))
    prepare(fake)
    defined = [{"standardObjectName": name, "fieldName": field} for name, fields in OBJECTS for field in fields]
    fake.put(f"{FIELDS}/field-definitions", [each | ({"fieldTypeName": kind} if kind else {}) for each in defined])
    plex.write_values(changes())
    (body,) = fake.bodies(SAVE)
    assert body[0]["customFields"]["EDI_Ship"] == written
    fake.put(SEARCH, [{"recordIdentifiers": body[0]["recordIdentifiers"], "customFields": body[0]["customFields"]}])
    assert plex.read_values(changes())[0].values["EDI_Ship"] == "2026-12-08"
