"""Client of Plex's data sources over JSON: execution and metadata (plex/README.md 2).

HTTP Basic authentication with the web service account, which also determines the company. Input and column names are
case-sensitive and differ between a Get and its Update, so they are configured; `check` compares them with the metadata.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller
from plexstedi.http.response import InconclusiveSend, Refusal, ServiceResponse
from plexstedi.plex.port import NotWritten, WriteOutcome, WriteRefused, WriteUnknown, Written

log = logging.getLogger("plexstedi.plex")

InputValue: TypeAlias = str | int | bool | Decimal

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


@dataclass(frozen=True)
class Metadata:
    """Name, inputs and columns of a data source."""

    name: str
    inputs: Mapping[str, bool]
    """By input: whether it is required."""
    columns: frozenset[str]


class DataSources:
    """The data sources of one web service account."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def metadata(self, source: int) -> Metadata:
        """The data source's metadata. Raise ServiceRefused if it does not exist or is not granted."""
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
        )

    def read(self, source: int, inputs: Mapping[str, InputValue]) -> tuple[Mapping[str, Json], ...]:
        """All rows for these inputs.

        Raise ServiceRefused if Plex rejects the query or truncated the rows (row limit), ServiceUnavailable if there is
        no readable response.
        """
        try:
            response = self._execute(source, inputs, self._caller.search)
        except RequestRejected as error:
            raise _query_rejected(source, error) from error
        document = response.json()
        if not isinstance(document, Mapping):
            raise _unreadable(response)
        failure = _business_failure(document)
        if failure is not None:
            raise ServiceRefused(
                f"Plex's data source {source} refused the request: {failure}",
                fix="Compare its inputs in [plex.datasources] with Plex.",
                code="question-refused",
            )
        if _is_truncated(document):
            raise ServiceRefused(
                f"Plex's data source {source} has more rows than it returns at once: some were omitted",
                fix="Add inputs in [plex.datasources] that limit the result.",
                code="row-limit",
            )
        return _rows(document, response)

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
        failure = _business_failure(document)
        return Written() if failure is None else WriteRefused(failure)

    def _execute(
        self, source: int, inputs: Mapping[str, InputValue], call: Callable[..., ServiceResponse]
    ) -> ServiceResponse:
        body: Json = dict(inputs)
        response = call(f"/{source}/execute?format=2", body=dumps(body).encode(), headers=_JSON)
        document = response.json() if response.body.strip() else None
        number = document.get("transactionNo") if isinstance(document, Mapping) else None
        if number is not None:
            # Plex lists calls by this number (screen "Data Source API Transactions").
            log.info("Plex data source %s: transaction %s", source, str(number)[:40])
        return response


def _business_failure(document: Mapping[str, Json]) -> str | None:
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
    return any(table.get(flag) is True for table in (document, *tables) for flag in _ROW_LIMIT_FLAGS)


def _rows(document: Mapping[str, Json], response: ServiceResponse) -> tuple[Mapping[str, Json], ...]:
    """The rows of format 2, or of the first table of format 1 if Plex ignores `format`."""
    rows = document.get("rows")
    if isinstance(rows, Sequence) and not isinstance(rows, str):
        return tuple(_records(rows))
    for table in _records(document.get("tables")):
        columns, values = table.get("columns"), table.get("rows")
        if isinstance(columns, Sequence) and isinstance(values, Sequence):
            names = [str(column) for column in columns]
            return tuple(
                dict(zip(names, row, strict=True))
                for row in values
                if isinstance(row, Sequence) and not isinstance(row, str) and len(row) == len(names)
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
