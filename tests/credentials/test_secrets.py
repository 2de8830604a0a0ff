"""An administrator can tell where each secret comes from, and no program output ever shows one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plexstedi.credentials.secrets import Secrets
from plexstedi.credentials.source import SourceKind
from plexstedi.errors import CredentialsFault
from plexstedi.secret_names import SecretName
from plexstedi.secret_text import SecretText

SECRET = "live_k3y.DoNotShowThis"
KEY = SecretName.STEDI_API_KEY
NEXT = SecretName.STEDI_API_KEY_NEXT
PREVIOUS = SecretName.STEDI_API_KEY_PREVIOUS


@dataclass
class SetClock:
    """A clock that stands."""

    time: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Drawer:
    """A keyring in memory."""

    entries: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def describe(self) -> str:
        return "keyring (drawer)"

    def get(self, name: str) -> str | None:
        if self.broken:
            raise CredentialsFault(f"{name}: the desktop keyring is locked", fix="Unlock it.")
        return self.entries.get(name)

    def set(self, name: str, value: str) -> None:
        self.entries[name] = value

    def delete(self, name: str) -> None:
        del self.entries[name]


@pytest.fixture
def systemd(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Make a credentials directory with one file, as systemd does."""

    def make(content: bytes = SECRET.encode(), mode: int = 0o400) -> dict[str, str]:
        path = tmp_path / "stedi-api-key"
        path.write_bytes(content)
        path.chmod(mode)
        return {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    return make


def secrets(env: dict[str, str] | None = None, drawer: Drawer | None = None, clock: SetClock | None = None) -> Secrets:
    return Secrets(env or {}, clock or SetClock(), drawer or Drawer())


def test_the_order_is_systemd_then_environment_then_keyring(systemd: Callable[..., dict[str, str]]) -> None:
    drawer = Drawer({"stedi-api-key": "from-keyring"})
    variable = {"PLEXSTEDI_STEDI_API_KEY": "from-environment"}
    for env, value, kind in (
        ({**systemd(b"from-systemd\n"), **variable}, "from-systemd", SourceKind.SYSTEMD),
        (variable, "from-environment", SourceKind.ENVIRONMENT),
        ({}, "from-keyring", SourceKind.KEYRING),
    ):
        found = secrets(env, drawer)
        source = found.source(KEY)
        assert found.get(KEY).get_secret_value() == value
        assert source is not None
        assert source.kind is kind


def test_a_secret_that_is_nowhere_names_every_place_and_the_command() -> None:
    with pytest.raises(CredentialsFault) as caught:
        secrets().get(KEY)
    for word in ("CREDENTIALS_DIRECTORY", "PLEXSTEDI_STEDI_API_KEY", "keyring (drawer)"):
        assert word in caught.value.message
    assert "plexstedi credentials set stedi-api-key" in caught.value.fix


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_the_line_end_that_echo_adds_is_not_part_of_the_key(systemd: Callable[..., dict[str, str]], end: bytes) -> None:
    assert secrets(systemd(SECRET.encode() + end)).get(KEY).get_secret_value() == SECRET


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"   ",
        b" " + SECRET.encode(),
        SECRET.encode() + b"\nsecond line",
        b"a\x00b",
        b"\xff\xfe",
        b"x" * 20000,
    ],
)
def test_a_damaged_credential_is_an_error_and_the_old_key_behind_it_is_not_used(
    systemd: Callable[..., dict[str, str]], content: bytes
) -> None:
    env = {**systemd(content), "PLEXSTEDI_STEDI_API_KEY": "an-old-key"}
    with pytest.raises(CredentialsFault) as caught:
        secrets(env).get(KEY)
    assert "stedi-api-key" in caught.value.message
    assert SECRET not in caught.value.message + caught.value.fix


@pytest.mark.parametrize(
    ("mode", "taken"), [(0o400, True), (0o440, True), (0o600, True), (0o404, False), (0o420, False)]
)
def test_a_credential_that_others_can_read_is_refused(
    systemd: Callable[..., dict[str, str]], mode: int, taken: bool
) -> None:
    found = secrets(systemd(mode=mode))
    if taken:
        assert found.get(KEY).get_secret_value() == SECRET
    else:
        with pytest.raises(CredentialsFault, match="open to other users"):
            found.get(KEY)


