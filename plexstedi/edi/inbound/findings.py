"""Findings of reconciling a line: holds, warnings, differences, notes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import Severity

DECIDE = "accept or reject it; `plexstedi review show ID` shows what each does"
AGREE_ON_THE_REST = (
    "what is confirmed is written to Plex; agree on the rest with the supplier, then"
    " `plexstedi review accept ID --reason TEXT`"
)
PLACE_ELSEWHERE = (
    "order it elsewhere or change the order; `plexstedi review accept ID --reason TEXT` writes the rejection to Plex"
)


_SHOWN = 400
"""Maximum length of supplier text in a reason; the line keeps the full text."""


def in_quotes(words: Sequence[str]) -> str:
    """Supplier text quoted for a reason, shortened."""
    if not words:
        return ""
    quote = " / ".join("".join(c for c in text if c.isprintable()) for text in words)
    return "" if not quote else f'"{quote}"' if len(quote) <= _SHOWN else f'"{quote[:_SHOWN]}…"'


def with_words(reasons: Sequence[Reason], words: Sequence[str], code: str | None) -> tuple[Reason, ...]:
    """The reasons, with the supplier text added to the first (RULES.md Reading 6)."""
    if not reasons:
        return ()
    different = tuple(dict.fromkeys(reasons))
    quote = in_quotes(words)
    if not quote:
        return different
    first = different[0]
    message = f"{first.message}; the supplier says{f' ({code})' if code else ''}: {quote}"
    return (replace(first, message=message), *different[1:])


class Findings(Struct):
    """Findings of one line. `strict`: any difference outside its tolerance is a hold (for the seller's own changes)."""

    where: str
    strict: bool = False
    holds: list[Reason] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: bool = False

    def hold(self, code: str, message: str, fix: str = DECIDE) -> None:
        """Hold the line for review."""
        self.holds.append(Reason(code=code, where=self.where, message=message, fix=fix))

    def warn(self, code: str, message: str, fix: str) -> None:
        """Apply the line and flag it for attention."""
        self.warnings.append(Reason(code=code, where=self.where, message=message, fix=fix))

    def note(self, message: str) -> None:
        """Add a note for display."""
        if message not in self.notes:
            self.notes.append(message)

    def within(self, message: str) -> None:
        """Record a difference inside its tolerance: applied and shown."""
        self.changed = True
        self.note(message)

    def beyond(self, severity: Severity, code: str, message: str, setting: str) -> None:
        """Record a difference outside its tolerance; `on_price` and the like decide (RULES.md "Settings")."""
        self.changed = True
        if self.strict or severity is Severity.HOLD:
            self.hold(code, message, DECIDE + self._otherwise(setting))
        elif severity is Severity.WARNING:
            self.warn(code, message, "applied, since the tolerance of this supplier only warns")
        else:
            self.note(message)

    def _otherwise(self, setting: str) -> str:
        """The setting that applies such a difference: a limit, or `on_quantity` for parts that do not add up."""
        if not setting.startswith("on_"):
            return f", or widen `tolerance.{setting}` of this supplier"
        return "" if self.strict else f', or set `tolerance.{setting} = "warning"` of this supplier to apply them'
