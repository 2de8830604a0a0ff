"""`plexstedi audit`."""

from __future__ import annotations

import csv
import json as json_text
import sys
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from plexstedi.cli.completion import order_numbers
from plexstedi.cli.invocation import finish, of
from plexstedi.cli.options import Json
from plexstedi.cli.render.streams import print_json, takes_text
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome
from plexstedi.errors import StateUnusable, UsageFault
from plexstedi.plain_text import cell, many, visible_json
from plexstedi.state.audit import Event
from plexstedi.state.store import Store, altered_payload, open_state, plan_of

if TYPE_CHECKING:
    from plexstedi.cli.result.records import ChainedEventJson


class Format(StrEnum):
    """Output format of exported events."""

    JSONL = "jsonl"
    CSV = "csv"


_COLUMNS = ("seq", "at", "actor", "kind", "order_id", "subject", "detail", "previous", "hash", "plan")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    audit = typer.Typer(help="The audit trail: export it, verify it.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(audit, name="audit", epilog="Example: plexstedi audit verify")
    audit.command("export", epilog="Example: plexstedi audit export --order PO-104233 --format csv > PO-104233.csv")(
        _export
    )
    audit.command(
        "verify",
        short_help="Check that the trail was not edited, reordered or cut.",
        epilog="Example: plexstedi audit verify --head 5e0c…",
    )(_verify)


def _export(
    context: typer.Context,
    order: Annotated[
        str | None,
        typer.Option(
            "--order", metavar="NUMBER", autocompletion=order_numbers, help="Only events of this order or invoice."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only events since then: a time, a date, yesterday, 2d, 6h."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="One JSON object per line, or CSV.")] = Format.JSONL,
    json: Json = False,
) -> None:
    """Write events to stdout as they are read, oldest first."""
    begin = of(context).instant(since, "--since")
    invocation = of(context)
    store = open_state(invocation.state())
    try:
        events = _chosen(store, order, begin)
        if json:
            outcome = Outcome(command="audit export")
            outcome.data = {
                "events": [_json(store, event) for event in events],
                "audit_head": store.audit.head(),
            }
            finish(invocation, outcome, as_json=True)
        elif form is Format.CSV:
            _write_csv(store, events)
        else:
            for event in events:
                if not takes_text(sys.stdout):
                    break
                print_json(json_text.dumps(_json(store, event).as_json(), ensure_ascii=False))
    finally:
        store.close()


def _chosen(store: Store, number: str | None, since: datetime | None) -> Iterator[Event]:
    if number is None:
        return store.audit.events(since=since)
    ids = [
        *(order.id for order in store.orders.by_number(number)),
        *(invoice.stream for invoice in store.invoices.by_number(number)),
    ]
    if not ids:
        raise UsageFault(f"there is no order or invoice {number} in the state file", fix="Check the number.")
    found = [event for order_id in ids for event in store.audit.events(order_id=order_id, since=since)]
    return iter(sorted(found, key=lambda event: event.seq))


def _json(store: Store, event: Event) -> ChainedEventJson:
    # pydantic is for JSON alone.
    from plexstedi.cli.result.records import ChainedEventJson

    return ChainedEventJson.of(event, plan_of(store, event))


def _write_csv(store: Store, events: Iterator[Event]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for event in events:
        if not takes_text(sys.stdout):
            break
        row = _json(store, event).as_json()
        for column in ("detail", "plan"):
            if row[column] is not None:
                text = json_text.dumps(row[column], ensure_ascii=False, sort_keys=True)
                row[column] = visible_json(text, sys.stdout.encoding)
        writer.writerow(["" if row[column] is None else cell(str(row[column])) for column in _COLUMNS])


def _verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="HASH", help="A head recorded earlier: proves that the end of the trail was not cut off."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check that no event was edited, removed, reordered or (with --head) cut off the end.

    Also that every document sent or received, and every planned write, is kept as it was.
    """
    invocation = of(context)
    outcome = Outcome(command="audit verify")
    store = open_state(invocation.state())
    try:
        broken = store.audit.verify(head) or altered_payload(store)
        count = store.audit.count()
        outcome.data = {"verified": broken is None, "events": count, "audit_head": store.audit.head()}
    finally:
        store.close()
    if broken is not None:
        outcome.data["broken_at"] = broken.seq
        outcome.faults.append(
            StateUnusable(
                f"the audit trail is not intact: {broken.what}",
                fix="Someone changed the state file, or it is an old copy. Compare it with a backup; keep both.",
                code="audit-broken",
            )
        )
    outcome.show = lambda: say(
        f"{many(count, 'event')}, {'none changed' if broken is None else 'broken'}; head {outcome.data['audit_head']}"
    )
    finish(invocation, outcome, as_json=json)
