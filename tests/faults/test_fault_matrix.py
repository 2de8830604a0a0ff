"""Every fault of the sandbox on every route: retried only where it is safe, bounded, and made good by a clean run."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plexstedi.errors import PlexStediError, ServiceRefused, ServiceUnavailable
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from plexstedi.state.store import Store
from plexstedi.sync.submit import delivery
from tests.crash import world
from tests.crash.direct import Direct, through
from tests.crash.world import World


@dataclass(frozen=True)
class Route:
    """Calls that a fault is put on."""

    origin: str
    method: str
    path: str
    write: str = "custom-fields"
    """The way of writing acknowledgments that makes these calls."""
    invoices: bool = False
    repeatable: bool = True
    """Whether a call without an answer may be made again at once: a read, or a send under a key."""
    late: bool = False
    """Only called once answers have come in."""


ROUTES = {
    "tenants": Route("plex", "GET", "/tenants"),
    "orders": Route("plex", "GET", "/purchase-orders$"),
    "order statuses": Route("plex", "GET", "/purchase-order-statuses"),
    "release statuses": Route("plex", "GET", "/release-statuses"),
    "lines": Route("plex", "GET", "/line-items$"),
    "releases": Route("plex", "GET", "/releases$"),
    "suppliers": Route("plex", "GET", "/suppliers/"),
    "receipts": Route("plex", "GET", "/receipts"),
    "invoices": Route("plex", "GET", "/ar-invoices", "report-only", invoices=True),
    "standard objects": Route("plex", "GET", "/standard-objects", late=True),
    "keys": Route("plex", "POST", "/ids-to-keys", late=True),
    "field search": Route("plex", "POST", "/field-values/search", late=True),
    "field save": Route("plex", "POST", "/field-values/save", repeatable=False, late=True),
    "release": Route("plex", "GET", "/v2-beta1/releases/", "releases", late=True),
    "release update": Route("plex", "PUT", "/v2-beta1/releases/", "releases", repeatable=False, late=True),
    "data source": Route("plex", "GET", "/api/datasources/", "datasource", late=True),
    "record read": Route("plex", "POST", "/16518/execute", "datasource", late=True),
    "record write": Route("plex", "POST", "/28809/execute", "datasource", repeatable=False, late=True),
    "send": Route("stedi", "POST", "/generate-edi"),
    "executions": Route("stedi", "GET", "/polling/executions"),
    "delivery": Route("stedi", "GET", "/executions/[^/]+$"),
    "transactions": Route("stedi", "GET", "/polling/transactions"),
    "document address": Route("stedi", "GET", "/output-url", late=True),
    "document": Route("documents", "GET", "", late=True),
}
KINDS = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.DROP_LATER,
    FaultKind.THROTTLED,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.UNAVAILABLE,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
)
MAYBE_DONE = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.DROP_LATER,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.UNAVAILABLE,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
)
"""After these nobody on our side can tell whether the call was carried out."""
DONE = (FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.TRUNCATED, FaultKind.HTML)
READ_BACK_AT_ONCE = ("release update", "record write", "field save")
TRIES = 4
_expected: dict[tuple[str, bool], dict[str, Any]] = {}


def make(tmp_path: Path, route: Route) -> World:
    """A small world of its own."""
    sample_data = sample_tenant(4, 2, 7, world.START, characters=world.CAST)
    place = tmp_path / "place"
    place.mkdir(parents=True)
    return World(Sandbox(sample_data, SandboxClock.manual(world.START)), place, route.write, route.invoices)


def undisturbed(tmp_path: Path, route: Route) -> dict[str, Any]:
    """How the morning ends without any fault; played once for each way of writing."""
    key = (route.write, route.invoices)
    if key not in _expected:
        calm = make(tmp_path / "undisturbed", route)
        calm.write_config()
        with undisturbed_calls(calm):
            world.play(calm, 0)
        _expected[key] = world.picture(calm)
    return _expected[key]


def undisturbed_calls(calm: World) -> AbstractContextManager[None]:
    """Without faults on the way, calls need no sockets."""
    return through(Direct(calm.sandbox))


def run_through(disturbed: World) -> list[PlexStediError]:
    """One run as cron does it; what ended a stage, whether collected or raised."""
    try:
        return list(disturbed.run_once())
    except PlexStediError as fault:
        return [fault]


def calls_with_fault(disturbed: World) -> int:
    return sum(1 for call in disturbed.sandbox.log if call.fault is not None)


_QUICK = {("send", kind) for kind in KINDS} | {
    (route, FaultKind.DROP_AFTER) for route in ("field save", "transactions", "record write", "release update")
}
"""What every test run tries; the whole matrix belongs to the long tests."""


def ask_for_deliveries(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Only what the execution feed does not say is asked for by a call: let it say nothing of deliveries."""
    if name == "delivery":
        monkeypatch.setattr(delivery, "COMPLETED", "what no execution has")
        monkeypatch.setattr(delivery, "_LISTED_WITHIN", timedelta(0))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=() if (name, kind) in _QUICK else pytest.mark.long)
        for name in sorted(ROUTES)
        for kind in KINDS
    ],
)
def test_one_fault_anywhere_costs_nothing_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: FaultKind
) -> None:
    ask_for_deliveries(monkeypatch, name)
    route = ROUTES[name]
    expected = undisturbed(tmp_path, route)
    disturbed = make(tmp_path, route)
    met = 0
    with disturbed.served():
        for prepare in world.PHASES:
            prepare(disturbed)
            if name == "delivery":
                # A run asks for what earlier runs sent.
                with undisturbed_calls(disturbed):
                    run_through(disturbed)
                disturbed.sandbox.log.clear()
            rule = FaultRule(kind, origin=route.origin, method=route.method, path=route.path)
            disturbed.sandbox.inject(rule)
            faults = run_through(disturbed)
            met += calls_with_fault(disturbed)
            disturbed.sandbox.log.clear()
            disturbed.sandbox.faults.clear()
            if kind is not FaultKind.HTML and route.repeatable:
                assert faults == [], "one hiccup of a call that may be made again is no news"
            assert all(int(fault.exit_code) == 5 for fault in faults)
            with undisturbed_calls(disturbed):
                disturbed.run_until_quiet()
        with undisturbed_calls(disturbed):
            disturbed.run_until_quiet()
        assert met > 0, "no call was disturbed"
        assert world.differences(expected, world.picture(disturbed)) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=() if name in ("send", "field save") else pytest.mark.long)
        for name in sorted(ROUTES)
        for kind in KINDS
        # Plex answers a save without a body: there is nothing to be cut short.
        if (name, kind) != ("field save", FaultKind.TRUNCATED)
    ],
)
def test_a_lasting_fault_ends_the_run_with_5_after_few_attempts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: FaultKind
) -> None:
    ask_for_deliveries(monkeypatch, name)
    route = ROUTES[name]
    expected = undisturbed(tmp_path, route)
    disturbed = make(tmp_path, route)
    with disturbed.served():
        if route.late:
            with undisturbed_calls(disturbed):
                disturbed.run_until_quiet()
            world.three_hours(disturbed)
        elif name in ("receipts", "delivery"):
            disturbed.run_once()
        disturbed.sandbox.log.clear()
        disturbed.sandbox.inject(FaultRule(kind, origin=route.origin, method=route.method, path=route.path, times=None))
        faults = run_through(disturbed)
        # What was done, and is seen to be done when Plex is read again, is no news.
        assert faults or (name in READ_BACK_AT_ONCE and kind in DONE)
        assert all(isinstance(fault, ServiceUnavailable) for fault in faults), faults
        by_call = Counter(
            (call.path, call.query, call.body_sha256) for call in disturbed.sandbox.log if call.fault is not None
        )
        assert 0 < sum(by_call.values()) <= 6 * TRIES
        if not route.repeatable and kind in MAYBE_DONE:
            assert set(by_call.values()) == {1}, "a write without an answer was made again without a look"
        else:
            assert max(by_call.values()) <= 2 * TRIES
        if name == "send":
            assert_recorded(disturbed)
        disturbed.sandbox.faults.clear()
        with undisturbed_calls(disturbed):
            disturbed.run_until_quiet()
            world.play(disturbed, 1)
        assert world.differences(expected, world.picture(disturbed)) == []


