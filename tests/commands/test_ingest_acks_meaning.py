"""What a supplier's acknowledgment means, seen from the whole program: never silently wrong, never held for ever."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from decimal import Decimal

import pytest

import plexstedi.sync.ingest.decide_received as deciding
from plexstedi.sandbox.behaviours import Character
from tests.commands.test_ingest_acks import reviews, standing

WHY = ("--reason", "agreed by phone")


def control(bench, method: str, path: str, body: dict) -> dict:
    """The sandbox's own routes, as a person who tries things by hand calls them."""
    request = urllib.request.Request(
        f"{bench.sandbox.urls.plex_url}/_sandbox/{path}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"{}")


def send_two_releases(bench):
    """Send one order of one line, with a release of 100 and one of 30; the order."""
    order = bench.sandbox.plex.tenant.orders[0]
    for line in order.lines[1:]:
        bench.sandbox.plex.delete_line(order.number, line.number)
    line = order.lines[0]
    for release in line.releases[1:]:
        bench.sandbox.plex.edit_release(order.number, line.number, release.number, status="Cancelled")
    first = {"line": line.number, "release": line.releases[0].number, "quantity": 100, "due": "2026-12-17"}
    extra = {"line": line.number, "quantity": 30, "due": "2027-01-06"}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [first], "add_releases": [extra]})
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.run("run")
    assert len(bench.sent(order.number)) == 1
    return order


@pytest.fixture
def sent(make_bench):
    """A silent supplier with one order of one line and two releases sent; the order, and what its line says."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    return bench, send_two_releases(bench)


def po1(bench, order) -> list[str]:
    """PO1 of the order's line as it was sent first."""
    rows = [row.split("*") for row in bench.sent(order.number)[0].edi.split("~")]
    return next(row for row in rows if row[0] == "PO1")


def acknowledge(bench, order, code: str, quantity: int, **more) -> None:
    """The supplier's 855 of the one line as Guide JSON, through the sandbox's control API."""
    sent_line = po1(bench, order)
    ack = {"line_item_status_code_01": code, "quantity_02": quantity, "unit_or_basis_for_measurement_code_03": "EA"}
    loop = {
        "baseline_item_data_PO1": {
            "assigned_identification_01": sent_line[1],
            "quantity_ordered_02": more.get("echo", quantity),
            "unit_or_basis_for_measurement_code_03": sent_line[3],
            "unit_price_04": float(sent_line[4]),
            "product_service_id_qualifier_06": sent_line[6],
            "product_service_id_07": sent_line[7],
        },
        "line_item_acknowledgment_ACK_loop": [
            {"line_item_acknowledgment_ACK": {**ack, "unit_or_basis_for_measurement_code_03": sent_line[3]}}
        ],
        **more.get("line", {}),
    }
    transaction = {
        "heading": {
            "transaction_set_header_ST": {
                "transaction_set_identifier_code_01": "855",
                "transaction_set_control_number_02": 1,
            },
            "beginning_segment_for_purchase_order_acknowledgment_BAK": {
                "transaction_set_purpose_code_01": "00",
                "acknowledgment_type_02": "AC",
                "purchase_order_number_03": order.number,
                "date_04": "2026-11-23",
                "reference_identification_08": "SO-1",
                "date_09": more.get("dated", bench.sandbox.clock.now().date().isoformat()),
            },
            **more.get("heading", {}),
        },
        "detail": {"baseline_item_data_PO1_loop": [loop]},
        "summary": {"transaction_totals_CTT_loop": [{"transaction_totals_CTT": {"number_of_line_items_01": 1}}]},
    }
    partnership = bench.sandbox.sample_data.partners[0].partnership_id
    control(bench, "POST", "inbound", {"partnership": partnership, "set": "855", "transaction": transaction})
    bench.later(minutes=5)


def the_line(bench, order) -> dict:
    (line,) = standing(bench, order).values()
    return line


