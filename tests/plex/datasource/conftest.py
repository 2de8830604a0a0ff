"""A made-up Plex that has nothing but data sources: JSON in format 1, strict names and types."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import httpx
import pytest

from plexstedi.plex.build import connect_to_plex
from plexstedi.plex.port import PlexPort
from plexstedi.plex.settings import Api, DataSourceMap, PlexSettings
from tests.plex.conftest import StillClock

ORDER = {
    "PO_Key": 7001,
    "PO_No": "PO-o1",
    "Supplier_No": 31,
    "Supplier_Address_No": 2,
    "PO_Status": "On Order",
    "PO_Date": "2026-11-18T15:10:42.153Z",
    "Add_Date": "2026-11-18T14:03:11.92Z",
    "Update_Date": "2026-11-18T15:10:42.153Z",
    "Due_Date": "2026-12-15T05:00:00Z",
    "Currency": "USD",
    "PO_Type": "Purchased Components",
    "Blanket": 0,
    "Terms": "Net 30",
    "Freight": "Collect",
    "FOB": "Origin",
    "Ship_Via": "Truck",
    "Ship_To": "Plant 1",
    "Note": "Deliver to dock 4",
}
LINE = {
    "Line_Item_Key": 8001,
    "Line_Item_No": 1,
    "Status": "Open",
    "Unit": "Ea",
    "Order_Unit": "Ea",
    "Unit_Price": 1.2300,
    "Part_No": "82695",
    "Revision": "AAA",
    "Item_No": None,
    "Supplier_Part_No": "AB-7816",
    "Description": "Hex bolt",
}
RELEASE = {
    "Line_Item_Key": 8001,
    "Release_Key": 1,
    "Release_No": 1,
    "Release_Status": "Firm",
    "Quantity": 3000.0,
    "Due_Date": "2026-12-08T05:00:00Z",
    "Ship_To": "Plant 1",
    "Note": "Top [PlexStedi: 3000 confirmed]",
    "Update_Date": "2026-11-18T16:00:00Z",
}
SUPPLIER = {"Supplier_No": 31, "Supplier_Code": "ACME01", "Name": "Acme Bolt"}
ADDRESS = {
    "Supplier_No": 31,
    "Address_No": 2,
    "Address_Name": None,
    "Street": "2 Side St",
    "Street2": "Dock 7",
    "City": "Lima",
    "State": "OH",
    "Zip": "45801",
}
FLAGS = {"on_order": "On_Order", "cancelled": "Cancelled", "received": "Received"}


def tables() -> dict[str, DataSourceMap]:
    """`[plex.datasources]` with every column mapped."""
    window = {"begin": "Begin_Date", "end": "End_Date"}
    return {
        "company": DataSourceMap(382, columns={"code": "Plexus_Customer_Code"}),
        "changed_orders": DataSourceMap(19022, window, {"order": "PO_Key"}),
        "created_orders": DataSourceMap(21338, window, {"order": "PO_Key"}),
        "open_orders": DataSourceMap(2874, {}, {"order": "PO_Key", "number": "PO_No"}, {"Active": True}),
        "order": DataSourceMap(
            3827,
            {"order": "PO_Key"},
            {
                "order": "PO_Key",
                "number": "PO_No",
                "supplier": "Supplier_No",
                "supplier_address": "Supplier_Address_No",
                "status": "PO_Status",
                "order_date": "PO_Date",
                "created_at": "Add_Date",
                "modified_at": "Update_Date",
                "due": "Due_Date",
                "currency": "Currency",
                "type": "PO_Type",
                "blanket": "Blanket",
                "terms": "Terms",
                "freight_terms": "Freight",
                "fob": "FOB",
                "ship_via": "Ship_Via",
                "ship_to": "Ship_To",
                "note": "Note",
            },
        ),
        "lines": DataSourceMap(
            6197,
            {"order": "PO_Key"},
            {
                "line_key": "Line_Item_Key",
                "line": "Line_Item_No",
                "status": "Status",
                "unit": "Unit",
                "order_unit": "Order_Unit",
                "price": "Unit_Price",
                "part": "Part_No",
                "revision": "Revision",
                "item": "Item_No",
                "supplier_part": "Supplier_Part_No",
                "description": "Description",
            },
        ),
        "releases": DataSourceMap(
            6200,
            {"order": "PO_Key"},
            {
                "line_key": "Line_Item_Key",
                "release_key": "Release_Key",
                "release": "Release_No",
                "status": "Release_Status",
                "quantity": "Quantity",
                "due": "Due_Date",
                "ship_to": "Ship_To",
                "note": "Note",
                "modified_at": "Update_Date",
            },
        ),
        "suppliers": DataSourceMap(126, {}, {"supplier": "Supplier_No", "code": "Supplier_Code", "name": "Name"}),
        "addresses": DataSourceMap(
            107,
            {"supplier": "Supplier_No"},
            {
                "supplier": "Supplier_No",
                "address": "Address_No",
                "name": "Address_Name",
                "street": "Street",
                "street2": "Street2",
                "city": "City",
                "state": "State",
                "postal_code": "Zip",
            },
        ),
        "order_statuses": DataSourceMap(20, {}, {"status": "PO_Status", "onOrder": "On_Order"}),
        "release_statuses": DataSourceMap(
            2769, {}, {"status": "Release_Status", "open": "Open", "received": "Received"}
        ),
        "receipts": DataSourceMap(
            5022,
            window,
            {
                "receipt": "Receipt_Key",
                "order": "PO_Key",
                "line_key": "Line_Item_Key",
                "release_key": "Release_Key",
                "quantity": "Quantity",
                "received_at": "Receive_Date",
            },
        ),
        "release_write": DataSourceMap(
            2770,
            {
                "line_key": "Line_Item_Key",
                "release_key": "Release_Key",
                "note": "Note",
                "due": "Due_Date",
                "quantity": "Quantity",
                "status": "Release_Status",
            },
        ),
    }


Rows = list[dict[str, Any]]


@dataclass
class FakeSources:
    """Data sources by number; `asked` has the number and the inputs of each execution."""

    types: dict[str, str] = field(default_factory=lambda: {"PO_Key": "int32", "Line_Item_Key": "int32"})
    rows: dict[int, Callable[[Mapping[str, Any]], Rows]] = field(default_factory=dict)
    say: dict[int, Callable[[], httpx.Response]] = field(default_factory=dict)
    asked: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    metadata_read: list[int] = field(default_factory=list)
    limit: int = 1000
    flag: str = "rowLimitedExceeded"

    def serve(self) -> None:
        """One order with a line and a release, as `tests/plex/conftest.py` has it for the REST interfaces."""
        self.put(382, [{"Plexus_Customer_Code": "ACME"}])
        self.put(20, [{"PO_Status": "On Order", "On_Order": True}, {"PO_Status": "New", "On_Order": False}])
        self.put(2769, [{"Release_Status": "Firm", "Open": True, "Received": False}])
        self.put(126, [SUPPLIER])
        self.put(107, [ADDRESS])
        self.put(3827, [ORDER], by="PO_Key")
        self.put(6197, [LINE])
        self.put(6200, [RELEASE])
        for number in (19022, 21338, 2874):
            self.put(number, [{"PO_Key": 7001, "PO_No": "PO-o1"}])

    def put(self, number: int, rows: Rows, *, by: str = "") -> None:
        self.rows[number] = lambda inputs: [row for row in rows if not by or row[by] == inputs[by]]

    def calls(self, number: int) -> list[dict[str, Any]]:
        return [inputs for asked, inputs in self.asked if asked == number]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        _, _, _, number, *rest = request.url.path.split("/")
        source = int(number)
        if request.method == "GET":
            self.metadata_read.append(source)
            inputs = [{"name": name, "type": kind, "required": False} for name, kind in self.types.items()]
            return httpx.Response(200, json={"id": source, "name": "x", "inputs": inputs, "columns": []})
        assert rest == ["execute"]
        body = json.loads(request.content)
        inputs = body if request.url.params.get("format") == "2" else body["inputs"]
        self.asked.append((source, inputs))
        if source in self.say:
            return self.say[source]()
        rows = self.rows[source](inputs)
        columns = list(rows[0]) if rows else []
        columns += [name for each in tables().values() if each.id == source for name in each.columns.values()]
        columns = list(dict.fromkeys(columns)) if not rows else columns[: len(rows[0])]
        table = {
            "columns": columns,
            "rows": [[row[name] for name in columns] for row in rows[: self.limit]],
            self.flag: len(rows) > self.limit,
        }
        return httpx.Response(200, json={"outputs": {}, "tables": [table], "transactionNo": "12"})


@pytest.fixture
def make_sources(clock: StillClock) -> Iterator[Callable[..., tuple[FakeSources, PlexPort]]]:
    opened: list[PlexPort] = []

    def make(**more: Any) -> tuple[FakeSources, PlexPort]:
        fake = FakeSources()
        fake.serve()
        given = {"tables": tables(), "username": "ACME.webservice@plex.com", "company_code": "ACME"} | more
        settings = PlexSettings(api=Api.DATASOURCE, base_url="https://acme.example", **given)
        transport = httpx.MockTransport(fake)
        rng = random.Random(1)
        opened.append(connect_to_plex(settings, "a-very-secret-password", clock=clock, rng=rng, transport=transport))
        return fake, opened[-1]

    yield make
    for port in opened:
        port.close()


SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DATA = "{http://www.plexus-online.com/DataSource}"


def soap_text(value: Any) -> str:
    """A value as Classic writes it: everything is text, a missing value is an empty element."""
    if value is None:
        return ""
    return {True: "True", False: "False"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def soap_response(rows: Rows, outputs: Mapping[str, Any] = {}, error: str = "", row_count: int | None = None) -> str:
    def column(name: str, value: Any) -> str:
        return f"<Column><Name>{name}</Name><Value>{escape(soap_text(value))}</Value></Column>"

    body = "".join(f"<Row><Columns>{''.join(column(*each) for each in row.items())}</Columns></Row>" for row in rows)
    given = "".join(
        f"<OutputParameter><Name>@{name}</Name><Value>{escape(soap_text(value))}</Value></OutputParameter>"
        for name, value in outputs.items()
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'
        '<ExecuteDataSourceResponse xmlns="http://www.plexus-online.com/DataSource"><ExecuteDataSourceResult>'
        f"<StatusNo>0</StatusNo><Error>{'true' if error else 'false'}</Error><ErrorNo>200</ErrorNo>"
        f"<Message>{escape(error)}</Message><InstanceNo>123</InstanceNo><OutputParameters>{given}</OutputParameters>"
        f"<ResultSets><ResultSet><RowCount>{len(rows) if row_count is None else row_count}</RowCount>"
        f"<Rows>{body}</Rows></ResultSet></ResultSets>"
        "</ExecuteDataSourceResult></ExecuteDataSourceResponse></soap:Body></soap:Envelope>"
    )


def soap_fault(code: str, text: str = "no") -> httpx.Response:
    document = (
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body><soap:Fault><faultcode>soap:{code}</faultcode>'
        f"<faultstring>{text}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
    )
    return httpx.Response(500, text=document, headers={"Content-Type": "text/xml"})


@dataclass
class FakeSoap(FakeSources):
    """The same data sources over Classic SOAP; inputs arrive as texts."""

    outputs: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/DataSource/Service.asmx"
        assert request.headers["SOAPAction"] == '"http://www.plexus-online.com/DataSource/ExecuteDataSource"'
        assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
        root = ElementTree.fromstring(request.content)
        source = int(root.findtext(f".//{DATA}DataSourceKey") or 0)
        inputs = {
            each.findtext(f"{DATA}Name") or "": each.findtext(f"{DATA}Value") or ""
            for each in root.iter(f"{DATA}InputParameter")
        }
        self.asked.append((source, inputs))
        if source in self.say:
            return self.say[source]()
        # The rows compare keys as numbers.
        typed = {name: int(value) if name in self.types else value for name, value in inputs.items()}
        rows = self.rows[source](typed)
        return httpx.Response(200, text=soap_response(rows[: self.limit], self.outputs.get(source, {})))


@pytest.fixture
def make_soap(clock: StillClock) -> Iterator[Callable[..., tuple[FakeSoap, PlexPort]]]:
    opened: list[PlexPort] = []

    def make(**more: Any) -> tuple[FakeSoap, PlexPort]:
        fake = FakeSoap()
        fake.serve()
        given = {"tables": tables(), "username": "ACME.webservice@plex.com", "company_code": "ACME"} | more
        settings = PlexSettings(api=Api.SOAP, base_url="https://plex.example/DataSource/Service.asmx", **given)
        transport = httpx.MockTransport(fake)
        rng = random.Random(1)
        opened.append(connect_to_plex(settings, "a-very-secret-password", clock=clock, rng=rng, transport=transport))
        return fake, opened[-1]

    yield make
    for port in opened:
        port.close()
