"""`plexstedi recover`."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import confirmed, work
from plexstedi.cli.options import DryRun, Json, Yes
from plexstedi.cli.outcome import Outcome
from plexstedi.cli.tables import print_news, print_table
from plexstedi.sync.recovering import FoundStream, look, take_over
from plexstedi.sync.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("recover", epilog="Example: plexstedi recover --dry-run, then plexstedi recover")
    def command(context: typer.Context, dry_run: DryRun = False, yes: Yes = False, json: Json = False) -> None:
        """Rebuild a lost or old state from Stedi and Plex. Shows first, asks, and sends nothing."""

        def body(session: Session, outcome: Outcome) -> None:
            found = look(session)
            outcome.data["streams"] = [stream.as_json() for stream in found]
            outcome.show = lambda: print_news(outcome)
            if not json:
                _show(found)
            if dry_run or not found:
                return
            confirmed(f"Take over {len(found)} streams into the state file?", yes=yes)
            take_over(session, found)

        work(context, "recover", body, as_json=json, dry_run=dry_run, by_person=True, recover=True, time_limit=3600.0)


def _show(found: list[FoundStream]) -> None:
    if not found:
        print("Stedi has no file of ours that the state file does not know: nothing to recover.")
        return
    rows = [
        (one.order_number, one.release, len(one.files), one.files[-1].witness.file_name, one.what()) for one in found
    ]
    print_table(("order", "release", "files", "last file", "what will be done"), rows)
