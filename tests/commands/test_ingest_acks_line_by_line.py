"""A supplier acknowledges line by line, in several documents, and lines or releases come and go in between."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.test_ingest_acks import bak, confirmed_in_plex, reviews, sent_to_silent, standing
from tests.commands.test_ingest_acks_meaning import control, send_two_releases

CONFIRMED = "EDI_Confirmed_Qty"


def rows(bench, order, document: int, segment: str) -> list[tuple[str, ...]]:
    """PO1 or POC of one of the order's documents."""
    found = [tuple(row.split("*")) for row in bench.sent(order.number)[document].edi.split("~")]
    return [row for row in found if row[0] == segment]


def acknowledge(bench, order, *lines: tuple[tuple[str, ...], str]) -> None:
    """An 855 of today with these PO1, each with an ACK01 for its quantity."""
    body = [row for po1, code in lines for row in (po1, ("ACK", code, po1[2], po1[3]))]
    bench.answer("855", bak(order, "AC", f"{bench.sandbox.clock.now():%Y%m%d}"), *body)


def acknowledge_change(bench, order, sequence: int | str, poc: tuple[str, ...], code: str = "IA") -> None:
    """An 865 that lists what one 860 changed."""
    today = f"{bench.sandbox.clock.now():%Y%m%d}"
    head = ("BCA", "00", "AC", order.number, "", str(sequence), "20261123", "", "", "SO1", today)
    bench.answer("865", head, poc, ("ACK", code, poc[3], poc[5]))


def change(bench, order, **edits) -> None:
    """Edit the order in Plex and send the 860; three days pass."""
    control(bench, "PATCH", f"orders/{order.number}", edits)
    bench.later(hours=30)
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    bench.later(days=3)


def about_lines(bench) -> list[str]:
    """Kinds of the open review items, without those about deadlines."""
    return [item["kind"] for item in reviews(bench) if item["kind"] != "overdue"]


@pytest.fixture
def releases(make_bench):
    """One line with releases of 100 and 30, each sent as a line of its own; `missing_lines` as given."""

    def make(missing: str = "unacknowledged"):
        bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
        code = bench.sandbox.sample_data.partners[0].code
        table = f"[suppliers.{code}.850]\n"
        own = f'\n[suppliers.{code}.acknowledgments]\nmissing_lines = "{missing}"\n'
        bench.write_config(lambda text: text.replace(table, f'{table}schedule = "lines"\n') + own)
        return bench, send_two_releases(bench)

    return make


def the_line(bench, order) -> dict:
    (line,) = standing(bench, order).values()
    return line


@pytest.mark.parametrize("missing", ["unacknowledged", "accepted", "rejected"])
def test_a_backorder_of_one_release_outlives_the_acknowledgment_of_another(releases, missing):
    """Whatever `missing_lines` is: it is for releases that no acknowledgment lists."""
    bench, order = releases(missing)
    first, second = rows(bench, order, 0, "PO1")
    acknowledge(bench, order, (first, "IB"))
    bench.run("run")
    acknowledge(bench, order, (second, "IA"))
    bench.run("run")
    line = the_line(bench, order)
    assert (line["state"], line["confirmed"], line["backordered"]) == ("backordered", 30, 100)
    assert confirmed_in_plex(bench, order) == {1: 30}
    assert about_lines(bench) == ["line-backordered"]


