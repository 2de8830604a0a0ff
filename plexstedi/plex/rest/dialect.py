"""A dialect of Plex's REST interfaces as a table: paths, filter names, field names and capabilities.

A tenant that differs needs `[plex.paths]`, `[plex.filters]` or `[plex.fields]`, not a change of code.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from plexstedi.errors import ConfigurationFault, Problem
from plexstedi.plex.days import Days
from plexstedi.plex.rest.rows import Names, normalized
from plexstedi.plex.settings import PlexSettings

_FIELDS = """
    id poNumber lineItemNumber status supplierId supplierAddressId type blanketOrder
    orderedDate poDate dueDate currencyCode terms freightTerms fob shipVia
    shipTo note issuedById createdDate modifiedDate unit orderUnit unitPrice partId
    itemId supplierPartNumber manufacturerPartNumber description blanketQuantity poLineItemId poId releaseLineNumber
    quantity poShipTo partNumber partRevision releaseId receiveDate code name
    main address city state zip country alternateSupplierName number
    revision supplyItemNumber cancelled received onOrder release forecast planStatus
    open standardObjectName standardObjectLabel tableName fieldName customFields recordIdentifiers lines
    invoiceNumber customerId customerCode customerPONo customerOrderNo customerShipToCode transactionDate invoiceNote
    creditMemo void booked amount currencyAmount lineId uoM partNo
    credit debit currencyCredit currencyDebit offset taxes taxCode taxAmount
"""
FIELDS: Mapping[str, str] = {normalized(name): name for name in _FIELDS.split()}
"""The fields that are read, by normalized name: those that `[plex.fields]` may rename."""


@dataclass(frozen=True)
class Dialect:
    """The names of one interface.

    `paths`: resource to path, with placeholders such as `{order}` for ids. `filters`: our filter name to the query
    parameter; an empty parameter: the interface lacks this filter, and the reader does without it. `aliases`: other
    names of fields, normalized. `ids_per_call`: how many ids one list call may name (1: no repeatable filters).
    """

    name: str
    paths: Mapping[str, str]
    filters: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    ids_per_call: int
    own_names: Mapping[str, str] = field(default_factory=dict)
    """`[plex.fields]`: `field`, or `resource.field` for a single resource, to the tenant's name."""
    days: Days = field(default_factory=Days)
    _names: dict[str, Names] = field(default_factory=dict, init=False, compare=False, repr=False)

    def path(self, resource: str, **ids: str) -> str:
        """The path of a resource; the ids must be quoted path segments."""
        return self.paths[resource].format(**ids)

    def filter(self, name: str) -> str | None:
        """The query parameter of a filter; None if this interface has no such filter."""
        return self.filters[name] or None

    def names(self, resource: str) -> Names:
        """The field names of a resource."""
        if resource not in self._names:
            self._names[resource] = self._names_of(resource)
        return self._names[resource]

    def _names_of(self, resource: str) -> Names:
        everywhere = {normalized(key): normalized(name) for key, name in self.own_names.items() if "." not in key}
        here = {
            normalized(key.partition(".")[2]): normalized(name)
            for key, name in self.own_names.items()
            if key.partition(".")[0] == resource
        }
        return Names(own=everywhere | here, aliases=self.aliases, days=self.days)


def adapted(dialect: Dialect, settings: PlexSettings) -> Dialect:
    """The dialect with the tenant's names. Raise ConfigurationFault for a key that the dialect does not have."""
    problems = [
        *_unknown("plex.paths", settings.paths, dialect.paths),
        *_unknown("plex.filters", settings.filters, dialect.filters),
    ]
    for resource, path in settings.paths.items():
        try:
            usable = path.startswith("/") and "?" not in path
            path.format(order="", supplier="", release="")
        except (KeyError, IndexError, ValueError):
            usable = False
        if not usable:
            problems.append(
                Problem(
                    "configuration", f"plex.paths.{resource}", "is not a path", "Write it like /purchasing/v1/releases"
                )
            )
    for key in settings.fields:
        resource, dot, name = key.rpartition(".")
        if (dot and resource not in dialect.paths) or normalized(name) not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS.values(), n=1)
            hint = f"Did you mean {near[0]}?" if near else "Write field = name, or resource.field = name"
            problems.append(Problem("configuration", f"plex.fields.{key}", "is not known", hint))
    if problems:
        raise ConfigurationFault(problems)
    return replace(
        dialect,
        paths={**_rebased(dialect.paths, settings.paths), **settings.paths},
        filters={**dialect.filters, **settings.filters},
        own_names=dict(settings.fields),
        days=Days(settings.timezone),
    )


def _rebased(paths: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The paths with the configured ones applied; paths below a changed collection change their prefix with it."""
    moved = dict(paths)
    for resource, path in given.items():
        for key, below in paths.items():
            if below.startswith(paths[resource] + "/"):
                moved[key] = path.rstrip("/") + below[len(paths[resource]) :]
    return moved


def _unknown(table: str, given: Mapping[str, str], known: Mapping[str, str]) -> list[Problem]:
    problems = []
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}"
            problems.append(Problem("configuration", f"{table}.{key}", "is not known", hint))
    return problems
