"""A state file serves one company only, and what it remembers of time never goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plexstedi.errors import ConfigurationFault, ExitCode
from plexstedi.state.cursors import Fact

from .conftest import NOW


def test_a_state_of_another_company_or_usage_is_refused_with_what_to_do(store):
    store.cursors.belongs_to("tenant-a", "P")
    store.cursors.belongs_to("tenant-a", "P")
    for tenant, usage, key in (("tenant-b", "P", "plex.tenant_id"), ("tenant-a", "T", "stedi.usage_indicator")):
        with pytest.raises(ConfigurationFault) as caught:
            store.cursors.belongs_to(tenant, usage)
        assert caught.value.exit_code is ExitCode.CONFIGURATION
        assert caught.value.problems[0].key == key
        assert "--state" in caught.value.problems[0].fix


def test_a_clock_set_back_makes_nothing_younger(store):
    later = NOW + timedelta(days=2)
    assert store.cursors.latest_time(later) == later
    assert store.cursors.latest_time(NOW, None) == later
    assert store.cursors.latest_time() == later


def test_a_fact_can_be_forgotten(store):
    store.cursors.put_time(Fact.DIGEST_SENT, NOW)
    assert store.cursors.time(Fact.DIGEST_SENT) == NOW
    store.cursors.put_time(Fact.DIGEST_SENT, None)
    assert store.cursors.time(Fact.DIGEST_SENT) is None
