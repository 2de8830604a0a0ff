"""One contract for all four interfaces of Plex: equal orders and documents, and equal outcomes of equal faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from plexstedi.decimal_json import dumps
from plexstedi.sandbox.faults import FaultKind, FaultRule
from tests.commands.conftest import Bench, number_of
from tests.commands.dialects import APIS, fault_codes, fresh, served, stored

LINES = {
    "connect": FaultRule(FaultKind.HTML, path="/line-items$"),
    "oauth2": FaultRule(FaultKind.HTML, path="/line-items$"),
    "datasource": FaultRule(FaultKind.HTML, source=6197),
    "soap": FaultRule(FaultKind.HTML, source=6197),
}
"""By dialect: the calls that read the lines of an order."""
COMPANY = {
    "connect": FaultRule(FaultKind.HTML, path="/tenants$"),
    "oauth2": FaultRule(FaultKind.HTML, path="/tenants$"),
    "datasource": FaultRule(FaultKind.HTML, source=382),
    "soap": FaultRule(FaultKind.HTML, source=382),
}
"""By dialect: the call that shows whose data it is."""


@dataclass(frozen=True)
class Outcome:
    """The exit code and the code of the error, which is also what `status` shows as health."""

    exit: int
    code: str | None


@dataclass(frozen=True)
class Case:
    """A fault on some calls, and its outcome. `differs`: the dialects that differ by design, with the reason."""

    kind: FaultKind
    outcome: Outcome
    calls: Mapping[str, FaultRule] = field(default_factory=lambda: LINES)
    times: int | None = None
    differs: Mapping[str, tuple[Outcome, str]] = field(default_factory=dict)


REFUSED, DOWN = Outcome(4, "refused"), Outcome(5, "unavailable")
NO_JSON, NO_SOAP = Outcome(5, "no-json"), Outcome(5, "no-soap")
AS_XML = {"soap": (NO_SOAP, "over SOAP a response must be XML, not JSON; the code names what is missing")}
IN_WORDS = {
    "soap": (
        Outcome(4, "question-refused"),
        "SOAP states a missing grant as an Error with a text, like any other refusal; the fix names both",
    )
}
NO_LINES = (Outcome(4, "no-rows"), "a table without rows of any order is a missing access, as Plex does not refuse it")
CASES = {
    "401": Case(FaultKind.UNAUTHENTICATED, REFUSED),
    "403": Case(FaultKind.FORBIDDEN, REFUSED),
    "429 that passes": Case(FaultKind.THROTTLED, Outcome(0, None), times=2),
    "429 that stays": Case(FaultKind.THROTTLED, Outcome(5, "throttled")),
    "500": Case(FaultKind.ERROR_BEFORE, DOWN),
    "503": Case(FaultKind.UNAVAILABLE, DOWN),
    "timeout of a gateway": Case(FaultKind.GATEWAY_TIMEOUT, DOWN),
    "no response": Case(FaultKind.DROP_BEFORE, DOWN),
    "HTML page": Case(FaultKind.HTML, NO_JSON, differs=AS_XML),
    "broken body": Case(FaultKind.BROKEN_BODY, NO_JSON, differs=AS_XML),
    "empty body": Case(FaultKind.EMPTY_BODY, DOWN, differs=AS_XML),
    "missing grant": Case(FaultKind.ACCESS_DENIED, REFUSED, differs=IN_WORDS),
    "wrong tenant": Case(FaultKind.DEFAULT_TENANT, Outcome(4, "wrong-tenant"), COMPANY),
    "no tenant": Case(FaultKind.NO_ROWS, Outcome(4, "wrong-tenant"), COMPANY),
    "orders without lines": Case(
        FaultKind.NO_ROWS, Outcome(3, None), differs={"datasource": NO_LINES, "soap": NO_LINES}
    ),
}


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Bench]]:
    with ExitStack() as stack:
        yield {api: stack.enter_context(served(api, tmp_path_factory.mktemp(api))) for api in APIS}


@pytest.mark.parametrize("name", CASES)
def test_the_same_fault_has_the_same_outcome_and_nothing_of_the_response_is_used(
    benches: Mapping[str, Bench], tmp_path: Path, name: str
) -> None:
    case, found, kept, expected = CASES[name], {}, {}, {}
    for api in APIS:
        (tmp_path / api).mkdir()
        bench = fresh(benches[api], tmp_path / api)
        rule = replace(case.calls[api], kind=case.kind, origin="plex", times=case.times, retry_after=7)
        bench.sandbox.inject(rule)
        ran = bench.run("poll", "--json")
        error = ran.json.get("error")
        found[api] = Outcome(ran.code, error and error["code"]), fault_codes(bench)
        kept[api] = stored(bench)
        outcome = case.differs[api][0] if api in case.differs else case.outcome
        expected[api] = outcome, {outcome.code} - {None}
    assert found == expected
    assert {api: len(orders) for api, orders in kept.items()} == dict.fromkeys(APIS, 3 if case.times else 0)


def test_faults_one_after_the_other_lose_nothing_and_all_dialects_have_the_same_orders(
    benches: Mapping[str, Bench], tmp_path: Path
) -> None:
    kept = {}
    for api in APIS:
        (tmp_path / api).mkdir()
        bench = fresh(benches[api], tmp_path / api)
        for kind in (FaultKind.BROKEN_BODY, FaultKind.ACCESS_DENIED, FaultKind.NO_ROWS):
            bench.sandbox.inject(replace(LINES[api], kind=kind, times=None))
            assert bench.run("poll", "--json").code != 0
            bench.sandbox.faults.clear()
            bench.later(minutes=5)
        # An order that came without its lines is held for a person; a full poll, or the daily sweep, reads it again.
        assert bench.run("poll", "--full", "--json").code == 0
        assert fault_codes(bench) == set()
        kept[api] = stored(bench)
    assert len(kept["connect"]) == 3
    assert all(orders == kept["connect"] for orders in kept.values())


def test_an_ignored_filter_adds_no_order_and_hides_no_change(benches: Mapping[str, Bench], tmp_path: Path) -> None:
    found, counted = {}, {}
    for api in APIS:
        (tmp_path / api).mkdir()
        bench = fresh(benches[api], tmp_path / api)
        assert bench.run("poll").code == 0
        bench.later(hours=3)
        by_rest = api in ("connect", "oauth2")
        calls = {"path": "/purchase-orders$", "filter": "(?i)date"} if by_rest else {"source": 21338}
        bench.sandbox.inject(FaultRule(FaultKind.IGNORED_FILTER, origin="plex", times=None, **calls))
        ran = bench.run("poll", "--json")
        found[api], counted[api] = (ran.code, ran.json.get("error", {}).get("code")), ran.json["counts"]
    # A row of a data source may be listed for a change whose time it does not show: each one is read, and compared.
    refused = (4, "ignored-filter")
    assert found == {"connect": refused, "oauth2": refused, "datasource": (0, None), "soap": (0, None)}
    assert {api: each["orders_changed"] for api, each in counted.items()} == dict.fromkeys(APIS, 0)


def test_an_order_that_vanished_is_known_as_vanished_and_the_others_stay(
    benches: Mapping[str, Bench], tmp_path: Path
) -> None:
    found = {}
    for api in APIS:
        (tmp_path / api).mkdir()
        bench = fresh(benches[api], tmp_path / api)
        assert bench.run("poll").code == 0
        plex = bench.sandbox.plex
        with bench.sandbox.lock:
            gone = plex.tenant.orders[0]
            plex.delete_order(gone.number)
        bench.later(minutes=10)
        ran = bench.run("poll", "--full", "--json")
        with bench.sandbox.lock:
            plex.tenant.orders.insert(0, gone)
            plex.reindex()
        phases = {number: order["phase"] for number, order in stored(bench).items()}
        found[api] = ran.code, ran.json.get("error"), phases.pop(gone.number), set(phases.values())
    assert found == dict.fromkeys(APIS, (0, None, "vanished", {"released"}))


def test_the_same_orders_give_byte_equal_guide_json(tmp_path: Path) -> None:
    sent = {}
    for api in APIS:
        (tmp_path / api).mkdir()
        with served(api, tmp_path / api, orders=8) as bench:
            ran = fresh(bench, tmp_path / api).run("run", "--json")
            assert ran.code == 0, ran.err
            sent[api] = {number_of(each): dumps(list(each.transactions)) for each in bench.sandbox.generated()}
    assert len(sent["connect"]) >= 6
    assert all(documents == sent["connect"] for documents in sent.values())


@pytest.mark.parametrize("api", APIS)
def test_credentials_that_lapse_stop_the_next_run_and_nothing_is_lost(tmp_path: Path, api: str) -> None:
    with served(api, tmp_path, orders=1) as served_bench:
        bench = fresh(served_bench, tmp_path)
        assert bench.run("poll").code == 0
        bench.sandbox.plex_settings.credentials_lapse = bench.sandbox.clock.now() + timedelta(minutes=5)
        bench.later(minutes=10)
        refused = bench.run("poll", "--json")
        # Over OAuth2 it is the token that is refused, before Plex is called.
        code = "no-token" if api == "oauth2" else "refused"
        assert (refused.code, refused.json["error"]["code"]) == (4, code)
        bench.sandbox.plex_settings.credentials_lapse = None
        assert bench.run("poll", "--json").code == 0
        assert len(stored(bench)) == 1
