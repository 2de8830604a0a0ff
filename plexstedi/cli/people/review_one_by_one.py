"""`plexstedi review` on a terminal: open items one after the other, the worst first, decided with keys."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing

import typer
from msgspec import Struct

from plexstedi.cli.invocation import of
from plexstedi.cli.render.attention import worst_first
from plexstedi.cli.render.keys import END, pressed, single_keys
from plexstedi.cli.render.review_item import show_to_decide
from plexstedi.cli.render.tables import plain
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome, print_fault
from plexstedi.cli.work import work
from plexstedi.clock import StopRequest
from plexstedi.errors import ExitCode, PlexStediError
from plexstedi.sync.people.review import ReviewDetail, decide, detail
from plexstedi.sync.session import Session
from plexstedi.sync.setup import open_session

_KEYS = {"a": "accept", "r": "reject", "s": "skip", "m": "show more", "q": "quit"}


class _Decisions(Struct):
    """What was done so far."""

    decided: int = 0
    skipped: int = 0
    last_reason: str | None = None


def decide_one_after_the_other(context: typer.Context, show_all: Callable[[ReviewDetail], None]) -> None:
    """Show each open item and ask what to do; exit with the code of the last fault that stops it.

    No lock is held while the user thinks: each decision is a command of its own.
    """
    numbers = _open_numbers(context)
    if not numbers:
        print("No item needs review.")
        return
    progress, code = _Decisions(), 0
    for position, number in enumerate(numbers, start=1):
        try:
            found = _detail(context, number)
        except PlexStediError as fault:
            if fault.exit_code is not ExitCode.USAGE:
                raise
            # Decided meanwhile, or by the decision of another item.
            print_fault(fault)
            continue
        print(f"\n[{position} of {len(numbers)}]")
        show_to_decide(found)
        how = _choose(found, show_all)
        if how == "quit":
            break
        if how == "skip":
            progress.skipped += 1
            continue
        code = _decide(context, found, how, progress)
        if code not in (ExitCode.DONE, ExitCode.USAGE):
            break
    print(f"\nDecided {progress.decided}, skipped {progress.skipped} of {len(numbers)}.")
    raise typer.Exit(code)


def _open_numbers(context: typer.Context) -> list[int]:
    with closing(_open(context)) as session:
        return [review.id for review in worst_first(session.store.reviews.open_items())]


def _detail(context: typer.Context, number: int) -> ReviewDetail:
    with closing(_open(context)) as session:
        return detail(session, number)


def _open(context: typer.Context) -> Session:
    around = of(context).surroundings(overrides=frozenset(), stop=StopRequest(), as_json=False)
    return open_session(around, dry_run=True)


def _choose(found: ReviewDetail, show_all: Callable[[ReviewDetail], None]) -> str:
    possible = {"a": found.accept.possible, "r": found.reject.possible}
    keys = {key: name for key, name in _KEYS.items() if possible.get(key, True)}
    question = ", ".join(f"{key} = {name}" for key, name in keys.items())
    while True:
        # The mode first: a key pressed as soon as the choices are seen counts.
        key = ""
        try:
            with single_keys():
                print(f"{question}: ", end="", file=sys.stderr, flush=True)
                key = pressed().lower()
        finally:
            # Also when it is interrupted: what is printed next begins on a line of its own.
            print(keys.get(key, ""), file=sys.stderr)
        if key == END:
            return "quit"
        if key == "m":
            show_all(found)
        elif key in keys:
            return keys[key]
        else:
            print(f"Press one of {', '.join(keys)}.", file=sys.stderr)


def _ask_reason(progress: _Decisions) -> str:
    while True:
        answer = str(typer.prompt("Reason, kept in the audit trail", default=progress.last_reason, err=True)).strip()
        if answer:
            return answer
        print("A reason is required.", file=sys.stderr)


def _decide(context: typer.Context, found: ReviewDetail, how: str, progress: _Decisions) -> int:
    reason = progress.last_reason = _ask_reason(progress)
    number = found.review.id

    def body(session: Session, outcome: Outcome) -> None:
        decide(session, number, accept=how == "accept", reason=reason)
        progress.decided += 1
        asked = list(session.run.news)
        # Exit code 3 is for runs: a decision that was carried out is a success.
        session.run.news.clear()
        outcome.show = lambda: _print_decided(number, how, asked)

    try:
        work(context, f"review {how}", body, as_json=False, by_user=True)
    except typer.Exit as ended:
        return int(ended.exit_code)
    return 0


def _print_decided(number: int, how: str, asked: list[str]) -> None:
    say(f"Review {number}: {how}ed.")
    for line in asked:
        say(f"needs review: {plain(line)}", indent="  ", hanging="    ")