def test_goods_that_come_before_the_acknowledgment_hold_nothing(sent):
    """A receipt is the normal end of a release in Plex: "run `submit`" would have nothing to send, for ever."""
    bench, order = sent
    line = order.lines[0]
    received = {"line": line.number, "release": line.releases[0].number, "quantity": 100}
    control(bench, "PATCH", f"orders/{order.number}", {"receive": [received]})
    bench.later(minutes=10)
    bench.run("run")
    acknowledge(bench, order, "IA", 130)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["attention"]) == (0, 0)
    assert (the_line(bench, order)["state"], the_line(bench, order)["confirmed"]) == ("confirmed", 30)
    assert reviews(bench) == []


def test_a_line_that_is_entered_again_is_written_where_it_is_now(sent):
    """The supplier sees the same order, so its word counts; it goes to the line that Plex has now."""
    bench, order = sent
    line = order.lines[0]
    with bench.sandbox.lock:
        plex = bench.sandbox.plex
        releases = [(r.quantity, r.due) for r in line.releases if r.status != "Cancelled"]
        for release in list(line.releases):
            plex.edit_release(order.number, line.number, release.number, status="Cancelled")
        for quantity, due in releases:
            plex.add_release(order.number, line.number, quantity, due)
    bench.later(minutes=10)
    before = bench.run("run", "--json")
    assert before.json["counts"]["documents_sent"] == 0
    acknowledge(bench, order, "IA", 130)
    ran = bench.run("run", "--json")
    assert (ran.code, the_line(bench, order)["state"]) == (0, "confirmed")
    assert [write.after["EDI_Confirmed_Qty"] for write in bench.writes(order.number) if write.line] == [Decimal(130)]


def test_an_acknowledgment_in_another_currency_is_held(sent):
    """The same number in EUR is another price: nothing of it is written before a person decides."""
    bench, order = sent
    acknowledge(
        bench,
        order,
        "IA",
        130,
        heading={"currency_CUR": {"entity_identifier_code_01": "SE", "currency_code_02": "EUR"}},
    )
    ran = bench.run("run", "--json")
    assert (ran.code, the_line(bench, order)["state"]) == (3, "held")
    assert bench.writes(order.number) == []
    reasons = {reason["code"]: reason["message"] for each in reviews(bench) for reason in each["reasons"]}
    assert "EUR" in reasons["currency"]
    assert "USD" in reasons["currency"]


def test_a_charge_is_shown_once_and_holds_nothing(sent):
    """What was confirmed reaches Plex; the charge that nobody ordered is in the list until somebody has seen it."""
    bench, order = sent
    charge = {"allowance_or_charge_indicator_01": "C", "service_promotion_allowance_or_charge_code_02": "D240"}
    sac = {"service_promotion_allowance_or_charge_information_SAC": {**charge, "amount_05": 12.5}}
    loop = {"service_promotion_allowance_or_charge_information_SAC_loop": [sac]}
    acknowledge(bench, order, "IA", 130, line=loop)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["attention"]) == (0, 1)
    assert the_line(bench, order)["state"] == "confirmed"
    assert [write.after["EDI_Confirmed_Qty"] for write in bench.writes(order.number) if write.line] == [Decimal(130)]
    (notice,) = reviews(bench)
    assert notice["kind"] == "notice"
    assert "SAC: a charge of 12.5" in notice["reasons"][0]["message"]
    assert bench.run("status", order.number).out.count("SAC: a charge of 12.5") >= 1
    assert bench.run("review", "reject", str(notice["id"]), *WHY).code == 2
    assert bench.run("review", "accept", str(notice["id"]), *WHY).code == 0
    (tx,) = {
        each["transaction"]
        for each in bench.run("status", order.number, "--json").json["answers"]
        if each["set"] == "855"
    }
    assert bench.run("replay", "--ack", tx, "--yes", *WHY).code == 0
    again = bench.run("run", "--json")
    assert (again.code, again.json["counts"]["attention"], reviews(bench)) == (0, 0, [])


