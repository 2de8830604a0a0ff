"""`recover`: rebuild a lost or old state from the files at Stedi and the orders and invoices in Plex.

Each outbound file with a name of this program that is not in the ledger is imported. A stream is in sync only if a
revision of its order or invoice (the one in Plex now, or one of an old state) renders to the mark in the name of its
last file. Every other stream is blocked, and a review item shows both versions. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.advice import replay_command
from plexstedi.edi.document_name import parse_file_name
from plexstedi.edi.order_number import PossibleOwner, owner_of_files
from plexstedi.edi.reasons import Reason
from plexstedi.edi.stream import StreamKey
from plexstedi.errors import ServiceUnavailable
from plexstedi.plain_text import many
from plexstedi.state.cursors import Fact
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject, of_stream
from plexstedi.sync.feed import TRANSACTIONS, reset_feed
from plexstedi.sync.people.recovered_files import FileAtStedi, Found, close_earlier, file_at_stedi, import_file
from plexstedi.sync.people.recovered_lines import RecoveredSent, sent_by_position
from plexstedi.sync.poll.orders import poll
from plexstedi.sync.replay_advice import REPLACES
from plexstedi.sync.session import Session
from plexstedi.sync.submit.executions import read_executions
from plexstedi.sync.submit.lifecycle import Trade, Word
from plexstedi.sync.submit.trades import Trades, all_trades

_BEFORE_FIRST_FILE = timedelta(days=2)
"""Longest assumed time from the last change of an order in Plex to its first document."""


class FoundStream(Struct, frozen=True):
    """The files of one stream, oldest first, and their order or invoice."""

    word: Word
    number: str
    release: str | None
    files: tuple[Found, ...]
    trade: Trade | None
    """None: Plex does not have it, or which of `others` it is cannot be determined."""
    revision: int | None
    """The revision sent by the last file; None: no known revision matches it."""
    others: tuple[Trade, ...] = ()

    @property
    def in_sync(self) -> bool:
        """Whether the revision that the partner has is known."""
        return self.revision is not None

    @property
    def first_sent_at(self) -> datetime:
        """When Stedi received the first of the files."""
        return min(file.execution.created_at for file in self.files)

    def action(self) -> str:
        """The action of `recover`, as text."""
        if self.trade is None and self.others:
            return f"the number was used again, and the {self.word} of this file cannot be determined: needs review"
        if self.trade is None:
            return f"Plex has no such {self.word}: the file is recorded, needs review"
        if self.revision == self.trade.revision:
            return "in sync: imported"
        if self.revision is not None:
            return f"says revision {self.revision}: imported, the next submit decides on later changes"
        return f"the {self.word} in Plex differs from the last document: imported, blocked, needs review"


def find_streams(session: Session) -> list[FoundStream]:
    """Find the streams that can be imported, by comparing Stedi's files with the orders and invoices in Plex.

    Reads all of Plex and Stedi's feed to its end; only revisions and executions are stored. Raise ServiceUnavailable if
    the time limit is reached before all orders were read; what was read is kept.
    """
    session.services.check_tenant()
    session.overrides |= {"sweep-empty"}
    read_executions(session, all_of_ours=True)
    unknown = _unknown_files(session)
    if not unknown:
        return []
    _read_plex(session, since=min(execution.created_at for execution in unknown) - _BEFORE_FIRST_FILE)
    files: dict[tuple[str, str | None, bool], list[Found]] = {}
    for execution in unknown:
        parsed = parse_file_name(execution.file_name)
        if parsed is not None:
            slot, mark = parsed
            files.setdefault((slot.order, slot.release, slot.kind == "810"), []).append(Found(execution, slot, mark))
    return [
        _found_stream(session, trades, number, release, found)
        for trades in all_trades(session)
        for (number, release, is_invoice), found in sorted(files.items(), key=str)
        if is_invoice == (trades.word == "invoice")
    ]


def _unknown_files(session: Session) -> list[ExecutionRecord]:
    """Files at Stedi that the ledger lacks. A retried file is listed twice by name: the newest execution counts."""
    return list({each.file_name: each for each in session.store.executions.unknown_to_ledger()}.values())


def _read_plex(session: Session, since: datetime) -> None:
    cursor = session.store.cursors.time(Fact.PLEX_CURSOR)
    overlap = timedelta(minutes=session.config.plex.poll.overlap_minutes)
    poll(session, since=since if cursor is None else min(since, cursor - overlap), full=True)
    left = session.store.orders.work_left()
    if left:
        raise ServiceUnavailable(
            f"still to be read from Plex: {many(left, 'order')}, so nothing was imported",
            fix="Run `plexstedi recover` again: it continues.",
            code="time-limit",
        )


def _found_stream(
    session: Session, trades: Trades, number: str, release: str | None, files: Sequence[Found]
) -> FoundStream:
    ordered = tuple(sorted(files, key=lambda f: (f.slot.change_sequence, f.slot.counter, f.execution.created_at)))
    last = ordered[-1]
    found = {trade.id: trade for trade in trades.by_number(number)}
    reached = {trade.id: _revision_reached(trades, trade, release, last.mark) for trade in found.values()}
    documents = session.store.documents
    owner = owner_of_files(
        [
            PossibleOwner(
                id=trade.id,
                has_documents=any(document.order_number == number for document in documents.of_order(trade.id)),
                matches_content=reached[trade.id] is not None,
                same_partner=trade.partner in trades.partners
                and trades.partners[trade.partner].partnership_id == last.execution.partnership,
                in_plex=trades.is_in_plex(trade),
                created_at=trades.created_at(trade),
            )
            for trade in found.values()
        ],
        min(file.execution.created_at for file in ordered),
    )
    if owner is None:
        return FoundStream(trades.word, number, release, ordered, None, None, tuple(found.values()))
    return FoundStream(trades.word, number, release, ordered, found[owner], reached[owner])


def _revision_reached(trades: Trades, trade: Trade, release: str | None, mark: str) -> int | None:
    """The newest revision that renders to this mark; None if there is none, or its partner has no usable settings."""
    if trade.partner not in trades.partners or trades.problems(trade.partner):
        return None
    mark_of = trades.marks(trade, release)
    return next((revision for revision in range(trade.revision, 0, -1) if mark_of(revision) == mark), None)


def import_streams(session: Session, found: Sequence[FoundStream]) -> None:
    """Add the files to the ledger; each stream in one transaction."""
    if not found:
        return
    by_word = {trades.word: trades for trades in all_trades(session)}
    with session.store.transaction():
        _list_transactions_again(session, min(stream.first_sent_at for stream in found))
        for trades in by_word.values():
            streams = [stream for stream in found if stream.word == trades.word]
            if streams:
                since = min(stream.first_sent_at for stream in streams)
                trades.without_file(since, {stream.trade.id for stream in streams if stream.trade is not None})
    for stream in found:
        session.checkpoint()
        at_stedi = [file_at_stedi(session, file) for file in stream.files]
        with session.store.transaction():
            if stream.trade is None:
                _open_review_of_unknown(session, by_word[stream.word], stream)
            else:
                _import_stream(session, by_word[stream.word], stream, stream.trade, at_stedi)


def _list_transactions_again(session: Session, since: datetime) -> None:
    """List transactions again from the first of these files on. Those already known are not processed twice."""
    known = session.store.cursors.time(Fact.TRANSACTIONS_FROM)
    session.store.cursors.put_time(Fact.TRANSACTIONS_FROM, since if known is None else min(since, known))
    reset_feed(session, TRANSACTIONS)


def _open_review_of_unknown(session: Session, trades: Trades, stream: FoundStream) -> None:
    """Open a review item for files whose order or invoice is not in Plex; they no longer block other sending."""
    word, count = stream.word, len(stream.files)
    message = f"Stedi received {many(count, 'document')} for it and Plex has no such {word}"
    if stream.others:
        ids = ", ".join(f"{each.id} of {each.partner}" for each in stream.others)
        message = (
            f"Stedi received {many(count, 'document')} under this number, and the {word} cannot be determined: in Plex"
            f" the number is on {ids}"
        )
    counterpart = "supplier" if word == "order" else "customer"
    reason = Reason(
        code=f"{word}-missing",
        where=f"{word} {stream.number}",
        message=message,
        fix=f"Resolve it with the {counterpart}, then `plexstedi review accept ID --reason TEXT`; until then no older"
        f" {word} of this {counterpart} is sent for the first time.",
    )
    for file in stream.files:
        session.store.executions.mark_resolved(file.execution.execution_id)
    session.open_review(
        ReviewKind.ORDER_HELD if word == "order" else ReviewKind.INVOICE_HELD,
        Subject(f"{word} number {stream.number}"),
        (reason,),
        supplier=trades.partner_over(stream.files[-1].execution.partnership),
        order_number=stream.number,
    )


def _import_stream(
    session: Session, trades: Trades, stream: FoundStream, trade: Trade, at_stedi: Sequence[FileAtStedi]
) -> None:
    revision = trade.revision if stream.revision is None else stream.revision
    name = StreamKey(order_id=trade.id, release=stream.release).name
    files = [RecoveredSent(each.file.slot.kind, each.file.mark, each.x12) for each in at_stedi]
    sent = sent_by_position(trades.as_sent(trade, revision, stream.release), files)
    close_earlier(session, name)
    trades.decide_again(trade)
    settings = trades.partners.get(trade.partner)
    for each, lines in zip(at_stedi, sent, strict=True):
        is_last = each is at_stedi[-1]
        import_file(
            session,
            each,
            trade,
            stream=name,
            release=stream.release,
            partnership=each.file.execution.partnership or (settings.partnership_id if settings else None) or "",
            revision=revision if is_last else 0,
            sent=lines,
            is_last=is_last,
            in_sync=stream.in_sync,
        )
    if not stream.in_sync:
        _open_review_of_difference(session, stream, trade, name)


def _open_review_of_difference(session: Session, stream: FoundStream, trade: Trade, name: str) -> None:
    last = stream.files[-1].execution
    fix = (
        "Compare both with `plexstedi review show ID`. If the supplier has the order as Plex has it:"
        " `plexstedi review accept ID --reason TEXT`. Otherwise"
        f" {replay_command(trade.number, release=stream.release, purpose=REPLACES)} sends the current order to"
        " replace it."
    )
    if trade.word == "invoice":
        fix = (
            "Compare it in the Stedi portal. `plexstedi review accept ID --reason TEXT`: the customer has the invoice"
            " as it is in Plex, or was informed."
        )
    reason = Reason(
        code="recovered-differs",
        where=trade.word,
        message=f"its last document at Stedi ({last.file_name}, {last.created_at:%Y-%m-%d}) differs from Plex now"
        f" (revision {trade.revision})",
        fix=fix,
    )
    session.open_review(
        ReviewKind.RECOVERED_DIFFERS,
        of_stream(name),
        (reason,),
        supplier=trade.partner,
        order_id=trade.id,
        order_number=trade.number,
    )
