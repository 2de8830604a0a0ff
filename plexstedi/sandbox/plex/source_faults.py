"""Responses of the simulated Plex that no correct service gives, and which data source a call executes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from plexstedi.decimal_json import Json, dumps, loads
from plexstedi.sandbox.faults import FaultKind
from plexstedi.sandbox.web import Request, Response, raw_json_response

_OVER_JSON = re.compile(r"/api/datasources/(\d{1,9})(/execute)?")
_OVER_SOAP = re.compile(rb"<(?:\w+:)?DataSourceKey>\s*(\d{1,9})\s*</")
_ATTRIBUTE = 5_000_000


def executed_source(request: Request) -> int | None:
    """The number of the data source that a call is about, in its path or SOAP request; None if none."""
    over_json = _OVER_JSON.fullmatch(request.path)
    if over_json is not None:
        return int(over_json[1])
    over_soap = _OVER_SOAP.search(request.body) if request.path.casefold().endswith(".asmx") else None
    return int(over_soap[1]) if over_soap is not None else None


def hostile_xml(kind: FaultKind) -> Response:
    """An envelope that harms a reader which takes document types, or attributes of any length."""
    names = [chr(ord("a") + level) for level in range(20)]
    doctype, value, attribute = "", "1", ""
    if kind is FaultKind.XML_BOMB:
        pairs = zip(names[1:], names, strict=False)
        entities = "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for name, inner in pairs)
        doctype, value = f'<!DOCTYPE x [<!ENTITY a "ha">{entities}]>', f"&{names[-1]};"
    elif kind is FaultKind.EXTERNAL_ENTITY:
        doctype, value = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>', "&a;"
    else:
        attribute = f' note="{"x" * _ATTRIBUTE}"'
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>{doctype}'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<ExecuteDataSourceResponse xmlns="http://www.plexus-online.com/DataSource"><ExecuteDataSourceResult>'
        f"<Error>false</Error><ResultSets><ResultSet><RowCount>1</RowCount><Rows><Row{attribute}><Columns><Column>"
        f"<Name>PO_Key</Name><Value>{value}</Value></Column></Columns></Row></Rows></ResultSet></ResultSets>"
        "</ExecuteDataSourceResult></ExecuteDataSourceResponse></soap:Body></soap:Envelope>"
    )
    return Response(200, body.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def without_rows(response: Response) -> Response:
    """A list of the REST interfaces without its rows; another response as it is."""
    if response.status != 200 or not response.body:
        return response
    document = loads(response.body)
    emptied: Json = document
    if isinstance(document, list):
        emptied = []
    elif isinstance(document, Mapping) and "data" in document:
        emptied = {"data": [], "next": None}
    return raw_json_response(dumps(emptied).encode())
