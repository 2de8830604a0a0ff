"""A clean machine for the recipes of README: systemd as PID 1 over a copy of this machine's files, thrown away after.

It needs root, and a kernel that lets namespaces mount overlays and control groups. Where that is not so, the tests that
use it are skipped with the reason.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BOOT = Path(__file__).with_name("boot")
PROJECT = "/root/plexstedi"
"""Where the machine has the project's files: what a release holds."""
_FILES = ("plexstedi", "examples", "config.example.toml", "pyproject.toml", "README.md", "LICENSE")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OF_PIP = ("PIP_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_BOOT_SECONDS = 120.0
_END_SECONDS = 10.0


class NoMachine(Exception):
    """This machine cannot start another; the text says why."""


@dataclass(frozen=True)
class Ran:
    """What a script said and how it ended."""

    code: int
    out: str

    def ok(self) -> str:
        """Its output; fail if it failed."""
        assert self.code == 0, f"ended with {self.code}:\n{self.out}"
        return self.out


@dataclass(frozen=True)
class Machine:
    """A running machine."""

    pid: int
    """Of its PID 1, as seen from here."""

    def run(self, script: str, *, stdin: bytes = b"", seconds: float = 900) -> Ran:
        """Run a shell script as root; it ends at the first command that fails."""
        environment = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(_OF_PIP)]
        done = subprocess.run(
            [
                *("nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C"),
                *("env", "-i", f"PATH={_PATH}", "HOME=/root", "LANG=C.UTF-8", *environment),
                *("bash", "-euo", "pipefail", "-c", f"cd {PROJECT} 2>/dev/null || cd /root\n{script}"),
            ],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(errors="replace"))

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Create or replace a file, with the mode only if it is new."""
        script = f'new=0; [ -e "{path}" ] || new=1; cat > "{path}"; [ $new = 0 ] || chmod {mode} "{path}"'
        self.run(script, stdin=text.encode()).ok()

    def programs(self, scripts: Mapping[str, str]) -> None:
        """Programs in /usr/local/bin that answer for a person: what a terminal would ask."""
        for name, body in scripts.items():
            self.write(f"/usr/local/bin/{name}", f"#!/bin/sh\n{body}\n", "0755")


@contextmanager
def clean_machine(scratch: Path) -> Iterator[Machine]:
    """A machine that has the project's files and nothing installed. Raise NoMachine if there can be none here."""
    if os.geteuid() != 0:
        raise NoMachine("only root can start a machine of its own")
    missing = [name for name in ("unshare", "nsenter", "setpriv", "systemd-analyze") if shutil.which(name) is None]
    if not Path("/lib/systemd/systemd").exists():
        missing.append("systemd")
    if missing:
        raise NoMachine(f"there is no {', '.join(missing)} here")
    # Where the tests are ended hard, the machine ends with them.
    command = ["setpriv", "--pdeathsig", "KILL", BOOT, scratch]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    first = None
    try:
        first = _first_process(process)
        machine = Machine(first)
        _until_started(machine, process)
        machine.run(f"mkdir -p {PROJECT} && tar -x -C {PROJECT}", stdin=_project()).ok()
        yield machine
    finally:
        if first is not None:
            with suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
        process.kill()
        process.communicate()
        for base in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            _remove_groups(Path(base) / f"plexstedi-test-{process.pid}")


def _remove_groups(groups: Path) -> None:
    """Remove the machine's control groups, once its processes are gone."""
    until = time.monotonic() + _END_SECONDS
    while groups.is_dir() and time.monotonic() < until:
        for folder in sorted((Path(one) for one, _, _ in os.walk(groups)), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        _pause()


def _first_process(process: subprocess.Popen[bytes]) -> int:
    """The machine's PID 1, once it is systemd."""
    until = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
        _pause()
    process.kill()
    raise NoMachine(f"no machine starts here: {process.communicate()[0].decode(errors='replace').strip()[:300]}")


def _until_started(machine: Machine, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if machine.run("systemctl is-system-running || true").out.strip() in ("running", "degraded"):
            return
        _pause()
    raise NoMachine("systemd does not come up here")


def _pause() -> None:
    # Another process's start is waited for: there is no clock of ours to set forward.
    time.sleep(0.05)


def _project() -> bytes:
    """The project's files as an archive, without what Python keeps."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in _FILES:
            archive.add(ROOT / name, name, filter=lambda each: None if "__pycache__" in each.name else each)
    return buffer.getvalue()
