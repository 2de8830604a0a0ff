"""A trading partner as the builders of documents see it: settings, guides, and both sides' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plexstedi.edi.order import Address
from plexstedi.edi.settings import Company, SupplierSettings


@dataclass(frozen=True, slots=True)
class Partner:
    """One supplier (or customer) with all that a document to it needs, apart from the order."""

    code: str
    settings: SupplierSettings
    company: Company
    name: str | None = None
    """The supplier's name in Plex."""
    address: Address | None = None
    guides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schemas of the partner's Stedi guides by set id ("850"); absent: base names of the release."""
