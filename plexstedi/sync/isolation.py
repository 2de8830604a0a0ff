"""Many records, each with its own turn: what one of them raises keeps no other from its turn.

Two kinds of trouble belong to one record alone. A service that does not answer for it, while it answers for others, is
asked again in each run; several such records in a row are the service itself. What nobody foresaw holds the record as
a review item of kind `unforeseen`; it is tried again when its content or the program's version is another, or when a
person accepts the item.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from plexstedi import __version__
from plexstedi.decimal_json import Json, dumps
from plexstedi.edi.held import Reason
from plexstedi.errors import PlexStediError, RequestRejected, ServiceUnavailable, Unforeseen
from plexstedi.state.memory import Fact
from plexstedi.state.orders import Work
from plexstedi.state.reviews import ReviewKind
from plexstedi.sync.session import Session

_IN_A_ROW = 3
"""So many failures without a success between them mean that the service itself does not answer."""
_LONGEST_ERROR = 300


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

    @property
    def subject(self) -> str:
        """Of its review item."""
        return f"{self.step} {self.key}"


_READ_ORDER = "read order "
_READ_RECEIPT = ("store receipt ", "read receipts row ")
_READ_INVOICE = ("read invoice ", "read invoices row ")
_INVOICES_BACK = timedelta(days=3)


def order_reading(order_id: str, number: str) -> Record:
    """The reading of one order from Plex. It has no mark: an order is read when it changes."""
    return Record("read", f"order {order_id}", f"order {number or order_id}", order_number=number or None)


def try_again(session: Session, subject: str, number: str = "") -> None:
    """Let the record of this review item have its turn in the next run; in the caller's transaction.

    What is read only when it changes is asked for anew.
    """
    store = session.store
    store.unforeseen.try_again(subject)
    if subject.startswith(_READ_ORDER):
        store.orders.add_work([Work(subject.removeprefix(_READ_ORDER), number, "window")])
    elif subject.startswith(_READ_RECEIPT):
        store.memory.put_time(Fact.RECEIPTS_CURSOR, None)
    elif subject.startswith(_READ_INVOICE) and (cursor := store.memory.time(Fact.INVOICES_CURSOR)) is not None:
        store.memory.put_time(Fact.INVOICES_CURSOR, cursor - _INVOICES_BACK)


def try_again_after_update(session: Session) -> None:
    """What another version of the program could not do, this one tries."""
    subjects = session.store.unforeseen.of_another_program(__version__)
    if subjects:
        with session.store.transaction():
            for subject in subjects:
                try_again(session, subject)


def is_held(session: Session, record: Record) -> bool:
    """Whether this record raised something before, as it is now and under this version of the program."""
    return session.store.unforeseen.holds(record.subject, record.mark, __version__)


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
    counted = session.tally.copy()
    try:
        with session.store.apart():
            yield turn
    except PlexStediError:
        raise
    except Exception as error:
        turn.held = True
        session.tally.restore(counted)
        hold(session, record, error)
    else:
        let_go(session, record)


def hold(session: Session, record: Record, error: Exception) -> None:
    """Hold a record that raised what nobody foresaw; told once, however often it is tried again."""
    said = session.redacted(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    said = said if len(said) <= _LONGEST_ERROR else f"{said[:_LONGEST_ERROR]}…"
    reason = Reason(
        code="unforeseen",
        where=record.words,
        message=f"cannot {record.step} {record.words}: {said}, in {_place(error)}",
        fix="Report it with this text. It is tried again when the record changes or PlexStedi is updated;"
        " `plexstedi review accept` tries it again now.",
    )
    content = None if record.raw is None else dumps(record.raw)
    with session.store.transaction():
        session.store.unforeseen.hold(record.subject, record.mark, __version__, session.clock.now(), content)
        if session.store.reviews.is_open(ReviewKind.UNFORESEEN, record.subject):
            return
        session.ask(
            ReviewKind.UNFORESEEN,
            record.subject,
            (reason,),
            supplier=record.supplier,
            order_id=record.order_id,
            order_number=record.order_number,
        )
    session.tally.unforeseen.append(Unforeseen(reason.message, fix=reason.fix, error=error))


def let_go(session: Session, record: Record) -> None:
    """The record went well: what held it is over."""
    if not session.store.unforeseen.known(record.subject):
        return
    with session.store.transaction():
        session.store.unforeseen.forget(record.subject)
        session.withdraw(ReviewKind.UNFORESEEN, record.subject, "it went well this time", order_id=record.order_id)


def _place(error: Exception) -> str:
    """The innermost place in our own code: `sync/poll.py:120 in record_reading`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "plexstedi" in frame.filename] or list(frames)
    if not ours:
        return "an unknown place"
    _, _, file = ours[-1].filename.rpartition("plexstedi/")
    return f"{file}:{ours[-1].lineno} in {ours[-1].name}"


class Turns:
    """The turns of the records of one step, of which a service is asked one by one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.failed: list[ServiceUnavailable] = []
        self._in_a_row = 0

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

    def unanswered(self, record: Record, fault: ServiceUnavailable) -> None:
        """A service did not answer for a record. Raise its fault if too many did in a row."""
        message = f"cannot {record.step} {record.words}: {fault.message}"
        self.failed.append(ServiceUnavailable(message, fix=fault.fix, code=fault.code))
        self._in_a_row += 1
        if self._in_a_row >= _IN_A_ROW:
            raise fault

    def tell(self) -> None:
        """After the last record: raise the first failure, with how many there were."""
        if not self.failed:
            return
        first, more = self.failed[0], len(self.failed) - 1
        if not more:
            raise first
        raise ServiceUnavailable(f"{first.message} (and {more} more)", fix=first.fix, code=first.code)
