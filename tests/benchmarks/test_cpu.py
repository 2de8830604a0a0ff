"""What a document costs, with much room for a slow or busy machine; `tests/benchmarks/cpu.py` measures exactly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.benchmarks import cpu, others

MOST_MS = {"850 with its guide": 20.0, "855 from Guide JSON": 20.0, "855 from X12": 20.0}
"""User CPU of 10 lines: several times what was measured on a busy machine."""


@pytest.fixture(scope="module")
def documents() -> dict[str, float]:
    return cpu.documents(rounds=5)


@pytest.mark.parametrize("name", MOST_MS)
def test_a_document_of_ten_lines_takes_milliseconds(documents: dict[str, float], name: str) -> None:
    assert documents[f"{name}, 10 lines"] <= MOST_MS[name]


@pytest.mark.parametrize("name", MOST_MS)
def test_ten_times_the_lines_take_about_ten_times_as_long(documents: dict[str, float], name: str) -> None:
    assert documents[f"{name}, 100 lines"] <= documents[f"{name}, 10 lines"] * 15


def test_the_audit_trail_is_verified_by_tens_of_thousands_of_events_a_second() -> None:
    assert cpu.events_verified_a_second(orders=100, rounds=5) > 20_000


def test_a_life_cycle_is_measured_to_its_end_in_real_processes() -> None:
    cycle = cpu.life_cycle(6)
    assert list(cycle.by_command) == ["1. run", "2. run"]
    assert all(0.05 < seconds < 30 for seconds in cycle.by_command.values())


def test_the_comparison_names_each_library_or_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["others", "--rounds", "1", "--json", str(tmp_path / "others.json")])
    monkeypatch.setitem(sys.modules, "fastjsonschema", None)
    others.main()
    printed = capsys.readouterr().out
    assert "not installed: pip install fastjsonschema" in printed
    compared = json.loads((tmp_path / "others.json").read_text())["compared"]
    assert {one["library"].split()[0] for one in compared} == {
        *("plexstedi", "pyx12", "badX12", "jsonschema", "fastjsonschema"),
    }
    assert all(one["ms"] or "pip install" in one["does"] for one in compared)
