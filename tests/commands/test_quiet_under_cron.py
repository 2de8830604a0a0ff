"""Cron's mail is news: a fault that stands is printed when it begins, once a day, and when it ends, nothing between."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

import plexstedi.sync.report.metrics as metrics
import plexstedi.sync.run as stages
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.sample_data import EdgeCase
from plexstedi.state.file.lock import lock_path
from plexstedi.sync.session import Session

from .advice import follow
from .conftest import Bench, MakeBench, Ran


@pytest.fixture
def settled(make_bench: MakeBench) -> Bench:
    """A morning that is over: nothing is left to do."""
    bench = make_bench(orders=4, suppliers=1)
    for hours in (0, 3, 1):
        bench.later(hours=hours)
        bench.run("run", "--json")
    quiet(bench.run("run"), 0)
    return bench


def quiet(ran: Ran, code: int) -> None:
    """The run ends with its exit code and says nothing at all."""
    assert (ran.code, ran.out, ran.err) == (code, "", "")


def stops_plex(bench: Bench) -> Callable[[], None]:
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", times=None))
    return bench.sandbox.faults.clear


def refuses_keys(bench: Bench) -> Callable[[], None]:
    """Plex takes the key no more, until it is renewed."""
    good = bench.sandbox.plex_settings.api_key
    bench.environment["PLEXSTEDI_PLEX_API_KEY"] = "expired-key-of-before"

    def renewed() -> None:
        bench.environment["PLEXSTEDI_PLEX_API_KEY"] = good

    return renewed


def empties_plex(bench: Bench) -> Callable[[], None]:
    """A suspicion: none of the known orders is listed any more."""
    orders = list(bench.sandbox.plex.tenant.orders)
    bench.sandbox.plex.tenant.orders.clear()
    bench.sandbox.plex.reindex()
    bench.later(hours=25)

    def there_again() -> None:
        bench.sandbox.plex.tenant.orders.extend(orders)
        bench.sandbox.plex.reindex()

    return there_again


def breaks_the_configuration(bench: Bench) -> Callable[[], None]:
    bench.write_config(lambda text: text + "\n[supliers]\n")
    return bench.write_config


@pytest.mark.parametrize(
    ("begin", "code", "said"),
    [
        (stops_plex, 5, "Plex"),
        (refuses_keys, 4, "Plex"),
        (empties_plex, 3, "sweep-empty"),
        (breaks_the_configuration, 4, "supliers"),
    ],
)
def test_a_fault_that_stands_is_printed_when_it_begins_daily_and_when_it_ends(
    settled: Bench, begin: Callable[[Bench], Callable[[], None]], code: int, said: str
) -> None:
    bench = settled
    end = begin(bench)
    first = bench.run("run")
    assert first.code == code
    assert said in first.err
    assert "fix:" in first.err
    for _ in range(2):
        bench.later(hours=3)
        quiet(bench.run("run"), code)
    bench.later(hours=18, seconds=-30)  # a timer is never to the second
    daily = bench.run("run")
    assert daily.code == code
    assert said in daily.err
    bench.later(hours=1)
    quiet(bench.run("run"), code)
    end()
    bench.later(hours=1)
    over = bench.run("run")
    assert over.code == 0
    assert "works again since 2026-11-2" in over.err
    bench.later(hours=1)
    assert "again" not in bench.run("run").err


NO_STEDI_KEY: dict[str, str | None] = {"PLEXSTEDI_STEDI_API_KEY": None}
NO_PLEX_KEY: dict[str, str | None] = {"PLEXSTEDI_PLEX_API_KEY": None}
NO_CERTIFICATES: dict[str, str | None] = {"SSL_CERT_FILE": "/nowhere/ca.pem"}


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("[supliers]", "[documents]\nmax_per_run = -1", ("supliers", "documents.max_per_run")),
        (NO_STEDI_KEY, NO_PLEX_KEY, ("stedi-api-key", "plex-api-key")),
        (NO_CERTIFICATES, {"SSL_CERT_DIR": "/nowhere/certs"}, ("SSL_CERT_FILE", "SSL_CERT_DIR")),
    ],
    ids=["setting", "secret", "variable"],
)
def test_another_fault_of_the_set_up_is_printed_at_once(
    settled: Bench, first: str | dict[str, str | None], second: str | dict[str, str | None], named: tuple[str, str]
) -> None:
    """Someone corrects one thing and breaks another: the mail must not stay silent because a fault was open."""
    bench = settled

    def run(wrong: str | dict[str, str | None]) -> Ran:
        bench.write_config(lambda text: f"{text}\n{wrong}\n" if isinstance(wrong, str) else text)
        bench.later(hours=1)
        return bench.run("run", env=None if isinstance(wrong, str) else wrong)

    begun = run(first)
    assert (begun.code, named[0] in begun.err) == (4, True), begun.err
    quiet(run(first), 4)
    other = run(second)
    assert (other.code, named[1] in other.err) == (4, True), other.err
    quiet(run(second), 4)
    over = run("")
    assert (over.code, "works again since" in over.err) == (0, True)


def test_a_refused_key_with_a_substitute_is_printed_when_it_begins_daily_and_when_it_ends(settled: Bench) -> None:
    """The runs succeed, and the key that they use may be the last one that works."""
    bench = settled
    keys = bench.sandbox.stedi_settings.api_keys
    good = bench.environment["PLEXSTEDI_STEDI_API_KEY_PREVIOUS"] = min(keys)
    bench.environment["PLEXSTEDI_STEDI_API_KEY"] = "revoked-key-of-before"
    first = bench.run("run")
    assert (first.code, first.out) == (0, "")
    assert first.err.count("Stedi refuses stedi-api-key") == 1
    assert "fix:" in first.err
    for _ in range(2):
        bench.later(hours=3)
        quiet(bench.run("run"), 0)
    assert any("refuses" in warning for warning in bench.run("run", "--json").json["warnings"])
    (fault,) = bench.run("status", "--json").json["health"]["faults"]
    assert fault["code"] == "stedi-key-refused"
    bench.later(hours=18, seconds=-30)
    assert "Stedi refuses stedi-api-key" in bench.run("run").err
    quiet(bench.run("poll"), 0)
    bench.environment["PLEXSTEDI_STEDI_API_KEY"] = good
    over = bench.run("run")
    assert (over.code, "Stedi (stedi-api-key) works again since" in over.err) == (0, True)
    assert bench.run("status", "--json").json["health"]["ok"] is True
    quiet(bench.run("run"), 0)


def test_a_refused_key_that_is_replaced_in_the_same_run_is_printed_by_that_run(settled: Bench) -> None:
    bench = settled
    keys = bench.sandbox.stedi_settings.api_keys
    good = min(keys)
    bench.environment["PYTHON_KEYRING_BACKEND"] = "plexstedi.credentials.keyring_file.EncryptedFileKeyring"
    del_variable = {"PLEXSTEDI_STEDI_API_KEY": None}
    for name, value in (("stedi-api-key", "revoked-key-of-before"), ("stedi-api-key-next", good)):
        assert bench.run("credentials", "set", name, stdin=value, env=del_variable).code == 0
    bench.later(hours=1)
    ran = bench.run("run", env=del_variable)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("stedi-api-key-next, which is stedi-api-key from now on") == 1
    assert follow(bench, ran.err, env=del_variable).code == 0
    bench.later(hours=1)
    assert "refuse" not in bench.run("run", env=del_variable).err


def test_who_reads_along_always_sees_it_and_that_is_no_mail(settled: Bench) -> None:
    bench = settled
    end = stops_plex(bench)
    for _ in range(2):
        assert "503" in bench.run("run", "--json").json["error"]["message"]
    assert "503" in bench.run("run").err, "cron's reader has not seen it yet"
    quiet(bench.run("run"), 5)
    assert "error" in bench.run("run", "--json").json
    end()
    bench.later(hours=1)
    assert bench.run("run", "--json").code == 0
    assert "works again" in bench.run("run").err, "its end is still news to cron's reader"
    quiet(bench.run("run"), 0)
    end = stops_plex(bench)
    assert bench.run("run", "--json").code == 5
    end()
    assert bench.run("run", "--json").code == 0
    quiet(bench.run("run"), 0)


def test_a_fault_of_one_stage_does_not_end_with_another(settled: Bench) -> None:
    bench = settled
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="stedi", times=None))
    assert bench.run("ingest-acks").code == 5
    bench.later(hours=1)
    quiet(bench.run("poll"), 0)
    quiet(bench.run("ingest-acks"), 5)
    bench.sandbox.faults.clear()
    bench.later(hours=1)
    quiet(bench.run("poll"), 0)
    assert "Stedi (ingest-acks) works again" in bench.run("ingest-acks").err


def test_an_internal_error_that_recurs_is_printed_with_its_traceback_once_a_day(settled: Bench) -> None:
    bench = settled

    def broken() -> None:
        def raises(session: Session, **more: object) -> None:
            raise RuntimeError("odd")

        stages.poll = raises

    assert "Traceback" in bench.run("run", before=broken).err
    quiet(bench.run("run", before=broken), 1)
    bench.later(hours=24)
    assert "Traceback" in bench.run("run", before=broken).err
    assert "poll works again" in bench.run("run").err


def test_a_lock_that_hangs_is_printed_once_and_daily(settled: Bench) -> None:
    bench = settled
    with lock_path(bench.state).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "holds the lock" in bench.run("run").err
        quiet(bench.run("run"), 6)
        assert bench.run("run", "--json").json["error"]["code"] == "locked"
        health = bench.run("status", "--json").json["health"]
        assert (health["ok"], health["last_run"]["exit_code"]) == (True, 6)
        bench.later(hours=24)
        assert "holds the lock" in bench.run("run").err
    quiet(bench.run("run"), 0)


def test_a_state_that_cannot_be_used_is_printed_by_each_run_and_its_end_too(settled: Bench) -> None:
    bench = settled
    away = bench.state.with_name("away")
    bench.state.rename(away)
    for _ in range(2):
        ran = bench.run("run")
        assert (ran.code, "plexstedi recover" in ran.err) == (7, True)
        assert ran.err.count("plexstedi: ") == 1
    away.rename(bench.state)
    assert "works again" in bench.run("run").err
    quiet(bench.run("run"), 0)


def test_drafts_untraded_orders_and_readings_again_are_no_news(make_bench: MakeBench) -> None:
    bench = make_bench(orders=3, suppliers=1, edge_cases=(EdgeCase.UNKNOWN_SUPPLIER,))
    plex = bench.sandbox.plex
    sent = [order.number for order in plex.tenant.orders]
    for hours in (0, 3, 1, 1):
        bench.later(hours=hours)
        bench.run("run", "--json")
    sent = [number for number in sent if not bench.sent(number)]
    assert sent, "one order is not traded"
    draft, untraded = "PO-DRAFT", sent[0]
    with bench.sandbox.lock:
        from plexstedi.sandbox.plex.store import copy_order

        plex.add_order(copy_order(plex.order(bench.numbers_sent()[0]), draft, bench.sandbox.clock.now()))
        plex.edit_header(draft, status="New")
        plex.edit_header(untraded, note="another note")
    bench.later(hours=1)
    quiet(bench.run("run"), 0)
    with bench.sandbox.lock:
        plex.edit_header(draft, note="not yet")
    bench.later(minutes=30)
    counts = bench.run("run", "--json").json["counts"]
    assert (counts["orders_seen"], counts["orders_changed"]) == (1, 1)
    bench.later(hours=25)
    quiet(bench.run("run"), 0)
    with bench.sandbox.lock:
        plex.edit_header(draft, status="On Order")
    bench.later(minutes=30)
    assert "1 document sent" in bench.run("run").out
    assert len(bench.sent(draft)) == 1


def test_a_warning_that_recurs_is_printed_once_a_day_and_an_idle_run_has_none(settled: Bench) -> None:
    bench = settled
    numbers = bench.numbers_sent()

    def run(number: str | None) -> str:
        if number is not None:
            with bench.sandbox.lock:
                bench.sandbox.plex.edit_header(number, note=f"at {bench.sandbox.clock.now()}")
        bench.later(hours=1)
        return bench.run("run", before=lambda: warns("a supplier sends odd files")).err

    def warns(text: str) -> None:
        poll = stages.poll
        stages.poll = lambda session, **more: (session.run.warn(text), poll(session, **more))

    assert run(None) == ""
    assert "warning: a supplier sends odd files" in run(numbers[0])
    assert "odd files" not in run(numbers[1])
    bench.later(hours=24)
    assert "odd files" in run(numbers[0])


def test_an_error_after_the_ending_is_recorded_is_printed_by_each_run_and_stands_in_status(
    settled: Bench, tmp_path: Path
) -> None:
    bench = settled
    bench.write_config(lambda text: text + f'\n[run]\nmetrics_file = "{tmp_path / "plexstedi.prom"}"\n')

    def broken() -> None:
        def fail(*_: object) -> str:
            raise KeyError("a figure")

        metrics.gather = fail  # type: ignore[assignment]

    for _ in range(2):
        bench.later(minutes=15)
        ran = bench.run("run", before=broken)
        assert (ran.code, ran.out) == (1, "")
        assert "KeyError: 'a figure'" in ran.err
        assert "plexstedi: internal error" in ran.err
        last = bench.run("status", "--json").json["health"]["last_run"]
        assert (last["exit_code"], last["error"]["code"]) == (1, "internal")
    bench.later(minutes=15)
    assert bench.run("run").code == 0
    assert bench.run("status", "--json").json["health"]["last_run"]["exit_code"] == 0
