"""Decide which document is due: compare what the supplier has with the current order in Plex (DESIGN.md section 6).

There is no queue of changes: an edit undone before sending leaves no difference, and a resolved hold needs no handling.
"""

from __future__ import annotations

from plexstedi.edi.advice import partner_table, quoted, sentence, write
from plexstedi.edi.guide.binding import unreadable
from plexstedi.edi.guide.schema import GuideUnreadableError
from plexstedi.edi.invoice import Invoice, invoice_fingerprint
from plexstedi.edi.order import Order, Phase, fingerprint
from plexstedi.edi.outbound.actions import (
    Cancel860,
    Change860,
    Due,
    DueHeld,
    InvoiceDue,
    Nothing,
    Replace850,
    Send810,
    Send850,
)
from plexstedi.edi.outbound.changes import header_changes, is_note_alone, line_changes, renumbered
from plexstedi.edi.outbound.document import Renderings, prepare_invoice, with_descriptions_of
from plexstedi.edi.outbound.view import OrderView
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Held, Reason
from plexstedi.edi.settings import ChangeOrders, ReleasesAs
from plexstedi.edi.stream import StreamKey, order_of_stream, streams

__all__ = [
    "Cancel860",
    "Change860",
    "Due",
    "DueHeld",
    "Nothing",
    "Replace850",
    "Send850",
    "StreamKey",
    "due",
    "streams",
]


def due(has: Order | None, latest: Order, renderings: Renderings, stream: StreamKey | None = None) -> Due:
    """Action for this stream (default: the order as a whole).

    `has` is the revision of the last document of the stream, None if nothing was sent; after a cancellation its phase
    is CANCELLED. Pure: the same revisions and settings give the same result.
    """
    key = stream or StreamKey(order_id=latest.id)
    now = order_of_stream(latest, key)
    if has is None:
        return Send850(latest, key) if now.phase is Phase.RELEASED else Nothing()
    before = order_of_stream(has, key)
    # A supplier drops a cancelled order, so it cannot be changed by an 860 any more.
    if before.phase is Phase.CANCELLED:
        return _after_cancellation(now)
    # A review closed the order with the supplier; whether it still has the order is not known here.
    if before.phase in (Phase.VANISHED, Phase.UNRELEASED) and now.phase is Phase.RELEASED:
        return _held(
            "order-back",
            f"order {now.number} was closed with the supplier as {before.phase.value}, and is released again",
            "Resolve it with the supplier, then `plexstedi review accept ID --reason TEXT`, or order under a new "
            "number",
        )
    match now.phase:
        case Phase.RELEASED:
            return _changed(has, latest, renderings, key)
        case Phase.RECEIVED:
            return Nothing()
        case Phase.CANCELLED:
            return _cancelled(has, latest, renderings.partner, key)
        case Phase.UNRELEASED:
            return _held(
                "order-unreleased",
                f"order {latest.number} was sent and is back to {latest.status_name or 'an unreleased status'}",
                "Release or cancel it in Plex, or resolve it with the supplier, then `plexstedi review accept ID "
                "--reason TEXT`",
            )
        case Phase.VANISHED:
            return _held(
                "order-vanished",
                f"order {latest.number} was sent and Plex no longer has it",
                "Restore it in Plex, or resolve it with the supplier, then `plexstedi review accept ID --reason TEXT`",
            )


def _held(code: str, message: str, fix: str) -> DueHeld:
    return DueHeld((Reason(code=code, where="order", message=message, fix=fix),))


def _after_cancellation(now: Order) -> Due:
    if now.phase is not Phase.RELEASED:
        return Nothing()
    return _held(
        "order-reopened",
        f"order {now.number} was cancelled with the supplier and is open again in Plex",
        "Order under a new number, or resolve it with the supplier, then `plexstedi review accept ID --reason TEXT`",
    )


def _cancelled(has: Order, latest: Order, partner: Partner, key: StreamKey) -> Due:
    if partner.settings.change_orders is ChangeOrders.SEND_860 and partner.settings.document_860 is not None:
        return Cancel860(has, latest, key)
    why, setting = _no_860(partner)
    return _held(
        "cancellation-not-taken",
        f"order {latest.number} is cancelled in Plex; {why}",
        f"Inform the supplier outside EDI, then `plexstedi review accept ID --reason TEXT`, or {setting}",
    )


def _no_860(partner: Partner) -> tuple[str, str]:
    """Why no 860 is sent to this supplier, and the setting that changes it."""
    settings, table = partner.settings, f"[{partner_table('860', partner.code, '860')}]"
    if settings.change_orders is ChangeOrders.SEND_860:
        return "there is no 860 table in the settings", f"add {table}"
    setting = write(partner_table("860", partner.code), "change_orders", quoted("860"))
    if settings.document_860 is None:
        setting += f" and add {table}"
    return f'change_orders is "{settings.change_orders.value}"', setting


