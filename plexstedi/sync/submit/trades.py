"""A common interface to orders and invoices, for the decision of what is due, `replay` and `recover`.

An order becomes an 850 and 860s for a supplier, an invoice an 810 for a customer. Steps common to both take a `Trade`;
what differs is in `OrderTrades` and `InvoiceTrades` only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import ClassVar

from msgspec.structs import replace

from plexstedi.decimal_json import dumps
from plexstedi.edi.order import Phase
from plexstedi.edi.outbound.actions import Send850
from plexstedi.edi.outbound.document import Renderings, prepare, prepare_invoice
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import PlexStediError
from plexstedi.state.invoices import invoice_of_stream
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_order, of_stream
from plexstedi.sync.partners import customer_of, partner_of, supplier_of
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import text_mark
from plexstedi.sync.submit.lifecycle import Trade, Word, plex_id, trade_of_invoice, trade_of_order
from plexstedi.sync.submit.order_mark import order_mark


class Trades(ABC):
    """All orders, or all invoices, of the state file."""

    word: ClassVar[Word]
    kinds: ClassVar[frozenset[str]]
    """The kinds of their documents."""
    table: ClassVar[str]
    """The configuration table of their partners: `suppliers` or `customers`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @abstractmethod
    def get(self, trade_id: str) -> Trade | None:
        """The one with this owner id of documents."""

    @abstractmethod
    def by_number(self, number: str) -> list[Trade]:
        """Those with this exact number in Plex."""

    @property
    @abstractmethod
    def partners(self) -> Mapping[str, SupplierSettings]:
        """The configured partners by code."""

    @abstractmethod
    def partner_over(self, partnership: str | None) -> str | None:
        """The code of the partner of this Stedi partnership, now or when documents were sent over it."""

    @abstractmethod
    def problems(self, partner: str) -> tuple[Reason, ...]:
        """Reasons why nothing can be sent to this configured partner now."""

    @abstractmethod
    def created_at(self, trade: Trade) -> datetime | None:
        """When it was created in Plex; None if Plex does not state it."""

    @abstractmethod
    def is_in_plex(self, trade: Trade) -> bool:
        """Whether Plex still has it: an order that is not deleted, an invoice that is not void."""

    @abstractmethod
    def marks(self, trade: Trade, release: str | None) -> Callable[[int], str | None]:
        """A function from a revision to the fingerprint in the file name of a document that sends it; None: cannot
        be sent."""

    @abstractmethod
    def as_sent(self, trade: Trade, revision: int, release: str | None) -> SentOrder:
        """The lines to which acknowledgments of this revision are matched."""

    @abstractmethod
    def decide_again(self, trade: Trade) -> None:
        """Mark it as not up to date: the next submit decides again."""

    @abstractmethod
    def without_file(self, since: datetime, with_files: Collection[str]) -> None:
        """Open review items for records without a document or a file at Stedi: they may never have been sent.

        Only for records known to their partner and created at or after `since`.
        """


class OrderTrades(Trades):
    """Orders, sent to suppliers as 850 and 860."""

    word = "order"
    kinds = frozenset({"850", "860"})
    table = "suppliers"

    def get(self, trade_id: str) -> Trade | None:
        record = self._session.store.orders.get(trade_id)
        return None if record is None else trade_of_order(record)

    def by_number(self, number: str) -> list[Trade]:
        return [*map(trade_of_order, self._session.store.orders.by_number(number))]

    @property
    def partners(self) -> Mapping[str, SupplierSettings]:
        return self._session.config.suppliers

    def partner_over(self, partnership: str | None) -> str | None:
        return supplier_of(self._session, partnership)

    def problems(self, partner: str) -> tuple[Reason, ...]:
        return self._session.config.problems_of(partner)

    def created_at(self, trade: Trade) -> datetime | None:
        return self._session.store.orders.revision(trade.id, trade.revision).created_at

    def is_in_plex(self, trade: Trade) -> bool:
        return self._session.store.orders.revision(trade.id, trade.revision).phase is not Phase.VANISHED

    def marks(self, trade: Trade, release: str | None) -> Callable[[int], str | None]:
        orders, key = self._session.store.orders, StreamKey(order_id=trade.id, release=release)
        address_id = orders.revision(trade.id, trade.revision).supplier_address_id
        renderings = Renderings(partner_of(self._session, trade.partner, address_id))
        return lambda revision: order_mark(orders.revision(trade.id, revision), key, renderings)

    def as_sent(self, trade: Trade, revision: int, release: str | None) -> SentOrder:
        order = self._session.store.orders.revision(trade.id, revision)
        key = StreamKey(order_id=trade.id, release=release)
        send = Send850(replace(order, phase=Phase.RELEASED), key)
        nothing = SentOrder(number=trade.number, release=release, lines=())
        try:
            renderings = Renderings(partner_of(self._session, trade.partner))
            prepared = prepare(send, renderings, change_sequence=0, revision_seen=date.min)
        except (KeyError, PlexStediError):
            # The supplier has no usable settings now: acknowledgments are matched once it has them.
            return nothing
        return nothing if isinstance(prepared, Held) else prepared.sent

    def decide_again(self, trade: Trade) -> None:
        self._session.store.orders.set_up_to_date(trade.id, 0)

    def without_file(self, since: datetime, with_files: Collection[str]) -> None:
        store = self._session.store
        for record in store.orders.all():
            if record.id in with_files or not record.known or record.untraded or record.phase is not Phase.RELEASED:
                continue
            created = store.orders.revision(record.id, record.latest).created_at
            if created is None or created < since or store.documents.of_order(record.id):
                continue
            # The item itself is opened by the next submit, as `documents.known_orders` says.
            store.orders.forget_baseline(record.id)
            self._session.note("order-without-document", of_order(record.number), order_id=record.id)


