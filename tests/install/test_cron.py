"""The cron line and the rotation of its log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CRON = (EXAMPLES / "plexstedi.cron").read_text()
ROTATION = EXAMPLES / "plexstedi.logrotate"


def test_one_line_runs_and_only_one() -> None:
    """Two would be two runs and two mails."""
    in_effect = [line for line in CRON.splitlines() if line.startswith("*")]
    assert len(in_effect) == 1
    schedule, user, command = re.fullmatch(r"(\S+ \S+ \S+ \S+ \S+) (\S+) (.*)", in_effect[0]).groups()
    assert (schedule, user) == ("*/5 * * * *", "plexstedi")
    assert command == "/opt/plexstedi/bin/plexstedi --config /etc/plexstedi/plexstedi.toml run"
    assert "%" not in command, "cron makes it a line break"
    assert CRON.endswith("\n"), "cron passes over a last line without an end"


def test_the_other_line_leaves_cron_nothing_to_mail() -> None:
    (other,) = [line for line in CRON.splitlines() if line.startswith("#*")]
    assert other.endswith(f">>{log_file()} 2>&1")
    (in_effect,) = [line for line in CRON.splitlines() if line.startswith("*")]
    assert other.removeprefix("#").startswith(in_effect)


def log_file() -> str:
    """The file that is rotated."""
    found = re.search(r"^(/\S+) \{$", ROTATION.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def logrotate() -> str:
    """The program; skip without it."""
    found = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip("there is no logrotate here")
    return found


def test_logrotate_takes_the_file_and_keeps_half_a_year(tmp_path: Path) -> None:
    """For this user, and in a folder of its own: else it wants the service's user."""
    log = tmp_path / "plexstedi.log"
    log.write_text("a line\n")
    log.chmod(0o640)
    tmp_path.chmod(0o755)
    text = ROTATION.read_text().replace(log_file(), str(log))
    own = tmp_path / "rotation"
    own.write_text(re.sub(r"^    (?:su .*|create .*)$", "", text, flags=re.MULTILINE))
    own.chmod(0o644)
    program = logrotate()
    tried = subprocess.run([program, "-d", own], capture_output=True, text=True, check=False)
    assert (tried.returncode, re.findall(r"^error.*", tried.stderr, re.MULTILINE)) == (0, [])
    assert "26 rotations" in tried.stderr
    done = subprocess.run(
        [program, "--force", "--state", tmp_path / "kept", own], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "plexstedi.log.1").read_text() == "a line\n"


def test_the_log_belongs_to_the_user_of_the_service() -> None:
    text = ROTATION.read_text()
    assert re.search(r"^    su plexstedi plexstedi$", text, re.MULTILINE)
    assert re.search(r"^    create 0640 plexstedi plexstedi$", text, re.MULTILINE)
