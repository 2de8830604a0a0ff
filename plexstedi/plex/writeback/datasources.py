"""Client of Plex's data sources over JSON: execution and metadata (plex/README.md 2).

HTTP Basic authentication with the web service account, which also determines the company. Input and column names are
case-sensitive and differ between a Get and its Update, so they are configured; `check` compares them with the metadata.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeAlias

from msgspec import Struct, field

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller
from plexstedi.http.response import InconclusiveSend, Refusal, ServiceResponse
from plexstedi.plex.port import NotWritten, WriteOutcome, WriteRefused, WriteUnknown, Written

log = logging.getLogger("plexstedi.plex")

InputValue: TypeAlias = str | int | bool | Decimal

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_ROW_LIMIT_FLAGS = ("rowLimitedExceeded", "rowLimitExceeded", "limitExceeded")
"""The same flag in the three spellings of Plex's documentation (plex/README.md 2.2)."""
_SETUP_CODES = (
    "DATA_SOURCE_INPUT_NOT_FOUND",
    "DATA_SOURCE_INPUT_REQUIRED",
    "DATA_SOURCE_INPUT_TYPE_MISMATCH",
    "DATA_SOURCE_INPUT_NOT_NULLABLE",
    "DATA_SOURCE_INPUT_NOT_ACCESSIBLE",
    "DATA_SOURCE_NOT_FOUND",
    "DATA_SOURCE_OBJECT_NOT_FOUND",
)
"""Error codes that every call with the same names would get: a wrong configuration, not a bad record."""


def datasource_refusal(renewal: str = "run `plexstedi credentials set plex-password`") -> Refusal:
    """Causes and fix of a 401 or 403 of the data sources; `renewal`: the fix text for the password."""
    return Refusal(
        causes="the web service account or its password is wrong, or it has no grant for this data source",
        fix=f"Check plex.auth.username; with the right password {renewal}. Grants are in Plex under"
        ' "Web Service Access By User Account"; data sources that are not self-serviceable need a case with Plex'
        " Customer Care.",
    )


def basic_headers(username: str, password: str) -> Mapping[str, str]:
    """HTTP Basic, the only authentication scheme of data sources; UTF-8 before Base64 (plex/README.md 2.1)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


class Metadata(Struct, frozen=True):
    """Name, inputs and columns of a data source."""

    name: str
    inputs: Mapping[str, bool]
    """By input: whether it is required."""
    columns: frozenset[str]
    types: Mapping[str, str] = field(default_factory=dict)
    """By input: its type in Plex, such as `int32`; empty if Plex states none."""


class FoundSource(Struct, frozen=True):
    """A data source that the account may use."""

    id: int
    name: str


class Key(str):
    """A key of Plex, kept as text. It is sent back as an integer where that is the input's type."""


class SourceRows(Struct, frozen=True):
    """The rows of one execution. `columns`: all names that Plex returned; None if no row shows them."""

    rows: tuple[Mapping[str, Json], ...]
    columns: frozenset[str] | None
    is_truncated: bool
    columns_are_texts: bool = False
    """Over SOAP: all values are texts, and no flag reports a reached row limit."""


class AnySources(Protocol):
    """Execution of data sources, over JSON or SOAP."""

    def execute(self, source: int, inputs: Mapping[str, InputValue], table: str) -> SourceRows: ...

    def read(self, source: int, inputs: Mapping[str, InputValue]) -> tuple[Mapping[str, Json], ...]: ...

    def write(self, source: int, inputs: Mapping[str, InputValue]) -> WriteOutcome: ...

    def metadata(self, source: int, table: str = "") -> Metadata | None: ...

    def search(self, name: str) -> tuple[FoundSource, ...]: ...


