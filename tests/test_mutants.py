"""The mutation check (`tests/mutants/run.py`) still breaks today's code, and names tests that exist."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "mutants" / "run.py"
MOST_LINES = 4
"""Of a text to replace: the line, and what tells it from its likes."""


def script() -> Any:
    spec = importlib.util.spec_from_file_location("mutants_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RUN = script()
MUTANTS = RUN.mutants()


@functools.cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_breaks_one_place_of_todays_code(mutant: Any) -> None:
    assert mutant.times_in(ROOT) == 1, "mend the table: this text is to be in the file exactly once"
    assert mutant.old != mutant.new
    assert len(mutant.old.splitlines()) <= MOST_LINES
    broken = (ROOT / mutant.file).read_text(encoding="utf-8").replace(mutant.old, mutant.new)
    if mutant.file.endswith(".sql"):
        with contextlib.closing(sqlite3.connect(":memory:")) as memory:
            for statement in broken.split("\n\n"):
                memory.execute(statement)
    else:
        ast.parse(broken)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_must_notice_it_exist(mutant: Any) -> None:
    assert mutant.tests
    for test in mutant.tests:
        file, _, function = test.partition("::")
        assert function.partition("[")[0] in functions_of(file)


def test_there_are_enough_of_them_and_each_says_what_a_user_loses() -> None:
    assert len(MUTANTS) >= 40
    assert all(len(mutant.promise.split()) > 3 for mutant in MUTANTS)


def test_a_break_that_no_test_notices_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def copied() -> Iterator[Path]:
        for file in ("plexstedi/internal.py", MUTANTS[0].file):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, tmp_path / file)
        yield tmp_path

    monkeypatch.setattr(RUN, "copied", copied)

    def judged(code: int, old: str = "def redacted") -> object:
        monkeypatch.setattr(RUN, "run_tests", lambda place, tests: (code, "said"))
        mutant = RUN.Mutant("m", "no secret is told", "plexstedi/internal.py", old, "def _redacted", ("tests/x.py::t",))
        return RUN.judge(mutant)[0]

    assert judged(1) is RUN.Verdict.CAUGHT
    assert judged(0) is RUN.Verdict.SURVIVED
    assert judged(2) is RUN.Verdict.BROKEN, "a test that cannot be collected notices nothing"
    assert judged(1, old="no such line") is RUN.Verdict.STALE
    monkeypatch.setattr(sys, "argv", ["run.py", "--trust-the-tests", MUTANTS[0].name])
    for code, ends_with in ((1, 0), (0, 1), (5, 1)):
        monkeypatch.setattr(RUN, "run_tests", lambda place, tests, code=code: (code, "said"))
        assert RUN.main() == ends_with
    assert "survived" in capsys.readouterr().out


def test_the_list_is_shown_without_running_anything() -> None:
    shown = subprocess.run([sys.executable, str(SCRIPT), "--list"], capture_output=True, text=True, check=True).stdout
    assert all(mutant.name in shown and mutant.promise in shown for mutant in MUTANTS)


def test_it_is_no_part_of_the_tests_or_of_ci() -> None:
    assert not list(SCRIPT.parent.glob("test_*.py"))
    assert "mutants" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
