"""The page in headless Chromium: `pip install -e '.[test,browser]'`, the package `chromium`, `pytest -m browser`."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from plexstedi.cli.page.overview import overview_page
from plexstedi.cli.plants.page import plants_page

from .pages import NOW, a_page
from .plant_pages import some_plants

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (360, 768, 1280)
ORDERS = 80
MANY = 5000


def missing(what: str) -> None:
    """Skip, but fail where CI has installed it."""
    if os.environ.get("PLEXSTEDI_BROWSER_TESTS") == "required":
        pytest.fail(f"{what}, although the browser tests are required here")
    pytest.skip(f"{what}: see the first line of this file")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests, in a profile of its own."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    if CHROMIUM is None:
        missing("no Chromium is on PATH")
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of eighty orders."""
    made = tmp_path_factory.mktemp("page") / "orders.html"
    made.write_text(overview_page(a_page(ORDERS)), encoding="utf-8")
    return made


Opened = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Opened]:
    """Open the page as a user has it; at the end nothing may have failed or left this machine."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def open_it(
        width: int = 1280, query: str = "", path: Path = file, minutes_later: int | None = 3, **more: Any
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        if minutes_later is not None:
            page.clock.set_fixed_time(NOW + timedelta(minutes=minutes_later))
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("request", lambda asked: asked.url.startswith("file:") or wrong.append(f"request: {asked.url}"))
        page.goto(f"{path.as_uri()}{query}")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert wrong == []


def shown(page: Any, table: str = "t-orders") -> list[str]:
    """The orders that a table shows, in its order."""
    found = page.evaluate(
        "id => [...document.getElementById(id).tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[0].innerText)",
        table,
    )
    return [str(each).strip() for each in found]


def column(page: Any, name: str) -> list[str]:
    """The texts of one column of the list of orders, of the rows that are shown."""
    found: list[str] = page.evaluate(
        "name => { const t = document.getElementById('t-orders');"
        " const i = [...t.tHead.rows[0].cells].findIndex(c => c.innerText.trim().startsWith(name));"
        " return [...t.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[i].innerText.trim()) }",
        name,
    )
    return found


def searched(page: Any, **values: str) -> None:
    """Fill in the search form and wait until it is applied."""
    for name, value in values.items():
        control = page.locator(f"#{name}")
        if name == "q":
            control.fill(value)
        else:
            control.select_option(value)
    page.wait_for_function("() => document.getElementById('found').textContent !== ''")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_screen_has_to_be_scrolled_sideways(opened: Opened, width: int, scheme: str) -> None:
    page = opened(width, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        "w => [...document.querySelectorAll('body *')].filter(e => !e.closest('.wide, article, .away, .skip, svg'))"
        ".filter(e => e.getBoundingClientRect().right > w + 1).map(e => e.outerHTML.slice(0, 80))",
        width,
    )
    assert outside == []


CONTRASTS = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05); };
  const back = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; }
    return [255, 255, 255]; };
  const low = [], met = { texts: 0, marks: 0 };
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('script, style, option, [hidden]') || !e.checkVisibility()) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), svg = e.namespaceURI.includes('svg');
    const big = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(parse(svg ? style.fill : style.color), back(svg ? e.closest('div') : e));
    met.texts += 1;
    if (found < (big ? 3 : 4.5)) low.push([found.toFixed(2), e.outerHTML.slice(0, 90)]);
  }
  for (const e of document.querySelectorAll('.swatch, svg rect, svg circle')) {
    const style = getComputedStyle(e), own = e.matches('.swatch') ? style.backgroundColor : style.fill;
    const found = ratio(parse(own), back(e.closest('div, figure')));
    met.marks += 1;
    if (found < 3) low.push([found.toFixed(2), e.outerHTML.slice(0, 90)]);
  }
  for (const e of document.querySelectorAll('input, select, form > button')) {
    const found = ratio(parse(getComputedStyle(e).borderTopColor), back(e.parentElement));
    if (found < 3) low.push([found.toFixed(2), e.outerHTML.slice(0, 60)]);
  }
  return [low, met];
}"""


