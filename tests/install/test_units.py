"""The units that README installs are valid, and can do little else than their work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SERVICES = ("plexstedi.service", "plexstedi@.service")
BESIDE = ("litestream.service",)
TIMERS = ("plexstedi.timer", "plexstedi@.timer")
MOST_EXPOSURE = 2.0

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def settings(unit: str) -> dict[str, list[str]]:
    """The keys of a unit with their values."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (EXAMPLES / unit).read_text(), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@with_systemd
@pytest.mark.parametrize("unit", [*SERVICES, *BESIDE, *TIMERS])
def test_systemd_understands_every_line(tmp_path: Path, unit: str) -> None:
    """What it does not understand it ignores: a misspelt line of hardening would protect nothing."""
    for name in (*SERVICES, *BESIDE, *TIMERS):
        text = (EXAMPLES / name).read_text()
        # The program is not installed here.
        (tmp_path / name).write_text(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    checked = tmp_path / unit.replace("@.", "@dallas.")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", checked], capture_output=True, text=True, check=False
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if str(tmp_path) in line or "plexstedi" in line]
    assert (done.returncode, ours) == (0, [])


@with_systemd
@pytest.mark.parametrize("unit", [*SERVICES, *BESIDE])
def test_a_service_is_exposed_little(unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", EXAMPLES / unit],
        capture_output=True,
        text=True,
        check=True,
    )
    rated = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert rated is not None
    assert float(rated[1]) <= MOST_EXPOSURE


@pytest.mark.parametrize("unit", SERVICES)
def test_a_run_that_goes_on_by_itself_is_no_failed_unit(unit: str) -> None:
    """3, 5 and 6 are alerted by the program, or mended by the next run; 1, 4 and 7 are failures of the unit."""
    assert settings(unit)["SuccessExitStatus"] == ["3 5 6"]


def test_a_plant_has_all_of_its_own_and_the_same_limits() -> None:
    """Nothing of one plant is another's: configuration, state, secrets. Whatever else a service has, the other has."""
    one, plant = settings("plexstedi.service"), settings("plexstedi@.service")
    own = {"Description", "ConfigurationDirectory", "StateDirectory", "LoadCredentialEncrypted"}
    assert {key: values for key, values in plant.items() if key not in own} == {
        key: values for key, values in one.items() if key not in own
    }
    for key in own:
        assert all("%i" in value for value in plant[key]), key
        assert not any("%i" in value for value in one[key]), key
    names = [value.split(":")[0] for value in plant["LoadCredentialEncrypted"]]
    assert names == one["LoadCredentialEncrypted"], "a secret has the name that the program looks for"


@pytest.mark.parametrize("timer", TIMERS)
def test_a_timer_is_started_with_the_machine_and_makes_up_for_what_it_missed(timer: str) -> None:
    assert settings(timer)["WantedBy"] == ["timers.target"]
    assert settings(timer)["Persistent"] == ["true"]
    assert settings(timer)["OnCalendar"] == ["*:0/5"]
