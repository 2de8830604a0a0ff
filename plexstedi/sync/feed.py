"""Read one page of a Stedi feed, also when Stedi rejects the stored page token.

Tokens do not expire (stedi/README.md 4.1), but after a change of account or a restore the state may hold one that Stedi
rejects. The feed is then read again from the last known time: entries are identified by their id, so nothing counts
twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from plexstedi.decimal_json import Json, dumps, loads
from plexstedi.edi.reasons import Reason
from plexstedi.errors import RequestRejected
from plexstedi.state.cursors import Fact
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import NO_SUBJECT, Subject, of_transaction
from plexstedi.stedi.models import Execution, StediTransaction, UnreadableEntry, read_execution, read_transaction
from plexstedi.stedi.paging import Checkpoint, FromTime, FromToken, Page
from plexstedi.sync.isolation import Record, hold, isolated
from plexstedi.sync.poll.orders import FIRST_LOOK_BACK
from plexstedi.sync.session import Session

if TYPE_CHECKING:
    from plexstedi.stedi.client import StediClient

_MARGIN = timedelta(hours=1)
"""Items are ordered by processing time; no two are out of order by more than an hour."""
_YOUNGEST_START = timedelta(minutes=2)
_REFUSED = (400, 404, 422)
"""HTTP statuses with which Stedi may reject a page token."""
Entry = TypeVar("Entry", Execution, StediTransaction)


class Feed(Struct, Generic[Entry], frozen=True):
    """One of the two feeds, with the cursors stored for it."""

    name: str
    poll: Callable[[StediClient, Checkpoint], Page[Entry]]
    read: Callable[[Json], Entry | UnreadableEntry]
    """One entry, from its stored JSON."""
    time_of: Callable[[Entry], datetime]
    """The time by which the feed is ordered."""
    token: Fact
    seen: Fact
    refused: Fact
    """Since when Stedi has rejected the token; unset while it accepts it."""


TRANSACTIONS: Feed[StediTransaction] = Feed(
    "transaction",
    lambda stedi, checkpoint: stedi.poll_transactions(checkpoint),
    read_transaction,
    lambda transaction: transaction.processed_at,
    Fact.TRANSACTIONS_TOKEN,
    Fact.TRANSACTIONS_SEEN,
    Fact.TRANSACTIONS_REFUSED,
)
EXECUTIONS: Feed[Execution] = Feed(
    "execution",
    lambda stedi, checkpoint: stedi.poll_executions(checkpoint),
    read_execution,
    lambda execution: execution.updated_at or execution.created_at,
    Fact.EXECUTIONS_TOKEN,
    Fact.EXECUTIONS_SEEN,
    Fact.EXECUTIONS_REFUSED,
)


def read_feed(session: Session, feed: Feed[Entry], record: Callable[[Session, Entry], None]) -> None:
    """Read a feed to its end; `record` stores one entry.

    The entries of a page and the token of the next are stored in one transaction: a crash repeats a page, but never
    loses one. Raise SuspicionStop if the feed goes backwards or in circles; ServiceUnavailable, ServiceRefused.
    """
    note_held_entries(session, feed, record)
    checkpoint = first_checkpoint(session, feed)
    seen = {checkpoint}
    while True:
        page, checkpoint = next_page(session, feed, checkpoint, seen)
        following = page.after(checkpoint)
        newest = max(map(feed.time_of, page.items), default=None)
        guard_direction(session, feed.seen, newest, feed.name)
        with session.store.transaction():
            record_entries(session, feed, page, record)
            remember_newest(session, feed.seen, newest)
            remember_checkpoint(session, feed.token, following)
        if page.last:
            return
        if following in seen:
            session.suspect("feed-stuck", f"Stedi's {feed.name} feed returns the same pages repeatedly")
            return
        seen.add(following)
        checkpoint = following
        session.checkpoint()


def record_entries(
    session: Session, feed: Feed[Entry], page: Page[Entry], record: Callable[[Session, Entry], None]
) -> None:
    """Store the entries of one page; in the caller's transaction."""
    for entry in page.items:
        with isolated(session, feed_entry(feed.name, entry.id, entry.raw)):
            record(session, entry)
    open_reviews_of_unreadable(session, page.unreadable, feed.name)