@pytest.mark.parametrize("minutes_later", [3, 300], ids=["fresh", "stale"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_have_the_contrast_of_wcag_aa(opened: Opened, scheme: str, minutes_later: int) -> None:
    low, met = opened(color_scheme=scheme, minutes_later=minutes_later).evaluate(CONTRASTS)
    assert low == []
    assert met["texts"] > 1000, "else this looks at nothing"
    assert met["marks"] > 100, "else this looks at nothing"


def test_an_order_is_found_by_its_part_and_the_address_remembers_it(opened: Opened) -> None:
    page = opened()
    assert len(shown(page)) == ORDERS
    searched(page, q="80085")
    assert shown(page) == ["PO-104012"]
    assert page.locator("article:visible").count() == 1
    assert f"1 of {ORDERS} open orders" in page.inner_text("#found")
    assert "q=80085" in page.url
    page.reload()
    assert shown(page) == ["PO-104012"]
    assert page.input_value("#q") == "80085"


def test_filters_narrow_each_other_and_every_list_follows_the_supplier(opened: Opened) -> None:
    page = opened()
    searched(page, supplier="S005", stage="changed")
    found = shown(page)
    assert found
    assert all(int(number.removeprefix("PO-")) % 5 == 4 for number in found)
    assert set(column(page, "Status")) == {"changed"}
    assert all(int(number.removeprefix("PO-")) % 5 == 4 for number in shown(page, "t-late"))
    assert "supplier=S005" in page.url
    assert "stage=changed" in page.url
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => document.getElementById('found').textContent === ''")
    assert len(shown(page)) == ORDERS
    assert page.url.endswith(".html")


def test_a_link_with_a_filter_opens_filtered_whoever_gets_it(opened: Opened) -> None:
    page = opened(query="?risk=late&sort=t-orders.0.down&days=30")
    late = shown(page)
    assert 0 < len(late) < ORDERS
    assert late == sorted(late, reverse=True)
    assert page.locator("#t-cards-30").is_visible()
    assert not page.locator("#t-cards-90").is_visible()
    assert page.locator("#t-orders th[aria-sort=descending]").count() == 1
    strange = opened(query="?supplier=NOBODY&sort=x.9.up&days=7&risk=%3Cb%3E")
    assert len(shown(strange)) == ORDERS


def test_a_column_is_sorted_as_numbers_dates_or_words_and_both_ways(opened: Opened) -> None:
    page = opened()
    head = page.locator("#t-orders").get_by_role("button", name="Lines")
    head.click()
    numbers = [int(each) for each in column(page, "Lines")]
    assert numbers == sorted(numbers)
    head.click()
    assert [int(each) for each in column(page, "Lines")] == sorted(numbers, reverse=True)
    assert "sort=t-orders.5.down" in page.url
    page.locator("#t-orders").get_by_role("button", name="Promised").click()
    promised = [each for each in column(page, "Promised") if each not in ("-", "–")]
    assert promised == sorted(promised)
    assert column(page, "Promised")[-1] in ("-", "–"), "without a date: last"
    page.reload()
    assert [each for each in column(page, "Promised") if each not in ("-", "–")] == promised


def test_the_whole_page_works_by_keyboard(opened: Opened) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.id || e.textContent.trim(), s.outlineStyle !== 'none' || s.boxShadow !== 'none'] }"
        )
        assert seen[1], f"{seen[0]} has no visible focus"
        reached.append(seen[0])
    for name in ("q", "supplier", "stage", "risk", "Reset", "Days late"):
        assert name in reached
    page.locator("#t-late").get_by_role("button", name="Order").focus()
    page.keyboard.press("Enter")
    assert page.locator("#t-late th[aria-sort=ascending]").inner_text().startswith("Order")
    page.locator("#t-late tbody a").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('article:target') !== null")


def test_names_and_roles_tell_what_each_thing_is(opened: Opened) -> None:
    page = opened()
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('input, select')].filter(e => !e.labels.length).map(e => e.id)"
        ".concat([...document.querySelectorAll('svg[role=img]')].filter(e => !e.ariaLabel).map(e => e.outerHTML))"
        ".concat([...document.querySelectorAll('button, a')].filter(e => !e.textContent.trim()).map(e => e.outerHTML))"
    )
    assert unnamed == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("h1").count() == page.locator("main").count() == 1


