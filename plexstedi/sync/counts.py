"""Counts of what a command did, under the names of the contract (DESIGN.md section 4)."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from plexstedi.errors import PlexStediError, Unforeseen
from plexstedi.state.statistics import Statistics
from plexstedi.state.store import Store

_NOT_REPORTED = "orders_not_reported"


class Counts(Struct):
    """`attention` and `in_doubt` are current totals; the others count what this run did."""

    orders_seen: int = 0
    orders_changed: int = 0
    documents_queued: int = 0
    documents_sent: int = 0
    documents_delivered: int = 0
    documents_held: int = 0
    documents_rejected: int = 0
    documents_failed: int = 0
    in_doubt: int = 0
    acks_received: int = 0
    acks_applied: int = 0
    acks_held: int = 0
    writes_made: int = 0
    attention: int = 0
    orders_not_reported: int = 0
    """How many of `orders_changed` are not worth reporting: drafts, and orders not exchanged by EDI."""

    def as_dict(self) -> dict[str, int]:
        """All counts of the contract by name."""
        return {name: count for name, count in asdict(self).items() if name != _NOT_REPORTED}

    def set_totals(self, store: Store) -> None:
        """Set the current totals `attention` and `in_doubt` from the state."""
        self.attention = store.reviews.attention()
        self.in_doubt = Statistics(store.database).in_doubt()

    def nothing_done(self) -> bool:
        """Whether this run did nothing worth reporting."""
        looked = {"orders_seen", "orders_changed", "in_doubt", "attention", _NOT_REPORTED}
        others = all(count == 0 for name, count in asdict(self).items() if name not in looked)
        return others and self.orders_changed == self.orders_not_reported


class RunCounts(Struct):
    """The counts of one run, its warnings, and the review items that it opened."""

    counts: Counts = field(default_factory=Counts)
    warnings: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    """One line for each review item opened in this run; exit code 3 if there is any."""
    unforeseen: list[Unforeseen] = field(default_factory=list)
    """Records that raised an unexpected error for the first time; exit code 1 if there is any."""
    stages: dict[str, PlexStediError | None] = field(default_factory=dict)
    """The stages that this run reached, each with the fault that ended it; None: it succeeded."""

    def copy(self) -> RunCounts:
        """A snapshot for `restore`."""
        return RunCounts(replace(self.counts), list(self.warnings), list(self.news), list(self.unforeseen))

    def restore(self, earlier: RunCounts) -> None:
        """Reset to a snapshot: the work counted since then was rolled back."""
        for name, count in asdict(earlier.counts).items():
            setattr(self.counts, name, count)
        self.warnings[:], self.news[:] = earlier.warnings, earlier.news
        self.unforeseen[:] = earlier.unforeseen

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)
