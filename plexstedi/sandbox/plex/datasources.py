"""Data sources over JSON: HTTP Basic authentication, grants, strict names and types, row limits."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.decimal_json import BrokenJsonError, Json
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.filters import read_moment
from plexstedi.sandbox.plex.invoice_sources import INVOICE_CARRY_OUT, INVOICE_SOURCES
from plexstedi.sandbox.plex.order_sources import CARRY_OUT, ORDER_SOURCES
from plexstedi.sandbox.plex.records import ReleaseAcknowledgement
from plexstedi.sandbox.plex.rest import PlexService
from plexstedi.sandbox.plex.source import CarryOut, DataSourceError, Input, Result, Source
from plexstedi.sandbox.plex.store import Place, PlexStore
from plexstedi.sandbox.web import HttpError, Request, Response, json_response

PREFIX = "/api/datasources"
CUSTOMER_CODE, ADD, GET, DATE = 382, 28809, 16518, 231084
_CLOSED = ("Cancelled", "Received")


SOURCES = (
    Source(
        CUSTOMER_CODE, "Plexus_Customer_Name_Code_Get", (), (),
        (("Plexus_Customer_Name", "string"), ("Plexus_Customer_Code", "string")),
    ),
    Source(
        ADD, "Release_Acknowledgement_Add",
        (
            Input("Line_Item_Key", "int32", required=True),
            Input("Release_No", "int32", required=True),
            Input("Acknowledged_Date", "date", required=True),
            Input("Acknowledgement_Note", "string"),
            Input("Acknowledgement_Type_Key", "int32", required=True),
            Input("Acknowledgement_Source_Key", "int32", nullable=True),
        ),
        (("Release_Acknowledgement_Key", "int32"), ("Result_Error", "bool"), ("Result_Message", "string")),
        (),
    ),
    Source(
        GET, "PO_Releases_Acknowledgement_Get",
        (
            Input("PO_Key", "int32"),
            Input("Line_Item_Key", "int32"),
            Input("Release_No", "int32"),
            Input("Acknowledged_Date_Begin", "date"),
            Input("Acknowledged_Date_End", "date"),
            Input("Acknowledgement_Type_Key", "int32"),
        ),
        (),
        (
            ("PO_Key", "int32"), ("PO_No", "string"), ("Line_Item_Key", "int32"), ("Line_Item_No", "int32"),
            ("Release_No", "int32"), ("Release_Acknowledgement_Key", "int32"), ("Acknowledged_By", "int32"),
            ("Acknowledged_Date", "date"), ("Note", "string"), ("Acknowledgement_Type_Key", "int32"),
            ("Acknowledgement_Type", "string"), ("Acknowledgement_Source_Key", "int32"), ("EDI_Key", "int32"),
            ("Line_Item_Acknowledgement_Key", "int32"),
        ),
    ),
    Source(DATE, "Customer_Date_UTC_Get", (), (("Customer_Date", "date"),), ()),
    *ORDER_SOURCES,
    *INVOICE_SOURCES,
)  # fmt: skip
_OLDER = frozenset(each.id for each in (*ORDER_SOURCES, *INVOICE_SOURCES))
"""Data sources whose dates are texts if `text_dates` is set."""
_TYPE_NAMES = {1: "Accepted", 2: "Accepted with changes", 3: "Rejected"}
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?Z")


class PlexDataSources:
    """The data sources of the web service account, which belongs to the configured tenant."""

    def __init__(self, service: PlexService) -> None:
        self.service = service
        self._transactions = 7_000_000
        self._carry_out: dict[int, CarryOut] = {
            **CARRY_OUT,
            **INVOICE_CARRY_OUT,
            CUSTOMER_CODE: _customer_code,
            ADD: _add,
            GET: _get,
            **INVOICE_CARRY_OUT,
            DATE: lambda store, inputs: Result({"Customer_Date": f"{store.clock.now():%Y-%m-%dT%H:%M:%SZ}"}),
        }

    def knows(self, path: str) -> bool:
        """Whether a path is a data source path."""
        return path == PREFIX or path.startswith(PREFIX + "/")

    def respond(self, request: Request, fault: FaultRule | None = None) -> Response:
        """Handle one call. Raise HttpError."""
        self._transactions += 1
        try:
            return self._respond(request, fault)
        except DataSourceError as error:
            body: Json = {
                "errors": [{"code": error.code, "message": str(error)}],
                "transactionNo": str(self._transactions),
            }
            raise HttpError(json_response(body, error.status)) from None

    def admits(self, request: Request) -> bool:
        """Whether the call has the account and its password, and they are still valid."""
        settings = self.service.settings
        return account_of(request) == (settings.account, settings.account_password) and not self.service.lapsed

    def shown(self, source: Source) -> Source:
        """The data source as its metadata shows it: dates are texts if `text_dates` is set."""
        if self.service.settings.text_dates is None or source.id not in _OLDER:
            return source
        columns = tuple((name, "string" if kind == "date" else kind) for name, kind in source.columns)
        inputs = tuple(replace(each, type="string") if each.type == "date" else each for each in source.inputs)
        return replace(source, inputs=inputs, columns=columns)

    def _respond(self, request: Request, fault: FaultRule | None) -> Response:
        settings = self.service.settings
        if not self.admits(request):
            raise DataSourceError(401, "USER_ACCESS_DENIED", "User access denied.")
        rest = request.path.removeprefix(PREFIX).strip("/").split("/")
        if rest == ["search"] and request.method == "GET":
            wanted = (request.one("name") or "").lower()
            granted = [each for each in SOURCES if each.id in settings.granted and wanted in each.name.lower()]
            return json_response([{"id": each.id, "name": each.name, "description": ""} for each in granted])
        source = next((each for each in SOURCES if rest[0] == str(each.id)), None)
        if source is None:
            raise DataSourceError(404, "DATA_SOURCE_NOT_FOUND", f"The data source '{rest[0]}' was not found.")
        if source.id not in settings.granted or _is(fault, FaultKind.ACCESS_DENIED):
            message = f"You do not have access to data source '{source.id}'."
            raise DataSourceError(403, "DATA_SOURCE_ACCESS_DENIED", message)
        if rest[1:] == [] and request.method == "GET":
            return json_response(self.shown(source).as_json())
        if rest[1:] != ["execute"]:
            raise DataSourceError(404, "DATA_SOURCE_OBJECT_NOT_FOUND", "Not found.")
        if request.method != "POST":
            raise DataSourceError(405, "METHOD_NOT_ALLOWED", "Method not allowed.")
        return self._execute(request, source, fault)

    def carry_out(
        self, source: Source, inputs: Mapping[str, Json], fault: FaultRule | None = None
    ) -> tuple[Result, bool]:
        """The result with at most as many rows as the source's limit, and whether there were more.

        Raise DataSourceError for a text that is not a date.
        """
        settings = self.service.settings
        if _is(fault, FaultKind.RESULT_ERROR):
            return Result({"Result_Error": True, "Result_Message": "The record is locked by another user."}), False
        if _is(fault, FaultKind.NO_ROWS):
            return Result({}), False
        if fault is not None and _is(fault, FaultKind.IGNORED_FILTER):
            inputs = {name: value for name, value in inputs.items() if not re.search(fault.filter or ".", name)}
        form = settings.text_dates if source.id in _OLDER else None
        if form is not None:
            inputs = {name: _from_text(source, name, value, form) for name, value in inputs.items()}
        store = self.service.other if _is(fault, FaultKind.DEFAULT_TENANT) else self.service.store
        result = self._carry_out[source.id](store, inputs)
        limit = 1 if _is(fault, FaultKind.ROW_LIMIT) else settings.row_limits.get(source.id, source.limit)
        rows = result.rows[:limit]
        if form is not None:
            dated = {name for name, kind in source.columns if kind == "date"}
            rows = tuple({name: _as_text(v, form) if name in dated else v for name, v in row.items()} for row in rows)
        return Result(result.outputs, rows), len(result.rows) > limit

    def _execute(self, request: Request, source: Source, fault: FaultRule | None) -> Response:
        inputs = _inputs(request, self.shown(source))
        number = str(self._transactions)
        if _is(fault, FaultKind.ERRORS_WITH_200):
            errors: Json = [{"code": "REQUEST_PROCESSING_ERROR", "message": "The data source could not be executed."}]
            return json_response({"errors": errors, "transactionNo": number})
        result, exceeded = self.carry_out(source, inputs, fault)
        name, in_tables = self.service.settings.row_limit_flag, self.service.settings.row_limit_flag_in_tables
        if fault is not None and fault.kind is FaultKind.ROW_LIMIT and fault.filter:
            name, in_tables = fault.filter.removeprefix("tables."), fault.filter.startswith("tables.")
        flag: dict[str, Json] = {name: exceeded}
        if request.one("format") == "2":
            # Nulls are left out of rows that are objects.
            rows: list[Json] = [{k: v for k, v in row.items() if v is not None} for row in result.rows]
            return json_response({"outputs": dict(result.outputs), "rows": rows, "transactionNo": number, **flag})
        columns = [name for name, _ in source.columns]
        table: dict[str, Json] = {
            "columns": list(columns),
            "rows": [[row.get(c) for c in columns] for row in result.rows],
        }
        body: dict[str, Json] = {
            "outputs": dict(result.outputs),
            "tables": [table | (flag if in_tables else {})],
            "transactionNo": number,
        }
        return json_response(body | ({} if in_tables else flag))


def _is(fault: FaultRule | None, kind: FaultKind) -> bool:
    return fault is not None and fault.kind is kind


def _as_text(value: Json, form: str) -> Json:
    moment = read_moment(value) if isinstance(value, str) else None
    return value if moment is None else moment.strftime(form)


def _from_text(source: Source, name: str, value: Json, form: str) -> Json:
    """The value of a date's input, given as text, as the sources keep dates. Raise DataSourceError."""
    if value is None or all(each.type != "date" for each in source.inputs if each.name == name):
        return value
    try:
        moment = datetime.strptime(str(value), form).replace(tzinfo=UTC)
    except ValueError:
        raise DataSourceError(
            400, "DATA_SOURCE_INPUT_FORMAT_INVALID", f"The input '{name}' is not in a correct format."
        ) from None
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def account_of(request: Request) -> tuple[str, str] | None:
    """User and password of HTTP Basic authentication; None if there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if scheme == "Basic" else None


def _inputs(request: Request, source: Source) -> Mapping[str, Json]:
    """The inputs of a call, with names and types checked. Raise DataSourceError."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise DataSourceError(400, "DATA_SOURCE_INPUT_FORMAT_INVALID", "Content-Type must be application/json.")
    try:
        body = request.json() if request.body else {}
    except BrokenJsonError:
        raise DataSourceError(400, "DATA_SOURCE_INPUT_FORMAT_INVALID", "The body is not valid JSON.") from None
    given = body if request.one("format") == "2" else (body.get("inputs", {}) if isinstance(body, Mapping) else None)
    if not isinstance(given, Mapping):
        raise DataSourceError(400, "DATA_SOURCE_INPUT_FORMAT_INVALID", "The inputs must be an object.")
    known = {each.name: each for each in source.inputs}
    for name, value in given.items():
        each = known.get(name)
        if each is None:
            raise DataSourceError(400, "DATA_SOURCE_INPUT_NOT_FOUND", f"The input '{name}' was not found.")
        if value is None and not each.nullable:
            raise DataSourceError(400, "DATA_SOURCE_INPUT_NOT_NULLABLE", f"The input '{name}' is not nullable.")
        if value is not None and not fits(value, each.type):
            raise DataSourceError(400, "DATA_SOURCE_INPUT_TYPE_MISMATCH", f"The input '{name}' is no {each.type}.")
    for each in source.inputs:
        if each.required and each.name not in given:
            raise DataSourceError(400, "DATA_SOURCE_INPUT_REQUIRED", f"The input '{each.name}' is required.")
    return given


