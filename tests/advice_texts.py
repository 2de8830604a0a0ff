"""The texts of the program that advise a command."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import plexstedi.cli.main as program

PACKAGE = Path(program.__file__).parents[1]
COMMANDS = {name.replace("_", "-") for name in program._COMMANDS}
FILLED = "7"
"""What stands for a value that the text has when it is made: a number, order or transaction."""

NO_STEP = (
    "how often cron or the timer calls",
    "see that cron or the timer calls",
    "see what `plexstedi run` ends with",
    "the end of `run`",
    "stops before the first of them",
    "# plexstedi configuration, made by",
    "# save the above as plexstedi.toml",
    "--config 7/plexstedi.toml",
)
"""Texts that name a command as a thing and advise nothing, and what the sandbox prints."""


@dataclass(frozen=True)
class Text:
    """One string of the program, whole, with FILLED for what is put into it."""

    where: str
    text: str


def texts() -> Iterator[Text]:
    """Every string that is no docstring."""
    for file in sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "advice.py"}):
        tree = ast.parse(file.read_text())
        passed = {id(inner) for node in ast.walk(tree) for inner in _passed(node)}
        for node in ast.walk(tree):
            if id(node) not in passed and (parts := _parts(node)) is not None:
                text = "".join(FILLED if part is None else part for part in parts)
                yield Text(f"{file.relative_to(PACKAGE)}:{node.lineno}", text)


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
    """The texts that name a command for a person to run; examples of help are none."""
    return [
        text
        for text in texts()
        if not text.text.startswith("Example")
        and any(command_lines(text.text))
        and not any(piece in text.text.lower() for piece in NO_STEP)
    ]
