"""Process many records in isolation: an error of one record does not stop the others.

Two kinds of errors belong to a single record. If a service gives no response for it while it responds for others, the
record is tried again in each run; several such records in a row mean that the service itself is unavailable. An
unexpected error holds the record as a review item of kind `unforeseen`; it is tried again when its content or the
program's version changes, or when a user accepts the item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from msgspec import Struct

from plexstedi import __version__
from plexstedi.decimal_json import Json, dumps
from plexstedi.edi.reasons import Reason
from plexstedi.errors import PlexStediError, RecordsUnanswered, RequestRejected, ServiceUnavailable, Unforeseen
from plexstedi.internal import bounded, place_of
from plexstedi.state.cursors import Fact
from plexstedi.state.orders import Work
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import NO_SUBJECT, Subject
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage

_PATIENCE = timedelta(days=1)
"""How long a record without a response is retried before it needs review (DESIGN.md section 4)."""
_IN_A_ROW = 3
"""So many failures in a row mean that the service itself is unavailable."""
_KNOWN_IN_A_ROW = 20
"""The same for records that failed in earlier runs: they are processed last and so usually fail in a row."""


class Record(Struct, frozen=True):
    """A record at one processing step."""

    step: str
    """The step as a verb: `read`, `decide`, `write`."""
    key: str
    """Internal identifier: kind and id."""
    words: str
    """Name for display: `order PO-1`."""
    mark: str = ""
    """Fingerprint of its current content: another mark means that it has changed."""
    supplier: str | None = None
    order_id: str | None = None
    order_number: str | None = None
    raw: Json = None
    """A feed entry as received: stored for the next attempt, since it is not listed again."""

    about: Subject = NO_SUBJECT
    """The document or transaction that it is, or belongs to."""

    @property
    def name(self) -> str:
        """Internal name of record and step, under which it is held."""
        return f"{self.step} {self.key}"

    @property
    def subject(self) -> Subject:
        """Subject of its review item."""
        return replace(self.about, text=self.name)


_READ_ORDER = "read order "
_READ_RECEIPT = ("store receipt ", "read receipts row ")
_READ_INVOICE = ("read invoice ", "read invoices row ")
_INVOICES_BACK = timedelta(days=3)


def order_reading(order_id: str, number: str) -> Record:
    """The reading of one order from Plex. No mark: an order is read only when it changes."""
    return Record("read", f"order {order_id}", f"order {number or order_id}", order_number=number or None)


def try_again(session: Session, name: str, number: str = "") -> None:
    """Release a held record for the next run; in the caller's transaction.

    A record that is read only when it changes is queued for reading again.
    """
    store = session.store
    store.unforeseen.try_again(name)
    if name.startswith(_READ_ORDER):
        store.orders.add_work([Work(name.removeprefix(_READ_ORDER), number, "window")])
    elif name.startswith(_READ_RECEIPT):
        store.cursors.put_time(Fact.RECEIPTS_CURSOR, None)
    elif name.startswith(_READ_INVOICE) and (cursor := store.cursors.time(Fact.INVOICES_CURSOR)) is not None:
        store.cursors.put_time(Fact.INVOICES_CURSOR, cursor - _INVOICES_BACK)


def try_again_after_update(session: Session) -> None:
    """Release records held by another version of the program."""
    names = session.store.unforeseen.of_another_program(__version__)
    if names:
        with session.store.transaction():
            for name in names:
                try_again(session, name)


def is_held(session: Session, record: Record) -> bool:
    """Whether this record raised an error before, with the same content and program version."""
    return session.store.unforeseen.holds(record.name, record.mark, __version__)


class Turn(Struct):
    """The result of processing one record."""

    held: bool = False
    """It raised an unexpected error: none of its changes were kept."""


@contextmanager
def isolated(session: Session, record: Record, *, is_last_step: bool = True) -> Iterator[Turn]:
    """Process one record: an unexpected error holds it, and the caller continues after the block.

    `is_last_step`: false for a part of the processing after which it may still fail; it then stays held if it was.

    Inside a transaction, the block's changes are rolled back to a savepoint and the rest of the transaction is kept.
    Raise PlexStediError as the block does: those faults are handled by the caller.
    """
    turn = Turn()
    # Counts and warnings live in memory: restore them together with the savepoint.
    counted = session.run.copy()
    try:
        with session.store.savepoint():
            yield turn
    except PlexStediError:
        raise
    except Exception as error:
        turn.held = True
        session.run.restore(counted)
        hold(session, record, error)
    else:
        if is_last_step:
            release_hold(session, record)


def hold(session: Session, record: Record, error: Exception) -> None:
    """Hold a record that raised an unexpected error; reported once, however often it is tried again."""
    reason = Reason(
        code="unforeseen",
        where=record.words,
        message=f"cannot {record.step} {record.words}: {bounded(error)} ({place_of(error) or 'unknown place'})",
        fix="Report it with this text. It is tried again when the record changes or PlexStedi is updated;"
        " `plexstedi review accept ID --reason TEXT` tries it again now.",
    )
    content = None if record.raw is None else dumps(record.raw)
    with session.store.transaction():
        session.store.unforeseen.hold(record.name, record.mark, __version__, session.clock.now(), content)
        if session.store.reviews.is_open(ReviewKind.UNFORESEEN, record.subject):
            return
        session.open_review(
            ReviewKind.UNFORESEEN,
            record.subject,
            (reason,),
            supplier=record.supplier,
            order_id=record.order_id,
            order_number=record.order_number,
            # Not urgent: the run reports and alerts the error itself.
            urgent=False,
        )
    session.run.unforeseen.append(Unforeseen(reason.message, fix=reason.fix, error=error))


def release_hold(session: Session, record: Record) -> None:
    """The record succeeded: remove its hold."""
    if not session.store.unforeseen.known(record.name):
        return
    with session.store.transaction():
        session.store.unforeseen.forget(record.name)
        session.withdraw_review(
            ReviewKind.UNFORESEEN, record.subject, "it succeeded this time", order_id=record.order_id
        )


class Turns:
    """Process the records of one stage that each need a call to a service.

    A record without a response is a persistent fault from the first failure on. After a day it becomes a review item;
    it is still tried in each run but no longer makes the run end with 5.
    """

    def __init__(self, session: Session, stage: Stage, *, shared: ReviewKind | None = None) -> None:
        """`shared`: the kind of the review items that others open, and close, about the same documents."""
        self._shared = shared
        self._kind = shared or ReviewKind.UNANSWERED
        self._session = session
        self._stage = stage
        self._failing = {fault.place for fault in session.store.faults.open_faults() if fault.of_record}
        self._failed: list[ServiceUnavailable] = []
        self._in_a_row = 0
        self._known_in_a_row = 0

    @property
    def failed(self) -> Sequence[ServiceUnavailable]:
        """Faults of the records without a response in this stage that are not review items yet."""
        return self._failed

    def _subject(self, record: Record) -> Subject:
        """Subject of the review item about a record without a response."""
        return record.subject if self._shared is None else record.about

    def failed_earlier(self, record: Record) -> bool:
        """Whether this record failed in earlier runs: then it is processed after the others."""
        return record.name in self._failing or self._is_in_review(record)

    def failing_orders(self) -> set[str]:
        """Plex ids of the orders whose reading failed in earlier runs."""
        in_review = [
            review.subject.text for review in self._session.store.reviews.open_items() if review.kind is self._kind
        ]
        found = (*self._failing, *in_review)
        return {name.removeprefix(_READ_ORDER) for name in found if name.startswith(_READ_ORDER)}

    @contextmanager
    def turn(self, record: Record) -> Iterator[Turn]:
        """Process one record. Raise ServiceUnavailable if the time is over, or if the service itself fails."""
        raised = False

        @contextmanager
        def catching_failures() -> Iterator[None]:
            nonlocal raised
            try:
                yield
            except ServiceUnavailable as fault:
                if fault.code == "time-limit":
                    raise
                raised = True
                self.no_response(record, fault)
            except RequestRejected as fault:
                # Rejected for this record alone; a rejection of every request would be a ServiceRefused.
                raised = True
                unavailable = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
                self.no_response(record, unavailable)

        with isolated(self._session, record) as turn, catching_failures():
            yield turn
        if not (raised or turn.held):
            self.succeeded(record)

    def succeeded(self, record: Record) -> None:
        """A record was processed: the service responds."""
        self._in_a_row = 0
        self._known_in_a_row = 0
        if not self.failed_earlier(record):
            return
        session = self._session
        with session.store.transaction():
            session.store.faults.succeed(record.name, session.clock.now())
            # A response is not yet what a shared item is about: whoever stores the document withdraws it.
            if self._shared is None:
                session.withdraw_review(self._kind, record.subject, "the service responds", order_id=record.order_id)

    def no_response(self, record: Record, fault: ServiceUnavailable) -> None:
        """The service gave no response for a record. Raise its fault after too many failures in a row."""
        if self.failed_earlier(record):
            self._known_in_a_row += 1
        else:
            self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW or self._known_in_a_row >= _KNOWN_IN_A_ROW:
            # The service itself is down: do not record faults for single records.
            raise fault
        message = f"cannot {record.step} {record.words}: {fault.message}"
        session, now = self._session, self._session.clock.now()
        # Its review item is open already: neither a fault of the run nor a second item.
        if self._is_in_review(record):
            return
        with session.store.transaction():
            faults = session.store.faults
            since = faults.fail(record.name, fault.code, message, fault.fix, now, stage=self._stage)
            if now - since >= _PATIENCE:
                # From now on the review item represents it: a persistent fault too would be reported twice.
                faults.forget(record.name)
                self._open_review(record, message, fault)
                return
        self._failed.append(ServiceUnavailable(message, fix=fault.fix, code=fault.code))

    def _is_in_review(self, record: Record) -> bool:
        return self._session.store.reviews.is_open(self._kind, self._subject(record))

    def _open_review(self, record: Record, message: str, fault: ServiceUnavailable) -> None:
        reason = Reason(code=fault.code, where=record.words, message=message, fix=fault.fix)
        self._session.open_review(
            self._kind,
            self._subject(record),
            (reason,),
            supplier=record.supplier,
            order_id=record.order_id,
            order_number=record.order_number,
        )

    def raise_unanswered(self) -> None:
        """After the last record: raise RecordsUnanswered with the first fault and the number of faults."""
        if not self._failed:
            return
        first, more = self._failed[0], len(self._failed) - 1
        message = f"{first.message} (and {more} more)" if more else first.message
        raise RecordsUnanswered(message, fix=first.fix, code=first.code)
