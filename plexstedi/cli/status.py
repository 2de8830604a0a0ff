"""`plexstedi status`: reads only the state file. Needs no secret, no service and no lock."""

from __future__ import annotations

import os
import sys
from contextlib import closing, nullcontext
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from plexstedi.cli.completion import order_numbers
from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.options import Json, Supplier
from plexstedi.cli.page.files import write_page
from plexstedi.cli.render.terminal import say
from plexstedi.cli.render.text import show_attention, show_health, show_late, show_orders, show_overview, show_report
from plexstedi.cli.render.watch import repeat
from plexstedi.cli.result.outcome import Outcome
from plexstedi.config.load import Config
from plexstedi.errors import ConfigurationFault, PlexStediError, StateUnusable, UntrustedFile, UsageFault
from plexstedi.ownership import is_there
from plexstedi.state.run_records import HealthFile
from plexstedi.state.statistics import Statistics
from plexstedi.state.store import Store
from plexstedi.sync.counts import Counts
from plexstedi.sync.health import Health, read_health
from plexstedi.sync.report.invoice import InvoiceReport, find_invoice, invoice_report
from plexstedi.sync.report.order import OrderReport, order_report
from plexstedi.sync.report.overview import Overview, find_order, order_rows, overview, reading


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "status",
        short_help="Show what was sent and confirmed, what is late or needs review.",
        epilog="Example: plexstedi status PO-104233",
    )
    def command(
        context: typer.Context,
        number: Annotated[
            str | None,
            typer.Argument(
                metavar="[NUMBER]",
                autocompletion=order_numbers,
                help="One order or invoice: its documents, lines and timeline.",
            ),
        ] = None,
        supplier: Supplier = None,
        late: Annotated[
            bool, typer.Option("--late", help="Only what is past a deadline or its warning, the longest overdue first.")
        ] = False,
        needs_attention: Annotated[
            bool, typer.Option("--needs-attention", help="Only what is wrong, the worst first, each with its fix.")
        ] = False,
        watch: Annotated[
            bool,
            typer.Option("--watch", help="Show it again every few seconds, until q or Ctrl-C. On a terminal only."),
        ] = False,
        html: Annotated[
            Path | None, typer.Option("--html", metavar="FILE", help="Write an HTML page for viewing or printing.")
        ] = None,
        check: Annotated[
            bool,
            typer.Option(
                "--check",
                help="For monitors: end with 3 if anything needs review, a fault stands or no run succeeds.",
            ),
        ] = False,
        json: Json = False,
    ) -> None:
        """Show what was sent, what suppliers confirmed, what is overdue and what needs review."""
        if number is not None and (supplier is not None or late or needs_attention):
            raise UsageFault(
                "an order NUMBER cannot be combined with --supplier, --late or --needs-attention",
                fix=f"Write `plexstedi status {number}` for the order, or omit the number.",
            )
        part = _part(late=late, needs_attention=needs_attention)
        invocation = of(context)
        if watch:
            _must_be_watchable(elsewhere=json or html is not None)
            repeat(lambda: read(invocation, number, supplier, part, None, check=False).emit(as_json=False))
            raise typer.Exit
        finish(invocation, read(invocation, number, supplier, part, html, check=check), as_json=json)

    def read(
        invocation: Invocation,
        number: str | None,
        supplier: str | None,
        part: OverviewPart,
        html: Path | None,
        *,
        check: bool,
    ) -> Outcome:
        outcome = Outcome(command="status")
        if invocation.plants:
            if number is not None or supplier is not None or part is not OverviewPart.ALL:
                raise UsageFault(
                    "an order NUMBER, --supplier, --late and --needs-attention are about one plant, and --config names "
                    "several",
                    fix="Name one configuration.",
                )
            # One plant needs none of this.
            from plexstedi.cli.plants.command import several_plants

            several_plants(invocation, outcome, html=html, check=check)
            return outcome
        config, path = _config(invocation, outcome)

        def health(store: Store | None, fault: PlexStediError | None = None) -> Health:
            return read_health(store, path, config, invocation.clock.now(), fault=fault)

        try:
            with reading(path) as store:
                if store is not None:
                    invocation.must_own(store)
                if number is not None:
                    _one_order(outcome, store, number, html, check=check, ids=invocation.verbose)
                elif store is None and html is None:
                    _show_no_state(outcome, path, health(None), check=check)
                else:
                    # A page is written before the first run, too.
                    with nullcontext(store) if store is not None else closing(Store.open_copy(path)) as shown:
                        _show_overview(
                            outcome,
                            shown,
                            config,
                            health(store),
                            invocation.clock.now(),
                            supplier=supplier,
                            part=part,
                            html=html,
                            check=check,
                            every=invocation.verbose,
                        )
        except StateUnusable as fault:
            outcome.faults.append(fault)
            ended = health(None, fault)
            outcome.later.append(lambda: _health(ended))
        return outcome


class OverviewPart(Enum):
    """The part of the overview to show as text."""

    ALL = "all"
    LATE = "late"
    NEEDS_ATTENTION = "needs attention"


def _part(*, late: bool, needs_attention: bool) -> OverviewPart:
    if late and needs_attention:
        raise UsageFault("--late and --needs-attention cannot be combined", fix="Use one of them.")
    return OverviewPart.LATE if late else OverviewPart.NEEDS_ATTENTION if needs_attention else OverviewPart.ALL


def _must_be_watchable(*, elsewhere: bool) -> None:
    if elsewhere or not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise UsageFault(
            "--watch needs a terminal, and no --json or --html",
            fix="Call `plexstedi status` from a terminal, or from cron without --watch.",
        )


