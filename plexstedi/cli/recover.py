"""`plexstedi recover`."""

from __future__ import annotations

import typer

from plexstedi.cli.invocation import of, work
from plexstedi.cli.options import DryRun, Json, Yes, confirmed
from plexstedi.cli.render.tables import print_table
from plexstedi.cli.result.outcome import Outcome, print_news
from plexstedi.cli.result.results import FoundInvoiceJson, FoundOrderJson
from plexstedi.clock import StopRequest
from plexstedi.sync.people.recover import FoundStream, look, take_over
from plexstedi.sync.people.recover_invoices import FoundInvoice, look_at_invoices, take_over_invoices
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
            found = look(session)
            invoices = look_at_invoices(session)
            outcome.data["streams"] = [*map(_found_order, found), *map(_found_invoice, invoices)]
            outcome.show = lambda: print_news(outcome)
            if not json and (dry_run or yes):
                _show(found, invoices)
            if dry_run or not (found or invoices):
                return
            take_over(session, found)
            take_over_invoices(session, invoices)

        work(context, "recover", body, as_json=json, dry_run=dry_run, by_user=True, recover=True, time_limit=_SECONDS)


def _preview(context: typer.Context, *, as_json: bool) -> None:
    """Preview and confirm on a private copy: if the user declines, the state file, or its absence, is unchanged."""
    around = of(context).surroundings(overrides=frozenset(), stop=StopRequest(), as_json=as_json, time_limit=_SECONDS)
    opened = open_session(around, dry_run=True, recover=True)
    try:
        found, invoices = look(opened.session), look_at_invoices(opened.session)
    finally:
        opened.close()
    if not as_json:
        _show(found, invoices)
    if found or invoices:
        confirmed(f"Import {len(found) + len(invoices)} streams into the state file?", yes=False)


def _show(found: list[FoundStream], invoices: list[FoundInvoice]) -> None:
    if not found and not invoices:
        print("The state file knows all of our files at Stedi: nothing to recover.")
        return
    rows = [
        (one.order_number, one.release, len(one.files), one.files[-1].execution.file_name, one.what()) for one in found
    ]
    rows += [(one.number, None, len(one.files), one.files[-1].execution.file_name, one.what()) for one in invoices]
    print_table(("order or invoice", "release", "files", "last file", "action"), rows)


def _found_order(one: FoundStream) -> FoundOrderJson:
    return FoundOrderJson(
        order=one.order_number,
        release=one.release,
        supplier=None if one.record is None else one.record.supplier,
        files=[found.execution.file_name for found in one.files],
        in_sync=one.in_sync,
        what=one.what(),
    )


def _found_invoice(one: FoundInvoice) -> FoundInvoiceJson:
    return FoundInvoiceJson(
        invoice=one.number,
        customer=None if one.record is None else one.record.customer,
        files=[found.execution.file_name for found in one.files],
        in_sync=one.revision is not None,
        what=one.what(),
    )