def test_a_segment_that_is_ignored_is_reported_no_more(sent):
    bench, order = sent
    loop = {"quantity_QTY_loop": [{"quantity_QTY": {"quantity_qualifier_01": "38", "quantity_02": 7}}]}
    acknowledge(bench, order, "IA", 130, line=loop)
    bench.run("run")
    (notice,) = reviews(bench)
    assert "ignore_segments" in notice["reasons"][0]["fix"]
    bench.write_config(lambda text: text + '\n[supplier_defaults.acknowledgments]\nignore_segments = ["QTY"]\n')
    (tx,) = {
        each["transaction"]
        for each in bench.run("status", order.number, "--json").json["answers"]
        if each["set"] == "855"
    }
    assert bench.run("replay", "--ack", tx, "--yes", *WHY).code == 0
    assert reviews(bench) == []


def test_what_the_supplier_says_of_a_rejection_is_shown_everywhere(sent):
    """A buyer who has to place the order elsewhere knows why without opening the document at Stedi."""
    bench, order = sent
    note = {"note_special_instruction_NTE": [{"note_reference_code_01": "GEN", "description_02": "TOOL IS BROKEN"}]}
    acknowledge(bench, order, "IR", 130, line=note)
    assert bench.run("run").code == 3
    (review,) = reviews(bench)
    page = bench.place / "page.html"
    assert bench.run("status", order.number, "--html", str(page)).code == 0
    shown = {
        "review list": bench.run("review", "list").out,
        "review show": bench.run("review", "show", str(review["id"])).out,
        "timeline": bench.run("status", order.number).out,
        "page": page.read_text(),
        "line": the_line(bench, order)["reason"],
        "events": json.dumps(bench.run("status", order.number, "--json").json["events"]),
    }
    for where, text in shown.items():
        assert "TOOL IS BROKEN" in " ".join(text.split()), where
        assert "IR" in text, where


def change_quantity(bench, order, quantity: int) -> None:
    """A buyer changes the first release; the 860 goes out."""
    line = order.lines[0]
    row = {"line": line.number, "release": line.releases[0].number, "quantity": quantity}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [row]})
    bench.later(minutes=2)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


def at(bench, hour: int, minute: int = 0, *, day: int) -> None:
    """Let time pass until this moment of November."""
    now = bench.sandbox.clock.now()
    bench.sandbox.advance(now.replace(day=day, hour=hour, minute=minute) - now)


@pytest.mark.parametrize(
    ("code", "quantity", "state", "exit_code"),
    [("IA", 180, "confirmed", 0), ("IR", 180, "held", 3), ("IA", 130, "unacknowledged", 0), ("IA", 90, "held", 3)],
    ids=["accepts the change", "rejects", "answers what stood before", "says neither"],
)
def test_an_acknowledgment_dated_the_evening_before_by_the_suppliers_calendar(sent, code, quantity, state, exit_code):
    """The 860 goes out after midnight UTC, still the evening before in America: its values tell what is answered."""
    bench, order = sent
    at(bench, 1, 30, day=24)
    change_quantity(bench, order, 150)
    at(bench, 2, 10, day=24)
    acknowledge(bench, order, code, quantity, dated="2026-11-23")
    ran = bench.run("run", "--json")
    assert (the_line(bench, order)["state"], ran.code) == (state, exit_code)
    written = [write.after["EDI_Confirmed_Qty"] for write in bench.writes(order.number) if write.line]
    assert written == ([Decimal(180)] if state == "confirmed" else [])
    if state == "held":
        (held,) = reviews(bench, "line-held")
        assert held["reasons"][0]["code"] == "revision-unclear"
        assert bench.run("review", "accept", str(held["id"]), *WHY).code == 0


