"""The `connect` dialect: versioned collections, API key and tenant header, bare arrays, no paging."""

from __future__ import annotations

from collections.abc import Callable

from plexstedi.decimal_json import BrokenJsonError, Json, dumps
from plexstedi.sandbox.plex import custom_fields
from plexstedi.sandbox.plex import rest as plex
from plexstedi.sandbox.plex.rest import PlexCall, PlexService, not_authenticated, not_found, plex_error, refuse
from plexstedi.sandbox.plex.rows import Value, dump, line_row, supplier_row
from plexstedi.sandbox.plex.store import PlexStore
from plexstedi.sandbox.web import HttpError, Request, Response, Routes, raw_json_response

_FIELDS = "/platform/custom-fields/v1"
_IDENTITIES = "/platform/identity-mappings/v1"


class PlexConnect:
    """The `connect` dialect over a PlexService."""

    def __init__(self, service: PlexService) -> None:
        self.service = service
        self.routes: Routes[PlexCall] = Routes()
        self._reads: dict[str, Callable[..., Value]] = {
            "/mdm/v1/tenants": plex.tenants,
            "/purchasing/v1/purchase-orders": plex.orders,
            "/purchasing/v1/purchase-orders/{id}": plex.order,
            "/purchasing/v1/purchase-orders/{id}/line-items": lambda call, order_id: [
                line_row(place) for place in plex.lines(call, order_id)
            ],
            "/purchasing/v1/purchase-orders/{id}/line-items/{line}": plex.line,
            "/purchasing/v1/purchase-order-statuses": plex.order_statuses,
            "/purchasing/v1/purchase-order-types": plex.order_types,
            "/purchasing/v1/release-statuses": plex.release_statuses,
            "/purchasing/v2-beta1/releases": plex.releases,
            "/purchasing/v2-beta1/releases/{id}": plex.release,
            "/purchasing/v1/receipts": plex.receipts,
            "/purchasing/v1/approved-suppliers": plex.approved_suppliers,
            "/mdm/v1/suppliers": plex.suppliers,
            "/mdm/v1/suppliers/{id}": lambda call, each: supplier_row(plex.find_supplier(call, each)),
            "/mdm/v1/suppliers/{id}/addresses": plex.addresses,
            "/mdm/v1/parts": plex.parts,
            "/mdm/v1/parts/{id}": plex.part,
            "/accounting/v1/ar-invoices": plex.invoices,
            "/accounting/v1/ar-invoices/{id}": plex.invoice,
        }
        for pattern, read in self._reads.items():
            self.routes.add("GET", pattern, _reader(read))
        self.routes.add("PUT", "/purchasing/v2-beta1/releases/{id}", _put_release)
        self.routes.add("GET", f"{_FIELDS}/standard-objects", _standard_objects)
        self.routes.add("GET", f"{_FIELDS}/field-definitions", _field_definitions)
        self.routes.add("POST", f"{_FIELDS}/field-values/save", _save_fields)
        self.routes.add("POST", f"{_FIELDS}/field-values/validate", _validate_fields)
        self.routes.add("POST", f"{_FIELDS}/field-values/search", _search_fields)
        self.routes.add("POST", f"{_IDENTITIES}/ids-to-keys", _ids_to_keys)
        self.routes.add("POST", f"{_IDENTITIES}/keys-to-ids", _keys_to_ids)

    def knows(self, path: str) -> bool:
        """Whether a path belongs to a Connect collection, implemented or not."""
        return path.startswith(("/mdm/", "/purchasing/", "/platform/", "/accounting/", "/inventory/", "/edi/"))

    def respond(self, request: Request, *, default_tenant: bool, ignored: str) -> Response:
        """Handle one call. Raise HttpError."""
        store = self._authenticate(request, default_tenant=default_tenant)
        self.service.throttle()
        found = self.routes.find(request.method, self._path(request.path))
        if found is None:
            not_found()
        handler, parameters = found
        try:
            return handler(PlexCall(request, store, "camel", ignored), *parameters)
        except custom_fields.CustomFieldError as error:
            refuse(str(error))
        except BrokenJsonError:
            raise HttpError(plex_error(400, "REQUEST_MALFORMED", "The request body is not valid JSON.")) from None

    def _path(self, path: str) -> str:
        """The path that the routes know. Raise a 404 for a collection that is at another version only."""
        for old, new in self.service.settings.moved.items():
            if path == old or path.startswith(old + "/"):
                not_found()
            if path == new or path.startswith(new + "/"):
                return old + path.removeprefix(new)
        return path

    def _authenticate(self, request: Request, *, default_tenant: bool) -> PlexStore:
        key = request.headers.get("x-plex-connect-api-key")
        tenant_id = request.headers.get("x-plex-connect-tenant-id")
        pcn = request.headers.get("x-plex-connect-customer-id")
        if key != self.service.settings.api_key or self.service.lapsed:
            not_authenticated()  # Plex does not distinguish unknown, expired and missing keys.
        secret = self.service.settings.api_secret
        if secret is not None and request.headers.get("x-plex-connect-api-secret") != secret:
            not_authenticated()
        self.service.check_subscription(request.path)
        if tenant_id is not None and pcn is not None:
            refuse("Send either X-Plex-Connect-Tenant-Id or X-Plex-Connect-Customer-Id.")
        if default_tenant or (tenant_id is None and pcn is None):
            return self.service.other
        return self.service.tenant_store(tenant_id, pcn)


def _reader(read: Callable[..., Value]) -> Callable[..., Response]:
    def handler(call: PlexCall, *parameters: str) -> Response:
        return raw_json_response(dump(read(call, *parameters)))

    return handler


def _json(value: Json) -> Response:
    return raw_json_response(dumps(value).encode())


def _put_release(call: PlexCall, release_id: str) -> Response:
    return raw_json_response(dump(plex.update_release(call, release_id, call.request.json())))


def _standard_objects(call: PlexCall) -> Response:
    name = call.request.one("standardObjectName")
    return _json([each.as_json() for each in custom_fields.OBJECTS if name in (None, each.name)])


def _field_definitions(call: PlexCall) -> Response:
    owner, name = call.request.one("standardObjectName"), call.request.one("fieldName")
    return _json(
        [each.as_json() for each in custom_fields.FIELDS if owner in (None, each.object) and name in (None, each.name)]
    )


def _save_fields(call: PlexCall) -> Response:
    for save in custom_fields.parse_saves(call.store, call.request.json()):
        call.store.save_custom("custom-fields", save.object, save.record_id, save.values)
    return Response(200)


def _validate_fields(call: PlexCall) -> Response:
    custom_fields.parse_saves(call.store, call.request.json())
    return Response(200)


def _search_fields(call: PlexCall) -> Response:
    return _json(custom_fields.search(call.store, call.request.json()))


def _ids_to_keys(call: PlexCall) -> Response:
    return _json(custom_fields.ids_to_keys(call.store, call.request.json()))


def _keys_to_ids(call: PlexCall) -> Response:
    return _json(custom_fields.keys_to_ids(call.store, call.request.json()))
