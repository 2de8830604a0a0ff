"""Classic SOAP over the same data sources: `ExecuteDataSource`, SOAP 1.1, every value a text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from xml.parsers import expat
from xml.sax.saxutils import escape

from plexstedi.decimal_json import Json
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.datasources import SOURCES, PlexDataSources, fits
from plexstedi.sandbox.plex.source import DataSourceError, Result, Source
from plexstedi.sandbox.web import Request, Response

SOAP_PATH = "/DataSource/Service.asmx"
_NAMESPACE = "http://www.plexus-online.com/DataSource"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_LARGEST = 1_000_000


class SoapFault(Exception):
    """A fault of the SOAP layer: `Client` or `Server`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PlexSoap:
    """The Classic service of the web service account."""

    def __init__(self, datasources: PlexDataSources) -> None:
        self._datasources = datasources
        self._instances = 9_000_000

    def knows(self, path: str) -> bool:
        """Whether a path is the service's."""
        return path.casefold() == SOAP_PATH.casefold()

    def respond(self, request: Request, fault: FaultRule | None = None) -> Response:
        """Handle one call."""
        if not self._datasources.admits(request):
            return Response(401, b"", {"WWW-Authenticate": 'Basic realm="Plex"'})
        self._instances += 1
        try:
            return _xml(200, self._executed(request, fault))
        except SoapFault as fault:
            body = (
                f"<soap:Fault><faultcode>soap:{fault.code}</faultcode>"
                f"<faultstring>{escape(str(fault))}</faultstring><detail/></soap:Fault>"
            )
            return _xml(500, body)

    def _executed(self, request: Request, fault: FaultRule | None) -> str:
        if request.method != "POST" or not request.headers.get("content-type", "").startswith("text/xml"):
            raise SoapFault("Client", "Server did not recognize the request: Content-Type must be text/xml.")
        action = request.headers.get("soapaction", "").strip('"')
        if action != f"{_NAMESPACE}/ExecuteDataSource":
            raise SoapFault("Client", f"Server did not recognize the value of HTTP Header SOAPAction: {action}.")
        key, given = _read(request.body)
        source = next((each for each in SOURCES if str(each.id) == key), None)
        if source is None:
            return self._result(None, key, "Data source not found.")
        kind = fault.kind if fault is not None else None
        if source.id not in self._datasources.service.settings.granted or kind is FaultKind.ACCESS_DENIED:
            return self._result(source, key, "You do not have access to this data source.")
        wrong, inputs = _typed(self._datasources.shown(source), given)
        if kind is FaultKind.ERRORS_WITH_200:
            wrong = "The data source could not be executed."
        if wrong is not None:
            return self._result(source, key, wrong)
        try:
            result, _ = self._datasources.carry_out(source, inputs, fault)
        except DataSourceError as error:
            return self._result(source, key, str(error))
        # The limit is not reported: a truncated result looks like a complete one.
        return self._result(source, key, None, result)

    def _result(self, source: Source | None, key: str, error: str | None, result: Result | None = None) -> str:
        outputs = "".join(
            f"<OutputParameter>{_element('Name', f'@{name}')}{_element('Value', _text(value))}</OutputParameter>"
            for name, value in (result.outputs if result is not None else {}).items()
        )
        rows = () if result is None else result.rows
        columns = () if source is None else tuple(name for name, _ in source.columns)
        content = "".join(f"<Row><Columns>{_columns(row, columns)}</Columns></Row>" for row in rows)
        sets = f"<ResultSet><RowCount>{len(rows)}</RowCount><Rows>{content}</Rows></ResultSet>" if columns else ""
        return (
            f'<ExecuteDataSourceResponse xmlns="{_NAMESPACE}"><ExecuteDataSourceResult>'
            f"<StatusNo>{0 if error is None else 1}</StatusNo><Error>{'false' if error is None else 'true'}</Error>"
            f"<ErrorNo>{200 if error is None else 500}</ErrorNo>{_element('Message', error or '')}"
            f"<InstanceNo>{self._instances}</InstanceNo>{_element('DataSourceKey', key)}"
            f"{_element('DataSourceName', '' if source is None else source.name)}"
            f"<OutputParameters>{outputs}</OutputParameters><ResultSets>{sets}</ResultSets>"
            "</ExecuteDataSourceResult></ExecuteDataSourceResponse>"
        )


def _columns(row: Mapping[str, Json], names: tuple[str, ...]) -> str:
    return "".join(
        f"<Column>{_element('Name', name)}{_element('Value', _text(row.get(name)))}</Column>" for name in names
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"


def _text(value: Json) -> str:
    if value is None:
        return ""
    return str(value) if not isinstance(value, Decimal) else f"{value:f}"


def _xml(status: int, content: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}">'
        f"<soap:Body>{content}</soap:Body></soap:Envelope>"
    )
    return Response(status, body.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def _read(body: bytes) -> tuple[str, dict[str, str]]:
    """The data source's number and the inputs as written. Raise SoapFault; a document type is refused."""
    if len(body) > _LARGEST:
        raise SoapFault("Client", "The request is too large.")
    parser = expat.ParserCreate(namespace_separator=" ")
    key: list[str] = []
    pairs: list[list[str]] = []
    path: list[str] = []

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name.removeprefix(f"{_NAMESPACE} "))
        if path[-1] == "InputParameter":
            pairs.append(["", ""])

    def text(content: str) -> None:
        if path[-2:] == ["ExecuteDataSourceRequest", "DataSourceKey"]:
            key.append(content)
        elif path[-2:] == ["InputParameter", "Name"]:
            pairs[-1][0] += content
        elif path[-2:] == ["InputParameter", "Value"]:
            pairs[-1][1] += content

    def doctype(*_: object) -> None:
        raise SoapFault("Client", "A document type declaration is not allowed.")

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda name: path.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise SoapFault("Client", f"Server was unable to read request: {error}") from None
    return "".join(key).strip(), {each[0]: each[1] for each in pairs}


def _typed(source: Source, given: Mapping[str, str]) -> tuple[str | None, dict[str, Json]]:
    """What is wrong with the inputs, or None, and the inputs. A name may begin with `@`; names are case-sensitive."""
    known = {each.name: each for each in source.inputs}
    inputs: dict[str, Json] = {}
    for written, text in given.items():
        each = known.get(written.removeprefix("@"))
        if each is None:
            return f"The parameter {written} was not found.", {}
        if not text:
            # An empty element is null here.
            continue
        value: Json = text
        try:
            value = int(text) if each.type == "int32" else Decimal(text) if each.type == "decimal" else text
        except (ValueError, InvalidOperation):
            return f"The parameter {written} is no {each.type}.", {}
        if not fits(value, each.type):
            return f"The parameter {written} is no {each.type}.", {}
        inputs[each.name] = value
    missing = next((each.name for each in source.inputs if each.required and each.name not in inputs), None)
    return (None if missing is None else f"The parameter {missing} is required."), inputs
