"""The secrets of a server without a desktop: one encrypted file that needs no prompt, so that it works under cron.

Each secret is encrypted separately with AES-256-GCM under one key (keyring_key.py): a damaged entry costs that secret
only. Neither a secret nor its name can be read in the file. A key file protects copies and backups of one
file without the other, but not against somebody who can read both.

The package cryptography is imported when there is something to open.

Form 2: a header line, then JSON with `salt` (of a passphrase), `check` (a known text, encrypted, which distinguishes a
wrong key from a damaged entry) and `entries` by keyed hash of the name. Form 1, one encrypted table, is read and
replaced by the next write.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.keyring_key import KeyBeside, KeyringFileError, KeySource, not_written
from plexstedi.durable import make_folder, replace_file
from plexstedi.errors import UntrustedFile
from plexstedi.ownership import must_be_ours

_HEADER = b"plexstedi keyring 2\n"
_FORM_1 = b"plexstedi keyring 1\n"
_NONCE_BYTES = 12
_SALT_BYTES = 16
_CHECK = "check"


def default_keyring_file(env: Mapping[str, str]) -> Path:
    """`PLEXSTEDI_KEYRING_FILE`, else a path in the user's data directory: the same under cron, systemd and a shell."""
    if env.get("PLEXSTEDI_KEYRING_FILE"):
        return Path(env["PLEXSTEDI_KEYRING_FILE"])
    from platformdirs import user_data_path

    return user_data_path("plexstedi") / "secrets.keyring"


class _Content(Struct):
    """The file as stored: nothing is decrypted."""

    salt: bytes = field(default_factory=lambda: os.urandom(_SALT_BYTES))
    check: bytes | None = None
    """None: a new file."""
    entries: dict[str, bytes] = field(default_factory=dict)
    form_1: bytes | None = None
    """The sealed table of form 1."""


class EncryptedFile:
    """Secrets in one encrypted file; errors are KeyringFileError. The methods have the names of a keyring's."""

    def __init__(self, path: Path, env: Mapping[str, str], settings: KeySettings | None = None) -> None:
        self.path = path
        self._source = KeySource(path, env, settings or KeySettings())

    @property
    def key_path(self) -> Path:
        """The key file."""
        return self._source.key_path

    def key_beside(self) -> KeyBeside | None:
        """The key file in use, if it is in the folder of the file and that was not allowed."""
        source = self._source
        if source.settings.key_beside_data or not source.is_beside or not source.key_path.exists():
            return None
        return KeyBeside(source.key_path, source.default_key_path)

    def get_password(self, service: str, username: str) -> str | None:
        """The secret; None if it is not stored."""
        content = self._read()
        if content.check is None and content.form_1 is None:
            return None
        key = self._opened(content, create=False)
        sealed = content.entries.get(_entry(key, service, username))
        if sealed is None:
            return None
        try:
            return _open(key, sealed, _entry(key, service, username)).decode()
        except ValueError:
            raise KeyringFileError(
                f"the entry of this secret in {self.path} is damaged; the others are not. Restore the file from a"
                " backup, or store this secret again"
            ) from None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret; the file is replaced atomically."""
        with self._locked():
            content = self._read()
            first, had_key = not self.path.exists(), self.key_path.exists()
            key = self._opened(content, create=first)
            entry = _entry(key, service, username)
            content.entries[entry] = _seal(key, password.encode(), entry)
            try:
                self._write(content, key)
            except KeyringFileError:
                if first and not had_key and not self.path.exists():
                    self._source.withdraw_new_key()
                raise

    def delete_password(self, service: str, username: str) -> None:
        """Remove a secret. Raise KeyringFileError if it is not stored."""
        with self._locked():
            content = self._read()
            if content.check is None and content.form_1 is None:
                raise KeyringFileError(f"{username} is not stored in {self.path}")
            key = self._opened(content, create=False)
            if content.entries.pop(_entry(key, service, username), None) is None:
                raise KeyringFileError(f"{username} is not stored in {self.path}")
            self._write(content, key)

    def _check_owner(self) -> None:
        """Raise KeyringFileError if others can write the file or its folder: they could substitute our secrets."""
        try:
            must_be_ours([self.path, self.key_path])
        except UntrustedFile as fault:
            raise KeyringFileError("; ".join(str(problem) for problem in fault.problems)) from fault

    def _read(self) -> _Content:
        if self.path.exists():
            self._check_owner()
        try:
            stored = self.path.read_bytes()
        except FileNotFoundError:
            return _Content()
        except OSError as error:
            raise KeyringFileError(f"{self.path} cannot be read ({error.strerror})") from error
        try:
            if stored.startswith(_FORM_1):
                return _Content(form_1=base64.b64decode(stored[len(_FORM_1) :], validate=False))
            if not stored.startswith(_HEADER):
                raise KeyringFileError(
                    f"{self.path} is not a keyring of plexstedi; move it elsewhere and set the secrets again"
                )
            table = json.loads(stored[len(_HEADER) :])
            return _Content(
                salt=_decoded(table["salt"]),
                check=_decoded(table["check"]),
                entries={str(name): _decoded(sealed) for name, sealed in table["entries"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._damaged() from None

    def _opened(self, content: _Content, *, create: bool) -> bytes:
        """The key, which opens this content; the entries of form 1 are converted."""
        key = self._source.key(content.salt, create=create)
        try:
            if content.form_1 is not None:
                clear = _unseal(key, content.form_1, _FORM_1)
                for name, value in json.loads(clear).items():
                    entry = _entry(key, *json.loads(name))
                    content.entries[entry] = _seal(key, value.encode(), entry)
                content.form_1 = None
            elif content.check is not None:
                _open(key, content.check, _CHECK)
        except (ValueError, TypeError):
            raise self._damaged() from None
        if content.check is None:
            content.check = _seal(key, b"plexstedi", _CHECK)
        return key

    def _damaged(self) -> KeyringFileError:
        return KeyringFileError(
            f"{self.path} cannot be decrypted: it is damaged, or belongs to another key."
            " Restore both from one backup, or move it elsewhere and set the secrets again"
        )

    def _write(self, content: _Content, key: bytes) -> None:
        assert content.check is not None, "the content was opened with its key"
        table = {
            "salt": _encoded(content.salt),
            "check": _encoded(content.check),
            "entries": {name: _encoded(sealed) for name, sealed in sorted(content.entries.items())},
        }
        try:
            replace_file(self.path, _HEADER + json.dumps(table, indent=0).encode() + b"\n")
        except OSError as error:
            raise not_written(self.path, error) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Exclusive lock for writers. The lock file is never deleted, else two writers could lock different files."""
        try:
            make_folder(self.path.parent)
            self._check_owner()
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise not_written(self.path.parent, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _entry(key: bytes, service: str, username: str) -> str:
    """The name of an entry: a keyed hash, so that the file does not show which secrets there are."""
    return hmac.new(key, json.dumps([service, username]).encode(), hashlib.sha256).hexdigest()[:32]


def _seal(key: bytes, clear: bytes, entry: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, _HEADER + entry.encode())


def _open(key: bytes, sealed: bytes, entry: str) -> bytes:
    return _unseal(key, sealed, _HEADER + entry.encode())


def _unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """The clear bytes. Raise ValueError if these were not sealed with this key, for this use."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except InvalidTag:
        raise ValueError("not sealed with this key") from None


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise TypeError("not text")
    return base64.b64decode(text, validate=True)
