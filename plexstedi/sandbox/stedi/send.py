"""Validation of sends before Stedi generates anything: the request's format, then each transaction's guide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from plexstedi.decimal_json import Json, dumps
from plexstedi.sandbox.stedi.guide_check import GuideError, check_base
from plexstedi.sandbox.stedi.guide_names import Layout, layout
from plexstedi.sandbox.stedi.guide_x12 import to_segments
from plexstedi.sandbox.stedi.json_schema import check_schema
from plexstedi.sandbox.stedi.records import Outgoing, OutgoingGroup, Partnership, Setting
from plexstedi.sandbox.stedi.store import StediStore
from plexstedi.sandbox.stedi.totals_check import check_totals
from plexstedi.sandbox.stedi.x12 import Delimiters, Segment, X12Error
from plexstedi.sandbox.web import HttpError, Response, json_response

FILENAME = re.compile(r"[a-zA-Z0-9.*'()!_-]{1,300}")
MAX_TRANSACTION_BYTES = 5_000_000
MAX_MAPPED_BYTES = 4_000_000
IDENTITY_MAPPING = "sandbox-identity"
"""The only mapping: it returns the given Guide JSON unchanged."""


def stedi_error(
    status: int, message: str, code: str, errors: Sequence[GuideError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An error in Stedi's format; `errors` only for violations of a guide."""
    body: dict[str, Json] = {"message": message, "code": code}
    if errors:
        body["errors"] = [error.as_json() for error in errors]
    return json_response(body, status, {"x-amzn-errortype": code, **(headers or {})})


def bad_request(message: str, code: str = "BadRequestException", errors: Sequence[GuideError] = ()) -> NoReturn:
    raise HttpError(stedi_error(400, message, code, errors))


def not_there(what: str) -> NoReturn:
    raise HttpError(stedi_error(404, f"{what} was not found", "ResourceNotFoundException"))


def find_partnership(store: StediStore, partnership_id: str) -> Partnership:
    partnership = store.partnerships.get(partnership_id)
    if partnership is None:
        not_there(f"Partnership {partnership_id}")
    return partnership


def parse_generate(store: StediStore, partnership_id: str, body: Mapping[str, Json], key: str | None) -> Outgoing:
    """Parse a GenerateEdi request. Raise HttpError 400 or 404."""
    partnership = find_partnership(store, partnership_id)
    groups = body.get("transactionGroups")
    if not isinstance(groups, list) or not groups:
        bad_request("transactionGroups must be an array of at least one group")
    understood = []
    for group in groups:
        if not isinstance(group, Mapping):
            bad_request("a transaction group must be an object")
        transactions = group.get("transactions")
        if not isinstance(transactions, list) or not transactions:
            bad_request("transactions must be an array of at least one transaction")
        setting = _setting(partnership, group.get("transactionSettingId"))
        understood.append(_group(partnership, setting, transactions, group.get("overrides")))
    usage = body.get("interchangeUsageIndicatorOverride")
    return _outgoing(partnership, understood, body, body.get("overrides"), usage, key)


def parse_create(
    store: StediStore, partnership_id: str, setting_id: str, body: Mapping[str, Json], key: str | None
) -> Outgoing:
    """Parse a CreatePartnershipOutboundTransaction request. Raise HttpError 400 or 404."""
    partnership = find_partnership(store, partnership_id)
    setting = _setting(partnership, setting_id)
    if "transaction" not in body:
        bad_request("transaction is required")
    if "fragmentGroupIds" in body:
        bad_request("the fragment group does not exist")
    mapping, limit = body.get("mappingId"), MAX_TRANSACTION_BYTES
    if mapping is not None:
        if mapping != IDENTITY_MAPPING:
            bad_request(f"mapping {mapping!r} failed", "mapping_failed")
        limit = MAX_MAPPED_BYTES
    group = _group(partnership, setting, [body["transaction"]], None, limit)
    return _outgoing(partnership, [group], body, body.get("interchangeOverrides"), None, key)


def _setting(partnership: Partnership, setting_id: Json) -> Setting:
    setting = partnership.settings.get(setting_id) if isinstance(setting_id, str) else None
    if setting is None or setting.direction != "OUTBOUND":
        not_there(f"Outbound transaction setting {setting_id} of partnership {partnership.id}")
    return setting


