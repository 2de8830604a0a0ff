"""A fact that the target has no place for: the document goes without it, and says so."""

from __future__ import annotations

from plexstedi.edi.order import Frozen


class Dropped(Frozen):
    """One optional fact that was left out (RULES.md Sending 6): recorded with the document and shown."""

    where: str
    """`order` or `line 10`."""
    fact: str
    """What it is, by segment or element: `N9 note`, `PO1 VP`, `ITD`."""
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.fact} {self.value} left out ({self.why})"
