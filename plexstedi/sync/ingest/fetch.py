"""Pulling what suppliers sent from Stedi: the listing to its end, then each document, stored as received."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.reading.answer_sets import (
    ACKNOWLEDGMENTS,
    ENVELOPE_ANSWERS,
    READ_SETS,
    set_of_json,
    set_of_x12,
)
from plexstedi.edi.inbound.reading.guide_reading import Unreadable as UnreadableDocument
from plexstedi.edi.inbound.reading.guide_reading import read_guide_json
from plexstedi.edi.inbound.reading.interchange_ack import ta1_of_x12
from plexstedi.edi.inbound.reading.set_choice import choose_set
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.raw import decoded
from plexstedi.errors import RequestRejected, ServiceUnavailable, UsageFault
from plexstedi.http.caller import TOO_LARGE
from plexstedi.state.cursors import Fact
from plexstedi.state.inbox import Inbound, InboxState, Listed
from plexstedi.state.reviews import ReviewKind
from plexstedi.stedi.models import INBOUND, Transaction, read_transaction
from plexstedi.sync.feed import TRANSACTIONS, first_checkpoint, next_page
from plexstedi.sync.ingest.business_ack import ANOTHER_PLANTS, wanted_set
from plexstedi.sync.isolation import Record, Turns, isolated
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage
from plexstedi.sync.submit.executions import (
    ask_about_unreadable,
    customer_of,
    feed_entry,
    guard_direction,
    note_held_entries,
    remember_checkpoint,
    remember_newest,
    supplier_of,
)

UNKNOWN_SET = "unknown"
"""The set of a transaction that Stedi lists without X12 metadata, until its document is read."""
_TOO_LARGE = "its document is larger than "
NOBODYS = "its partnership is not in the configuration: another plant's"
_AT_ONCE = 200
"""So many transactions of partnerships that became known are taken up in one run: the rest in the next."""
_PATIENCE = timedelta(days=1)
_OTHER_USAGE = {"P": "test", "T": "production"}
"""Transactions of this mode belong to a state of the other usage indicator."""


@dataclass(frozen=True)
class TooLarge:
    """The document is larger than an answer may be."""


@dataclass(frozen=True)
class _Source:
    """Where a transaction's document may be had."""

    get: Callable[[], bytes | None]
    form: str
    whole: bool = False
    """The file that it came in, which may hold others, too."""


def pull(session: Session) -> Turns:
    """List what is new and fetch its documents; what became of those that Stedi did not hand out.

    Raise ServiceUnavailable, SuspicionStop; what was stored stays.
    """
    _list_new(session)
    _take_up_by_pattern(session)
    turns = _Fetches(session, Stage.INGEST)
    _take_up_known(session, turns)
    _fetch_documents(session, turns)
    return turns


def _list_new(session: Session) -> None:
    """Items and token are stored in one transaction: a crash repeats a page, it never loses one."""
    note_held_entries(session, "transaction", read_transaction, _note_transaction)
    checkpoint = first_checkpoint(session, TRANSACTIONS)
    seen = {checkpoint}
    while True:
        page, checkpoint = next_page(session, TRANSACTIONS, checkpoint, seen)
        following = page.after(checkpoint)
        newest = max((transaction.processed_at for transaction in page.items), default=None)
        guard_direction(session, Fact.TRANSACTIONS_SEEN, newest, "transaction")
        with session.store.transaction():
            for transaction in page.items:
                with isolated(session, feed_entry("transaction", transaction.id, transaction.raw)):
                    _note_transaction(session, transaction)
            remember_newest(session, Fact.TRANSACTIONS_SEEN, newest)
            remember_checkpoint(session, Fact.TRANSACTIONS_TOKEN, following)
            ask_about_unreadable(session, page.unreadable, "transaction")
        if page.last:
            return
        if following in seen:
            session.suspect("feed-stuck", "Stedi's transaction feed gives the same pages again and again")
            return
        seen.add(following)
        checkpoint = following
        session.checkpoint()