@pytest.mark.parametrize("missing", ["unacknowledged", "accepted", "rejected"])
@pytest.mark.parametrize("listed", [True, False], ids=["the line is listed", "no line is listed"])
def test_a_release_of_a_line_that_was_confirmed_as_a_whole_stays_confirmed(releases, missing, listed):
    """The acknowledgment of the other release said nothing about it: it was held, or rejected by `missing_lines`."""
    bench, order = releases(missing)
    bench.write_config(lambda text: bench.config.read_text() + "accept_without_detail = true\n")
    first, second = rows(bench, order, 0, "PO1")
    whole = [(first[0], first[1].split("-")[0], "130", *first[3:]), ("ACK", "IA", "130", first[3])] if listed else []
    bench.answer("855", bak(order, "AC", f"{bench.sandbox.clock.now():%Y%m%d}"), *whole)
    assert bench.run("run").code == 0
    acknowledge(bench, order, (second, "IB"))
    bench.run("run")
    line = the_line(bench, order)
    assert (line["state"], line["confirmed"], line["backordered"]) == ("backordered", 100, 30)
    assert confirmed_in_plex(bench, order) == {1: 100}


@pytest.mark.parametrize("missing", ["unacknowledged", "accepted", "rejected"])
def test_a_release_of_an_order_that_was_rejected_is_not_confirmed_with_another_one(releases, missing):
    bench, order = releases(missing)
    bench.answer("855", bak(order, "RJ", f"{bench.sandbox.clock.now():%Y%m%d}"))
    bench.run("run")
    acknowledge(bench, order, (rows(bench, order, 0, "PO1")[1], "IA"))
    assert bench.run("run").code == 3
    assert the_line(bench, order)["state"] == "rejected"
    assert confirmed_in_plex(bench, order) == {}


@pytest.mark.parametrize("missing", ["unacknowledged", "accepted", "rejected"])
@pytest.mark.parametrize("ack", [("IB", "0", "EA"), ("BP", "40", "EA"), ("IB", "40", "XX")], ids="-".join)
def test_a_release_whose_quantity_could_not_be_read_is_held_until_it_is_acknowledged_again(releases, missing, ack):
    """With "accepted" the next acknowledgment of another release confirmed it, in Plex too, and closed the review."""
    bench, order = releases(missing)
    first, second = rows(bench, order, 0, "PO1")
    bench.answer("855", bak(order, "AC", f"{bench.sandbox.clock.now():%Y%m%d}"), first, ("ACK", *ack))
    bench.run("run")
    for _ in range(2):
        acknowledge(bench, order, (second, "IA"))
        bench.later(hours=3)
        bench.run("run")
        assert (the_line(bench, order)["state"], confirmed_in_plex(bench, order)) == ("held", {})
        (item,) = reviews(bench, "line-held")
        assert "an earlier one that lists it is held" in item["reasons"][0]["message"]
    acknowledge(bench, order, (first, "IA"))
    bench.later(hours=3)
    bench.run("run")
    assert confirmed_in_plex(bench, order) == {1: 130}
    assert about_lines(bench) == []


def test_releases_that_are_acknowledged_one_by_one_are_confirmed_together(releases):
    bench, order = releases()
    first, second = rows(bench, order, 0, "PO1")
    acknowledge(bench, order, (first, "IA"))
    assert bench.run("run").code == 3
    acknowledge(bench, order, (second, "IA"))
    assert bench.run("run").code == 0
    assert confirmed_in_plex(bench, order) == {1: 130}
    assert about_lines(bench) == []


def test_an_865_lists_only_the_release_that_the_860_changed(releases):
    bench, order = releases("rejected")
    first, second = rows(bench, order, 0, "PO1")
    acknowledge(bench, order, (first, "IA"), (second, "IA"))
    bench.run("run")
    line = order.lines[0]
    change(bench, order, releases=[{"line": line.number, "release": line.releases[-1].number, "quantity": 50}])
    (poc,) = rows(bench, order, 1, "POC")
    acknowledge_change(bench, order, 1, poc)
    bench.run("run")
    assert (the_line(bench, order)["state"], the_line(bench, order)["confirmed"]) == ("confirmed", 150)
    assert [write.after[CONFIRMED] for write in bench.writes(order.number) if CONFIRMED in write.after] == [130, 150]


