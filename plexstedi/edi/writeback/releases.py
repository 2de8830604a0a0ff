"""Plan release values (strategy `releases`): our token in the note, and optionally due date and quantity.

A release has one quantity and one due date, which are our demand, not the supplier's promise. So only values that a
release can express faithfully are written; all others are in the note only and, if configured, listed in `withheld`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from plexstedi.edi.inbound.precedence import LineAckStatus
from plexstedi.edi.order import Order
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.writeback.plan import ReleaseField, WriteEntry, WritePlan, WriteTarget
from plexstedi.edi.writeback.promises import ReleasePromise, release_promises


class _ReleaseDraft(Struct):
    values: Collection[ReleaseField]
    entries: list[WriteEntry] = field(default_factory=list)
    withheld: list[Reason] = field(default_factory=list)

    def withhold(self, code: str, where: str, message: str, fix: str) -> None:
        self.withheld.append(Reason(code=code, where=where, message=message, fix=fix))

    def add(self, promise: ReleasePromise, kind: ReleaseField, value: str, asked: str | None) -> None:
        if kind not in self.values:
            return
        self.entries.append(
            WriteEntry(
                level="release",
                record_id=promise.release.id,
                line=promise.line.number,
                release_number=promise.release.number,
                field=kind.value,
                kind_name=kind,
                value=value,
                asked=asked,
                why=promise.why,
            )
        )


def plan_release_writes(
    order: Order,
    outcomes: Mapping[int, LineAckStatus],
    sent: SentOrder,
    values: Collection[ReleaseField],
    settings: SupplierSettings,
) -> WritePlan:
    """Plan the releases of an order; `outcomes` comes from `precedence.fold`.

    `sent` is the order as last sent: only a date or quantity that Plex still has as ordered is replaced. A release that
    is received, cancelled or deleted is not changed, nor is a release of a held line. The due date written is a
    promised delivery date, never a ship date. For a partly received line only the note is written (RULES.md
    Reading 14). Values in `values` that a release cannot express are in `withheld`.
    """
    promises, withheld = release_promises(order, outcomes, sent, settings)
    draft = _ReleaseDraft(values, withheld=withheld)
    for promise in promises:
        draft.add(promise, ReleaseField.NOTE, promise.note(), None)
        # After a partial receipt the quantity of the release includes received goods, so it is not replaced.
        if promise.outcome.open == promise.outcome.ordered:
            _plan_demand(draft, promise)
    return WritePlan(
        order_id=order.id,
        order_number=order.number,
        target=WriteTarget.RELEASES,
        entries=tuple(draft.entries),
        withheld=tuple(draft.withheld),
    )


def _plan_demand(draft: _ReleaseDraft, promise: ReleasePromise) -> None:
    """Plan quantity and due date of the release, if listed in `values` and expressible."""
    if promise.total == 0:
        if set(draft.values) - {ReleaseField.NOTE}:
            draft.withhold("quantity-zero", promise.where, "none of it is confirmed", "cancel the release in Plex")
        return
    # The quantity includes backorders, which are still to be delivered; without them their demand would be lost.
    asked = promise.asked_quantity
    draft.add(promise, ReleaseField.QUANTITY, f"{promise.total:f}", None if asked is None else f"{asked:f}")
    if ReleaseField.DUE_DATE not in draft.values:
        return
    days = {part.delivery_date for part in promise.parts}
    if len(days) > 1:
        message = f"it is promised in parts, and a release has one due date: {promise.in_words()}"
        draft.withhold("release-in-parts", promise.where, message, "split the release in Plex, or keep its due date")
        return
    (day,) = days
    if day is not None:
        due = promise.asked_due
        draft.add(promise, ReleaseField.DUE_DATE, day.isoformat(), None if due is None else due.isoformat())