def _group(
    partnership: Partnership,
    setting: Setting,
    transactions: Sequence[Json],
    overrides: Json,
    limit: int = MAX_TRANSACTION_BYTES,
) -> OutgoingGroup:
    form = layout(setting.set_id, partnership.partner.release)
    bodies: list[tuple[Segment, ...]] = []
    for transaction in transactions:
        size = len(dumps(transaction).encode())
        if size > limit:
            bad_request(f"the transaction has {size} bytes; at most {limit} are taken")
        bodies.append(check_transaction(transaction, setting, form))
    applications: list[str | None] = [None, None]
    if isinstance(overrides, Mapping):
        for index, name in enumerate(("localApplicationId", "partnerApplicationId")):
            value = overrides.get(name)
            if value is not None and (not isinstance(value, str) or not 2 <= len(value) <= 15):
                bad_request(f"{name} must have 2 to 15 characters")
            applications[index] = value if isinstance(value, str) else None
    return OutgoingGroup(setting, tuple(transactions), tuple(bodies), *applications)


def check_transaction(transaction: Json, setting: Setting, form: Layout) -> tuple[Segment, ...]:
    """The transaction's segments, if its guide (or else the base specification) accepts it. Raise HttpError."""
    if setting.guide_schema is None:
        errors = check_base(transaction, form)
    else:
        errors = check_schema(transaction, setting.guide_schema)
        if not errors and _set_of(transaction) not in (None, setting.set_id):
            errors = [GuideError("invalid_value", ("heading",), f"ST01 must be {setting.set_id}")]
    if errors:
        message = f"The transaction does not match the guide of setting {setting.id}"
        bad_request(message, "JsonTranslationError", errors)
    try:
        body = to_segments(transaction, form)
    except X12Error as error:
        bad_request(str(error), "JsonTranslationError", [GuideError("invalid_value", (), str(error))])
    untrue = check_totals(setting.set_id, body)
    if untrue:
        bad_request("; ".join(error.message for error in untrue), "JsonTranslationError", untrue)
    return body


def _set_of(transaction: Json) -> Json:
    heading = transaction.get("heading") if isinstance(transaction, Mapping) else None
    header = heading.get("transaction_set_header_ST") if isinstance(heading, Mapping) else None
    return header.get("transaction_set_identifier_code_01") if isinstance(header, Mapping) else None


def _outgoing(
    partnership: Partnership,
    groups: Sequence[OutgoingGroup],
    body: Mapping[str, Json],
    overrides: Json,
    legacy_usage: Json,
    key: str | None,
) -> Outgoing:
    filename = body.get("filename")
    if filename is not None and (not isinstance(filename, str) or not FILENAME.fullmatch(filename)):
        bad_request("filename must match ^([a-zA-Z0-9.*'()!_-]+)$ and have 1 to 300 characters")
    stated: Mapping[str, Json] = overrides if isinstance(overrides, Mapping) else {}
    usage = stated.get("interchangeUsageIndicator", legacy_usage)
    if usage not in (None, "I", "T", "P"):
        bad_request("interchangeUsageIndicator must be I, T or P")
    requested = stated.get("acknowledgmentRequestedCode", "0")
    if requested not in ("0", "1", "2", "3"):
        bad_request("acknowledgmentRequestedCode must be 0, 1, 2 or 3")
    return Outgoing(
        partnership,
        tuple(groups),
        filename if isinstance(filename, str) else None,
        usage if isinstance(usage, str) else "P",  # Stedi's default.
        str(requested),
        _delimiters(stated.get("delimiters")),
        key,
    )


def _delimiters(delimiters: Json) -> Delimiters:
    if delimiters is None:
        return Delimiters()
    if not isinstance(delimiters, Mapping):
        bad_request("delimiters must be an object")
    marks = [delimiters.get(name) for name in ("element", "composite", "repetition", "segment")]
    texts = [mark for mark in marks if isinstance(mark, str) and re.fullmatch(r"[\W|_]", mark)]
    if len(texts) != 4:
        bad_request("delimiters need element, composite, repetition and segment, each one non-word character")
    return Delimiters(*texts)
