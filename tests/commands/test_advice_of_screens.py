"""What screens, alerts and a person's commands say to do works when it is done."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.advice import commands, follow
from tests.commands.buyers import edit
from tests.commands.test_advice_of_faults import refused


@pytest.fixture
def one(make_bench):
    """One order of one supplier."""
    return make_bench(orders=1, suppliers=1)


def test_a_supplier_whose_orders_were_not_read_yet_is_tried_after_the_poll(one):
    words = ("check", "--supplier", one.sandbox.sample_data.partners[0].code, "--json")
    (finding,) = [f for f in one.run(*words).json["findings"] if f["subject"].startswith("orders of")]
    follow(one, finding["fix"])
    assert [trial["result"] for trial in one.run(*words).json["orders"]] == ["would-send"]
    assert one.sandbox.generated() == []


def test_the_number_of_a_review_is_found_where_the_help_says(one):
    told = one.run("review", "show", "--help", env={"COLUMNS": "200"}).out
    assert follow(one, told).json["reviews"] == []


def test_an_order_is_shown_without_the_option_that_does_not_go_with_it(one):
    one.run("run")
    (number,) = one.numbers_sent()
    assert follow(one, refused(one, "status", number, "--late", code=2)).json["order"]["number"] == number


def test_an_order_that_is_not_known_yet_is_read_and_then_sent(one):
    one.run("review", "list")
    number = one.sandbox.plex.tenant.orders[0].number
    one.run("ingest-acks")
    follow(one, refused(one, "submit", "--order", number, code=2))
    assert one.run("submit", "--order", number, "--json").json["counts"]["documents_sent"] == 1


def test_changed_orders_from_before_are_listed_where_status_says(one):
    one.write_config(lambda text: text + "\n[plex.poll]\nstart = 2026-11-23T07:00:00Z\n")
    one.run("run")
    one.later(hours=1)
    edit(one, one.sandbox.plex.tenant.orders[0].number)
    one.later(minutes=10)
    one.run("run")
    listed = follow(one, one.run("status").out).json["waiting"]
    assert [review["kind"] for review in listed] == ["known-order-changed"]


@pytest.fixture
def rejected(make_bench):
    """One supplier of two rejects its orders, and never acknowledges the rest in time."""
    bench = make_bench(orders=4, suppliers=2, characters=(Character.REJECTING, Character.PROMPT))
    bench.run("run")
    bench.later(hours=3)
    return bench


def test_a_run_and_the_overview_lead_to_what_needs_review(rejected):
    said = rejected.run("run").out
    place = commands(said).index(["status", "--needs-attention"])
    listed = follow(rejected, said, place).json["waiting"]
    assert listed
    overview = rejected.run("status").out
    assert follow(rejected, overview).json["waiting"] == listed
    (shown,) = [words for words in commands(overview) if words[:2] == ["review", "show"]]
    assert rejected.run(*(str(listed[0]["id"]) if word == "ID" else word for word in shown)).code == 0


@pytest.mark.parametrize("how", ["accept", "reject"])
def test_the_effect_of_a_decision_is_shown_where_its_help_says(rejected, how):
    rejected.run("run")
    item = rejected.run("review", "list", "--json").json["reviews"][0]["id"]
    told = " ".join(rejected.run("review", how, "--help").out.split())
    assert follow(rejected, told, given={"ID": str(item)}).json["review"]["id"] == item


def test_the_overview_names_how_to_see_suppliers_that_have_nothing_open(rejected):
    rejected.run("run")
    overview = rejected.run("status").out
    (words,) = [each for each in commands(overview) if "--verbose" in each]
    every = rejected.run(*words).out
    assert all(partner.code in every for partner in rejected.sandbox.sample_data.partners)


def test_what_is_late_is_shown_where_the_overview_says(make_bench):
    silent = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    silent.run("run")
    silent.later(hours=1)
    silent.run("run")
    silent.later(days=7)
    silent.run("run")
    overview = silent.run("status").out
    place = commands(overview).index(["status", "--late"])
    assert follow(silent, overview, place).json["late"]


def test_poll_names_the_command_that_sends_what_it_found(one):
    found = one.run("poll").out
    assert follow(one, found).json["counts"]["documents_sent"] == 1


def test_a_watch_without_a_terminal_is_replaced_by_the_plain_screen(one):
    one.run("run")
    assert follow(one, refused(one, "status", "--watch", code=2)).code == 0


def test_a_decision_of_nothing_is_led_to_the_list(one):
    one.run("run")
    assert follow(one, refused(one, "review", "accept", "--reason", "agreed", code=2)).json["reviews"] == []
