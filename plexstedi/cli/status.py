"""`plexstedi status`: reads the state file, nothing else. Needs no secret, no service and no lock."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.options import Json, Supplier
from plexstedi.cli.render.html import invoice_page, order_page, overview_page
from plexstedi.cli.render.text import show_health, show_invoice, show_late, show_order, show_orders, show_overview
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.overview import (
    CustomerNotTradedJson,
    DocumentCountsJson,
    FaultJson,
    HealthJson,
    LastRunJson,
    LateJson,
    NoteJson,
    StageJson,
    SupplierJson,
    SupplierNotTradedJson,
    TimesJson,
    UnwrittenJson,
)
from plexstedi.cli.result.records import (
    AcknowledgmentJson,
    InvoiceJson,
    InvoiceLineJson,
    OrderJson,
    OrderLineJson,
    ToldEventJson,
)
from plexstedi.cli.result.things import DocumentJson, ReviewJson
from plexstedi.config.load import Config
from plexstedi.errors import ConfigurationFault, PlexStediError, StateUnusable, UntrustedFile, UsageFault
from plexstedi.state.run_records import Beside, ErrorNote
from plexstedi.state.statistics import Statistics
from plexstedi.state.store import Store
from plexstedi.sync.counts import Counts
from plexstedi.sync.health import Health, read_health
from plexstedi.sync.report.invoice import InvoiceReport, find_invoice, invoice_report
from plexstedi.sync.report.order import OrderReport, order_report
from plexstedi.sync.report.overview import Overview, find_order, open_order_rows, order_rows, overview, reading

Report = TypeVar("Report", OrderReport, InvoiceReport)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("status", epilog="Example: plexstedi status PO-104233")
    def command(
        context: typer.Context,
        number: Annotated[
            str | None,
            typer.Argument(metavar="[NUMBER]", help="One order or invoice: its documents, lines and timeline."),
        ] = None,
        supplier: Supplier = None,
        late: Annotated[bool, typer.Option("--late", help="Only items past a deadline or its warning.")] = False,
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
        if number is not None and (supplier is not None or late):
            raise UsageFault(
                "an order NUMBER cannot be combined with --supplier or --late",
                fix=f"Write `plexstedi status {number}` for the order, or omit the number.",
            )
        invocation = of(context)
        outcome = Outcome(command="status")
        config, path = _config(invocation, outcome)

        def health(store: Store | None, fault: PlexStediError | None = None) -> Health:
            return read_health(store, path, config, invocation.clock.now(), fault=fault)

        try:
            with reading(path) as store:
                if store is not None:
                    invocation.must_own(store)
                if number is not None:
                    _one_order(outcome, store, number, html, check=check)
                elif store is None:
                    _nothing_yet(outcome, path, health(None), check=check)
                else:
                    _whole_picture(
                        outcome,
                        store,
                        config,
                        health(store),
                        invocation.clock.now(),
                        supplier=supplier,
                        late=late,
                        html=html,
                        check=check,
                    )
        except StateUnusable as fault:
            outcome.faults.append(fault)
            outcome.data["health"] = _health(health(None, fault))
        finish(invocation, outcome, as_json=json)


def _config(invocation: Invocation, outcome: Outcome) -> tuple[Config | None, Path]:
    """The configuration, None if it is broken; and where the state file is.

    What can be shown without it is shown. A broken one is the outcome's fault (exit 4) where it was named or names the
    state file, else a warning. Raise ConfigurationFault when the state file cannot be found without it.
    """
    try:
        return invocation.config(), invocation.state()
    except ConfigurationFault as fault:
        path = None if isinstance(fault, UntrustedFile) else invocation.state_if_known()
        if path is None or not (_state_is_named(invocation) or path.exists() or Beside.path(path).exists()):
            raise
        if invocation.config_path is not None or not _state_is_named(invocation):
            outcome.faults.append(fault)
        else:
            outcome.warnings.append(f"shown without supplier settings, so without deadlines: {fault.problems[0]}")
        return None, path


def _state_is_named(invocation: Invocation) -> bool:
    return bool(invocation.state_path is not None or os.environ.get("PLEXSTEDI_STATE"))


def _nothing_yet(outcome: Outcome, path: Path, health: Health, *, check: bool) -> None:
    outcome.data.update(_overview(Overview()))
    outcome.data["health"] = _health(health)
    outcome.attention = check and not health.ok

    def show() -> None:
        print(f"Nothing yet: no run has created the state file {path}.")
        if not health.ok:
            show_health(health)

    outcome.show = show


def _whole_picture(
    outcome: Outcome,
    store: Store,
    config: Config | None,
    health: Health,
    now: datetime,
    *,
    supplier: str | None,
    late: bool,
    html: Path | None,
    check: bool,
) -> None:
    seen = overview(store, config, now, supplier)
    outcome.counts = Counts(attention=seen.attention, in_doubt=seen.in_doubt)
    outcome.attention = check and (seen.needs_a_person or not health.ok)
    outcome.data.update(_overview(seen))
    outcome.data["health"] = _health(health)
    outcome.data["audit_head"] = store.audit.head()
    rows = order_rows(store, supplier) if supplier is not None and html is None else []
    if html is not None:
        _write(html, overview_page(seen, health, open_order_rows(store, supplier), now, supplier))
        outcome.data["html"] = str(html)

    def show() -> None:
        if html is not None:
            print(f"Written: {html}")
        elif late:
            show_late(seen.late, now, timed=config is not None)
        else:
            show_overview(seen, health, now, supplier)
            if supplier is not None:
                show_orders(rows)

    outcome.show = show


def _one_order(outcome: Outcome, store: Store | None, number: str, html: Path | None, *, check: bool) -> None:
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
        report = invoice_report(store, record)
        _story(outcome, store, report, invoice_page, lambda: show_invoice(report), html, check=check)
    else:
        _order(outcome, store, number, html, check=check)
        if invoices is not None:
            outcome.warnings.append(
                f"invoice {number} has the same number: `plexstedi status {invoices[0].stream}` shows it"
            )


def _order(outcome: Outcome, store: Store, number: str, html: Path | None, *, check: bool) -> None:
    record, others = find_order(store, number)
    report = order_report(store, record)
    outcome.warnings += [
        f"order number {record.number} also belongs to Plex id {other.id} (supplier {other.supplier}, {other.phase}"
        + ("" if other.number == record.number else f", now {other.number!r} in Plex")
        + f"): `plexstedi status {other.id}` shows it"
        for other in others
    ]
    _story(outcome, store, report, order_page, lambda: show_order(report), html, check=check)


def _story(
    outcome: Outcome,
    store: Store,
    report: Report,
    page: Callable[[Report], str],
    show: Callable[[], None],
    html: Path | None,
    *,
    check: bool,
) -> None:
    """One order's or invoice's report as the outcome: on the terminal, in JSON or as a page."""
    outcome.counts = Counts(attention=store.reviews.attention(), in_doubt=Statistics(store.database).in_doubt())
    outcome.attention = check and _needs_a_person(report)
    outcome.data.update(_order_parts(report) if isinstance(report, OrderReport) else _invoice_parts(report))
    outcome.data["audit_head"] = store.audit.head()
    outcome.show = show
    if html is not None:
        _write(html, page(report))
        outcome.data["html"] = str(html)
        outcome.show = lambda: print(f"Written: {html}")


def _needs_a_person(report: OrderReport | InvoiceReport) -> bool:
    return bool(report.reviews) or any(document.state.is_outcome_unknown for document in report.documents)


def _overview(seen: Overview) -> dict[str, Any]:
    return {
        "orders": seen.orders,
        "documents": DocumentCountsJson(
            state=seen.states,
            delivery=seen.delivery,
            functional_ack=seen.functional_ack,
            business_ack=seen.business_ack,
        ),
        "lines": seen.lines,
        "suppliers": [
            SupplierJson(
                supplier=counts.supplier,
                orders=counts.orders,
                open_orders=counts.open_orders,
                documents=counts.documents,
                undelivered=counts.undelivered,
                unanswered=counts.unanswered,
                attention=counts.reviews,
            )
            for counts in seen.suppliers
        ],
        "waiting": [ReviewJson.of(review) for review in seen.waiting],
        "late": [LateJson.of(late) for late in seen.late],
        "unwritten": [UnwrittenJson.of(one) for one in seen.unwritten],
        "not_traded": [
            *(SupplierNotTradedJson(supplier=code, orders=count) for code, count in seen.not_traded),
            *(CustomerNotTradedJson(customer=code, invoices=count) for code, count in seen.customers_not_traded),
        ],
        "transactions_not_read": seen.unread_sets,
        "times": TimesJson(**dataclasses.asdict(seen.times)),
    }


def _order_parts(report: OrderReport) -> dict[str, Any]:
    return {
        "order": OrderJson.of(report.record, report.order, report.supplier_name, report.reviews),
        "documents": [DocumentJson.of(document) for document in report.documents],
        "lines": [OrderLineJson.of(line) for line in report.lines],
        "answers": [AcknowledgmentJson.of(answer) for answer in report.answers],
        "events": [ToldEventJson.of(told) for told in report.events],
    }


def _invoice_parts(report: InvoiceReport) -> dict[str, Any]:
    return {
        "invoice": InvoiceJson.of(report.record, report.invoice, report.reviews),
        "documents": [DocumentJson.of(document) for document in report.documents],
        "lines": [InvoiceLineJson.of(line) for line in report.invoice.lines],
        "events": [ToldEventJson.of(told) for told in report.events],
    }


def _health(health: Health) -> HealthJson:
    """`health` of the contract (DESIGN.md section 4)."""
    last = health.last_run
    return HealthJson(
        ok=health.ok,
        last_run=None
        if last is None
        else LastRunJson(at=last.at, command=last.command, exit_code=last.exit_code, error=_note(last.error)),
        stages={
            stage.value: StageJson(
                succeeded_at=record.succeeded_at, failed_at=record.failed_at, error=_note(record.error)
            )
            for stage, record in health.stages.items()
        },
        faults=[
            FaultJson(code=fault.code, since=fault.since, message=fault.message, fix=fault.fix)
            for fault in health.faults
        ],
        key_due=health.key_due,
    )


def _note(note: ErrorNote | None) -> NoteJson | None:
    return None if note is None else NoteJson(code=note.code, message=note.message, fix=note.fix)


def _write(file: Path, page: str) -> None:
    """Put the page there whole or not at all. Raise UsageFault if it cannot be written."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False
        ) as draft:
            draft.write(page)
        Path(draft.name).chmod(0o640)
        Path(draft.name).replace(file)
    except OSError as error:
        raise UsageFault(
            f"the page {file} cannot be written: {error.strerror}", fix="Use a file in a folder that you can write to."
        ) from error
