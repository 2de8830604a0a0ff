"""Chooses the store of this machine's secrets and converts its errors to CredentialsFault.

The package keyring is imported only where a keyring was chosen or a desktop may have one: the import and the search for
backends take 100 ms, and every run asks for an optional secret.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from plexstedi.credentials.encrypted_file import EncryptedFile, default_keyring_file
from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.keyring_key import KeyBeside, KeyringFileError
from plexstedi.errors import CredentialsFault

SERVICE = "plexstedi"
ALTERNATIVES = (
    "Give the secret as a systemd credential (LoadCredentialEncrypted=), as an environment variable"
    " (PLEXSTEDI_…), or in the encrypted file:"
    " PYTHON_KEYRING_BACKEND=plexstedi.credentials.keyring_file.EncryptedFileKeyring."
)
_OWN_BACKEND = "plexstedi.credentials.keyring_file.EncryptedFileKeyring"
_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
"""Variables of a login session; without one no desktop keyring can be reached: they are asked over its bus."""
_Result = TypeVar("_Result")


class SecretStore(Protocol):
    """Stores secrets by name; every method may raise CredentialsFault."""

    def describe(self) -> str:
        """A description for users: the kind of keyring, or the file."""
        ...

    def get(self, name: str) -> str | None:
        """The stored text; None if there is none."""
        ...

    def set(self, name: str, value: str) -> None:
        """Store a text."""
        ...

    def delete(self, name: str) -> None:
        """Remove a stored text."""
        ...

    def key_beside_file(self) -> KeyBeside | None:
        """The key of an encrypted file, if it is in the same folder and that was not allowed."""
        ...


class _Backend(Protocol):
    """A keyring, or the encrypted file."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


@dataclass(frozen=True)
class KeyringStore:
    """The keyring of this machine, under the service name `plexstedi`.

    The first of: the backend named by `PYTHON_KEYRING_BACKEND` or keyring's configuration; our encrypted file, if it
    exists; a desktop keyring, if available; our encrypted file, created by the first `set`.
    """

    env: Mapping[str, str] = field(repr=False)
    settings: KeySettings | None = None

    def describe(self) -> str:
        backend = self._backend()
        if isinstance(backend, EncryptedFile):
            return f"encrypted file {backend.path}"
        return f"keyring ({type(backend).__module__}.{type(backend).__name__})"

    def get(self, name: str) -> str | None:
        return self._guarded(name, lambda backend: backend.get_password(SERVICE, name))

    def set(self, name: str, value: str) -> None:
        self._guarded(name, lambda backend: backend.set_password(SERVICE, name, value))
        # Read back: keyring's null backend accepts every secret and stores none.
        if self.get(name) != value:
            raise CredentialsFault(f"{self.describe()} did not store {name}", fix=ALTERNATIVES)

    def delete(self, name: str) -> None:
        self._guarded(name, lambda backend: backend.delete_password(SERVICE, name))

    def key_beside_file(self) -> KeyBeside | None:
        file = self._file()
        return file.key_beside() if file.path.exists() else None

    def _guarded(self, name: str, use: Callable[[_Backend], _Result]) -> _Result:
        backend = self._backend()
        if isinstance(backend, EncryptedFile):
            try:
                return use(backend)
            except KeyringFileError as error:
                raise CredentialsFault(f"{name}: {error}", fix="Then run `plexstedi credentials list`.") from error
        return _guarded_by_keyring(name, backend, use)

    def _file(self) -> EncryptedFile:
        return EncryptedFile(default_keyring_file(self.env), self.env, self.settings)

    def _backend(self) -> _Backend:
        named = self.env.get("PYTHON_KEYRING_BACKEND")
        file = self._file()
        if named == _OWN_BACKEND:
            return file
        if not named and not _keyring_configuration(self.env).exists() and (file.path.exists() or self._no_desktop()):
            return file
        return self._keyring(named) or file

    def _no_desktop(self) -> bool:
        return sys.platform == "linux" and not any(self.env.get(name) for name in _DESKTOP)

    def _keyring(self, named: str | None) -> _Backend | None:
        """The backend that was chosen by name, or a desktop's; None: use the encrypted file."""
        from keyring import core
        from keyring.errors import KeyringError

        try:
            configured = core.load_keyring(named) if named else core.load_config()
            if configured is not None:
                return configured
            if self._file().path.exists():
                return None
            detected = core.get_keyring()
        except (KeyringError, RuntimeError, ImportError, AttributeError, ValueError, OSError) as error:
            raise CredentialsFault(
                f"the keyring {named or 'of this machine'} cannot be used ({type(error).__name__})", fix=ALTERNATIVES
            ) from error
        # fail.Keyring has priority 0; keyring does not recommend backends with a priority below 1.
        return detected if detected.priority >= 1 else None


def _keyring_configuration(env: Mapping[str, str]) -> Path:
    """The file in which a backend is chosen for the package keyring: its `platform_.config_root`, on Linux and BSD."""
    root = env.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(root, "python_keyring", "keyringrc.cfg")


def _guarded_by_keyring(name: str, backend: _Backend, use: Callable[[_Backend], _Result]) -> _Result:
    from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError

    try:
        return use(backend)
    except (NoKeyringError, InitError) as error:
        raise CredentialsFault(f"{name}: no keyring is available here", fix=ALTERNATIVES) from error
    except KeyringLocked as error:
        raise CredentialsFault(f"{name}: the desktop keyring is locked", fix=ALTERNATIVES) from error
    except (KeyringError, RuntimeError, OSError) as error:
        # Only the type is shown: a backend's message may contain the secret.
        raise CredentialsFault(f"{name}: the keyring failed ({type(error).__name__})", fix=ALTERNATIVES) from error
