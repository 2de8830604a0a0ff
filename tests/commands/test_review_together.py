"""Many review items are decided in one command: nothing else than what was shown, and each by itself."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.behaviours import Character

WHY = ("--reason", "agreed by phone")


def standing(bench) -> list[dict]:
    return bench.run("review", "list", "--json").json["reviews"]


@pytest.fixture
def late(make_bench):
    """Two orders of two suppliers; one supplier promises later dates than it may."""
    bench = make_bench(orders=4, suppliers=2, characters=(Character.DATES, Character.REJECTING))
    bench.write_config(lambda text: text.replace("date_late_days = 5", "date_late_days = 0"))
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run").code == 3
    return bench


def test_a_supplier_s_late_dates_are_accepted_with_one_reason_and_nothing_else_is(late):
    before = standing(late)
    held = [each for each in before if each["kind"] == "line-held"]
    assert held
    assert len(before) > len(held), "the other supplier's rejections must stay"
    preview = late.run("review", "accept", "--max-days-late", "3650", "--dry-run", "--json")
    assert (preview.code, preview.json["dry_run"]) == (0, True)
    assert {each["id"] for each in preview.json["items"]} == {each["id"] for each in held}
    assert {each["result"] for each in preview.json["items"]} == {"would-accept"}
    assert all(each["days_late"] > 0 and each["writes"] for each in preview.json["items"])
    assert standing(late) == before, "a dry run decides nothing"
    assert late.run("review", "accept", "--max-days-late", "0", *WHY, "--yes").out == (
        "No open review item is selected.\n"
    )
    done = late.run("review", "accept", "--max-days-late", "3650", *WHY, "--yes", "--json")
    assert done.code == 0, done.err
    assert {each["result"] for each in done.json["items"]} == {"accepted"}
    assert {each["review"]["closing_reason"] for each in done.json["items"]} == {"agreed by phone"}
    assert {each["kind"] for each in standing(late)} == {each["kind"] for each in before} - {"line-held"}


def test_one_item_that_fails_stops_no_other_and_is_named(late):
    first, second, *_ = [str(each["id"]) for each in standing(late)]
    done = late.run("review", "reject", first, "9999", second, *WHY, "--yes", "--json")
    assert done.code == 2
    assert [each["result"] for each in done.json["items"]] == ["rejected", "failed", "rejected"]
    assert "1 of 3 items failed: 9999: there is no review 9999" in done.json["error"]["message"]
    left = {str(each["id"]) for each in standing(late)}
    assert not {first, second} & left


def test_a_decision_of_many_is_shown_and_not_made_without_a_yes(late):
    before = standing(late)
    supplier = before[0]["supplier"]
    asked = late.run("review", "accept", "--supplier", supplier, *WHY)
    assert asked.code == 2
    assert "--yes" in asked.err
    assert all(str(each["id"]) in asked.err for each in before if each["supplier"] == supplier)
    assert standing(late) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((), "needs to know which items"),
        (("1", "--supplier", "ACME01"), "cannot be combined"),
        (("--kind", "line-lost"), "line-held"),
        (("--within", "a lot"), "percentage"),
        (("--max-days-late", "-1"), "days"),
        (("1", "2", "--line", "10"), "--line"),
        (("1", "2"), "a reason is required"),
    ],
)
def test_an_unclear_choice_is_refused(bench, line, said):
    reason = () if said == "a reason is required" else WHY
    ran = bench.run("review", "accept", *line, *reason)
    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_review_alone_lists_where_there_is_no_terminal(late):
    assert late.run("review").out == late.run("review", "list").out
