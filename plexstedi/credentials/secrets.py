"""Secrets by name: their sources, and storing them (DESIGN.md section 5).

Sources in order: a file of that name in `$CREDENTIALS_DIRECTORY` (systemd), the environment variable `PLEXSTEDI_` +
NAME, the program in `credentials.commands`, the keyring. A source that exists but is unreadable or empty is an error:
continuing with the next one could use an old key unnoticed. No message, listing or repr contains a value or its length.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from plexstedi.clock import Clock
from plexstedi.credentials.command import printed_by
from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.keyring_store import KeyringStore, SecretStore
from plexstedi.credentials.source import Source, SourceKind
from plexstedi.errors import CredentialsFault
from plexstedi.internal import remember_secret
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText

_LARGEST = 16_384
_SET_AT = ".set-at"
"""Suffix of the keyring entry beside each secret that has the time when it was set."""


_PROBE = "probe"
"""An entry that is stored and removed again, to see whether the keyring stores anything."""


class ListedSecret(Struct, frozen=True):
    """One line of `credentials list`."""

    name: SecretName
    source: Source | None
    """None: not set, or unusable (see `problem`)."""
    set_at: datetime | None
    """UTC; None if the source does not record it."""
    problem: CredentialsFault | None = None


class Stored(Struct, frozen=True):
    """Where a secret was stored, and `hidden_by`: a source read earlier that takes precedence over it."""

    where: str
    hidden_by: Source | None


@dataclass(frozen=True)
class Secrets:
    """The secrets of this machine and this environment."""

    env: Mapping[str, str] = field(repr=False)
    clock: Clock
    store: SecretStore
    commands: Mapping[SecretName, Sequence[str]] = field(default_factory=dict)
    """By secret: a program and its arguments that print it."""
    _printed: dict[SecretName, SecretText] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        env: Mapping[str, str],
        clock: Clock,
        *,
        commands: Mapping[SecretName, Sequence[str]] | None = None,
        key: KeySettings | None = None,
    ) -> Secrets:
        """With the keyring chosen for the environment; `commands` and `key` as configured in `[credentials]`."""
        return cls(env, clock, KeyringStore(env, key), commands or {})

    def get(self, name: SecretName) -> SecretText:
        """The secret. Raise CredentialsFault if it is not set, or its source cannot be used."""
        found = self._find(name)
        if found is None:
            raise CredentialsFault(
                f"{name} is not set: there is not a file of that name in $CREDENTIALS_DIRECTORY, no "
                f"{variable(name)} in the environment, and {self.store.describe()} has none",
                fix=f"Run `plexstedi credentials set {name}` as the user that runs plexstedi, or use one of these.",
            )
        remember_secret(found[0].get_secret_value())
        return found[0]

    def source(self, name: SecretName) -> Source | None:
        """The source of the secret; None if it is not set. Raise CredentialsFault if the source cannot be used."""
        found = self._find(name)
        return None if found is None else found[1]

    def list(self) -> tuple[ListedSecret, ...]:
        """Every name with its source; an unusable source is reported in its line and does not fail the list."""
        lines = []
        for name in SecretName:
            try:
                source = self.source(name)
                lines.append(ListedSecret(name, source, self.set_at(name) if source else None))
            except CredentialsFault as fault:
                lines.append(ListedSecret(name, None, None, fault))
        return tuple(lines)

    def set_at(self, name: SecretName) -> datetime | None:
        """When the secret in use was set, UTC; None if unknown (not set, or not from the keyring)."""
        source = self.source(name)
        if source is None or source.kind is not SourceKind.KEYRING:
            return None
        return _time(self.store.get(name + _SET_AT))

    def how_to_store(self, name: SecretName) -> str:
        """The fix text for a new value of this secret: how to store it so that it is the one in use."""
        elsewhere = self._before_keyring(name)
        if elsewhere is None:
            return f"run `plexstedi credentials set {name}`"
        return f"replace the old one, the {elsewhere}"

    def set(self, name: SecretName, value: SecretText) -> Stored:
        """Store a secret in the keyring. Raise CredentialsFault for an unusable value or keyring."""
        self._keep(name, _checked(value.get_secret_value(), f"the value for {name}"), self.clock.now())
        return Stored(self.store.describe(), self._before_keyring(name))

    def delete(self, name: SecretName) -> None:
        """Remove a secret from the keyring. Raise CredentialsFault if it is not stored."""
        if self.store.get(name) is None:
            elsewhere = self._before_keyring(name)
            raise CredentialsFault(
                f"{name} is not in {self.store.describe()}",
                fix=f"It comes from the {elsewhere}: remove it there." if elsewhere else "There is nothing to delete.",
            )
        self.store.delete(name)
        if self.store.get(name + _SET_AT) is not None:
            self.store.delete(name + _SET_AT)

    def unchangeable(self, name: SecretName) -> Source | None:
        """The source that this secret comes from, if plexstedi cannot change it there; None if it can."""
        return self._before_keyring(name)

    def must_store(self) -> None:
        """Raise CredentialsFault if the keyring cannot store a secret now: checked before a key is created."""
        self.store.set(_PROBE, "probe")
        self.store.delete(_PROBE)

    def promote_next_stedi_key(self) -> None:
        """Make `stedi-api-key-next` the Stedi key and keep the old one as `stedi-api-key-previous`.

        The caller has verified the new key. At every moment `stedi-api-key` is a complete key; after a crash it may be
        repeated. Raise CredentialsFault if one of them is not in the keyring: only there can they be exchanged.
        """
        current, following, previous = (
            SecretName.STEDI_API_KEY,
            SecretName.STEDI_API_KEY_NEXT,
            SecretName.STEDI_API_KEY_PREVIOUS,
        )
        for name in (current, following):
            elsewhere = self._before_keyring(name)
            if elsewhere is not None:
                raise CredentialsFault(
                    f"{name} comes from the {elsewhere}, where plexstedi cannot change it",
                    fix=f"Store the new key there as {current}, remove {following}, and delete the old key at Stedi."
                    " `plexstedi credentials rotate stedi --print-command` prints the commands.",
                )
        value = self.store.get(following)
        if value is None:
            raise CredentialsFault(
                f"{following} is not set",
                fix=f"Create a new key in the Stedi portal and run `plexstedi credentials set {following}`.",
            )
        old = self.store.get(current)
        # After a crash before the last step both have the new key: the old one is kept already.
        if old is not None and old != value:
            self._keep(previous, old, _time(self.store.get(current + _SET_AT)) or self.clock.now())
        since = _time(self.store.get(following + _SET_AT)) or self.clock.now()
        self._keep(current, _checked(value, str(following)), since)
        self.delete(following)

    def _keep(self, name: SecretName, value: str, since: datetime) -> None:
        self.store.set(name, value)
        self.store.set(name + _SET_AT, since.astimezone(UTC).isoformat(timespec="seconds"))

    def _find(self, name: SecretName) -> tuple[SecretText, Source] | None:
        early = _from_systemd(name, self.env) or _from_environment(name, self.env) or self._from_command(name)
        if early is not None:
            return early
        value = self.store.get(name)
        if value is None:
            return None
        where = self.store.describe()
        return SecretText(_checked(value, f"{name} in {where}")), Source(SourceKind.KEYRING, where)

    def _before_keyring(self, name: SecretName) -> Source | None:
        early = _from_systemd(name, self.env) or _from_environment(name, self.env)
        if early is None and name in self.commands:
            return self._command_source(name)
        return None if early is None else early[1]

    def _command_source(self, name: SecretName) -> Source:
        return Source(SourceKind.COMMAND, self.commands[name][0])

    def _from_command(self, name: SecretName) -> tuple[SecretText, Source] | None:
        if name not in self.commands:
            return None
        # A password manager may take a second, and may be asked for each secret once only.
        if name not in self._printed:
            value = _checked(
                printed_by(self.commands[name], name, self.env), f"what credentials.commands.{name} prints"
            )
            self._printed[name] = SecretText(value)
        return self._printed[name], self._command_source(name)


def variable(name: SecretName) -> str:
    """The environment variable of a secret."""
    return "PLEXSTEDI_" + name.upper().replace("-", "_")


def _from_environment(name: SecretName, env: Mapping[str, str]) -> tuple[SecretText, Source] | None:
    value = env.get(variable(name))
    if value is None:
        return None
    return SecretText(_checked(value, f"the variable {variable(name)}")), Source(
        SourceKind.ENVIRONMENT, f"variable {variable(name)}"
    )


def _from_systemd(name: SecretName, env: Mapping[str, str]) -> tuple[SecretText, Source] | None:
    """The file in `$CREDENTIALS_DIRECTORY`.

    systemd creates these files with mode 0400, or 0440 where an ACL grants the service's user access, owned by root or
    by that user. So group read permission is accepted; group write permission, or any for others, is not. Container
    engines mount secrets with mode 0444, owned by root, on a file system that is read-only: nobody else is in there.
    """
    directory = env.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    path = Path(directory) / name
    if not Path(directory).is_dir():
        raise CredentialsFault(
            f"$CREDENTIALS_DIRECTORY is {directory}, which is not a directory",
            fix="Start plexstedi through its systemd unit, or unset the variable.",
        )
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise CredentialsFault(f"{path} is not a file", fix="Make it a file that contains only the secret.")
    closed = not stat.S_IMODE(status.st_mode) & 0o037 or _is_of_a_container(path, status)
    if not closed or status.st_uid not in (os.getuid(), 0):
        raise CredentialsFault(
            f"{path} is open to other users, or belongs to one of them",
            fix=_own_and_close(path, status.st_uid),
        )
    if status.st_size > _LARGEST:
        raise CredentialsFault(f"{path} is too large for a secret", fix="Make it a file that contains only the secret.")
    try:
        value = path.read_bytes().decode()
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError:
        raise CredentialsFault(
            f"{path} is not text", fix="Make it a text file that contains only the secret."
        ) from None
    return SecretText(_checked(value, str(path))), Source(SourceKind.SYSTEMD, str(path))


def _is_of_a_container(path: Path, status: os.stat_result) -> bool:
    """Readable by all, written by nobody: owned by root, on a read-only mount."""
    written = stat.S_IMODE(status.st_mode) & 0o033
    return not written and status.st_uid == 0 and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _own_and_close(path: Path, owner: int) -> str:
    """The shell commands after which only root and this user can read the file."""
    quoted = shlex.quote(str(path))
    if owner in (os.getuid(), 0):
        return f"Run `chmod 0400 {quoted}`" + (" as root." if owner != os.getuid() else ".")
    return f"Run `chown {os.getuid()} {quoted}` and `chmod 0400 {quoted}` as root."


def _unreadable(path: Path, error: OSError) -> CredentialsFault:
    return CredentialsFault(
        f"{path} cannot be read ({error.strerror})",
        fix="Give the user that runs plexstedi read permission, or remove it.",
    )


def _checked(value: str, what: str) -> str:
    """The secret without a trailing line break (editors and `echo` add one). Raise CredentialsFault if unusable."""
    bare = value.rstrip("\r\n")
    if not bare.strip():
        raise CredentialsFault(f"{what} is empty", fix="Put the secret there, or remove the empty entry.")
    if bare != bare.strip() or not bare.isprintable():
        raise CredentialsFault(
            f"{what} begins or ends with a space, or has a line break or a control character inside",
            fix="Store it again, copied without anything around it.",
        )
    return bare


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
