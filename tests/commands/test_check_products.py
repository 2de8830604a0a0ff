"""`check` asks each product of Plex that is needed, with few calls, and says whom to ask for one that is missing."""

from __future__ import annotations

import json

import pytest

from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.web import json_response
from tests.commands.services import meddle

MOST_CALLS = 30


@pytest.fixture
def checked(make_bench):
    """What `check` finds of Plex, by subject, in one dialect; `change` is done to the bench before."""

    def check(dialect, change=lambda bench: None):
        bench = make_bench(orders=2, suppliers=1, dialect=dialect)
        by_account = dialect in ("datasource", "soap")
        text = config_text(bench.sandbox, dialect, "datasource" if by_account else "custom-fields")
        bench.write_config(
            lambda _: text.replace("[company]", '[documents]\nsend = ["850", "860", "810"]\n\n[company]')
        )
        change(bench)
        ran = bench.run("check", "--json")
        calls = [call for call in bench.sandbox.log if call.origin == "plex"]
        assert 0 < len(calls) <= MOST_CALLS, [call.path for call in calls]
        return {each["subject"]: each for each in ran.json["findings"] if each["area"] == "plex"}

    return check


@pytest.mark.parametrize("dialect", ["connect", "oauth2", "datasource", "soap"])
def test_every_dialect_with_invoices_and_writing_takes_at_most_thirty_calls(checked, dialect):
    found = checked(dialect)
    assert {"access", "filters", "orders", "invoices", "suppliers"} <= found.keys()
    assert [each for each in found.values() if each["verdict"] == "wrong"] == []


@pytest.mark.parametrize(
    ("prefix", "subject", "product"),
    [
        ("/purchasing/v1/purchase-orders", "orders", "purchasing"),
        ("/mdm/v1/parts", "parts", "master data (parts)"),
        ("/mdm/v1/suppliers", "suppliers", "master data (suppliers)"),
        ("/accounting/", "invoices", "accounting"),
        ("/platform/", "custom fields", "custom fields"),
    ],
)
def test_a_product_without_subscription_is_named_with_whom_to_ask(checked, prefix, subject, product):
    def unsubscribe(bench):
        bench.sandbox.plex_settings.unsubscribed = (prefix,)

    found = checked("connect", unsubscribe)[subject]
    assert found["verdict"] == "wrong"
    assert f"subscribe it to {product}" in found["fix"]
    assert "owner of the app at developers.plex.com" in found["fix"]
    assert "Renew the key" not in found["fix"]


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_an_empty_list_of_suppliers_is_a_missing_role_too(checked, dialect):
    def nothing(bench):
        empty = [] if dialect == "connect" else {"data": []}

        def hidden(request, response):
            return json_response(empty) if request.path.endswith("/suppliers") else json_response({}, 404)

        meddle(bench, "plex", "/suppliers(/|$)", hidden)

    found = checked(dialect, nothing)["suppliers"]
    assert (found["verdict"], "no supplier at all" in found["message"]) == ("wrong", True), found
    assert "administrator" in found["fix"]


@pytest.mark.parametrize(
    ("source", "what"), [(19022, "orders"), (21338, "orders"), (15303, "receipts"), (21287, "invoices")]
)
def test_a_data_source_that_ignores_its_window_is_found_by_a_window_in_the_future(checked, source, what):
    def ignore(bench):
        def all_rows(request, response):
            if request.method == "GET":
                return response
            body = json.loads(response.body)
            first = {"Invoice_Link": 1, "PO_Key": 1, "Line_Item_Key": 1, "Receipt_Key": 1, "Quantity": 1}
            times = {"Receive_Date": "2026-11-20T00:00:00Z", "Created_Date": "2026-11-20T00:00:00Z"}
            for table in body["tables"]:
                row = first | times
                table["rows"] = [[row.get(column) for column in table["columns"]]]
            return json_response(body)

        meddle(bench, "plex", f"/{source}/execute", all_rows)

    found = checked("datasource", ignore)["filters"]
    assert (found["verdict"], what in found["message"]) == ("wrong", True)
