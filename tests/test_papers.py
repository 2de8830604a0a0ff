"""Every citation in code and papers leads somewhere: to a paper of this repository, and to a heading in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "plexstedi"

PAPERS = {
    "RULES.md": "plexstedi/edi/RULES.md",
    "DESIGN.md": "plexstedi/DESIGN.md",
    "CHOICES.md": "plexstedi/CHOICES.md",
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "README.md": "README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "docs/commands.md": "docs/commands.md",
    "commands.md": "docs/commands.md",
}
"""Papers that are cited by their name alone; any other by its path below the package (`plex/README.md`)."""
OLD_SPELLINGS = {
    "plex.md": "plex/README.md",
    "stedi.md": "stedi/README.md",
    "edi.md": "edi/X12.md",
    "libraries.md": "CHOICES.md",
    "RULES": "RULES.md",
    "DESIGN": "DESIGN.md",
}
_NUMBER = r"\d+(?:\.(?:\d+|[A-Z])\b)?"
_PLACE = rf"(?:section\s+)?{_NUMBER}(?:(?:,|\s+to|\s+and)\s+(?:section\s+)?{_NUMBER})*"
_RULE = rf"(?:(?:Sending|Reading)\s+{_PLACE}|\"Settings\")"
_CITATION = re.compile(
    rf"(?<![\w/.])(?:"
    rf"(?P<rules>RULES(?:\.md)?)\s+(?P<rule>{_RULE}(?:,\s+{_RULE})*)"
    rf"|(?P<design>DESIGN(?:\.md)?)\s+(?P<section>{_PLACE})"
    rf"|(?P<paper>(?:\w+/)*\w+\.md)(?:\s+(?P<place>{_RULE}|{_PLACE}))?"
    rf")"
)
_LINE_START = re.compile(r"\n[ \t]*(?:#:?[ \t]*)?")
"""A citation may go over the end of a line of a comment or a docstring."""


@dataclass(frozen=True)
class Target:
    """Where a citation leads: a file below the repository, and what one of its headings begins with."""

    file: str
    heading: str | None = None
    """None: the paper as a whole."""


def targets(text: str) -> Iterator[tuple[str, Target]]:
    """Every citation in a text with where it leads; one of several sections leads to each of them. Pure."""
    for found in _CITATION.finditer(_LINE_START.sub(" ", text)):
        name = found["rules"] or found["design"] or found["paper"]
        place = found["rule"] or found["section"] or found["place"]
        paper = OLD_SPELLINGS.get(name, name)
        file = PAPERS.get(paper, f"plexstedi/{paper}")
        for heading in _headings_meant(paper, place):
            yield found[0], Target(file, heading)


def _headings_meant(paper: str, place: str | None) -> Iterator[str | None]:
    if place is None:
        yield None
        return
    before = {"DESIGN.md": "Section "}.get(paper, "")
    for part in re.finditer(rf'(?P<chapter>Sending|Reading)|(?P<settings>"Settings")|(?P<number>{_NUMBER})', place):
        if part["settings"]:
            yield "Settings"
        elif part["chapter"]:
            before = f"{part['chapter']} "
        else:
            yield f"{before}{part['number']}"


def has_heading(paper: str, begin: str) -> bool:
    """Whether a Markdown text has a heading that begins so: `4.2` begins "4.2 Filters", not "4.21" or "4.2.1". Pure."""
    return re.search(rf"^#+[ \t]+{re.escape(begin)}(?![\w.]*\w)", paper, re.MULTILINE) is not None


def _sources() -> list[Path]:
    """Code, tests, and the papers, which also cite each other."""
    files = [
        *PACKAGE.rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
        *PACKAGE.rglob("*.md"),
        ROOT / "SECURITY.md",
    ]
    return sorted(file for file in files if file != Path(__file__))


def _all_citations() -> dict[Target, list[str]]:
    found: dict[Target, list[str]] = {}
    for source in _sources():
        for citation, target in targets(source.read_text()):
            found.setdefault(target, []).append(f"{source.relative_to(ROOT)}: {citation}")
    return found


CITATIONS = _all_citations()


@pytest.mark.parametrize("target", sorted(CITATIONS, key=str), ids=lambda target: f"{target.file} {target.heading}")
def test_a_cited_paper_is_here_and_has_the_section(target: Target) -> None:
    """Whoever reads a comment can look up what it relies on."""
    cited = CITATIONS[target]
    paper = ROOT / target.file
    assert paper.is_file(), f"there is no {target.file}; cited in {cited}"
    if target.heading is not None:
        assert has_heading(paper.read_text(), target.heading), f"{target.file} lacks {target.heading}; cited in {cited}"


def test_papers_are_cited_by_the_names_that_they_have_here() -> None:
    """A name that is no file of this repository leads nobody anywhere."""
    old = [
        place
        for places in CITATIONS.values()
        for place in places
        if re.split(r"\s", place.split(": ", 1)[1])[0] in OLD_SPELLINGS
    ]
    assert old == []


def test_the_papers_of_this_change_are_really_cited() -> None:
    """That the search finds nothing would pass every other test here."""
    files = {target.file for target in CITATIONS}
    assert {"plexstedi/plex/README.md", "plexstedi/stedi/README.md", "plexstedi/edi/X12.md"} <= files
    assert {"plexstedi/CHOICES.md", "plexstedi/edi/RULES.md", "plexstedi/DESIGN.md"} <= files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limits are per minute (plex.md 4.2).", [("plexstedi/plex/README.md", "4.2")]),
        ("(plex/README.md 4.2, 4.4)", [("plexstedi/plex/README.md", "4.2"), ("plexstedi/plex/README.md", "4.4")]),
        ("(plex.md 4 to 6).", [("plexstedi/plex/README.md", "4"), ("plexstedi/plex/README.md", "6")]),
        ('`write = "releases"` (plex.md 7.A).', [("plexstedi/plex/README.md", "7.A")]),
        ("calls, as in plex.md 7.B). Then", [("plexstedi/plex/README.md", "7.B")]),
        ("a minute (plex.md).", [("plexstedi/plex/README.md", None)]),
        ("(stedi.md 4.1: inbound input is EDI)", [("plexstedi/stedi/README.md", "4.1")]),
        ("Reference edi.md 3.6, one by one.", [("plexstedi/edi/X12.md", "3.6")]),
        ("(libraries.md section 7)", [("plexstedi/CHOICES.md", "7")]),
        ("(CHOICES.md 7)", [("plexstedi/CHOICES.md", "7")]),
        ('(DESIGN section 6 "Everywhere")', [("plexstedi/DESIGN.md", "Section 6")]),
        ("(DESIGN 5)", [("plexstedi/DESIGN.md", "Section 5")]),
        ("(DESIGN.md section 4, `health`)", [("plexstedi/DESIGN.md", "Section 4")]),
        (
            "(RULES Reading 1 to 3 and 14; X12 587)",
            [("plexstedi/edi/RULES.md", f"Reading {number}") for number in (1, 3, 14)],
        ),
        ("(RULES.md Sending 3, 6)", [("plexstedi/edi/RULES.md", "Sending 3"), ("plexstedi/edi/RULES.md", "Sending 6")]),
        (
            '(RULES "Settings", Reading 17)',
            [("plexstedi/edi/RULES.md", "Settings"), ("plexstedi/edi/RULES.md", "Reading 17")],
        ),
        ("# so it is (RULES\n    # Reading 13)", [("plexstedi/edi/RULES.md", "Reading 13")]),
        ("(plex/README.md\n    4.2)", [("plexstedi/plex/README.md", "4.2")]),
        ("README.md names each", [("README.md", None)]),
        ("RULES of thumb, 3 of them; by DESIGN; ISA13", []),
    ],
)
def test_where_a_citation_leads(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(target.file, target.heading) for _, target in targets(text)] == expected


@pytest.mark.parametrize(
    ("heading", "begin", "expected"),
    [
        ("### 4.2 Filters", "4.2", True),
        ("## 4. Plex Connect", "4", True),
        ("## 4. Plex Connect", "4.2", False),
        ("### 4.21 Filters", "4.2", False),
        ("### 4.2 Filters", "4", False),
        ("### 7.A The release", "7.A", True),
        ("### 7.D Records", "7.A", False),
        ("### Sending 8: changes", "Sending 8", True),
        ("### Sending 18", "Sending 8", False),
        ("### Reading 1", "Reading 13", False),
        ("## Section 4: commands", "Section 4", True),
        ("see 4.2 above", "4.2", False),
    ],
)
def test_what_a_heading_begins_with(heading: str, begin: str, expected: bool) -> None:
    assert has_heading(f"# Title\n\n{heading}\n\ntext", begin) is expected


_LINK = re.compile(r"\]\((?P<file>[^)#\s:]*)(?:#(?P<heading>[^)\s]+))?\)")
LINKED = sorted(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *PACKAGE.rglob("*.md"))
)


def _anchors(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(paper: Path) -> list[str]:
    """The links of a paper that lead to no file of this repository, or to no heading of it."""
    dead = []
    for link in _LINK.finditer(paper.read_text()):
        target = paper.parent / link["file"] if link["file"] else paper
        if not target.exists() or (link["heading"] and link["heading"] not in _anchors(target.read_text())):
            dead.append(link[0])
    return dead


@pytest.mark.parametrize("paper", LINKED)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(paper: str) -> None:
    assert dead_links(ROOT / paper) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    paper = tmp_path / "paper.md"
    paper.write_text(
        "# On scales: what `check` says\n[a](#on-scales-what-check-says) [b](#no) [c](paper.md) [d](no.md)\n"
    )
    assert dead_links(paper) == ["](#no)", "](no.md)"]
