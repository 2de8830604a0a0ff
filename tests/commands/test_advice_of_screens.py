"""What screens, alerts and a person's commands say to do works when it is done."""

from __future__ import annotations

import pytest

from tests.commands.advice import follow
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
    listed = follow(one, one.run("status").out).json["reviews"]
    assert [review["kind"] for review in listed] == ["known-order-changed"]
