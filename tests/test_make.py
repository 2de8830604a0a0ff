"""The named parts of `make` run every test of the normal suite once, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()


def part(name: str) -> list[str]:
    """The folders and files that a variable of the Makefile lists."""
    found = re.search(rf"^{name} = ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert found is not None, name
    return found[1].replace("\\\n", " ").split()


def test_unit_and_commands_run_every_test_once() -> None:
    named = [*part("UNIT"), *part("COMMANDS")]
    assert len(named) == len(set(named))
    with_tests = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").iterdir()
        if (path.is_dir() and any(path.rglob("test_*.py"))) or path.match("test_*.py")
    }
    assert set(named) == with_tests


def test_each_tool_that_ci_runs_is_a_part() -> None:
    for tool in ("ruff check .", "ruff format --check .", "mypy", "-m long"):
        assert tool in MAKEFILE
        assert tool in (ROOT / ".ci" / "run").read_text()