def test_a_date_in_the_future_does_not_keep_a_later_rejection_out(sent):
    """A typing error (2206) in the first acknowledgment: the second one counts, since it was processed later."""
    bench, order = sent
    acknowledge(bench, order, "IA", 130, dated="2206-11-23")
    assert bench.run("run", "--json").code == 0
    assert the_line(bench, order)["state"] == "confirmed"
    (first,) = [each for each in bench.run("status", order.number, "--json").json["answers"] if each["set"] == "855"]
    assert "2206-11-23" in first["reason"]
    bench.later(hours=3)
    acknowledge(bench, order, "IR", 130)
    ran = bench.run("run", "--json")
    assert (ran.code, the_line(bench, order)["state"]) == (3, "rejected")
    assert bench.run("status", "--check").code == 3


def without_deadlines(bench) -> None:
    """Days pass in which nothing is overdue."""
    hours = "".join(f"{name} = 9999\n" for name in ("functional_ack_within_hours", "ack_within_hours"))
    bench.write_config(lambda text: text.replace("[supplier_defaults]\n", f"[supplier_defaults]\n{hours}"))


def test_an_old_date_does_not_keep_a_later_rejection_silent(sent):
    """An acknowledgment that does not count by its date and says no is a review item, once; what counts stays."""
    bench, order = sent
    without_deadlines(bench)
    at(bench, 12, day=27)
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run", "--json").code == 0
    at(bench, 12, day=29)
    acknowledge(bench, order, "IR", 130, dated="2026-11-23")
    ran = bench.run("run", "--json")
    assert (ran.code, the_line(bench, order)["state"]) == (3, "confirmed")
    (item,) = reviews(bench)
    assert item["kind"] == "acknowledgment-not-applied"
    assert "no (IR)" in item["reasons"][0]["message"]
    assert bench.run("review", "show", str(item["id"])).code == 0
    assert bench.run("review", "accept", str(item["id"]), *WHY).code == 0
    acknowledge(bench, order, "IA", 130, dated="2026-11-29")
    assert (bench.run("run", "--json").code, reviews(bench)) == (0, [])


def test_an_older_acknowledgment_that_says_as_much_is_no_work(sent):
    bench, order = sent
    without_deadlines(bench)
    at(bench, 12, day=27)
    acknowledge(bench, order, "IA", 130)
    bench.run("run")
    at(bench, 12, day=29)
    acknowledge(bench, order, "IA", 130, dated="2026-11-23", echo=131)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["attention"]) == (0, 0)


