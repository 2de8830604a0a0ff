"""The prompts of `plexstedi init`: each value is checked at once, and kept until the configuration is written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer
from msgspec import Struct, field

from plexstedi.config.values import ServiceUrl, TenantId, timezone_problem
from plexstedi.edi.read_settings import InvalidSettings, reader_of
from plexstedi.edi.settings import Code

_LARGEST_KEPT = 20_000


class Question(Struct, frozen=True):
    """One prompt, with the option that replaces it."""

    option: str
    text: str
    problem: Callable[[str], str | None]
    """What is wrong with a value; None: nothing."""
    example: str | None = None
    default: str | None = None
    optional: bool = False
    """Whether the value may be empty."""


def one_of(choices: tuple[str, ...]) -> Callable[[str], str | None]:
    """A check for a choice."""
    return lambda answer: None if answer in choices else f"Enter one of: {', '.join(choices)}"


def whole_number(most: int) -> Callable[[str], str | None]:
    """A check for a whole number from 1."""

    def problem(answer: str) -> str | None:
        plain = answer.isascii() and answer.isdecimal() and len(answer) < 6
        return None if plain and 1 <= int(answer) <= most else f"Enter a whole number from 1 to {most}."

    return problem


def any_text(answer: str) -> str | None:
    """A check for any text."""
    return None if answer else "Enter a text."


def timezone(answer: str) -> str | None:
    """A check for a time zone."""
    return timezone_problem(answer)


def _by_type(kind: Any) -> Callable[[str], str | None]:
    def problem(answer: str) -> str | None:
        try:
            reader_of(kind)(answer)
        except InvalidSettings as error:
            return f"{answer}: {error}"
        return None

    return problem


tenant = _by_type(TenantId)
address = _by_type(ServiceUrl)
code = _by_type(Code)


def ask(question: Question) -> str:
    """Prompt until the value is valid; empty only where it is optional."""
    hint = f" (for example {question.example})" if question.example else ""
    empty = " (empty: not set)" if question.optional and question.default is None else ""
    default = "" if question.optional and question.default is None else question.default
    while True:
        answer = str(
            typer.prompt(f"{question.text}{hint}{empty}", default=default, show_default=bool(default), err=True)
        ).strip()
        if not answer and question.optional:
            return answer
        if (why := question.problem(answer)) is None:
            return answer
        print(why, file=sys.stderr)


class KeptAnswers(Struct):
    """Values typed in a set-up that was stopped, in a file beside the configuration to come. Never a secret."""

    config: Path
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return self.config.with_name(f"{self.config.name}.answers")

    def load(self, questions: Mapping[str, Question]) -> None:
        """Read the values that are still valid."""
        try:
            with self.file.open(encoding="utf-8") as opened:
                found = json.loads(opened.read(_LARGEST_KEPT))
        except (OSError, ValueError):
            # Nothing kept, or a damaged file: every value is prompted for.
            return
        for option, answer in found.items() if isinstance(found, dict) else ():
            question = questions.get(option)
            if question is not None and isinstance(answer, str) and _is_valid(question, answer):
                self.answers[option] = answer

    def keep(self, option: str, answer: str) -> None:
        """Add one value. A folder that cannot be written keeps none."""
        self.answers[option] = answer
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            written = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(written, "w", encoding="utf-8") as opened:
                json.dump(self.answers, opened)
        except OSError:
            # Then the set-up cannot be continued later; writing the configuration says what is wrong.
            return

    def discard(self) -> None:
        """Delete them: the configuration is written."""
        self.file.unlink(missing_ok=True)


def _is_valid(question: Question, answer: str) -> bool:
    return (question.optional and not answer) or question.problem(answer) is None
