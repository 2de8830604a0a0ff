"""`plexstedi demo --dir` and `plexstedi sandbox --dir`: what is kept, and where nothing can be kept."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .conftest import Cli

SMALL = ("--orders", "4", "--suppliers", "1")


def test_a_demo_without_anything_to_review_ends_with_what_to_look_at(cli: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    ran = cli.bare("demo", *SMALL, "--dir", str(kept))
    assert (ran.code, ran.err) == (0, "")
    assert "review show" not in ran.out
    # Long commands continue on the next line.
    printed = " ".join(ran.out.split())
    start = printed.index(f"plexstedi --config {kept}")
    words = shlex.split(printed[start : printed.index("the page for a purchasing desk")])
    assert cli.bare(*words[1:]).code == 0


def test_a_demo_overwrites_no_configuration(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "plexstedi.toml"
    mine.write_text("mine")
    ran = cli.bare("demo", *SMALL, "--dir", str(tmp_path))
    assert (ran.code, mine.read_text()) == (2, "mine")
    assert str(mine) in ran.err


@pytest.mark.parametrize("words", [("demo", *SMALL), ("sandbox", "--seconds", "1")], ids=["demo", "sandbox"])
def test_a_file_is_no_directory_and_is_named(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    ran = cli.bare(*words, "--dir", str(file), "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert str(file) in ran.json["error"]["message"]
    assert "Name a directory" in ran.json["error"]["fix"]
