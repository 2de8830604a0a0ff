"""The page itself: whole, escaped, with every order once, and saying what is old."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from itertools import pairwise

from msgspec.structs import replace

from plexstedi.cli.page.overview import overview_page

from .pages import NAMES, NOW, a_page, one_supplier


def section(page: str, name: str) -> str:
    """One section of the page, without tags."""
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_every_open_order_is_listed_once_and_linked_to_its_lines() -> None:
    data = a_page(60)
    page = overview_page(data)
    anchors = re.findall(r'<article id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) == 60
    (table,) = re.findall(r'<table class="rows orders".*?</table>', page, re.DOTALL)
    assert sorted(re.findall(r'href="#(order-[^"]+)"', table)) == sorted(anchors)
    for order in data.orders:
        for line in order.lines:
            assert line.line.part in page


def test_a_link_of_the_page_leads_to_something_on_it() -> None:
    page = overview_page(a_page(60))
    targets = set(re.findall(r'\bid="([^"]+)"', page))
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) > 100, "else this looks at nothing"
    assert set(links) - targets == set()
    assert len(re.findall(r'\bid="', page)) == len(targets), "an id twice"


def test_the_policy_of_the_page_lets_its_own_style_and_script_run_and_nothing_else() -> None:
    page = overview_page(a_page(3))
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}" in page or f"{tag}-src 'sha256-{digest}" in page
    assert "default-src 'none'" in page
    assert " style=" not in page
    assert "://" not in page


def test_names_from_plex_cannot_become_markup() -> None:
    page = overview_page(a_page(10))
    assert "Delta &lt;Tube&gt; Works" in page
    assert "<Tube>" not in page


def test_a_decision_comes_with_its_fix_and_the_command() -> None:
    data = a_page(10)
    shown = section(overview_page(data), "decisions")
    (first, *_) = data.seen.open_reviews
    assert f"plexstedi review accept {first.id} --reason TEXT" in shown
    assert f"plexstedi review show {first.id}" in shown
    assert "`" not in shown


def test_long_lists_of_risks_are_cut_and_lead_to_all_of_them() -> None:
    data = a_page(600)
    assert len(data.differs) > 100
    page = overview_page(data)
    assert f"The first 100 of {len(data.differs)}." in section(page, "changed")
    assert page.count('data-r="') > len(data.differs)


def test_an_old_read_is_marked_by_the_program_too_not_only_by_the_browser() -> None:
    data = a_page(3)
    assert 'class="old"' not in overview_page(data)
    later = replace(data, now=NOW + timedelta(minutes=30))
    page = overview_page(later)
    assert page.count('class="old"') == 4, "three stages, and how far Plex was read"
    assert "34 min, stale" in section(page, "runs")


def test_a_fault_is_the_first_thing_on_the_page() -> None:
    page = overview_page(a_page(3, healthy=False))
    assert page.index("Plex is unavailable: 503") < page.index('<section id="late"')
    assert "Runs do not work as they should" not in overview_page(a_page(3))


def test_the_page_of_one_supplier_has_its_name_and_no_chart_of_all_orders() -> None:
    page = overview_page(one_supplier(a_page(20), "S001"))
    assert "<h1>Supplier S001 Acme Bolt &amp; Fastener</h1>" in page
    assert 'id="over-time"' not in page


def test_an_empty_state_gives_a_page_without_empty_tables() -> None:
    data = replace(a_page(0, days=0), cards={30: [], 90: [], 365: []}, days={})
    page = overview_page(data)
    for words in ("No order is late.", "Nothing needs a decision.", "No order is open."):
        assert words in page
    assert "No acknowledgment has been received yet." in page


def test_every_table_has_a_caption_and_every_column_a_scope() -> None:
    page = overview_page(a_page(30))
    assert page.count("<table") == page.count("<caption")
    assert len(re.findall(r"<th(?! scope=)(?!ead)", page)) == 0
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert set(NAMES) <= set(re.findall(r'<option value="([^"]+)">', page))
