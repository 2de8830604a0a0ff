"""The man page and the reference of commands say what the program does, and every reader of them shows them."""

from __future__ import annotations

import shutil
import subprocess
import tomllib

import pytest

from tests.manual import MAN, REFERENCE, ROOT, commands, man_page, reference


def test_both_are_as_made_from_the_help() -> None:
    """Else: `python tests/manual.py` writes them."""
    assert MAN.read_text() == man_page()
    assert REFERENCE.read_text() == reference()


def test_every_command_is_told_with_an_example() -> None:
    told = list(commands())
    assert {"run", "review accept", "credentials rotate"} <= {each.name for each in told}
    assert all(each.example and each.told for each in told)


def test_the_package_brings_the_man_page() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["shared-data"] == {"docs/plexstedi.1": "share/man/man1/plexstedi.1"}
    assert "docs" in build["sdist"]["include"]


@pytest.mark.parametrize(
    "line",
    [
        ("groff", "-man", "-ww", "-Tutf8", "-z"),
        ("mandoc", "-Tlint", "-Wwarning"),
        ("man", "--warnings=w", "-l", "-P", "cat"),
    ],
    ids=lambda line: line[0],
)
def test_a_reader_of_man_pages_warns_of_nothing(line: tuple[str, ...]) -> None:
    if shutil.which(line[0]) is None:
        pytest.skip(f"no {line[0]} here")
    done = subprocess.run([*line, str(MAN)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
