"""Find line changes that an 860 has no place for: it would repeat the line as it was, or list nothing at all."""

from __future__ import annotations

from collections.abc import Iterable

from plexstedi.edi.guide.capacity import Capacity, placement_for
from plexstedi.edi.outbound.changes import LineChange, changed_facts, is_note_alone, line_changes
from plexstedi.edi.outbound.view import OrderView
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.transaction import Loop, Transaction


def unsent_line_changes(
    before: OrderView, after: OrderView, capacity: Capacity, sent: Transaction, as_before: Transaction
) -> tuple[Reason, ...]:
    """Reasons for changed lines whose change is not in the 860 as bound (`sent`).

    `as_before` lists the same lines with the values before the change: a line that is equal in both states no change. A
    new ship-to of a line without a place there leaves it under that of the heading.
    """
    now, was = _loops(sent), _loops(as_before)
    placed = placement_for(capacity, "detail", ("POC",), "N1", {1: "ST"}) is not None
    reasons = []
    for change in line_changes(before, after):
        if change.after is None:
            continue
        own, had = change.after.ship_to, None if change.before is None else change.before.ship_to
        moved = own != had and (own is not None or had != after.ship_to)
        if moved and not placed:
            reasons.append(change_without_place(f"line {change.id}", ("ship-to",)))
        elif change.before is not None and change.id in now and now[change.id] == was.get(change.id):
            reasons.append(change_without_place(f"line {change.id}", changed_facts(change.before, change.after)))
    return tuple(reasons)


def unlisted_line_changes(changes: Iterable[LineChange]) -> tuple[Reason, ...]:
    """Reasons for changes visible in the 850, if the 860 lists none of them; a note alone is omitted."""
    return tuple(
        change_without_place(f"line {change.id}", changed_facts(change.before, change.after))
        for change in changes
        if change.before is not None and change.after is not None and not is_note_alone(change)
    )


def change_without_place(where: str, facts: Iterable[str]) -> Reason:
    """The reason for a change that the 860 cannot express."""
    return Reason(
        code="change-without-place",
        where=where,
        message=f"the 860 has no place for what changed: {', '.join(facts)}",
        fix="Inform the supplier outside EDI, then `plexstedi review accept ID --reason TEXT`, or set"
        ' change_orders = "replace"',
    )


def _loops(transaction: Transaction) -> dict[str | None, Loop]:
    return {loop.head.text(1): loop for loop in transaction.detail if isinstance(loop, Loop)}
