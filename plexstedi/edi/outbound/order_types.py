"""BEG02 and BCH02: what kind of order it is, in a code that the guide takes (RULES.md Sending 2)."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.edi.advice import quoted, sentence, write
from plexstedi.edi.guide.capacity import Place
from plexstedi.edi.outbound.view import OrderKind
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import PurchaseOrderTypes

_FITTING: dict[OrderKind, tuple[str, ...]] = {
    "standard": ("SA", "NE"),
    "blanket": ("BK", "BE"),
    "release": ("RL", "RE"),
}
"""Element 92 codes that say the same: stand-alone or new; blanket (estimated quantities); release (or reorder)."""


def order_type(kind: OrderKind, types: PurchaseOrderTypes, place: Place | None, table: str) -> str | Reason:
    """The configured code if the guide takes it, else the one code of the guide that fits this kind of order.

    `table` is that of the document in the configuration: `suppliers.ACME01.850`.
    """
    configured = {"standard": types.standard, "blanket": types.blanket, "release": types.release}[kind]
    if place is None or place.allows(2, configured):
        return configured
    taken = place.codes.get(2, ())
    fitting = [code for code in taken if code in _FITTING[kind]]
    if len(fitting) == 1:
        return fitting[0]
    return Reason(
        code="order-type-not-taken",
        where="order",
        message=f"the guide takes {', '.join(taken) or 'no order type'}, not {configured} for a {kind} order",
        fix=_fix(kind, [*fitting, *(code for code in taken if code not in fitting)], table),
    )


def _fix(kind: OrderKind, taken: Sequence[str], table: str) -> str:
    if not taken:
        return "Ask the supplier which order type its guide takes"
    setting = write(f"{table}.po_type", kind, quoted(taken[0]))
    others = f" (or {', '.join(taken[1:])}, whichever the supplier means)" if len(taken) > 1 else ""
    return f"{sentence(setting)}{others}"
