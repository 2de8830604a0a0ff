"""What decides what is sent can be written by root and the user alone; all else is refused with the command to run."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plexstedi import ownership
from plexstedi.errors import StateUnusable, UntrustedFile
from plexstedi.ownership import OwnedPath, Role, must_be_ours, open_to_group, opening_to_group, opening_to_others
from plexstedi.state.store import Store

from .conftest import NOW, Cli, an_order, record

KEYS = {"PLEXSTEDI_PLEX_API_KEY": "k1", "PLEXSTEDI_STEDI_API_KEY": "k2"}
STRANGER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
COMMANDS = (
    ("run",),
    ("poll", "--dry-run"),
    ("submit",),
    ("ingest-acks",),
    ("status",),
    ("status", "PO-1001"),
    ("status", "--check"),
    ("check", "--offline"),
    ("review", "list"),
    ("audit", "verify"),
    ("replay", "PO-1001", "--reason", "x", "--yes"),
    ("recover", "--yes"),
    ("credentials", "set", "stedi-api-key"),
)


@pytest.mark.parametrize(
    ("role", "mode", "owner", "word"),
    [
        (Role.FILE, 0o644, 1000, None),
        (Role.FILE, 0o644, 0, None),
        (Role.FILE, 0o666, 0, "chmod o-w"),
        (Role.FILE, 0o1666, 1000, "chmod o-w"),
        (Role.FILE, 0o600, 1001, "chown"),
        (Role.FOLDER, 0o777, 1000, "chmod o-w"),
        (Role.FOLDER, 0o755, 1001, "chown"),
        (Role.FOLDER, 0o1777, 0, None),
        (Role.FOLDER, 0o1777, 1001, "chown"),
        (Role.LINK, 0o777, 1000, None),
        (Role.LINK, 0o777, 1001, "chown -h"),
        (Role.ABOVE, 0o755, 1001, None),
        (Role.ABOVE, 0o1777, 0, None),
        (Role.ABOVE, 0o777, 0, "chmod o-w"),
        (Role.ABOVE, 0o777, 0, "chmod +t"),
    ],
)
def test_who_is_trusted(role: Role, mode: int, owner: int, word: str | None) -> None:
    opening = opening_to_others(OwnedPath(Path("/a b"), role, mode, owner), 1000)
    assert (opening is None) is (word is None)
    if opening is not None and word is not None:
        assert word in opening.fix
        assert any(span.endswith("'/a b'") for span in opening.fix.split("`")), "the command can be copied"


@pytest.mark.parametrize(
    ("role", "mode", "told"),
    [
        (Role.FILE, 0o664, True),
        (Role.FILE, 0o644, False),
        (Role.FOLDER, 0o775, True),
        (Role.FOLDER, 0o3775, False),
        (Role.ABOVE, 0o775, False),
        (Role.LINK, 0o777, False),
    ],
)
def test_a_group_that_may_write_is_worth_a_word(role: Role, mode: int, told: bool) -> None:
    assert (opening_to_group(OwnedPath(Path("/x"), role, mode, 0)) is not None) is told


def with_guide(cli: Cli) -> Path:
    guide = cli.home / "guides" / "acme.json"
    guide.parent.mkdir(mode=0o755)
    guide.write_text('{"properties": {"heading": {"type": "object", "properties": {}}}}')
    setting = 'transaction_setting_id = "004010-860"'
    cli.config.write_text(cli.config.read_text().replace(setting, f'{setting}\nguide_schema = "guides/acme.json"'))
    return guide


def with_state(cli: Cli) -> None:
    store = Store.open(cli.state, NOW)
    record(store, an_order())
    store.close()


def refused(cli: Cli, path: Path, how: str, *command: str) -> None:
    ran = cli.run(*command, "--json", stdin="secret\n", **KEYS)
    assert (ran.code, "Traceback" in ran.err) == (4, False), (command, ran.err)
    told = ran.json["error"]
    assert (told["code"] == "untrusted") or command[0] == "check", told
    assert str(path) in told["message"]
    assert how in told["message"] + told["fix"], told


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_a_folder_that_everybody_can_write(cli: Cli, command: tuple[str, ...]) -> None:
    """Configuration and state lie in it."""
    with_state(cli)
    cli.home.chmod(0o777)
    refused(cli, cli.home, f"chmod o-w {cli.home}", *command)


def everybody(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o002)


def a_stranger(path: Path) -> None:
    os.chown(path, STRANGER, -1)


@pytest.mark.parametrize("what", ["plexstedi.toml", "guides", "guides/acme.json", "state.sqlite3", "state.sqlite3-wal"])
@pytest.mark.parametrize("change", [everybody, pytest.param(a_stranger, marks=as_root)])
def test_each_file_and_folder_counts_and_the_command_that_is_named_mends_it(
    cli: Cli, what: str, change: Callable[[Path], None]
) -> None:
    with_guide(cli)
    with_state(cli)
    path = cli.home / what
    path.touch()
    change(path)
    for command in (("status",), ("check", "--offline")):
        refused(cli, path, "chmod o-w" if change is everybody else "chown", *command)
    said = cli.run("check", "--offline", **KEYS).out
    advice = re.search(r"`(ch[^`]+)`", said)
    assert advice is not None
    subprocess.run(shlex.split(advice[1]), check=True)
    assert cli.run("check", "--offline", **KEYS).code == 0


def test_nothing_was_asked_or_made_before_the_refusal(cli: Cli) -> None:
    cli.home.chmod(0o777)
    before = set(cli.home.iterdir())
    refused(cli, cli.home, "chmod", "run")
    assert set(cli.home.iterdir()) == before


def test_an_alert_command_of_a_file_that_others_can_write_is_not_run(cli: Cli) -> None:
    cli.config.write_text(cli.config.read_text() + f'[alerts]\ncommand = ["touch", "{cli.home}/done-by-others"]\n')
    cli.config.chmod(0o666)
    assert cli.run("run", **KEYS).code == 4
    assert not (cli.home / "done-by-others").exists()


def test_a_link_counts_with_both_of_its_ends(cli: Cli, tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    (open_folder / "link.toml").symlink_to(cli.config)
    named = ("--config", str(open_folder / "link.toml"), "--state", str(cli.state))
    assert cli.bare(*named, "status").code == 0
    open_folder.chmod(0o777)
    assert cli.bare(*named, "status").code == 4, "whoever can write there puts another link in its place"
    open_folder.chmod(0o755)
    cli.config.chmod(0o666)
    assert cli.bare(*named, "status").code == 4


def test_a_folder_above_counts_where_others_could_put_another_in_its_place(cli: Cli, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    refused(cli, tmp_path, f"chmod o-w {tmp_path}", "status")
    tmp_path.chmod(0o1777)
    assert cli.run("status").code == 0, "as in /tmp nobody replaces what is another's"


def test_a_folder_that_is_yet_to_be_made_is_no_fault(cli: Cli) -> None:
    assert cli.bare("--config", str(cli.config), "--state", str(cli.home / "new" / "s.sqlite3"), "status").code == 0


def test_check_warns_of_a_group_that_may_write(cli: Cli) -> None:
    guide = with_guide(cli)
    with_state(cli)
    for path in (cli.config, guide, guide.parent, cli.home):
        path.chmod(0o775)
    ran = cli.run("check", "--offline", "--json", **KEYS)
    assert ran.code == 0, ran.err
    warned = {f["subject"] for f in ran.json["findings"] if f["verdict"] == "warn" and "chmod g-w" in f["fix"]}
    assert warned == {str(path) for path in (cli.config, guide, guide.parent, cli.home)}
    assert cli.run("status").code == 0


def test_what_init_makes_is_trusted_whatever_the_umask(cli: Cli) -> None:
    file = cli.home / "new" / "deep" / "plexstedi.toml"
    given = ("--api", "connect", "--tenant-id", "01234567-89ab-cdef-0123-456789abcdef", "--usage-indicator", "T")
    command = (sys.executable, "-m", "plexstedi", "--config", str(file), "init", *given)
    made = subprocess.run(
        ["sh", "-c", 'umask 0; exec "$@"', "sh", *command, "--company", "Acme", "--write", "report-only"],
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert cli.bare("--config", str(file), "status").code == 0


def test_on_a_mount_that_nobody_can_write_modes_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container gets its configuration as links in a folder of mode 0777, mounted read-only."""
    tmp_path.chmod(0o777)
    (tmp_path / "plexstedi.toml").touch(0o664)
    with pytest.raises(UntrustedFile):
        must_be_ours([tmp_path / "plexstedi.toml"])

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(ownership.os, "statvfs", lambda path: ReadOnly)
    must_be_ours([tmp_path / "plexstedi.toml"])
    assert open_to_group([tmp_path / "plexstedi.toml"]) == []


@pytest.mark.parametrize(
    "command", [("run",), ("status",), ("submit", "--dry-run"), ("recover",), ("check", "--offline")], ids=" ".join
)
def test_a_folder_in_place_of_the_state_file_is_named_and_its_mode_is_not_to_be_changed(
    cli: Cli, command: tuple[str, ...]
) -> None:
    """The fix for /tmp was `chmod o-w /tmp`; for another folder it was to look for permissions."""
    folder = cli.home / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    ran = cli.bare("--config", str(cli.config), "--state", str(folder), *command, **KEYS)
    assert ran.code == 7
    assert f"{folder} is a folder" in ran.err
    assert "--state FILE" in ran.err
    assert "chmod" not in ran.out + ran.err


def test_no_mode_of_a_device_is_to_be_changed() -> None:
    must_be_ours([Path("/dev/null")])
    with pytest.raises(StateUnusable, match="/dev/null is no regular file"):
        Store.open_to_read(Path("/dev/null"))
