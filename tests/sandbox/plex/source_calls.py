"""Calls of the sandbox's data sources over JSON and SOAP, with the right account unless told otherwise."""

from __future__ import annotations

import base64
import re

import httpx

from plexstedi.decimal_json import Json, dumps
from tests.sandbox.conftest import Caller

CONTENT = {"Content-Type": "application/json; charset=utf-8"}
SOAP = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": '"http://www.plexus-online.com/DataSource/ExecuteDataSource"',
}


def account(caller: Caller, password: str | None = None) -> dict[str, str]:
    settings = caller.sandbox.plex_settings
    pair = f"{settings.account}:{settings.account_password if password is None else password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def execute(caller: Caller, source: int, inputs: Json, *, form: str = "") -> httpx.Response:
    body = inputs if form else {"inputs": inputs}
    return caller.plex_http.post(
        f"/api/datasources/{source}/execute{form}", content=dumps(body), headers=account(caller) | CONTENT
    )


def soap(caller: Caller, source: int, more: str = "", doctype: str = "", **inputs: str) -> httpx.Response:
    given = "".join(
        f"<dat:InputParameter><dat:Name>@{name}</dat:Name><dat:Value>{value}</dat:Value></dat:InputParameter>"
        for name, value in inputs.items()
    )
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>{doctype}'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:dat="http://www.plexus-online.com/DataSource"><e:Body><dat:ExecuteDataSource>'
        f"<dat:ExecuteDataSourceRequest><dat:DataSourceKey>{source}</dat:DataSourceKey>"
        f"<dat:InputParameters>{given}{more}</dat:InputParameters></dat:ExecuteDataSourceRequest>"
        "</dat:ExecuteDataSource></e:Body></e:Envelope>"
    )
    return caller.plex_http.post("/DataSource/Service.asmx", content=body.encode(), headers=account(caller) | SOAP)


def value(response: httpx.Response, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", response.text)
    return "" if found is None else found[1]
