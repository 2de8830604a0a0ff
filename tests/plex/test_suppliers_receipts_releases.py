"""Suppliers, receipts, releases and tenants as Plex has them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from plexstedi.edi.order import Address
from plexstedi.errors import ServiceRefused
from plexstedi.plex.note_token import token, with_token, without_token
from plexstedi.plex.port import NotWritten, ReleaseUpdate, Tenant, Window, WriteRefused, WriteUnknown, Written
from plexstedi.plex.settings import Api, PlexSettings
from plexstedi.plex.tenant import verify_tenant

RELEASE = "/purchasing/v2-beta1/releases/r1"


def test_a_supplier_has_the_address_of_the_order_else_its_main_one(make_plex):
    fake, plex = make_plex()
    fake.master_data()
    named = plex.supplier("s1", "a2")
    assert (named.code, named.name) == ("ACME01", "Acme Bolt")
    assert named.address == Address(
        street=("2 Side St", "Dock 7, Gate B"), city="Lima", state="OH", postal_code="45801"
    )
    assert plex.supplier("s1").address.city == "Toledo"
    assert len(fake.calls("/mdm/v1/suppliers/s1")) == len(fake.calls("/mdm/v1/suppliers/s1/addresses")) == 1


def test_a_supplier_that_plex_does_not_have_is_none_and_a_wrong_path_is_loud(make_plex):
    fake, plex = make_plex()
    fake.put("/mdm/v1/suppliers", [])
    assert plex.supplier("s9") is None
    _, elsewhere = make_plex()
    with pytest.raises(ServiceRefused, match="version"):
        elsewhere.supplier("s9")


def test_all_suppliers_come_in_one_call(make_plex):
    fake, plex = make_plex(Api.OAUTH2)
    fake.master_data()
    assert [each.code for each in plex.suppliers()] == ["ACME01"]
    assert len(fake.asked) == 1


def test_receipts_are_read_by_window_for_the_whole_tenant(make_plex):
    fake, plex = make_plex()
    row = {"id": "c1", "poLineItemId": "l1", "poId": "o1", "quantity": 5.0, "receiveDate": "2026-11-20T08:00:00Z"}
    fake.put("/purchasing/v1/receipts", [row, row | {"id": "c2", "poLineItemId": None}])
    window = Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    (receipt,) = plex.receipts(window)
    assert (receipt.line_id, receipt.quantity, receipt.release_id) == ("l1", Decimal(5), None)
    assert fake.calls("/purchasing/v1/receipts") == [
        [("receiveDateBegin", "2026-11-20T00:00:00Z"), ("receiveDateEnd", "2026-11-21T00:00:00Z")]
    ]
    fake.put("/purchasing/v1/receipts", [row | {"receiveDate": "2025-11-20T08:00:00Z"}])
    with pytest.raises(ServiceRefused, match="receiveDateBegin"):
        plex.receipts(window)


def test_a_receipt_without_quantity_is_named_and_keeps_no_other_from_being_read(make_plex):
    fake, plex = make_plex()
    row = {"id": "c1", "poLineItemId": "l1", "poId": "o1", "receiveDate": "2026-11-20T08:00:00Z"}
    fake.put("/purchasing/v1/receipts", [row, {**row, "id": "c2", "quantity": 7}])
    read = plex.receipts(Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)))
    assert [receipt.id for receipt in read] == ["c2"]
    (odd,) = plex.unreadable_records()
    assert (odd.table, odd.error) == ("receipts", None)
    assert "quantity" in odd.reason
    assert plex.unreadable_records() == ()


def test_a_release_is_restored_with_everything_it_had(make_plex, rows):
    """Plex derives an omitted status anew (plex/README.md 5.5): the demand would change by our note."""
    fake, plex = make_plex()
    fake.one(RELEASE, rows.release(type="Std"))
    update = ReleaseUpdate("o1", "r1", note="new", due=date(2026, 12, 10), quantity=Decimal("2500.5"))
    assert plex.update_release(update) == Written()
    assert fake.asked[-1][0] == "PUT"
    assert fake.bodies(RELEASE)[-1] == {
        "status": "Firm",
        "dueDate": "2026-12-10T05:00:00Z",
        "quantity": 2500.5,
        "type": "Std",
        "note": "new",
        "poShipTo": "Plant 1",
    }


def test_a_release_keeps_what_is_not_to_be_changed_as_it_is_spelled(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    row = rows.release()
    row["dueDateTime"] = row.pop("dueDate")
    fake.one(RELEASE, row)
    plex.update_release(ReleaseUpdate("o1", "r1", note="n"))
    assert fake.bodies(RELEASE)[-1]["dueDateTime"] == "2026-12-08T05:00:00Z"
    now = plex.current_release("r1")
    assert (now.status, now.due, now.note) == ("Firm", date(2026, 12, 8), "Top [PlexStedi: 3000 confirmed]")


def test_a_release_without_a_status_or_gone_is_not_written(make_plex, rows):
    fake, plex = make_plex()
    fake.master_data()
    assert plex.current_release("r1") is None
    assert isinstance(plex.update_release(ReleaseUpdate("o1", "r1", note="n")), WriteRefused)
    fake.one(RELEASE, rows.release(status=None))
    assert isinstance(plex.update_release(ReleaseUpdate("o1", "r1", note="n")), WriteRefused)
    assert all(method == "GET" for method, *_ in fake.asked)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (500, WriteUnknown),
        (400, WriteRefused),
        (httpx.ReadError("x"), WriteUnknown),
        (httpx.ConnectError("x"), NotWritten),
    ],
)
def test_a_failed_write_of_a_release_tells_whether_it_may_have_been_done(make_plex, rows, answer, outcome):
    fake, plex = make_plex()
    fake.one(RELEASE, rows.release())
    read = fake.answers[RELEASE]

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return read(request)
        if isinstance(answer, int):
            return httpx.Response(answer)
        raise answer

    fake.answers[RELEASE] = reply
    assert isinstance(plex.update_release(ReleaseUpdate("o1", "r1", note="n")), outcome)


@pytest.mark.parametrize(
    ("note", "people", "ours"),
    [
        (None, None, None),
        ("Top", "Top", None),
        ("Top [PlexStedi: ok]", "Top", "ok"),
        ("[PlexStedi: ok]", None, "ok"),
        ("A [PlexStedi: ok] B", "A B", "ok"),
    ],
)
def test_our_token_is_distinguished_from_what_people_wrote(note, people, ours):
    assert (without_token(note), token(note)) == (people, ours)


def test_a_token_is_replaced_and_never_repeated():
    note = with_token(with_token("Top", "first"), "second [x]\nline")
    assert note == "Top [PlexStedi: second (x) line]"
    assert with_token(None, "a") == "[PlexStedi: a]"


def _settings(tenant_id: str | None, code: str | None) -> PlexSettings:
    return PlexSettings(api=Api.OAUTH2, base_url="https://x.example", tenant_id=tenant_id, tenant_code=code)


def test_tenants_are_read_and_the_right_one_is_known(make_plex):
    fake, plex = make_plex()
    fake.put("/mdm/v1/tenants", [{"id": "AB", "code": "ACME"}])
    tenants = plex.tenants()
    assert tenants == (Tenant("AB", "ACME"),)
    for settings in (
        _settings("ab", "acme"),
        _settings("AB", None),
        _settings(None, "ACME"),
        _settings(None, None),
    ):
        assert verify_tenant(tenants, settings) == tenants[0]


@pytest.mark.parametrize(
    ("tenants", "tenant_id", "code"),
    [
        ([Tenant("AB", "ACME")], "CD", "ACME"),
        ([Tenant("AB", "ACME")], "AB", "OTHER"),
        ([], "AB", None),
        ([Tenant("AB", "X"), Tenant("CD", "X")], None, "X"),
        ([Tenant("AB", "X"), Tenant("CD", "Y")], None, None),
    ],
)
def test_somebody_elses_tenant_stops_everything(tenants, tenant_id, code):
    with pytest.raises(ServiceRefused) as caught:
        verify_tenant(tenants, _settings(tenant_id, code))
    assert caught.value.code == "wrong-tenant"