def first_checkpoint(session: Session, feed: Feed[Entry]) -> Checkpoint:
    """Where to resume a feed; for a new state, before any document of this state can have been sent."""
    cursors = session.store.cursors
    token = cursors.get(feed.token)
    if token is not None:
        return FromToken(token)
    if cursors.get(feed.refused) is not None:
        # The token was rejected and no new one was received yet: continue by time.
        return FromTime(_restart_time(session, feed, _MARGIN))
    return FromTime(feed_start(session))


def never_read(session: Session, feed: Feed[Entry]) -> bool:
    """Whether this state has read nothing of the feed yet, or is to read it again."""
    cursors = session.store.cursors
    return cursors.get(feed.token) is None and cursors.get(feed.refused) is None


def reset_feed(session: Session, feed: Feed[Entry]) -> None:
    """Clear the cursors: the next reading begins at `feed_start`. In the caller's transaction."""
    for fact in (feed.token, feed.refused, feed.seen):
        session.store.cursors.put(fact, None)


def feed_start(session: Session) -> datetime:
    """A time before anything relevant to this state: orders sent as new, and documents found by `recover`."""
    cursors, now = session.store.cursors, session.clock.now()
    start = session.config.plex.poll.start or cursors.time(Fact.START) or now - FIRST_LOOK_BACK
    transactions_from = cursors.time(Fact.TRANSACTIONS_FROM) or start
    return min(start - _MARGIN, transactions_from - _MARGIN, now - _YOUNGEST_START)


def next_page(
    session: Session, feed: Feed[Entry], checkpoint: Checkpoint, seen: set[Checkpoint]
) -> tuple[Page[Entry], Checkpoint]:
    """The page at a checkpoint, and the checkpoint at which it was really read.

    `seen` holds the checkpoints of this reading and is updated. If Stedi rejects the token, the page is read from the
    last known time: one hour before the newest entry, or one second before it if a token of this very reading is
    rejected and nothing newer arrived. Raise RequestRejected if Stedi rejects a time, ServiceRefused,
    ServiceUnavailable.
    """
    cursors = session.store.cursors
    try:
        page = feed.poll(session.services.stedi, checkpoint)
    except RequestRejected as refused:
        # A rejected time, or another status, is a real error and not an outdated token.
        if isinstance(checkpoint, FromTime) or refused.status not in _REFUSED:
            raise
        by_time = any(isinstance(each, FromTime) for each in seen)
        again = FromTime(_restart_time(session, feed, timedelta(seconds=1) if by_time else _MARGIN))
        _forget_token(session, feed, again, refused)
        # Tokens of the abandoned reading no longer count; times stay, so that a token rejected twice ends the loop.
        seen.difference_update([each for each in seen if isinstance(each, FromToken)])
        if again in seen:
            return Page((), (), None), again
        seen.add(again)
        return feed.poll(session.services.stedi, again), again
    if isinstance(checkpoint, FromToken) and cursors.get(feed.refused) is not None:
        with session.store.transaction():
            cursors.put(feed.refused, None)
            session.note("feed-token-taken", Subject(f"{feed.name} feed"))
    return page, checkpoint


def _restart_time(session: Session, feed: Feed[Entry], margin: timedelta) -> datetime:
    newest = session.store.cursors.time(feed.seen)
    if newest is None:
        return feed_start(session)
    # A newest entry in the future comes from a wrong clock: never start later than the youngest start allowed.
    return min(newest - margin, session.clock.now() - _YOUNGEST_START)


