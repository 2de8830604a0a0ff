"""`[plex]` of the configuration as the Plex client needs it."""

from __future__ import annotations

from collections.abc import Mapping

from plexstedi.config import AckLevel, Config
from plexstedi.plex.settings import Api, Level, PlexSettings, StatusNames


def plex_settings(config: Config) -> PlexSettings:
    """`[plex]` as the client needs it."""
    plex = config.plex
    objects: Mapping[str, str | None] = {
        AckLevel.ORDER: plex.acknowledgments.objects.order,
        AckLevel.LINE: plex.acknowledgments.objects.line,
        AckLevel.RELEASE: plex.acknowledgments.objects.release,
    }
    return PlexSettings(
        api=Api(plex.api.value),
        base_url=plex.base_url,
        tenant_id=plex.tenant_id,
        tenant_code=plex.tenant_code,
        requests_per_minute=plex.requests_per_minute,
        read_timeout=float(plex.read_timeout_seconds),
        token_url=plex.auth.token_url,
        client_id=plex.auth.client_id,
        paths=plex.paths,
        filters=plex.filters,
        fields=plex.fields,
        statuses=StatusNames(**plex.statuses.model_dump()),
        objects={Level(level): name for level, name in objects.items() if name is not None},
    )
