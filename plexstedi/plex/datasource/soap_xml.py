"""The XML of Classic SOAP data sources: requests as text, responses parsed as a stream (plex/README.md 3).

Responses are parsed by the standard library's expat with a handler that refuses any document type at its first
character, before an entity can be declared: then there are no entities to expand and no files or addresses to load.
defusedxml does the same, but for tree parsers; a stream of rows needs no tree, so it would be a dependency for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

from msgspec import Struct, field

NAMESPACE = "http://www.plexus-online.com/DataSource"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_UNSENDABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 60
_LONGEST_ATTRIBUTE = 10_000
_VALUE_OWNERS = ("Column", "OutputParameter")
_RESULT = ("StatusNo", "Error", "ErrorNo", "Message", "InstanceNo", "RowCount")


class BrokenSoapError(ValueError):
    """A response that is not a readable SOAP envelope, or that has a document type or an excessive size."""


class SoapResult(Struct):
    """One response of ExecuteDataSource, or a fault. All values are texts."""

    fault_code: str | None = None
    """`Client` or `Server`, without its prefix; None: no fault."""
    fault_text: str = ""
    values: dict[str, str] = field(default_factory=dict)
    """`Error`, `ErrorNo`, `Message`, `InstanceNo` and the like."""
    outputs: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    """The rows of the first result set."""
    result_sets: int = 0
    has_result: bool = False


def request_xml(source: int, inputs: Mapping[str, str]) -> bytes:
    """The envelope that executes a data source. Raise ValueError for a value that XML cannot carry."""
    for name, value in inputs.items():
        if (odd := _UNSENDABLE.search(f"{name}{value}")) is not None:
            raise ValueError(f"{name} has the character U+{ord(odd.group()):04X}, which XML cannot carry")
    parameters = "".join(
        f"<dat:InputParameter><dat:Name>{escape(name)}</dat:Name><dat:Value>{_text(value)}</dat:Value>"
        "<dat:Required>false</dat:Required><dat:Output>false</dat:Output></dat:InputParameter>"
        for name, value in inputs.items()
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" xmlns:dat="{NAMESPACE}"><soapenv:Header/><soapenv:Body>'
        f"<dat:ExecuteDataSource><dat:ExecuteDataSourceRequest><dat:DataSourceKey>{source}</dat:DataSourceKey>"
        f"<dat:InputParameters>{parameters}</dat:InputParameters>"
        "</dat:ExecuteDataSourceRequest></dat:ExecuteDataSource></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _text(value: str) -> str:
    # A bare carriage return would reach the service as a line feed.
    return escape(value, {"\r": "&#13;"})


def read_result(body: bytes) -> SoapResult:
    """Parse a response. Raise BrokenSoapError; in time proportional to the size, whatever it contains."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.EntityDeclHandler = _refuse_document_type
    parser.ExternalEntityRefHandler = _refuse_document_type
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise BrokenSoapError(f"broken XML ({error})") from error
    if not reader.is_envelope or not (reader.result.has_result or reader.result.fault_code is not None):
        raise BrokenSoapError("no SOAP envelope with a result")
    return reader.result


def _refuse_document_type(name: object, *_: object) -> NoReturn:
    if isinstance(name, str) and name.casefold() == "html":
        raise BrokenSoapError("an HTML page, not SOAP: a log-in page, a proxy's, or that of a wrong address")
    raise BrokenSoapError("a document type, which a SOAP message must not have; it was not read")


class _Reader:
    """Collects the parts of a response while it is parsed."""

    def __init__(self) -> None:
        self.result = SoapResult()
        self.is_envelope = False
        self._path: list[str] = []
        self._pieces: list[str] = []
        self._name = ""
        self._value = ""
        self._row: dict[str, str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._path:
            self.is_envelope = tag == f"{_ENVELOPE} Envelope"
        if len(self._path) >= _DEEPEST:
            raise BrokenSoapError("elements nested too deeply")
        if any(len(value) > _LONGEST_ATTRIBUTE for value in attributes.values()):
            raise BrokenSoapError(f"an attribute of {name[:40]} that is longer than {_LONGEST_ATTRIBUTE} characters")
        self._path.append(name)
        self._pieces = []
        if name == "ResultSet":
            self.result.result_sets += 1
        elif name == "Row":
            self._row = {}
        elif name in _VALUE_OWNERS:
            self._name = self._value = ""
        elif name == "ExecuteDataSourceResult":
            self.result.has_result = True
        elif name == "Fault" and self._path[-2:-1] == ["Body"]:
            self.result.fault_code = ""

    def data(self, text: str) -> None:
        self._pieces.append(text)

    def end(self, tag: str) -> None:
        name = self._path.pop()
        owner = self._path[-1] if self._path else ""
        text = "".join(self._pieces)
        self._pieces = []
        if owner in _VALUE_OWNERS and name == "Name":
            self._name = text.strip()
        elif owner in _VALUE_OWNERS and name == "Value":
            self._value = text
        elif name == "Column" and self._row is not None:
            self._row[self._name] = self._value
        elif name == "OutputParameter":
            self.result.outputs[self._name] = self._value
        elif name == "Row" and self._row is not None:
            if self.result.result_sets == 1:
                self.result.rows.append(self._row)
            self._row = None
        elif owner == "Fault" and name == "faultcode":
            self.result.fault_code = text.strip().rpartition(":")[2]
        elif owner == "Fault" and name == "faultstring":
            self.result.fault_text = text.strip()
        elif name in _RESULT and owner in ("ExecuteDataSourceResult", "ResultSet"):
            self.result.values.setdefault(name, text.strip())
