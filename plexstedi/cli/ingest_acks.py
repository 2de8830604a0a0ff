"""`plexstedi ingest-acks`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from plexstedi.cli.options import DryRun, Json, Override, overrides
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.result.outcome import Outcome, print_done
from plexstedi.cli.work import work
from plexstedi.sync.ingest.ingest import ingest
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage, stage

if TYPE_CHECKING:
    from plexstedi.cli.result.things import WriteJson
    from plexstedi.sync.ingest.ingest import PlannedChange


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "ingest-acks",
        short_help="Fetch acknowledgments from Stedi and write them to Plex.",
        epilog="Example: plexstedi ingest-acks --dry-run",
    )
    def command(context: typer.Context, dry_run: DryRun = False, override: Override = None, json: Json = False) -> None:
        """Fetch acknowledgments from Stedi, match and reconcile them, write them to Plex."""

        def body(session: Session, outcome: Outcome) -> None:
            outcome.show = lambda: _show(outcome)
            with stage(session, Stage.INGEST):
                outcome.data["writes"] = _listed(ingest(session))

        work(
            context,
            "ingest-acks",
            body,
            as_json=json,
            dry_run=dry_run,
            overrides=overrides(override),
            scheduled=True,
        )


def _listed(written: Iterable[PlannedChange]) -> list[WriteJson]:
    changes = list(written)
    if not changes:
        return []
    # Most calls write nothing, and need no pydantic.
    from plexstedi.cli.result.things import WriteJson

    return [WriteJson.of(change) for change in changes]


def _show(outcome: Outcome) -> None:
    print_writes(outcome.data.get("writes", ()), planned=outcome.dry_run)
    print_done(outcome)


def print_writes(writes: Iterable[WriteJson], planned: bool) -> None:
    """Print what was or would be written to Plex: each field before and after."""
    print_table(
        ("order", "where", "field", "Plex now" if planned else "Plex before", "Plex after", "why"),
        [
            (
                write.order,
                _where(write),
                write.field,
                _shown(write.before),
                _shown(write.after),
                write.why,
            )
            for write in writes
        ],
        title="Would be written to Plex:" if planned else "Written to Plex:",
    )


def _where(write: WriteJson) -> str:
    if write.line is None:
        return "order"
    release = write.release
    return f"line {write.line}" if release is None else f"line {write.line} release {release}"


def _shown(value: object) -> str:
    return "(empty)" if value is None else plain(value)
