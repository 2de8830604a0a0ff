"""What a guide wants of a document, and where its values come from: between the two lies the advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plexstedi.edi.advice import partner_table
from plexstedi.edi.settings import NOT_DUE, SupplierSettings

OTHER_DATES = frozenset(NOT_DUE) | {"001", "007", "036", "037", "038", "061", "063", "064", "171", "177", "ACK"}
"""X12 element 374 codes that plainly mean another date than a due date: limits, validity, revision, cancellation."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Plex's own words in one order or invoice, as far as a fix may name them."""

    freight: str | None = None
    terms: str | None = None
    ship_to: str | None = None
    blanket: bool = False
    line_dues: bool = False
    """Whether its lines have due dates."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Plex's unit names by line id."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the values of a document come from: the partner's settings, and Plex."""

    set_id: str = "850"
    code: str = "CODE"
    settings: SupplierSettings = field(default_factory=SupplierSettings)
    due_codes: tuple[str, ...] = ("002", "106", "996")
    facts: Facts = field(default_factory=Facts)

    def table(self, *keys: str) -> str:
        """A table of the partner as it stands in the configuration: `suppliers.ACME01.units`."""
        return partner_table(self.set_id, self.code, *keys)

    def unit_name(self, need: Need) -> str:
        """Plex's name of the unit of the line."""
        return self.facts.units.get(need.line, "") or need.unit or "Plex unit"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that the guide requires, or takes otherwise only."""

    segment_id: str
    position: int
    """0: the segment as a whole."""
    codes: tuple[str, ...] = ()
    """What it takes there, where it lists it; of item numbers the qualifiers."""
    path: tuple[str, ...] = ()
    """The loops around it, outermost first."""
    party: str | None = None
    """N101 of the loop it is in."""
    line: str = ""
    """The id of the line it is in."""
    unit: str | None = None
    """The X12 unit of the line."""
    given: tuple[tuple[str, str], ...] = ()
    """Of a line: its item numbers. Of a party: what it has (qualifier is the element)."""
    placed: frozenset[str] = frozenset()
    """Of a line: qualifiers of the item numbers that have their pair already."""
    code: str | None = None
    """The first element of our segment."""
