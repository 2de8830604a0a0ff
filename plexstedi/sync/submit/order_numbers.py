"""Numbers used by several orders or invoices: whether one may be sent under its number (RULES.md Sending 10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from plexstedi.edi.document_name import Slot, parse_file_name
from plexstedi.edi.order import Phase
from plexstedi.edi.order_number import Claim, Use, number_key, number_taken, search_key, taken_by
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import SupplierSettings
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.invoices import invoice_of_stream, invoice_stream
from plexstedi.state.numbers import Numbered
from plexstedi.state.orders import OrderRecord
from plexstedi.sync.session import Session
from plexstedi.sync.submit.lifecycle import Trade, Word, plex_id


class _Naming(Struct, frozen=True):
    """An order or invoice with a number that it has now, or was sent under."""

    owner: Numbered
    number: str
    first_document: int | None


class _Orphan(Struct, frozen=True):
    """A file at Stedi whose order is not in Plex."""

    execution: ExecutionRecord
    slot: Slot


_Group = tuple[list[_Naming], list[_Orphan]]


class OrderNumbers(Struct):
    """Which record uses which number, looked up when a number is first needed."""

    _session: Session
    _by_key: dict[tuple[Word, str], Mapping[str, _Group]] = field(default_factory=dict)

    def taken(self, trade: Trade) -> tuple[Reason, ...]:
        """Why this order or invoice may not be sent under its number; empty if it may."""
        partners = self._partners(trade.word)
        key = (trade.word, search_key(trade.number))
        if key not in self._by_key:
            self._by_key[key] = self._groups(trade.word, trade.number, partners)
        group = self._by_key[key].get(self._key(trade.number, partners.get(trade.partner)))
        if group is None:
            return ()
        claim = self._of_order if trade.word == "order" else self._of_invoice
        return _reasons(plex_id(trade), [*map(claim, group[0]), *self._files(group[1])], noun=trade.word)

    def _partners(self, word: Word) -> Mapping[str, SupplierSettings]:
        return self._session.config.suppliers if word == "order" else self._session.config.customers

    def _groups(self, word: Word, number: str, partners: Mapping[str, SupplierSettings]) -> Mapping[str, _Group]:
        """Numbers like this one that several records claim, by comparison key."""
        numbers = self._session.store.numbers
        owners = numbers.orders_like(number) if word == "order" else numbers.invoices_like(number)
        sent = [
            under
            for owner in owners
            for under in numbers.sent_under(owner.id if word == "order" else invoice_stream(owner.id))
        ]
        by_id = {owner.id: owner for owner in owners}
        namings: dict[str, dict[str, _Naming]] = defaultdict(dict)
        went_out = set()
        for one in sorted(sent, key=lambda one: one.first_document):
            owner = by_id.get(invoice_of_stream(one.order_id) or one.order_id)
            # Sorted by document, so that `setdefault` keeps the first use of a number.
            if owner is not None:
                went_out.add(owner.id)
                key = self._key(one.number, partners.get(owner.partner))
                namings[key].setdefault(owner.id, _Naming(owner, one.number, one.first_document))
        for owner in by_id.values():
            # Sent under another number before: it is held as `order-moved` and does not claim its current number.
            if owner.id not in went_out:
                namings[self._key(owner.number, partners.get(owner.partner))][owner.id] = _Naming(
                    owner, owner.number, None
                )
        orphans: dict[str, list[_Orphan]] = defaultdict(list)
        for execution in self._session.store.executions.without_order():
            parsed = parse_file_name(execution.file_name)
            if parsed is not None and (parsed[0].kind == "810") == (word == "invoice"):
                settings = partners.get(self._partner_of(execution, partners))
                orphans[self._key(parsed[0].order, settings)].append(_Orphan(execution, parsed[0]))
        return {
            key: (list(found.values()), orphans[key])
            for key, found in namings.items()
            if len(found) + len(orphans[key]) > 1
        }

    @staticmethod
    def _key(number: str, settings: SupplierSettings | None) -> str:
        return number_key(number, uppercase=settings is not None and settings.text.uppercase)

    @staticmethod
    def _partner_of(execution: ExecutionRecord, partners: Mapping[str, SupplierSettings]) -> str:
        return next((code for code, one in partners.items() if one.partnership_id == execution.partnership), "")

    def _of_order(self, naming: _Naming) -> Claim:
        orders = self._session.store.orders
        record = orders.get(naming.owner.id)
        assert record is not None
        order = orders.revision(record.id, record.latest)
        gone = record.phase is Phase.VANISHED
        return Claim(
            id=record.id,
            number=naming.number,
            partner=record.supplier,
            status="no longer in Plex" if gone else f"status {order.status_name or record.phase.value}",
            created_at=order.created_at,
            first_seen=naming.owner.first_seen,
            use=Use.SENT if naming.first_document is not None else self._use_of_order(record),
            since=naming.first_document or 0,
        )

    def _use_of_order(self, record: OrderRecord) -> Use:
        """How far an order that was never sent from here has come."""
        if self._session.store.numbers.is_known_otherwise(record.id):
            return Use.KNOWN
        if record.known and not record.untraded:
            then = self._session.store.orders.revision(record.id, record.baseline or 1).phase
            if then in (Phase.RELEASED, Phase.RECEIVED):
                return Use.KNOWN
        return Use.WANTED if record.phase is Phase.RELEASED and not record.untraded else Use.NONE

    def _of_invoice(self, naming: _Naming) -> Claim:
        invoices = self._session.store.invoices
        record = invoices.get(naming.owner.id)
        assert record is not None
        invoice = invoices.revision(record.id, record.latest)
        wanted = invoice.booked and not invoice.void and not record.untraded
        if naming.first_document is not None:
            use = Use.SENT
        elif self._session.store.numbers.is_known_otherwise(record.stream) or (record.known and wanted):
            use = Use.KNOWN
        else:
            use = Use.WANTED if wanted else Use.NONE
        return Claim(
            id=record.id,
            number=naming.number,
            partner=record.customer,
            status="void" if invoice.void else "booked" if invoice.booked else "not booked",
            created_at=invoice.created_at,
            first_seen=naming.owner.first_seen,
            use=use,
            since=naming.first_document or 0,
        )

    def _files(self, orphans: Iterable[_Orphan]) -> Iterable[Claim]:
        partners = {**self._session.config.suppliers, **self._session.config.customers}
        for orphan in orphans:
            yield Claim(
                id=orphan.execution.file_name,
                number=orphan.slot.order,
                partner=self._partner_of(orphan.execution, partners),
                status="no longer in Plex",
                created_at=orphan.execution.created_at,
                first_seen=orphan.execution.created_at,
                use=Use.FILE,
            )


def _reasons(order_id: str, claims: list[Claim], *, noun: str) -> tuple[Reason, ...]:
    other = taken_by(order_id, claims)
    mine = next((claim for claim in claims if claim.id == order_id), None)
    return () if other is None or mine is None else (number_taken(mine, other, noun=noun),)
