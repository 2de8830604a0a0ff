"""README's way from nothing to a running timer, command by command, on a clean machine with systemd as PID 1."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from tests.install.machine import ROOT, Machine, NoMachine, clean_machine
from tests.install.test_standby import KEYS, litestream_settings
from tests.install.test_standby import storage as _storage

storage = _storage
"""The fixture of the fail-over drill."""
README = (ROOT / "README.md").read_text()
ANSWERS = (
    " --api connect --tenant-id 01234567-89ab-cdef-0123-456789abcdef --usage-indicator T --company 'Acme Inc'"
    " --write report-only --every-minutes 5"
)
"""What a person answers to `init`, which asks on a terminal."""


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}$(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def blocks(heading: str, indent: int = 8) -> list[str]:
    """The blocks of commands of a section, in order."""
    return [textwrap.dedent(block) for block in re.findall(rf"(?:^ {{{indent}}}.*\n)+", section(heading), re.MULTILINE)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Plex and Stedi, on the real clock: the runs are real ones."""
    clock = SandboxClock.running()
    sandbox = Sandbox(sample_tenant(6, 2, 7, clock.now()), clock)
    with sandbox.serve():
        yield sandbox


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Machine]:
    """A machine where a person types the sandbox's keys, and edits the configuration into the sandbox's."""
    keys = secrets(sandbox)
    with ExitStack() as running:
        try:
            machine = running.enter_context(clean_machine(tmp_path_factory.mktemp("machine")))
        except NoMachine as reason:
            pytest.skip(str(reason))
        machine.write("/root/edited.toml", config_text(sandbox) + "\n[run]\nevery_minutes = 5\n")
        said = f"*Plex*) printf %s '{keys['plex-api-key']}' ;; *) printf %s '{keys['stedi-api-key']}' ;;"
        machine.programs(
            {"nano": 'cat /root/edited.toml > "$1"', "systemd-ask-password": f'case "$*" in {said} esac'},
        )
        yield machine


def follow(machine: Machine, heading: str) -> str:
    """Run every block; return all that was said."""
    said = []
    for block in blocks(heading):
        script = re.sub(r"( init)$", lambda found: found[1] + ANSWERS, block, flags=re.MULTILINE)
        said.append(machine.run(script).ok())
    return "\n".join(said)


@pytest.mark.long
def test_from_nothing_to_a_running_timer(machine: Machine, sandbox: Sandbox, storage: str) -> None:
    """One test: each step needs those before it."""
    assert len(blocks("Install on a server")) == 7
    said = follow(machine, "Install on a server")
    assert "plexstedi.timer" in said
    assert len(sandbox.generated()) >= 4, "the orders went out"
    shown = machine.run(
        "systemctl show plexstedi.service -p Result,ExecMainStatus; systemctl is-active plexstedi.timer"
    )
    assert shown.ok().split() == ["Result=success", "ExecMainStatus=0", "active"]
    assert re.search(r"Last run|last run", said), said[-2000:]

    state = machine.run("stat -c '%U %a' /var/lib/plexstedi /var/lib/plexstedi/state.sqlite3").ok()
    assert state.split() == ["plexstedi", "700", "plexstedi", "600"]
    journal = machine.run("journalctl -u plexstedi.service --no-pager").ok()
    for secret in secrets(sandbox).values():
        assert secret not in said + journal
        assert machine.run(f"grep -rqF '{secret}' /etc /var/lib /opt/plexstedi/bin").code == 1, "only encrypted"

    _the_page_for_a_web_server(machine)
    _who_may_not_look_is_told_how(machine)
    _a_second_plant_beside_it(machine, sandbox)
    _a_standby_takes_over(machine, sandbox, storage)


def _the_page_for_a_web_server(machine: Machine) -> None:
    """README, "The page": the folder, the setting and the unit's `ReadWritePaths=`."""
    found = re.search(r"^    sudo (install -d .* (/srv/\S+))\n\n    (\[run\])\n    (html = .*)$", README, re.MULTILINE)
    assert found is not None
    make_folder, folder, _, setting = found.groups()
    assert f"`ReadWritePaths={folder}`" in README
    page = f"{folder}/index.html"
    machine.run(f"{make_folder} && sed -i 's|^every_minutes.*|&\\n{setting}|' /etc/plexstedi/plexstedi.toml").ok()

    machine.run("systemctl start plexstedi.service").ok()
    assert machine.run(f"test -e {page}").code == 1, "the unit is closed: the run goes on without the page"
    assert machine.run("systemctl show plexstedi.service -p Result --value").ok().strip() == "success"

    machine.run("mkdir -p /etc/systemd/system/plexstedi.service.d").ok()
    machine.write("/etc/systemd/system/plexstedi.service.d/page.conf", f"[Service]\nReadWritePaths={folder}\n")
    machine.run("systemctl daemon-reload && systemctl start plexstedi.service").ok()
    assert "<html" in machine.run(f"sudo -u nobody cat {page}").ok(), "a web server can read it"


