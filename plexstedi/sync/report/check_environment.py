"""`check` of CA certificates and proxies set by the environment. No network access."""

from __future__ import annotations

from collections.abc import Iterator

from plexstedi.config.load import Config
from plexstedi.errors import EnvironmentFault, PlexStediError
from plexstedi.http.network import check_network_environment
from plexstedi.sync.report.check import Area, Finding, ok, wrong
from plexstedi.sync.services import plex_settings


def check_environment(config: Config) -> list[Finding]:
    """Each address used by runs is reachable as far as the environment determines; one finding per fault."""
    faults: dict[str, EnvironmentFault] = {}
    for url in _addresses(config):
        try:
            check_network_environment(url)
        except EnvironmentFault as fault:
            faults.setdefault(fault.message, fault)
    area, subject = Area.CONFIGURATION, "environment"
    return [wrong(area, subject, fault.message, fault.fix) for fault in faults.values()] or [
        ok(area, subject, "its certificates and proxies can be used")
    ]


def _addresses(config: Config) -> Iterator[str]:
    yield config.plex.base_url
    yield config.stedi.base_url
    if config.plex.auth.token_url is not None:
        yield config.plex.auth.token_url
    if config.alerts.ping_url is not None:
        yield config.alerts.ping_url
    try:
        records = plex_settings(config).records
    except PlexStediError:
        # Missing [plex.datasources] is reported by another check.
        return
    if records is not None:
        yield records.url
