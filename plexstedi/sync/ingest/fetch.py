"""Fetch inbound transactions from Stedi: read the listing to its end, then store each document as received."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeAlias

from msgspec import Struct

from plexstedi.edi.inbound.reading.inbound_sets import ACKNOWLEDGMENTS
from plexstedi.edi.reasons import Reason
from plexstedi.errors import RequestRejected, ServiceUnavailable, UsageFault
from plexstedi.http.caller import TOO_LARGE
from plexstedi.plain_text import many
from plexstedi.state.cursors import Fact
from plexstedi.state.inbox import Inbound, InboxState
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import of_transaction
from plexstedi.stedi.client import StediClient
from plexstedi.sync.ingest.listing import (
    ANOTHER_PLANTS,
    NO_PARTNER,
    UNKNOWN_SET,
    list_new,
    list_one,
    partner_for,
    read_ignored,
    why_not_read,
)
from plexstedi.sync.isolation import Record, Turns
from plexstedi.sync.parallel import in_parallel
from plexstedi.sync.partners import customer_of, supplier_of
from plexstedi.sync.session import Session

_TOO_LARGE = "its document is larger than "
_PATIENCE = timedelta(days=1)
_MOST_PER_RUN = 200
"""Maximum number of such transactions per run; the rest follow in the next run."""


class DocumentTooLarge(Struct, frozen=True):
    """The document exceeds the maximum size of a response."""


class _Source(Struct, frozen=True):
    """A place where a transaction's document can be downloaded."""

    get: Callable[[], bytes | None]
    form: str
    whole: bool = False
    """It is the complete file, which may contain other transactions too."""


def pull(session: Session, fetches: Turns) -> None:
    """List new transactions and fetch their documents; `fetches` notes those that Stedi does not return.

    Raise ServiceUnavailable, SuspicionStop; what was stored stays.
    """
    list_new(session)
    _read_by_new_pattern(session)
    _read_newly_known(session, fetches)
    _fetch_documents(session, fetches)


def fetch_one(session: Session, transaction_id: str) -> Inbound:
    """One transaction with its document, fetched from Stedi if the state lacks it.

    Raise UsageFault, with the reason, if Stedi does not have it or it is not a kind that is read; ServiceUnavailable.
    """
    inbound = session.store.inbox.get(transaction_id) or list_one(session, transaction_id)
    if session.store.inbox.document(transaction_id) is not None:
        return inbound
    if inbound.state is InboxState.IGNORED and inbound.document_form is None:
        assignable = inbound.reason in (NO_PARTNER, ANOTHER_PLANTS) and partner_for(session, inbound) is not None
        why = read_ignored(session, inbound) if assignable else inbound.reason
        if why is not None:
            raise UsageFault(
                f"transaction {transaction_id} ({inbound.set_id} over partnership {inbound.partnership}) is not read:"
                f" {why}",
                fix="Only transactions of suppliers and customers in the configuration are read: correct the "
                "partnership_id, then repeat the command."
                if inbound.reason == NO_PARTNER
                else "No action is needed: PlexStedi does not read this kind of document.",
            )
    _keep(session, inbound, _fetch(session.services.stedi, inbound))
    after = session.store.inbox.get(transaction_id)
    assert after is not None
    if session.store.inbox.document(transaction_id) is None:
        raise UsageFault(
            f"Stedi provides no document for transaction {transaction_id}",
            fix="Check the transaction in the Stedi portal, or ask the supplier to send it again.",
        )
    return after


def _read_by_new_pattern(session: Session) -> None:
    """Process acknowledgments again that a former `documents.order_pattern` excluded."""
    pattern, cursors = session.config.documents.order_pattern, session.store.cursors
    if cursors.get(Fact.ORDER_PATTERN) == pattern:
        return
    with session.store.transaction():
        for inbound in session.store.inbox.ignored_by_pattern():
            session.store.inbox.list_again(inbound.transaction_id, inbound.supplier or "", session.clock.now())
        cursors.put(Fact.ORDER_PATTERN, pattern)


def _read_newly_known(session: Session, turns: Turns) -> None:
    """Process ignored transactions whose partnership is configured by now (RULES.md Reading 10)."""
    inbox = session.store.inbox
    found = [
        one
        for reason in (NO_PARTNER, ANOTHER_PLANTS)
        for partnership in inbox.partnerships_ignored_for(reason)
        if supplier_of(session, partnership) or customer_of(session, partnership)
        for one in inbox.ignored_for(reason, partnership)
    ]
    known = sorted(found, key=lambda one: (one.processed_at, one.transaction_id))
    for done, inbound in enumerate(known[:_MOST_PER_RUN], 1):
        session.checkpoint()
        with turns.turn(_fetching(inbound)):
            read_ignored(session, inbound)
        session.progress("reading transactions of newly known partnerships", done, len(known))
    if len(known) > _MOST_PER_RUN:
        left = many(len(known) - _MOST_PER_RUN, "transaction")
        session.run.warn(f"still to be read: {left} of newly known partnerships; the next run continues")


