"""Subjects of review items and events: the record concerned."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """The record that a review item or event concerns, with its document or transaction.

    `text` names the subject; subjects with the same text are equal. At most one review item per kind and subject is
    open.
    """

    text: str
    document: int | None = field(default=None, compare=False)
    """The id of an outbound document."""
    transaction: str | None = field(default=None, compare=False)
    """Stedi's id of an inbound transaction."""

    def __str__(self) -> str:
        return self.text


NO_SUBJECT = Subject("")
"""No subject."""


def of_document(document_id: int, part: str = "") -> Subject:
    """An outbound document, or a part of it."""
    return Subject(f"document {document_id}" + (f": {part}" if part else ""), document=document_id)


def of_transaction(transaction_id: str, part: str = "") -> Subject:
    """An inbound transaction, or a part of it: `line 3`, `segment SAC`."""
    return Subject(f"transaction {transaction_id}" + (f" {part}" if part else ""), transaction=transaction_id)


def of_order(name: str) -> Subject:
    """An order by its number, or by its Plex id if the number cannot be read."""
    return Subject(f"order {name}")


def of_invoice(number: str) -> Subject:
    """A customer invoice by its number."""
    return Subject(f"invoice {number}")


def of_stream(name: str) -> Subject:
    """A stream of documents: an order, a release of it, an invoice."""
    return Subject(name)


def of_write(write_id: int) -> Subject:
    """A write to Plex."""
    return Subject(f"write {write_id}")


_OTHERS = re.compile(r"order |invoice |write |.* entry ", re.DOTALL)
_DOCUMENT = re.compile(r"document ([0-9]+)")
_TRANSACTION = re.compile(r"transaction ([^ ]*)")


def subject_of(text: str) -> Subject:
    """The subject with this text. One with external text, such as an order number, concerns no document."""
    if _OTHERS.match(text):
        return Subject(text)
    document = _DOCUMENT.search(text)
    return Subject(text, document and int(document[1]), transaction_in(text))


def transaction_in(text: str) -> str | None:
    """The transaction of the subject with this text."""
    if "transaction " not in text or _OTHERS.match(text):
        return None
    found = _TRANSACTION.search(text)
    return found and found[1]
