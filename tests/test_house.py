"""The shape of the house: who may import whom, and papers that say what the program does."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import plexstedi
from plexstedi.errors import ExitCode

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "plexstedi"
MOST_LINES = 400
MOST_FILES = 20

SHARED = {
    "errors",
    "internal",
    "logs",
    "clock",
    "decimal_json",
    "encoded",
    "ownership",
    "durable",
    "packed",
    "plain_text",
    "advice",
    "secret_names",
    "secret_text",
}
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


@cache
def is_module(parts: tuple[str, ...]) -> bool:
    path = PACKAGE.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").exists()


@cache
def modules(file: Path) -> tuple[tuple[str, ...], ...]:
    """The modules of the program that a file imports, each by its path below the package."""
    return tuple(_modules(parsed(file)))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _modules(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package, *parts = name.split(".")
            while parts and not is_module(tuple(parts)):
                parts.pop()
            if package == "plexstedi" and parts:
                yield tuple(parts)


def imports(file: Path) -> set[str]:
    """Rooms of the program that a file imports."""
    return {parts[0] for parts in modules(file)}


def place_of(parts: tuple[str, ...]) -> str:
    """Where a module is, at two levels: the room in its room (`sync/submit`), or the file in it (`sync/feed`)."""
    return "/".join(parts[:2])


@cache
def arrows() -> dict[str, set[str]]:
    """Which place imports which, at two levels, over the whole program."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        here = place_of(file.relative_to(PACKAGE).with_suffix("").parts)
        found.setdefault(here, set()).update(place for parts in modules(file) if (place := place_of(parts)) != here)
    return found


@pytest.mark.parametrize("room", sorted(MAY_USE))
def test_imports_run_one_way(room: str) -> None:
    wrong = {
        str(file.relative_to(ROOT)): sorted(extra)
        for file in (PACKAGE / room).rglob("*.py")
        if (extra := imports(file) - MAY_USE[room] - {room})
    }
    assert wrong == {}


def circles(graph: Mapping[str, Collection[str]]) -> list[str]:
    """The places that import themselves over others; none where the arrows run one way."""
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_at_two_levels_no_room_or_file_imports_itself_over_others() -> None:
    found = arrows()
    assert "sync/poll" in found["sync/feed"], "else this looks at nothing"
    assert circles(found) == []


def test_a_circle_is_noticed() -> None:
    """Over three places, and between a room and a file beside it."""
    assert len(circles({"edi/guide": {"edi/outbound"}, "edi/outbound": {"edi/x12"}, "edi/x12": {"edi/guide"}})) == 4
    assert len(circles({"sync/feed": {"sync/poll"}, "sync/poll": {"sync/feed"}})) == 3


STAGES = (
    {"sync/people", "sync/report", "sync/run"},
    {"sync/submit", "sync/ingest"},
    {"sync/feed"},
    {"sync/poll"},
    {"sync/writeback", "sync/setup"},
    {"sync/session"},
    {"sync/services"},
    {"sync/counts"},
)
"""From what knows most to what knows least: a stage imports later ones alone."""


@pytest.mark.parametrize("level", range(len(STAGES)))
def test_a_stage_knows_only_what_is_below_it(level: int) -> None:
    above_or_beside = set().union(*STAGES[: level + 1])
    found = arrows()
    wrong = {place: sorted(found[place] & (above_or_beside - {place})) for place in STAGES[level]}
    if level == 0:
        # A run is made of the stages; it is known to no other.
        wrong = {place: [each for each in others if each == "sync/run"] for place, others in wrong.items()}
    assert {place: others for place, others in wrong.items() if others} == {}


def test_no_file_is_too_long_and_no_folder_too_full() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in PACKAGE.rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > MOST_LINES
    }
    full = {
        str(folder.relative_to(ROOT)): len(files)
        for folder in (PACKAGE, *(each for each in PACKAGE.rglob("*") if each.is_dir()))
        if len(files := list(folder.glob("*.py"))) > MOST_FILES
    }
    assert (long, full) == ({}, {})


TESTS_OF_NO_ROOM = {"benchmarks", "commands", "crash", "faults", "install", "mutants", "edi/guides"}
"""Folders of tests that are about whole commands, or hold what tests of several rooms use."""


def test_folders_of_tests_mirror_the_rooms() -> None:
    """Whoever changes a file finds its tests at the same place below `tests`."""
    tests = ROOT / "tests"
    folders = {str(file.parent.relative_to(tests)) for file in tests.rglob("*.py")} - {"."}
    rooms = {str(room.relative_to(PACKAGE)) for room in PACKAGE.rglob("*") if room.is_dir()}
    assert sorted(folders - rooms - TESTS_OF_NO_ROOM) == []
    assert folders > TESTS_OF_NO_ROOM, "one that is gone is taken from the list"
    assert folders > {"edi/inbound", "sync/submit", "state/file"}, "else this looks at nothing"


def test_no_class_name_means_two_things() -> None:
    """But for the doubles of the sandbox, which speak of the same services."""
    places: dict[str, list[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        if file.relative_to(PACKAGE).parts[0] == "sandbox":
            continue
        for node in parsed(file).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(file.relative_to(PACKAGE)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
    assert len(places) > 200, "else this looks at nothing"


def test_a_face_holds_no_code() -> None:
    """What is imported from a room is imported from its file; the package alone has its version."""
    coded = {
        str(face.relative_to(ROOT))
        for face in PACKAGE.rglob("__init__.py")
        for node in parsed(face).body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    }
    assert coded == {"plexstedi/__init__.py"}


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
    for file in (PACKAGE / "cli").rglob("*.py"):
        for command in re.findall(r'@app\.command\(\s*"([a-z-]+)"', file.read_text()):
            assert f"`{command}`" in text, f"README does not name {command}"
    for code in ExitCode:
        assert re.search(rf"^\| {int(code)} \|", text, re.MULTILINE), f"README lacks exit code {int(code)}"


def test_the_two_single_commands_stand_in_the_readme_before_everything_else() -> None:
    text = (ROOT / "README.md").read_text()
    demo = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/plexstedi demo"
    tests = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert 0 < text.index(demo) < text.index(tests) < text.index("## ")
