"""Texts for people use the terms of the field: no word of the list below is in a message, help text or paper.

They are the words that once stood for a term of EDI and Plex, or that only a translator would choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import plexstedi.cli.main as program
from tests.advice_texts import texts

ROOT = Path(__file__).parents[1]
PAPERS = ("README.md", "CHANGELOG.md", "config.example.toml")
"""What is read beside the program's own texts."""


@dataclass(frozen=True)
class Word:
    """One word or phrase that is not used, as a pattern."""

    pattern: str
    instead: str
    noticed: str
    """A text in which the pattern is found."""


WORDS = (
    Word(
        r"\b(an|the|this|our|its|older|newer|next|late|held) answers?\b|\banswers? (of|to|from) \w"
        r"|\bsuppliers?('s|s')? (\w+ )?answer(s|ed)?\b|\banswers? in Plex\b",
        "acknowledgment, acknowledges; of a service: response",
        "the supplier answers in EUR",
    ),
    Word(r"\btold\b", "sent, reported, informed; cannot be told: cannot be determined", "the customer was told"),
    Word(r"\btells? (the|a) (supplier|customer)\b", "send or report to, inform", "tell the supplier otherwise"),
    Word(r"\ba person\b", "needs review, review item; who acts: a user", "held for a person"),
    Word(r"\bquestions? (of|to|about)\b", "review item", "the question about this line"),
    Word(
        r"\b(past|over) (its|the|their|his) (clock|limit|time)\b|\bclocks? (run|runs)\b|\bthis clock\b",
        "deadline, overdue",
        "past the limit",
    ),
    Word(
        r"\b(?:un)?settl(e|es|ed|ing)\b",
        "the verb that is meant: resolve, close, recompute, refresh",
        "settle it with the supplier",
    ),
    Word(
        r"\b(what|which|it|that) (stands|stood)\b|\bstands? in (Plex|the)\b|\bto stand in\b|\bstood before\b",
        "current state, previous value",
        "what stood before it stays",
    ),
    Word(r"\bputs? back\b|\bput it back\b", "restore, restored", "put back a backup"),
    Word(r"\bmoved? on\b", "advance, advanced", "the feed has not moved on"),
    Word(r"\bas it began\b", "unchanged", "the order goes on as it began"),
    Word(r"\bmakes no sense\b", "invalid usage", "the command line makes no sense"),
    Word(r"\bc[ao]mes? to need\b", "completed; new items need review", "something came to need review"),
    Word(r"\bleft alone\b|\blea(ve|ves) alone\b", "ignored, not changed", "it is left alone"),
    Word(r"\bby (itself|themselves)\b", "automatically", "it is then sent by itself"),
    Word(r"\banew\b", "again", "planned anew"),
    Word(r"\bsingly\b", "separately", "its releases were sent singly"),
    Word(r"\b(gives?|given|gave) (it |this document )?up\b", "abandon, abandoned", "Gives this document up"),
    Word(r"\btaken over\b|\btakes (it|them) over\b", "imported, marked as sent", "in sync: taken over"),
    Word(r"\bhand(s|ed)? out\b", "provide, return", "Stedi hands out no document"),
    Word(
        r"\b(carries|carry) on\b|\b(goes|go) on\b(?! (a|the)\b)",
        "continues, continue",
        "the others go on; it carries on",
    ),
    Word(
        r"(?<!there )\bis no (?!longer\b|more\b)[a-z]",
        "is not a",
        "'x' is no number",
    ),
    Word(r"\b(?<!not )delivered (7|\d{4}-\d\d-\d\d) \((7|\d{3})\)", "promised delivery", "delivered 2027-01-14 (067)"),
    Word(r"\bare no news\b|\bis no news\b", "is not reported", "drafts are no news"),
    Word(r"\bcannot be told\b", "cannot be determined", "which line it is cannot be told"),
    Word(r"\b(is|was|are|be) asked (about )?(again|once)\b", "a new item opens", "it is asked again"),
    Word(r"(?:^|[.:] )(?-i:Before), ", "what it does: nothing was released", "Before, it was refused."),
)
"""The words, what is written instead, and a text that shows what each pattern is about."""

EXCEPTIONS = frozenset(
    {
        "faults that were told",
        "order pattern that acknowledgments were told apart by",
    }
)
"""Whole texts that nobody reads: names under which the state file keeps something."""

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE|CASE WHEN)\b")


def _said() -> Iterator[tuple[str, str]]:
    """Every text for people with its place."""
    for text in texts():
        if " " in text.text.strip() and not _SQL.search(text.text) and text.text not in EXCEPTIONS:
            yield f"plexstedi/{text.where}", text.text
    for name in PAPERS:
        for number, paragraph in _paragraphs((ROOT / name).read_text()):
            yield f"{name}:{number}", paragraph
    program._register([])
    yield from _helps(get_command(program.app), "plexstedi")


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Lines that belong together as one text: a phrase may be broken over lines."""
    begin, lines = 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        bare = line.removeprefix("# ").strip()
        if bare in ("", "#") or line.startswith(("- ", "|")):
            if lines:
                yield begin, " ".join(lines)
            begin, lines = number, []
        if bare:
            lines.append(bare)
    if lines:
        yield begin, " ".join(lines)


def _helps(command: object, name: str) -> Iterator[tuple[str, str]]:
    """What `--help` of a command and of those below it says."""
    with typer.Context(command, info_name=name) as context:  # type: ignore[arg-type]
        yield f"{name} --help", " ".join(command.get_help(context).split())  # type: ignore[attr-defined]
    for below, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, f"{name} {below}")


def test_texts_for_people_use_the_terms_of_the_field() -> None:
    said = list(_said())
    assert len(said) > 1000, "too few texts: they are no longer found"
    assert {f"plexstedi {command} --help" for command in ("run", "review accept")} <= {where for where, _ in said}
    found = [
        f"{where}: {match[0]!r} (write: {word.instead}) in: {text[max(0, match.start() - 60) : match.end() + 60]}"
        for where, text in said
        for word in WORDS
        if (match := re.search(word.pattern, text, re.IGNORECASE)) is not None
    ]
    assert not found, f"{len(found)} texts:\n" + "\n".join(found)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.noticed)
def test_each_word_is_noticed(word: Word) -> None:
    assert re.search(word.pattern, word.noticed, re.IGNORECASE)


def test_an_exception_is_a_text_of_the_program() -> None:
    """One that is gone from the program goes from the list."""
    assert {text.text for text in texts()} >= EXCEPTIONS
