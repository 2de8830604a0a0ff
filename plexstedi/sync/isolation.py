"""Many records, each with its own turn: what one of them raises keeps no other from its turn.

Two kinds of trouble belong to one record alone. A service that does not answer for it, while it answers for others, is
asked again in each run; several such records in a row are the service itself. What nobody foresaw holds the record as
a review item of kind `unforeseen`; it is tried again when its content or the program's version is another, or when a
person accepts the item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

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
"""So long a record that is not answered for is tried again before it needs review (DESIGN.md section 4)."""
_IN_A_ROW = 3
"""So many failures without a success between them mean that the service itself does not answer."""
_KNOWN_IN_A_ROW = 20
"""The same, of records that failed in earlier runs: they have their turn last, so that they fail in a row anyway."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record at one step of its way."""

    step: str
    """What is done with it, as words: `read`, `decide`, `write`."""
    key: str
    """What it is, for the program: its kind and its id."""
    words: str
    """What it is, for people: `order PO-1`."""
    mark: str = ""
    """Its content as it is now: another mark means that it has changed."""
    supplier: str | None = None
    order_id: str | None = None
    order_number: str | None = None
    raw: Json = None
    """An entry of a feed as it came: kept for the next try, since it does not come again."""

    about: Subject = NO_SUBJECT
    """The document or transaction that it is, or belongs to."""

    @property
    def name(self) -> str:
        """What it is at this step, for the program: under this name it is held."""
        return f"{self.step} {self.key}"

    @property
    def subject(self) -> Subject:
        """Of its review item."""
        return replace(self.about, text=self.name)


_READ_ORDER = "read order "
_READ_RECEIPT = ("store receipt ", "read receipts row ")
_READ_INVOICE = ("read invoice ", "read invoices row ")
_INVOICES_BACK = timedelta(days=3)


def order_reading(order_id: str, number: str) -> Record:
    """The reading of one order from Plex. It has no mark: an order is read when it changes."""
    return Record("read", f"order {order_id}", f"order {number or order_id}", order_number=number or None)


def try_again(session: Session, name: str, number: str = "") -> None:
    """Let the record of this name have its turn in the next run; in the caller's transaction.

    What is read only when it changes is asked for anew.
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
    """What another version of the program could not do, this one tries."""
    names = session.store.unforeseen.of_another_program(__version__)
    if names:
        with session.store.transaction():
            for name in names:
                try_again(session, name)


def is_held(session: Session, record: Record) -> bool:
    """Whether this record raised something before, as it is now and under this version of the program."""
    return session.store.unforeseen.holds(record.name, record.mark, __version__)


@dataclass(slots=True)
class Turn:
    """How one record's turn went."""

    held: bool = False
    """It raised what nobody foresaw: nothing of it was done."""


@contextmanager
def isolated(session: Session, record: Record) -> Iterator[Turn]:
    """One record's turn: what nobody foresaw holds it, and the caller goes on behind the block.

    Inside a transaction, what the block did to the state is taken back and the rest of the transaction stays. Raise
    PlexStediError as the block does: those are foreseen, and say themselves whom they concern.
    """
    turn = Turn()
    counted = session.run.copy()
    try:
        with session.store.apart():
            yield turn
    except PlexStediError:
        raise
    except Exception as error:
        turn.held = True
        session.run.restore(counted)
        hold(session, record, error)
    else:
        let_go(session, record)


def hold(session: Session, record: Record, error: Exception) -> None:
    """Hold a record that raised what nobody foresaw; told once, however often it is tried again."""
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
        session.ask(
            ReviewKind.UNFORESEEN,
            record.subject,
            (reason,),
            supplier=record.supplier,
            order_id=record.order_id,
            order_number=record.order_number,
            # The error itself is what the run tells and alerts about.
            urgent=False,
        )
    session.run.unforeseen.append(Unforeseen(reason.message, fix=reason.fix, error=error))


def let_go(session: Session, record: Record) -> None:
    """The record went well: what held it is over."""
    if not session.store.unforeseen.known(record.name):
        return
    with session.store.transaction():
        session.store.unforeseen.forget(record.name)
        session.withdraw(ReviewKind.UNFORESEEN, record.subject, "it succeeded this time", order_id=record.order_id)


