"""Carries out the rotation of the Stedi key (decide.py), one recorded step after the other.

Before a key is created its description is committed; the key is stored before its creation is recorded. So a killed
process leaves a working `stedi-api-key`, and the next run continues.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct

from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import CredentialsFault, RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.caller import Deadline
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText
from plexstedi.state.audit import Fact
from plexstedi.stedi.api_keys import ApiKeys, key_id
from plexstedi.stedi.build import connect_to_api_keys
from plexstedi.sync.hooks import run_hook
from plexstedi.sync.keys.advice import ROTATE, ahead, replaced_key
from plexstedi.sync.keys.decide import (
    Create,
    Promote,
    Reconcile,
    Retire,
    Situation,
    Step,
    Warn,
    next_step,
)
from plexstedi.sync.keys.record import STEDI_KEY, KeyRecord, how_to_rotate, observe_key
from plexstedi.sync.services import try_stedi_key
from plexstedi.sync.session import Session

_API_SECONDS = 30.0
_MOST_STEPS = 8
_Result = TypeVar("_Result")

CURRENT, NEXT, PREVIOUS = (
    SecretName.STEDI_API_KEY,
    SecretName.STEDI_API_KEY_NEXT,
    SecretName.STEDI_API_KEY_PREVIOUS,
)


def rotate_if_due(session: Session, secrets: Secrets) -> None:
    """At the end of a `run` without faults: the next steps of the rotation. What fails is a warning."""
    if session.services.opened_stedi is not None:
        observe_key(session, secrets)
        Rotation(session, secrets).advance()


def rotate_now(session: Session, secrets: Secrets) -> bool:
    """Rotate at a user's request; return whether the key in use was replaced, False: a new key was passed on.

    Raise CredentialsFault if there is no new key and none can be created, or the keys cannot be changed where they are;
    ServiceRefused, ServiceUnavailable, RequestRejected if Stedi refuses the new key or cannot be reached.
    """
    config = session.config
    can_create = config.stedi.api_keys_url is not None and (
        secrets.unchangeable(CURRENT) is None or config.alerts.rotate_command is not None
    )
    if secrets.source(NEXT) is None and not can_create:
        raise CredentialsFault(
            f"{NEXT} is not set",
            fix=f"Create a new key in the Stedi portal and run `plexstedi credentials set {NEXT}`.",
        )
    with suppress(ServiceRefused):
        # If Stedi refuses the key in use, the next one may still be accepted.
        session.services.stedi.check_access()
        observe_key(session, secrets)
    if Rotation(session, secrets, asked=True).advance():
        return True
    if secrets.source(NEXT) is None:
        return False
    # Refused by Stedi, or not where plexstedi can exchange the keys: both are reported.
    try_stedi_key(config, secrets, session.clock, NEXT)
    secrets.promote_next_stedi_key()
    return True


class Rotation(Struct):
    """The steps of one run. `asked`: a user asked for the rotation, so a fault ends the command."""

    session: Session
    secrets: Secrets
    asked: bool = False

    def advance(self) -> bool:
        """All steps that can be done now; return whether the key in use was replaced.

        A failed step is a warning: the run has done its work, and the next one repeats the step. Raise
        CredentialsFault, ServiceRefused, ServiceUnavailable, RequestRejected if a user asked.
        """
        for _ in range(_MOST_STEPS):
            step = next_step(self._situation())
            if step is None:
                return False
            try:
                if self._do(step):
                    return isinstance(step, Promote)
            except (CredentialsFault, ServiceRefused, ServiceUnavailable, RequestRejected) as fault:
                if self.asked:
                    raise
                self.session.run.warn(f"the Stedi key cannot be rotated now: {fault.message}. {fault.fix}")
                return False
        return False

    def _situation(self) -> Situation:
        session, secrets = self.session, self.secrets
        following, previous = self._stored(NEXT), self._stored(PREVIOUS)
        substitute = session.services.stedi.substitute if session.services.opened_stedi is not None else None
        return Situation(
            now=session.clock.now(),
            record=KeyRecord.load(session.store.cursors),
            rotation_days=session.config.stedi.key_rotation_days,
            automatic=session.config.stedi.api_keys_url is not None,
            storable=secrets.unchangeable(CURRENT) is None and secrets.unchangeable(NEXT) is None,
            command=session.config.alerts.rotate_command is not None,
            next_stored=following is not None,
            next_id=None if following is None else key_id(following),
            previous_stored=previous is not None,
            previous_id=None if previous is None else key_id(previous),
            substitute=None if substitute is None else SecretName(substitute),
            asked=self.asked,
        )

    def _stored(self, name: SecretName) -> SecretText | None:
        return None if self.secrets.source(name) is None else self.secrets.get(name)

    def _do(self, step: Step) -> bool:
        """Carry out one step; return whether this run has to end with it."""
        match step:
            case Reconcile(description=description):
                self._reconcile(description)
            case Create(pass_on=pass_on):
                return self._create(pass_on=pass_on)
            case Retire(id=old, delete=delete):
                self._retire(old, delete=delete)
            case Promote():
                self._promote()
                return True
            case Warn():
                record = KeyRecord.load(self.session.store.cursors)
                self.session.run.warn(f"{ahead(step.due_at, self.session.clock.now())} {how_to_rotate(record)}")
                return True
        return False

    def _create(self, *, pass_on: bool) -> bool:
        if not pass_on:
            # A key whose secret cannot be stored would be lost at once.
            self.secrets.must_store()
        description = f"plexstedi {self.session.config.tenant} {self.session.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        self._record("stedi-key-creating", lambda r: r.changed(creating=description), description=description)
        created = self._with_api(lambda api: api.create(description))
        if not pass_on:
            self.secrets.set(NEXT, created.key)
        # Recorded before it is passed on: from then on it may come into use at any time.
        passed = {"passed_on": created.id} if pass_on else {}
        self._record(
            "stedi-key-created", lambda r: r.changed(creating=None, own=(*r.own, created.id), **passed), key=created.id
        )
        if pass_on:
            self._pass_on(created.key)
        return pass_on

    def _pass_on(self, key: SecretText) -> None:
        command: Sequence[str] = self.session.config.alerts.rotate_command or ()
        try:
            failed = run_hook(command, key.get_secret_value().encode())
        except (OSError, subprocess.SubprocessError) as error:
            failed = type(error).__name__
        if failed is not None:
            raise CredentialsFault(
                f"alerts.rotate_command ({command[0]}) did not store the new Stedi key: {failed}",
                fix=f"Correct the command. The new key is not in use: delete it in the Stedi portal. {ROTATE}",
            )

    def _reconcile(self, description: str) -> None:
        """Keep the key of this description if it was stored; else delete it: its secret is lost, nobody uses it."""
        stored = [key_id(key) for name in (CURRENT, NEXT, PREVIOUS) if (key := self._stored(name)) is not None]

        def sort_out(api: ApiKeys) -> tuple[list[str], list[str]]:
            found = [entry.id for entry in api.list() if entry.description == description]
            lost = [each for each in found if each not in stored]
            for each in lost:
                api.delete(each)
            return [each for each in found if each in stored], lost

        kept, lost = self._with_api(sort_out)
        self._record(
            "stedi-key-reconciled", lambda r: r.changed(creating=None, own=(*r.own, *kept)), kept=kept, deleted=lost
        )

    def _promote(self) -> None:
        try_stedi_key(self.session.config, self.secrets, self.session.clock, NEXT)
        before = KeyRecord.load(self.session.store.cursors)
        following = self.secrets.get(NEXT)
        found = key_id(following)
        self.secrets.promote_next_stedi_key()
        now, stored_at = self.session.clock.now(), self.secrets.set_at(CURRENT)
        self._record(
            "stedi-key-changed",
            lambda r: r.observe(following, found, stored_at, now).changed(substitute=None, refused_since=None),
            before=before.id,
            after=found,
        )
        if self.session.key.refused is not None:
            self.session.key.refused = None
            self.session.key.replaced = replaced_key()

    def _retire(self, old: str | None, *, delete: bool) -> None:
        if delete and old is not None:
            self._with_api(lambda api: api.delete(old))
        if self._stored(PREVIOUS) is not None and self.secrets.unchangeable(PREVIOUS) is None:
            self.secrets.delete(PREVIOUS)
        if not delete and old is not None:
            self.session.run.warn(
                f"the Stedi key {old}… is replaced and not used any more. Delete it in the Stedi portal."
            )
        self._record(
            "stedi-key-deleted" if delete else "stedi-key-forgotten",
            lambda r: r.changed(replaced=None, own=tuple(each for each in r.own if not delete or each != old)),
            key=old,
        )

    def _with_api(self, act: Callable[[ApiKeys], _Result]) -> _Result:
        session = self.session
        url = session.config.stedi.api_keys_url
        assert url is not None, "decided without stedi.api_keys_url"
        api = connect_to_api_keys(
            url,
            self.secrets.get(CURRENT),
            clock=session.clock,
            deadline=Deadline(session.clock.monotonic() + _API_SECONDS, session.stop),
        )
        try:
            return act(api)
        finally:
            api.close()

    def _record(self, kind: str, change: Callable[[KeyRecord], KeyRecord], **detail: Fact) -> None:
        """Commit a change of the record together with its event."""
        with self.session.store.transaction():
            change(KeyRecord.load(self.session.store.cursors)).save(self.session.store.cursors)
            self.session.note(kind, STEDI_KEY, order_id=None, **detail)
