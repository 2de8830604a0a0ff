"""Options shared by several commands."""

from __future__ import annotations

import re
import signal
import sys
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, TypeAlias

import typer

from plexstedi.cli.completion import suppliers
from plexstedi.edi.plain_values import as_utc, plain_whole
from plexstedi.errors import SUSPICIONS, UsageFault

_LARGEST = 10**9
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing anywhere.")]
Override: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--override", metavar="NAME", help="Override the suspicion with this name once. Can be repeated."),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Reason: TypeAlias = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="The reason; kept in the audit trail.")
]
Supplier: TypeAlias = Annotated[
    str | None, typer.Option("--supplier", metavar="CODE", autocompletion=suppliers, help="Only this supplier.")
]


def overrides(names: list[str] | None) -> frozenset[str]:
    """The suspicions to override. Raise UsageFault for an unknown name."""
    for name in names or ():
        if name not in SUSPICIONS:
            raise UsageFault(f"there is no suspicion {name}", fix=f"Use one of {', '.join(SUSPICIONS)}.")
    return frozenset(names or ())


def positive(text: str) -> int:
    """A number on the command line, in plain digits: `int()` would also take `1_0` and digits of other scripts."""
    number = plain_whole(text)
    if number is None or not 0 < number <= _LARGEST:
        raise typer.BadParameter(f"{text[:40]!r} is not a whole number from 1 to {_LARGEST}, in plain digits.")
    return number


_SPAN = re.compile(r"([0-9]{1,5})([dh])", re.ASCII)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def instant(text: str, option: str, now: datetime, zone: tzinfo) -> datetime:
    """A time on the command line: ISO 8601 with a time zone, a date, `yesterday`, `2d` or `6h` before `now`.

    A day begins at midnight in `zone`, the tenant's. Raise UsageFault for anything else.
    """
    found = _instant(text.strip(), now, zone)
    if found is None or found < _EARLIEST:
        raise UsageFault(
            f"{option} {text} is not a time",
            fix="Write a time with its time zone (2026-11-23T08:00:00Z), a day (2026-11-23), yesterday, 2d or 6h.",
        )
    return found


def _instant(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    try:
        if text == "yesterday":
            return _midnight(now.astimezone(zone).date() - timedelta(days=1), zone)
        if span := _SPAN.fullmatch(text):
            count = int(span[1])
            return now - (timedelta(days=count) if span[2] == "d" else timedelta(hours=count))
        if _DAY.fullmatch(text):
            return _midnight(date.fromisoformat(text), zone)
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return None if given.tzinfo is None or as_utc(given) is None else given


def _midnight(day: date, zone: tzinfo) -> datetime | None:
    return as_utc(datetime.combine(day, time(0, 0), zone))


def reason_given(reason: str | None) -> str:
    """The user's reason. Raise UsageFault if there is none."""
    if reason is None or not reason.strip():
        raise UsageFault("a reason is required", fix="Add --reason TEXT; it is kept in the audit trail.")
    return reason.strip()


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str, *, yes: bool) -> None:
    """Ask for confirmation. Raise UsageFault unless confirmed, or without a terminal and without `--yes`."""
    if yes:
        return
    if not _on_a_terminal():
        raise UsageFault(
            "this needs confirmation, and there is no terminal to ask on", fix="Check the preview, then add --yes."
        )
    # No work is in progress during the prompt: Ctrl-C ends the command at once.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        confirmed_by_user = typer.confirm(question, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    if not confirmed_by_user:
        raise UsageFault("nothing was done", fix="Answer y, or add --yes.", code="declined")
