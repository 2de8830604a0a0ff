"""What becomes of a send: one of five, and each has its own next step (DESIGN.md section 6 "Sending")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True)
class Accepted:
    """Stedi took it: generated and queued, not yet delivered."""

    file_execution_id: str
    interchange_control: int | None
    """ISA13; None with create-outbound: read it from the execution's transactions."""
    group_control: int | None
    """GS06, what a 997 names in AK102."""
    edi: str | None
    """The X12 text as Stedi made it, where it gives it."""
    replayed: bool
    """The answer to an earlier request under the same key: nothing was sent anew."""
    date: datetime | None
    """Stedi's clock, UTC."""


@dataclass(frozen=True)
class Refused:
    """Conclusive: Stedi does not take this document (4xx other than below). Needs a person."""

    status: int
    code: str | None
    message: str
    errors: tuple[str, ...]
    """Of a guide mismatch: `code: path: message` each, as far as Stedi tells."""


@dataclass(frozen=True)
class SlotTaken:
    """422: under this key Stedi holds another content. Stale state or a changed setting; never send it anew."""

    message: str


@dataclass(frozen=True)
class InFlight:
    """409 after all tries: the same key is still being worked on, or the partnership is being changed."""

    retry_after: float | None
    """Seconds, if Stedi names them."""


@dataclass(frozen=True)
class Unknown:
    """No conclusive answer. The same bytes under the same key, later; never another key."""

    reason: str
    maybe_processed: bool
    """False: no attempt reached Stedi's processing, the document certainly does not exist there by this call."""


SendOutcome: TypeAlias = Accepted | Refused | SlotTaken | InFlight | Unknown
