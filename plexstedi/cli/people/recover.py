"""`plexstedi recover`."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import of
from plexstedi.cli.options import DryRun, Json, Yes, confirmed
from plexstedi.cli.render.tables import print_table
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome, print_news
from plexstedi.cli.result.results import FoundInvoiceJson, FoundOrderJson
from plexstedi.cli.work import work
from plexstedi.clock import StopRequest
from plexstedi.sync.people.recover import FoundStream, find_streams, import_streams
from plexstedi.sync.session import Session
from plexstedi.sync.setup import open_session

_SECONDS = 3600.0


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("recover", epilog="Example: plexstedi recover --dry-run, then plexstedi recover")
    def command(context: typer.Context, dry_run: DryRun = False, yes: Yes = False, json: Json = False) -> None:
        """Rebuild a lost or old state from Stedi and Plex. Shows a preview, asks for confirmation, sends nothing."""

        if not (dry_run or yes):
            _preview(context, as_json=json)

        def body(session: Session, outcome: Outcome) -> None:
            # Read again under the lock: the preview ran without it.
            found = find_streams(session)
            outcome.data["streams"] = [*map(_as_json, found)]
            outcome.show = lambda: print_news(outcome)
            if not json and (dry_run or yes):
                _show(found)
            if not dry_run:
                import_streams(session, found)

        work(context, "recover", body, as_json=json, dry_run=dry_run, by_user=True, recover=True, time_limit=_SECONDS)


def _preview(context: typer.Context, *, as_json: bool) -> None:
    """Preview and confirm on a private copy: if the user declines, the state file, or its absence, is unchanged."""
    around = of(context).surroundings(overrides=frozenset(), stop=StopRequest(), as_json=as_json, time_limit=_SECONDS)
    session = open_session(around, dry_run=True, recover=True)
    try:
        found = find_streams(session)
    finally:
        session.close()
    if not as_json:
        _show(found)
    if found:
        confirmed(f"Import {len(found)} streams into the state file?", yes=False)


def _show(found: list[FoundStream]) -> None:
    if not found:
        say("The state file knows all of our files at Stedi: nothing to recover.")
        return
    rows = [(one.number, one.release, len(one.files), one.files[-1].execution.file_name, one.action()) for one in found]
    print_table(("order or invoice", "release", "files", "last file", "action"), rows)


def _as_json(one: FoundStream) -> FoundOrderJson | FoundInvoiceJson:
    partner = None if one.trade is None else one.trade.partner
    files = [found.execution.file_name for found in one.files]
    if one.word == "invoice":
        return FoundInvoiceJson(
            invoice=one.number, customer=partner, files=files, in_sync=one.in_sync, what=one.action()
        )
    return FoundOrderJson(
        order=one.number, release=one.release, supplier=partner, files=files, in_sync=one.in_sync, what=one.action()
    )
