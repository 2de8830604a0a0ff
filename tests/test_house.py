"""The shape of the house: who may import whom, and papers that say what the program does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import plexstedi
from plexstedi.errors import ExitCode

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "plexstedi"

SHARED = {"errors", "internal", "clock", "decimal_json", "ownership", "durable", "plain_text", "advice"}
MAY_USE: dict[str, set[str]] = {
    "edi": set(),
    "state": {"edi"} | SHARED,
    "http": SHARED,
    "plex": {"edi", "http"} | SHARED,
    "stedi": {"http"} | SHARED,
    "config": {"edi"} | SHARED,
    "credentials": SHARED,
    "sandbox": SHARED,
    "sync": {"edi", "plex", "stedi", "state", "http", "config", "credentials"} | SHARED,
    "cli": {"sync", "state", "edi", "config", "credentials", "sandbox"} | SHARED,
}
"""Room by room what it may import beside itself (DESIGN.md: `cli → sync → {edi, plex, stedi, state}`)."""


def imports(file: Path) -> set[str]:
    """Rooms of the program that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "plexstedi" and len(parts) > 1:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("room", sorted(MAY_USE))
def test_imports_run_one_way(room: str) -> None:
    wrong = {
        str(file.relative_to(ROOT)): sorted(extra)
        for file in (PACKAGE / room).rglob("*.py")
        if (extra := imports(file) - MAY_USE[room] - {room})
    }
    assert wrong == {}


def test_only_demo_and_sandbox_know_the_sandbox() -> None:
    knowing = {
        file.name
        for file in PACKAGE.rglob("*.py")
        if file.relative_to(PACKAGE).parts[0] != "sandbox" and "sandbox" in imports(file)
    }
    assert knowing == {"demo.py", "sandbox.py"}


def test_only_the_http_layer_imports_httpx_besides_who_builds_clients() -> None:
    using = {
        file.relative_to(PACKAGE).parts[0]
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(import httpx|from httpx)", file.read_text(), re.MULTILINE)
    }
    assert using <= {"http", "plex", "stedi", "sync"}


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == plexstedi.__version__
    assert f'version = "{plexstedi.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_readme_names_every_command_and_exit_code() -> None:
    text = (ROOT / "README.md").read_text()
    for file in (PACKAGE / "cli").glob("*.py"):
        for command in re.findall(r'@app\.command\(\s*"([a-z-]+)"', file.read_text()):
            assert f"`{command}`" in text, f"README does not name {command}"
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \|", text, re.MULTILINE), f"README lacks exit code {int(code)}"


def test_the_two_single_commands_stand_in_the_readme_before_everything_else() -> None:
    text = (ROOT / "README.md").read_text()
    demo = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/plexstedi demo"
    tests = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert 0 < text.index(demo) < text.index(tests) < text.index("## ")
