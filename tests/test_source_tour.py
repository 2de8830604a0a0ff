"""The source tour of CONTRIBUTING: each function that it names is there, and is entered on the way described."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.conftest import Bench, make_bench

__all__ = ["make_bench"]

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "plexstedi"
CHANGED_ORDER = "A changed order"
ACKNOWLEDGMENT = "An acknowledgment"

Step = tuple[str, str]
"""A file below `plexstedi/` and a function in it."""


def steps(heading: str) -> tuple[Step, ...]:
    """The rows of the table below a heading of the tour: `| file | functions | what happens |`."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = re.search(rf"^### {heading}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"CONTRIBUTING.md has no heading ### {heading}"
    rows = re.findall(r"^\| `([\w/]+\.py)` \| ([^|]+) \|", found[1], re.MULTILINE)
    return tuple((file, name) for file, names in rows for name in re.findall(r"`([\w.]+)`", names))


def code_of(step: Step) -> CodeType:
    """The code of a function or method; AttributeError if it is not there."""
    file, name = step
    found: Any = importlib.import_module("plexstedi." + file.removesuffix(".py").replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    code = inspect.unwrap(found).__code__
    assert isinstance(code, CodeType)
    return code


def note_calls(into: Path) -> None:
    """From now on, write each function of the program that is entered in this process, once, as `file:line name`."""
    seen: set[CodeType] = set()
    out = into.open("a", buffering=1)

    def enter(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code not in seen:
            seen.add(code)
            # Bodies of modules and classes, and what has no name of its own, are no functions.
            is_function = code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<")
            if is_function and code.co_filename.startswith(str(PACKAGE)):
                out.write(f"{mark(code)}\n")

    # Calls to services are made by threads of their own.
    threading.setprofile(enter)
    sys.setprofile(enter)


def mark(code: CodeType) -> str:
    """What tells a function: its file, its first line and its name."""
    return f"{Path(code.co_filename).relative_to(PACKAGE)}:{code.co_firstlineno} {code.co_qualname}"


@pytest.mark.parametrize("heading", [CHANGED_ORDER, ACKNOWLEDGMENT])
def test_every_function_of_the_tour_is_in_the_file_that_it_names(heading: str) -> None:
    named = steps(heading)
    assert len(named) > 10
    for step in named:
        assert Path(code_of(step).co_filename) == PACKAGE / step[0], f"{step[1]} is imported by {step[0]}, not in it"


def test_a_changed_order_goes_the_way_of_the_tour(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    """poll reads the change, submit sends one 860."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.run("run")
    order = bench.sandbox.plex.tenant.orders[0]
    line = order.lines[0]
    release = line.releases[0]
    bench.sandbox.plex.edit_release(order.number, line.number, release.number, quantity=release.quantity + 12)
    bench.later(minutes=5)

    calls = tmp_path / "calls"
    assert bench.run("poll", before=partial(note_calls, calls)).code == 0
    assert bench.run("submit", before=partial(note_calls, calls)).code == 0

    assert len(bench.sent(order.number)) == 2
    assert_entered(CHANGED_ORDER, calls)


def test_an_acknowledgment_goes_the_way_of_the_tour(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    """ingest-acks reads the 855 and writes what it confirms into Plex."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.PROMPT,))
    assert bench.run("run").code == 0
    bench.later(hours=24)
    assert bench.run("submit").code == 0
    number = bench.sandbox.plex.tenant.orders[0].number
    assert bench.writes(number) == []

    calls = tmp_path / "calls"
    assert bench.run("ingest-acks", before=partial(note_calls, calls)).code == 0

    assert bench.writes(number) != []
    assert_entered(ACKNOWLEDGMENT, calls)


def assert_entered(heading: str, calls: Path) -> None:
    """Every function of this part of the tour was entered."""
    entered = set(calls.read_text().splitlines())
    missing = [step for step in steps(heading) if mark(code_of(step)) not in entered]
    assert missing == [], f"the tour names what is not called on this way: {missing}"
