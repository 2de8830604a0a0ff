"""Whose data this is. A key can open another company's production tenant without a word (plex/README.md 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

from plexstedi.errors import ServiceRefused
from plexstedi.plex.port import Tenant
from plexstedi.plex.settings import PlexSettings


def verify_tenant(tenants: Sequence[Tenant], settings: PlexSettings) -> Tenant:
    """Given the tenants that Plex shows us, return the one configured, by id and by code where both are given.

    Raise ServiceRefused if it is not there, if its code is another, or if the configuration names none and Plex shows
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
        fix="Set plex.tenant_id and plex.tenant_code to your company, or use a key for it. Nothing was read, "
        "written or sent.",
        code="wrong-tenant",
    )
