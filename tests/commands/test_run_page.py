"""`run.html`: each run leaves a page that a web server can show, however the run ended."""

from __future__ import annotations

import re
import stat
from contextlib import closing
from pathlib import Path

import pytest

from plexstedi.config.load import load
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.state.store import Store
from plexstedi.sync.statistics.daily import read_days

from .conftest import START, Bench


@pytest.fixture
def page(bench: Bench) -> Path:
    """Where the runs of this bench write their page."""
    folder = bench.place / "www"
    folder.mkdir()
    bench.write_config(lambda text: text.replace("[run]\n", "") + '\n[run]\nhtml = "www/orders.html"\n')
    return folder / "orders.html"


def written(page: Path) -> str:
    """When the page says that it was written."""
    found = re.search(r'data-written="([^"]+)"', page.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def test_each_run_writes_the_page_for_all_users_and_nothing_else(bench: Bench, page: Path) -> None:
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    first = written(page)
    for number in set(bench.numbers_sent()):
        assert f">{number}</a>" in page.read_text(encoding="utf-8")
    bench.later(minutes=10)
    bench.run("run")
    assert written(page) > first
    assert list(page.parent.iterdir()) == [page]


def test_an_idle_run_under_cron_writes_it_and_stays_silent(bench: Bench, page: Path) -> None:
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=10)
    before = written(page)
    idle = bench.run("run")
    assert (idle.code, idle.out, idle.err) == (0, "", "")
    assert written(page) > before


def test_the_page_tells_of_the_run_that_wrote_it_also_if_that_failed(bench: Bench, page: Path) -> None:
    bench.run("run")
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="stedi", times=None))
    bench.later(minutes=5)
    assert bench.run("run").code == 5
    text = page.read_text(encoding="utf-8")
    assert "Runs do not work as they should" in text
    assert "<code>run</code> ended with 5" in text


def test_a_run_without_its_keys_still_writes_the_page(bench: Bench, page: Path) -> None:
    bench.run("run")
    before = written(page)
    bench.later(minutes=5)
    ran = bench.run("run", env={"PLEXSTEDI_STEDI_API_KEY": None})
    assert ran.code == 4
    assert written(page) > before
    assert "Runs do not work as they should" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_stops_no_order_and_is_said_once_a_day(bench: Bench, page: Path) -> None:
    page.parent.rmdir()
    ran = bench.run("run", "--json")
    assert ran.code == 0
    assert ran.json["counts"]["documents_sent"] > 0
    (warning,) = [each for each in ran.json["warnings"] if "run.html" in each]
    assert str(page) in warning
    assert "Create its folder" in warning
    page.parent.mkdir()
    assert bench.run("run", "--json").json["warnings"] == [], "the advice was followed"
    assert page.exists()


def test_the_configuration_of_another_tenant_shows_no_order_of_this_one(bench: Bench, page: Path) -> None:
    bench.run("run")
    page.unlink()
    bench.write_config(
        lambda text: (
            re.sub(r'tenant_id = "[^"]+"', 'tenant_id = "99999999-89ab-cdef-0123-456789abcdef"', text)
            + '\n[run]\nhtml = "www/orders.html"\n'
        )
    )
    assert bench.run("run").code == 4
    assert not page.exists()


def test_without_the_key_there_is_no_page(bench: Bench) -> None:
    assert load(bench.config).run.html is None
    bench.run("run")
    assert list(bench.place.rglob("*.html")) == []


def test_each_day_is_recorded_once_and_the_page_adds_today(bench: Bench, page: Path) -> None:
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(days=1)
    bench.run("run")
    with closing(Store.open_to_read(bench.state)) as store:
        days = read_days(store.page_statistics, START.date())
    first, second = (days[day] for day in sorted(days))
    assert second.orders is not None
    assert sum(second.orders.values()) > 0
    assert first.suppliers is not None
    answered = sum(one.as_ordered + one.changed + one.rejected + one.unclear for one in first.suppliers.values())
    acknowledged = bench.run("status", "--json").json["documents"]["business_ack"]
    assert answered == sum(count for state, count in acknowledged.items() if state != "none") > 0
    text = page.read_text(encoding="utf-8")
    assert f"since {min(days)}" in text
    before = bench.state.stat().st_size
    bench.later(minutes=10)
    bench.run("run")
    with closing(Store.open_to_read(bench.state)) as store:
        assert read_days(store.page_statistics, START.date()) == days
    assert bench.state.stat().st_size == before


def test_a_page_that_cannot_be_made_is_a_warning_and_not_a_silent_exit_code(bench: Bench, page: Path) -> None:
    bench.run("run")
    bench.later(minutes=5)

    def broken() -> None:
        from plexstedi.sync.report import page as module

        def fails(*given: object) -> None:
            raise ZeroDivisionError

        module.page_data = fails  # type: ignore[assignment]

    ran = bench.run("run", "--json", before=broken)
    assert ran.code == 0
    (warning,) = [each for each in ran.json["warnings"] if "run.html" in each]
    assert "ZeroDivisionError" in warning


def test_figures_that_cannot_be_recorded_end_no_run(bench: Bench) -> None:
    def broken() -> None:
        from plexstedi.sync.statistics import daily as module

        def fails(*given: object) -> None:
            raise ZeroDivisionError

        module.counted_by_stage = fails  # type: ignore[assignment]

    ran = bench.run("run", "--json", before=broken)
    assert (ran.code, ran.json["counts"]["documents_sent"]) == (0, 4)
    (warning,) = [each for each in ran.json["warnings"] if "figures of the page" in each]
    assert "ZeroDivisionError" in warning
    assert bench.run("run", "--json").json["warnings"] == []


def test_check_names_a_folder_that_the_page_cannot_be_written_to(bench: Bench, page: Path) -> None:
    def verdict() -> str:
        findings = bench.run("check", "--offline", "--json").json["findings"]
        (found,) = [each for each in findings if each["subject"] == "run.html"]
        return str(found["verdict"])

    assert verdict() == "ok"
    page.parent.rmdir()
    assert verdict() == "warn"