@pytest.mark.skipif(os.geteuid() != 0, reason="the file has to belong to root")
@pytest.mark.parametrize(
    ("mode", "read_only", "taken"), [(0o444, True, True), (0o444, False, False), (0o446, True, False)]
)
def test_a_secret_of_a_container_is_taken(
    systemd: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, mode: int, read_only: bool, taken: bool
) -> None:
    """Docker and Kubernetes mount secrets read-only with mode 0444, owned by root."""
    flags = os.ST_RDONLY if read_only else 0
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((1, 1, 1, 1, 1, 1, 1, 1, flags, 1)))
    found = secrets(systemd(mode=mode))
    if taken:
        assert found.get(KEY).get_secret_value() == SECRET
    else:
        with pytest.raises(CredentialsFault, match="open to other users"):
            found.get(KEY)


def test_an_empty_variable_is_an_error_and_not_a_reason_to_look_on() -> None:
    with pytest.raises(CredentialsFault, match="PLEXSTEDI_STEDI_API_KEY is empty"):
        secrets({"PLEXSTEDI_STEDI_API_KEY": ""}, Drawer({"stedi-api-key": "an-old-key"})).get(KEY)


def test_a_credentials_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CredentialsFault, match="not a directory"):
        secrets({"CREDENTIALS_DIRECTORY": str(tmp_path / "gone")}).get(KEY)


def test_a_directory_in_place_of_a_credential_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "stedi-api-key").mkdir()
    with pytest.raises(CredentialsFault, match="is not a file"):
        secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}).get(KEY)


def test_the_list_shows_sources_and_never_values(systemd: Callable[..., dict[str, str]]) -> None:
    found = secrets({**systemd(), "PLEXSTEDI_PLEX_API_KEY": SECRET + "2", "PLEXSTEDI_PLEX_PASSWORD": " "})
    lines = {line.name: line for line in found.list()}
    assert set(lines) == set(SecretName)
    assert str(lines[KEY].source).startswith("systemd credential ")
    assert str(lines[SecretName.PLEX_API_KEY].source) == "environment variable PLEXSTEDI_PLEX_API_KEY"
    assert lines[SecretName.PLEX_CLIENT_SECRET].source is None
    assert lines[SecretName.PLEX_PASSWORD].problem is not None
    assert SECRET not in repr(lines)
    assert SECRET not in repr(found.get(KEY))


def test_a_locked_keyring_spoils_its_lines_but_not_the_list() -> None:
    found = secrets({"PLEXSTEDI_STEDI_API_KEY": SECRET}, Drawer(broken=True))
    lines = {line.name: line for line in found.list()}
    assert lines[KEY].source is not None
    assert "locked" in str(lines[NEXT].problem)


def test_the_age_of_a_key_is_known_once_it_is_kept_here() -> None:
    clock = SetClock()
    found = secrets(drawer=Drawer(), clock=clock)
    assert found.set_at(KEY) is None
    stored = found.set(KEY, SecretText(SECRET + "\n"))
    assert (stored.where, stored.hidden_by) == ("keyring (drawer)", None)
    assert found.get(KEY).get_secret_value() == SECRET
    assert found.set_at(KEY) == clock.time


def test_a_key_from_elsewhere_has_no_age_even_if_the_keyring_has_one() -> None:
    drawer = Drawer()
    secrets(drawer=drawer).set(KEY, SecretText(SECRET))
    assert secrets({"PLEXSTEDI_STEDI_API_KEY": "other"}, drawer).set_at(KEY) is None


def test_setting_a_secret_that_another_source_hides_says_so() -> None:
    stored = secrets({"PLEXSTEDI_STEDI_API_KEY": "other"}).set(KEY, SecretText(SECRET))
    assert stored.hidden_by is not None
    assert "PLEXSTEDI_STEDI_API_KEY" in str(stored.hidden_by)


def test_an_empty_secret_is_not_stored() -> None:
    drawer = Drawer()
    with pytest.raises(CredentialsFault, match="empty"):
        secrets(drawer=drawer).set(KEY, SecretText("\n"))
    assert drawer.entries == {}


