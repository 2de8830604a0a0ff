"""The encrypted file as a backend of the package keyring: `PYTHON_KEYRING_BACKEND` names it by this module.

PlexStedi itself opens the file without keyring, whose import takes as long as the rest of an idle run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import KeyringError, PasswordDeleteError

from plexstedi.credentials.encrypted_file import EncryptedFile, default_keyring_file
from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.keyring_key import KeyringFileError


class EncryptedFileKeyring(KeyringBackend):
    """The default encrypted file, for keyring's own command; errors are keyring's."""

    @properties.classproperty
    def priority(self) -> float:
        """Lower than keyring's recommended minimum (1): used only if chosen by name."""
        return 0.1

    def __init__(
        self, path: Path | None = None, env: Mapping[str, str] | None = None, settings: KeySettings | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        env = os.environ if env is None else env
        self.file = EncryptedFile(path if path is not None else default_keyring_file(env), env, settings)

    def get_password(self, service: str, username: str) -> str | None:
        """The secret; None if it is not stored."""
        try:
            return self.file.get_password(service, username)
        except KeyringFileError as error:
            raise KeyringError(str(error)) from error

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret; the file is replaced atomically."""
        try:
            self.file.set_password(service, username, password)
        except KeyringFileError as error:
            raise KeyringError(str(error)) from error

    def delete_password(self, service: str, username: str) -> None:
        """Remove a secret. Raise PasswordDeleteError if it is not stored, or the file cannot be used."""
        try:
            self.file.delete_password(service, username)
        except KeyringFileError as error:
            raise PasswordDeleteError(str(error)) from error
