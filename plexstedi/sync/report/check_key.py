"""The part of `check` about the age and rotation of the Stedi key."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path

from plexstedi.config.load import Config
from plexstedi.credentials.keyring_key import KeyBeside
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import CredentialsFault, PlexStediError
from plexstedi.secret_names import SecretName
from plexstedi.state.cursors import Fact
from plexstedi.sync.keys.advice import key_due
from plexstedi.sync.keys.record import KeyRecord, how_to_rotate, plex_key_warning, refused_key
from plexstedi.sync.report.check import Area, Finding, not_verified, ok, warn
from plexstedi.sync.report.overview import reading


def check_key(state: Path, config: Config, secrets: Secrets, now: datetime) -> list[Finding]:
    """Whether the Stedi key is due to be replaced, and whether Stedi refuses it.

    Its age is known from the keyring or, for other sources, since the first run that used it.
    """
    subject = f"age of {SecretName.STEDI_API_KEY}"
    record = stored_record(state)
    try:
        set_at = secrets.set_at(SecretName.STEDI_API_KEY)
        storable = secrets.unchangeable(SecretName.STEDI_API_KEY) is None
    except CredentialsFault:
        # Reported as the finding about this secret.
        return []
    found = []
    if record.substitute is not None:
        fault = refused_key(record)
        found.append(warn(Area.CREDENTIALS, str(SecretName.STEDI_API_KEY), fault.message, fault.fix))
    record = record.changed(since=set_at or record.since, storable=storable)
    due = key_due(record, config, now)
    if due is None:
        text = "not known before the first run; then plexstedi warns 14 days before it is due"
        return [*found, not_verified(Area.CREDENTIALS, subject, text)]
    if due.notice is not None:
        when = due.notice.removesuffix(how_to_rotate(record)).strip()
        return [*found, warn(Area.CREDENTIALS, subject, when.removesuffix("."), how_to_rotate(record))]
    return [*found, ok(Area.CREDENTIALS, subject, f"to be replaced on {due.at:%Y-%m-%d}")]


def check_plex_key(state: Path, config: Config, secrets: Secrets, now: datetime) -> list[Finding]:
    """Whether the key of Plex Connect may lapse soon."""
    try:
        set_at = secrets.set_at(SecretName.PLEX_API_KEY)
    except CredentialsFault:
        # Reported as the finding about this secret.
        return []
    warning = plex_key_warning(set_at or stored_record(state, Fact.PLEX_KEY).since, config, now)
    if warning is None:
        return []
    message, _, fix = warning.partition(". ")
    return [warn(Area.CREDENTIALS, f"age of {SecretName.PLEX_API_KEY}", message, f"{fix}.")]


def check_key_place(secrets: Secrets) -> list[Finding]:
    """Whether a copy of one folder holds both the encrypted file and its key."""
    found = secrets.store.key_beside_file()
    if found is None:
        return []
    message = f"its key {found.key} is in the same folder: whoever copies the folder has all secrets"
    return [warn(Area.CREDENTIALS, "encrypted file", message, how_to_move_key(found))]


def how_to_move_key(found: KeyBeside) -> str:
    """The fix for a key beside its file."""
    allow = "To leave it there, set credentials.key_beside_data = true."
    if found.better.parent.resolve() == found.key.parent.resolve():
        return f"Move the key to another folder and name it in credentials.key_file. {allow}"
    folder, key, better = (shlex.quote(str(path)) for path in (found.better.parent, found.key, found.better))
    return f"Run `mkdir -p -m 700 {folder}`, then `mv -n {key} {better}`. {allow}"


def stored_record(state: Path, fact: Fact = Fact.STEDI_KEY) -> KeyRecord:
    """What the last run recorded; a new record if there is no readable state."""
    try:
        with reading(state) as store:
            return KeyRecord() if store is None else KeyRecord.load(store.cursors, fact)
    except PlexStediError:
        # Reported by the check of the state file.
        return KeyRecord()
