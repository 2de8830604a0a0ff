"""What a received document is: whether it can be read, and as which transaction set."""

from __future__ import annotations

from plexstedi.decimal_json import BrokenJsonError, loads
from plexstedi.edi.inbound.reading.guide_reading import UnreadableDocument, read_guide_json
from plexstedi.edi.inbound.reading.inbound_sets import READ_SETS, set_of_json, set_of_x12
from plexstedi.edi.inbound.reading.interchange_ack import ta1_of_x12
from plexstedi.edi.inbound.reading.set_choice import choose_set
from plexstedi.edi.x12.raw import decoded
from plexstedi.state.inbox import Inbound
from plexstedi.sync.ingest.candidates import wanted_set
from plexstedi.sync.ingest.listing import UNKNOWN_SET


def set_of_document(document: bytes, form: str) -> str | None:
    """The transaction set that the document itself names."""
    if form != "guide-json":
        return set_of_x12(decoded(document))
    try:
        return set_of_json(loads(document))
    except BrokenJsonError:
        return None


def is_readable(document: bytes, form: str, inbound: Inbound) -> bool:
    """Whether it is in this form, and contains this transaction."""
    return _is_guide_json(document, inbound) if form == "guide-json" else _is_x12(document, inbound)


def _is_guide_json(document: bytes, inbound: Inbound) -> bool:
    """Whether it is readable guide JSON: a mapping at Stedi may produce any other JSON."""
    try:
        read = loads(document)
    except BrokenJsonError:
        return False
    if inbound.set_id not in READ_SETS or inbound.set_id == "TA1":
        return isinstance(read, dict) and (inbound.set_id != UNKNOWN_SET or set_of_json(read) is not None)
    return not isinstance(read_guide_json(read, inbound.set_id, inbound.release or ""), UnreadableDocument)


def _is_x12(document: bytes, inbound: Inbound) -> bool:
    """Whether it contains this transaction as readable X12."""
    text = decoded(document)
    if inbound.set_id == UNKNOWN_SET:
        return set_of_x12(text) is not None
    if inbound.set_id == "TA1":
        return bool(ta1_of_x12(text))
    return not isinstance(choose_set(text, wanted_set(inbound)), UnreadableDocument)
