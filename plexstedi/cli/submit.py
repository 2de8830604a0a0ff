"""`plexstedi submit`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from plexstedi.cli.completion import order_numbers
from plexstedi.cli.options import DryRun, Json, Override, overrides, positive
from plexstedi.cli.render.tables import print_documents_preview
from plexstedi.cli.result.outcome import Outcome, print_done, print_news
from plexstedi.cli.work import work
from plexstedi.errors import UsageFault
from plexstedi.sync.report.invoice import find_invoice
from plexstedi.sync.report.overview import find_order
from plexstedi.sync.session import Session
from plexstedi.sync.stages import Stage, stage
from plexstedi.sync.submit.submit import Preview, preview, submit


class Show(StrEnum):
    """What a dry run prints of each document."""

    TABLE = "table"
    X12 = "x12"
    JSON = "json"
    GUIDE = "guide"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("submit", epilog="Example: plexstedi submit --dry-run --order PO-104233 --show x12")
    def command(
        context: typer.Context,
        dry_run: DryRun = False,
        show: Annotated[
            Show, typer.Option("--show", help="With --dry-run: the table, or each complete document.")
        ] = Show.TABLE,
        order: Annotated[
            str | None,
            typer.Option(
                "--order",
                metavar="NUMBER",
                autocompletion=order_numbers,
                help="Only due documents of this order or invoice.",
            ),
        ] = None,
        limit: Annotated[
            int | None,
            typer.Option("--limit", metavar="N", parser=positive, help="At most this many new documents."),
        ] = None,
        override: Override = None,
        json: Json = False,
    ) -> None:
        """Send what is due to Stedi; confirm delivery of what was sent."""
        if show is not Show.TABLE and not dry_run:
            raise UsageFault("--show requires --dry-run", fix="Add --dry-run, or omit --show.")

        def body(session: Session, outcome: Outcome) -> None:
            if order is not None and find_invoice(session.store, order) is None:
                find_order(session.store, order)
            if dry_run:
                # pydantic is for JSON, and for previews.
                from plexstedi.cli.result.things import PreviewJson

                previews = preview(session, number=order, limit=limit)
                outcome.data["documents"] = [PreviewJson.of(one) for one in previews]
                outcome.show = lambda: _show_preview(outcome, previews, show)
            else:
                outcome.show = lambda: _show(outcome)
                with stage(session, Stage.SUBMIT):
                    submit(session, number=order, limit=limit)

        work(
            context,
            "submit",
            body,
            as_json=json,
            dry_run=dry_run,
            overrides=overrides(override),
            scheduled=True,
        )


def _show(outcome: Outcome) -> None:
    print_done(outcome)


def _show_preview(outcome: Outcome, previews: list[Preview], show: Show) -> None:
    print_documents_preview(previews, show.value)
    print_news(outcome)
