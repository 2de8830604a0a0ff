"""Where one thing meets another: settings, moves, restores, late answers."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule

WHY = ("--reason", "agreed by phone")
SEND = "generate-edi"


@pytest.fixture
def sent(make_bench):
    """Orders that were sent and delivered to two suppliers that say nothing by themselves."""
    bench = make_bench(orders=4, suppliers=2, characters=(Character.SILENT,))
    return delivered(bench)


@pytest.fixture
def one(make_bench):
    """One order of one silent supplier, delivered."""
    return delivered(make_bench(orders=1, suppliers=1, characters=(Character.SILENT,)))


def delivered(bench):
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.run("run")
    return bench


def the_order(bench, position: int = 0):
    return bench.sandbox.plex.tenant.orders[position]


def lines_sent(bench, number: str) -> dict[str, tuple[str, str]]:
    """Quantity and unit last told, by PO101."""
    found = {}
    for document in bench.sent(number):
        for segment in document.edi.split("~"):
            row = segment.strip().split("*")
            if row[0] == "PO1":
                found[row[1]] = (row[2], row[3])
            if row[0] == "POC":
                found[row[1]] = (row[3], row[5])
    return found


def bak(order, reference: str = "SO1", day: str = "20261123", code: str = "AD"):
    return ("BAK", "00", code, order.number, "20261123", "", "", "", reference, day)


def accepted(bench, order):
    rows = lines_sent(bench, order.number)
    loops = [(("PO1", line, q, unit), ("ACK", "IA", q, unit)) for line, (q, unit) in rows.items()]
    return (*(segment for loop in loops for segment in loop), ("CTT", str(len(rows))))


def edit(bench, order, more: int = 5) -> None:
    line = order.lines[0]
    release = line.releases[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(order.number, line.number, release.number, quantity=release.quantity + more)


def move(bench, order, supplier: str) -> None:
    with bench.sandbox.lock:
        (other,) = (each for each in bench.sandbox.plex.tenant.suppliers if each.code == supplier)
        bench.sandbox.plex.edit_header(order.number, supplier=other)


def reviews(bench, *kinds: str):
    found = bench.run("review", "list", "--json").json["reviews"]
    return [review for review in found if not kinds or review["kind"] in kinds]


def codes(bench) -> list[str]:
    return [reason["code"] for review in reviews(bench) for reason in review["reasons"]]


def kinds_sent(bench, number: str) -> list[str]:
    return [document.filename.split("_")[3] for document in bench.sent(number)]


def line_states(bench, number: str) -> list[str]:
    return [line["state"] for line in bench.run("status", number, "--json").json["lines"]]


def copy_of_state(bench) -> Path:
    copy = bench.place / "copy"
    with closing(sqlite3.connect(bench.state)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    return copy


def lose_state(bench) -> None:
    for file in bench.place.glob("state.sqlite3*"):
        file.unlink()


# ------------------------------------------------------------------------------------------------------ never twice


def test_a_document_frozen_in_a_state_that_was_restored_is_not_sent_a_second_time(one):
    order = the_order(one)
    assert one.run("replay", order.number, "--queue", "--yes", *WHY, "--purpose", "15").code == 0
    copy = copy_of_state(one)
    one.later(minutes=5)
    one.run("run")
    assert len(one.sent(order.number)) == 2
    one.later(hours=26)
    lose_state(one)
    shutil.copy(copy, one.state)
    assert one.run("run").code in (0, 3)
    assert len(one.sent(order.number)) == 2
    assert one.run("status", order.number, "--json").json["documents"][-1]["state"] in ("accepted", "delivered")


def blanket_order(bench):
    return next(order for order in bench.sandbox.plex.tenant.orders if order.blanket and bench.sent(order.number))


@pytest.fixture
def blanket(make_bench):
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    return bench, "[suppliers.S001]\n"


def test_a_blanket_order_that_went_as_a_whole_goes_on_as_a_whole(blanket):
    bench, table = blanket
    delivered(bench)
    order = blanket_order(bench)
    bench.write_config(lambda text: text.replace(table, f'{table}releases = "order-per-release"\n'))
    edit(bench, order)
    bench.later(minutes=5)
    bench.run("run")
    assert kinds_sent(bench, order.number) == ["850", "860"]


def test_an_order_whose_releases_went_separately_is_not_ordered_again_as_a_whole(blanket):
    bench, table = blanket
    singly = f'{table}releases = "order-per-release"\n'
    bench.write_config(lambda text: text.replace(table, singly))
    delivered(bench)
    order = blanket_order(bench)
    before = len(bench.sent(order.number))
    bench.write_config()
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_header(order.number, note="deliver to gate 4")
    bench.later(minutes=5)
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.out
    assert kinds_sent(bench, order.number)[before:].count("850") == 0
    assert "sent-singly" in codes(bench)


def test_an_order_moved_to_another_supplier_is_not_replayed_to_it(sent):
    order = the_order(sent)
    move(sent, order, "S002" if order.supplier.code == "S001" else "S001")
    sent.later(minutes=5)
    sent.run("run")
    count = len(sent.sent(order.number))
    refused = sent.run("replay", order.number, "--yes", *WHY, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (2, "order-moved")
    assert len(sent.sent(order.number)) == count
    assert "order-moved" in codes(sent)


def test_an_order_renumbered_before_the_state_was_lost_is_not_ordered_under_its_new_number(sent):
    order = the_order(sent)
    with sent.sandbox.lock:
        order.number, order.modified = "PO-NEW", sent.sandbox.clock.now()
    sent.later(minutes=5)
    sent.run("run")
    lose_state(sent)
    sent.later(hours=1)
    sent.run("recover", "--yes")
    sent.run("run")
    assert sent.sent("PO-NEW") == []
    assert "maybe-sent" in codes(sent)
    (orphan,) = (review for review in reviews(sent) if "order-missing" in [r["code"] for r in review["reasons"]])
    assert sent.run("review", "accept", str(orphan["id"]), *WHY).code == 0
    sent.run("run")
    assert len(sent.sent("PO-NEW")) == 1, "settled, it is an order like another"


# ------------------------------------------------------------------------------- one order's trouble stops no other


def test_acknowledgments_are_applied_after_a_recovery_of_orders_with_receipts(sent):
    order, other = the_order(sent, 0), the_order(sent, 1)
    suppliers = [partner.code for partner in sent.sandbox.sample_data.partners]
    sent.answer("855", *bak_and(sent, order), supplier=suppliers.index(order.supplier.code))
    sent.run("run")
    edit(sent, order)
    sent.later(minutes=5)
    sent.run("run")
    sent.later(hours=1)
    line = order.lines[0]
    with sent.sandbox.lock:
        sent.sandbox.plex.receive(order.number, line.number, line.releases[0].number, line.releases[0].quantity)
    sent.later(minutes=5)
    sent.run("run")
    lose_state(sent)
    sent.later(minutes=5)
    assert sent.run("recover", "--yes").code in (0, 3)
    sent.answer("855", *bak_and(sent, other), supplier=suppliers.index(other.supplier.code))
    sent.later(minutes=10)
    assert sent.run("run").code in (0, 3)
    assert line_states(sent, other.number) == ["confirmed"] * len(other.lines)


def bak_and(bench, order):
    return (bak(order), *accepted(bench, order))


def test_an_error_that_nobody_foresaw_is_reported_and_stops_no_other_acknowledgment(make_bench, monkeypatch):
    import plexstedi.sync.ingest.business_ack as answers

    sent = delivered(make_bench(orders=3, suppliers=1, characters=(Character.SILENT,)))
    bad, good = [each for each in sent.sandbox.plex.tenant.orders if sent.sent(each.number)][:2]
    real = answers.reconcile

    def broken(read, *more, **named):
        if read.order_number == bad.number:
            raise KeyError("a mistake of ours")
        return real(read, *more, **named)

    sent.answer("855", *bak_and(sent, bad))
    sent.answer("855", *bak_and(sent, good))
    with monkeypatch.context() as patch:
        patch.setattr(answers, "reconcile", broken)
        ran = sent.run("run")
    assert ran.code == 1
    assert "a mistake of ours" in ran.err
    assert line_states(sent, good.number) == ["confirmed"] * len(good.lines)
    assert sent.sandbox.plex.writes, "and what the others say is in Plex"
    (review,) = sent.run("review", "list", "--json").json["reviews"]
    assert review["kind"] == "unforeseen"
    assert sent.run("run").code == 0
    assert line_states(sent, bad.number) == ["unacknowledged"] * len(bad.lines), (
        "held until a person has it tried again"
    )
    assert sent.run("review", "accept", str(review["id"]), "--reason", "mended").code == 0
    assert sent.run("run").code == 0
    assert line_states(sent, bad.number) == ["confirmed"] * len(bad.lines), "mended, it is decided after all"
    assert sent.run("review", "list", "--json").json["reviews"] == []


def test_an_order_moved_to_a_supplier_without_settings_is_reported_and_its_old_acknowledgment_stops_nothing(make_bench):
    sent = delivered(make_bench(orders=3, suppliers=1, characters=(Character.SILENT,)))
    order, other = [each for each in sent.sandbox.plex.tenant.orders if sent.sent(each.number)][:2]
    move(sent, order, "S999")
    sent.later(minutes=5)
    assert sent.run("run").code == 3
    assert "order-moved" in codes(sent)
    writes = len(sent.sandbox.plex.writes)
    sent.answer("855", *bak_and(sent, order))
    sent.run("run")
    assert len(sent.sandbox.plex.writes) == writes, "the first supplier's promise is none of the second's"
    sent.answer("855", *bak_and(sent, other))
    assert sent.run("run").code == 0
    assert line_states(sent, other.number) == ["confirmed"] * len(other.lines)


def test_an_acknowledgment_is_read_although_its_suppliers_table_has_another_name_now(one):
    order = the_order(one)
    one.answer("855", ("BAK", "00", "AD", "PO-XXXX", "20261123"), ("PO1", "1", "5", "EA"), ("ACK", "IA", "5", "EA"))
    one.run("run")
    line = order.lines[0]
    with one.sandbox.lock:
        one.sandbox.plex.receive(order.number, line.number, line.releases[0].number, line.releases[0].quantity)
    one.write_config(lambda text: text.replace("suppliers.S001", "suppliers.S001B"))
    one.answer("855", *bak_and(one, order))
    one.later(minutes=5)
    assert one.run("run").code in (0, 3)
    assert "unacknowledged" not in line_states(one, order.number)


# ------------------------------------------------------------------------------------------------------- never lost


def reject_by_997(bench, document) -> None:
    segments = [segment.strip().split("*") for segment in document.edi.split("~")]
    group = next(row[6] for row in segments if row[0] == "GS")
    set_id, control = next((row[1], row[2]) for row in segments if row[0] == "ST")
    function = {"850": "PO", "860": "PC"}[set_id]
    bench.answer("997", ("AK1", function, group), ("AK2", set_id, control), ("AK5", "R"), ("AK9", "R", "1", "1", "0"))


@pytest.fixture
def late_rejection(one):
    """An 850 and its 860 delivered; then a 997 rejects the 850."""
    order = the_order(one)
    edit(one, order)
    one.later(minutes=5)
    one.run("run")
    one.later(hours=1)
    one.run("run")
    reject_by_997(one, one.sent(order.number)[0])
    assert one.run("run").code == 3
    return one, order


def test_a_late_rejection_of_the_850_stops_further_changes(late_rejection):
    bench, order = late_rejection
    edit(bench, order)
    bench.later(minutes=5)
    bench.run("run")
    assert kinds_sent(bench, order.number) == ["850", "860"]


def test_an_850_abandoned_after_its_860_goes_out_again_as_the_order_is_now(late_rejection):
    bench, order = late_rejection
    (review,) = reviews(bench, "syntax-rejected")
    assert bench.run("review", "reject", str(review["id"]), *WHY).code == 0
    bench.run("run")
    assert kinds_sent(bench, order.number) == ["850", "860", "850"]


def test_a_rejecting_997_of_nothing_we_know_needs_review_in_the_end(one):
    one.answer("997", ("AK1", "PO", "4242"), ("AK2", "850", "0001"), ("AK5", "R"), ("AK9", "R", "1", "1", "0"))
    assert one.run("run").code == 0
    one.later(days=1)
    one.run("run")
    assert reviews(one, "acknowledgment-held") == []
    one.later(days=2, hours=1)
    assert one.run("run").code == 3
    (review,) = reviews(one, "acknowledgment-held")
    assert "4242" in review["reasons"][0]["message"]
    assert one.run("review", "reject", str(review["id"]), *WHY).code == 0
    assert reviews(one, "acknowledgment-held") == []


def test_a_refused_deletion_stays_a_review_item_through_the_next_change(make_bench):
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    delivered(bench)
    orders = [order for order in bench.sandbox.plex.tenant.orders if bench.sent(order.number) and not order.blanket]
    order = max(orders, key=lambda each: len(each.lines))
    last = order.lines[-1]
    quantity, unit = lines_sent(bench, order.number)[str(last.number)]
    with bench.sandbox.lock:
        bench.sandbox.plex.delete_line(order.number, last.number)
    bench.later(hours=25)
    bench.run("run")
    bench.later(minutes=30)
    bench.run("run")
    bench.answer(
        "865",
        ("BCA", "06", "AC", order.number, "", "1", "20261123", "", "", "SO9", "20261124"),
        ("POC", str(last.number), "DI", quantity, quantity, unit),
        ("ACK", "IR", quantity, unit),
        ("CTT", "1"),
    )
    bench.run("run")
    assert len(reviews(bench, "line-rejected")) == 1
    edit(bench, order)
    bench.later(minutes=5)
    bench.run("run")
    assert kinds_sent(bench, order.number) == ["850", "860", "860"]
    bench.later(minutes=30)
    bench.run("run")
    assert len(reviews(bench, "line-rejected")) == 1


def test_the_same_acknowledgment_of_an_order_that_went_there_and_back_counts(one):
    order = the_order(one)
    for more in (0, 5, -5):
        if more:
            edit(one, order, more)
            one.later(minutes=5)
            one.run("run")
            one.later(minutes=30)
            one.run("run")
        one.answer("855", *bak_and(one, order))
        one.run("run")
        assert line_states(one, order.number) == ["confirmed"] * len(order.lines), more
    one.answer("855", *bak_and(one, order))
    one.run("run")
    states = [answer["state"] for answer in one.run("status", order.number, "--json").json["answers"]]
    assert states.count("duplicate") == 1, "said twice of one document, it is a repetition"


def test_the_same_acknowledgment_of_an_order_that_was_sent_again_counts(one):
    order = the_order(one)
    one.answer("855", *bak_and(one, order))
    one.run("run")
    reject_by_997(one, one.sent(order.number)[0])
    one.run("run")
    (review,) = reviews(one, "syntax-rejected")
    assert one.run("review", "reject", str(review["id"]), *WHY).code == 0
    one.run("run")
    one.later(minutes=30)
    one.run("run")
    assert kinds_sent(one, order.number) == ["850", "850"]
    one.answer("855", *bak_and(one, order))
    one.run("run")
    assert line_states(one, order.number) == ["confirmed"] * len(order.lines)


def test_a_held_acknowledgment_of_an_abandoned_document_needs_no_review(one):
    order = the_order(one)
    line, (quantity, unit) = next(iter(lines_sent(one, order.number).items()))
    less = str(int(quantity) - 100)
    one.answer("855", bak(order, code="AC"), ("PO1", line, quantity, unit), ("ACK", "IQ", less, unit), ("CTT", "1"))
    one.run("run")
    assert len(reviews(one, "line-held")) == 1
    reject_by_997(one, one.sent(order.number)[0])
    one.run("run")
    (review,) = reviews(one, "syntax-rejected")
    assert one.run("review", "reject", str(review["id"]), *WHY).code == 0
    one.run("run")
    one.later(minutes=30)
    one.run("run")
    assert kinds_sent(one, order.number) == ["850", "850"]
    assert reviews(one) == []
    (answer,) = (a for a in one.run("status", order.number, "--json").json["answers"] if a["set"] == "855")
    assert (answer["state"], answer["reason"]) == ("superseded", "the document that it acknowledges was abandoned")


def test_an_acknowledgment_of_a_change_that_was_not_heard_counts_for_the_change(one):
    order = the_order(one)
    edit(one, order)
    one.later(minutes=5)
    one.sandbox.inject(FaultRule(FaultKind.DROP_AFTER, origin="stedi", path=SEND, times=None))
    assert one.run("run").code == 5
    one.sandbox.faults.clear()
    one.later(minutes=30)
    one.answer("855", *bak_and(one, order))
    one.later(minutes=30)
    one.run("run")
    assert line_states(one, order.number) == ["confirmed"] * len(order.lines)


def test_a_line_held_again_after_a_replay_is_a_new_review_item(one):
    table = '[suppliers.S001.ack_units]\nCA = { unit = "EA", factor = "12" }\n'
    order = the_order(one)
    one.write_config(lambda text: text + table)
    line, (quantity, unit) = next(iter(lines_sent(one, order.number).items()))
    one.answer("855", bak(order, code="AC"), ("PO1", line, quantity, unit), ("ACK", "IQ", "100", "CA"), ("CTT", "1"))
    one.run("run")
    (review,) = reviews(one, "line-held")
    one.run("review", "accept", str(review["id"]), *WHY)
    one.run("run")
    one.write_config()
    transaction = one.run("status", order.number, "--json").json["answers"][0]["transaction"]
    one.run("replay", "--ack", transaction, "--yes", *WHY)
    one.run("run")
    held = "held" in line_states(one, order.number)
    assert held
    assert len(reviews(one, "line-held", "acknowledgment-held")) == 1


@pytest.mark.parametrize("how", ["vanished", "unreleased"])
def test_an_order_that_was_resolved_and_comes_back_is_reported(sent, how):
    order = the_order(sent)
    with sent.sandbox.lock:
        if how == "vanished":
            sent.sandbox.plex.delete_order(order.number)
        else:
            sent.sandbox.plex.edit_header(order.number, status="Hold")
    sent.later(hours=25)
    sent.run("run")
    (review,) = (each for each in reviews(sent, "order-held") if each["order"] == order.number)
    assert sent.run("review", "accept", str(review["id"]), *WHY).code == 0
    sent.run("run")
    with sent.sandbox.lock:
        if how == "vanished":
            sent.sandbox.plex.add_order(order)
            order.modified = sent.sandbox.clock.now()
        else:
            sent.sandbox.plex.edit_header(order.number, status="On Order")
    sent.later(hours=25)
    assert sent.run("run").code == 3
    assert "order-back" in codes(sent)


# ------------------------------------------------------------------------------------------ never silently wrong


def test_what_plex_refused_is_not_written_after_a_change_made_it_wrong(one, monkeypatch):
    from plexstedi.sandbox.plex.store import PlexStore

    order = the_order(one)
    one.answer("855", *bak_and(one, order))
    with monkeypatch.context() as patch:
        patch.setattr(PlexStore, "save_custom", lambda *_: None)
        for _ in range(3):
            one.run("run")
            one.later(minutes=6)
    assert len(reviews(one, "write-failed")) == 1
    edit(one, order, more=500)
    one.later(minutes=5)
    one.run("run")
    one.later(minutes=30)
    one.run("run")
    assert reviews(one, "write-failed") == []
    assert one.sandbox.plex.writes == []


def test_after_a_recovery_an_old_acknowledgment_confirms_no_line_that_was_changed_since(make_bench):
    bench = delivered(make_bench(orders=12, suppliers=1, characters=(Character.SILENT,)))
    orders = [order for order in bench.sandbox.plex.tenant.orders if bench.sent(order.number) and not order.blanket]
    order = max(orders, key=lambda each: len(each.lines))
    bench.answer("855", *bak_and(bench, order))
    bench.run("run")
    line = order.lines[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_line(order.number, line.number, price=line.price * 2)
    bench.later(hours=25)
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    before = line_states(bench, order.number)
    assert sorted(before) == ["confirmed"] * (len(order.lines) - 1) + ["unacknowledged"]
    lose_state(bench)
    bench.later(hours=1)
    assert bench.run("recover", "--yes").code in (0, 3)
    bench.run("run")
    assert line_states(bench, order.number) == before


def test_after_a_recovery_an_acknowledgment_of_an_order_that_was_replayed_unchanged_still_counts(one):
    order = the_order(one)
    one.answer("855", *bak_and(one, order))
    one.run("run")
    assert one.run("replay", order.number, "--purpose", "15", "--yes", *WHY).code == 0
    one.later(hours=1)
    one.run("run")
    assert line_states(one, order.number) == ["confirmed"] * len(order.lines)
    lose_state(one)
    one.later(hours=1)
    one.run("recover", "--yes")
    one.run("run")
    assert line_states(one, order.number) == ["confirmed"] * len(order.lines)


def test_a_recovered_state_does_not_write_an_older_acknowledgment_over_a_newer_one_that_a_user_accepted(one):
    order = the_order(one)
    one.answer("855", *bak_and(one, order))
    one.run("run")
    one.later(days=1)
    line, (quantity, unit) = next(iter(lines_sent(one, order.number).items()))
    less = str(int(quantity) - 100)
    one.answer(
        "855",
        bak(order, "SO2", "20261124", "AC"),
        ("PO1", line, quantity, unit),
        ("ACK", "IQ", less, unit),
        ("CTT", "1"),
    )
    one.run("run")
    (review,) = reviews(one, "line-held")
    one.run("review", "accept", str(review["id"]), *WHY)
    one.run("run")
    before = {key: dict(values) for key, values in one.sandbox.plex.custom.items()}
    assert any(less in map(str, values.values()) for values in before.values())
    lose_state(one)
    one.later(hours=1)
    one.run("recover", "--yes")
    one.run("run")
    assert {key: dict(values) for key, values in one.sandbox.plex.custom.items()} == before
    assert len(reviews(one, "write-conflict")) == 1


@pytest.fixture
def promised(make_bench):
    """A promise stands in the release itself, and the state file is one from before it was written."""
    strategy = 'write = "releases"\nrelease_values = ["note", "due_date", "quantity"]'
    bench = make_bench(orders=1, suppliers=1, characters=(Character.DATES,))
    bench.write_config(lambda text: text.replace('write = "custom-fields"', strategy))
    bench.run("run")
    bench.later(minutes=15)
    bench.run("run")
    copy = copy_of_state(bench)
    bench.later(hours=3)
    bench.run("run")
    assert any("[PlexStedi:" in (note or "") for _, _, note in in_plex(bench))
    lose_state(bench)
    shutil.copy(copy, bench.state)
    return bench


def in_plex(bench):
    return [(each.due, each.quantity, each.note) for line in the_order(bench).lines for each in line.releases]


def set_quantity(bench, quantity: int) -> None:
    order = the_order(bench)
    line = order.lines[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(order.number, line.number, line.releases[0].number, quantity=Decimal(quantity))


def test_a_state_from_before_a_promise_was_written_does_not_send_the_supplier_its_own_date(promised):
    before, order = in_plex(promised), the_order(promised)
    for _ in range(3):
        promised.later(minutes=5)
        assert promised.run("run").code == 0
    assert kinds_sent(promised, order.number) == ["850"]
    assert in_plex(promised) == before
    set_quantity(promised, 9999)
    promised.later(minutes=5)
    promised.run("run")
    assert kinds_sent(promised, order.number) == ["850", "860"], "a person's edit is told as ever"


def test_a_users_edit_of_a_promise_that_the_state_does_not_know_needs_review(promised):
    set_quantity(promised, 9999)
    promised.later(minutes=5)
    assert promised.run("run").code == 3
    assert "promise-unknown" in codes(promised)
    assert kinds_sent(promised, the_order(promised).number) == ["850"]


def test_a_replayed_change_says_what_the_change_said(make_bench):
    """Dates that we wrote into Plex from the supplier's own answer are not told back to it as ours."""
    strategy = 'write = "releases"\nrelease_values = ["note", "due_date", "quantity"]'
    bench = make_bench(orders=12, suppliers=1, characters=(Character.DATES,))
    bench.write_config(lambda text: text.replace('write = "custom-fields"', strategy))
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.sandbox.set_character("S001", Character.SILENT)
    orders = [order for order in bench.sandbox.plex.tenant.orders if bench.sent(order.number) and not order.blanket]
    order = max(orders, key=lambda each: len(each.lines))
    line = order.lines[-1]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_line(order.number, line.number, price=line.price + 1)
    bench.later(hours=25)
    bench.run("run")
    bench.later(minutes=30)
    bench.run("run")
    assert kinds_sent(bench, order.number) == ["850", "860"]
    before = line_states(bench, order.number)
    assert bench.run("replay", order.number, "--yes", *WHY).code == 0
    told = [
        [segment for segment in document.edi.split("~") if segment.strip()[:3] in ("POC", "SCH")]
        for document in bench.sent(order.number)[1:]
    ]
    assert told[0] == told[1]
    assert line_states(bench, order.number) == before
