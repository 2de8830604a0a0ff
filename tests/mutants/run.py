"""Breaks the promises one line at a time, and shows that a named test notices each break.

`python tests/mutants/run.py [NAME …] [--jobs N] [--list]`: for each mutant of `table.toml` (or those named) the package
and its tests are copied to a temporary folder, one line is replaced there, and only the tests that the mutant names are
run, each for itself. `caught`: every one of them failed. `survived`: one passed, so nothing holds that promise.
`stale`: the line is not in today's code exactly once. `broken`: a test could not be run at all, which proves nothing.
First all these tests are run on an unchanged copy, where they must pass (`--trust-the-tests` leaves that out). Ends
with 1 unless every mutant was caught. Takes some minutes, so it is no part of the tests or of `.ci/run`; that the table
still fits the code is held by `tests/test_mutants.py`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("table.toml")
_COPIED = ("plexstedi", "tests", "examples", "pyproject.toml", "config.example.toml", "README.md", "CHANGELOG.md")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")
_SECONDS = 300
_PASSED, _FAILED = 0, 1
"""Exit codes of pytest; all others mean that tests could not be run."""
_WHAT_IS_IMPORTED = "import plexstedi; print(plexstedi.__file__)"


@dataclass(frozen=True)
class Mutant:
    """One break of one promise."""

    name: str
    promise: str
    """What a user loses by it."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """Each must fail, as pytest names it."""

    def times_in(self, root: Path) -> int:
        """How often the text is in the code that lies there."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.old) if path.is_file() else 0

    def apply(self, root: Path) -> None:
        """Break the copy."""
        path = root / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")


class Verdict(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    STALE = "stale"
    BROKEN = "broken"


def mutants() -> list[Mutant]:
    """All mutants of the table."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [Mutant(name=name, **{**entry, "tests": tuple(entry["tests"])}) for name, entry in table.items()]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of package and tests. Raise SystemExit if Python would import another one."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        place = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, place / name, ignore=_NOT_COPIED)
            else:
                shutil.copy2(source, place / name)
        told = subprocess.run(
            [sys.executable, "-c", _WHAT_IS_IMPORTED],
            cwd=tempfile.gettempdir(),
            env=_environment(place),
            capture_output=True,
            text=True,
            check=True,
        )
        if not Path(told.stdout.strip()).is_relative_to(place):
            sys.exit(f"the copy {place} is not what is imported, but {told.stdout.strip()}")
        yield place


def _environment(place: Path) -> dict[str, str]:
    """In front of everything that is installed: programs that a test starts import the copy, too."""
    return {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(place: Path, tests: Sequence[str]) -> tuple[int | None, str]:
    """Run tests of a copy; how pytest ended (None: not in time), and what it said last."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-m",
        "long or not long",
        "-p",
        "no:cacheprovider",
    ]
    try:
        done = subprocess.run(
            [*command, *tests], cwd=place, env=_environment(place), capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None, f"not done after {_SECONDS} s"
    return done.returncode, (done.stdout.strip() or done.stderr.strip())[-2000:]


def judge(mutant: Mutant) -> tuple[Verdict, str]:
    """Try one mutant; the verdict with its reason."""
    with copied() as place:
        times = mutant.times_in(place)
        if times != 1:
            return Verdict.STALE, f"its line is {times} times in {mutant.file}"
        mutant.apply(place)
        for test in mutant.tests:
            code, said = run_tests(place, [test])
            if code == _PASSED:
                return Verdict.SURVIVED, f"{test} passes"
            if code != _FAILED:
                return Verdict.BROKEN, f"{test} could not be run: {said}"
    return Verdict.CAUGHT, ", ".join(mutant.tests)


def main() -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(description="Break the promises one line at a time; a test must notice each.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at once (default: 1)")
    parser.add_argument("--list", action="store_true", help="show the mutants, and run nothing")
    parser.add_argument("--trust-the-tests", action="store_true", help="do not run the tests on unchanged code first")
    options = parser.parse_args()
    every = mutants()
    unknown = set(options.names) - {mutant.name for mutant in every}
    if unknown:
        parser.error(f"there is no mutant {', '.join(sorted(unknown))}: see --list")
    wanted = [mutant for mutant in every if not options.names or mutant.name in options.names]
    if options.list:
        for mutant in wanted:
            print(f"{mutant.name}: {mutant.promise}\n    {mutant.file}; {', '.join(mutant.tests)}")
        return 0
    if not options.trust_the_tests:
        with copied() as place:
            code, said = run_tests(place, sorted({test for mutant in wanted for test in mutant.tests}))
        if code != _PASSED:
            print(f"the tests do not pass on unchanged code:\n{said}")
            return 1
    with ThreadPoolExecutor(max_workers=max(options.jobs, 1)) as pool:
        verdicts = []
        for mutant, (verdict, why) in zip(wanted, pool.map(judge, wanted), strict=True):
            print(f"{verdict:9}{mutant.name}" + ("" if verdict is Verdict.CAUGHT else f": {why}"), flush=True)
            verdicts.append(verdict)
    print(", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in Verdict))
    return 0 if all(verdict is Verdict.CAUGHT for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
