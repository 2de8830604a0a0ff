"""A full disk or a power cut while a secret is stored costs nothing that was stored before, and blocks nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from plexstedi.credentials.encrypted_file import EncryptedFile
from plexstedi.credentials.keyring_key import KeyringFileError
from tests.commands.driver import limit_file_size
from tests.disk import Disk, killed_at_each_step
from tests.forked import run_forked


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "secrets.keyring"


def store(file: Path, name: str, value: str) -> None:
    EncryptedFile(file, {}).set_password("plexstedi", name, value)


def stored(file: Path, name: str) -> str | None:
    return EncryptedFile(file, {}).get_password("plexstedi", name)


def on_a_disk_with(room: int, act: Callable[[], None]) -> str:
    """What the fault said that the action met in a process whose files may not grow beyond so many bytes."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        limit_file_size(str(room))
        try:
            act()
        except KeyringFileError as fault:
            os.write(writing, str(fault).encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        return said.read().decode()


@pytest.mark.parametrize(
    ("room", "what"), [(0, ".key"), (20, ".key"), (44, ".key"), (46, ".keyring"), (90, ".keyring")]
)
def test_a_first_secret_on_a_full_disk_leaves_nothing_half_made(file: Path, room: int, what: str) -> None:
    """The key has 45 bytes, the file more than 100."""
    said = on_a_disk_with(room, lambda: store(file, "stedi-api-key", "first"))
    key = EncryptedFile(file, {}).key_path
    assert str(key if what == ".key" else file) in said
    assert "Free some space" in said
    assert [path.name for path in (*file.parent.iterdir(), *key.parent.iterdir())] == ["secrets.lock"]
    store(file, "stedi-api-key", "first")
    assert stored(file, "stedi-api-key") == "first"


@pytest.mark.parametrize("room", [0, 20, 90])
def test_on_a_full_disk_what_was_stored_before_is_still_there(file: Path, room: int) -> None:
    store(file, "stedi-api-key", "first")
    said = on_a_disk_with(room, lambda: store(file, "stedi-api-key", "second"))
    assert "still there" in said
    assert stored(file, "stedi-api-key") == "first"
    assert len(list(file.parent.iterdir())) == 2, "the file, the lock"
    assert len(list(EncryptedFile(file, {}).key_path.parent.iterdir())) == 1, "the key"
    store(file, "stedi-api-key", "third")
    assert stored(file, "stedi-api-key") == "third"


def test_half_a_key_that_an_older_program_left_is_made_again(file: Path) -> None:
    key = EncryptedFile(file, {}).key_path
    key.parent.mkdir(parents=True)
    key.touch(mode=0o600)
    store(file, "stedi-api-key", "first")
    assert stored(file, "stedi-api-key") == "first"


def test_half_a_key_of_a_file_that_is_there_is_not_replaced(file: Path) -> None:
    store(file, "stedi-api-key", "first")
    key = EncryptedFile(file, {}).key_path
    whole = key.read_bytes()
    key.write_bytes(b"half")
    with pytest.raises(KeyringFileError, match="too short"):
        store(file, "stedi-api-key", "second")
    key.write_bytes(whole)
    assert stored(file, "stedi-api-key") == "first"


def test_a_first_secret_killed_at_any_step_can_be_stored_again(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secrets.keyring"

    def check(steps: int) -> None:
        assert stored(file, "stedi-api-key") in (None, "first")
        store(file, "plex-api-key", "other")
        assert stored(file, "plex-api-key") == "other"
        assert not list(file.parent.glob("*.partial"))
        for path in file.parent.iterdir():
            path.unlink()
        file.parent.rmdir()

    assert killed_at_each_step(lambda: store(file, "stedi-api-key", "first"), check) > 6


def test_a_change_killed_at_any_step_leaves_the_old_secret_or_the_new_one(file: Path) -> None:
    store(file, "plex-api-key", "other")
    store(file, "stedi-api-key", "0")
    before = ["0"]

    def check(steps: int) -> None:
        assert stored(file, "stedi-api-key") in (before[-1], "new")
        assert stored(file, "plex-api-key") == "other"
        before.append(f"{steps}")
        store(file, "stedi-api-key", before[-1])

    assert killed_at_each_step(lambda: store(file, "stedi-api-key", "new"), check) > 4


def test_file_and_key_are_on_disk_with_their_names_and_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    store(file, "stedi-api-key", "first")
    disk.must_have_made(file.parent)
    disk.must_have_put(EncryptedFile(file, {}).key_path)
    disk.must_have_put(file)
    disk.events.clear()
    store(file, "stedi-api-key", "second")
    disk.must_have_put(file)
    disk.events.clear()
    EncryptedFile(file, {}).delete_password("plexstedi", "stedi-api-key")
    disk.must_have_put(file)


def test_the_command_ends_with_4_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PLEXSTEDI_KEYRING_FILE": str(tmp_path / "data" / "secrets.keyring"),
        "PLEXSTEDI_STATE": str(tmp_path / "state.sqlite3"),
        "PYTHON_KEYRING_BACKEND": "plexstedi.credentials.keyring_file.EncryptedFileKeyring",
    }

    def fill_the_disk() -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        os.fsync = full  # type: ignore[assignment]

    def run(before: Callable[[], None] = lambda: None) -> tuple[int, str]:
        command = ("credentials", "set", "stedi-api-key")
        ended = run_forked(command, environment=environment, stdin="live_k3y\n", before=before)
        return ended.code, ended.err

    (tmp_path / "data").mkdir(mode=0o700)
    code, said = run(fill_the_disk)
    assert (code, "Traceback" in said, "live_k3y" in said) == (4, False, False), said
    assert str(tmp_path / ".config" / "plexstedi" / "secrets.key") in said
    assert "No space left on device" in said
    assert "Free some space" in said
    assert run()[0] == 0


@pytest.mark.parametrize("what", ["data", "data/secrets.keyring", "config/plexstedi/secrets.key"])
def test_secrets_that_others_could_replace_are_refused(file: Path, what: str) -> None:
    store(file, "stedi-api-key", "first")
    path = file.parent.parent / what
    mode = path.stat().st_mode
    path.chmod(mode | 0o002)
    for act in (lambda: stored(file, "stedi-api-key"), lambda: store(file, "stedi-api-key", "second")):
        with pytest.raises(KeyringFileError, match=f"chmod o-w {path}"):
            act()
    path.chmod(mode)
    assert stored(file, "stedi-api-key") == "first"