def test_what_the_suppliers_system_rejected_is_not_overdue_for_its_acknowledgment_too(make_bench):
    """One cause, one item: a person decides on the rejecting 997, and is not asked for an 855 that cannot come."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.REJECTS_SYNTAX,))
    bench.run("run")
    bench.later(hours=2)
    bench.run("run")
    bench.later(days=6)
    bench.run("run")
    assert [each["kind"] for each in reviews(bench)] == ["syntax-rejected"]


def test_an_order_of_which_nothing_is_heard_is_one_item_per_cause(sent):
    """Its 850 and its 860 are both without 997: that is one thing to ask the supplier about, not two."""
    bench, order = sent
    change_quantity(bench, order, 150)
    bench.later(minutes=30)
    bench.run("run")
    bench.later(days=6)
    bench.run("run")
    causes = [each["reasons"][0]["message"].split(" ")[0:2] for each in reviews(bench, "overdue")]
    assert sorted(causes) == [["no", "997"], ["not", "all"]]


def test_the_same_control_numbers_with_another_content_are_read(sent):
    """A supplier whose numbers begin anew loses no rejection."""
    bench, order = sent
    acknowledge(bench, order, "IA", 130)
    bench.run("run")
    bench.later(hours=1)
    with bench.sandbox.lock:
        partnership_id = bench.sandbox.sample_data.partners[0].partnership_id
        bench.sandbox.stedi.partnerships[partnership_id].their_number -= 1
    acknowledge(bench, order, "IR", 130)
    assert (bench.run("run").code, the_line(bench, order)["state"]) == (3, "rejected")
    answers = [each for each in bench.run("status", order.number, "--json").json["answers"] if each["set"] == "855"]
    assert "its control numbers are those of" in json.dumps(answers) + bench.run("status", order.number).out


def test_a_rejection_that_comes_again_after_an_acceptance_is_no_silent_repetition(sent):
    """No, yes, and the same no again: as a document it repeats the first, as a word of the supplier it is news."""
    bench, order = sent
    for code, exit_code in (("IR", 3), ("IA", 0), ("IR", 3)):
        acknowledge(bench, order, code, 130)
        assert bench.run("run").code == exit_code, code
    (item,) = reviews(bench)
    assert (item["kind"], the_line(bench, order)["state"]) == ("acknowledgment-not-applied", "confirmed")


def test_a_change_that_is_undone_before_it_is_sent_holds_the_acknowledgment_no_longer(sent):
    """Plex has what the supplier confirmed: no 860 will ever go out, so none can end the hold."""
    bench, order = sent
    line = order.lines[0]
    release = {"line": line.number, "release": line.releases[0].number}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [{**release, "quantity": 150}]})
    bench.later(minutes=2)
    bench.run("poll")
    acknowledge(bench, order, "IA", 130)
    assert bench.run("ingest-acks").code == 3
    assert the_line(bench, order)["reason"].startswith("the line was changed in Plex")
    assert bench.run("ingest-acks").code == 0
    assert the_line(bench, order)["state"] == "held"
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [{**release, "quantity": 100}]})
    bench.later(minutes=2)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["attention"]) == (0, 0)
    assert (the_line(bench, order)["state"], len(bench.sent(order.number))) == ("confirmed", 1)
    assert reviews(bench) == []


@pytest.mark.parametrize("step", ["decide_again_if_undone", "decide"], ids=["before it is moved", "after"])
def test_a_run_that_is_killed_while_it_decides_again_leaves_it_to_the_next_one(sent, step):
    bench, order = sent
    line = order.lines[0]
    release = {"line": line.number, "release": line.releases[0].number}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [{**release, "quantity": 150}]})
    bench.later(minutes=2)
    bench.run("poll")
    acknowledge(bench, order, "IA", 130)
    bench.run("ingest-acks")
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [{**release, "quantity": 100}]})
    bench.later(minutes=2)

    def killed_there() -> None:
        setattr(deciding, step, lambda *given: os.kill(os.getpid(), signal.SIGKILL))

    assert bench.run("run", before=killed_there).code == -signal.SIGKILL
    assert the_line(bench, order)["state"] == "held"
    assert bench.run("run").code == 0
    assert (the_line(bench, order)["state"], len(bench.sent(order.number)), reviews(bench)) == ("confirmed", 1, [])


def test_what_was_resolved_by_phone_holds_no_acknowledgment(sent):
    """The supplier takes no 860 and knows of the change: nothing is to be sent, so nothing waits for it for ever."""
    bench, order = sent
    bench.write_config(
        lambda text: text.replace("[supplier_defaults]\n", '[supplier_defaults]\nchange_orders = "hold"\n')
    )
    line = order.lines[0]
    row = {"line": line.number, "release": line.releases[0].number, "quantity": 150}
    control(bench, "PATCH", f"orders/{order.number}", {"releases": [row]})
    bench.later(minutes=2)
    assert bench.run("run").code == 3
    acknowledge(bench, order, "IA", 130)
    assert bench.run("run").code == 3
    assert the_line(bench, order)["reason"].startswith("the line was changed in Plex")
    (held,) = reviews(bench, "order-held")
    assert bench.run("review", "accept", str(held["id"]), *WHY).code == 0
    acknowledge(
        bench,
        order,
        "IA",
        130,
        line={"date_time_reference_DTM": [{"date_time_qualifier_01": "002", "date_02": "2026-12-17"}]},
    )
    bench.run("run")
    assert the_line(bench, order)["state"] == "confirmed"
