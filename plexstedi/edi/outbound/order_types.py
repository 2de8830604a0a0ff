"""BEG02 and BCH02: what kind of order it is, in a code that the guide takes (RULES Sending 2)."""

from __future__ import annotations

from plexstedi.edi.guide.room import Place
from plexstedi.edi.held import Reason
from plexstedi.edi.outbound.seen import OrderKind
from plexstedi.edi.settings import PurchaseOrderTypes

_FITTING: dict[OrderKind, tuple[str, ...]] = {
    "standard": ("SA", "NE"),
    "blanket": ("BK", "BE"),
    "release": ("RL", "RE"),
}
"""Element 92 codes that say the same: stand-alone or new; blanket (estimated quantities); release (or reorder)."""


def order_type(kind: OrderKind, types: PurchaseOrderTypes, place: Place | None, document: str) -> str | Reason:
    """The configured code if the guide takes it, else the one code of the guide that fits this kind of order."""
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
        fix=f"Set po_type = {{{kind} = ...}} under this supplier's {document} to the code that it wants",
    )