class DataSources:
    """The data sources of one web service account."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._metadata: dict[int, Metadata] = {}

    def metadata(self, source: int, table: str = "") -> Metadata:
        """The data source's metadata, read once. Raise ServiceRefused if it does not exist or is not granted."""
        if source not in self._metadata:
            try:
                self._metadata[source] = self._read_metadata(source)
            except (ServiceRefused, ServiceUnavailable) as error:
                raise of_table(source, table, error) from error
        return self._metadata[source]

    def _read_metadata(self, source: int) -> Metadata:
        try:
            response = self._caller.get(f"/{source}")
        except RequestRejected as error:
            raise _no_such(source, error) from error
        document = response.json()
        if not isinstance(document, Mapping):
            raise _unreadable(response)
        return Metadata(
            name=_text(document.get("name")) or str(source),
            inputs={
                name: one.get("required") is True
                for one in _records(document.get("inputs"))
                if (name := _text(one.get("name"))) is not None
            },
            columns=frozenset(
                name for one in _records(document.get("columns")) if (name := _text(one.get("name"))) is not None
            ),
            types={
                name: _text(one.get("type")) or ""
                for one in _records(document.get("inputs"))
                if (name := _text(one.get("name"))) is not None
            },
        )

    def search(self, name: str) -> tuple[FoundSource, ...]:
        """The data sources with this in their name that the account may use, by number. Raise ServiceRefused."""
        try:
            response = self._caller.get("/search", [("name", name)])
        except RequestRejected as error:
            raise ServiceRefused(error.message, fix="Check plex.base_url.", code="question-refused") from error
        listed = response.json()
        found = [
            FoundSource(number, _text(one.get("name")) or str(number))
            for one in _records(listed)
            if isinstance(number := one.get("id"), int) and not isinstance(number, bool)
        ]
        return tuple(sorted(found, key=lambda each: each.id))

    def read(self, source: int, inputs: Mapping[str, InputValue]) -> tuple[Mapping[str, Json], ...]:
        """All rows for these inputs.

        Raise ServiceRefused if Plex rejects the query, ServiceUnavailable if it truncated the rows (row limit) or there
        is no readable response.
        """
        found = self._rows_of(source, inputs, "", "2")
        if found.is_truncated:
            raise row_limit_reached(source)
        return found.rows

    def execute(self, source: int, inputs: Mapping[str, InputValue], table: str) -> SourceRows:
        """The rows for these inputs, in the response's format, complete or not. `table` is our name, for messages.

        Raise ServiceRefused if Plex rejects the query or has not granted the data source, ServiceUnavailable if there
        is no readable response.
        """
        # Format 1 names its columns even without rows, and where a value is null.
        return self._rows_of(source, inputs, table, "1")

    def _rows_of(self, source: int, inputs: Mapping[str, InputValue], table: str, form: str) -> SourceRows:
        try:
            response = self._execute(source, inputs, self._caller.search, form)
            document = response.json()
            if not isinstance(document, Mapping):
                raise _unreadable(response)
            failure = _stated_errors(document) or business_failure(document)
            if failure is not None:
                raise query_refused(source, failure)
            rows, columns = _rows(document, response)
        except RequestRejected as error:
            raise of_table(source, table, _query_rejected(source, error)) from error
        except (ServiceRefused, ServiceUnavailable) as error:
            raise of_table(source, table, error) from error
        return SourceRows(rows, columns, _is_truncated(document))

    def write(self, source: int, inputs: Mapping[str, InputValue]) -> WriteOutcome:
        """Execute one write; never sent twice. Business errors come as 200 with Result_Error (plex/README.md 2.3).

        Raise ServiceRefused or ServiceUnavailable if no call of this form can succeed; nothing was written then.
        """
        try:
            response = self._execute(source, inputs, self._caller.post)
        except InconclusiveSend as error:
            return WriteUnknown(error.message) if error.maybe_processed else NotWritten(error.message)
        except RequestRejected as error:
            if error.status == 404 or any(detail.startswith(_SETUP_CODES) for detail in error.details):
                raise _query_rejected(source, error) from error
            return WriteRefused("; ".join((error.message, *error.details[:3])))
        try:
            document = response.json() if response.body.strip() else {}
        except ServiceUnavailable as error:
            return WriteUnknown(error.message)
        if not isinstance(document, Mapping):
            return WriteUnknown(f"Plex's data source {source} answered with something other than a result")
        failure = _stated_errors(document) or business_failure(document)
        number = _transaction(document)
        return Written(number) if failure is None else WriteRefused(failure, number)

    def _execute(
        self, source: int, inputs: Mapping[str, InputValue], call: Callable[..., ServiceResponse], form: str = "2"
    ) -> ServiceResponse:
        body: Json = {name: self._typed(source, name, value) for name, value in inputs.items()}
        if form == "1":
            path, body = f"/{source}/execute", {"inputs": body}
        else:
            path = f"/{source}/execute?format=2"
        response = call(path, body=dumps(body).encode(), headers=_JSON)
        number = _transaction(response.json() if response.body.strip() else None)
        if number is not None:
            # Plex lists calls by this number (screen "Data Source API Transactions").
            log.info("Plex data source %s: transaction %s", source, number)
        return response

    def _typed(self, source: int, name: str, value: InputValue) -> InputValue:
        """A key as the integer that it is in Plex, if it is one; other values unchanged."""
        if not isinstance(value, Key):
            return value
        is_whole = self.metadata(source).types.get(name, "").casefold().startswith("int")
        return int(value) if is_whole and _WHOLE.fullmatch(value) else str(value)


