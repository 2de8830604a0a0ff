"""Texts about the Stedi key: when it is due, and the exact steps."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from plexstedi.config.load import Config
from plexstedi.credentials.source import Source, SourceKind
from plexstedi.errors import CredentialsFault
from plexstedi.plain_text import many
from plexstedi.sync.keys.record import KeyRecord, how_to_rotate

ROTATE = "Then run `plexstedi credentials rotate stedi`."


_ENCRYPT = "systemd-creds encrypt - /etc/credstore.encrypted/stedi-api-key"
WARNED_AHEAD = timedelta(days=14)


class KeyDue(Struct, frozen=True):
    """When the Stedi key is to be replaced."""

    at: datetime
    notice: str | None
    """From 14 days ahead on, where a user has to replace it: when it is due, and the steps."""


def key_due(record: KeyRecord, config: Config | None, now: datetime) -> KeyDue | None:
    """From what the last run recorded: a monitor asks often, and opens no keyring. None if the age is not known."""
    if record.since is None or config is None:
        return None
    at = record.since + timedelta(days=config.stedi.key_rotation_days)
    by_itself = config.stedi.api_keys_url is not None and (record.storable or config.alerts.rotate_command is not None)
    waiting = record.passed_on is not None
    if now < at - WARNED_AHEAD or (by_itself and not waiting):
        return KeyDue(at, None)
    return KeyDue(at, f"{ahead(at, now)} {how_to_rotate(record)}")


def ahead(due_at: datetime, now: datetime) -> str:
    """When the key is due."""
    days = many((due_at - now).days, "day")
    if now >= due_at:
        return f"the Stedi key was due to be replaced on {due_at:%Y-%m-%d} (stedi.key_rotation_days)."
    return f"the Stedi key is due to be replaced on {due_at:%Y-%m-%d}, in {days} (stedi.key_rotation_days)."


def replaced_key() -> CredentialsFault:
    """The fault of a run in which the refused key was replaced."""
    return CredentialsFault(
        "Stedi refused stedi-api-key; the run used stedi-api-key-next, which is stedi-api-key from now on",
        fix="Nothing is left to do; `plexstedi credentials list` shows both.",
        code="stedi-key-refused",
    )


def replacement_commands(source: Source | None) -> list[str]:
    """What to run to replace the key where it comes from; a line that begins with # is an instruction."""
    create = "# Create a production key in the Stedi portal. Do not delete the old one yet."
    done = "# After a run has succeeded (`plexstedi run`), delete the old key in the Stedi portal."
    match source:
        case Source(kind=SourceKind.SYSTEMD):
            return [
                create,
                "# As root; the key is typed and not shown. The file is the one named by LoadCredentialEncrypted=:",
                f"systemd-ask-password -n 'new Stedi key' | {_ENCRYPT}",
                done,
            ]
        case Source(kind=SourceKind.ENVIRONMENT, where=where):
            return [
                create,
                f"# Put the new key where {where} is set: the unit's EnvironmentFile=, the crontab, the container.",
                "# Or store it in the encrypted file instead, and remove the variable:",
                "plexstedi credentials set stedi-api-key",
                done,
            ]
    return [
        create,
        "plexstedi credentials set stedi-api-key-next",
        "plexstedi credentials rotate stedi",
        done,
    ]
