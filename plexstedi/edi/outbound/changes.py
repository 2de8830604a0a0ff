"""Changes between two views of an order, line by line, and their POC02 codes (RULES.md Sending 8)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Literal

from msgspec import Struct

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.outbound.view import DocumentLine, OrderView, document_lines
from plexstedi.edi.reasons import Reason

ChangeCode = str
"""X12 element 670."""


class Aspect(Enum):
    """Aspect of a line that can change."""

    QUANTITY = "quantity"
    PRICE = "price"
    SCHEDULE = "schedule"
    OTHER = "other"
    """Unit, item numbers, description, note, ship-to."""


class LineChange(Struct, frozen=True):
    """One line of an 860, as sent and as it is now; `before` is None if it was added, `after` if it was deleted."""

    before: DocumentLine | None
    after: DocumentLine | None
    aspects: frozenset[Aspect]

    @property
    def id(self) -> str:
        """POC01: the id sent before; for an added line the new one."""
        line = self.before or self.after
        if line is None:
            raise ValueError("a change without lines")
        return line.id


_COMBINED: dict[frozenset[Aspect], str] = {
    frozenset({Aspect.PRICE}): "PC",
    frozenset({Aspect.SCHEDULE}): "RS",
    frozenset({Aspect.QUANTITY, Aspect.SCHEDULE}): "RQ",
    frozenset({Aspect.PRICE, Aspect.SCHEDULE}): "PR",
    frozenset({Aspect.PRICE, Aspect.QUANTITY}): "PQ",
    frozenset({Aspect.PRICE, Aspect.QUANTITY, Aspect.SCHEDULE}): "MU",
}
_RESCHEDULED = frozenset({"RS", "RQ", "PR", "MU"})


def line_changes(before: OrderView, after: OrderView) -> tuple[LineChange, ...]:
    """Every line that differs, ordered by id; lines that look the same to the supplier are omitted."""
    old = {line.id: line for line in document_lines(before)}
    new = {line.id: line for line in document_lines(after)}
    changes: list[LineChange] = []
    for line_id in dict.fromkeys((*old, *new)):
        was, becomes = old.get(line_id), new.get(line_id)
        aspects = frozenset[Aspect]() if was is None or becomes is None else _aspects(was, becomes)
        if was is None or becomes is None or aspects:
            changes.append(LineChange(was, becomes, aspects))
    return tuple(sorted(changes, key=_order))


def _order(change: LineChange) -> tuple[int, int]:
    line = change.after or change.before
    if line is None:
        return (0, 0)
    return (line.line.number, line.releases[0].number if line.releases else 0)


def _aspects(was: DocumentLine, becomes: DocumentLine) -> frozenset[Aspect]:
    found: set[Aspect] = set()
    if was.quantity != becomes.quantity:
        found.add(Aspect.QUANTITY)
    if (was.line.price, was.line.price_basis) != (becomes.line.price, becomes.line.price_basis):
        found.add(Aspect.PRICE)
    if _rescheduled(was, becomes):
        found.add(Aspect.SCHEDULE)
    if _other(was) != _other(becomes):
        found.add(Aspect.OTHER)
    return frozenset(found)


def _rescheduled(was: DocumentLine, becomes: DocumentLine) -> bool:
    """Whether dates differ, or the same total is divided differently. A new total alone is not a reschedule."""
    if _schedule(was) == _schedule(becomes) and not _is_exchanged(was, becomes):
        return False
    if [r.due for r in was.releases] != [r.due for r in becomes.releases]:
        return True
    divided = [r.quantity for r in was.releases] != [r.quantity for r in becomes.releases]
    return divided and was.quantity == becomes.quantity


def _schedule(line: DocumentLine) -> Counter[tuple[date | None, Decimal]]:
    """The schedule without the order of the releases: one that is entered again comes last, with the same content."""
    return Counter((release.due, release.quantity) for release in line.releases)


def _is_exchanged(was: DocumentLine, becomes: DocumentLine) -> bool:
    """Whether a release that was sent now has the date or quantity of another one.

    This is sent: acknowledgments are written to the releases as sent.
    """
    sent = {release.id: (release.due, release.quantity) for release in was.releases}
    return any((r.due, r.quantity) != sent.get(r.id, (r.due, r.quantity)) for r in becomes.releases)


def _other(line: DocumentLine) -> tuple[object, ...]:
    described = line.line.description if line.line.description_counts else None
    return (line.line.unit, line.line.items, described, line.note, line.ship_to)


def changed_facts(was: DocumentLine, becomes: DocumentLine) -> tuple[str, ...]:
    """Names of the values of a line that differ."""
    facts = {
        "quantity": was.quantity != becomes.quantity,
        "price": (was.line.price, was.line.price_basis) != (becomes.line.price, becomes.line.price_basis),
        "schedule": _rescheduled(was, becomes),
        "unit": was.line.unit != becomes.line.unit,
        "item numbers": was.line.items != becomes.line.items,
        "description": was.line.description != becomes.line.description and becomes.line.description_counts,
        "note": was.note != becomes.note,
        "ship-to": was.ship_to != becomes.ship_to,
    }
    return tuple(fact for fact, differs in facts.items() if differs)


def is_note_alone(change: LineChange) -> bool:
    """Whether only the note of the line changed."""
    was, becomes = change.before, change.after
    return was is not None and becomes is not None and changed_facts(was, becomes) == ("note",)


def header_changes(before: OrderView, after: OrderView) -> tuple[str, ...]:
    """Names of the header values that differ."""
    names = ("currency", "freight", "terms", "routing", "ship_to", "due", "note", "order_date", "kind")
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    if "due" in changed and _due_follows_lines(before, after):
        changed.remove("due")
    return tuple(changed)


def _due_follows_lines(before: OrderView, after: OrderView) -> bool:
    """Whether the header's due date changed only because it is the common due date of the lines."""
    return bool(line_changes(before, after)) and any(line.dues() for line in (*before.lines, *after.lines))