@pytest.mark.parametrize(("quantity", "state", "confirmed"), [("50", "confirmed", 150), ("30", "unacknowledged", 0)])
def test_an_865_of_the_same_day_without_change_sequence_is_read_by_the_values_of_the_release(
    releases, quantity, state, confirmed
):
    """They were compared with the whole line, of which the 865 lists only a part."""
    bench, order = releases()
    first, second = rows(bench, order, 0, "PO1")
    acknowledge(bench, order, (first, "IA"), (second, "IA"))
    bench.run("run")
    line = order.lines[0]
    edited = {"line": line.number, "release": line.releases[-1].number, "quantity": 50}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [edited]})
    for _ in range(2):
        bench.later(minutes=20)
        bench.run("run")
    (poc,) = rows(bench, order, 1, "POC")
    acknowledge_change(bench, order, "", (*poc[:3], quantity, *poc[4:]))
    bench.run("run")
    assert (the_line(bench, order)["state"], the_line(bench, order)["confirmed"]) == (state, confirmed)
    assert about_lines(bench) == []


def deleted_release(releases):
    """Both releases are confirmed, and an 860 deletes the second; the bench, the order and that POC."""
    bench, order = releases()
    acknowledge(bench, order, *((row, "IA") for row in rows(bench, order, 0, "PO1")))
    bench.run("run")
    line = order.lines[0]
    change(bench, order, releases=[{"line": line.number, "release": line.releases[-1].number, "status": "Cancelled"}])
    (poc,) = rows(bench, order, 1, "POC")
    return bench, order, poc


def test_the_supplier_agrees_to_delete_a_release(releases):
    """It was called a deletion of the whole line "which was not requested"."""
    bench, order, poc = deleted_release(releases)
    assert poc[2:4] == ("DI", "0")
    acknowledge_change(bench, order, 1, poc)
    bench.run("run")
    assert (the_line(bench, order)["state"], the_line(bench, order)["confirmed"]) == ("confirmed", 100)
    assert about_lines(bench) == []


def test_the_860_is_dated_by_the_change_of_the_release(releases):
    """BCH11 had the day on which the header was entered, for every change of a release."""
    bench, order = releases()
    bench.later(days=5)
    today = f"{bench.sandbox.clock.now():%Y%m%d}"
    line = order.lines[0]
    change(bench, order, releases=[{"line": line.number, "release": line.releases[-1].number, "quantity": 50}])
    (bch,) = rows(bench, order, 1, "BCH")
    assert (bch[6], bch[11]) == (f"{order.created:%Y%m%d}", today)


def test_the_supplier_refuses_to_delete_a_release(releases):
    bench, order, poc = deleted_release(releases)
    acknowledge_change(bench, order, 1, poc, "IR")
    assert bench.run("run").code == 3
    (item,) = reviews(bench, "line-held")
    assert [reason["code"] for reason in item["reasons"]] == ["deletion-rejected"]


@pytest.mark.parametrize(
    ("code", "kinds", "said"),
    [("ID", [], ""), ("IA", ["line-held"], "the line was deleted, but the supplier confirms")],
)
def test_a_line_that_an_older_860_deleted_is_still_listed(make_bench, code, kinds, said):
    """A full acknowledgment of the newest 860 lists it: "the order has no such line" was wrong."""
    bench, order = sent_to_silent(make_bench)
    first, second, *others = rows(bench, order, 0, "PO1")
    acknowledge(bench, order, *((row, "IA") for row in (first, second, *others)))
    bench.run("run")
    change(bench, order, delete_lines=[int(second[1])])
    change(bench, order, lines=[{"line": int(first[1]), "price": "7.77"}])
    dearer = (*first[:4], "7.77", *first[5:])
    acknowledge(bench, order, (dearer, "IA"), (second, code), *((row, "IA") for row in others))
    bench.run("run")
    assert standing(bench, order)[first[1]]["state"] == "confirmed"
    assert about_lines(bench) == kinds
    messages = [reason["message"] for item in reviews(bench, "line-held") for reason in item["reasons"]]
    assert all(said in message for message in messages)