def _note_transaction(session: Session, transaction: Transaction) -> None:
    if transaction.direction != INBOUND:
        document = session.store.documents.by_execution(transaction.execution_id)
        if document is not None:
            session.store.documents.set_controls(
                document.id, transaction.interchange_control, transaction.group_control, transaction.set_control
            )
        return
    supplier = supplier_of(session, transaction.partnership_id)
    customer = None if supplier is not None else customer_of(session, transaction.partnership_id)
    listed = Listed(
        transaction_id=transaction.id,
        execution_id=transaction.execution_id,
        set_id=transaction.set_id or UNKNOWN_SET,
        partnership=transaction.partnership_id or "",
        supplier=supplier or customer,
        processed_at=transaction.processed_at,
        sender=transaction.sender_isa or transaction.sender_profile,
        release=transaction.release,
        interchange_control=transaction.interchange_control,
        group_control=transaction.group_control,
        set_control=transaction.set_control,
    )
    if not session.store.inbox.list_one(listed, session.clock.now()):
        return
    why = _not_ours(session, transaction, supplier, customer)
    if why is not None:
        session.store.inbox.move(transaction.id, InboxState.IGNORED, why)
    elif listed.set_id in ACKNOWLEDGMENTS:
        session.tally.counts.acks_received += 1
    session.note(
        "transaction-listed",
        f"transaction {transaction.id}",
        set=listed.set_id,
        partnership=listed.partnership,
        supplier=supplier or customer,
        left_alone=why,
    )


def _take_up_known(session: Session, turns: Turns) -> None:
    """Transactions that were nobody's, and whose partnership is known by now (RULES.md Reading 10)."""
    known = [one for one in session.store.inbox.ignored_for(NOBODYS, ANOTHER_PLANTS) if _partner(session, one)]
    for done, inbound in enumerate(known[:_AT_ONCE], 1):
        session.checkpoint()
        with turns.turn(_fetching(inbound)):
            _take_up(session, inbound)
        session.progress("taking up transactions of partnerships that became known", done, len(known))
    if len(known) > _AT_ONCE:
        session.tally.warn(
            f"{len(known) - _AT_ONCE} transactions of partnerships that became known wait for the next run"
        )


def _take_up_by_pattern(session: Session) -> None:
    """Another `documents.order_pattern` tells other answers apart: those that the old one left alone are read again."""
    pattern, memory = session.config.documents.order_pattern, session.store.memory
    if memory.get(Fact.ORDER_PATTERN) == pattern:
        return
    with session.store.transaction():
        for inbound in session.store.inbox.ignored_by_pattern():
            session.store.inbox.take_up(inbound.transaction_id, inbound.supplier or "", session.clock.now())
        memory.put(Fact.ORDER_PATTERN, pattern)


def _partner(session: Session, inbound: Inbound) -> str | None:
    return supplier_of(session, inbound.partnership) or customer_of(session, inbound.partnership)


def _take_up(session: Session, inbound: Inbound) -> str | None:
    """Take up one transaction that was nobody's; why it stays ignored, None if it is read now."""
    supplier = supplier_of(session, inbound.partnership)
    customer = None if supplier is not None else customer_of(session, inbound.partnership)
    partner = supplier or customer
    assert partner is not None
    why, fetched = None, inbound.document_form is not None
    if not fetched:
        # Its mode was never kept: Stedi tells it again.
        transaction = session.stedi.transaction(inbound.transaction_id)
        why = "Stedi no longer has it" if transaction is None else _not_ours(session, transaction, supplier, customer)
    with session.store.transaction():
        if why is not None:
            session.store.inbox.explain(inbound.transaction_id, why)
        else:
            session.store.inbox.take_up(inbound.transaction_id, partner, session.clock.now())
            if not fetched and inbound.set_id in ACKNOWLEDGMENTS:
                session.tally.counts.acks_received += 1
        session.note(
            "transaction-known",
            f"transaction {inbound.transaction_id}",
            set=inbound.set_id,
            partnership=inbound.partnership,
            supplier=partner,
            left_alone=why,
        )
    return why