def _who_may_not_look_is_told_how(machine: Machine) -> None:
    machine.run("useradd --create-home ann").ok()
    for member in (False, True):
        if member:
            machine.run("usermod -aG plexstedi ann").ok()
        asked = machine.run("sudo -u ann plexstedi status")
        assert asked.code == 4, asked.out
        assert "sudo -u plexstedi plexstedi status" in asked.out
        assert "Traceback" not in asked.out
    for command in (
        "status --json",
        "check --json",
        "run",
        "submit --dry-run",
        "review list",
        "credentials list",
        "init",
    ):
        asked = machine.run(f"sudo -u ann plexstedi {command}")
        assert asked.code in (0, 2, 4, 7), (command, asked.out)
        assert "Traceback" not in asked.out, command
    as_root = machine.run("plexstedi status")
    assert as_root.code == 4
    assert "sudo -u plexstedi plexstedi status" in as_root.out


def _a_second_plant_beside_it(machine: Machine, sandbox: Sandbox) -> None:
    before = len(sandbox.generated())
    assert len(blocks("Several plants")) == 1
    said = follow(machine, "Several plants")
    shown = machine.run("systemctl show plexstedi@dallas.service -p Result; systemctl is-active plexstedi@dallas.timer")
    assert shown.ok().split() == ["Result=success", "active"], said
    # The same tenant in another state file: its files at Stedi are not in this state, so nothing goes out twice.
    assert len(sandbox.generated()) == before
    listed = machine.run("ls /var/lib/plexstedi/dallas").ok()
    assert "state.sqlite3" in listed
    at = machine.run("systemctl show plexstedi@dallas.timer -p NextElapseUSecRealtime --value").ok().strip()
    assert datetime.strptime(at.rsplit(" ", 1)[0], "%a %Y-%m-%d %H:%M:%S").year >= 2026  # noqa: DTZ007


def _a_standby_takes_over(machine: Machine, sandbox: Sandbox, storage: str) -> None:
    """README, "Standby": the state is copied, the move loses nothing, and the commands of the fail-over start the other
    host. It is the same machine without its state: what it has besides, README has brought to both."""
    active, standby = blocks("Standby", 4)
    machine.write("/root/litestream.yml", litestream_settings(storage, "recipe"))
    machine.write("/root/litestream.env", "".join(f"{name}={value}\n" for name, value in KEYS.items()))
    machine.programs({"nano": 'for file in "$@"; do cat "/root/${file##*/}" > "$file"; done'})
    machine.run(active).ok()
    move = [
        re.sub(r"\s+", " ", code)
        for code in re.findall(r"`([^`]+)`", section("Standby").partition("A planned move")[2])
    ]
    assert [command.split()[0].rpartition("/")[2] for command in move[:3]] == ["systemctl", "litestream", "systemctl"]
    for command in move[:3]:
        machine.run(command).ok()
    sent = len(sandbox.generated())
    known = _counted(machine)

    machine.run("mv /var/lib/plexstedi /root/old-host").ok()
    machine.run(standby).ok()
    assert len(sandbox.generated()) == sent, "nothing goes out twice"
    shown = machine.run(
        "systemctl show plexstedi.service -p Result --value; systemctl is-active plexstedi.timer litestream"
    )
    assert shown.ok().split() == ["success", "active", "active"]
    assert _counted(machine) == known
    assert "none changed" in machine.run("sudo -u plexstedi plexstedi audit verify").ok()


def _counted(machine: Machine) -> tuple[int, int]:
    """How many orders and documents the state knows."""
    shown = json.loads(machine.run("sudo -u plexstedi plexstedi status --json").ok())
    return sum(shown["orders"].values()), sum(shown["documents"]["state"].values())
