"""CI also runs the unit tests on the newest Python of the machine, where one is newer than the one that it has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FINDER = ROOT / ".ci" / "newer-python"

WORKS, BROKEN = "exit 0", "echo 'no such version'; exit 127"


def script(file: Path, body: str) -> Path:
    """A program of a line of shell."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def newer_than(minor: int, place: Path, programs: dict[str, str]) -> str:
    """What is found beside Python 3.`minor` where PATH has these programs, in its folders `first` and `then`."""
    for name, body in programs.items():
        script(place / name, body)
    own = script(place / "own" / "python", f"echo {minor}")
    # Nothing of this machine: it may have a newer Python itself.
    path = f"{place / 'first'}:{place / 'then'}"
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, str(FINDER), str(own)], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip().removeprefix(f"{place}/")


@pytest.mark.parametrize(
    ("minor", "programs", "found"),
    [
        pytest.param(14, {"first/python3.14": WORKS, "first/python3.13": WORKS}, "", id="none is newer"),
        pytest.param(
            11, {f"first/python3.{n}": WORKS for n in (12, 13, 14)}, "first/python3.14", id="the newest of several"
        ),
        pytest.param(
            11,
            {"first/python3.14": BROKEN, "first/python3.13": WORKS, "then/python3.14": WORKS},
            "then/python3.14",
            id="one that does not run hides no other of its name",
        ),
        pytest.param(
            13, {"first/python3.14": BROKEN, "then/python3.14": BROKEN, "first/python3.13": WORKS}, "", id="none runs"
        ),
    ],
)
def test_the_newest_python_that_runs(tmp_path: Path, minor: int, programs: dict[str, str], found: str) -> None:
    assert newer_than(minor, tmp_path, programs) == found
