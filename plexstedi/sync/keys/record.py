"""The keys in use: what the state records of them (ids, a keyed hash and times; never a key), and what follows."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.config.load import Config, PlexApi
from plexstedi.edi.model import Moment, from_json, to_json
from plexstedi.errors import CredentialsFault
from plexstedi.plain_text import many
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText
from plexstedi.state.cursors import Cursors, Fact
from plexstedi.state.subject import Subject
from plexstedi.sync.session import Session

if TYPE_CHECKING:
    # `status` reads the record, and needs no secret.
    from plexstedi.credentials.secrets import Secrets

STEDI_KEY = Subject("stedi key")
_CURRENT = SecretName.STEDI_API_KEY
_WARNED_AHEAD = timedelta(days=7)
"""At some companies a key of Plex Connect lapses 31 days after it was created (plex/README.md 4)."""


class KeyRecord(Struct, frozen=True, kw_only=True):
    """Ids are the part of a key before its dot: Stedi lists them, they open nothing."""

    salt: str = field(default_factory=lambda: os.urandom(16).hex())
    """The key of the keyed hash: the same key has another fingerprint in another state file."""
    fingerprint: str | None = None
    """Of the key in use."""
    id: str | None = None
    """Id of the key in use."""
    since: Moment | None = None
    """When the key in use was stored or, if its source does not tell, first used."""
    own: tuple[str, ...] = ()
    """Ids of existing keys that plexstedi created: only these it deletes at Stedi."""
    creating: str | None = None
    """Description of a key that is being created: after a crash it is found at Stedi by it."""
    passed_on: str | None = None
    """Id of a new key that `alerts.rotate_command` was given, until it is the key in use."""
    replaced: str | None = None
    """Id of the key that was in use before, until it is deleted or forgotten."""
    storable: bool = True
    """The key in use is in the keyring, where plexstedi can replace it."""
    substitute: str | None = None
    """Name of the secret used in place of the refused `stedi-api-key`; None: it is not refused."""
    refused_since: Moment | None = None

    @classmethod
    def load(cls, cursors: Cursors, fact: Fact = Fact.STEDI_KEY) -> KeyRecord:
        """Load from the state; a new one if there is none."""
        text = cursors.get(fact)
        try:
            return cls() if text is None else from_json(cls, text)
        except ValueError:
            # Written by another version. Keys created before are then deleted by a user.
            return cls()

    def save(self, cursors: Cursors, fact: Fact = Fact.STEDI_KEY) -> None:
        """Store in the state; the caller commits."""
        cursors.put(fact, to_json(self))

    def fingerprint_of(self, key: SecretText) -> str:
        """A keyed hash of a key: tells whether it is another one, and nothing else."""
        return hmac.new(bytes.fromhex(self.salt), key.get_secret_value().encode(), hashlib.sha256).hexdigest()

    def changed(self, **values: object) -> KeyRecord:
        """A copy with these values."""
        return replace(self, **values)

    def observe(self, key: SecretText, key_id: str | None, stored_at: datetime | None, now: datetime) -> KeyRecord:
        """The record after `key` was found in use; `stored_at` if its source records it."""
        fingerprint = self.fingerprint_of(key)
        if fingerprint == self.fingerprint:
            return self
        arrived = key_id is not None and key_id == self.passed_on
        return self.changed(
            fingerprint=fingerprint,
            id=key_id,
            since=stored_at or now,
            # A key that a user replaced is left to that user.
            replaced=self.id if arrived else self.replaced,
            passed_on=None if arrived else self.passed_on,
        )


def observe_key(session: Session, secrets: Secrets) -> None:
    """After a command: which key of Stedi is in use, since when, and whether Stedi refused it."""
    # Commands that only read the state do not load httpx.
    from plexstedi.stedi.api_keys import key_id

    stedi = session.services.opened_stedi
    if session.dry_run or session.key.seen or stedi is None:
        return
    session.key.seen = True
    try:
        current = secrets.get(_CURRENT)
        storable = secrets.unchangeable(_CURRENT) is None
        stored_at = secrets.set_at(_CURRENT)
    except CredentialsFault:
        # The stage that needed the key has reported it.
        return
    now = session.clock.now()
    before = KeyRecord.load(session.store.cursors)
    record = before.observe(current, key_id(current), stored_at, now).changed(storable=storable)
    substitute = stedi.substitute
    if substitute is not None:
        session.key.warning = (
            f"Stedi refuses {_CURRENT}; this run used {substitute} instead. {how_to_rotate(record, substitute)}"
        )
        session.run.warn(session.key.warning)
    record = record.changed(
        substitute=substitute,
        refused_since=None if substitute is None else (before.refused_since or now),
    )
    session.key.refused = None if substitute is None else refused_key(record)
    if record == before:
        return
    with session.store.transaction():
        record.save(session.store.cursors)
        if before.fingerprint not in (None, record.fingerprint):
            session.note("stedi-key-changed", STEDI_KEY, before=before.id, after=record.id)
        if substitute is not None and before.substitute is None:
            session.note("stedi-key-refused", STEDI_KEY, key=record.id, used=substitute)


def observe_plex_key(session: Session, secrets: Secrets) -> None:
    """After a command: since when the key of Plex is in use; warn before it may lapse."""
    days = session.config.plex.key_lapses_days
    if (
        session.dry_run
        or session.config.plex.api is not PlexApi.CONNECT
        or not days
        or session.services.opened_plex is None
    ):
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


def refused_key(record: KeyRecord) -> CredentialsFault:
    """The fault that lasts while runs use another key than `stedi-api-key`."""
    return CredentialsFault(
        f"Stedi refuses stedi-api-key; runs use {record.substitute} instead",
        fix=how_to_rotate(record, record.substitute),
        code="stedi-key-refused",
    )


def how_to_rotate(record: KeyRecord, substitute: str | None = None) -> str:
    """The steps by which a user replaces the key in use."""
    if substitute == SecretName.STEDI_API_KEY_NEXT:
        if record.storable:
            return "Run `plexstedi credentials rotate stedi`; `plexstedi run` does it automatically."
        return "Store the new key as stedi-api-key: `plexstedi credentials rotate stedi --print-command` shows how."
    if record.passed_on is not None:
        return (
            f"alerts.rotate_command was given the new key {record.passed_on}…, which is not in use yet: check what"
            " the command did with it."
        )
    if not record.storable:
        return (
            "plexstedi cannot change it where it is stored: `plexstedi credentials rotate stedi --print-command` shows"
            " the commands."
        )
    return (
        "Create a key in the Stedi portal, run `plexstedi credentials set stedi-api-key-next`, then"
        " `plexstedi credentials rotate stedi`."
    )
