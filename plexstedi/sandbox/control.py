"""The control routes under `/_sandbox/` on the Plex origin: inspect the sandbox, edit orders, advance the clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from plexstedi.decimal_json import BrokenJsonError, Json
from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.records import ORDER_STATUSES, Order
from plexstedi.sandbox.plex.store import NewLine, copy_order
from plexstedi.sandbox.stedi.guide_names import layout
from plexstedi.sandbox.stedi.guide_x12 import to_segments
from plexstedi.sandbox.stedi.records import Execution, GeneratedDocument
from plexstedi.sandbox.stedi.views import moment
from plexstedi.sandbox.stedi.x12 import X12Error
from plexstedi.sandbox.web import Request, Response, json_response
from plexstedi.sandbox.world import World

PREFIX = "/_sandbox/"


class ControlError(ValueError):
    """A control request that cannot be executed."""


def respond(sandbox: World, request: Request) -> Response:
    """Handle one control request; an invalid one gets 400 with a message."""
    name, _, rest = request.path.removeprefix(PREFIX).partition("/")
    sandbox.run_due()
    try:
        body = request.json() if request.body else {}
        if not isinstance(body, Mapping):
            raise ControlError("the body must be a JSON object")
        return json_response(_dispatch(sandbox, request.method, name, rest, body))
    except (BrokenJsonError, ControlError, X12Error, InvalidOperation) as error:
        return json_response({"message": str(error)}, 400)
    except KeyError as error:
        return json_response({"message": f"there is no {error.args[0]}"}, 404)


def _dispatch(sandbox: World, method: str, name: str, rest: str, body: Mapping[str, Json]) -> Json:
    match method, name:
        case "GET", "clock":
            return {"now": moment(sandbox.clock.now())}
        case "POST", "clock":
            sandbox.advance(timedelta(seconds=float(_number(body, "advance_seconds"))))
            return {"now": moment(sandbox.clock.now())}
        case "GET", "documents":
            return [document_json(each) for each in sandbox.generated()]
        case "GET", "writes":
            return _writes(sandbox)
        case "GET", "custom-fields":
            return _custom_fields(sandbox)
        case "GET", "orders":
            if rest:
                return order_json(sandbox.plex.order(rest))
            return [order_json(order) for order in sandbox.plex.tenant.orders]
        case "POST", "orders":
            like = sandbox.plex.order(_text(body, "like"))
            order = copy_order(like, _text(body, "number"), sandbox.clock.now())
            sandbox.plex.add_order(order)
            return order_json(order)
        case "PATCH", "orders":
            return order_json(edit_order(sandbox, rest, body))
        case "POST", "faults":
            sandbox.inject(fault_from_json(body))
            return {}
        case "DELETE", "faults":
            sandbox.faults.clear()
            return {}
        case "POST", "inbound":
            return {"executionId": receive_inbound(sandbox, body).id}
        case "GET", "requests":
            return _requests(sandbox)
        case "POST", "supplier-answers":
            return {"answers": sandbox.reply_now()}
        case "POST", "characters":
            sandbox.set_character(_text(body, "supplier"), Character(_text(body, "character")))
            return {}
        case "POST", "delivery-failures":
            sandbox.fail_deliveries(_text(body, "supplier"), int(_number(body, "attempts")))
            return {}
    raise KeyError(f"control route {method} {PREFIX}{name}")


def _text(body: Mapping[str, Json], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} must be a text")
    return value


def _number(body: Mapping[str, Json], name: str) -> Decimal:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ControlError(f"{name} must be a number")
    return Decimal(value)


def document_json(document: GeneratedDocument) -> dict[str, Json]:
    """A generated EDI file with its metadata, for tests."""
    return {
        "fileExecutionId": document.execution_id,
        "partnershipId": document.partnership_id,
        "transactionSettingIds": list(document.setting_ids),
        "filename": document.filename,
        "idempotencyKey": document.idempotency_key,
        "transactions": list(document.transactions),
        "edi": document.edi,
        "usageIndicator": document.usage_indicator,
        "interchangeControlNumber": document.interchange_control_number,
        "groupControlNumbers": list(document.group_control_numbers),
        "created": moment(document.created),
        "delivered": moment(document.delivered) if document.delivered else None,
        "failed": document.failed,
        "overwrote": document.overwrote,
    }


def _writes(sandbox: World) -> list[Json]:
    return [
        {
            "at": moment(write.at),
            "kind": write.kind,
            "object": write.object,
            "recordId": write.record_id,
            "order": write.order,
            "line": write.line,
            "release": write.release,
            "before": dict(write.before),
            "after": dict(write.after),
            "effective": write.effective,
        }
        for write in sandbox.plex.writes
    ]


def _custom_fields(sandbox: World) -> list[Json]:
    rows: list[Json] = []
    for (name, record_id), values in sandbox.plex.custom.items():
        place = sandbox.plex.places.get(record_id)
        if place is not None and values:
            rows.append(
                {
                    "object": name,
                    "order": place.order.number,
                    "line": place.line.number if place.line else None,
                    "release": place.release.number if place.release else None,
                    "values": dict(values),
                }
            )
    return rows


def _requests(sandbox: World) -> list[Json]:
    return [
        {
            "number": call.number,
            "at": moment(call.at),
            "origin": call.origin,
            "method": call.method,
            "path": call.path,
            "source": call.source,
            "query": [[key, value] for key, value in call.query],
            "status": call.status,
            "fault": call.fault,
        }
        for call in sandbox.log
    ]


def order_json(order: Order) -> dict[str, Json]:
    """An order in readable form; also the template for PATCH."""
    return {
        "number": order.number,
        "id": order.id,
        "status": order.status,
        "supplier": order.supplier.code,
        "ship_to": order.ship_to,
        "note": order.note,
        "blanket": order.blanket,
        "created": moment(order.created),
        "modified": moment(order.modified),
        "lines": [
            {
                "line": line.number,
                "id": line.id,
                "part": line.part.number if line.part else None,
                "revision": line.part.revision if line.part else None,
                "unit": line.unit,
                "price": line.price,
                "status": line.status,
                "modified": moment(line.modified),
                "releases": [
                    {
                        "release": release.number,
                        "id": release.id,
                        "quantity": release.quantity,
                        "due": f"{release.due}",
                        "status": release.status,
                        "note": release.note,
                        "modified": moment(release.modified),
                    }
                    for release in line.releases
                ],
            }
            for line in order.lines
        ],
    }


_HEADER_FIELDS = frozenset(("note", "internal_note", "ship_to", "terms", "freight_terms", "ship_via", "fob", "status"))
_LINE_FIELDS = frozenset(("unit", "order_unit", "description", "supplier_part", "status", "note"))


def edit_order(sandbox: World, number: str, body: Mapping[str, Json]) -> Order:
    """Edit an order as a buyer does in Plex.

    Keys: `header` {field: value}; `lines` [{"line", "price", …}]; `releases` [{"line", "release", "quantity", "due",
    "status"}]; `add_lines` [{"part", "unit", "price", "quantity", "due"}]; `add_releases`; `delete_lines` [number];
    `cancel`, `reopen`, `delete`: true; `receive` [{"line", "release", "quantity"}].
    """
    plex = sandbox.plex
    order = plex.order(number)
    known = {
        "header", "lines", "releases", "add_lines", "add_releases", "delete_lines", "cancel", "reopen", "delete",
        "receive",
    }  # fmt: skip
    if unknown := set(body) - known:
        raise ControlError(f"unknown keys: {', '.join(sorted(unknown))}")
    header = body.get("header")
    if isinstance(header, Mapping):
        plex.edit_header(number, **_header_fields(header))
    for row in _rows(body, "lines"):
        plex.edit_line(number, int(_number(row, "line")), **_line_fields(row))
    for row in _rows(body, "releases"):
        fields: dict[str, object] = {}
        if "quantity" in row:
            fields["quantity"] = _number(row, "quantity")
        if "due" in row:
            fields["due"] = _day(row, "due")
        if "status" in row:
            fields["status"] = _text(row, "status")
        plex.edit_release(number, int(_number(row, "line")), int(_number(row, "release")), **fields)
    for row in _rows(body, "add_lines"):
        price = _number(row, "price") if row.get("price") is not None else None
        new = NewLine(_text(row, "part"), _text(row, "unit"), price, _number(row, "quantity"), _day(row, "due"))
        plex.add_line(number, new)
    for row in _rows(body, "add_releases"):
        plex.add_release(number, int(_number(row, "line")), _number(row, "quantity"), _day(row, "due"))
    for row in _rows(body, "receive"):
        line, release = int(_number(row, "line")), int(_number(row, "release"))
        plex.receive(number, line, release, _number(row, "quantity"))
    deleted = body.get("delete_lines")
    for each in deleted if isinstance(deleted, list) else []:
        plex.delete_line(number, int(str(each)))
    if body.get("cancel") is True:
        plex.cancel(number)
    if body.get("reopen") is True:
        plex.reopen(number)
    if body.get("delete") is True:
        plex.delete_order(number)
    return order


def _rows(body: Mapping[str, Json], name: str) -> list[Mapping[str, Json]]:
    rows = body.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ControlError(f"{name} must be an array of objects")
    return [row for row in rows if isinstance(row, Mapping)]


def _day(row: Mapping[str, Json], name: str) -> date:
    try:
        return date.fromisoformat(_text(row, name))
    except ValueError:
        raise ControlError(f"{name} must be a date") from None


def _header_fields(header: Mapping[str, Json]) -> dict[str, object]:
    if unknown := set(header) - _HEADER_FIELDS:
        raise ControlError(f"unknown header fields: {', '.join(sorted(unknown))}")
    status = header.get("status")
    if status is not None and not any(each.name == status for each in ORDER_STATUSES):
        raise ControlError(f"there is no order status {status!r}")
    return dict(header)


def _line_fields(row: Mapping[str, Json]) -> dict[str, object]:
    fields: dict[str, object] = {key: value for key, value in row.items() if key in _LINE_FIELDS}
    if unknown := set(row) - _LINE_FIELDS - {"line", "price"}:
        raise ControlError(f"unknown line fields: {', '.join(sorted(unknown))}")
    if "price" in row:
        fields["price"] = _number(row, "price") if row["price"] is not None else None
    return fields


def fault_from_json(body: Mapping[str, Json]) -> FaultRule:
    """A FaultRule from JSON: the same names, `kind` by its value."""
    try:
        kind = FaultKind(_text(body, "kind"))
    except ValueError:
        raise ControlError(f"kind must be one of {', '.join(FaultKind)}") from None
    times, retry_after = body.get("times", 1), body.get("retry_after")
    return FaultRule(
        kind,
        origin=_optional_text(body, "origin"),
        method=_optional_text(body, "method"),
        path=_optional_text(body, "path") or "",
        skip=int(_number(body, "skip")) if "skip" in body else 0,
        times=times if isinstance(times, int) else None,
        retry_after=retry_after if isinstance(retry_after, int) else None,
        seconds=float(_number(body, "seconds")) if "seconds" in body else 1.0,
        filter=_optional_text(body, "filter") or "",
        source=int(_number(body, "source")) if "source" in body else None,
    )


def _optional_text(body: Mapping[str, Json], name: str) -> str | None:
    return _text(body, name) if body.get(name) is not None else None


def receive_inbound(sandbox: World, body: Mapping[str, Json]) -> Execution:
    """Receive a file from a partner.

    Either `x12` (a whole interchange; `partnership` optional), or `partnership`, `set` and `transaction` (Guide JSON,
    returned unchecked), or `partnership` and `failed` {code, message} with `x12`.
    """
    store = sandbox.stedi
    partnership_id = _optional_text(body, "partnership")
    partnership = store.partnerships[partnership_id] if partnership_id is not None else None
    failed, text, usage = body.get("failed"), body.get("x12"), _optional_text(body, "usage") or "T"
    filename = _optional_text(body, "filename")
    if isinstance(failed, Mapping):
        code, message = _text(failed, "code"), _optional_text(failed, "message") or "The file could not be processed."
        return store.receive_failed(text if isinstance(text, str) else "", partnership, code, message, filename)
    if isinstance(text, str):
        return store.receive(text, partnership=partnership, filename=filename)
    transaction, set_id = body.get("transaction"), _text(body, "set")
    if partnership is None or not isinstance(transaction, Mapping):
        raise ControlError("give x12, or partnership, set and transaction")
    try:
        segments = to_segments(transaction, layout(set_id, partnership.partner.release))
        composed = store.compose(partnership, set_id, segments, usage, sandbox.clock.now())
    except X12Error:
        # The given JSON may not be convertible to X12, so the file consists of the envelope only.
        composed = store.compose(partnership, set_id, (), usage, sandbox.clock.now())
    return store.receive(composed, partnership=partnership, filename=filename, output=transaction)
