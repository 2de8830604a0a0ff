"""`plex.timezone`: days are the plant's, and setting it or another one is no change of any order."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from plexstedi.sandbox.behaviours import Character

ELSEWHERE = "Pacific/Honolulu"
"""There a midnight of Detroit is the day before."""


def set_zone(bench, name: str | None) -> None:
    text = re.sub(r"(?m)^timezone = .*\n", "", bench.config.read_text())
    line = "" if name is None else f'timezone = "{name}"\n'
    bench.config.write_text(text.replace("[plex]\n", f"[plex]\n{line}", 1))


def swept(bench) -> dict[str, int]:
    """What a look at all open orders finds."""
    bench.later(minutes=30)
    ran = bench.run("poll", "--full", "--json")
    assert ran.code == 0, ran.err
    return ran.json["counts"]


def in_detroit(bench):
    """An order whose days Plex keeps as Detroit's midnight, not as midnight UTC."""
    return next(order for order in bench.sandbox.plex.tenant.orders if order.key % 2 == 0)


def test_another_zone_is_no_change_of_any_order_and_a_change_of_one_is_still_seen(make_bench):
    bench = make_bench(orders=4, suppliers=1, characters=(Character.SILENT,))
    set_zone(bench, None)
    assert bench.run("run").code == 0
    sent = len(bench.sandbox.generated())
    bench.later(minutes=5)
    bench.run("run")
    for zone in (ELSEWHERE, "America/Detroit", None, ELSEWHERE):
        set_zone(bench, zone)
        assert swept(bench)["orders_changed"] == 0, zone
    assert bench.run("submit", "--json").json["counts"]["documents_sent"] == 0
    assert len(bench.sandbox.generated()) == sent
    order = in_detroit(bench)
    with bench.sandbox.lock:
        # As many hours later as the zones are apart: nothing that hides behind the other zone's day.
        release = order.lines[0].releases[0]
        bench.sandbox.plex.edit_release(order.number, order.lines[0].number, release.number, due=later(release.due))
    assert swept(bench)["orders_changed"] == 1
    assert bench.run("submit", "--json").json["counts"]["documents_sent"] == 1
    assert bench.numbers_sent()[-1] == order.number
    assert swept(bench)["orders_changed"] == 0


def later(day):
    return day + timedelta(days=1)


def test_an_invoice_that_was_sent_and_is_touched_later_is_not_changed_by_another_zone(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    text = bench.config.read_text()
    bench.config.write_text(text.replace("[company]", '[documents]\nsend = ["850", "860", "810"]\n\n[company]'))
    for _ in range(2):
        assert bench.run("run").code == 0
        bench.later(minutes=5)
    invoices = [document.edi for document in bench.sandbox.generated() if "~BIG*" in document.edi]
    assert invoices
    set_zone(bench, ELSEWHERE)
    for paid in (True, False):
        with bench.sandbox.lock:
            for invoice in bench.sandbox.plex.tenant.invoices:
                invoice.modified = bench.sandbox.clock.now()
                if not paid:
                    invoice.due += timedelta(days=3)
        bench.later(minutes=5)
        ran = bench.run("run", "--json")
        # A change in Plex itself is still seen: X12 has no change of an invoice, so it is held.
        assert (ran.code, ran.json["counts"]["documents_held"]) == ((0, 0) if paid else (3, len(invoices)))
    assert len([document for document in bench.sandbox.generated() if "~BIG*" in document.edi]) == len(invoices)


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_a_confirmed_day_is_that_day_in_plex_and_is_written_once(make_bench, dialect):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.PROMPT,), dialect=dialect)
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["writes_made"] > 0
    values = [
        value
        for row in bench.sandbox.plex.custom.values()
        for name, value in row.items()
        if name == "EDI_Confirmed_Delivery_Date" and value is not None
    ]
    assert values
    assert all(re.fullmatch(r"20[0-9-]{8}T0[45]:00:00Z", value) for value in values), values
    order = bench.sandbox.plex.tenant.orders[0]
    shown = bench.run("status", order.number, "--json").json["lines"]
    assert {line["delivery_date"] for line in shown} >= {value[:10] for value in values}
    written = len(bench.sandbox.plex.writes)
    bench.later(minutes=20)
    assert (bench.run("run", "--json").json["counts"]["writes_made"], len(bench.sandbox.plex.writes)) == (0, written)


def test_check_says_where_the_zone_is_needed(make_bench):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    assert "plex.timezone" not in bench.run("check", "--offline").out
    set_zone(bench, None)
    shown = " ".join(bench.run("check", "--offline").out.split())
    assert "plex.timezone" in shown
    assert "EDI_Confirmed_Ship_Date" in shown
    bench.config.write_text(bench.config.read_text().replace('write = "custom-fields"', 'write = "report-only"'))
    assert "plex.timezone" not in bench.run("check", "--offline").out


def test_a_zone_that_is_none_is_refused_with_those_near_it(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    set_zone(bench, "america/detroit")
    ran = bench.run("run")
    assert ran.code == 4
    assert "plex.timezone" in ran.err
    assert "America/Detroit" in ran.err


@pytest.mark.parametrize(("zone", "day"), [("America/Detroit", "20261124"), (None, "20261125")])
def test_a_change_of_the_evening_is_of_that_day_in_the_plant(make_bench, zone, day):
    """BCH11 is a day of the plant like the order date beside it, not the next day of UTC."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    set_zone(bench, zone)
    assert bench.run("run").code == 0
    # 22:00 in Detroit.
    bench.later(days=1, hours=20)
    bench.run("run")
    order = bench.sandbox.plex.tenant.orders[0]
    with bench.sandbox.lock:
        release = order.lines[0].releases[0]
        bench.sandbox.plex.edit_release(order.number, order.lines[0].number, release.number, due=later(release.due))
    bench.later(minutes=5)
    bench.run("run")
    (bch,) = re.findall("~(BCH[^~]*)", bench.sent(order.number)[-1].edi)
    assert bch.split("*")[11] == day
