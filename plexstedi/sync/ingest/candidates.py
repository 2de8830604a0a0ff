"""Orders that an acknowledgment may refer to, and the document that it arrives in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.matching import (
    Candidate,
)
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument, read_guide_json
from plexstedi.edi.inbound.reading.set_choice import WantedSet, choose_set
from plexstedi.edi.order_number import search_key
from plexstedi.edi.x12.raw import decoded
from plexstedi.edi.x12.transaction import Transaction
from plexstedi.state.inbox import Inbound
from plexstedi.sync.session import Session


def read_document(session: Session, inbound: Inbound) -> Transaction | UnreadableDocument:
    """Parse a stored document into the neutral tree."""
    document = session.store.inbox.document(inbound.transaction_id)
    if document is None:
        return UnreadableDocument("its document was not fetched")
    if inbound.document_form == "guide-json":
        try:
            return read_guide_json(loads(document), inbound.set_id, inbound.release or "", session.check_deadline)
        except BrokenJsonError as error:
            return UnreadableDocument(f"its JSON cannot be read, and Stedi provides no X12 for it: {error}")
    return choose_set(decoded(document), wanted_set(inbound))


def wanted_set(inbound: Inbound) -> WantedSet:
    """Identify a transaction within a file by the data of Stedi's listing."""
    return WantedSet(
        set_id=inbound.set_id,
        release=inbound.release,
        interchange_control=inbound.interchange_control,
        group_control=inbound.group_control,
        set_control=inbound.set_control,
    )


class Candidates(Struct):
    """The orders that acknowledgments may mean, each number read once per run."""

    _session: Session
    _known: dict[str, Sequence[Candidate]] = field(default_factory=dict)

    def of(self, number: str) -> Sequence[Candidate]:
        """Every order, or separately sent release, that a document was sent for under a number that may be this one."""
        key = search_key(number)
        if key not in self._known:
            self._known[key] = self._read(number)
        return self._known[key]

    def _read(self, number: str) -> Sequence[Candidate]:
        suppliers = self._session.config.suppliers
        known: dict[tuple[str, str | None], Candidate] = {}
        for document in self._session.store.documents.that_may_be_acknowledged(number):
            order = (document.order_id, document.order_release)
            before = known.get(order)
            now = suppliers[document.supplier].partnership_id if document.supplier in suppliers else None
            over = frozenset(filter(None, (document.partnership, now)))
            known[order] = Candidate(
                document.order_id,
                document.order_number,
                over if before is None else over | before.partnership_ids,
                document.order_release,
            )
        return list(known.values())
