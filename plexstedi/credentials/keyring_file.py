"""A keyring for servers without a desktop: one encrypted file that needs no prompt, so that it works under cron.

The file is encrypted with AES-256-GCM. Its key is the systemd credential `plexstedi-keyring-key` if there is one, else
a file beside it that only the owner can read. A key file beside it protects copies and backups of one file without the
other, but not against somebody who can read both. An unattended server without a TPM cannot offer more;
`LoadCredentialEncrypted=` can.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import KeyringError, PasswordDeleteError

from plexstedi.durable import make_folder, replace_file
from plexstedi.errors import UntrustedFile
from plexstedi.ownership import must_be_ours

KEY_CREDENTIAL = "plexstedi-keyring-key"
_HEADER = b"plexstedi keyring 1\n"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class KeyringFileError(KeyringError):
    """The file or its key cannot be used; the message states which, and the fix."""


def default_keyring_file(env: Mapping[str, str]) -> Path:
    """`PLEXSTEDI_KEYRING_FILE`, else a path in the user's data directory: the same under cron, systemd and a shell."""
    if env.get("PLEXSTEDI_KEYRING_FILE"):
        return Path(env["PLEXSTEDI_KEYRING_FILE"])
    return platformdirs.user_data_path("plexstedi") / "secrets.keyring"


class EncryptedFileKeyring(KeyringBackend):
    """Secrets in one encrypted file; errors are KeyringFileError."""

    @properties.classproperty
    def priority(self) -> float:
        """Lower than keyring's recommended minimum (1): used only if chosen by us or by name."""
        return 0.1

    def __init__(self, path: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._env = os.environ if env is None else env
        self.path = path if path is not None else default_keyring_file(self._env)
        self.key_path = self.path.with_suffix(".key")

    def get_password(self, service: str, username: str) -> str | None:
        """The secret; None if it is not stored."""
        return self._read().get(_entry(service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret; the file is replaced atomically."""
        with self._locked():
            entries = self._read()
            entries[_entry(service, username)] = password
            self._write(entries)

    def delete_password(self, service: str, username: str) -> None:
        """Remove a secret. Raise PasswordDeleteError if it is not stored."""
        with self._locked():
            entries = self._read()
            if entries.pop(_entry(service, username), None) is None:
                raise PasswordDeleteError(f"{username} is not stored")
            self._write(entries)

    def _check_owner(self) -> None:
        """Raise KeyringFileError if others can write the file or its folder: they could substitute our secrets."""
        try:
            must_be_ours([self.path, self.key_path])
        except UntrustedFile as fault:
            raise KeyringFileError("; ".join(str(problem) for problem in fault.problems)) from fault

    def _read(self) -> dict[str, str]:
        if self.path.exists():
            self._check_owner()
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise KeyringFileError(f"{self.path} cannot be read ({error.strerror})") from error
        if not content.startswith(_HEADER):
            raise KeyringFileError(
                f"{self.path} is not a keyring of plexstedi; move it elsewhere and set the secrets again"
            )
        key = self._key(create=False)
        try:
            sealed = base64.b64decode(content[len(_HEADER) :], validate=False)
            clear = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _HEADER)
        except (ValueError, InvalidTag):
            raise KeyringFileError(
                f"{self.path} cannot be decrypted: it is damaged, or belongs to another key."
                " Restore both from one backup, or move it elsewhere and set the secrets again"
            ) from None
        entries: dict[str, str] = json.loads(clear)
        return entries

    def _write(self, entries: Mapping[str, str]) -> None:
        first = not self.path.exists()
        had_key = self.key_path.exists()
        key = self._key(create=first)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(entries, sort_keys=True).encode(), _HEADER)
        try:
            replace_file(self.path, _HEADER + base64.b64encode(sealed) + b"\n")
        except OSError as error:
            if first and not had_key and not self.path.exists():
                # Nothing was encrypted with the new key yet: remove it, so that the next attempt starts clean.
                with contextlib.suppress(OSError):
                    self.key_path.unlink(missing_ok=True)
            raise _not_written(self.path, error) from error

    def _key(self, *, create: bool) -> bytes:
        """The AES key: derived from the systemd credential, or read from the key file (`create`: made if missing)."""
        directory = self._env.get("CREDENTIALS_DIRECTORY")
        if directory:
            try:
                return _derived((Path(directory) / KEY_CREDENTIAL).read_bytes().strip())
            except FileNotFoundError:
                pass  # The unit provides other credentials only.
            except OSError as error:
                raise KeyringFileError(
                    f"the systemd credential {KEY_CREDENTIAL} cannot be read ({error.strerror})"
                ) from error
        try:
            if create and self._has_no_key():
                try:
                    replace_file(self.key_path, base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
                except OSError as error:
                    raise _not_written(self.key_path, error) from error
            status = self.key_path.stat()
            text = self.key_path.read_bytes()
        except FileNotFoundError:
            raise KeyringFileError(
                f"the key {self.key_path} of {self.path} does not exist. Restore it from a backup, pass it as the "
                f"systemd credential {KEY_CREDENTIAL}, or move {self.path} away and set the secrets again"
            ) from None
        except OSError as error:
            raise KeyringFileError(f"the key {self.key_path} cannot be used ({error.strerror})") from error
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in (os.getuid(), 0):
            raise KeyringFileError(
                f"the key {self.key_path} is open to other users. Restrict it to its owner: `chmod 600"
                f" {shlex.quote(str(self.key_path))}`"
            )
        return _derived(text.strip())

    def _has_no_key(self) -> bool:
        """Whether the key must be created: there is none, or an incomplete one that nothing was encrypted with."""
        return not self.key_path.exists() or len(self.key_path.read_bytes().strip()) < _KEY_BYTES

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclusive lock for writers. The lock file is never deleted, else two writers could lock different files."""
        try:
            make_folder(self.path.parent)
            self._check_owner()
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _not_written(self.path.parent, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _entry(service: str, username: str) -> str:
    return json.dumps([service, username])


def _derived(material: bytes) -> bytes:
    if len(material) < _KEY_BYTES:
        raise KeyringFileError(
            f"the key is too short: {_KEY_BYTES} characters at least, as of `openssl rand -base64 32`"
        )
    return hashlib.sha256(b"plexstedi keyring key\n" + material).digest()


def _not_written(path: Path, error: OSError) -> KeyringFileError:
    return KeyringFileError(
        f"{path} cannot be written ({error.strerror}). The secrets that were stored before are still there."
        " Free some space on its disk, or give this user write permission, and store the secret again"
    )
