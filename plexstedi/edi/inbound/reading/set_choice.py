"""Select the transaction set of a Stedi transaction from an X12 text: a part of a file, or a whole file."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument
from plexstedi.edi.model import Frozen
from plexstedi.edi.plain_values import plain_whole
from plexstedi.edi.x12.raw import BrokenX12Error
from plexstedi.edi.x12.text import FoundSet, sets_of
from plexstedi.edi.x12.transaction import Transaction

_USUAL_RELEASE = "004010"
"""Release assumed if neither Stedi nor an envelope states one."""


class WantedSet(Frozen, frozen=True, kw_only=True):
    """A transaction as listed by Stedi; unknown values are None."""

    set_id: str
    release: str | None = None
    interchange_control: int | None = None
    """ISA13."""
    group_control: int | None = None
    """GS06."""
    set_control: int | None = None
    """ST02."""


def choose_set(text: str, wanted: WantedSet) -> Transaction | UnreadableDocument:
    """The matching set of an X12 text; UnreadableDocument if the text is broken or the match is ambiguous."""
    try:
        found = [
            each
            for each in sets_of(text, wanted.release or _USUAL_RELEASE)
            if each.parsed.transaction.set_id == wanted.set_id
        ]
    except BrokenX12Error as error:
        return UnreadableDocument(f"neither its JSON nor its X12 can be read: {error}")
    # A file may contain an identical set twice: then either may be used.
    fitting = _different([each for each in found if _fits(each, wanted)] or found)
    if len(fitting) == 1:
        return fitting[0]
    return UnreadableDocument(f"its X12 has {len(found)} transactions {wanted.set_id}, none of them clearly this one")


def _different(found: Sequence[FoundSet]) -> list[Transaction]:
    transactions = [each.parsed.transaction for each in found]
    # The usual file has one: it needs no comparison, which reads all of its content.
    return transactions if len(transactions) == 1 else list(dict.fromkeys(transactions))


def _fits(found: FoundSet, wanted: WantedSet) -> bool:
    pairs = (
        (found.interchange_control, wanted.interchange_control),
        (found.group_control, wanted.group_control),
        (plain_whole(found.parsed.control_number), wanted.set_control),
    )
    return all(has is None or listed is None or has == listed for has, listed in pairs)
