"""What data sources can get wrong, over JSON and over SOAP: named with table and number, not used, and nothing lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.conftest import Bench
from tests.commands.dialects import fault_codes, fresh, served, stored

APIS = ("datasource", "soap")
FLAGS = ("rowLimitedExceeded", "rowLimitExceeded", "limitExceeded")
LINES = FaultRule(FaultKind.HTML, origin="plex", source=6197, times=None)
OUTCOMES = {
    FaultKind.XML_BOMB: (5, "no-json", "no-soap"),
    FaultKind.EXTERNAL_ENTITY: (5, "no-json", "no-soap"),
    FaultKind.LONG_ATTRIBUTE: (5, "no-json", "no-soap"),
    FaultKind.HTML: (5, "no-json", "no-soap"),
    FaultKind.BROKEN_BODY: (5, "no-json", "no-soap"),
    FaultKind.ERROR_BEFORE: (5, "unavailable", "unavailable"),
    FaultKind.ACCESS_DENIED: (4, "refused", "question-refused"),
    FaultKind.ERRORS_WITH_200: (4, "question-refused", "question-refused"),
    FaultKind.RESULT_ERROR: (4, "question-refused", "question-refused"),
}
"""By fault: the exit code, and the code over JSON and over SOAP."""


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Bench]]:
    with ExitStack() as stack:
        yield {api: stack.enter_context(served(api, tmp_path_factory.mktemp(api), 2)) for api in APIS}


def must_be_named_unused_and_made_good(
    bench: Bench, exit_code: int, code: str, complete: tuple[str, ...] = ()
) -> dict[str, str]:
    """Poll with the fault, and without it; the error of the first poll. `complete`: orders that it does not concern."""
    began = time.monotonic()
    ran = bench.run("poll", "--json")
    assert time.monotonic() - began < 60
    error: dict[str, str] = ran.json["error"]
    assert (ran.code, error["code"], fault_codes(bench)) == (exit_code, code, {code})
    assert "plex.datasources.lines" in error["message"]
    assert "6197" in error["message"]
    assert tuple(stored(bench)) == complete
    bench.sandbox.faults.clear()
    bench.later(minutes=5)
    assert bench.run("poll", "--json").code == 0
    assert (len(stored(bench)), fault_codes(bench)) == (2, set())
    assert bench.sandbox.generated() == []
    return error


@pytest.mark.parametrize("kind", OUTCOMES)
@pytest.mark.parametrize("api", APIS)
def test_the_fault_of_one_data_source_is_named_and_nothing_of_it_is_used(
    benches: Mapping[str, Bench], tmp_path: Path, api: str, kind: FaultKind
) -> None:
    exit_code, over_json, over_soap = OUTCOMES[kind]
    bench = fresh(benches[api], tmp_path)
    bench.sandbox.inject(replace(LINES, kind=kind))
    error = must_be_named_unused_and_made_good(bench, exit_code, over_json if api == "datasource" else over_soap)
    if kind is FaultKind.ACCESS_DENIED:
        assert "Web Service Access By User Account" in error["fix"]
        assert "Customer Care" in error["fix"]
    if kind is FaultKind.HTML:
        assert "HTML page" in error["message"]


@pytest.mark.parametrize("place", ["", "tables."])
@pytest.mark.parametrize("flag", FLAGS)
def test_a_row_limit_is_seen_in_every_spelling_and_place(
    benches: Mapping[str, Bench], tmp_path: Path, flag: str, place: str
) -> None:
    bench = fresh(benches["datasource"], tmp_path)
    bench.sandbox.inject(replace(LINES, kind=FaultKind.ROW_LIMIT, filter=f"{place}{flag}"))
    # An order of one line is complete; of an order of two lines nothing is used.
    complete = tuple(each.number for each in bench.sandbox.plex.tenant.orders if len(each.lines) == 1)
    assert len(complete) == 1
    must_be_named_unused_and_made_good(bench, 5, "row-limit", complete)


def test_a_row_limit_that_soap_does_not_state_is_seen_by_the_number_of_rows(
    benches: Mapping[str, Bench], tmp_path: Path
) -> None:
    def with_limit(text: str) -> str:
        return text.replace("[plex.datasources.lines]\n", "[plex.datasources.lines]\nrow_limit = 1\n")

    bench = fresh(benches["soap"], tmp_path, with_limit)
    bench.sandbox.inject(replace(LINES, kind=FaultKind.ROW_LIMIT))
    ran = bench.run("poll", "--json")
    assert (ran.code, ran.json["error"]["code"], stored(bench)) == (5, "row-limit", {})
    assert "6197 ([plex.datasources.lines])" in ran.json["error"]["message"]


@pytest.mark.parametrize("api", APIS)
def test_an_ignored_key_never_mixes_orders(benches: Mapping[str, Bench], tmp_path: Path, api: str) -> None:
    bench = fresh(benches[api], tmp_path)
    bench.sandbox.inject(FaultRule(FaultKind.IGNORED_FILTER, origin="plex", source=3827, times=None))
    ran = bench.run("poll", "--json")
    assert (ran.code, ran.json["error"]["code"], stored(bench)) == (4, "ignored-filter", {})
    assert "3827 ([plex.datasources.order])" in ran.json["error"]["message"]


@pytest.mark.parametrize("api", APIS)
def test_orders_are_the_same_where_older_sources_give_dates_as_texts(
    benches: Mapping[str, Bench], tmp_path: Path, api: str
) -> None:
    kept = []
    for form in (None, "%m/%d/%Y %I:%M:%S %p"):
        (tmp_path / str(form is None)).mkdir()
        benches[api].sandbox.plex_settings.text_dates = form
        bench = fresh(benches[api], tmp_path / str(form is None))
        ran = bench.run("poll", "--full", "--json")
        benches[api].sandbox.plex_settings.text_dates = None
        assert ran.code == 0, ran.err
        orders = stored(bench)
        # Texts have no fractions of a second.
        for order in orders.values():
            order.pop("created_at")
        kept.append(orders)
    assert len(kept[0]) == 2
    assert kept[0] == kept[1]


@pytest.mark.parametrize("kind", [FaultKind.RESULT_ERROR, FaultKind.ERRORS_WITH_200])
@pytest.mark.parametrize("api", APIS)
def test_a_write_refused_with_200_is_not_taken_as_done(tmp_path: Path, api: str, kind: FaultKind) -> None:
    with served(api, tmp_path, 1) as bench:
        bench.config.write_text(config_text(bench.sandbox, api, "datasource"))
        assert bench.run("run", "--json").code == 0
        bench.later(hours=3)
        bench.sandbox.inject(FaultRule(kind, origin="plex", source=28809, times=None))
        refused = bench.run("run", "--json")
        assert refused.code == 3, refused.out
        assert refused.json["counts"]["writes_made"] == 0
        assert bench.sandbox.plex.acknowledgements == []
        assert bench.run("review", "list", "--json").json["reviews"] != []
