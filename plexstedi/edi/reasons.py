"""Reasons of review items: one model for outbound and inbound."""

from __future__ import annotations

from msgspec import Struct

from plexstedi.edi.model import Frozen


class Reason(Frozen, frozen=True, kw_only=True):
    """One reason: stable `code`, location, problem, and what to decide or configure."""

    code: str
    """Kebab-case, for scripts and tests: `price-missing`, `unit-unknown`, `bp-ambiguous`."""
    where: str
    """`order`, `line 10`, `line 10 release 2`, or a guide path `heading.….reference_information_REF`."""
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} ({self.fix})"


class Held(Struct, frozen=True):
    """Held: nothing is sent or applied until it is reviewed. Has at least one reason."""

    reasons: tuple[Reason, ...]

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a hold needs a reason")


class Dropped(Frozen, frozen=True, kw_only=True):
    """An optional value that was left out (RULES.md Sending 6); recorded with the document and shown."""

    where: str
    """`order` or `line 10`."""
    fact: str
    """Segment or element: `N9 note`, `PO1 VP`, `ITD`."""
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.fact} {self.value} left out ({self.why})"