def fetch_one(session: Session, transaction_id: str) -> Inbound:
    """One transaction with its document, fetched from Stedi where the state file lacks it.

    Raise UsageFault, with the reason, if Stedi does not have it or it is not to be read; ServiceUnavailable.
    """
    inbound = session.store.inbox.get(transaction_id) or _list_one(session, transaction_id)
    if session.store.inbox.document(transaction_id) is not None:
        return inbound
    if inbound.state is InboxState.IGNORED and inbound.document_form is None:
        nobodys = inbound.reason in (NOBODYS, ANOTHER_PLANTS) and _partner(session, inbound) is not None
        why = _take_up(session, inbound) if nobodys else inbound.reason
        if why is not None:
            raise UsageFault(
                f"transaction {transaction_id} ({inbound.set_id} over partnership {inbound.partnership}) is not read:"
                f" {why}",
                fix="Only what concerns a supplier or customer of this configuration is read: correct its"
                " partnership_id, then repeat it."
                if inbound.reason == NOBODYS
                else "Nothing is to be done: it is none of the documents that are read here.",
            )
    _fetch(session, inbound)
    after = session.store.inbox.get(transaction_id)
    assert after is not None
    if session.store.inbox.document(transaction_id) is None:
        raise UsageFault(
            f"Stedi hands out no document of transaction {transaction_id}",
            fix="Look at the transaction in the Stedi portal, or have the supplier send it again.",
        )
    return after


def _list_one(session: Session, transaction_id: str) -> Inbound:
    """A transaction that no listing has shown, as Stedi tells it. Raise UsageFault if it is none of a partner's."""
    try:
        transaction = session.stedi.transaction(transaction_id)
    except RequestRejected:
        transaction = None
    if transaction is None or transaction.id != transaction_id:
        raise UsageFault(
            f"there is no transaction {transaction_id} in the state file, and Stedi knows none",
            fix="`plexstedi status NUMBER` shows the transactions of an order.",
        )
    if transaction.direction != INBOUND:
        raise UsageFault(
            f"transaction {transaction_id} is a document of ours, not an acknowledgment",
            fix="`plexstedi status NUMBER` shows the transactions of an order.",
        )
    with session.store.transaction():
        _note_transaction(session, transaction)
    inbound = session.store.inbox.get(transaction_id)
    assert inbound is not None
    return inbound


def _not_ours(session: Session, transaction: Transaction, supplier: str | None, customer: str | None) -> str | None:
    """Why a transaction is only counted, None if it is to be read."""
    if supplier is None and customer is None:
        return NOBODYS
    if transaction.mode == _OTHER_USAGE[session.usage]:
        session.tally.warn(
            f"a transaction of {supplier or customer} is marked {transaction.mode}, this configuration sends with"
            f" usage indicator {session.usage}: it was left alone"
        )
        return f"its mode is {transaction.mode}"
    return None if transaction.set_id is None else _not_read(transaction.set_id, customer)


def _not_read(set_id: str, customer: str | None) -> str | None:
    """Why a transaction set is only counted. `customer`: it is from a customer, not from a supplier."""
    if customer is not None and set_id not in ENVELOPE_ANSWERS:
        return f"{customer} is a customer: only its 997 and TA1 are read"
    return None if set_id in READ_SETS else "its transaction set is not read"


def _fetch_documents(session: Session, turns: Turns) -> None:
    """Each document for itself: one that Stedi does not hand out keeps no other back."""
    listed = [*session.store.inbox.in_state(InboxState.LISTED), *_held_for_a_smaller_limit(session)]
    waiting = sorted(listed, key=lambda inbound: turns.failed_before(_fetching(inbound)))
    for done, inbound in enumerate(waiting, 1):
        session.checkpoint()
        with turns.turn(_fetching(inbound)):
            _fetch(session, inbound)
        session.progress("fetching acknowledgments", done, len(waiting))