def _changed(has: Order, latest: Order, renderings: Renderings, key: StreamKey) -> Due:
    if fingerprint(has) == fingerprint(latest):
        return Nothing()
    try:
        before, after = renderings.view(has, "850", key), renderings.view(latest, "850", key)
    except GuideUnreadableError as error:
        return DueHeld((unreadable("850", error),))
    if isinstance(after, Held):
        return DueHeld(after.reasons)
    if isinstance(before, Held):
        return DueHeld(before.reasons)
    # POC01 identifies a line by its number, so a renumbered line cannot be changed by an 860.
    moved = renumbered(before, after)
    if moved:
        return DueHeld(moved)
    changes, headers = line_changes(before, after), header_changes(before, after)
    after_now = with_descriptions_of(after, before)
    if not changes and not headers:
        return Nothing()
    # The views may differ in values that have no place in the guide: compare what would actually be sent.
    visible_before, visible_now = renderings.visible(before), renderings.visible(after_now)
    if visible_before is not None and visible_before == visible_now:
        return Nothing()
    action = _change_by_setting(
        has, latest, renderings.partner, key, releases_only=not headers and _only_releases(before, after)
    )
    only_notes = set(headers) <= {"note"} and all(map(is_note_alone, changes))
    if isinstance(action, Change860) and only_notes and _shows_nothing(action, renderings):
        return Nothing()
    return action


def _shows_nothing(action: Change860, renderings: Renderings) -> bool:
    """Whether the 860 has no place for what changed: a note alone never holds an order (RULES.md Sending 6)."""
    try:
        was, becomes = (renderings.view(order, "860", action.stream) for order in (action.has, action.order))
    except GuideUnreadableError:
        return False
    if isinstance(was, Held) or isinstance(becomes, Held):
        return False
    return not line_changes(was, becomes) and not header_changes(was, becomes)


def _change_by_setting(has: Order, latest: Order, partner: Partner, key: StreamKey, *, releases_only: bool) -> Due:
    settings = partner.settings
    how = settings.change_orders
    if settings.releases is ReleasesAs.CHANGE_ORDER and latest.blanket and releases_only:
        how = ChangeOrders.SEND_860
    if how is ChangeOrders.REPLACE:
        return Replace850(latest, key)
    if how is ChangeOrders.SEND_860 and settings.document_860 is not None:
        return Change860(has, latest, key)
    if how is ChangeOrders.SEND_860 and settings.change_orders is not how:
        # Releases of a blanket order go as an 860 whatever `change_orders` is: only the table is missing.
        why, setting = "there is no 860 table in the settings", f"add [{partner_table('860', partner.code, '860')}]"
    else:
        why, setting = _no_860(partner)
    return _held(
        "change-not-taken",
        f"order {latest.number} changed since it was sent; {why}",
        f'{sentence(setting)}; or set change_orders = "replace"; or inform the supplier, then'
        " `plexstedi review accept ID --reason TEXT`",
    )


def _only_releases(before: OrderView, after: OrderView) -> bool:
    """Whether only the releases of the lines differ."""

    def rest(view: OrderView) -> list[tuple[object, ...]]:
        return [
            (line.id, line.number, line.unit, line.price, line.price_basis, line.items, line.note)
            for line in view.lines
        ]

    return rest(before) == rest(after)


def invoice_due(has: Invoice | None, latest: Invoice, partner: Partner) -> InvoiceDue:
    """Action for an invoice. Pure.

    `has` is the invoice as sent, None if it was not sent.
    """
    if has is None:
        return Send810(latest) if latest.booked and not latest.void else Nothing()
    if invoice_fingerprint(has) == invoice_fingerprint(latest):
        return Nothing()
    if latest.void:
        return _invoice_held("invoice-voided", f"invoice {latest.number} was sent and is now void in Plex")
    if not latest.booked:
        return _invoice_held("invoice-unbooked", f"invoice {latest.number} was sent and is no longer booked in Plex")
    # There is no document for a changed invoice; a change that the 810 does not carry needs none.
    before, now = prepare_invoice(has, partner), prepare_invoice(latest, partner)
    if not isinstance(before, Held) and not isinstance(now, Held) and before.guide_json == now.guide_json:
        return Nothing()
    return _invoice_held("invoice-changed", f"invoice {latest.number} was sent and has since changed in Plex")


def _invoice_held(code: str, message: str) -> DueHeld:
    fix = (
        "Resolve it with the customer (a Plex credit memo is sent as a separate 810), then"
        " `plexstedi review accept ID --reason TEXT`"
    )
    return DueHeld((Reason(code=code, where="order", message=message, fix=fix),))
