"""The sandbox's Plex as a tenant has it that offers data sources alone: over JSON and over Classic SOAP.

Keys are integers, as Plex has them; the records are those of the sandbox's store.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.plex.records import ORDER_STATUSES, RELEASE_STATUSES, ReleaseAcknowledgement
from plexstedi.sandbox.plex.rows import day, day_there, stamp
from plexstedi.sandbox.plex.store import Place
from plexstedi.sandbox.server import Sandbox
from tests.plex.datasource.conftest import DATA, soap_response

Row = dict[str, Any]
Inputs = Mapping[str, Any]
INTEGERS = ("PO_Key", "Line_Item_Key", "Release_Key", "Release_No", "Acknowledgement_Type_Key")
TEXTS = (
    *("Supplier_No", "Acknowledged_Date", "Acknowledgement_Note", "Note", "Due_Date", "Quantity", "Release_Status"),
)


class SourceService:
    """The data sources; `asked` has the number and inputs of each call."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.asked: list[tuple[int, Inputs]] = []
        self.refused: set[int] = set()
        self.metadata_read = 0
        self._sources: dict[int, Callable[[Inputs], list[Row]]] = {
            382: lambda inputs: [{"Plexus_Customer_Code": sandbox.sample_data.tenant.code}],
            19022: lambda inputs: self._listed(inputs, created=False),
            21338: lambda inputs: self._listed(inputs, created=True),
            2874: lambda inputs: [self._named(each) for each in self._orders() if each.status == "On Order"],
            3827: lambda inputs: [self._order(each) for each in self._orders() if each.key == inputs["PO_Key"]],
            6197: lambda inputs: [self._line(place) for place in self._of(inputs) if self._is_line(place)],
            6200: lambda inputs: [self._release(place) for place in self._of(inputs) if place.release is not None],
            126: self._suppliers,
            107: self._addresses,
            20: lambda inputs: [
                {
                    "PO_Status": each.name,
                    "On_Order": each.on_order,
                    "Cancelled": each.cancelled,
                    "Received": each.received,
                }
                for each in ORDER_STATUSES
            ],
            2769: lambda inputs: [
                {
                    "Release_Status": each.name,
                    "Open": each.open,
                    "Cancelled": each.cancelled,
                    "Received": each.received,
                    "Forecast": each.forecast,
                    "Plan": each.plan_status,
                }
                for each in RELEASE_STATUSES
            ],
            2770: self._update_release,
            28809: self._acknowledge,
            16518: self._acknowledged,
        }

    def execute(self, source: int, inputs: Inputs) -> list[Row]:
        with self.sandbox.lock:
            self.asked.append((source, inputs))
            return self._sources[source](inputs)

    def _orders(self) -> list[Any]:
        return self.sandbox.plex.tenant.orders

    def _of(self, inputs: Inputs) -> list[Place]:
        store = self.sandbox.plex
        return [store.shown(each) for each in store.places.values() if each.order.key == inputs["PO_Key"]]

    @staticmethod
    def _is_line(place: Place) -> bool:
        return place.line is not None and place.release is None

    @staticmethod
    def _named(order: Any) -> Row:
        return {"PO_Key": order.key, "PO_No": order.number}

    def _listed(self, inputs: Inputs, *, created: bool) -> list[Row]:
        begin, end = (datetime.fromisoformat(inputs[name]) for name in ("Begin_Date", "End_Date"))

        def moments(order: Any) -> Iterator[datetime]:
            if created:
                yield order.created
                return
            yield order.modified
            for line in order.lines:
                yield line.modified
                yield from (release.modified for release in line.releases)

        return [self._named(each) for each in self._orders() if any(begin <= at <= end for at in moments(each))]

    @staticmethod
    def _order(order: Any) -> Row:
        return {
            "PO_Key": order.key,
            "PO_No": order.number,
            "Supplier_No": order.supplier.id,
            "Supplier_Address_No": order.supplier.addresses[0].id,
            "PO_Status": order.status,
            "PO_Date": stamp(order.ordered or order.created),
            "Add_Date": stamp(order.created),
            "Update_Date": stamp(order.modified),
            "Due_Date": day(order.due, local_midnight=True),
            "Currency": order.currency,
            "PO_Type": order.type,
            "Blanket": order.blanket,
            "Terms": order.terms,
            "Freight": order.freight_terms,
            "FOB": order.fob,
            "Ship_Via": order.ship_via,
            "Ship_To": order.ship_to,
            "Note": order.note,
        }

    @staticmethod
    def _line(place: Place) -> Row:
        line = place.line
        assert line is not None
        return {
            "Line_Item_Key": line.key,
            "Line_Item_No": line.number,
            "Status": line.status,
            "Unit": line.unit,
            "Order_Unit": line.order_unit,
            "Unit_Price": line.price,
            "Part_No": line.part.number if line.part else None,
            "Revision": line.part.revision if line.part else None,
            "Supplier_Part_No": line.supplier_part,
            "Manufacturer_Part_No": line.manufacturer_part,
            "Description": line.description,
            "Note": line.note,
            "Blanket_Quantity": line.blanket_quantity,
        }

    @staticmethod
    def _release(place: Place) -> Row:
        line, release = place.line, place.release
        assert line is not None
        assert release is not None
        return {
            "Line_Item_Key": line.key,
            "Release_Key": release.key,
            "Release_No": release.number,
            "Release_Status": release.status,
            "Quantity": release.quantity,
            "Due_Date": day(release.due, local_midnight=True),
            "Ship_To": release.ship_to or place.order.ship_to,
            "Note": release.note,
            "Update_Date": stamp(release.modified),
        }

    def _suppliers(self, inputs: Inputs) -> list[Row]:
        suppliers = self.sandbox.sample_data.tenant.suppliers
        return [{"Supplier_No": each.id, "Supplier_Code": each.code, "Name": each.name} for each in suppliers]

    def _addresses(self, inputs: Inputs) -> list[Row]:
        return [
            {
                "Supplier_No": supplier.id,
                "Address_No": each.id,
                "Street": each.street,
                "City": each.city,
                "State": each.state,
                "Zip": each.postal_code,
                "Country": each.country,
            }
            for supplier in self.sandbox.sample_data.tenant.suppliers
            if supplier.id == inputs["Supplier_No"]
            for each in supplier.addresses
        ]

    def _place(self, inputs: Inputs, key: str) -> Place:
        return next(
            each
            for each in self.sandbox.plex.places.values()
            if each.line is not None
            and each.release is not None
            and each.line.key == inputs["Line_Item_Key"]
            and getattr(each.release, "key" if key == "Release_Key" else "number") == inputs[key]
        )

    def _update_release(self, inputs: Inputs) -> list[Row]:
        store, place = self.sandbox.plex, self._place(inputs, "Release_Key")
        release = place.release
        assert release is not None
        store.release_written(place)
        before = {"note": release.note, "due": str(release.due), "quantity": str(release.quantity)}
        release.note = inputs.get("Note")
        release.due = day_there(datetime.fromisoformat(inputs["Due_Date"]))
        release.quantity = Decimal(str(inputs["Quantity"]))
        release.status = inputs["Release_Status"]
        release.modified = store.clock.now()
        after = {"note": release.note, "due": str(release.due), "quantity": str(release.quantity)}
        store.record_write("release", "Release", release.id, before, after)
        return []

    def _acknowledge(self, inputs: Inputs) -> list[Row]:
        store, place = self.sandbox.plex, self._place(inputs, "Release_No")
        assert place.release is not None
        store.add_acknowledgement(
            ReleaseAcknowledgement(
                key=len(store.acknowledgements) + 1,
                release_id=place.release.id,
                date=inputs["Acknowledged_Date"],
                note=inputs.get("Acknowledgement_Note"),
                type_key=int(inputs["Acknowledgement_Type_Key"]),
                source_key=2,
            )
        )
        return []

    def _acknowledged(self, inputs: Inputs) -> list[Row]:
        store = self.sandbox.plex
        found = [(each, store.places[each.release_id]) for each in store.acknowledgements]
        return [
            {
                "PO_Key": place.order.key,
                "Line_Item_Key": place.line.key,
                "Release_No": place.release.number,
                "Acknowledged_Date": each.date,
                "Note": each.note,
                "Acknowledgement_Type_Key": each.type_key,
            }
            for each, place in found
            if place.line is not None and place.release is not None and place.order.key == inputs["PO_Key"]
        ]

    def respond(self, method: str, path: str, query: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for one call."""
        if path.endswith("/Service.asmx"):
            root = ElementTree.fromstring(body)
            given = {
                each.findtext(f"{DATA}Name") or "": each.findtext(f"{DATA}Value") or ""
                for each in root.iter(f"{DATA}InputParameter")
            }
            inputs = {name: int(value) if name in INTEGERS else value for name, value in given.items()}
            rows = self.execute(int(root.findtext(f".//{DATA}DataSourceKey") or 0), inputs)
            return 200, "text/xml", soap_response(rows).encode()
        number = int(path.partition("/api/datasources/")[2].split("/")[0])
        if method == "GET":
            return self._metadata(number)
        document = json.loads(body, parse_float=Decimal)
        rows = self.execute(number, document if query else document["inputs"])
        if query:
            return _json({"outputs": {}, "rows": rows, "transactionNo": "7000001"})
        names = list(rows[0]) if rows else [each for table in COLUMNS.values() for each in table.values()]
        table = {"columns": names, "rows": [list(row.values()) for row in rows], "rowLimitedExceeded": False}
        return _json({"outputs": {}, "tables": [table], "transactionNo": "1"})

    def _metadata(self, number: int) -> tuple[int, str, bytes]:
        self.metadata_read += 1
        if number in self.refused:
            return _json({"errors": [{"code": "DATA_SOURCE_ACCESS_DENIED", "message": "no"}]}, 403)
        inputs = [{"name": name, "type": "int32"} for name in INTEGERS]
        inputs += [{"name": name, "type": "date"} for name in _WINDOW.values()]
        inputs += [{"name": name, "type": "string"} for name in TEXTS]
        columns = [{"name": name} for table in COLUMNS.values() for name in table.values()]
        return _json({"id": number, "name": f"Source_{number}", "inputs": inputs, "columns": columns})


COLUMNS = {
    "company": {"code": "Plexus_Customer_Code"},
    "changed_orders": {"order": "PO_Key", "number": "PO_No"},
    "created_orders": {"order": "PO_Key", "number": "PO_No"},
    "open_orders": {"order": "PO_Key", "number": "PO_No"},
    "order": {
        "order": "PO_Key", "number": "PO_No", "supplier": "Supplier_No",
        "supplier_address": "Supplier_Address_No", "status": "PO_Status",
        "order_date": "PO_Date", "created_at": "Add_Date", "modified_at": "Update_Date", "due": "Due_Date",
        "currency": "Currency", "type": "PO_Type", "blanket": "Blanket", "terms": "Terms",
        "freight_terms": "Freight", "fob": "FOB", "ship_via": "Ship_Via", "ship_to": "Ship_To", "note": "Note",
    },
    "lines": {
        "line_key": "Line_Item_Key", "line": "Line_Item_No", "status": "Status", "unit": "Unit",
        "order_unit": "Order_Unit", "price": "Unit_Price", "part": "Part_No", "revision": "Revision",
        "supplier_part": "Supplier_Part_No", "manufacturer_part": "Manufacturer_Part_No",
        "description": "Description", "note": "Note", "blanket_quantity": "Blanket_Quantity",
    },
    "releases": {
        "line_key": "Line_Item_Key", "release_key": "Release_Key", "release": "Release_No",
        "status": "Release_Status", "quantity": "Quantity", "due": "Due_Date", "ship_to": "Ship_To",
        "note": "Note", "modified_at": "Update_Date",
    },
    "suppliers": {"supplier": "Supplier_No", "code": "Supplier_Code", "name": "Name"},
    "addresses": {
        "supplier": "Supplier_No", "address": "Address_No", "street": "Street", "city": "City", "state": "State",
        "postal_code": "Zip", "country": "Country",
    },
    "order_statuses": {
        "status": "PO_Status", "onOrder": "On_Order", "cancelled": "Cancelled", "received": "Received",
    },
    "release_statuses": {
        "status": "Release_Status", "open": "Open", "cancelled": "Cancelled", "received": "Received",
        "forecast": "Forecast", "planStatus": "Plan",
    },
    "release_write": {},
    "acknowledgment_write": {},
    "acknowledgment_read": {
        "line_key": "Line_Item_Key", "release": "Release_No", "acknowledged_at": "Acknowledged_Date",
        "ack_note": "Note", "ack_status": "Acknowledgement_Type_Key",
    },
}  # fmt: skip
_WINDOW = {"begin": "Begin_Date", "end": "End_Date"}
_ORDER = {"order": "PO_Key"}
INPUTS = {
    "changed_orders": _WINDOW,
    "created_orders": _WINDOW,
    "order": _ORDER,
    "lines": _ORDER,
    "releases": _ORDER,
    "addresses": {"supplier": "Supplier_No"},
    "release_write": {
        "line_key": "Line_Item_Key",
        "release_key": "Release_Key",
        "note": "Note",
        "due": "Due_Date",
        "quantity": "Quantity",
        "status": "Release_Status",
    },
    "acknowledgment_write": {
        "line_key": "Line_Item_Key",
        "release": "Release_No",
        "acknowledged_at": "Acknowledged_Date",
        "ack_note": "Acknowledgement_Note",
        "ack_status": "Acknowledgement_Type_Key",
    },
    "acknowledgment_read": _ORDER,
}


def source_config(sandbox: Sandbox, url: str, api: str, write: str) -> str:
    """A complete configuration for this service."""
    text = config_text(sandbox, "connect", "report-only")
    tenant = sandbox.sample_data.tenant
    place = url if api == "datasource" else f"{url}/DataSource/Service.asmx"
    text = text.replace('api = "connect"', f'api = "{api}"').replace(f'"{sandbox.urls.plex_url}"', f'"{place}"', 1)
    text = text.replace('write = "report-only"\nlevel = "line"', f'write = "{write}"\nlevel = "release"')
    text = text.replace(f'tenant_id = "{tenant.id}"\n', "").replace(f'tenant_code = "{tenant.code}"\n', "")
    lines = [text, "[plex.auth]", f'username = "{sandbox.plex_settings.account}"', f'company_code = "{tenant.code}"']
    for name, columns in COLUMNS.items():
        lines += [
            f"[plex.datasources.{name}]",
            f"inputs = {_toml(INPUTS.get(name, {}))}",
            f"columns = {_toml(columns)}",
        ]
    lines += ["[plex.datasources.acknowledgment_write.values.ack_status]"]
    lines += ["confirmed = 1", "changed = 2", "backordered = 2", "rejected = 3"]
    return "\n".join(lines) + "\n"


def _toml(table: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{key} = "{value}"' for key, value in table.items()) + "}"


def _json(document: Mapping[str, Any], status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(document, default=float).encode()


@contextmanager
def serve(sandbox: Sandbox) -> Iterator[tuple[SourceService, str]]:
    """Serve the data sources on loopback; yields the service and its URL."""
    service = SourceService(sandbox)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, content = service.respond(self.command, path, query, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - named by the standard library

        def date_time_string(self, timestamp: float | None = None) -> str:
            return f"{sandbox.clock.now().astimezone(UTC):%a, %d %b %Y %H:%M:%S GMT}"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
