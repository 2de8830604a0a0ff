"""The age of the key of Plex Connect: at some companies it lapses 31 days after it was created (plex/README.md 4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from plexstedi.config.load import Config, PlexApi
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import CredentialsFault
from plexstedi.plain_text import many
from plexstedi.secret_names import SecretName
from plexstedi.state.cursors import Fact
from plexstedi.sync.keys.record import KeyRecord
from plexstedi.sync.session import Session

_WARNED_AHEAD = timedelta(days=7)


def observe_plex_key(session: Session, secrets: Secrets) -> None:
    """After a command: record since when the key is in use, and warn before it may lapse."""
    days = session.config.plex.key_lapses_days
    if session.dry_run or session.config.plex.api is not PlexApi.CONNECT or not days or not session.plex_was_called:
        return
    try:
        key, stored_at = secrets.get(SecretName.PLEX_API_KEY), secrets.set_at(SecretName.PLEX_API_KEY)
    except CredentialsFault:
        # The stage that needed the key has reported it.
        return
    now, cursors = session.clock.now(), session.store.cursors
    before = KeyRecord.load(cursors, Fact.PLEX_KEY)
    record = before.observe(key, None, stored_at, now)
    if record != before:
        with session.store.transaction():
            record.save(cursors, Fact.PLEX_KEY)
    warning = plex_key_warning(record.since, session.config, now)
    if warning is not None:
        session.run.warn(warning)


def plex_key_warning(since: datetime | None, config: Config, now: datetime) -> str | None:
    """The warning in the last seven days before the key may lapse; None before, and after: then it does not lapse."""
    days = config.plex.key_lapses_days
    if since is None or not days or config.plex.api is not PlexApi.CONNECT:
        return None
    lapses = since + timedelta(days=days)
    if not lapses - _WARNED_AHEAD <= now < lapses:
        return None
    return (
        f"the Plex key is {many((now - since).days, 'day')} old and may lapse on {lapses:%Y-%m-%d}. Renew it at"
        f" developers.plex.com, then run `plexstedi credentials set {SecretName.PLEX_API_KEY}`; if your keys do not"
        " lapse, set plex.key_lapses_days = 0"
    )