def test_deleting_leaves_nothing_and_says_where_else_it_is() -> None:
    drawer = Drawer()
    found = secrets(drawer=drawer)
    found.set(KEY, SecretText(SECRET))
    found.delete(KEY)
    assert drawer.entries == {}
    with pytest.raises(CredentialsFault, match="is not in keyring"):
        found.delete(KEY)
    with pytest.raises(CredentialsFault) as caught:
        secrets({"PLEXSTEDI_STEDI_API_KEY": "x"}, drawer).delete(KEY)
    assert "PLEXSTEDI_STEDI_API_KEY" in caught.value.fix


def test_promoting_the_next_key_keeps_its_age_and_may_be_repeated_after_a_crash() -> None:
    clock, drawer = SetClock(), Drawer()
    found = secrets(drawer=drawer, clock=clock)
    found.set(KEY, SecretText("old-key"))
    found.set(NEXT, SecretText("new-key"))
    stored_at = clock.time
    clock.time += timedelta(days=2)
    before_deletion = dict(drawer.entries)
    found.promote_next_stedi_key()
    assert found.get(KEY).get_secret_value() == "new-key"
    assert found.set_at(KEY) == stored_at
    assert found.get(PREVIOUS).get_secret_value() == "old-key"
    assert found.source(NEXT) is None
    # The crash: the new key was stored, the next one not yet deleted.
    drawer.entries = {**before_deletion, **drawer.entries}
    found.promote_next_stedi_key()
    assert found.get(KEY).get_secret_value() == "new-key"
    assert found.get(PREVIOUS).get_secret_value() == "old-key", "the old key is still there should the new one fail"
    assert found.source(NEXT) is None


@pytest.mark.parametrize("name", ["PLEXSTEDI_STEDI_API_KEY", "PLEXSTEDI_STEDI_API_KEY_NEXT"])
def test_keys_that_come_from_elsewhere_cannot_be_promoted_here(name: str) -> None:
    drawer = Drawer({"stedi-api-key": "old-key", "stedi-api-key-next": "new-key"})
    with pytest.raises(CredentialsFault, match=name):
        secrets({name: "x"}, drawer).promote_next_stedi_key()
    assert drawer.entries["stedi-api-key"] == "old-key"


def test_without_a_next_key_there_is_nothing_to_promote() -> None:
    with pytest.raises(CredentialsFault, match="stedi-api-key-next is not set"):
        secrets(drawer=Drawer({"stedi-api-key": "old-key"})).promote_next_stedi_key()


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_an_unreadable_credential_is_an_error(systemd: Callable[..., dict[str, str]]) -> None:
    with pytest.raises(CredentialsFault, match="cannot be read"):
        secrets({**systemd(mode=0), "PLEXSTEDI_STEDI_API_KEY": "old"}).get(KEY)


def printing(*command: str) -> Secrets:
    return Secrets({"PLEXSTEDI_PLEX_API_KEY": "other"}, SetClock(), Drawer({"stedi-api-key": "old"}), {KEY: command})


def test_a_program_may_print_the_secret_and_comes_before_the_keyring() -> None:
    found = printing("printf", f"{SECRET}\\n")
    assert found.get(KEY).get_secret_value() == SECRET
    assert str(found.source(KEY)) == "command printf"
    assert found.unchangeable(KEY) is not None
    with pytest.raises(CredentialsFault, match="comes from the command printf"):
        found.promote_next_stedi_key()


def test_a_program_gets_none_of_the_other_secrets() -> None:
    assert "PLEXSTEDI" not in printing("sh", "-c", "env | tr '\\n' ' '; echo end").get(KEY).get_secret_value()


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("sh", "-c", f"echo {SECRET}; echo {SECRET} >&2; exit 3"), "ended with 3"),
        (("/no/such/program",), "cannot be started"),
        (("true",), "is empty"),
        (("printf", "a\\nb"), "line break"),
        (("head", "-c", "20000", "/dev/zero"), "too much"),
        (("printf", "\\377"), "not print text"),
    ],
)
def test_a_program_that_fails_is_named_and_an_older_key_is_not_used(command: tuple[str, ...], word: str) -> None:
    with pytest.raises(CredentialsFault) as caught:
        printing(*command).get(KEY)
    assert word in caught.value.message
    assert "credentials.commands.stedi-api-key" in caught.value.message
    assert SECRET not in f"{caught.value.message} {caught.value.fix}"