def _transaction(document: Json) -> str | None:
    number = document.get("transactionNo") if isinstance(document, Mapping) else None
    return str(number)[:40] if isinstance(number, str | int) and str(number).strip() else None


def row_limit_reached(source: int, table: str = "", moment: str = "") -> ServiceUnavailable:
    """The fault for rows that Plex left out: nothing of the result may be used."""
    called = f"{source} ([plex.datasources.{table}])" if table else f"{source}"
    return ServiceUnavailable(
        f"Plex's data source {called} has more rows than it returns at once{moment}: some were omitted, none are used",
        fix="Limit the result by more inputs or constants in [plex.datasources], or ask Plex Customer Care for a data "
        "source with a higher row limit.",
        code="row-limit",
    )


def query_refused(source: int, failure: str) -> ServiceRefused:
    """The fault for a query that Plex processed and refused."""
    return ServiceRefused(
        f"Plex's data source {source} refused the request: {failure}",
        fix="Compare its inputs in [plex.datasources] with Plex.",
        code="question-refused",
    )


def of_table(
    source: int, table: str, error: ServiceRefused | ServiceUnavailable
) -> ServiceRefused | ServiceUnavailable:
    """A refusal or a missing response, with the table and number that it concerns.

    The end of the run's time concerns no table.
    """
    message = f"[plex.datasources.{table}], data source {source}: "
    if not table or error.code == "time-limit" or error.message.startswith(message):
        return error
    kind = ServiceRefused if isinstance(error, ServiceRefused) else ServiceUnavailable
    return kind(message + error.message, fix=error.fix, code=error.code)


def _stated_errors(document: Mapping[str, Json]) -> str | None:
    """The errors that a response with status 200 states at its top level; None if there are none."""
    found = [
        ": ".join(part for part in (_text(one.get("code")), _text(one.get("message"))) if part) or "an error"
        for one in _records(document.get("errors"))
    ]
    return "; ".join(found[:3]) or None


def business_failure(document: Mapping[str, Json]) -> str | None:
    """The message of a set `Result_Error`; None without an error. The names occur with and without `@`."""
    outputs = document.get("outputs")
    found = {
        name.lstrip("@").casefold(): value for name, value in (outputs.items() if isinstance(outputs, Mapping) else ())
    }
    failed = found.get("result_error")
    if failed is None or str(failed).strip().casefold() in ("", "0", "false"):
        return None
    return _text(found.get("result_message")) or "Result_Error, without a message"


def _is_truncated(document: Mapping[str, Json]) -> bool:
    tables = _records(document.get("tables"))
    return any(
        str(table.get(flag)).casefold() in ("true", "1") for table in (document, *tables) for flag in _ROW_LIMIT_FLAGS
    )


def _rows(
    document: Mapping[str, Json], response: ServiceResponse
) -> tuple[tuple[Mapping[str, Json], ...], frozenset[str] | None]:
    """Rows and columns of format 2, or of the first table of format 1, whichever the response has."""
    rows = document.get("rows")
    if isinstance(rows, Sequence) and not isinstance(rows, str):
        found = tuple(_records(rows))
        if len(found) != len(rows):
            raise _unreadable(response)
        return found, frozenset(name for row in found for name in row) if found else None
    for table in _records(document.get("tables")):
        columns, values = table.get("columns"), table.get("rows")
        if isinstance(columns, Sequence) and isinstance(values, Sequence):
            names = [str(column) for column in columns]
            if any(isinstance(row, str) or not isinstance(row, Sequence) or len(row) != len(names) for row in values):
                raise _unreadable(response)
            return tuple(dict(zip(names, row, strict=True)) for row in values if isinstance(row, Sequence)), frozenset(
                names
            )
    raise _unreadable(response)


def _records(document: Json) -> Collection[Mapping[str, Json]]:
    if isinstance(document, str) or not isinstance(document, Sequence):
        return ()
    return [each for each in document if isinstance(each, Mapping)]


def _text(document: Json) -> str | None:
    return document if isinstance(document, str) and document else None


def _unreadable(response: ServiceResponse) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"Plex answered {response.path} with something other than a data source's result",
        fix="Check plex.datasource_url; the next run tries again.",
    )


def _no_such(source: int, error: RequestRejected) -> ServiceRefused:
    return ServiceRefused(
        "; ".join((error.message, *error.details[:3])),
        fix=f"Check the number {source} in [plex.datasources], and plex.datasource_url.",
        code="wrong-path",
    )


def _query_rejected(source: int, error: RequestRejected) -> ServiceRefused:
    return ServiceRefused(
        "; ".join((error.message, *error.details[:3])),
        fix=f"Correct in [plex.datasources] what Plex reports for data source {source}; the next run continues.",
        code="question-refused",
    )
