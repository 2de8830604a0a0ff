"""Promises in Plex that this state does not know: it was restored to a time before they were written there."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from plexstedi.config.load import WriteBack
from plexstedi.edi.order import Order, Release
from plexstedi.edi.reasons import Reason
from plexstedi.edi.writeback.plan import FieldChange, ReleaseField, WritePlan, WriteTarget
from plexstedi.plex.note_token import token
from plexstedi.state.orders import OrderRecord
from plexstedi.state.subject import of_order
from plexstedi.sync.session import Session
from plexstedi.sync.submit.document import DueDocument
from plexstedi.sync.submit.lifecycle import has_revision, hold, trade_of_order
from plexstedi.sync.supplier_copy import supplier_copy_of
from plexstedi.sync.writeback.results import references


class UnknownPromise(Struct, frozen=True):
    """A release whose date or quantity differs from what was sent, with an unknown acknowledgment in its note."""

    line: int
    before: Release
    now: Release
    transaction: str
    token_text: str
    """Text of the acknowledgment token in the note."""

    def changes(self) -> tuple[FieldChange, ...] | None:
        """The differences as our writes; None if the token does not contain all of them: a user then edited the
        release."""
        found = []
        if self.now.due is not None and self.now.due != self.before.due:
            due = self.now.due.isoformat()
            found.append(self._change(ReleaseField.DUE_DATE, _text(self.before.due), due))
        if self.now.quantity is not None and self.now.quantity != self.before.quantity:
            quantity = f"{self.now.quantity.normalize():f}"
            before = None if self.before.quantity is None else f"{self.before.quantity:f}"
            found.append(self._change(ReleaseField.QUANTITY, before, quantity))
        # The token lists what was written: a value missing in it was edited in Plex afterwards.
        words = self.token_text.replace(";", " ").replace(",", " ").split()
        return tuple(found) if all(change.after in words for change in found) else None

    def _change(self, field: ReleaseField, before: str | None, after: str) -> FieldChange:
        return FieldChange(
            level="release",
            record_id=self.now.id,
            line=self.line,
            release_number=self.now.number,
            field=field,
            before=before,
            after=after,
            why=f"is in Plex with the acknowledgment of transaction {self.transaction}",
        )

    def reason(self) -> Reason:
        """Why the order is held."""
        return Reason(
            code="promise-unknown",
            where=f"line {self.line} release {self.now.number}",
            message=f"it has the supplier's acknowledgment of transaction {self.transaction}, which is not in this "
            "state file, and its date or quantity differs from the note",
            fix="Check the release in Plex: accept if the supplier knows these values; otherwise delete what "
            "PlexStedi wrote into the note, and the change is sent.",
        )


def may_be_promise(session: Session, record: OrderRecord, due_now: DueDocument) -> bool:
    """Whether a change is, or may be, a promise of the supplier that a lost state wrote into Plex."""
    trade, last = trade_of_order(record), session.store.documents.last_sent_document(due_now.stream)
    known_revision = 0 if last is None else has_revision(session, trade, due_now.stream, last)
    if not known_revision:
        return False
    now = session.store.orders.revision(record.id, record.latest)
    reasons = _adopt_unknown(session, record, supplier_copy_of(session.store, record, known_revision), now)
    if reasons:
        with session.store.transaction():
            hold(session, trade, due_now.stream, reasons)
    return reasons is not None


def _adopt_unknown(session: Session, record: OrderRecord, sent: Order, now: Order) -> tuple[Reason, ...] | None:
    """Adopt values that a lost state wrote into Plex; reads the releases' notes from Plex.

    None: there is no such value. Reasons: the order needs review. Only with `release_values` do such values exist.
    """
    config = session.config.plex.acknowledgments
    # Only this strategy writes dates and quantities of releases.
    if config.write is not WriteBack.RELEASES or set(config.release_values) <= {ReleaseField.NOTE}:
        return None
    found = list(_unknown_promises(session, sent, now))
    if not found:
        return None
    reasons = tuple(each.reason() for each in found if each.changes() is None)
    if reasons:
        return reasons
    with session.store.transaction():
        plan = WritePlan(order_id=record.id, order_number=record.number, target=WriteTarget.RELEASES)
        changes = [change for each in found for change in each.changes() or ()]
        session.store.writes.adopt(plan, found[0].transaction, changes, session.clock.now(), revision=record.latest)
        session.note(
            "write-adopted",
            of_order(record.number),
            order_id=record.id,
            transactions=sorted({each.transaction for each in found}),
        )
    return ()


def _unknown_promises(session: Session, sent: Order, now: Order) -> Iterator[UnknownPromise]:
    before = {release.id: release for line in sent.lines for release in line.releases}
    for line in now.lines:
        for release in line.releases:
            old = before.get(release.id)
            if old is None or (old.due, old.quantity) == (release.due, release.quantity):
                continue
            live = session.services.plex.current_release(release.id)
            token_text = "" if live is None else token(live.note) or ""
            for transaction in references(token_text):
                if session.store.inbox.get(transaction) is None:
                    yield UnknownPromise(line.number, old, release, transaction, token_text)


def _text(day: object) -> str | None:
    return None if day is None else str(day)