def assert_recorded(disturbed: World) -> None:
    """Each attempt of each document, with how it ended."""
    store = Store.open_to_read(disturbed.place / "state.sqlite3")
    try:
        for document in store.documents.all():
            attempts = store.documents.attempts(document.id)
            assert [number for number, *_ in attempts] == list(range(1, len(attempts) + 1))
            assert all(outcome for *_, outcome in attempts)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("kind", "path", "wanted"),
    [
        (FaultKind.IGNORED_FILTER, "/purchase-orders$", "ignored-filter"),
        (FaultKind.DEFAULT_TENANT, "", "wrong-tenant"),
    ],
)
def test_a_plex_that_lies_ends_the_run_with_4_and_nothing_is_sent(
    tmp_path: Path, kind: FaultKind, path: str, wanted: str
) -> None:
    route = ROUTES["orders"]
    expected = undisturbed(tmp_path, route)
    disturbed = make(tmp_path, route)
    with disturbed.served():
        disturbed.sandbox.inject(FaultRule(kind, origin="plex", method="GET", path=path, times=None))
        (fault,) = run_through(disturbed)
        assert isinstance(fault, ServiceRefused)
        assert (fault.code, int(fault.exit_code)) == (wanted, 4)
        assert disturbed.sandbox.generated() == []
        disturbed.sandbox.faults.clear()
        with undisturbed_calls(disturbed):
            world.play(disturbed, 0)
        assert world.differences(expected, world.picture(disturbed)) == []


def test_a_slow_response_is_waited_for(tmp_path: Path) -> None:
    route = ROUTES["send"]
    expected = undisturbed(tmp_path, route)
    disturbed = make(tmp_path, route)
    with disturbed.served():
        disturbed.sandbox.inject(FaultRule(FaultKind.SLOW, origin="stedi", path=route.path, seconds=0.5))
        assert run_through(disturbed) == []
        with undisturbed_calls(disturbed):
            disturbed.run_until_quiet()
            world.play(disturbed, 1)
        assert world.differences(expected, world.picture(disturbed)) == []