def _forget_token(session: Session, feed: Feed[Entry], again: FromTime, refused: RequestRejected) -> None:
    """Clear the token; report once that the feed is read again, even if later tokens are rejected too."""
    cursors = session.store.cursors
    with session.store.transaction():
        cursors.put(feed.token, None)
        if cursors.get(feed.refused) is not None:
            return
        newest = cursors.time(feed.seen)
        if newest is not None and newest > again.at + _MARGIN:
            # This machine's clock was set back: older entries are expected now and are no backward step of Stedi.
            cursors.put_time(feed.seen, again.at)
        cursors.put_time(feed.refused, session.clock.now())
        session.note(
            "feed-read-again", Subject(f"{feed.name} feed"), since=again.at.isoformat(), message=refused.message
        )
    session.run.warn(
        f"Stedi no longer accepts the stored page token of its {feed.name} feed ({refused.message}): the feed is "
        f"read again from {again.at:%Y-%m-%d %H:%M} UTC, and nothing is processed twice"
    )


_BACKWARDS = timedelta(hours=1)
"""Items are ordered by processing time; no two are out of order by more than an hour."""


def feed_entry(feed: str, key: str, raw: Json) -> Record:
    """One feed entry as an isolated record. It is not listed again, so its content is stored while it is held."""
    about = of_transaction(key) if feed == "transaction" else NO_SUBJECT
    return Record("note", f"{feed} {key}", f"{feed} {key} of Stedi's feed", raw=raw, about=about)


def note_held_entries(session: Session, feed: Feed[Entry], record: Callable[[Session, Entry], None]) -> None:
    """Process held entries that are due for another attempt."""
    prefix = f"note {feed.name} "
    for subject, content in session.store.unforeseen.contents(prefix):
        raw = loads(content)
        key = subject.removeprefix(prefix)
        with session.store.transaction(), isolated(session, feed_entry(feed.name, key, raw)):
            entry = feed.read(raw)
            if isinstance(entry, UnreadableEntry):
                open_reviews_of_unreadable(session, [entry], feed.name)
            else:
                record(session, entry)


def open_reviews_of_unreadable(session: Session, entries: Sequence[UnreadableEntry], feed: str) -> None:
    """Open a review item for each entry that cannot be read: it is not listed again. In the caller's transaction."""
    for entry in entries:
        # An unreadable entry may have no id: its content identifies it.
        mark = hashlib.sha256(dumps(entry.raw).encode()).hexdigest()[:16]
        if entry.error is not None:
            hold(session, feed_entry(feed, mark, entry.raw), entry.error)
            continue
        reason = Reason(
            code="feed-entry-unreadable",
            where=f"{feed} feed of Stedi",
            message=f"an entry cannot be read: {entry.reason}",
            fix="Look it up in the Stedi portal: if it is a supplier's acknowledgment, ask the supplier to send it "
            "again.",
        )
        subject = Subject(f"{feed} entry {mark}")
        if not session.store.reviews.decided(ReviewKind.FEED_ENTRY_UNREADABLE, subject):
            session.open_review(ReviewKind.FEED_ENTRY_UNREADABLE, subject, (reason,))


def remember_checkpoint(session: Session, token: Fact, checkpoint: Checkpoint) -> None:
    """Store the token. A time is never stored: entries of equal time at a page boundary would be lost."""
    if isinstance(checkpoint, FromToken):
        session.store.cursors.put(token, checkpoint.token)


def guard_direction(session: Session, seen: Fact, newest: datetime | None, feed: str) -> None:
    """Stop if a feed, which is listed from old to new, returns a page that ends long before the newest known entry.

    The key of another account, or a token that Stedi no longer follows, has this effect (stedi/README.md 4.1). Raise
    SuspicionStop, unless it is overridden for this run.
    """
    known = session.store.cursors.time(seen)
    if newest is not None and known is not None and newest < known - _BACKWARDS:
        session.suspect(
            "feed-backwards",
            f"Stedi's {feed} feed went backwards: it ended at {known:%Y-%m-%d %H:%M} UTC before, and now at"
            f" {newest:%Y-%m-%d %H:%M} UTC. Possible causes: the key of another account, or a token that Stedi no "
            "longer accepts",
        )


def remember_newest(session: Session, seen: Fact, newest: datetime | None) -> None:
    """Store how far a feed was read; inside the caller's transaction. After an override it may go backwards."""
    if newest is not None:
        session.store.cursors.put_time(seen, newest)
