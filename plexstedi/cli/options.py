"""Options that several commands have, said once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import typer

from plexstedi.edi.plain_values import as_utc, plain_whole
from plexstedi.errors import SUSPICIONS, UsageFault

_LARGEST = 10**9
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing anywhere.")]
Override: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="NAME", help="Pass a suspicion of this name once. May be repeated."),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Reason: TypeAlias = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the audit trail.")
]
Supplier: TypeAlias = Annotated[str | None, typer.Option("--supplier", metavar="CODE", help="Only this supplier.")]


def overrides(names: list[str] | None) -> frozenset[str]:
    """The suspicions to be passed. Raise UsageFault for a name that none has."""
    for name in names or ():
        if name not in SUSPICIONS:
            raise UsageFault(f"there is no suspicion {name}", fix=f"Name one of {', '.join(SUSPICIONS)}.")
    return frozenset(names or ())


def positive(text: str) -> int:
    """A number given on the command line, in plain digits: `int()` also takes `1_0` and other scripts' digits."""
    number = plain_whole(text)
    if number is None or not 0 < number <= _LARGEST:
        raise typer.BadParameter(f"{text[:40]!r} is no whole number from 1 to {_LARGEST}, in plain digits.")
    return number


def instant(text: str | None, option: str) -> datetime | None:
    """A time given on the command line. Raise UsageFault unless it is ISO 8601 with a time zone."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None or as_utc(given) is None:
        raise UsageFault(f"{option} {text} is no time with a time zone", fix="Write it like 2026-11-23T08:00:00Z.")
    return given


def reason_given(reason: str | None) -> str:
    """The reason a person gave. Raise UsageFault if there is none."""
    if reason is None or not reason.strip():
        raise UsageFault("a reason is needed", fix="Add --reason TEXT; it is kept in the audit trail.")
    return reason.strip()
