"""Tenant check: a key can silently give access to another company's production tenant (plex/README.md 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import Tenant
from plexstedi.plex.settings import PlexSettings


def verify_tenant(tenants: Sequence[Tenant], settings: PlexSettings) -> Tenant:
    """Return the configured tenant among those that Plex lists, matched by id and code if both are configured.

    Raise ServiceRefused if it is not listed, if its code differs, or if the configuration names none and Plex lists
    several.
    """
    wanted_id, wanted_code = settings.tenant_id, settings.tenant_code
    found = [
        each
        for each in tenants
        if (wanted_id is None or each.id.lower() == wanted_id.lower())
        and (wanted_code is None or each.code.casefold() == wanted_code.casefold())
    ]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"{each.id} ({each.code})" for each in tenants[:5]) or "none"
    named = " / ".join(each for each in (wanted_id, wanted_code) if each) or "none"
    raise ServiceRefused(
        f"Plex shows the tenant {shown}; the configuration names {named}",
        fix="Set plex.tenant_id (or plex.customer_id) and plex.tenant_code to your company, or use a key for it. "
        "Nothing was read, written or sent.",
        code="wrong-tenant",
    )
