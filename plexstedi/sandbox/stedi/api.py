"""Stedi's API over a StediStore: keys, idempotency, sending, polling, listing, documents, retries, preflight."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.filters import read_moment
from plexstedi.sandbox.stedi import views
from plexstedi.sandbox.stedi.api_keys import KEYS_PATH, ApiKeysApi
from plexstedi.sandbox.stedi.idempotency import IdempotencyBook
from plexstedi.sandbox.stedi.records import Execution, GeneratedDocument, Outgoing, Transaction
from plexstedi.sandbox.stedi.send import (
    bad_request,
    find_partnership,
    not_there,
    parse_create,
    parse_generate,
    stedi_error,
)
from plexstedi.sandbox.stedi.store import StediStore
from plexstedi.sandbox.stedi.x12 import X12Error
from plexstedi.sandbox.web import HttpError, Request, Response, Routes, body_object, json_response

BASE_PATH = "/2023-08-01"
WITHHELD = timedelta(seconds=15)
"""Polling withholds items younger than this."""


class StediSettings(Struct):
    """The settings of the simulated Stedi."""

    api_keys: set[str] = field(default_factory=lambda: {"sandbox1.stedi-made-up-key"})
    """The valid keys; two during a rotation."""
    preflight: bool = True
    """Whether partnerships and settings may be read; if not, 403, as with many real keys."""
    return_edi: bool = True
    """Whether generate-edi returns the optional `edi`."""
    delivery_delay: timedelta = timedelta(seconds=1)


class StediApi:
    """Handles requests below `BASE_PATH`."""

    def __init__(self, store: StediStore, settings: StediSettings, base_url: Callable[[], str]) -> None:
        self.store, self.settings, self._base_url = store, settings, base_url
        self.keys = IdempotencyBook(store.clock)
        self.api_keys = ApiKeysApi(lambda: settings.api_keys, store.clock)
        self.routes: Routes[None] = Routes()
        partnership = "/x12/partnerships/{partnership}"
        for method, pattern, handler in (
            ("POST", f"{partnership}/generate-edi", self._generate),
            ("POST", "/partnerships/{partnership}/transactions/{setting}", self._create),
            ("GET", "/polling/transactions", self._poll_transactions),
            ("GET", "/polling/executions", self._poll_executions),
            ("GET", "/transactions", self._list_transactions),
            ("GET", "/transactions/{id}", self._get_transaction),
            ("GET", "/transactions/{id}/(?P<which>(?:input|output)(?:-url)?)", self._transaction_document),
            ("GET", "/executions", self._list_executions),
            ("POST", "/executions/retry", self._retry),
            ("GET", "/executions/{id}", self._get_execution),
            ("GET", "/executions/{id}/faults", self._faults),
            ("GET", "/executions/{id}/transactions", self._execution_transactions),
            ("GET", "/executions/{id}/(?P<which>(?:input|output|metadata)(?:-url)?)", self._execution_document),
            ("GET", "/x12/partnerships", self._partnerships),
            ("GET", partnership, self._partnership),
            ("GET", f"{partnership}/connections", self._connections),
            ("GET", f"{partnership}/outbound-control-numbers", self._control_numbers),
            ("GET", partnership + "/outbound-transactions/{setting}", self._setting),
            ("GET", partnership + "/inbound-transactions/{setting}", self._setting),
        ):
            self.routes.add(method, pattern, handler)

    def respond(self, request: Request) -> Response:
        """Handle one call. Raise HttpError."""
        key = request.headers.get("authorization", "")
        if key.removeprefix("Key ") not in self.settings.api_keys:
            raise HttpError(stedi_error(403, "Forbidden", "AccessDeniedException"))
        if request.path == KEYS_PATH or request.path.startswith(f"{KEYS_PATH}/"):
            return self.api_keys.respond(request)
        found = None
        if request.path.startswith(BASE_PATH + "/"):
            found = self.routes.find(request.method, request.path.removeprefix(BASE_PATH))
        if found is None:
            # The gateway returns no 404: an unknown route or a wrong method gets the same 403 as a missing permission.
            raise HttpError(stedi_error(403, "Missing Authentication Token", "MissingAuthenticationTokenException"))
        handler, parameters = found
        idempotency_key = request.headers.get("idempotency-key")
        if request.method == "POST" and idempotency_key is not None and handler in (self._generate, self._create):
            return self.keys.once(idempotency_key, request, lambda: handler(request, *parameters))
        return handler(request, *parameters)

    # Sending.

    def _generate(self, request: Request, partnership_id: str) -> Response:
        body = body_object(request)
        if body is None:
            bad_request("the request body is not a JSON object")
        outgoing = parse_generate(self.store, partnership_id, body, request.headers.get("idempotency-key"))
        execution, document = self._send(outgoing)
        result: dict[str, Json] = {
            "artifactId": f"{execution.id}.x12",
            "fileExecutionId": execution.id,
            "metadata": {
                "interchangeMetadata": [
                    {
                        "interchangeControlNumber": execution.interchange_number,
                        "functionalGroupControlNumbers": list(document.group_control_numbers),
                    }
                ]
            },
        }
        if self.settings.return_edi:
            result["edi"] = document.edi
        return json_response(result)

    def _create(self, request: Request, partnership_id: str, setting_id: str) -> Response:
        body = body_object(request)
        if body is None:
            bad_request("the request body is not a JSON object")
        key = request.headers.get("idempotency-key")
        execution, _ = self._send(parse_create(self.store, partnership_id, setting_id, body, key))
        return json_response({"fileExecutionId": execution.id})

    def _send(self, outgoing: Outgoing) -> tuple[Execution, GeneratedDocument]:
        try:
            return self.store.send(outgoing)
        except X12Error as error:
            bad_request(str(error), "JsonTranslationError")

    # Polling.

    def _poll_transactions(self, request: Request) -> Response:
        processed = self.store.processed

        def at(index: int) -> datetime:
            return processed[index].processed_at or self.store.clock.now()

        start, end = self._window(request, len(processed), at, "t")
        items: list[Json] = [self._transaction_json(each) for each in processed[start:end]]
        return json_response({"items": items, "nextPageToken": _token("t", end)})

    def _poll_executions(self, request: Request) -> Response:
        finished = self.store.finished

        def at(index: int) -> datetime:
            return finished[index].finished_at or self.store.clock.now()

        start, end = self._window(request, len(finished), at, "e")
        items: list[Json] = [views.execution_json(each) for each in finished[start:end]]
        return json_response({"items": items, "nextPageToken": _token("e", end)})

    def _window(self, request: Request, count: int, at: Callable[[int], datetime], kind: str) -> tuple[int, int]:
        """Start and end index of a poll in a list sorted by time."""
        now, size = self.store.clock.now(), _page_size(request)
        visible = bisect_right(range(count), now - WITHHELD, key=at)
        token, start_text = request.one("pageToken"), request.one("startDateTime")
        if token is not None:
            start = _from_token(token, kind)
        elif start_text is not None:
            start_at = read_moment(start_text)
            if start_at is None:
                bad_request("startDateTime must be an ISO 8601 date-time")
            if start_at > now - timedelta(minutes=1):
                bad_request("startDateTime must be at least one minute in the past")
            start = bisect_right(range(count), start_at, key=at)
        else:
            bad_request("either startDateTime or pageToken is required")
        return start, max(start, min(start + size, visible))

    # Listing and reading.

    def _transaction_json(self, each: Transaction) -> dict[str, Json]:
        return views.transaction_json(each, self.store.files, self._base_url())

    def _list_transactions(self, request: Request) -> Response:
        begin, finish = _range(request)
        rows = []
        if request.one("elementId") is not None and request.one("businessIdentifier") is None:
            bad_request("elementId needs businessIdentifier")
        for index in range(len(self.store.processed) - 1, -1, -1):
            each = self.store.processed[index]
            execution = each.execution
            partnership = execution.partnership
            wanted = {
                "direction": execution.direction,
                "mode": views.MODES[execution.usage],
                "status": "succeeded",
                "transactionSetId": each.set_id,
                "partnershipId": partnership.id if partnership else "",
                "businessIdentifier": each.order_number or "",
                "elementId": "324",
                "sender": execution.sender.id,
                "receiver": execution.receiver.id,
            }
            inside = each.processed_at is not None and begin <= each.processed_at <= finish
            if inside and all(request.one(name) in (None, value) for name, value in wanted.items()):
                rows.append((index, each))
        return self._page_back(request, rows, self._transaction_json, "l")

    def _list_executions(self, request: Request) -> Response:
        begin, finish = _range(request)
        name = request.one("displayName")
        if name is not None and len(name) < 3:
            bad_request("displayName must have at least 3 characters")
        rows = []
        for each in reversed(self.store.executions.values()):
            row = views.execution_json(each)
            source = row["source"]
            assert isinstance(source, dict)
            fits = all(
                request.one(key) in (None, row.get(key))
                for key in ("direction", "faultCode", "partnershipId", "status", "mode")
            )
            named = name is None or name in f"{source['dirname']}/{source['name']}"
            if fits and named and begin <= each.created <= finish:
                rows.append((each.number, each))
        return self._page_back(request, rows, views.execution_json, "x")

    def _page_back(
        self, request: Request, rows: Sequence[tuple[int, object]], show: Callable[..., dict[str, Json]], kind: str
    ) -> Response:
        """A page of a newest-first list; its token is the number below which the next page starts."""
        size, token = _page_size(request), request.one("pageToken")
        if token is not None:
            below = _from_token(token, kind)
            rows = [row for row in rows if row[0] < below]
        body: dict[str, Json] = {"items": [show(each) for _, each in rows[:size]]}
        if len(rows) > size:
            body["nextPageToken"] = _token(kind, rows[size - 1][0])
        return json_response(body)

    def _transaction(self, transaction_id: str) -> Transaction:
        each = self.store.transactions.get(transaction_id)
        if each is None or each.processed_at is None:
            not_there(f"Transaction {transaction_id}")
        return each

    def _get_transaction(self, request: Request, transaction_id: str) -> Response:
        return json_response(self._transaction_json(self._transaction(transaction_id)))

    def _transaction_document(self, request: Request, transaction_id: str, which: str) -> Response:
        return self._document(self._transaction(transaction_id).id, which)

    def _document(self, record_id: str, which: str) -> Response:
        usage = which.removesuffix("-url")
        artifact = f"{record_id}-{usage}"
        if artifact not in self.store.files.contents:
            not_there(f"The {usage} document of {record_id}")
        url = self.store.files.presign(artifact)
        if which.endswith("-url"):
            return json_response({"documentDownloadUrl": url})
        return json_response({"documentDownloadUrl": url}, 302, {"Location": url})

    def _execution(self, execution_id: str) -> Execution:
        each = self.store.executions.get(execution_id)
        if each is None:
            not_there(f"Execution {execution_id}")
        return each

    def _get_execution(self, request: Request, execution_id: str) -> Response:
        execution = self._execution(execution_id)
        return json_response(views.execution_detail_json(execution, self.store.files, self._base_url()))

    def _faults(self, request: Request, execution_id: str) -> Response:
        execution = self._execution(execution_id)
        items: list[Json] = [views.fault_json(execution)] if execution.fault_code else []
        return json_response({"items": items})

    def _execution_transactions(self, request: Request, execution_id: str) -> Response:
        listed = [each for each in self._execution(execution_id).transactions if each.processed_at is not None]
        return json_response({"items": [self._transaction_json(each) for each in listed]})

    def _execution_document(self, request: Request, execution_id: str, which: str) -> Response:
        return self._document(self._execution(execution_id).id, which)

    def _retry(self, request: Request) -> Response:
        body = body_object(request)
        condition = body.get("condition") if body is not None else None
        if not isinstance(condition, dict):
            bad_request("condition is required")
        ids = condition.get("executionIds")
        if ids is not None and (not isinstance(ids, list) or len(ids) > 1000):
            bad_request("executionIds must be an array of at most 1000")
        for each in list(self.store.executions.values()):
            row = views.execution_json(each)
            named = not isinstance(ids, list) or each.id in ids
            keys = ("direction", "faultCode", "partnershipId", "status")
            if named and all(condition.get(key) in (None, row.get(key)) for key in keys):
                self.store.retry(each)
        return Response(200)

    # Preflight reads, which are no longer in the published OpenAPI.

    def _may_preflight(self) -> None:
        if not self.settings.preflight:
            raise HttpError(stedi_error(403, "Forbidden", "AccessDeniedException"))

    def _partnerships(self, request: Request) -> Response:
        self._may_preflight()
        now = self.store.clock.now()
        return json_response({"items": [views.partnership_json(p, now) for p in self.store.partnerships.values()]})

    def _partnership(self, request: Request, partnership_id: str) -> Response:
        self._may_preflight()
        partnership = find_partnership(self.store, partnership_id)
        return json_response(views.partnership_detail_json(partnership, self.store.clock.now()))

    def _connections(self, request: Request, partnership_id: str) -> Response:
        self._may_preflight()
        return json_response(views.connections_json(find_partnership(self.store, partnership_id)))

    def _control_numbers(self, request: Request, partnership_id: str) -> Response:
        self._may_preflight()
        each = find_partnership(self.store, partnership_id)
        return json_response(
            {"interchangeControlNumber": each.interchange_number, "groupControlNumber": each.group_number}
        )

    def _setting(self, request: Request, partnership_id: str, setting_id: str) -> Response:
        self._may_preflight()
        partnership = find_partnership(self.store, partnership_id)
        inbound = "/inbound-transactions/" in request.path
        key = "inboundX12TransactionSettingsId" if inbound else "outboundX12TransactionSettingsId"
        for row in views.settings_json(partnership):
            if row.get(key) == setting_id:
                return json_response(row)
        return not_there(f"Transaction setting {setting_id}")


def _page_size(request: Request) -> int:
    text = request.one("pageSize")
    if text is None:
        return 100
    if not text.isdigit() or not 1 <= int(text) <= 500:
        bad_request("pageSize must be between 1 and 500")
    return int(text)


def _token(kind: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{position:09}".encode()).decode()


def _from_token(token: str, kind: str) -> int:
    try:
        found, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, ValueError):
        found, position = "", ""
    if found != kind or not position.isdigit():
        bad_request("pageToken is not valid")
    return int(position)


def _range(request: Request) -> tuple[datetime, datetime]:
    bounds = []
    for name, unlimited in (("from", "0001-01-02T00:00:00Z"), ("to", "9999-12-30T00:00:00Z")):
        moment = read_moment(request.one(name) or unlimited)
        if moment is None:
            bad_request(f"{name} must be an ISO 8601 date-time")
        bounds.append(moment)
    return bounds[0], bounds[1]
