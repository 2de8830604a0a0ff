"""The page of several plants: each one is there, linked and named, and old data is marked."""

from __future__ import annotations

import re

from msgspec.structs import replace

from plexstedi.cli.plants.page import plants_page

from .pages import NOW
from .plant_pages import a_plant, some_plants


def rows(page: str) -> dict[str, str]:
    """The row of each plant, in the order of the page."""
    found = re.findall(r"<tr[^>]*><th scope=\"row\">.*?</tr>", page, re.DOTALL)
    named = [re.search(r'<a href="#plant-\d+">(.*?)</a>', row) for row in found]
    return {name[1]: row for name, row in zip(named, found, strict=True) if name is not None}


def test_each_plant_is_linked_to_what_is_wrong_there_the_worst_first() -> None:
    page = plants_page(some_plants(), NOW)
    assert list(rows(page)) == ["reno", "el-paso", "austin", "dallas", "tulsa"]
    targets = set(re.findall(r'\bid="([^"]+)"', page))
    links = re.findall(r'href="([^"]*)"', page)
    assert len(links) > 10, "else this looks at nothing"
    assert {link.removeprefix("#") for link in links} <= targets
    section = page.split('<section id="plant-1"')[1].split("</section>")[0]
    assert "the state file /var/lib/plexstedi/reno cannot be used" in section
    assert "<code>plexstedi recover</code>" in section
    assert "<code>plexstedi --config /etc/plexstedi/reno/plexstedi.toml status</code>" in section
    austin = page.split('<section id="plant-3"')[1].split("</section>")[0]
    assert austin.count("<li>") == 5
    assert "and 7 more: <code>plexstedi --config /etc/plexstedi/austin/plexstedi.toml status</code>" in austin
    assert "R &amp; D &lt;Inc&gt;" in page
    assert "<Inc>" not in page


def test_data_older_than_three_runs_is_marked_and_counted() -> None:
    found = rows(plants_page(some_plants(), NOW))
    assert [name for name, row in found.items() if 'class="old"' in row] == ["tulsa"]
    assert "30 h, stale" in found["tulsa"]
    slow = replace(a_plant("tulsa", hours_old=30), every_minutes=24 * 60)
    assert "stale<" not in rows(plants_page([slow], NOW))["tulsa"]


def test_of_a_plant_that_cannot_be_read_no_number_is_shown() -> None:
    reno = rows(plants_page(some_plants(), NOW))["reno"]
    assert re.findall(r'<td class="n[^>]*>(.*?)</td>', reno) == ["–"] * 5
    assert "cannot be read" in reno


def test_a_plant_that_never_read_plex_says_so() -> None:
    fresh = a_plant("fresh")
    fresh = replace(fresh, overview=replace(fresh.overview, times=type(fresh.overview.times)()))
    row = rows(plants_page([fresh], NOW))["fresh"]
    assert (">never<" in row, 'class="old"' in row) == (True, True)