def _fetch_documents(session: Session, turns: Turns) -> None:
    """Fetch each document separately: a missing one does not stop the others."""
    listed = [*session.store.inbox.in_state(InboxState.LISTED), *_held_for_a_smaller_limit(session)]
    waiting = sorted(listed, key=lambda inbound: turns.failed_earlier(_fetching(inbound)))
    stedi = session.services.stedi

    def one_by_one() -> Iterator[Inbound]:
        for done, inbound in enumerate(waiting):
            session.checkpoint()
            session.progress("fetching acknowledgments", done, len(waiting))
            yield inbound

    def conclude(inbound: Inbound, fetched: Callable[[], _Fetched]) -> None:
        with turns.turn(_fetching(inbound)):
            _keep(session, inbound, fetched())

    in_parallel(
        session,
        one_by_one(),
        lambda inbound: _fetch(stedi, inbound),
        conclude,
        calls=session.config.stedi.parallel_calls,
    )
    session.progress("fetching acknowledgments", len(waiting), len(waiting))


def _fetching(inbound: Inbound) -> Record:
    transaction = f"transaction {inbound.transaction_id}"
    about = of_transaction(inbound.transaction_id)
    return Record("fetch", transaction, f"the document of {transaction}", supplier=inbound.supplier, about=about)


def _held_for_a_smaller_limit(session: Session) -> list[Inbound]:
    """Documents held because they exceeded a former `run.max_response_mb`."""
    held = session.store.inbox.in_state(InboxState.HELD)
    return [each for each in held if (each.reason or "").startswith(_TOO_LARGE) and each.reason != _too_large(session)]


def _too_large(session: Session) -> str:
    return f"{_TOO_LARGE}run.max_response_mb ({session.config.run.max_response_mb} MB)"


def _bounded(get: Callable[[], bytes | None]) -> bytes | None | DocumentTooLarge:
    try:
        return get()
    except ServiceUnavailable as fault:
        if fault.code != TOO_LARGE:
            raise
        return DocumentTooLarge()


class _Document(Struct, frozen=True):
    """A document as Stedi returned it."""

    content: bytes
    form: str
    whole: bool
    """It is the complete file, which may contain other transactions too."""


class _NoDocument:
    """Stedi has no document for the transaction."""


_Fetched: TypeAlias = _Document | DocumentTooLarge | _NoDocument


def _fetch(stedi: StediClient, inbound: Inbound) -> _Fetched:
    """Guide JSON if Stedi has it complete, else raw X12 (an inbound transaction's output is JSON, its input EDI).

    A transaction's input is its ST to SE. If that is missing or broken, the complete file is used: the execution's
    input. Does not use the state: several are fetched at once.
    """
    # What reads documents is loaded with the first of them: most runs receive none.
    from plexstedi.sync.ingest.received_form import is_readable

    tried: list[tuple[bytes | DocumentTooLarge | None, _Source]] = []
    sources: tuple[_Source, ...] = (
        _Source(lambda: stedi.transaction_document(inbound.transaction_id, "output"), "guide-json"),
        _Source(lambda: stedi.transaction_document(inbound.transaction_id, "input"), "x12"),
        _Source(lambda: stedi.execution_document(inbound.execution_id, "input"), "x12", whole=True),
    )
    for source in sources:
        if source.whole and isinstance(tried[-1][0], DocumentTooLarge):
            break  # A file is at least as large as a part of it.
        try:
            document = _bounded(source.get)
        except RequestRejected:
            if not source.whole or not any(isinstance(each, bytes) for each, _ in tried):
                raise
            document = None  # Hold what was received as unreadable: more useful than this rejection.
        if isinstance(document, bytes) and is_readable(document, source.form, inbound):
            return _Document(document, source.form, source.whole)
        tried.append((document, source))
    # None is readable: keep the raw X12, which is the most useful for a review.
    got = [(each, source) for each, source in (*tried[1:], tried[0]) if isinstance(each, bytes)]
    for document, source in sorted(got, key=lambda one: not one[0].strip())[:1]:
        return _Document(document, source.form, source.whole)
    return next((each for each, _ in tried if isinstance(each, DocumentTooLarge)), _NoDocument())


