"""Requirements of a guide and sources of values, from which `hints` derives fixes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from plexstedi.edi.advice import partner_table
from plexstedi.edi.settings import NOT_DUE, SupplierSettings

OTHER_DATES = frozenset(NOT_DUE) | {"001", "007", "036", "037", "038", "061", "063", "064", "171", "177", "ACK"}
"""X12 element 374 codes that are clearly not a due date: limits, validity, revision, cancellation."""


class Facts(Struct, frozen=True):
    """Plex names in one order or invoice that a fix may quote."""

    freight: str | None = None
    terms: str | None = None
    ship_to: str | None = None
    blanket: bool = False
    line_dues: bool = False
    """Whether its lines have due dates."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Plex unit names by line id."""


class Sources(Struct, frozen=True):
    """Sources of the values of a document: settings of the partner, and Plex."""

    set_id: str = "850"
    code: str = "CODE"
    settings: SupplierSettings = field(default_factory=SupplierSettings)
    due_codes: tuple[str, ...] = ("002", "106", "996")
    facts: Facts = field(default_factory=Facts)

    def table(self, *keys: str) -> str:
        """Path of a configuration table of the partner: `suppliers.ACME01.units`."""
        return partner_table(self.set_id, self.code, *keys)

    def unit_name(self, need: Need) -> str:
        """Plex name of the unit of the line."""
        return self.facts.units.get(need.line, "") or need.unit or "Plex unit"


class Need(Struct, frozen=True):
    """One requirement of the guide: a missing value, or other accepted values."""

    segment_id: str
    position: int
    """Element position; 0: the segment as a whole."""
    codes: tuple[str, ...] = ()
    """Accepted codes, if listed; for item numbers the qualifiers."""
    path: tuple[str, ...] = ()
    """Enclosing loops, outermost first."""
    party: str | None = None
    """N101 of the enclosing loop."""
    line: str = ""
    """Id of the enclosing line."""
    unit: str | None = None
    """X12 unit of the line."""
    given: tuple[tuple[str, str], ...] = ()
    """Line: item numbers. Party: its elements (as qualifier) and values."""
    placed: frozenset[str] = frozenset()
    """Line: qualifiers of item numbers that are already placed."""
    code: str | None = None
    """First element of our segment."""
