"""The key of the encrypted file: from systemd, derived from a passphrase, or from a key file."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from plexstedi.credentials.key_settings import KeySettings
from plexstedi.durable import make_folder, replace_file

KEY_CREDENTIAL = "plexstedi-keyring-key"
PASSPHRASE_CREDENTIAL = "plexstedi-keyring-passphrase"
KEY_BYTES = 32
_SHORTEST_PASSPHRASE = 12
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1
"""32 MB of memory per attempt, as OWASP advises for scrypt."""


class KeyringFileError(Exception):
    """The file or its key cannot be used; the message states which, and the fix."""


class KeyBeside(Struct, frozen=True):
    """A key file in the folder of its encrypted file: a copy of that folder holds both."""

    key: Path
    better: Path
    """Where it would be found, too."""


@dataclass(frozen=True)
class KeySource:
    """Finds the key of one encrypted file."""

    path: Path
    """The encrypted file."""
    env: Mapping[str, str] = field(repr=False)
    settings: KeySettings

    @property
    def key_path(self) -> Path:
        """The key file, used if there is no key from systemd and no passphrase.

        Unless configured: in the user's configuration folder, so that a copy of the data does not hold it. Earlier
        versions created it beside the encrypted file: a key that is there is used.
        """
        if self.settings.key_file is not None:
            return self.settings.key_file
        beside = self.path.with_suffix(".key")
        return beside if self.settings.key_beside_data or beside.exists() else self.default_key_path

    @property
    def default_key_path(self) -> Path:
        """Where a new key is created, unless configured."""
        # For the encrypted file alone.
        from platformdirs import user_config_path

        return user_config_path("plexstedi") / self.path.with_suffix(".key").name

    @property
    def is_beside(self) -> bool:
        """Whether the key file is in the folder of the encrypted file."""
        return self.key_path.parent.resolve() == self.path.parent.resolve()

    def key(self, salt: bytes, *, create: bool) -> bytes:
        """The AES key. `salt` is the file's, for a passphrase. `create`: a missing key file is made."""
        given = self._credential(KEY_CREDENTIAL)
        if given is not None:
            return _derived(given)
        passphrase = self._credential(PASSPHRASE_CREDENTIAL) or self._passphrase()
        if passphrase is not None:
            return _from_passphrase(passphrase, salt)
        return self._from_key_file(create=create)

    def withdraw_new_key(self) -> None:
        """Remove a key file that nothing was encrypted with, so that the next attempt starts clean."""
        with contextlib.suppress(OSError):
            self.key_path.unlink(missing_ok=True)

    def _credential(self, name: str) -> bytes | None:
        directory = self.env.get("CREDENTIALS_DIRECTORY")
        if not directory:
            return None
        try:
            return (Path(directory) / name).read_bytes().strip()
        except FileNotFoundError:
            return None  # The unit provides other credentials only.
        except OSError as error:
            raise KeyringFileError(f"the systemd credential {name} cannot be read ({error.strerror})") from error

    def _passphrase(self) -> bytes | None:
        path = self.settings.passphrase_file
        if path is None:
            return None
        try:
            _must_be_closed(path, "passphrase file")
            return path.read_bytes().strip()
        except FileNotFoundError:
            raise KeyringFileError(
                f"the passphrase file {path} of {self.path} does not exist. Create it, or correct"
                " credentials.passphrase_file"
            ) from None
        except OSError as error:
            raise KeyringFileError(f"the passphrase file {path} cannot be used ({error.strerror})") from error

    def _from_key_file(self, *, create: bool) -> bytes:
        path = self.key_path
        configured = self.settings.key_file is not None
        if configured and not self.settings.key_beside_data and self.is_beside:
            raise KeyringFileError(
                f"credentials.key_file {path} is in the folder of {self.path}: a copy of that folder holds both."
                " Choose another folder, or set credentials.key_beside_data = true"
            )
        try:
            if create and self._has_no_key():
                try:
                    make_folder(path.parent)
                    replace_file(path, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
                except OSError as error:
                    raise self._no_key_made(path, error) from error
            _must_be_closed(path, "key")
            return _derived(path.read_bytes().strip())
        except FileNotFoundError:
            raise KeyringFileError(
                f"the key {path} of {self.path} does not exist. Restore it from a backup, pass it as the "
                f"systemd credential {KEY_CREDENTIAL}, or move {self.path} away and set the secrets again"
            ) from None
        except OSError as error:
            raise KeyringFileError(f"the key {path} cannot be used ({error.strerror})") from error

    def _no_key_made(self, path: Path, error: OSError) -> KeyringFileError:
        if self.settings.key_file is not None or not isinstance(error, PermissionError | NotADirectoryError):
            return not_written(path, error)
        return KeyringFileError(
            f"the key {path} of {self.path} cannot be created ({error.strerror}). Name a file in another folder, which"
            " this user may write, in credentials.key_file"
        )

    def _has_no_key(self) -> bool:
        """Whether the key must be created: there is none, or an incomplete one that nothing was encrypted with."""
        return not self.key_path.exists() or len(self.key_path.read_bytes().strip()) < KEY_BYTES


def not_written(path: Path, error: OSError) -> KeyringFileError:
    """The error of a failed write."""
    return KeyringFileError(
        f"{path} cannot be written ({error.strerror}). The secrets that were stored before are still there."
        " Free some space on its disk, or give this user write permission, and store the secret again"
    )


def _must_be_closed(path: Path, what: str) -> None:
    status = path.stat()
    if status.st_uid not in (os.getuid(), 0):
        raise KeyringFileError(
            f"the {what} {path} belongs to another user. Take it over as root: `chown {os.getuid()}"
            f" {shlex.quote(str(path))}`"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyringFileError(
            f"the {what} {path} is open to other users. Restrict it to its owner: `chmod 600 {shlex.quote(str(path))}`"
        )


def _derived(material: bytes) -> bytes:
    if len(material) < KEY_BYTES:
        raise KeyringFileError(
            f"the key is too short: {KEY_BYTES} characters at least, as of `openssl rand -base64 32`"
        )
    return hashlib.sha256(b"plexstedi keyring key\n" + material).digest()


def _from_passphrase(passphrase: bytes, salt: bytes) -> bytes:
    if len(passphrase) < _SHORTEST_PASSPHRASE:
        raise KeyringFileError(f"the passphrase is too short: {_SHORTEST_PASSPHRASE} characters at least")
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(passphrase)
