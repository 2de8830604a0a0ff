"""What the state records of the Stedi key: ids, a keyed hash and times; never a key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from plexstedi.state.cursors import Cursors, Fact


class KeyRecord(BaseModel):
    """Ids are the part of a key before its dot: Stedi lists them, they open nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    salt: str = Field(default_factory=lambda: secrets.token_hex(16))
    """The key of the keyed hash: the same key has another fingerprint in another state file."""
    fingerprint: str | None = None
    """Of the key in use."""
    id: str | None = None
    """Id of the key in use."""
    since: AwareDatetime | None = None
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
    refused_since: AwareDatetime | None = None

    @classmethod
    def load(cls, cursors: Cursors, fact: Fact = Fact.STEDI_KEY) -> KeyRecord:
        """Load from the state; a new one if there is none."""
        text = cursors.get(fact)
        try:
            return cls() if text is None else cls.model_validate_json(text)
        except ValidationError:
            # Written by another version. Keys created before are then deleted by a user.
            return cls()

    def save(self, cursors: Cursors, fact: Fact = Fact.STEDI_KEY) -> None:
        """Store in the state; the caller commits."""
        cursors.put(fact, self.model_dump_json())

    def fingerprint_of(self, key: SecretStr) -> str:
        """A keyed hash of a key: tells whether it is another one, and nothing else."""
        return hmac.new(bytes.fromhex(self.salt), key.get_secret_value().encode(), hashlib.sha256).hexdigest()

    def changed(self, **values: object) -> KeyRecord:
        """A copy with these values."""
        return self.model_copy(update=values)

    def observe(self, key: SecretStr, key_id: str | None, stored_at: datetime | None, now: datetime) -> KeyRecord:
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
