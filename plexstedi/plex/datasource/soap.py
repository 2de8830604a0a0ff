"""Client of Classic SOAP data sources: `ExecuteDataSource` over the same account, numbers and names (plex/README.md 3).

All values are texts. There is no metadata and no row-limit flag: as many rows as the limit count as truncated.
Names of parameters occur with and without `@`; they are sent as configured.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from decimal import Decimal

import httpx

from plexstedi.decimal_json import Json
from plexstedi.errors import RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Caller
from plexstedi.http.error_body import clean
from plexstedi.http.response import InconclusiveSend, ResponseForm, ServiceResponse
from plexstedi.plex.datasource.probe import whom_to_ask
from plexstedi.plex.datasource.soap_xml import NAMESPACE, BrokenSoapError, SoapResult, read_result, request_xml
from plexstedi.plex.port import NotWritten, WriteOutcome, WriteRefused, WriteUnknown, Written
from plexstedi.plex.writeback.datasources import (
    FoundSource,
    InputValue,
    SourceRows,
    business_failure,
    of_table,
    query_refused,
    row_limit_reached,
)

log = logging.getLogger("plexstedi.plex")

_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "SOAPAction": f'"{NAMESPACE}/ExecuteDataSource"',
}


def _is_fault(response: httpx.Response) -> bool:
    content = response.content
    return response.status_code == 500 and (b":Fault" in content or b"<Fault" in content)


def _is_client_fault(response: httpx.Response) -> bool:
    if not _is_fault(response):
        return False
    try:
        return read_result(response.content).fault_code == "Client"
    except BrokenSoapError:
        return False


SOAP_FORM = ResponseForm(is_json=False, is_response=_is_fault, is_final=_is_client_fault)


class SoapSources:
    """The data sources of one web service account, over SOAP. `path` is the service's, below the caller's base URL."""

    def __init__(self, caller: Caller, path: str, row_limits: Mapping[int, int]) -> None:
        self._caller = caller
        self._path = path
        self._row_limits = row_limits

    def metadata(self, source: int, table: str = "") -> None:
        """None: this interface has no metadata."""
        return

    def search(self, name: str) -> tuple[FoundSource, ...]:
        """Nothing: this interface has no search."""
        return ()

    def read(self, source: int, inputs: Mapping[str, InputValue]) -> tuple[Mapping[str, Json], ...]:
        """All rows for these inputs. Raise ServiceRefused, ServiceUnavailable (also if the row limit is reached)."""
        found = self.execute(source, inputs, "")
        if found.is_truncated or len(found.rows) >= self._row_limits.get(source, 1000):
            raise row_limit_reached(source)
        return found.rows

    def execute(self, source: int, inputs: Mapping[str, InputValue], table: str) -> SourceRows:
        """The rows for these inputs, complete or not. `table` is our name, for messages.

        Raise ServiceRefused if Plex refuses the account or the query (Error = true, a Client fault),
        ServiceUnavailable for a Server fault or a response that is not SOAP.
        """
        try:
            response = self._call(source, inputs, self._caller.search)
        except ValueError as error:
            raise query_refused(source, str(error)) from error
        except RequestRejected as error:
            fault = ServiceRefused(error.message, fix="Check plex.base_url: it must be the service's address.")
            raise of_table(source, table, fault) from error
        except (ServiceRefused, ServiceUnavailable) as error:
            raise of_table(source, table, error) from error
        try:
            result = self._result(source, response)
        except (ServiceRefused, ServiceUnavailable) as error:
            raise of_table(source, table, error) from error
        failure = self._failure(result)
        if failure is not None:
            refused = query_refused(source, failure)
            # SOAP states a missing grant in words only, as it does any other refusal.
            refused.fix = f"{refused.fix} If they are right, the account may lack the grant. {whom_to_ask(source)}"
            raise of_table(source, table, refused)
        rows = response.scrub([dict(row) for row in result.rows])
        assert isinstance(rows, list)
        found = tuple(row for row in rows if isinstance(row, Mapping))
        stated = result.values.get("RowCount", "")
        missing = stated.isascii() and stated.isdigit() and int(stated[:18]) > len(found)
        columns = frozenset(str(name) for row in found for name in row) if found else None
        return SourceRows(found, columns, missing, columns_are_texts=True)

    def write(self, source: int, inputs: Mapping[str, InputValue]) -> WriteOutcome:
        """Execute one write; never sent twice.

        Raise ServiceRefused or ServiceUnavailable if no call of this form can succeed; nothing was written then.
        """
        try:
            response = self._call(source, inputs, self._caller.post)
        except ValueError as error:
            return WriteRefused(str(error))
        except InconclusiveSend as error:
            return WriteUnknown(error.message) if error.maybe_processed else NotWritten(error.message)
        except RequestRejected as error:
            return WriteRefused("; ".join((error.message, *error.details[:3])))
        try:
            result = read_result(response.body)
        except BrokenSoapError as error:
            return WriteUnknown(f"Plex answered data source {source} with {error}")
        if result.fault_code is not None and result.fault_code != "Client":
            return WriteUnknown(f"Plex failed on data source {source}: {self._shown(result.fault_text)}")
        if result.fault_code == "Client":
            raise self._client_fault(result)
        failure = self._failure(result)
        number = self._shown(result.values.get("InstanceNo", ""))[:40] or None
        return Written(number) if failure is None else WriteRefused(failure, number)

    def _call(
        self, source: int, inputs: Mapping[str, InputValue], call: Callable[..., ServiceResponse]
    ) -> ServiceResponse:
        body = request_xml(source, {name: _as_text(value) for name, value in inputs.items()})
        return call(self._path, body=body, headers=_HEADERS)

    def _result(self, source: int, response: ServiceResponse) -> SoapResult:
        """The response to a read, without a fault."""
        try:
            result = read_result(response.body)
        except BrokenSoapError as error:
            raise ServiceUnavailable(
                f"Plex answered {self._path} with {error}",
                fix="Check plex.base_url, any proxy and the service's status page; the next run tries again.",
                code="no-soap",
            ) from error
        if (number := result.values.get("InstanceNo")) is not None:
            # Plex lists calls by this number.
            log.info("Plex data source %s: instance %s", source, number[:40])
        if result.fault_code == "Client":
            raise self._client_fault(result)
        if result.fault_code is not None:
            raise ServiceUnavailable(
                f"Plex failed on {self._path}: soap:{self._shown(result.fault_code)}: {self._shown(result.fault_text)}",
                fix="The next run tries again. If it persists, contact Plex Customer Care.",
            )
        return result

    def _client_fault(self, result: SoapResult) -> ServiceRefused:
        return ServiceRefused(
            f"Plex refused the form of the request: soap:Client: {self._shown(result.fault_text)}",
            fix="Compare numbers and names in [plex.datasources] with Plex, and plex.base_url with the service's "
            "address.",
            code="question-refused",
        )

    def _failure(self, result: SoapResult) -> str | None:
        """Why Plex did not execute it: `Error`, or `Result_Error` of the outputs; None if it did."""
        if result.values.get("Error", "").casefold() not in ("", "false", "0"):
            return self._shown(result.values.get("Message", "")) or "Error, without a message"
        found = business_failure({"outputs": {**result.outputs}})
        return None if found is None else self._shown(found)

    def _shown(self, text: str) -> str:
        return clean(str(self._caller.scrubbed(text)))


def _as_text(value: InputValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
