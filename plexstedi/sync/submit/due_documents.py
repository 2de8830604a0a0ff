"""All due documents of a run: counted before the first is sent, and handed on one by one.

A built document of an order of a few lines takes 30 KB of memory, and 3 KB packed. A run of a few orders packs none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from plexstedi.packed import Packed
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument

if TYPE_CHECKING:
    from plexstedi.edi.outbound.document import Prepared

_UNPACKED_LINES = 1500
"""The order lines of the first documents, which are kept as built."""


class _PackedDocument(Struct, frozen=True):
    """A document whose content is packed. The settings of its partner are shared with other documents."""

    content: Packed[Prepared]
    other: Mapping[str, Any]
    """The other fields of the document."""

    @classmethod
    def of(cls, document: DueDocument) -> _PackedDocument:
        other = {name: value for name, value in asdict(document).items() if name != "prepared"}
        return cls(Packed(document.prepared), other)

    def unpacked(self) -> DueDocument:
        return DueDocument(prepared=self.content.unpacked(), **self.other)


def find_each(session: Session, number: str | None = None, *, ask_plex: bool = False) -> Iterator[DueDocument]:
    """Orders first, then invoices, of this number or of all; `ask_plex` as in `find_due`."""
    if not _anything_changed(session, number):
        return
    # Most runs find nothing changed, and need not load what decides and builds documents.
    from plexstedi.sync.submit.due_invoices import find_due_invoices
    from plexstedi.sync.submit.due_orders import find_due

    yield from find_due(session, number, ask_plex=ask_plex)
    yield from find_due_invoices(session, number)


def _anything_changed(session: Session, number: str | None) -> bool:
    """Whether there may be something due, or a supplier or customer has a table since the last run."""
    config, orders, invoices = session.config, session.store.orders, session.store.invoices
    if orders.not_up_to_date(number) or any(code in config.suppliers for code, _ in orders.untraded_suppliers()):
        return True
    return "810" in config.documents.send and bool(
        invoices.not_up_to_date(number) or any(code in config.customers for code, _ in invoices.untraded_customers())
    )


class DueDocuments:
    """Due documents in the sequence given. `documents` is read to its end at once."""

    def __init__(self, documents: Iterable[DueDocument]) -> None:
        self._documents: deque[DueDocument | _PackedDocument] = deque()
        lines = 0
        for document in documents:
            lines += len(document.prepared.sent.lines)
            self._documents.append(document if lines <= _UNPACKED_LINES else _PackedDocument.of(document))
        self.total = len(self._documents)
        """How many there were before the first was handed on."""

    def take(self, limit: int | None = None) -> Iterator[DueDocument]:
        """The documents, at most `limit`; each is removed as it is handed on."""
        taken = 0
        while self._documents and (limit is None or taken < limit):
            one = self._documents.popleft()
            taken += 1
            yield one if isinstance(one, DueDocument) else one.unpacked()
