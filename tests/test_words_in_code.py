"""Docstrings and comments use the terms of the field: no word of the list below is in them.

`test_words.py` does the same for messages, help texts and papers.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("plexstedi",)
"""Folders and files that are checked, below the repository."""


@dataclass(frozen=True)
class CodeWord:
    """One word or phrase that is not used, as a pattern."""

    pattern: str
    instead: str
    noticed: str
    """A text in which the pattern is found."""


CODE_WORDS = (
    CodeWord(
        r"\b(an|the|this|our|its|a supplier's|older|newer|next|later?|earlier|held|first|last|another|one) answers?\b"
        r"|\b(every|each|all|no) answers?\b|\banswers? (of|to|from|that|which|is|are|was|were) ?\w?"
        r"|\bsuppliers?('s|s')? (\w+ )?answer(s|ed)?\b|\bline answers?\b|\banswered\b",
        "acknowledgment, acknowledges; of a service: response",
        "the supplier answers in EUR",
    ),
    CodeWord(r"\b(un)?told\b", "sent, reported; cannot be told: cannot be determined", "the customer was told"),
    CodeWord(r"\btells?\b (the|a|us|our)\b", "send or report to, inform", "tell the supplier otherwise"),
    CodeWord(r"\b(a|one) person\b", "needs review, review item; who acts: a user", "held for a person"),
    CodeWord(r"\b(a|one|open|no|the|its) questions?\b|\bquestions? (of|to|about)\b", "review item", "a question"),
    CodeWord(
        r"\b(past|over) (its|the|their|his) (clock|limit|time)\b|\bclocks? (runs?|stops?)\b|\b(this|its) clock\b",
        "deadline, overdue",
        "past its clock",
    ),
    CodeWord(
        r"\b(?:un)?settl(e|es|ed|ing)\b",
        "the verb that is meant: resolve, close, recompute, refresh",
        "settle it with the supplier",
    ),
    CodeWord(
        r"\b(what|which|it|that|order|line) (stands|stood)\b|\bstands? (in|at|as|for|there|by)\b|\bstanding\b"
        r"|\bto stand in\b|\bstood (before|in)\b",
        "current state, previous value, is in",
        "what stands there",
    ),
    CodeWord(r"\bwitness(es|ed)?\b", "execution, mark, evidence", "the witness of a document"),
    CodeWord(r"\bput(s|ting)? back\b|\bput it back\b", "restore, restored", "put back a backup"),
    CodeWord(r"\bmoved? on\b", "advance, advanced", "the feed has not moved on"),
    CodeWord(r"\bas it began\b", "unchanged", "the order goes on as it began"),
    CodeWord(r"\bmakes no sense\b", "invalid usage", "the command line makes no sense"),
    CodeWord(r"\bleft alone\b|\blea(ve|ves) (\w+ )?alone\b", "ignored, not changed", "it is left alone"),
    CodeWord(r"\banew\b", "again", "planned anew"),
    CodeWord(r"\bsingly\b", "separately", "its releases were sent singly"),
    CodeWord(r"\b(gives?|given|gave|giving) (it |this document )?up\b", "abandon", "Gives this document up"),
    CodeWord(r"\btak(en|es|e) (it |them )?over\b", "import, adopt, copy", "taken over"),
    CodeWord(r"\bhand(s|ed)? (out|over)\b", "provide, return, pass", "Stedi hands out no document"),
    CodeWord(
        r"\b(carries|carry) on\b|\b(goes|go) on\b(?! (a|the)\b)|\bgo(es)? (its|their) way\b",
        "continues, continue",
        "the others go on; it carries on",
    ),
    CodeWord(r"(?<!there )\bis no (?!longer\b|more\b|less\b)[a-z]", "is not a", "'x' is no number"),
    CodeWord(r"\bis no longer one of ours\b", "is no longer known", "it is no longer one of ours"),
    CodeWord(r"\b(are|is) no news\b", "is not reported", "drafts are no news"),
    CodeWord(r"\bsp(eak|eaks|oke|eaking) (of|about|for)\b", "describes, concerns, names", "what it speaks of"),
    CodeWord(r"\bsays? (it|so|nothing|of)\b", "states, contains", "a code that says it"),
    CodeWord(r"\b(is|was|are|be) asked (about )?(again|once)\b", "a new item opens", "it is asked again"),
)
"""The words, what is written instead, and a text that shows what each pattern is about."""


def texts_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring (of modules, classes, functions, attributes) and each block of comments. Pure."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, " ".join(node.value.value.split())
    begin, block = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            begin = begin if block else token.start[0]
            block.append(token.string.lstrip("#: ").strip())
        elif token.type not in (tokenize.NL, tokenize.NEWLINE) and block:
            yield begin, " ".join(block)
            block = []


def files_of(room: str) -> list[Path]:
    path = ROOT / room
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


ANY_WORD = re.compile("|".join(f"(?:{word.pattern})" for word in CODE_WORDS), re.IGNORECASE)


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_and_comments_use_the_terms_of_the_field(room: str) -> None:
    texts = [
        (f"{file.relative_to(ROOT)}:{line}", text)
        for file in files_of(room)
        for line, text in texts_in(file.read_text())
    ]
    assert texts, f"{room}: nothing is there to check"
    found = [
        f"{where}: {match[0]!r} (write: {word.instead}) in: {text[max(0, match.start() - 60) : match.end() + 60]}"
        for where, text in texts
        # Hardly any text has one of them: to search for all at once takes a fraction of the time.
        if ANY_WORD.search(text)
        for word in CODE_WORDS
        if (match := re.search(word.pattern, text, re.IGNORECASE)) is not None
    ]
    assert not found, f"{len(found)} texts:\n" + "\n".join(found)


@pytest.mark.parametrize("word", CODE_WORDS, ids=lambda word: word.noticed)
def test_each_word_is_noticed_in_code(word: CodeWord) -> None:
    assert re.search(word.pattern, word.noticed, re.IGNORECASE)


def test_each_kind_of_text_is_found() -> None:
    source = (
        '"""Module\nhere."""\n\nLIMIT = 1  # beside\n"""Of a constant."""\n\n\n'
        'def f() -> str:\n    """Of a function."""\n'
        '    # First line\n    # and second.\n    return "no docstring"\n'
    )
    assert sorted(texts_in(source)) == [
        (1, "Module here."),
        (4, "beside"),
        (5, "Of a constant."),
        (9, "Of a function."),
        (10, "First line and second."),
    ]