def fits(value: Json, kind: str) -> bool:
    """Whether a value has a data source's type."""
    match kind:
        case "int32":
            return isinstance(value, int) and not isinstance(value, bool)
        case "decimal":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _MOMENT.fullmatch(value) is not None
        case _:
            return isinstance(value, str)


def _customer_code(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    return Result({}, ({"Plexus_Customer_Name": store.tenant.name, "Plexus_Customer_Code": store.tenant.code},))


def _add(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    """Add a record, even if an equal one exists: data sources have no idempotency key."""
    place = _release_of(store, inputs)
    if place is None or place.release is None:
        return _failed("The release does not exist.")
    if place.release.status in _CLOSED:
        return _failed(f"The release is {place.release.status.lower()}.")
    note = inputs.get("Acknowledgement_Note")
    if isinstance(note, str) and len(note) > 500:
        return _failed("The note is too long.")
    record = ReleaseAcknowledgement(
        key=len(store.acknowledgements) + 1,
        release_id=place.release.id,
        date=str(inputs["Acknowledged_Date"]),
        note=note if isinstance(note, str) else None,
        type_key=int(str(inputs["Acknowledgement_Type_Key"])),
        source_key=inputs.get("Acknowledgement_Source_Key"),
    )
    store.add_acknowledgement(record)
    return Result({"Release_Acknowledgement_Key": record.key, "Result_Error": False, "Result_Message": None})


def _failed(message: str) -> Result:
    return Result({"Release_Acknowledgement_Key": None, "Result_Error": True, "Result_Message": message})


def _release_of(store: PlexStore, keys: Mapping[str, Json]) -> Place | None:
    for place in store.places.values():
        if place.line is not None and place.release is not None:
            own = (place.line.key, place.release.number)
            if own == (keys["Line_Item_Key"], keys["Release_No"]):
                return place
    return None


def _get(store: PlexStore, inputs: Mapping[str, Json]) -> Result:
    rows = []
    for record in store.acknowledgements:
        place = store.places.get(record.release_id)
        if place is None or place.line is None or place.release is None or not store.shows_record(record):
            continue
        row: dict[str, Json] = {
            "PO_Key": place.order.key,
            "PO_No": place.order.number,
            "Line_Item_Key": place.line.key,
            "Line_Item_No": place.line.number,
            "Release_No": place.release.number,
            "Release_Acknowledgement_Key": record.key,
            "Acknowledged_By": 1,
            "Acknowledged_Date": record.date,
            "Note": record.note,
            "Acknowledgement_Type_Key": record.type_key,
            "Acknowledgement_Type": _TYPE_NAMES.get(record.type_key, "Other"),
            "Acknowledgement_Source_Key": record.source_key,
            "EDI_Key": None,
            "Line_Item_Acknowledgement_Key": None,
        }
        if all(row[name] == value for name, value in inputs.items() if name in row):
            rows.append(row)
    return Result({}, tuple(rows))
