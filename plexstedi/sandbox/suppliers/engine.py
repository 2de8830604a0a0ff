"""The simulated suppliers: they read delivered files and, after a delay, send 997, 855 and 865."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from plexstedi.sandbox.behaviours import Character, Delays
from plexstedi.sandbox.schedule import Schedule
from plexstedi.sandbox.stedi.guide_names import FUNCTIONAL_GROUPS
from plexstedi.sandbox.stedi.guide_x12 import as_dated
from plexstedi.sandbox.stedi.records import GeneratedDocument, Partnership
from plexstedi.sandbox.stedi.store import StediStore
from plexstedi.sandbox.stedi.x12 import Segment, X12Error, read
from plexstedi.sandbox.suppliers.received import OrderBook, ReceivedOrder, read_change, read_order
from plexstedi.sandbox.suppliers.replies import Reply, acknowledgment, change_acknowledgment, functional_acknowledgment

REPLY = "supplier-answer"
"""The kind of scheduled replies."""


class SupplierDesk:
    """The order desks of all suppliers. `characters`, by partnership, may be changed at any time."""

    def __init__(self, store: StediStore, schedule: Schedule, delays: Delays) -> None:
        self.store, self.schedule, self.delays = store, schedule, delays
        self.characters: dict[str, Character] = {
            partnership.id: partnership.partner.character for partnership in store.partnerships.values()
        }
        self.books: dict[str, OrderBook] = {partnership_id: OrderBook() for partnership_id in store.partnerships}
        self.shipped: Callable[[str, str], Decimal] = lambda order, line: Decimal(0)
        """The shipped quantity of a line, by order number and line id."""
        store.on_delivered = self.delivered

    def delivered(self, document: GeneratedDocument, partnership: Partnership, at: datetime) -> None:
        """Receive a file that was delivered to this supplier, and schedule the replies."""
        character = self.characters[partnership.id]
        if character is Character.SILENT:
            return
        interchange = read(document.edi)
        for group in interchange.groups:
            rejected = character is Character.REJECTS_SYNTAX
            sets = [(group.set_id, number, _first_line(body)) for number, body in group.sets]
            code = FUNCTIONAL_GROUPS.get(group.set_id, "XX")
            receipt = functional_acknowledgment(code, group.number, sets, rejected=rejected)
            self._later(partnership, receipt, document, at + self.delays.functional)
            for _, body in group.sets:
                if not rejected:
                    self._reply_to_set(character, partnership, group.set_id, body, document, at)

    def _reply_to_set(
        self,
        character: Character,
        partnership: Partnership,
        set_id: str,
        body: tuple[Segment, ...],
        document: GeneratedDocument,
        at: datetime,
    ) -> None:
        book = self.books[partnership.id]
        due = at + self._business_delay(character, document.execution_id)
        try:
            if set_id == "850":
                order = read_order(body)
                book.take_order(order)
                self._reply_to_order(character, partnership, order, document, due)
            elif set_id == "860":
                change = read_change(body)
                order = book.take_change(change, self.shipped)
                if partnership.partner.change_reply == "865" or order.cancelled:
                    reply = change_acknowledgment(character, change, order, due.date())
                else:
                    reply = acknowledgment(character, order, due.date())
                self._later(partnership, reply, document, due)
        except X12Error:
            return  # The supplier would phone; it sends no EDI.

    def _reply_to_order(
        self,
        character: Character,
        partnership: Partnership,
        order: ReceivedOrder,
        document: GeneratedDocument,
        due: datetime,
    ) -> None:
        self._later(partnership, acknowledgment(character, order, due.date()), document, due)
        if character is Character.CORRECTED:
            later = due + self.delays.correction
            second = acknowledgment(character, order, later.date(), correction=True)
            self._later(partnership, second, document, later)

    def _business_delay(self, character: Character, seed: str) -> timedelta:
        if character is Character.LATE:
            return self.delays.late
        spread = self.delays.business_most - self.delays.business_least
        share = int(hashlib.sha256(seed.encode()).hexdigest()[:4], 16)
        return self.delays.business_least + spread * share / 0xFFFF

    def _later(self, partnership: Partnership, reply: Reply, document: GeneratedDocument, due: datetime) -> None:
        def send(at: datetime) -> None:
            usage = document.usage_indicator
            body = as_dated(reply.body, partnership.partner.release)
            text = self.store.compose(partnership, reply.set_id, body, usage, at)
            name = f"{reply.set_id}_{partnership.partner.isa_id}_{partnership.their_number:06}.edi"
            self.store.receive(text, partnership=partnership, filename=name, at=at)

        self.schedule.at(due, send, REPLY)

    def reply_now(self, now: datetime) -> int:
        """Send all pending replies; return their number."""
        return self.schedule.run_now(now, REPLY)

    def set_character(self, supplier_code: str, character: Character) -> None:
        """Change a supplier's behaviour from now on. Raise KeyError for an unknown supplier."""
        partners: Mapping[str, str] = {p.partner.code: p.id for p in self.store.partnerships.values()}
        self.characters[partners[supplier_code]] = character


def _first_line(body: tuple[Segment, ...]) -> int:
    """The position in the transaction set (ST is 1) of its first line."""
    return next((index for index, row in enumerate(body, start=2) if row[0] in ("PO1", "POC", "IT1")), 2)
