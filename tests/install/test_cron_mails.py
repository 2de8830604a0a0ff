"""Both lines of the cron file, run as cron runs them: what they print is what cron mails."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox

CRON = (Path(__file__).parents[2] / "examples" / "plexstedi.cron").read_text()
MAILS, LOGS = (line.partition(" plexstedi ")[2] for line in CRON.splitlines() if line.lstrip("#").startswith("*/5"))


@dataclass(frozen=True)
class Crontab:
    """A user's account with the configuration and the stored secrets; cron gives its commands little else."""

    home: Path
    sandbox: Sandbox

    @property
    def log(self) -> Path:
        return self.home / "plexstedi.log"

    def shell(self, command: str, stdin: str = "") -> tuple[int, str]:
        """What a command leaves: its exit code, and what cron mails."""
        line = command.replace("/opt/plexstedi/bin/plexstedi", f"{sys.executable} -m plexstedi")
        line = line.replace("/etc/plexstedi/plexstedi.toml", str(self.home / "plexstedi.toml"))
        line = line.replace("/var/log/plexstedi/plexstedi.log", str(self.log))
        variables = dict(re.findall(r"^(PATH|MAILTO)=(.*)$", CRON, re.MULTILINE))
        ran = subprocess.run(
            [re.search(r"^SHELL=(.*)$", CRON, re.MULTILINE)[1], "-c", line],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**variables, "HOME": str(self.home), "LOGNAME": "plexstedi", "SHELL": "/bin/sh"},
            cwd=self.home,
            timeout=120,
            check=False,
        )
        return ran.returncode, ran.stdout

    def store(self, name: str, value: str) -> None:
        """What IT does once as this user."""
        code, said = self.shell(MAILS.removesuffix("run") + f"credentials set {name}", stdin=value)
        assert code == 0, said


@pytest.fixture
def crontab(tmp_path: Path) -> Iterator[Crontab]:
    clock = SandboxClock.running()
    sandbox = Sandbox(sample_tenant(2, 1, 7, clock.now()), clock)
    with sandbox.serve():
        account = Crontab(tmp_path, sandbox)
        state = tmp_path / "state.sqlite3"
        (tmp_path / "plexstedi.toml").write_text(f'{config_text(sandbox, "connect")}\n[state]\npath = "{state}"\n')
        for name, value in secrets(sandbox).items():
            account.store(name, value)
        yield account


def idle(crontab: Crontab, line: str) -> None:
    """Everything is sent and delivered, and nothing is left to do."""
    for _ in range(6):
        before = crontab.shell(line)
        if before == (0, ""):
            return
        crontab.sandbox.advance(timedelta(hours=1))
    pytest.fail(f"never idle: {before}")


def test_the_first_line_mails_what_was_done_then_nothing_then_a_fault_once(crontab: Crontab) -> None:
    code, mail = crontab.shell(MAILS)
    assert (code, "2 documents sent" in mail) == (0, True), mail
    idle(crontab, MAILS)
    crontab.store("plex-api-key", "a key that Plex refuses")
    code, mail = crontab.shell(MAILS)
    assert code == 4
    assert "fix: " in mail
    assert crontab.shell(MAILS) == (4, ""), "the same fault is mailed once a day"
    crontab.store("plex-api-key", secrets(crontab.sandbox)["plex-api-key"])
    code, mail = crontab.shell(MAILS)
    assert (code, "works again" in mail) == (0, True), mail


def test_the_other_line_mails_nothing_and_its_log_has_it(crontab: Crontab) -> None:
    assert crontab.shell(LOGS) == (0, "")
    assert "2 documents sent" in crontab.log.read_text()
    crontab.store("plex-api-key", "a key that Plex refuses")
    assert crontab.shell(LOGS) == (4, "")
    assert "fix: " in crontab.log.read_text()