def _keep(session: Session, inbound: Inbound, fetched: _Fetched) -> None:
    match fetched:
        case _Document(content=content, form=form, whole=whole):
            _store(session, inbound, content, form, whole=whole)
        case DocumentTooLarge():
            _hold_too_large(session, inbound)
        case _NoDocument():
            message = (
                f"transaction {inbound.transaction_id}: Stedi has no document for it yet; the next run tries again"
            )
            session.run.warn(message)
            _open_review_of_missing(session, inbound, message)


def _store(session: Session, inbound: Inbound, document: bytes, form: str, *, whole: bool) -> None:
    """Store the document as received. `whole`: it is the complete file that contains this transaction."""
    with session.store.transaction():
        mark = hashlib.sha256(document).hexdigest()
        # Sets of one file share its bytes: until it is read, only their control numbers distinguish them.
        own = f"{mark} {inbound.interchange_control}/{inbound.group_control}/{inbound.set_control}" if whole else mark
        session.store.inbox.store(inbound.transaction_id, document, form, own)
        session.note(
            "transaction-stored", of_transaction(inbound.transaction_id), form=form, bytes=len(document), sha256=mark
        )
        for kind in (ReviewKind.DOCUMENT_MISSING, ReviewKind.ACKNOWLEDGMENT_HELD):
            session.withdraw_review(kind, of_transaction(inbound.transaction_id), "fetched on a later attempt")
        if inbound.set_id == UNKNOWN_SET:
            _determine_set(session, inbound, document, form)


def _hold_too_large(session: Session, inbound: Inbound) -> None:
    """Hold this transaction only; it is fetched again once the limit changes."""
    reason = Reason(
        code=TOO_LARGE,
        where="document",
        message=_too_large(session),
        fix="If the size is correct, raise run.max_response_mb: the next run fetches it. Otherwise ask the supplier "
        "for a smaller one: `plexstedi review reject ID --reason TEXT`.",
    )
    with session.store.transaction():
        if inbound.state is InboxState.HELD:
            # Already held, for a different limit.
            session.store.inbox.move(inbound.transaction_id, InboxState.STORED, None)
        session.store.inbox.move(inbound.transaction_id, InboxState.HELD, reason.message)
        subject = of_transaction(inbound.transaction_id)
        new = session.open_review(ReviewKind.ACKNOWLEDGMENT_HELD, subject, (reason,), supplier=inbound.supplier)
        session.run.counts.acks_held += int(new)


def _determine_set(session: Session, inbound: Inbound, document: bytes, form: str) -> None:
    """Determine the transaction set from the document: Stedi's listing does not name it."""
    from plexstedi.sync.ingest.received_form import set_of_document

    set_id = set_of_document(document, form) or UNKNOWN_SET
    session.store.inbox.set_set(inbound.transaction_id, set_id)
    customer = customer_of(session, inbound.partnership) if inbound.supplier not in session.config.suppliers else None
    why = why_not_read(set_id, customer)
    if set_id == UNKNOWN_SET:
        reason = Reason(
            code="set-unknown",
            where="document",
            message="neither Stedi nor the document itself states which transaction set it is",
            fix="Check it in the Stedi portal; if it is an acknowledgment, ask the supplier to send it again.",
        )
        session.store.inbox.move(inbound.transaction_id, InboxState.HELD, reason.message)
        session.open_review(
            ReviewKind.ACKNOWLEDGMENT_HELD,
            of_transaction(inbound.transaction_id),
            (reason,),
            supplier=inbound.supplier,
        )
    elif why is not None:
        session.store.inbox.move(inbound.transaction_id, InboxState.IGNORED, why)
    elif set_id in ACKNOWLEDGMENTS:
        session.run.counts.acks_received += 1


def _open_review_of_missing(session: Session, inbound: Inbound, message: str) -> None:
    """Open a review item for a listed document that Stedi has not provided for a day; it is retried in each run."""
    # Stedi may provide a document some time after it lists the transaction.
    if session.clock.now() - inbound.received_at < _PATIENCE:
        return
    reason = Reason(
        code="document-missing",
        where=f"transaction {inbound.transaction_id}",
        message=message,
        fix="Check the transaction in the Stedi portal and ask Stedi support, or ask the supplier to send it again.",
    )
    with session.store.transaction():
        session.open_review(
            ReviewKind.DOCUMENT_MISSING,
            of_transaction(inbound.transaction_id),
            (reason,),
            supplier=inbound.supplier,
        )
