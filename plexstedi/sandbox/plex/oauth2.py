"""The `oauth2` dialect: bearer tokens, snake_case, paging, custom fields on orders and lines."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlencode

from plexstedi.decimal_json import BrokenJsonError, Json
from plexstedi.sandbox.plex import custom_fields
from plexstedi.sandbox.plex import rest as plex
from plexstedi.sandbox.plex.rest import PlexCall, PlexService, not_found, plex_error, refuse
from plexstedi.sandbox.plex.rows import Row, Value, dump, line_row, snake_row, supplier_row
from plexstedi.sandbox.plex.store import Place
from plexstedi.sandbox.web import HttpError, Request, Response, Routes, json_response, raw_json_response

TOKEN_PATH = "/oauth2/token"


class PlexOAuth2:
    """The `oauth2` dialect over the same PlexService."""

    def __init__(self, service: PlexService, base_url: Callable[[], str]) -> None:
        self.service = service
        self._base_url = base_url
        self._tokens: dict[str, datetime] = {}
        self.routes: Routes[PlexCall] = Routes()
        lists: dict[str, Callable[..., list[Row]]] = {
            "/tenants": plex.tenants,
            "/purchase-orders/{id}/line-items": _lines,
            "/purchase-order-statuses": plex.order_statuses,
            "/purchase-order-types": plex.order_types,
            "/purchase-order-releases": plex.releases,
            "/release-statuses": plex.release_statuses,
            "/purchase-order-release-statuses": plex.release_statuses,
            "/receipts": plex.receipts,
            "/suppliers": plex.suppliers,
            "/suppliers/{id}/addresses": plex.addresses,
            "/parts": plex.parts,
            "/ar-invoices": plex.invoices,
            "/ap-invoices": lambda call: [],
            "/purchase-orders": _orders,
        }
        for pattern, read in lists.items():
            self.routes.add("GET", pattern, self._lister(read))
        ones: dict[str, Callable[..., Row]] = {
            "/purchase-orders/{id}": _order,
            "/purchase-orders/{id}/line-items/{line}": _line,
            "/purchase-order-releases/{id}": plex.release,
            "/suppliers/{id}": lambda call, each: supplier_row(plex.find_supplier(call, each)),
            "/parts/{id}": plex.part,
            "/ar-invoices/{id}": plex.invoice,
        }
        for pattern, read_one in ones.items():
            self.routes.add("GET", pattern, _reader(read_one))
        self.routes.add("PATCH", "/purchase-orders/{id}", _patch_order)
        self.routes.add("PUT", "/purchase-order-releases/{id}", _put_release)

    def token(self, request: Request, *, without_token: bool) -> Response:
        """The token endpoint: client credentials in the form or by HTTP Basic."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client_id, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, 400)
        settings = self.service.settings
        if (client_id, secret) != (settings.client_id, settings.client_secret) or self.service.lapsed:
            return json_response({"error": "invalid_client"}, 401)
        now = self.service.clock.now()
        token = hashlib.sha256(f"{len(self._tokens)}|{now.isoformat()}".encode()).hexdigest()
        self._tokens[token] = now + settings.token_lifetime
        body: dict[str, Json] = {"token_type": "Bearer", "expires_in": int(settings.token_lifetime.total_seconds())}
        return json_response(body if without_token else {"access_token": token, **body})

    def revoke_tokens(self) -> None:
        """Invalidate all issued tokens."""
        self._tokens.clear()

    def respond(self, request: Request, *, default_tenant: bool, ignored: str) -> Response:
        """Handle one call. Raise HttpError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expires = self._tokens.get(token)
        if scheme != "Bearer" or expires is None or expires <= self.service.clock.now() or self.service.lapsed:
            plex.not_authenticated()
        self.service.check_subscription(request.path)
        self.service.throttle()
        found = self.routes.find(request.method, request.path)
        if found is None:
            not_found()
        handler, parameters = found
        store = self.service.other if default_tenant else self.service.store
        try:
            return handler(PlexCall(request, store, "snake", ignored), *parameters)
        except custom_fields.CustomFieldError as error:
            refuse(str(error))
        except BrokenJsonError:
            raise HttpError(plex_error(400, "REQUEST_MALFORMED", "The request body is not valid JSON.")) from None

    def _lister(self, read: Callable[..., list[Row]]) -> Callable[..., Response]:
        def handler(call: PlexCall, *parameters: str) -> Response:
            rows = read(call, *parameters)
            page = call.request.one("page")
            start = int(page) * self.service.settings.page_size if page is not None and page.isdigit() else 0
            end = start + self.service.settings.page_size
            following: str | None = None
            if end < len(rows):
                query = [(key, value) for key, value in call.request.query if key != "page"]
                query.append(("page", str(end // self.service.settings.page_size)))
                following = f"{self._base_url()}{call.request.path}?{urlencode(query)}"
            data: list[Value] = [snake_row(row) for row in rows[start:end]]
            return raw_json_response(dump({"data": data, "next": following}))

        return handler


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return unquote(name), unquote(secret)


def _reader(read: Callable[..., Row]) -> Callable[..., Response]:
    def handler(call: PlexCall, *parameters: str) -> Response:
        return raw_json_response(dump(snake_row(read(call, *parameters))))

    return handler


def _orders(call: PlexCall) -> list[Row]:
    return [_with_custom(call, row, Place(call.store.places[str(row["id"])].order)) for row in plex.orders(call)]


def _order(call: PlexCall, order_id: str) -> Row:
    return _with_custom(call, plex.order(call, order_id), plex.order_place(call, order_id))


def _lines(call: PlexCall, order_id: str) -> list[Row]:
    return [_with_custom(call, line_row(place), place) for place in plex.lines(call, order_id)]


def _line(call: PlexCall, order_id: str, line_id: str) -> Row:
    return _with_custom(call, plex.line(call, order_id, line_id), call.store.places[line_id])


def _with_custom(call: PlexCall, row: Row, place: Place) -> Row:
    return {**row, "custom_fields": plex.custom_values(call.store, place)}


def _put_release(call: PlexCall, release_id: str) -> Response:
    body = call.request.json()
    if not isinstance(body, Mapping):
        refuse("The request body must be an object.")
    names = {"due_date": "dueDate", "po_ship_to": "poShipTo", "firm_days": "firmDays", "plan_days": "planDays"}
    spelt: Json = {names.get(key, key): value for key, value in body.items()}
    return raw_json_response(dump(snake_row(plex.update_release(call, release_id, spelt))))


def _patch_order(call: PlexCall, order_id: str) -> Response:
    """Save custom fields of an order and its lines: everything, or nothing with a 400."""
    place, body = plex.order_place(call, order_id), call.request.json()
    if not isinstance(body, Mapping) or not set(body) <= {"custom_fields", "lines"}:
        refuse("Only custom_fields and lines may be patched.")
    saves: list[tuple[str, str, Mapping[str, Json]]] = []
    header, lines = body.get("custom_fields", {}), body.get("lines", [])
    if not isinstance(header, Mapping) or not isinstance(lines, list):
        refuse("custom_fields must be an object, lines an array.")
    if header:
        saves.append((custom_fields.ORDER.name, order_id, custom_fields.check_values(custom_fields.ORDER.name, header)))
    own = {line.id for line in place.order.lines}
    for entry in lines:
        values = entry.get("custom_fields") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(values, Mapping) or entry.get("id") not in own:
            refuse("Each line needs the id of a line of this order, and custom_fields.")
        checked = custom_fields.check_values(custom_fields.LINE.name, values)
        saves.append((custom_fields.LINE.name, str(entry["id"]), checked))
    for object_name, record_id, values in saves:
        call.store.save_custom("order-patch", object_name, record_id, values)
    return raw_json_response(dump(snake_row(_order(call, order_id))))
