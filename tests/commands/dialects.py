"""One sandbox per Plex dialect for many short cases, each with a state file of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from plexstedi.state.store import Store
from tests.commands.conftest import START, Bench

APIS = ("connect", "oauth2", "datasource", "soap")


@contextmanager
def served(api: str, place: Path, orders: int = 3) -> Iterator[Bench]:
    """A sandbox with a few orders of one supplier, for one dialect."""
    sample_data = sample_tenant(orders, 1, 7, START, characters=(Character.PROMPT,))
    sandbox = Sandbox(sample_data, SandboxClock.manual(START))
    with sandbox.serve():
        yield Bench(sandbox, place, api)


def fresh(bench: Bench, place: Path, change: Callable[[str], str] = lambda text: text) -> Bench:
    """The same sandbox without faults, minutes later, with an empty state file and its own configuration."""
    bench.sandbox.faults.clear()
    # Calls of the previous case no longer count against Plex's limit per minute.
    bench.later(minutes=2)
    one = replace(bench, place=place)
    one.config.write_text(change(config_text(one.sandbox, one.dialect, "report-only")))
    return one


def stored(bench: Bench) -> dict[str, Any]:
    """The canonical orders of the state file by number, as far as every interface has the same.

    Ids differ by design, and only the REST interfaces state when a line was modified and who issued the order; no
    document contains any of these.
    """
    if not bench.state.exists():
        return {}
    store = Store.open_to_read(bench.state)
    try:
        found = [store.orders.revision(each.id, each.latest) for each in store.orders.all()]
    finally:
        store.close()
    return {order.number: _without_ids(to_builtins(order)) for order in found}


def _without_ids(value: Any) -> Any:
    if isinstance(value, Mapping):
        left = [key for key in value if not re.search(r"^id$|_id$|^modified_at$|^buyer$", key)]
        return {key: _without_ids(value[key]) for key in left}
    return [_without_ids(each) for each in value] if isinstance(value, list | tuple) else value


def fault_codes(bench: Bench) -> set[str]:
    """The codes of the faults that `status` shows as health."""
    store = Store.open_to_read(bench.state)
    try:
        return {fault.code for fault in store.faults.open_faults()}
    finally:
        store.close()