def _config(invocation: Invocation, outcome: Outcome) -> tuple[Config | None, Path]:
    """The configuration, None if it is invalid; and the path of the state file.

    Whatever does not depend on the configuration is still shown. An invalid one is a fault (exit 4) if it was named or
    names the state file, else a warning. Raise ConfigurationFault if the state file cannot be found without it.
    """
    try:
        return invocation.config(), invocation.state()
    except ConfigurationFault as fault:
        path = None if isinstance(fault, UntrustedFile) else invocation.state_if_known()
        if path is None or not (_state_is_named(invocation) or any(map(is_there, (path, HealthFile.path(path))))):
            raise
        if invocation.config_path is not None or not _state_is_named(invocation):
            outcome.faults.append(fault)
        else:
            outcome.warnings.append(f"shown without supplier settings, so without deadlines: {fault.problems[0]}")
        return None, path


def _state_is_named(invocation: Invocation) -> bool:
    return bool(invocation.state_path is not None or os.environ.get("PLEXSTEDI_STATE"))


def _show_no_state(outcome: Outcome, path: Path, health: Health, *, check: bool) -> None:
    outcome.later += [lambda: _overview(Overview()), lambda: _health(health)]
    outcome.attention = check and not health.ok

    def show() -> None:
        say(f"Nothing yet: no run has created the state file {path}.")
        if not health.ok:
            show_health(health)

    outcome.show = show


def _show_overview(
    outcome: Outcome,
    store: Store,
    config: Config | None,
    health: Health,
    now: datetime,
    *,
    supplier: str | None,
    part: OverviewPart,
    html: Path | None,
    check: bool,
    every: bool,
) -> None:
    if html is None:
        seen = overview(store, config, now, supplier)
    else:
        # Its template library is for pages only.
        from plexstedi.cli.page.overview import overview_page
        from plexstedi.sync.report.page import page_data

        data = page_data(store, config, health, now, supplier)
        seen = data.seen
        write_page(html, overview_page(data))
    outcome.counts = Counts(attention=seen.attention, in_doubt=seen.in_doubt)
    outcome.attention = check and (seen.needs_review or not health.ok)
    outcome.later += [lambda: _overview(seen), lambda: _health(health)]
    outcome.data["audit_head"] = store.audit.head()
    rows = order_rows(store, supplier) if supplier is not None and html is None else []
    if html is not None:
        outcome.data["html"] = str(html)

    def show() -> None:
        if html is not None:
            print(f"Written: {html}")
        elif part is OverviewPart.LATE:
            show_late(seen.late, now, timed=config is not None)
        elif part is OverviewPart.NEEDS_ATTENTION:
            show_attention(seen, health, now)
        else:
            show_overview(seen, health, now, supplier, every=every)
            if supplier is not None:
                show_orders(rows)

    outcome.show = show


def _one_order(
    outcome: Outcome, store: Store | None, number: str, html: Path | None, *, check: bool, ids: bool
) -> None:
    if store is None:
        raise UsageFault(
            f"there is no order {number}: nothing has been read from Plex yet",
            fix="Run `plexstedi poll` first.",
            code="order-unknown",
        )
    invoices = find_invoice(store, number)
    if invoices is not None and not store.orders.by_number(number):
        record, same = invoices
        outcome.warnings += [
            f"invoice number {number} also belongs to Plex id {other.id}: `plexstedi status {other.stream}` shows it"
            for other in same
        ]
        _report(outcome, store, invoice_report(store, record), html, check=check, ids=ids)
    else:
        _order(outcome, store, number, html, check=check, ids=ids)
        if invoices is not None:
            outcome.warnings.append(
                f"invoice {number} has the same number: `plexstedi status {invoices[0].stream}` shows it"
            )


def _order(outcome: Outcome, store: Store, number: str, html: Path | None, *, check: bool, ids: bool) -> None:
    record, others = find_order(store, number)
    outcome.warnings += [
        f"order number {record.number} also belongs to Plex id {other.id} (supplier {other.supplier}, {other.phase}"
        + ("" if other.number == record.number else f", now {other.number!r} in Plex")
        + f"): `plexstedi status {other.id}` shows it"
        for other in others
    ]
    _report(outcome, store, order_report(store, record), html, check=check, ids=ids)


def _report(
    outcome: Outcome, store: Store, report: OrderReport | InvoiceReport, html: Path | None, *, check: bool, ids: bool
) -> None:
    """Return one report as the outcome: text, JSON or page."""
    outcome.counts = Counts(attention=store.reviews.attention(), in_doubt=Statistics(store.database).in_doubt())
    outcome.attention = check and report.history.needs_review
    outcome.later.append(lambda: _report_parts(report))
    outcome.data["audit_head"] = store.audit.head()
    outcome.show = lambda: show_report(report, ids=ids)
    if html is not None:
        from plexstedi.cli.render.html import report_page

        write_page(html, report_page(report))
        outcome.data["html"] = str(html)
        outcome.show = lambda: print(f"Written: {html}")


# Loading the models of `--json` would take longer than the text.


def _overview(seen: Overview) -> dict[str, Any]:
    from plexstedi.cli.result.of_status import overview_parts

    return overview_parts(seen)


def _report_parts(report: OrderReport | InvoiceReport) -> dict[str, Any]:
    from plexstedi.cli.result.of_status import report_parts

    return report_parts(report)


def _health(health: Health) -> dict[str, Any]:
    from plexstedi.cli.result.of_status import health_part

    return {"health": health_part(health)}
