"""Whose Plex this is: checked against the configuration before anything is written or sent (plex/README.md 4.1)."""

from __future__ import annotations

from plexstedi.plex.tenant import verify_tenant
from plexstedi.sync.plex_settings import plex_settings
from plexstedi.sync.session import Session


def check_tenant(session: Session) -> None:
    """Once per run. Raise ServiceRefused when the key opens another company than the configured one."""
    if not session.tenant_checked:
        verify_tenant(session.plex.tenants(), plex_settings(session.config))
        session.tenant_checked = True