class _Fetches(Turns):
    """The documents of transactions: a person is asked about each as about one that Stedi does not have."""

    kind = ReviewKind.DOCUMENT_MISSING

    def review_subject(self, record: Record) -> str:
        return record.key

    def take_back(self, record: Record) -> None:
        """Stedi answers, which is not yet the document: storing that takes the item back."""


def _fetching(inbound: Inbound) -> Record:
    transaction = f"transaction {inbound.transaction_id}"
    return Record("fetch", transaction, f"the document of {transaction}", supplier=inbound.supplier)


def _held_for_a_smaller_limit(session: Session) -> list[Inbound]:
    """Documents that were larger than `run.max_response_mb` was then."""
    held = session.store.inbox.in_state(InboxState.HELD)
    return [each for each in held if (each.reason or "").startswith(_TOO_LARGE) and each.reason != _too_large(session)]


def _too_large(session: Session) -> str:
    return f"{_TOO_LARGE}run.max_response_mb ({session.config.run.max_response_mb} MB)"


def _bounded(get: Callable[[], bytes | None]) -> bytes | None | TooLarge:
    try:
        return get()
    except ServiceUnavailable as fault:
        if fault.code != TOO_LARGE:
            raise
        return TooLarge()


def _fetch(session: Session, inbound: Inbound) -> None:
    """Guide JSON where Stedi has it whole, else the raw X12 (an inbound transaction's output is JSON, its input EDI).

    A transaction's input is ST to SE. Where that is missing or broken, the whole file is taken, the execution's input.
    """
    stedi = session.stedi
    tried: list[tuple[bytes | TooLarge | None, _Source]] = []
    sources: tuple[_Source, ...] = (
        _Source(lambda: stedi.transaction_document(inbound.transaction_id, "output"), "guide-json"),
        _Source(lambda: stedi.transaction_document(inbound.transaction_id, "input"), "x12"),
        _Source(lambda: stedi.execution_document(inbound.execution_id, "input"), "x12", whole=True),
    )
    for source in sources:
        if source.whole and isinstance(tried[-1][0], TooLarge):
            break  # A file is no smaller than a part of it.
        try:
            document = _bounded(source.get)
        except RequestRejected:
            if not source.whole or not any(isinstance(each, bytes) for each, _ in tried):
                raise
            document = None  # What there is of it is held as unreadable, which tells more than this refusal.
        readable = _is_guide_json if source.form == "guide-json" else _is_x12
        if isinstance(document, bytes) and readable(document, inbound):
            _store(session, inbound, document, source.form, whole=source.whole)
            return
        tried.append((document, source))
    # None can be read: the raw X12 is what a person looks at first.
    got = [(each, source) for each, source in (*tried[1:], tried[0]) if isinstance(each, bytes)]
    for document, source in sorted(got, key=lambda one: not one[0].strip())[:1]:
        _store(session, inbound, document, source.form, whole=source.whole)
        return
    if any(isinstance(document, TooLarge) for document, _ in tried):
        _hold_too_large(session, inbound)
        return
    said = f"transaction {inbound.transaction_id}: Stedi has no document for it yet; tried again"
    session.tally.warn(said)
    _ask_about_missing(session, inbound, said)


def _store(session: Session, inbound: Inbound, document: bytes, form: str, *, whole: bool) -> None:
    """Store it as received. `whole`: it is the file that this transaction came in."""
    with session.store.transaction():
        mark = hashlib.sha256(document).hexdigest()
        # Until it is read, all that tells two sets of one file apart are their numbers.
        own = f"{mark} {inbound.interchange_control}/{inbound.group_control}/{inbound.set_control}" if whole else mark
        session.store.inbox.store(inbound.transaction_id, document, form, own)
        session.note(
            "transaction-stored", f"transaction {inbound.transaction_id}", form=form, bytes=len(document), sha256=mark
        )
        for kind in (ReviewKind.DOCUMENT_MISSING, ReviewKind.ACKNOWLEDGMENT_HELD):
            session.withdraw(kind, f"transaction {inbound.transaction_id}", "fetched after all")
        if inbound.set_id == UNKNOWN_SET:
            _tell_set(session, inbound, document, form)


