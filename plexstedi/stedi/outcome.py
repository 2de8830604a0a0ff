"""The five outcomes of a send, each with its own next step (DESIGN.md section 6 "Sending")."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct


class Accepted(Struct, frozen=True):
    """Accepted by Stedi: generated and queued, not yet delivered."""

    file_execution_id: str
    interchange_control: int | None
    """ISA13; None for CreatePartnershipOutboundTransaction: read it from the execution's transactions."""
    group_control: int | None
    """GS06, which a 997 names in AK102."""
    edi: str | None
    """The generated X12 text, if the response contains it."""
    replayed: bool
    """The stored response of an earlier request under the same key: nothing was sent again."""
    date: datetime | None
    """Stedi's time by the Date header, UTC."""


class Refused(Struct, frozen=True):
    """Conclusive: Stedi rejects this document (4xx other than those below). Needs review."""

    status: int
    code: str | None
    message: str
    errors: tuple[str, ...]
    """For a guide mismatch: `code: path: message` each, as far as Stedi states them."""


class SlotTaken(Struct, frozen=True):
    """422: Stedi has other content under this key: stale state, or a changed setting. Never sent again."""

    message: str


class InFlight(Struct, frozen=True):
    """409 after all tries: the same key is still being processed, or the partnership is being changed."""

    retry_after: float | None
    """Seconds, if Stedi states them."""


class Unknown(Struct, frozen=True):
    """No conclusive response. Repeat the same bytes under the same key later; never use another key."""

    reason: str
    maybe_processed: bool
    """False: no attempt was processed, so this call certainly did not create the document."""


SendOutcome: TypeAlias = Accepted | Refused | SlotTaken | InFlight | Unknown
