"""Secrets on a server without a desktop: kept encrypted, found again under cron, never half-written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import InitError, KeyringLocked, NoKeyringError, PasswordDeleteError

from plexstedi.credentials.keyring_file import (
    KEY_CREDENTIAL,
    EncryptedFileKeyring,
    KeyringFileError,
    default_keyring_file,
)
from plexstedi.credentials.keyring_store import KeyringStore
from plexstedi.errors import CredentialsFault

SECRET = "live_k3y.DoNotShowThis"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets.keyring"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_stored_is_found_by_the_next_process(file: Path) -> None:
    EncryptedFileKeyring(file, {}).set_password("plexstedi", "stedi-api-key", SECRET)
    assert EncryptedFileKeyring(file, {}).get_password("plexstedi", "stedi-api-key") == SECRET
    assert EncryptedFileKeyring(file, {}).get_password("plexstedi", "plex-api-key") is None
    assert EncryptedFileKeyring(file, {}).get_password("other", "stedi-api-key") is None


def test_nothing_of_a_secret_or_its_name_is_readable_on_disk(file: Path) -> None:
    EncryptedFileKeyring(file, {}).set_password("plexstedi", "stedi-api-key", SECRET)
    everything = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert SECRET.encode() not in everything
    assert b"stedi-api-key" not in everything


def test_only_the_owner_may_read_any_of_the_files(file: Path) -> None:
    old = os.umask(0)
    try:
        EncryptedFileKeyring(file, {}).set_password("plexstedi", "a", SECRET)
        EncryptedFileKeyring(file, {}).set_password("plexstedi", "b", SECRET)
    finally:
        os.umask(old)
    assert mode(file.parent) == 0o700
    assert {mode(path) for path in file.parent.iterdir()} == {0o600}
    assert len(list(file.parent.iterdir())) == 3, "the file, its key, the lock; nothing left over"


def test_reading_creates_nothing(file: Path) -> None:
    assert EncryptedFileKeyring(file, {}).get_password("plexstedi", "stedi-api-key") is None
    assert not file.parent.exists()


def test_deleting_removes_one_and_keeps_the_rest(file: Path) -> None:
    ring = EncryptedFileKeyring(file, {})
    ring.set_password("plexstedi", "a", "1")
    ring.set_password("plexstedi", "b", "2")
    ring.delete_password("plexstedi", "a")
    assert (ring.get_password("plexstedi", "a"), ring.get_password("plexstedi", "b")) == (None, "2")
    with pytest.raises(PasswordDeleteError):
        ring.delete_password("plexstedi", "a")


def test_a_changed_byte_is_noticed(file: Path) -> None:
    EncryptedFileKeyring(file, {}).set_password("plexstedi", "a", SECRET)
    content = bytearray(file.read_bytes())
    content[40] = ord("A") if content[40] != ord("A") else ord("B")
    file.write_bytes(content)
    with pytest.raises(KeyringFileError, match="cannot be decrypted"):
        EncryptedFileKeyring(file, {}).get_password("plexstedi", "a")


def test_a_lost_key_is_named_and_no_new_one_takes_its_place(file: Path) -> None:
    ring = EncryptedFileKeyring(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    ring.key_path.unlink()
    for use in (lambda: ring.get_password("plexstedi", "a"), lambda: ring.set_password("plexstedi", "b", "2")):
        with pytest.raises(KeyringFileError, match=str(ring.key_path)):
            use()
    assert not ring.key_path.exists()


def test_a_key_that_others_can_read_is_refused(file: Path) -> None:
    ring = EncryptedFileKeyring(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    ring.key_path.chmod(0o640)
    with pytest.raises(KeyringFileError, match="chmod 600"):
        ring.get_password("plexstedi", "a")


def test_with_a_key_from_systemd_no_key_lies_on_disk(file: Path, tmp_path: Path) -> None:
    (tmp_path / KEY_CREDENTIAL).write_text("0123456789abcdef0123456789abcdef\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    ring = EncryptedFileKeyring(file, env)
    ring.set_password("plexstedi", "a", SECRET)
    assert EncryptedFileKeyring(file, env).get_password("plexstedi", "a") == SECRET
    assert not ring.key_path.exists()
    with pytest.raises(KeyringFileError, match=KEY_CREDENTIAL):
        EncryptedFileKeyring(file, {}).get_password("plexstedi", "a")


def test_a_short_key_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / KEY_CREDENTIAL).write_text("hunter2\n")
    with pytest.raises(KeyringFileError, match="too short"):
        EncryptedFileKeyring(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).set_password("plexstedi", "a", SECRET)


def test_another_programs_file_is_not_overwritten(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"something else")
    with pytest.raises(KeyringFileError, match="not a keyring of plexstedi"):
        EncryptedFileKeyring(file, {}).set_password("plexstedi", "a", SECRET)
    assert file.read_bytes() == b"something else"


def test_the_place_does_not_depend_on_how_the_program_was_started(tmp_path: Path) -> None:
    assert default_keyring_file({"STATE_DIRECTORY": "/var/lib/plexstedi"}) == default_keyring_file({})
    assert default_keyring_file({"PLEXSTEDI_KEYRING_FILE": str(tmp_path / "x")}) == tmp_path / "x"


class Failing(KeyringBackend):
    """A desktop keyring that cannot be opened."""

    error: type[Exception] = KeyringLocked

    @properties.classproperty
    def priority(self) -> float:
        return 0.0

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error("detail of the desktop with " + SECRET)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error("detail of the desktop with " + SECRET)

    def delete_password(self, service: str, username: str) -> None:
        raise self.error("detail of the desktop with " + SECRET)


@pytest.fixture
def env(file: Path) -> dict[str, str]:
    return {"PLEXSTEDI_KEYRING_FILE": str(file)}


@pytest.mark.parametrize("error", [NoKeyringError, KeyringLocked, InitError, RuntimeError, OSError])
def test_a_keyring_that_cannot_be_opened_names_the_other_ways(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr("keyring.core.load_keyring", lambda name: Failing())
    monkeypatch.setattr(Failing, "error", error)
    with pytest.raises(CredentialsFault) as caught:
        KeyringStore({**env, "PYTHON_KEYRING_BACKEND": "some.Desktop"}).get("stedi-api-key")
    assert "stedi-api-key" in caught.value.message
    for way in ("LoadCredentialEncrypted", "PLEXSTEDI_", "EncryptedFileKeyring"):
        assert way in caught.value.fix
    assert SECRET not in caught.value.message


def test_without_a_desktop_the_encrypted_file_is_used(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.core.load_config", lambda: None)
    monkeypatch.setattr("keyring.core.get_keyring", lambda: Failing())
    store = KeyringStore(env)
    store.set("stedi-api-key", SECRET)
    assert KeyringStore(env).get("stedi-api-key") == SECRET
    assert store.describe() == f"encrypted file {env['PLEXSTEDI_KEYRING_FILE']}"
    store.delete("stedi-api-key")
    assert store.get("stedi-api-key") is None


def test_once_the_file_exists_a_desktop_at_hand_does_not_hide_it(
    env: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `credentials set` over ssh and the cron job would look at different places."""
    EncryptedFileKeyring(file, env).set_password("plexstedi", "stedi-api-key", SECRET)
    monkeypatch.setattr("keyring.core.load_config", lambda: None)
    monkeypatch.setattr("keyring.core.get_keyring", lambda: pytest.fail("no desktop keyring may be asked"))
    assert KeyringStore(env).get("stedi-api-key") == SECRET


def test_the_null_keyring_is_not_taken_for_storage(env: dict[str, str]) -> None:
    store = KeyringStore({**env, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    assert store.get("stedi-api-key") is None
    assert "null" in store.describe()
    with pytest.raises(CredentialsFault, match="did not store stedi-api-key"):
        store.set("stedi-api-key", SECRET)


def test_the_file_can_be_chosen_by_name(env: dict[str, str], file: Path) -> None:
    name = "plexstedi.credentials.keyring_file.EncryptedFileKeyring"
    KeyringStore({**env, "PYTHON_KEYRING_BACKEND": name}).set("stedi-api-key", SECRET)
    assert file.exists()


def test_a_backend_that_does_not_exist_is_named(env: dict[str, str]) -> None:
    with pytest.raises(CredentialsFault, match=r"no\.such\.Backend"):
        KeyringStore({**env, "PYTHON_KEYRING_BACKEND": "no.such.Backend"}).get("stedi-api-key")