def _hold_too_large(session: Session, inbound: Inbound) -> None:
    """Only this one is held; it is fetched again once the limit is another."""
    reason = Reason(
        code=TOO_LARGE,
        where="document",
        message=_too_large(session),
        fix="If it is right, raise run.max_response_mb: the next run fetches it. Else ask the supplier for a smaller"
        " one: `plexstedi review reject ID --reason TEXT`.",
    )
    with session.store.transaction():
        if inbound.state is InboxState.HELD:
            # Held already, for a limit that was another.
            session.store.inbox.move(inbound.transaction_id, InboxState.STORED, None)
        session.store.inbox.move(inbound.transaction_id, InboxState.HELD, reason.message)
        subject = f"transaction {inbound.transaction_id}"
        new = session.ask(ReviewKind.ACKNOWLEDGMENT_HELD, subject, (reason,), supplier=inbound.supplier)
        session.tally.counts.acks_held += int(new)


def _tell_set(session: Session, inbound: Inbound, document: bytes, form: str) -> None:
    """Stedi named no transaction set: the document itself does."""
    set_id = _set_of(document, form) or UNKNOWN_SET
    session.store.inbox.set_set(inbound.transaction_id, set_id)
    customer = customer_of(session, inbound.partnership) if inbound.supplier not in session.config.suppliers else None
    why = _not_read(set_id, customer)
    if set_id == UNKNOWN_SET:
        reason = Reason(
            code="set-unknown",
            where="document",
            message="neither Stedi nor the document itself tells which transaction set it is",
            fix="Look at it in the Stedi portal; if it is an acknowledgment, ask the supplier to send it again.",
        )
        session.store.inbox.move(inbound.transaction_id, InboxState.HELD, reason.message)
        session.ask(
            ReviewKind.ACKNOWLEDGMENT_HELD,
            f"transaction {inbound.transaction_id}",
            (reason,),
            supplier=inbound.supplier,
        )
    elif why is not None:
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, why)
    elif set_id in ACKNOWLEDGMENTS:
        session.tally.counts.acks_received += 1


def _set_of(document: bytes, form: str) -> str | None:
    if form != "guide-json":
        return set_of_x12(decoded(document))
    try:
        return set_of_json(loads(document))
    except BrokenJsonError:
        return None


def _ask_about_missing(session: Session, inbound: Inbound, said: str) -> None:
    """A document that Stedi listed and does not hand out is tried again each run, after a day with a person's help."""
    if session.clock.now() - inbound.received_at < _PATIENCE:
        return
    reason = Reason(
        code="document-missing",
        where=f"transaction {inbound.transaction_id}",
        message=said,
        fix="Look at the transaction in the Stedi portal and ask Stedi's support, or have the supplier send it again.",
    )
    with session.store.transaction():
        session.ask(
            ReviewKind.DOCUMENT_MISSING,
            f"transaction {inbound.transaction_id}",
            (reason,),
            supplier=inbound.supplier,
        )


def _is_guide_json(document: bytes, inbound: Inbound) -> bool:
    """Whether it can be read: a mapping at Stedi may make any other JSON of it."""
    try:
        read = loads(document)
    except BrokenJsonError:
        return False
    if inbound.set_id not in READ_SETS or inbound.set_id == "TA1":
        return isinstance(read, dict) and (inbound.set_id != UNKNOWN_SET or set_of_json(read) is not None)
    return not isinstance(read_guide_json(read, inbound.set_id, inbound.release or ""), UnreadableDocument)


def _is_x12(document: bytes, inbound: Inbound) -> bool:
    """Whether it holds this transaction, readable."""
    text = decoded(document)
    if inbound.set_id == UNKNOWN_SET:
        return set_of_x12(text) is not None
    if inbound.set_id == "TA1":
        return bool(ta1_of_x12(text))
    return not isinstance(choose_set(text, wanted_set(inbound)), UnreadableDocument)
