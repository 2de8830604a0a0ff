"""What is found while a line is reconciled: holds, warnings, differences, notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from plexstedi.edi.held import Reason
from plexstedi.edi.settings import Severity

DECIDE = "accept or reject it; `plexstedi review show ID` shows what each does"
PLACE_ELSEWHERE = (
    "place it elsewhere or change the order; `plexstedi review accept ID --reason TEXT` writes the rejection to Plex"
)


@dataclass(slots=True)
class Findings:
    """Collected for one line; `strict` makes every difference outside its tolerance a hold (seller's own changes)."""

    where: str
    strict: bool = False
    holds: list[Reason] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: bool = False

    def hold(self, code: str, message: str, fix: str = DECIDE) -> None:
        """The line waits for a person."""
        self.holds.append(Reason(code=code, where=self.where, message=message, fix=fix))

    def warn(self, code: str, message: str, fix: str) -> None:
        """The line is applied, and a person should look."""
        self.warnings.append(Reason(code=code, where=self.where, message=message, fix=fix))

    def note(self, message: str) -> None:
        """Worth showing, nothing to decide."""
        if message not in self.notes:
            self.notes.append(message)

    def within(self, message: str) -> None:
        """A difference inside its tolerance: applied, shown."""
        self.changed = True
        self.note(message)

    def beyond(self, severity: Severity, code: str, message: str, setting: str) -> None:
        """A difference outside its tolerance: what `on_price`, `on_quantity`, `on_date` say (RULES "Settings")."""
        self.changed = True
        if self.strict or severity is Severity.HOLD:
            self.hold(code, message, f"{DECIDE}, or widen `tolerance.{setting}` of this supplier")
        elif severity is Severity.WARNING:
            self.warn(code, message, "applied, since the tolerance of this supplier only warns")
        else:
            self.note(message)