def renumbered(before: OrderView, after: OrderView) -> tuple[Reason, ...]:
    """Lines or releases renumbered since they were sent: their ids would now identify another line."""
    reasons: list[Reason] = []
    now = {line.id: line for line in after.lines}
    for was in before.lines:
        becomes = now.get(was.id)
        if becomes is None:
            continue
        pairs = [(str(was.number), str(becomes.number))]
        names = {release.id: release.name for release in becomes.releases}
        if before.schedule is after.schedule and before.schedule.value == "lines":
            pairs = [(r.name, names[r.id]) for r in was.releases if r.id in names]
        reasons += [
            Reason(
                code="line-renumbered",
                where=f"line {old}",
                message=f"it was sent as {old} and is now {new} in Plex",
                fix="Restore its old number in Plex, or resolve it with the supplier, then `plexstedi review accept "
                "ID --reason TEXT`",
            )
            for old, new in pairs
            if old != new
        ]
    return tuple(reasons)


class Coded(Struct, frozen=True):
    """A change with its POC02 code."""

    code: ChangeCode
    change: LineChange
    lists_schedule: bool
    """Whether the POC lists all schedules of the line after the change."""


class AcceptedCodes(Struct, frozen=True):
    """POC02 codes that a supplier accepts: those of its settings that its guide lists (None: all)."""

    configured: tuple[str, ...] | None
    listed: tuple[str, ...] | None
    table: str
    """Configuration table of the supplier: `suppliers.ACME01`."""

    def takes(self, code: ChangeCode) -> bool:
        """Whether the supplier accepts this code."""
        return all(codes is None or code in codes for codes in (self.configured, self.listed))

    def shown(self) -> str:
        """The codes, for messages."""
        codes = self.listed if self.configured is None else self.configured
        return ", ".join(code for code in codes or () if self.takes(code)) or "none of them"

    def advice(self, wanted: ChangeCode) -> str:
        """Fix for a change that has no accepted code."""
        replace = write(self.table, "change_orders", quoted("replace"))
        otherwise = f"{replace}; or inform the supplier outside EDI and accept the hold"
        if self.configured is not None and (self.listed is None or wanted in self.listed):
            codes = ", ".join(quoted(code) for code in (*self.configured, wanted))
            return (
                f"If the supplier accepts {wanted}: {write(self.table, 'change_codes', f'[{codes}]')}; else {otherwise}"
            )
        return sentence(otherwise)


def coded(change: LineChange, taken: AcceptedCodes) -> Coded | Reason:
    """POC02 of a change, from the accepted codes; a reason if none of them expresses it."""
    wanted = _wanted(change)
    for code in dict.fromkeys((wanted, *_fallbacks(change))):
        if taken.takes(code):
            schedule = change.after is not None and (
                code in _RESCHEDULED or change.before is None or code != "PC" or bool(change.aspects - {Aspect.PRICE})
            )
            return Coded(code, change, schedule)
    return Reason(
        code="change-code-not-taken",
        where=f"line {change.id}",
        message=f"the change would be {wanted}; the supplier accepts {taken.shown()}",
        fix=taken.advice(wanted),
    )


def _wanted(change: LineChange) -> ChangeCode:
    if change.before is None:
        return "AI"
    if change.after is None:
        return "DI"
    if change.aspects == {Aspect.QUANTITY}:
        return "QI" if change.after.quantity > change.before.quantity else "QD"
    return _COMBINED.get(change.aspects, "CA")


def _fallbacks(change: LineChange) -> tuple[Literal["CA", "RZ"], ...]:
    """Codes for any change of a line that is not deleted: other change, replace all values."""
    return () if change.before is None or change.after is None else ("CA", "RZ")
