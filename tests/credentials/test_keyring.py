"""Secrets on a server without a desktop: kept encrypted, found again under cron, never half-written."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.compat import properties
from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError, PasswordDeleteError

from plexstedi.credentials.encrypted_file import EncryptedFile, default_keyring_file
from plexstedi.credentials.key_settings import KeySettings
from plexstedi.credentials.keyring_file import EncryptedFileKeyring
from plexstedi.credentials.keyring_key import KEY_CREDENTIAL, PASSPHRASE_CREDENTIAL, KeyringFileError
from plexstedi.credentials.keyring_store import KeyringStore
from plexstedi.errors import CredentialsFault
from tests.commands.advice import follow_shell

SECRET = "live_k3y.DoNotShowThis"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets.keyring"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_stored_is_found_by_the_next_process(file: Path) -> None:
    EncryptedFile(file, {}).set_password("plexstedi", "stedi-api-key", SECRET)
    assert EncryptedFile(file, {}).get_password("plexstedi", "stedi-api-key") == SECRET
    assert EncryptedFile(file, {}).get_password("plexstedi", "plex-api-key") is None
    assert EncryptedFile(file, {}).get_password("other", "stedi-api-key") is None


def test_nothing_of_a_secret_or_its_name_is_readable_on_disk(file: Path) -> None:
    EncryptedFile(file, {}).set_password("plexstedi", "stedi-api-key", SECRET)
    everything = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert SECRET.encode() not in everything
    assert b"stedi-api-key" not in everything


def test_only_the_owner_may_read_any_of_the_files(file: Path) -> None:
    old = os.umask(0)
    try:
        EncryptedFile(file, {}).set_password("plexstedi", "a", SECRET)
        EncryptedFile(file, {}).set_password("plexstedi", "b", SECRET)
    finally:
        os.umask(old)
    assert mode(file.parent) == 0o700
    key = EncryptedFile(file, {}).key_path
    assert {mode(path) for path in (*file.parent.iterdir(), key)} == {0o600}
    assert mode(key.parent) == 0o700
    assert {path.name for path in file.parent.iterdir()} == {"secrets.keyring", "secrets.lock"}


def test_reading_creates_nothing(file: Path) -> None:
    assert EncryptedFile(file, {}).get_password("plexstedi", "stedi-api-key") is None
    assert not file.parent.exists()


def test_deleting_removes_one_and_keeps_the_rest(file: Path) -> None:
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", "1")
    ring.set_password("plexstedi", "b", "2")
    ring.delete_password("plexstedi", "a")
    assert (ring.get_password("plexstedi", "a"), ring.get_password("plexstedi", "b")) == (None, "2")
    with pytest.raises(KeyringFileError, match="a is not stored in"):
        ring.delete_password("plexstedi", "a")


def test_a_changed_byte_is_noticed_wherever_it_is(file: Path) -> None:
    EncryptedFile(file, {}).set_password("plexstedi", "a", SECRET)
    whole = file.read_bytes()
    noticed = []
    for place in range(len(whole) - 1):
        content = bytearray(whole)
        content[place] = ord("A") if content[place] != ord("A") else ord("B")
        file.write_bytes(content)
        try:
            found = EncryptedFile(file, {}).get_password("plexstedi", "a")
        except KeyringFileError as error:
            noticed.append(str(error))
        else:
            # The salt of a passphrase is not used here; an entry of another name is another secret.
            assert found in (SECRET, None)
    assert len(noticed) > len(whole) / 2
    assert all("Restore" in message or "move it elsewhere" in message for message in noticed)
    file.write_bytes(whole)
    assert EncryptedFile(file, {}).get_password("plexstedi", "a") == SECRET


def test_a_damaged_entry_costs_that_secret_only(file: Path) -> None:
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    (entry,) = json.loads(file.read_text().partition("\n")[2])["entries"]
    ring.set_password("plexstedi", "b", "2")
    header, _, rest = file.read_text().partition("\n")
    table = json.loads(rest)
    table["entries"][entry] = base64.b64encode(b"damaged" * 8).decode()
    file.write_text(f"{header}\n{json.dumps(table)}")
    with pytest.raises(KeyringFileError, match="store this secret again"):
        ring.get_password("plexstedi", "a")
    assert ring.get_password("plexstedi", "b") == "2"
    ring.set_password("plexstedi", "a", "again")
    assert (ring.get_password("plexstedi", "a"), ring.get_password("plexstedi", "b")) == ("again", "2")


def test_a_file_of_the_first_form_is_read_and_replaced_by_the_next_write(file: Path) -> None:
    file.parent.mkdir()
    material = base64.b64encode(b"k" * 32)
    file.with_suffix(".key").write_bytes(material + b"\n")
    file.with_suffix(".key").chmod(0o600)
    key = hashlib.sha256(b"plexstedi keyring key\n" + material).digest()
    table = json.dumps({json.dumps(["plexstedi", "a"]): SECRET}).encode()
    sealed = b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, table, b"plexstedi keyring 1\n")
    file.write_bytes(b"plexstedi keyring 1\n" + base64.b64encode(sealed) + b"\n")
    ring = EncryptedFile(file, {})
    assert ring.get_password("plexstedi", "a") == SECRET
    ring.set_password("plexstedi", "b", "2")
    assert file.read_bytes().startswith(b"plexstedi keyring 2\n")
    assert (ring.get_password("plexstedi", "a"), ring.get_password("plexstedi", "b")) == (SECRET, "2")


def test_a_passphrase_opens_the_file_without_a_key_on_disk(file: Path, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n")
    passphrase.chmod(0o600)
    settings = KeySettings(passphrase_file=passphrase)
    ring = EncryptedFile(file, {}, settings)
    ring.set_password("plexstedi", "a", SECRET)
    assert EncryptedFile(file, {}, settings).get_password("plexstedi", "a") == SECRET
    assert not ring.key_path.exists()
    (tmp_path / PASSPHRASE_CREDENTIAL).write_text("correct horse battery")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert EncryptedFile(file, env).get_password("plexstedi", "a") == SECRET
    passphrase.write_text("another passphrase\n")
    with pytest.raises(KeyringFileError, match="belongs to another key"):
        ring.get_password("plexstedi", "a")
    with pytest.raises(KeyringFileError, match="belongs to another key"):
        ring.set_password("plexstedi", "b", "2")


def test_a_key_file_elsewhere_is_made_there_and_beside_the_data_only_if_allowed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "keyring.key"
    ring = EncryptedFile(file, {}, KeySettings(key_file=elsewhere))
    ring.set_password("plexstedi", "a", SECRET)
    assert ring.get_password("plexstedi", "a") == SECRET
    assert mode(elsewhere) == 0o600
    assert {path.name for path in file.parent.iterdir()} == {"secrets.keyring", "secrets.lock"}
    beside = file.parent / "my.key"
    with pytest.raises(KeyringFileError, match="key_beside_data"):
        EncryptedFile(file, {}, KeySettings(key_file=beside)).get_password("plexstedi", "a")
    elsewhere.rename(beside)
    allowed = EncryptedFile(file, {}, KeySettings(key_file=beside, key_beside_data=True))
    assert allowed.get_password("plexstedi", "a") == SECRET


def test_the_key_is_not_made_beside_the_data(file: Path, configuration_folder: Path) -> None:
    """A backup of the data folder alone opens nothing."""
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    assert ring.key_path == configuration_folder / "plexstedi" / "secrets.key"
    assert ring.key_beside() is None
    ring.key_path.unlink()
    with pytest.raises(KeyringFileError, match="does not exist"):
        EncryptedFile(file, {}).get_password("plexstedi", "a")


def test_a_key_that_an_earlier_version_made_beside_the_data_works_and_can_be_moved(file: Path) -> None:
    ring = EncryptedFile(file, {}, KeySettings(key_beside_data=True))
    ring.set_password("plexstedi", "a", SECRET)
    assert ring.key_path == file.with_suffix(".key"), "where it is allowed, it is made there"
    assert ring.key_beside() is None
    plain = EncryptedFile(file, {})
    plain.set_password("plexstedi", "b", "2")
    assert plain.get_password("plexstedi", "a") == SECRET
    found = plain.key_beside()
    assert found is not None
    assert not found.better.exists(), "no second key is made"
    found.better.parent.mkdir(parents=True)
    found.key.rename(found.better)
    assert EncryptedFile(file, {}).get_password("plexstedi", "b") == "2"
    assert EncryptedFile(file, {}).key_beside() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_user_without_a_configuration_folder_is_told_which_setting_names_another(
    file: Path, configuration_folder: Path
) -> None:
    configuration_folder.mkdir(mode=0o500)
    with pytest.raises(KeyringFileError, match=r"credentials\.key_file"):
        EncryptedFile(file, {}).set_password("plexstedi", "a", SECRET)


def test_a_configuration_folder_that_is_none_names_the_setting_for_another(
    file: Path, configuration_folder: Path
) -> None:
    configuration_folder.write_text("not a folder")
    with pytest.raises(KeyringFileError, match=r"credentials\.key_file"):
        EncryptedFile(file, {}).set_password("plexstedi", "a", SECRET)
    assert not file.exists()


def _others_read_key(ring: EncryptedFile) -> None:
    ring.key_path.chmod(0o640)


def _half_key(ring: EncryptedFile) -> None:
    ring.key_path.write_text("half")


def _other_key(ring: EncryptedFile) -> None:
    ring.key_path.write_text("k" * 44)


def _no_key(ring: EncryptedFile) -> None:
    ring.key_path.unlink()


def _cut_file(ring: EncryptedFile) -> None:
    ring.path.write_bytes(ring.path.read_bytes()[:60])


def _empty_file(ring: EncryptedFile) -> None:
    ring.path.write_bytes(b"")


def _others_write_file(ring: EncryptedFile) -> None:
    ring.path.chmod(0o602)


def _others_write_folder(ring: EncryptedFile) -> None:
    ring.path.parent.chmod(0o707)


def _others_write_key_folder(ring: EncryptedFile) -> None:
    ring.key_path.parent.chmod(0o707)


def _foreign_key(ring: EncryptedFile) -> None:
    os.chown(ring.key_path, 54321, -1)


def _foreign_file(ring: EncryptedFile) -> None:
    os.chown(ring.path, 54321, -1)


def _folder_as_key(ring: EncryptedFile) -> None:
    ring.key_path.unlink()
    ring.key_path.mkdir(mode=0o700)


_AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.mark.parametrize(
    ("harm", "remedy"),
    [
        (_others_read_key, "`chmod 600 {key}`"),
        (_others_write_file, "chmod o-w {file}"),
        (_others_write_folder, "chmod o-w {folder}"),
        (_others_write_key_folder, "chmod o-w {key_folder}"),
        (_half_key, "the key is too short"),
        (_other_key, "belongs to another key. Restore both from one backup"),
        (_no_key, "the key {key} of {file} does not exist. Restore it"),
        (_folder_as_key, "the key {key} cannot be used (Is a directory)"),
        (_cut_file, "{file} cannot be decrypted: it is damaged"),
        (_empty_file, "{file} is not a keyring of plexstedi; move it elsewhere"),
        pytest.param(_foreign_key, "`chown root {key}` as root", marks=_AS_ROOT),
        pytest.param(_foreign_file, "`chown root {file}` as root", marks=_AS_ROOT),
    ],
)
def test_each_damage_is_named_with_its_remedy_and_nothing_is_overwritten(
    file: Path, harm: Callable[[EncryptedFile], None], remedy: str
) -> None:
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    key = ring.key_path
    harm(ring)
    before = {path: path.read_bytes() for path in (file, key) if path.is_file()}
    expected = remedy.format(key=key, file=file, folder=file.parent, key_folder=key.parent)
    for use in (
        lambda: EncryptedFile(file, {}).get_password("plexstedi", "a"),
        lambda: EncryptedFile(file, {}).set_password("plexstedi", "b", "2"),
    ):
        with pytest.raises(KeyringFileError) as caught:
            use()
        assert expected in str(caught.value)
        assert SECRET not in str(caught.value)
    assert {path: path.read_bytes() for path in (file, key) if path.is_file()} == before


@pytest.mark.parametrize(
    ("content", "file_mode", "word"),
    [
        ("short", 0o600, "too short"),
        ("correct horse battery", 0o640, "chmod 600"),
        (None, 0o600, "does not exist"),
    ],
)
def test_an_unusable_passphrase_file_is_named_with_its_remedy(
    file: Path, tmp_path: Path, content: str | None, file_mode: int, word: str
) -> None:
    passphrase = tmp_path / "passphrase"
    if content is not None:
        passphrase.write_text(content)
        passphrase.chmod(file_mode)
    with pytest.raises(KeyringFileError, match=word):
        EncryptedFile(file, {}, KeySettings(passphrase_file=passphrase)).set_password("plexstedi", "a", SECRET)
    assert not file.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
@pytest.mark.parametrize("what", ["key", "passphrase"])
def test_a_key_or_passphrase_of_another_user_is_named_with_chown(file: Path, tmp_path: Path, what: str) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery")
    passphrase.chmod(0o600)
    ring = EncryptedFile(file, {}, KeySettings(passphrase_file=passphrase if what == "passphrase" else None))
    ring.set_password("plexstedi", "a", SECRET)
    os.chown(passphrase if what == "passphrase" else ring.key_path, 54321, -1)
    with pytest.raises(KeyringFileError, match="chown") as caught:
        ring.get_password("plexstedi", "a")
    follow_shell(str(caught.value))
    assert ring.get_password("plexstedi", "a") == SECRET


def test_a_lost_key_is_named_and_no_new_one_takes_its_place(file: Path) -> None:
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    ring.key_path.unlink()
    for use in (lambda: ring.get_password("plexstedi", "a"), lambda: ring.set_password("plexstedi", "b", "2")):
        with pytest.raises(KeyringFileError, match=str(ring.key_path)):
            use()
    assert not ring.key_path.exists()


def test_a_key_that_others_can_read_is_refused(file: Path) -> None:
    ring = EncryptedFile(file, {})
    ring.set_password("plexstedi", "a", SECRET)
    ring.key_path.chmod(0o640)
    with pytest.raises(KeyringFileError, match="chmod 600"):
        ring.get_password("plexstedi", "a")


def test_with_a_key_from_systemd_no_key_lies_on_disk(file: Path, tmp_path: Path) -> None:
    (tmp_path / KEY_CREDENTIAL).write_text("0123456789abcdef0123456789abcdef\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    ring = EncryptedFile(file, env)
    ring.set_password("plexstedi", "a", SECRET)
    assert EncryptedFile(file, env).get_password("plexstedi", "a") == SECRET
    assert not ring.key_path.exists()
    with pytest.raises(KeyringFileError, match=KEY_CREDENTIAL):
        EncryptedFile(file, {}).get_password("plexstedi", "a")


def test_a_short_key_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / KEY_CREDENTIAL).write_text("hunter2\n")
    with pytest.raises(KeyringFileError, match="too short"):
        EncryptedFile(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).set_password("plexstedi", "a", SECRET)


def test_another_programs_file_is_not_overwritten(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"something else")
    with pytest.raises(KeyringFileError, match="not a keyring of plexstedi"):
        EncryptedFile(file, {}).set_password("plexstedi", "a", SECRET)
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
    EncryptedFile(file, env).set_password("plexstedi", "stedi-api-key", SECRET)
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


def test_keyrings_own_command_reads_and_changes_the_same_file(env: dict[str, str], file: Path) -> None:
    KeyringStore(env).set("stedi-api-key", SECRET)
    ring = EncryptedFileKeyring(file, env)
    assert ring.get_password("plexstedi", "stedi-api-key") == SECRET
    ring.set_password("plexstedi", "plex-api-key", "an0ther")
    assert KeyringStore(env).get("plex-api-key") == "an0ther"
    ring.delete_password("plexstedi", "plex-api-key")
    assert KeyringStore(env).get("plex-api-key") is None
    with pytest.raises(PasswordDeleteError, match="plex-api-key is not stored"):
        ring.delete_password("plexstedi", "plex-api-key")
    file.write_bytes(b"something else")
    with pytest.raises(KeyringError, match="is not a keyring of plexstedi"):
        ring.get_password("plexstedi", "stedi-api-key")
    with pytest.raises(KeyringError, match="is not a keyring of plexstedi"):
        ring.set_password("plexstedi", "stedi-api-key", SECRET)


@pytest.mark.parametrize("variable", ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"])
def test_a_desktop_is_asked_only_within_a_login_session(
    env: dict[str, str], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search for desktop keyrings costs more than the rest of an idle run under cron."""

    class Desktop(FailKeyring):
        priority = 5  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return SECRET

    monkeypatch.setattr("keyring.core.get_keyring", Desktop)
    assert KeyringStore(env).get("stedi-api-key") is None
    assert KeyringStore({**env, variable: ":0"}).get("stedi-api-key") == SECRET


def test_a_keyring_chosen_in_keyrings_configuration_is_used_without_a_desktop(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "python_keyring" / "keyringrc.cfg"
    chosen.parent.mkdir()
    chosen.write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert "null" in KeyringStore({**env, "XDG_CONFIG_HOME": str(tmp_path)}).describe()