def test_a_page_that_is_not_written_any_more_says_so_itself(opened: Opened) -> None:
    fresh = opened(minutes_later=15)
    assert fresh.locator("#stale").is_hidden()
    assert "15 min ago" in fresh.inner_text(".when")
    old = opened(minutes_later=5 * 60)
    assert old.locator("#stale").is_visible()
    assert "5 h old" in old.inner_text("#stale")
    assert old.locator("#fresh tr.old").count() == 4
    assert "5 h, stale" in old.locator("#fresh tr.old .age").first.inner_text()
    bad = old.evaluate("getComputedStyle(document.getElementById('stale')).color")
    assert bad != old.evaluate("getComputedStyle(document.body).color")


def test_without_scripts_everything_is_there_and_nothing_that_does_not_work(opened: Opened) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("#find").is_hidden()
    assert page.locator("#periods").is_hidden()
    assert page.locator("#t-orders tbody tr").count() == ORDERS
    for period in (30, 90, 365):
        assert page.locator(f"#t-cards-{period}").is_visible()


def printed(page: Any) -> list[list[str]]:
    """By sheet of paper, the orders whose rows of the list are on it."""
    from pypdf import PdfReader

    texts = [sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages]
    first = next(index for index, text in enumerate(texts) if re.search(r"^Open orders \d", text, re.MULTILINE))
    return [re.findall(r"PO-\d{6}", text) for text in texts[first:]]


def test_a_sheet_of_paper_has_25_orders(opened: Opened) -> None:
    page = opened(color_scheme="dark")
    sheets = [sheet for sheet in printed(page) if sheet]
    assert [len(sheet) for sheet in sheets] == [25, 25, 25, 5]
    searched(page, stage="confirmed")
    count = len(shown(page))
    assert count > 25
    assert [len(sheet) for sheet in printed(page) if sheet] == [25, count - 25], "of those that are shown"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    assert page.locator("#find").is_hidden()


def test_few_orders_are_printed_with_their_lines(opened: Opened) -> None:
    page = opened()
    page.emulate_media(media="print")
    assert page.locator("#lines").is_hidden()
    page.emulate_media(media="screen")
    searched(page, q="PO-104012")
    page.emulate_media(media="print")
    assert page.locator("#lines").is_visible()


def test_five_thousand_orders_open_and_are_searched_quickly(opened: Opened, tmp_path: Path) -> None:
    """Bounds are several times what an idle machine of two cores takes."""
    path = tmp_path / "many.html"
    path.write_text(overview_page(a_page(MANY)), encoding="utf-8")
    assert path.stat().st_size < 15_000_000
    page = opened(path=path, minutes_later=None)
    times = json.loads(
        page.evaluate(
            "() => { const n = performance.getEntriesByType('navigation')[0];"
            " const p = performance.getEntriesByName('first-contentful-paint')[0];"
            " return JSON.stringify({paint: p ? p.startTime : 0, ready: n.domContentLoadedEventEnd}) }"
        )
    )
    assert times["paint"] < 5_000
    assert times["ready"] < 20_000
    milliseconds, said = page.evaluate(
        "() => { const began = performance.now(), form = document.getElementById('find');"
        " document.getElementById('q').value = 'S005';"
        " form.dispatchEvent(new Event('submit', {cancelable: true})); document.body.offsetHeight;"
        " return [performance.now() - began, document.getElementById('found').textContent] }"
    )
    assert "1000 of 5000" in said
    assert milliseconds < 5_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_several_plants_fits_is_legible_and_marks_old_data(
    opened: Opened, tmp_path: Path, scheme: str
) -> None:
    path = tmp_path / "plants.html"
    path.write_text(plants_page(some_plants(), NOW), encoding="utf-8")
    for width in WIDTHS:
        page = opened(width, path=path, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("tr.old").all_inner_texts()[0].startswith("tulsa")
    assert page.locator("tr.old").count() == 1
    assert page.locator("#stale").is_hidden()
    page.locator("#t-plants tbody a").first.click()
    assert page.locator("section:target h2").inner_text() == "reno"
    old = opened(path=path, color_scheme=scheme, minutes_later=300)
    assert old.locator("#stale").is_visible()
    assert old.locator("tr.old").count() == 4, "all but the one that cannot be read"
    for each in (page, old):
        low, met = each.evaluate(CONTRASTS)
        assert low == []
        assert met["texts"] > 80, "else this looks at nothing"
