"""The names of all secrets."""

from __future__ import annotations

from enum import StrEnum


class SecretName(StrEnum):
    """The names of all secrets."""

    PLEX_API_KEY = "plex-api-key"
    PLEX_API_SECRET = "plex-api-secret"
    """Optional: for apps of Plex Connect that want it beside the key."""
    PLEX_CLIENT_SECRET = "plex-client-secret"
    PLEX_PASSWORD = "plex-password"
    STEDI_API_KEY = "stedi-api-key"
    STEDI_API_KEY_NEXT = "stedi-api-key-next"
    STEDI_API_KEY_PREVIOUS = "stedi-api-key-previous"
    """The key that was replaced, kept until a run has succeeded with the new one."""
    SMTP_PASSWORD = "smtp-password"
    """Optional: for a mail server that wants a login (`alerts.email.username`)."""
