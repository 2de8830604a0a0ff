"""Every fault of the sandbox on every route: retried only where it is safe, bounded, and made good by a clean run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plexstedi.errors import PlexStediError, ServiceUnavailable
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.tenant import made_up_tenant


def _world() -> ModuleType:
    path = Path(__file__).parents[1] / "crash" / "world.py"
    spec = importlib.util.spec_from_file_location("crash_world", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["crash_world"] = module
    spec.loader.exec_module(module)
    return module


world = _world()

ROUTES = {
    "tenants": ("plex", "GET", "/tenants"),
    "orders": ("plex", "GET", "/purchase-orders$"),
    "lines": ("plex", "GET", "/line-items$"),
    "releases": ("plex", "GET", "/releases$"),
    "suppliers": ("plex", "GET", "/suppliers/"),
    "field search": ("plex", "POST", "/field-values/search"),
    "field save": ("plex", "POST", "/field-values/save"),
    "send": ("stedi", "POST", "/generate-edi"),
    "executions": ("stedi", "GET", "/polling/executions"),
    "delivery": ("stedi", "GET", "/executions/[^/]+$"),
    "transactions": ("stedi", "GET", "/polling/transactions"),
    "document address": ("stedi", "GET", "/output-url"),
    "document": ("documents", "GET", ""),
}
KINDS = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.THROTTLED,
    FaultKind.ERROR_BEFORE,
    FaultKind.ERROR_AFTER,
    FaultKind.UNAVAILABLE,
    FaultKind.GATEWAY_TIMEOUT,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
)
_expected: dict[str, Any] = {}


def make(tmp_path: Path) -> Any:
    """A small world of its own."""
    made_up = made_up_tenant(4, 2, 7, world.START, characters=world.CAST)
    place = tmp_path / "place"
    place.mkdir()
    return world.World(Sandbox(made_up, SandboxClock.manual(world.START)), place)


def undisturbed(tmp_path: Path) -> dict[str, Any]:
    """How the morning ends without any fault; played once."""
    if not _expected:
        (tmp_path / "undisturbed").mkdir()
        calm = make(tmp_path / "undisturbed")
        with calm.served():
            world.play(calm, 0)
            _expected.update(world.picture(calm))
    return _expected


def run_through(disturbed: Any) -> list[PlexStediError]:
    """One run as cron does it; what ended a stage, whether collected or raised."""
    try:
        return list(disturbed.run_once())
    except PlexStediError as fault:
        return [fault]


_QUICK = {("send", kind) for kind in KINDS} | {
    (route, FaultKind.DROP_AFTER) for route in ("field save", "transactions")
}
"""What every test run tries; the whole matrix belongs to the long tests."""


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        pytest.param(route, kind, marks=() if (route, kind) in _QUICK else pytest.mark.long)
        for route in sorted(ROUTES)
        for kind in KINDS
    ],
)
def test_one_fault_anywhere_costs_nothing_in_the_end(tmp_path: Path, route: str, kind: FaultKind) -> None:
    expected = undisturbed(tmp_path)
    origin, method, path = ROUTES[route]
    disturbed = make(tmp_path)
    with disturbed.served():
        for prepare in world.PHASES:
            prepare(disturbed)
            disturbed.sandbox.inject(FaultRule(kind, origin=origin, method=method, path=path, skip=1))
            run_through(disturbed)
            disturbed.sandbox.faults.clear()
            disturbed.run_until_quiet()
        disturbed.run_until_quiet()
        assert world.differences(expected, world.picture(disturbed)) == []


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        pytest.param(route, kind, marks=() if route == "send" else pytest.mark.long)
        for route in ("orders", "send", "executions", "transactions", "field save")
        for kind in KINDS
    ],
)
def test_a_lasting_fault_ends_the_run_with_5_after_few_attempts(tmp_path: Path, route: str, kind: FaultKind) -> None:
    expected = undisturbed(tmp_path)
    origin, method, path = ROUTES[route]
    disturbed = make(tmp_path)
    with disturbed.served():
        if route == "field save":
            disturbed.run_once()
            world.three_hours(disturbed)
        disturbed.sandbox.inject(FaultRule(kind, origin=origin, method=method, path=path, times=None))
        faults = run_through(disturbed)
        calls = [c for c in disturbed.sandbox.log if c.origin == origin and c.fault is not None]
        assert len(calls) <= 24
        if route != "field save":
            assert any(isinstance(fault, ServiceUnavailable) for fault in faults)
            assert all(int(fault.exit_code) == 5 for fault in faults)
        disturbed.sandbox.faults.clear()
        disturbed.run_until_quiet()
        world.play(disturbed, 1)
        assert world.differences(expected, world.picture(disturbed)) == []
