"""Following advice: the command that a fix names is read from what was said, and run as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from tests.advice_texts import followed
from tests.commands.conftest import Bench, Ran

_UNFILLED = {"ID", "NUMBER", "TRANSACTION"}


def commands(text: str) -> list[list[str]]:
    """The command lines of the program that a text names between backticks or on a line of their own."""
    spans = re.findall(r"`(plexstedi [^`]+)`|^  (plexstedi .+)$", text, re.MULTILINE)
    return [shlex.split(quoted or alone)[1:] for quoted, alone in spans]


def follow(
    bench: Bench,
    text: str,
    pick: int = 0,
    *,
    given: Mapping[str, str] | None = None,
    stdin: str = "",
    env: dict[str, str | None] | None = None,
    also: Sequence[str] = (),
) -> Ran:
    """Run the command that a text advises, as a person does: with a reason of one's own, and with a yes where asked.

    It must do something: never refuse, never end in an error. `given` is what else a person puts in: `{"FILE": path}`;
    `also` is what the command asks for on a terminal.
    """
    followed.add(text)
    words = commands(text)[pick]
    said = {"TEXT": "agreed by phone", **(given or {})}
    assert not _UNFILLED & set(words) - said.keys(), words
    words = [said.get(word, word) for word in words]
    if words[-1] == "--help":
        ran = bench.run(*words, stdin=stdin, env=env)
        assert ran.code == 0, (words, ran.out, ran.err)
        return ran
    yes = ["--yes"] if words[0] in ("replay", "recover") else []
    ran = bench.run(*words, *also, *yes, "--json", stdin=stdin, env=env)
    assert ran.code in (0, 3), (words, ran.out, ran.err)
    assert "error" not in ran.json, (words, ran.json)
    return ran


def follow_option(bench: Bench, text: str, *words: str) -> Ran:
    """Give the same command again with the options between backticks that a text advises (`--override …`)."""
    spans = [span for span in re.findall(r"`([^`]+)`", text) if span.startswith("--")]
    assert spans, text
    followed.add(text)
    return bench.run(*words, *shlex.split(spans[0]), "--json")


def follow_shell(text: str) -> None:
    """Run the commands of the shell that a text advises, in their order."""
    known = ("chmod ", "chown ", "mkdir ", "mv ")
    spans = [span for span in re.findall(r"`([^`]+)`", text) if span.startswith(known)]
    assert spans, text
    followed.add(text)
    for span in spans:
        subprocess.run(shlex.split(span), check=True)


def items(bench: Bench, kind: str | None = None) -> list[dict]:
    """The open review items."""
    listed = bench.run("review", "list", "--json").json["reviews"]
    return [item for item in listed if kind is None or item["kind"] == kind]


def fixes(bench: Bench, kind: str) -> list[str]:
    """What the open items of a kind say to do."""
    return [reason["fix"] for item in items(bench, kind) for reason in item["reasons"]]
