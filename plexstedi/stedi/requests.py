"""Request bodies as bytes, which are frozen before the first attempt and repeated unchanged. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from msgspec import Struct

from plexstedi.decimal_json import Encoded, Json, dumps, loads
from plexstedi.encoded import encoded_once

LARGEST_TRANSACTION = 5_000_000
"""Bytes of one transaction's JSON (OpenAPI CreatePartnershipOutboundTransaction: < 5MB); exclusive."""
LARGEST_MAPPED_TRANSACTION = 4_000_000
"""The limit in bytes with a mapping (< 4MB); exclusive."""
_FILE_NAME = re.compile(r"[a-zA-Z0-9.*'()!_-]{1,300}\Z")

UsageIndicator = Literal["I", "T", "P"]


class RequestTooLarge(Struct, frozen=True):
    """The document exceeds the limit of one request; Stedi would reject it. Sizes in bytes."""

    size: int
    limit: int


class Delimiters(Struct, frozen=True):
    """The delimiters of the interchange; Stedi accepts all four or none."""

    element: str
    segment: str
    composite: str
    repetition: str

    def json(self) -> Json:
        """The value of OpenAPI X12Delimiters."""
        return {
            "element": self.element,
            "composite": self.composite,
            "repetition": self.repetition,
            "segment": self.segment,
        }


def generate_edi_body(
    transaction: Json,
    *,
    transaction_setting_id: str,
    file_name: str,
    usage: UsageIndicator,
    delimiters: Delimiters | None = None,
) -> bytes | RequestTooLarge:
    """The body of GenerateEdi: one group with one transaction, as Guide JSON.

    Raise ValueError for a file name with characters that Stedi does not accept.
    """
    encoded = encoded_once(transaction)
    return _too_large(encoded, LARGEST_TRANSACTION) or _encoded(
        {
            "transactionGroups": [{"transactionSettingId": transaction_setting_id, "transactions": [encoded]}],
            "filename": _checked_name(file_name),
            "overrides": _overrides(usage, delimiters),
        }
    )


def create_transaction_body(
    transaction: Json,
    *,
    file_name: str,
    usage: UsageIndicator,
    mapping_id: str | None = None,
    delimiters: Delimiters | None = None,
) -> bytes | RequestTooLarge:
    """The body of CreatePartnershipOutboundTransaction; with `mapping_id`, in the mapping's source format.

    Raise ValueError for a file name with characters that Stedi does not accept.
    """
    encoded = encoded_once(transaction)
    limit = LARGEST_TRANSACTION if mapping_id is None else LARGEST_MAPPED_TRANSACTION
    mapping: dict[str, Json] = {} if mapping_id is None else {"mappingId": mapping_id}
    return _too_large(encoded, limit) or _encoded(
        {
            "transaction": encoded,
            "filename": _checked_name(file_name),
            **mapping,
            "interchangeOverrides": _overrides(usage, delimiters),
        }
    )


def transaction_of(body: bytes) -> Json:
    """The Guide JSON (or the mapping's source) in the body of either call, as it was given to it."""
    request = cast(Mapping[str, Any], loads(body))
    found = request["transaction"] if "transaction" in request else request["transactionGroups"][0]["transactions"][0]
    return cast(Json, found)


def retry_body(execution_ids: tuple[str, ...]) -> bytes:
    """The body of RetryExecutions: always by ids, since a broader condition retries everything that matches.

    Raise ValueError for no id, or for more than the 1,000 ids of one request.
    """
    if not 1 <= len(execution_ids) <= 1000:
        raise ValueError(f"a retry names 1 to 1000 executions, not {len(execution_ids)}")
    return _encoded({"condition": {"executionIds": list(execution_ids)}})


def _overrides(usage: UsageIndicator, delimiters: Delimiters | None) -> Json:
    # Always stated: Stedi's default is P, a real order.
    overrides: dict[str, Json] = {"interchangeUsageIndicator": usage}
    if delimiters is not None:
        overrides["delimiters"] = delimiters.json()
    return overrides


def _too_large(transaction: Encoded, limit: int) -> RequestTooLarge | None:
    size = len(transaction.encode())
    return RequestTooLarge(size, limit) if size >= limit else None


def _encoded(value: Json) -> bytes:
    return dumps(value).encode()


def _checked_name(file_name: str) -> str:
    if not _FILE_NAME.match(file_name):
        raise ValueError(f"{file_name!r} is not a file name that Stedi accepts (1-300 of a-z A-Z 0-9 . * ' ( ) ! _ -)")
    return file_name