class Turns:
    """The turns of the records of one stage, of which a service is asked one by one.

    A record that the service does not answer for is a standing fault from the first time on; after a day it is a review
    item, and no run ends with 5 because of it any more, though each run asks for it again.
    """

    kind: ClassVar[ReviewKind] = ReviewKind.UNANSWERED

    def __init__(self, session: Session, stage: Stage) -> None:
        self._session = session
        self._stage = stage
        self._standing = {fault.place for fault in session.store.faults.standing() if fault.of_record}
        self._failed: list[ServiceUnavailable] = []
        self._in_a_row = 0
        self._known_in_a_row = 0

    @property
    def failed(self) -> Sequence[ServiceUnavailable]:
        """The records that were not answered for in these turns, and are no review items yet."""
        return self._failed

    def review_subject(self, record: Record) -> Subject:
        """Under which subject a person is asked about a record that is not answered for."""
        return record.subject

    def take_back(self, record: Record) -> None:
        """The service answers for this record again; in a transaction."""
        why = "the service responds"
        self._session.withdraw(self.kind, self.review_subject(record), why, order_id=record.order_id)

    def failed_before(self, record: Record) -> bool:
        """Whether this record failed in earlier runs: then it has its turn after the others."""
        return record.name in self._standing or self._is_asked(record)

    def failing_orders(self) -> set[str]:
        """The orders, by Plex's id, whose reading failed in earlier runs."""
        asked = [review.subject.text for review in self._session.store.reviews.standing() if review.kind is self.kind]
        found = (*self._standing, *asked)
        return {name.removeprefix(_READ_ORDER) for name in found if name.startswith(_READ_ORDER)}

    @contextmanager
    def turn(self, record: Record) -> Iterator[Turn]:
        """One record's turn. Raise ServiceUnavailable if the time is over, or if it is the service that fails."""
        raised = False

        @contextmanager
        def answered() -> Iterator[None]:
            nonlocal raised
            try:
                yield
            except ServiceUnavailable as fault:
                if fault.code == "time-limit":
                    raise
                raised = True
                self.unanswered(record, fault)
            except RequestRejected as fault:
                # The service refuses to speak of this record alone; what it refuses of all is a ServiceRefused.
                raised = True
                unavailable = ServiceUnavailable(fault.message, fix=fault.fix, code="record-refused")
                self.unanswered(record, unavailable)

        with isolated(self._session, record) as turn, answered():
            yield turn
        if not (raised or turn.held):
            self.succeeded(record)

    def succeeded(self, record: Record) -> None:
        """A record had its turn: the service answers."""
        self._in_a_row = 0
        self._known_in_a_row = 0
        if not self.failed_before(record):
            return
        session = self._session
        with session.store.transaction():
            session.store.faults.succeed(record.name, session.clock.now())
            self.take_back(record)

    def unanswered(self, record: Record, fault: ServiceUnavailable) -> None:
        """A service did not answer for a record. Raise its fault if too many did in a row."""
        if self.failed_before(record):
            self._known_in_a_row += 1
        else:
            self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW or self._known_in_a_row >= _KNOWN_IN_A_ROW:
            # It is the service: what its calls for single records met says nothing about these.
            raise fault
        message = f"cannot {record.step} {record.words}: {fault.message}"
        session, now = self._session, self._session.clock.now()
        if self._is_asked(record):
            return
        with session.store.transaction():
            faults = session.store.faults
            since = faults.fail(record.name, fault.code, message, fault.fix, now, stage=self._stage)
            if now - since >= _PATIENCE:
                faults.forget(record.name)
                self._ask(record, message, fault)
                return
        self._failed.append(ServiceUnavailable(message, fix=fault.fix, code=fault.code))

    def _is_asked(self, record: Record) -> bool:
        return self._session.store.reviews.is_open(self.kind, self.review_subject(record))

    def _ask(self, record: Record, message: str, fault: ServiceUnavailable) -> None:
        reason = Reason(code=fault.code, where=record.words, message=message, fix=fault.fix)
        self._session.ask(
            self.kind,
            self.review_subject(record),
            (reason,),
            supplier=record.supplier,
            order_id=record.order_id,
            order_number=record.order_number,
        )

    def tell(self) -> None:
        """After the last record: raise RecordsUnanswered with the first failure and how many there were."""
        if not self._failed:
            return
        first, more = self._failed[0], len(self._failed) - 1
        message = f"{first.message} (and {more} more)" if more else first.message
        raise RecordsUnanswered(message, fix=first.fix, code=first.code)
