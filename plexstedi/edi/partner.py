"""Trading partner data for document builders: settings, guides, and the names of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from plexstedi.edi.order import Address
from plexstedi.edi.settings import Company, SupplierSettings


class Partner(Struct, frozen=True):
    """One supplier (or customer): everything that a document needs except the order."""

    code: str
    settings: SupplierSettings
    company: Company
    name: str | None = None
    """Supplier name in Plex."""
    address: Address | None = None
    guides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON Schemas of the partner's Stedi guides by set id ("850"); without one, base names of the release are used."""