class InvoiceTrades(Trades):
    """Invoices, sent to customers as 810."""

    word = "invoice"
    kinds = frozenset({"810"})
    table = "customers"

    def get(self, trade_id: str) -> Trade | None:
        record = self._session.store.invoices.get(invoice_of_stream(trade_id) or "")
        return None if record is None else trade_of_invoice(record)

    def by_number(self, number: str) -> list[Trade]:
        return [*map(trade_of_invoice, self._session.store.invoices.by_number(number))]

    @property
    def partners(self) -> Mapping[str, SupplierSettings]:
        return self._session.config.customers

    def partner_over(self, partnership: str | None) -> str | None:
        return customer_of(self._session, partnership)

    def problems(self, partner: str) -> tuple[Reason, ...]:
        return self._session.config.customer_problems_of(partner)

    def created_at(self, trade: Trade) -> datetime | None:
        return self._session.store.invoices.revision(plex_id(trade), trade.revision).created_at

    def is_in_plex(self, trade: Trade) -> bool:
        return not self._session.store.invoices.revision(plex_id(trade), trade.revision).void

    def marks(self, trade: Trade, release: str | None) -> Callable[[int], str | None]:
        partner = self._session.config.customer(trade.partner)

        def mark(revision: int) -> str | None:
            prepared = prepare_invoice(self._session.store.invoices.revision(plex_id(trade), revision), partner)
            return None if isinstance(prepared, Held) else text_mark(dumps(prepared.guide_json))

        return mark

    def as_sent(self, trade: Trade, revision: int, release: str | None) -> SentOrder:
        return SentOrder(number=trade.number, lines=())

    def decide_again(self, trade: Trade) -> None:
        self._session.store.invoices.set_up_to_date(plex_id(trade), 0)

    def without_file(self, since: datetime, with_files: Collection[str]) -> None:
        store = self._session.store
        for customer in self.partners:
            for record in store.invoices.of_customer(customer):
                if record.stream in with_files or not record.known or store.documents.of_order(record.stream):
                    continue
                invoice = store.invoices.revision(record.id, record.latest)
                if invoice.void or not invoice.booked or invoice.created_at is None or invoice.created_at < since:
                    continue
                self._session.open_review(
                    ReviewKind.KNOWN_ORDER_CHANGED,
                    of_stream(record.stream),
                    (_KNOWN_INVOICE,),
                    supplier=customer,
                    order_id=record.stream,
                    order_number=record.number,
                )


_KNOWN_INVOICE = Reason(
    code="known-invoice",
    where="invoice",
    message="it was created while invoices were sent from here, and Stedi has no file for it",
    fix="`plexstedi review accept ID --reason TEXT` sends it, `plexstedi review reject ID --reason TEXT` marks it as"
    " known to the customer.",
)


def all_trades(session: Session) -> tuple[Trades, Trades]:
    """Orders first: a number that both have means the order."""
    return OrderTrades(session), InvoiceTrades(session)


def trades_of_kind(session: Session, kind: str) -> Trades:
    """Orders or invoices, by the kind of a document (850, 860, 810)."""
    return next(trades for trades in all_trades(session) if kind in trades.kinds)
