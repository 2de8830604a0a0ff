"""Chooses the keyring of this machine and converts its errors to CredentialsFault. Imports keyring only when used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from plexstedi.credentials.key_settings import KeySettings
from plexstedi.errors import CredentialsFault

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "plexstedi"
ALTERNATIVES = (
    "Give the secret as a systemd credential (LoadCredentialEncrypted=), as an environment variable"
    " (PLEXSTEDI_…), or in the encrypted file:"
    " PYTHON_KEYRING_BACKEND=plexstedi.credentials.keyring_file.EncryptedFileKeyring."
)
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

    def key_beside_file(self) -> Path | None:
        """The key of an encrypted file, if it is in the same folder and that was not allowed."""
        ...


@dataclass(frozen=True)
class KeyringStore:
    """The keyring of this machine, under the service name `plexstedi`.

    The first of: the backend named by `PYTHON_KEYRING_BACKEND` or keyring's configuration; our encrypted file, if it
    exists; a desktop keyring, if available; our encrypted file, created by the first `set`.
    """

    env: Mapping[str, str]
    settings: KeySettings | None = None

    def describe(self) -> str:
        from plexstedi.credentials.keyring_file import EncryptedFileKeyring

        backend = self._backend()
        if isinstance(backend, EncryptedFileKeyring):
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

    def key_beside_file(self) -> Path | None:
        from plexstedi.credentials.keyring_file import EncryptedFileKeyring, default_keyring_file

        file = default_keyring_file(self.env)
        return EncryptedFileKeyring(file, self.env, self.settings).key_beside() if file.exists() else None

    def _guarded(self, name: str, use: Callable[[KeyringBackend], _Result]) -> _Result:
        from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError

        from plexstedi.credentials.keyring_key import KeyringFileError

        backend = self._backend()
        try:
            return use(backend)
        except KeyringFileError as error:
            raise CredentialsFault(f"{name}: {error}", fix="Then run `plexstedi credentials list`.") from error
        except (NoKeyringError, InitError) as error:
            raise CredentialsFault(f"{name}: no keyring is available here", fix=ALTERNATIVES) from error
        except KeyringLocked as error:
            raise CredentialsFault(f"{name}: the desktop keyring is locked", fix=ALTERNATIVES) from error
        except (KeyringError, RuntimeError, OSError) as error:
            # Only the type is shown: a backend's message may contain the secret.
            raise CredentialsFault(f"{name}: the keyring failed ({type(error).__name__})", fix=ALTERNATIVES) from error

    def _backend(self) -> KeyringBackend:
        from keyring import core
        from keyring.errors import KeyringError

        from plexstedi.credentials.keyring_file import EncryptedFileKeyring, default_keyring_file

        file = default_keyring_file(self.env)
        named = self.env.get("PYTHON_KEYRING_BACKEND")
        try:
            if named == f"{EncryptedFileKeyring.__module__}.{EncryptedFileKeyring.__name__}":
                return EncryptedFileKeyring(file, self.env, self.settings)
            configured = core.load_keyring(named) if named else core.load_config()
            if configured is not None:
                return configured
            if file.exists():
                return EncryptedFileKeyring(file, self.env, self.settings)
            detected = core.get_keyring()
        except (KeyringError, RuntimeError, ImportError, AttributeError, ValueError, OSError) as error:
            raise CredentialsFault(
                f"the keyring {named or 'of this machine'} cannot be used ({type(error).__name__})", fix=ALTERNATIVES
            ) from error
        # fail.Keyring has priority 0; keyring does not recommend backends with a priority below 1.
        return detected if detected.priority >= 1 else EncryptedFileKeyring(file, self.env, self.settings)
