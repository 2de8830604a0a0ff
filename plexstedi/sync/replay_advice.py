"""The `replay` command that a text advises for a document, with every option that it requires."""

from __future__ import annotations

from plexstedi.advice import replay_command
from plexstedi.state.document import RECOVERED, Document

REPLACES = "05"
"""BEG01 of an order that replaces what the supplier has."""


def replay_of(document: Document) -> str:
    """The command that resends this document's order or invoice.

    How a document imported by `recover` was sent is unknown: its purpose must be given. Invoices have none.
    """
    purpose = REPLACES if document.purpose == RECOVERED and document.kind != "810" else None
    return replay_command(document.order_number, release=document.order_release, purpose=purpose)
