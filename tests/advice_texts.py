"""The texts of the program that advise a command, and which of them a run of the tests has followed.

`tests.commands.advice` notes what a test followed; `conftest` asks at the end of a whole run whether anything is left.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import plexstedi.cli.main as program

PACKAGE = Path(program.__file__).parents[1]
COMMANDS = program._command_names()
FILLED = "7"
"""What stands for a value that the text has when it is made: a number, order or transaction."""

PLACEHOLDERS = ("ID", "NUMBER", "TRANSACTION")
"""What is filled where the item or the command knows it."""

NO_STEP = (
    "how often cron or the timer calls",
    "see that cron or the timer calls",
    "check the exit code of `plexstedi run`",
    "the end of `run`",
    "was imported by `recover`",
    "stops before the first of them",
    "# plexstedi configuration, made by",
    "# written by `plexstedi init`",
    "# save the above as plexstedi.toml",
    "--config 7/plexstedi.toml",
)
"""Texts that name a command as a thing and advise nothing, and what the sandbox prints."""

followed: set[str] = set()
"""What tests of this process have followed, as it was said to them."""


@dataclass(frozen=True)
class Text:
    """One string of the program, whole, with FILLED for what is put into it."""

    where: str
    text: str
    says: str
    """The same as a regular expression for what is said to a person."""


@cache
def texts() -> tuple[Text, ...]:
    """Every string that is no docstring."""
    return tuple(_texts())


def _texts() -> Iterator[Text]:
    for file in sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "advice.py"}):
        tree = ast.parse(file.read_text())
        passed = {id(inner) for node in ast.walk(tree) for inner in _passed(node)}
        for node in ast.walk(tree):
            if id(node) not in passed and (parts := _parts(node)) is not None:
                text = "".join(FILLED if part is None else part for part in parts)
                pattern = "".join(".*" if part is None else says(part) for part in parts)
                yield Text(f"{file.relative_to(PACKAGE)}:{node.lineno}", text, pattern)


def _passed(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and parts of a longer text that is looked at as a whole."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    if isinstance(node, ast.JoinedStr):
        yield from node.values
        yield from (inner for value in node.values for inner in ast.walk(value) if isinstance(inner, ast.JoinedStr))


def _parts(node: ast.AST) -> list[str | None] | None:
    """The fixed parts of a string, None for what is put into it; None if this is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [str(v.value) if isinstance(v, ast.Constant) else None for v in node.values]
    return None


def says(part: str) -> str:
    """A fixed part of a text as a pattern of what is said, with the placeholders filled."""
    words = re.split(rf"\b({'|'.join(PLACEHOLDERS)})\b", part)
    return "".join(r"(?:'[^']*'|\S+?)" if word in PLACEHOLDERS else re.escape(word) for word in words)


def command_lines(text: str) -> Iterator[list[str]]:
    """The command lines that a text names, without `plexstedi`."""
    spans = re.findall(r"`([^`]+)`", text)
    spans += [re.split(r" > | < |, then ", line)[0] for line in re.findall(r"Example: (plexstedi .*)", text)]
    spans += re.findall(r"^  (plexstedi .*)$", text, re.MULTILINE)
    for span in spans:
        words = shlex.split(span)
        if words[:1] == ["plexstedi"]:
            yield words[1:]
        elif words and words[0] in COMMANDS:
            yield words


def advice() -> list[Text]:
    """The texts that name a command or an option for a person to give; examples of help are none."""
    return [
        text
        for text in texts()
        if not text.text.startswith("Example")
        and (any(command_lines(text.text)) or re.search(r"`(?:chmod|chown) |the command once with `", text.text))
        and not any(piece in text.text.lower() for piece in NO_STEP)
    ]


def left(advised: Iterable[Text], said: Iterable[str]) -> list[Text]:
    """The advice that nobody followed: none of what was said holds its text."""
    said = set(said)
    return [text for text in advised if not any(re.search(text.says, one, re.DOTALL | re.IGNORECASE) for one in said)]
