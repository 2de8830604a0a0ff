"""Meaning of acknowledgment codes (RULES.md Reading 2 to 8; X12 elements 587, 668 and 353)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from plexstedi.edi.settings import AcknowledgmentSettings, CodeMeaning


class TypeMeaning(StrEnum):
    """Meaning of BAK02 or BCA02 for the whole order."""

    DETAIL = "detail"
    """AC, AD, AT: lines may be listed; a PO1 without ACK is an echo of the order and counts as detail."""
    EXCEPTIONS = "exceptions"
    """AE: only exceptions are listed."""
    NO_DETAIL = "no-detail"
    """AK: received or accepted, without detail."""
    REJECTED = "rejected"
    NOTHING = "nothing"
    """NA: nothing is acknowledged."""
    HOLD = "hold"
    """On hold, counter-offer, or unknown: needs review."""


class LineMeaning(StrEnum):
    """Meaning of ACK01 for its quantity."""

    ACCEPTED = "accepted"
    BACKORDER = "backorder"
    """IB: the quantity per `ib_quantity`."""
    PARTIAL = "partial"
    """BP: the quantity per `bp_quantity`."""
    REJECTED = "rejected"
    HOLD = "hold"


_TYPES = {
    "AC": TypeMeaning.DETAIL,
    "AD": TypeMeaning.DETAIL,
    "AT": TypeMeaning.DETAIL,
    "AE": TypeMeaning.EXCEPTIONS,
    "AK": TypeMeaning.NO_DETAIL,
    "NA": TypeMeaning.NOTHING,
    **dict.fromkeys(("RD", "RF", "RJ", "RN", "RV"), TypeMeaning.REJECTED),
    **dict.fromkeys(("AH", "AP", "RO"), TypeMeaning.HOLD),
}

_LINES = {
    **dict.fromkeys(("IA", "AA", "AC", "AR", "SP", "IC", "IQ", "IP", "DR"), LineMeaning.ACCEPTED),
    "IB": LineMeaning.BACKORDER,
    "BP": LineMeaning.PARTIAL,
    **dict.fromkeys(("ID", "IR", *(f"R{n}" for n in range(1, 9))), LineMeaning.REJECTED),
    **dict.fromkeys(("IE", "IF", "IH", "IS", "IW"), LineMeaning.HOLD),
}

_TYPE_SETTING = {"accept": TypeMeaning.DETAIL, "reject": TypeMeaning.REJECTED, "hold": TypeMeaning.HOLD}
_LINE_SETTING = {"accept": LineMeaning.ACCEPTED, "reject": LineMeaning.REJECTED, "hold": LineMeaning.HOLD}

TYPE_WORDS = {
    "AC": "acknowledged with changes",
    "AD": "acknowledged without change",
    "AE": "acknowledged, exceptions listed",
    "AH": "the order is on hold",
    "AK": "acknowledged without detail",
    "AP": "product replenishment",
    "AT": "accepted",
    "NA": "no acknowledgment needed",
    "RD": "rejected, with detail",
    "RF": "rejected, exceptions listed",
    "RJ": "rejected",
    "RN": "rejected: not as agreed",
    "RO": "rejected with a counter-offer",
    "RV": "rejected: against the practice of the trade",
}
"""Texts for messages."""

LINE_WORDS = {
    "IA": "accepted",
    "AA": "accepted and passed to another site",
    "AC": "accepted and shipped",
    "AR": "accepted and released to ship",
    "SP": "accepted, ship date pending",
    "IC": "accepted with changes",
    "IQ": "quantity changed",
    "IP": "price changed",
    "DR": "date moved",
    "IS": "another item instead",
    "IB": "backordered",
    "BP": "part now, the rest backordered",
    "IE": "accepted, price pending",
    "IF": "on hold, description incomplete",
    "IH": "on hold",
    "IW": "on hold, waiver needed",
    "ID": "deleted",
    "IR": "rejected",
    "R1": "rejected: not on contract",
    "R2": "rejected: item number wrong",
    "R3": "rejected: unit wrong",
    "R4": "rejected: contract item not available",
    "R5": "rejected: reorder just in time",
    "R6": "rejected: reorder with extended delivery",
    "R7": "rejected: reorder as drop shipment",
    "R8": "rejected: reorder as surge",
}
"""Texts for messages."""

DELETING_CHANGES = frozenset({"DI", "CF"})
"""POC02 codes (X12 element 670) of a line that is deleted."""

REFUSING_CHANGE = "RC"
"""POC02 code of a line whose change is refused."""

REPLACING_CHANGES = frozenset({"RE", "RM", "TI"})
"""POC02 codes of a line with another item than ordered. We send none of them, so they are no echo."""

CANCELLING_PURPOSES = frozenset({"01", "03", "17"})
"""BAK01, BCA01 codes that revoke an earlier acknowledgment (X12 element 353): needs review."""


def type_meaning(code: str, settings: AcknowledgmentSettings) -> TypeMeaning:
    """Meaning of a BAK02 or BCA02. The supplier's `type_codes` have precedence; an unknown code is held."""
    own = _own(settings.type_codes, code)
    return _TYPE_SETTING[own] if own is not None else _TYPES.get(code, TypeMeaning.HOLD)


def line_meaning(code: str, settings: AcknowledgmentSettings) -> LineMeaning:
    """Meaning of an ACK01. The supplier's `line_codes` have precedence; an unknown code is held."""
    own = _own(settings.line_codes, code)
    return _LINE_SETTING[own] if own is not None else _LINES.get(code, LineMeaning.HOLD)


def _own(table: Mapping[str, CodeMeaning], code: str) -> CodeMeaning | None:
    if not table:
        return None
    return next((meaning for known, meaning in table.items() if known.upper() == code), None)


def type_in_words(code: str) -> str:
    """`RO (rejected with a counter-offer)`; `(unknown)` for an unknown code."""
    return f"{code} ({TYPE_WORDS[code]})" if code in TYPE_WORDS else f"{code} (unknown)"


def line_in_words(code: str) -> str:
    """`IH (on hold)`; `(unknown)` for an unknown code."""
    return f"{code} ({LINE_WORDS[code]})" if code in LINE_WORDS else f"{code} (unknown)"
