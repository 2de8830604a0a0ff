"""The made-up company and the configuration that points at it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.sandbox.behaviours import DEFAULT_CHARACTERS, Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import Dialect, config_text, secrets
from plexstedi.sandbox.plex.sample_data import EdgeCase, sample_tenant
from plexstedi.sandbox.server import Sandbox

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_the_same_seed_makes_the_same_company_and_another_seed_another() -> None:
    assert sample_tenant(20, 5, 7, NOW) == sample_tenant(20, 5, 7, NOW)
    assert sample_tenant(20, 5, 7, NOW) != sample_tenant(20, 5, 8, NOW)


def test_orders_are_as_a_plant_has_them() -> None:
    sample_data = sample_tenant(60, 12, 1, NOW)
    orders = sample_data.tenant.orders
    assert len(orders) == 60
    assert all(timedelta(minutes=2) <= NOW - order.created <= timedelta(minutes=20) for order in orders)
    assert all(order.created <= order.modified <= NOW - timedelta(minutes=1) for order in orders)
    assert all(1 <= len(order.lines) <= 6 for order in orders)
    statuses = [order.status for order in orders]
    assert (statuses.count("New"), statuses.count("Cancelled")) == (1, 1)
    assert any(order.blanket for order in orders)
    releases = [release for order in orders for line in order.lines for release in line.releases]
    assert any(release.status == "Forecast" for release in releases)
    assert {partner.release for partner in sample_data.partners} == {"004010", "005010"}
    assert len({release.key for release in releases}) == len(releases)


def test_awkward_orders_come_on_top() -> None:
    plain, edge_cases = sample_tenant(5, 2, 1, NOW), sample_tenant(5, 2, 1, NOW, edge_cases=EdgeCase)
    extra = {order.number: order for order in edge_cases.tenant.orders[len(plain.tenant.orders) :]}
    assert len(extra) == len(EdgeCase)
    assert any(len(number) == 30 for number in extra)
    assert any(not order.lines for order in extra.values())
    assert any("“" in (line.description or "") for order in extra.values() for line in order.lines)
    assert any("*" in (order.note or "") for order in extra.values())
    assert any(order.supplier.code == "S999" for order in extra.values())
    assert any(line.unit == "Pallet" for order in extra.values() for line in order.lines)


def test_every_character_is_dealt_out_by_default() -> None:
    assert set(DEFAULT_CHARACTERS) == set(Character)


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_the_configuration_is_valid_and_whole(tmp_path: Path, dialect: Dialect) -> None:
    sandbox = Sandbox(sample_tenant(16, 16, 1, NOW), SandboxClock.manual(NOW))
    text = config_text(sandbox, dialect)
    tables = tomllib.loads(text)
    assert set(tables["suppliers"]) == {f"S{number:03}" for number in range(1, 17)}
    assert tables["plex"]["tenant_id"] == sandbox.plex.tenant.id
    assert tables["stedi"]["usage_indicator"] == "T"
    for secret in secrets(sandbox).values():
        assert secret not in text
    path = tmp_path / "plexstedi.toml"
    path.write_text(text)
    load(path)


def test_suppliers_get_the_settings_that_their_characters_need() -> None:
    cast = [Character.BARE, Character.WRONG_UNITS]
    sandbox = Sandbox(sample_tenant(2, 2, 1, NOW, characters=cast), SandboxClock.manual(NOW))
    suppliers = tomllib.loads(config_text(sandbox))["suppliers"]
    assert suppliers["S001"]["acknowledgments"] == {"accept_without_detail": True}
    assert suppliers["S002"]["ack_units"]["CA"] == {"unit": "EA", "factor": "12"}
