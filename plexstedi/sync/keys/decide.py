"""What to do next about the Stedi key: a pure decision, repeated until there is nothing left to do.

The procedure: a new key is created through Stedi's API, or given as `stedi-api-key-next`; it is proved by a read and
becomes `stedi-api-key`. The old one is kept as `stedi-api-key-previous` until a run has succeeded with the new one;
then it is deleted at Stedi if plexstedi created it, and forgotten. Each step may be repeated after a crash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

from plexstedi.secret_names import SecretName
from plexstedi.sync.keys.advice import WARNED_AHEAD
from plexstedi.sync.keys.record import KeyRecord


class Situation(Struct, frozen=True):
    """What is known after a run that Stedi accepted."""

    now: datetime
    record: KeyRecord
    rotation_days: int
    automatic: bool
    """`stedi.api_keys_url` is configured."""
    storable: bool
    """The key in use is in the keyring, where plexstedi can change it."""
    command: bool
    """`alerts.rotate_command` is configured."""
    next_stored: bool
    next_id: str | None
    previous_stored: bool
    previous_id: str | None
    substitute: SecretName | None = None
    """The secret that the run used because Stedi refused `stedi-api-key`."""
    asked: bool = False
    """A user asked for the rotation, due or not."""

    @property
    def due_at(self) -> datetime | None:
        """When the key in use is due; None if its age is not known."""
        since = self.record.since
        return None if since is None else since + timedelta(days=self.rotation_days)

    @property
    def due(self) -> bool:
        """Whether the key is to be replaced now."""
        return self.asked or (self.due_at is not None and self.now >= self.due_at)


class Reconcile(Struct, frozen=True):
    """A process was killed while it created a key: find at Stedi what became of it, by its description."""

    description: str


class Retire(Struct, frozen=True):
    """A run has succeeded with the new key: delete the old one at Stedi (`delete`), and forget it."""

    id: str | None
    delete: bool


class Promote(Struct, frozen=True):
    """Prove `stedi-api-key-next` by a read, and make it the key in use."""


class Create(Struct, frozen=True):
    """Create a key at Stedi; `pass_on`: for `alerts.rotate_command`, else as `stedi-api-key-next`."""

    pass_on: bool


class Warn(Struct, frozen=True):
    """A user has to replace the key."""

    due_at: datetime


Step: TypeAlias = "Reconcile | Retire | Promote | Create | Warn"


def next_step(now: Situation) -> Step | None:
    """The next step; None if there is nothing to do."""
    record = now.record
    if record.creating is not None and now.automatic and now.substitute is None:
        return Reconcile(record.creating)
    if now.substitute is not None:
        # The key that is kept may be the only one that works: nothing is deleted.
        return Promote() if now.substitute is SecretName.STEDI_API_KEY_NEXT and now.storable else None
    if now.previous_stored or record.replaced is not None:
        old = now.previous_id if now.previous_stored else record.replaced
        mine = old is not None and old in record.own and old != record.id
        return Retire(old, delete=mine and now.automatic)
    if now.next_stored and now.storable and (now.due or now.next_id in record.own):
        return Promote()
    # A key that was passed on may still come into use; only a user decides to create another one.
    waiting = record.passed_on is not None and not now.asked
    if now.due and now.automatic and not waiting and not now.next_stored:
        if now.storable:
            return Create(pass_on=False)
        if now.command:
            return Create(pass_on=True)
    due_at = now.due_at
    by_itself = now.automatic and (now.storable or now.command) and not waiting
    if due_at is not None and now.now >= due_at - WARNED_AHEAD and not by_itself:
        return Warn(due_at)
    return None
