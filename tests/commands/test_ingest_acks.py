"""What suppliers answer, as whole commands see it: applied, held, waiting, superseded; nothing lost or guessed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from plexstedi.sandbox.behaviours import Character

WHY = ("--reason", "agreed by phone")


def sent_to_silent(make_bench, orders: int = 12):
    """Orders of one supplier that answers only what a test says; the longest of them, with several lines."""
    bench = make_bench(orders=orders, suppliers=1, characters=(Character.SILENT,))
    assert bench.run("run").code == 0
    bench.later(hours=1)
    bench.run("run")
    sent = [o for o in bench.sandbox.plex.tenant.orders if bench.sent(o.number) and not o.blanket]
    return bench, max(sent, key=lambda order: len(order.lines))


def plain(number) -> str:
    return f"{Decimal(number).normalize():f}"


def ordered(bench, order) -> dict[str, tuple[str, str]]:
    """Quantity and unit of each line as it was sent last, by PO101."""
    found = {}
    for document in bench.sent(order.number):
        for segment in document.edi.split("~"):
            row = segment.split("*")
            if row[0] == "PO1":
                found[row[1]] = (row[2], row[3])
            if row[0] == "POC":
                found[row[1]] = (row[3], row[5])
    return found


def bak(order, code: str, day: str = "20261123", number: str | None = None):
    return ("BAK", "00", code, number or order.number, "20261123", "", "", "", "SO1", day)


def line(number: str, quantity: str, unit: str, *ack: tuple[str, ...]):
    return (("PO1", number, quantity, unit), *ack)


def accepted(bench, order, *, but: dict[str, tuple[tuple[str, ...], ...]] | None = None, only: tuple[str, ...] = ()):
    """IA for each line, but for those whose ACK is given."""
    rows: list[tuple[str, ...]] = []
    for number, (quantity, unit) in ordered(bench, order).items():
        if not only or number in only:
            own = (but or {}).get(number, (("ACK", "IA", quantity, unit),))
            rows += line(number, quantity, unit, *own)
    return (*rows, ("CTT", str(len(ordered(bench, order)))))


def standing(bench, order) -> dict[str, dict]:
    return {str(each["line"]): each for each in bench.run("status", order.number, "--json").json["lines"]}


def reviews(bench, kind: str | None = None) -> list[dict]:
    listed = bench.run("review", "list", "--json").json["reviews"]
    return [each for each in listed if kind is None or each["kind"] == kind]


def confirmed_in_plex(bench, order) -> dict[int, object]:
    return {
        write.line: write.after["EDI_Confirmed_Qty"]
        for write in bench.writes(order.number)
        if "EDI_Confirmed_Qty" in write.after
    }


def test_one_bad_line_is_held_and_the_others_reach_plex(make_bench):
    bench, order = sent_to_silent(make_bench)
    bad, (quantity, unit) = next(iter(ordered(bench, order).items()))
    ambiguous = {bad: (("ACK", "BP", quantity, unit),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=ambiguous))
    ran = bench.run("run", "--json")
    assert ran.code == 3
    states = {number: each["state"] for number, each in standing(bench, order).items()}
    assert states.pop(bad) == "held"
    assert set(states.values()) == {"confirmed"}
    assert int(bad) not in confirmed_in_plex(bench, order)
    assert set(confirmed_in_plex(bench, order)) == {int(number) for number in states}


def test_a_user_accepts_one_held_line_and_rejects_another(make_bench):
    bench, order = sent_to_silent(make_bench)
    (first, (quantity, unit)), (second, (other_quantity, other_unit)) = list(ordered(bench, order).items())[:2]
    less, other_less = plain_half(quantity), plain_half(other_quantity)
    short = {first: (("ACK", "IQ", less, unit),), second: (("ACK", "IQ", other_less, other_unit),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=short))
    assert bench.run("run").code == 3
    held = {str(each["line"]): str(each["id"]) for each in reviews(bench, "line-held")}
    assert set(held) == {first, second}
    assert bench.run("review", "accept", held[first], *WHY).code == 0
    assert bench.run("review", "reject", held[second], *WHY).code == 0
    assert bench.run("run", "--json").code == 0
    assert plain(confirmed_in_plex(bench, order)[int(first)]) == less
    assert int(second) not in confirmed_in_plex(bench, order)
    assert reviews(bench, "line-held") == []


def plain_half(quantity: str) -> str:
    return plain(Decimal(quantity) / 2)


def test_part_of_a_sellers_own_change_is_accepted_line_by_line(make_bench):
    """RULES.md Reading 13: an 865 that answers none of our changes is the seller's wish, and a person's to decide."""
    bench, order = sent_to_silent(make_bench)
    numbers = list(ordered(bench, order))[:2]
    rows: list[tuple[str, ...]] = []
    for number in numbers:
        quantity, unit = ordered(bench, order)[number]
        half = plain_half(quantity)
        rows += [("POC", number, "QD", half, half, unit), ("ACK", "IQ", half, unit)]
    head = ("BCA", "04", "AC", order.number, "", "", "20261123", "", "", "SO1", "20261123")
    bench.answer("865", head, *rows, ("CTT", "2"))
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_held"]) == (3, 1)
    assert confirmed_in_plex(bench, order) == {}
    whole = reviews(bench, "acknowledgment-held")
    if whole:
        partly = bench.run("review", "accept", str(whole[0]["id"]), *WHY, "--line", numbers[0], "--json")
    else:
        one = next(each for each in reviews(bench, "line-held") if str(each["line"]) == numbers[0])
        partly = bench.run("review", "accept", str(one["id"]), *WHY, "--line", numbers[0], "--json")
    assert partly.code == 0, partly.err
    bench.run("run")
    assert set(confirmed_in_plex(bench, order)) == {int(numbers[0])}


def test_an_acknowledgment_of_an_unknown_order_waits_then_needs_review_and_a_user_closes_it(make_bench):
    bench, order = sent_to_silent(make_bench, orders=2)
    bench.answer("855", bak(order, "AT", number="NEVER-SENT"), *accepted(bench, order))
    assert bench.run("run", "--json").code == 0
    assert reviews(bench, "order-unknown") == []
    bench.later(days=3)
    bench.run("run")
    (unknown,) = reviews(bench, "order-unknown")
    assert "NEVER-SENT" in unknown["order"]
    assert bench.run("review", "reject", str(unknown["id"]), *WHY).code == 0
    assert reviews(bench, "order-unknown") == []


def test_a_newer_acknowledgment_supersedes_and_an_older_one_that_comes_late_does_not(make_bench):
    bench, order = sent_to_silent(make_bench)
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    half = plain_half(quantity)
    now = half, plain_half(half)
    short = {first: (("ACK", "IB", half, unit), ("ACK", "IA", half, unit))}
    bench.answer("855", bak(order, "AC", "20261123"), *accepted(bench, order, but=short))
    bench.run("run")
    assert plain(confirmed_in_plex(bench, order)[int(first)]) == now[0]
    bench.later(days=3)
    bench.answer("855", bak(order, "AC", "20261126"), *accepted(bench, order))
    bench.run("run")
    assert plain(confirmed_in_plex(bench, order)[int(first)]) == quantity
    written = len(bench.sandbox.plex.writes)
    old = {first: (("ACK", "IB", half, unit), ("ACK", "IA", half, unit, "068", "20261224"))}
    bench.answer("855", bak(order, "AC", "20261124"), *accepted(bench, order, but=old))
    bench.run("run")
    assert len(bench.sandbox.plex.writes) == written
    assert standing(bench, order)[first]["state"] == "confirmed"
    # It says less than what counts, so somebody is asked about it, once.
    assert len(reviews(bench, "acknowledgment-not-applied")) == 1


def test_an_865_that_acknowledges_our_860_confirms_the_changed_line(make_bench):
    bench, order = sent_to_silent(make_bench)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    bench.run("run")
    row = order.lines[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(
            order.number, row.number, row.releases[0].number, quantity=row.releases[0].quantity + 12
        )
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    bench.later(minutes=30)
    bench.run("run")
    assert standing(bench, order)[str(row.number)]["state"] == "unacknowledged"
    quantity, unit = ordered(bench, order)[str(row.number)]
    head = ("BCA", "06", "AD", order.number, "", "1", "20261123", "", "", "SO1", "20261123")
    bench.answer(
        "865",
        head,
        ("POC", str(row.number), "QI", quantity, quantity, unit),
        ("ACK", "IA", quantity, unit),
        ("CTT", "1"),
    )
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (0, 1)
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}
    assert plain(confirmed_in_plex(bench, order)[row.number]) == quantity


def test_where_stedis_json_is_broken_the_x12_behind_it_is_read(make_bench):
    bench, order = sent_to_silent(make_bench, orders=2)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order), broken_json=True)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (0, 1)
    stored = [
        e for e in bench.run("status", order.number, "--json").json["events"] if e["kind"] == "transaction-stored"
    ]
    assert [event["detail"]["form"] for event in stored] == ["x12"]


@pytest.mark.parametrize("body", [(), (("BAK", "00", "AC", "", "20261123"),), (("PO1", "1", "-5", "EA"),)])
def test_a_malformed_acknowledgment_is_held_and_the_one_after_it_is_applied(make_bench, body):
    bench, order = sent_to_silent(make_bench, orders=2)
    bench.answer("855", *body)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    counts = ran.json["counts"]
    assert (counts["acks_received"], counts["acks_applied"], counts["acks_held"]) == (2, 1, 1)
    assert len(reviews(bench, "acknowledgment-held")) == 1
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}


def test_a_transaction_set_that_is_not_read_is_counted_and_listed(make_bench):
    bench, order = sent_to_silent(make_bench, orders=2)
    bench.answer("824", ("BGN", "11", "X1", "20261123"), ("OTI", "TA", "TN", order.number))
    assert bench.run("run", "--json").code == 0
    assert "824" in bench.run("status").out
    assert bench.run("status", "--json").json["transactions_not_read"] == {"824": 1}


def test_the_same_acknowledgment_twice_is_recorded_as_a_duplicate_and_written_once(make_bench):
    bench, order = sent_to_silent(make_bench, orders=2)
    for _ in range(2):
        bench.answer("855", bak(order, "AC"), *accepted(bench, order))
        bench.run("run")
    decided = [
        event["detail"]["state"]
        for event in bench.run("status", order.number, "--json").json["events"]
        if event["kind"] == "transaction-decided"
    ]
    assert decided == ["applied", "duplicate"]
    writes = [write for write in bench.writes(order.number) if "EDI_Ack_Reference" in write.after]
    assert len(writes) == 1


def test_the_timeline_tells_when_an_acknowledgment_came_in_and_when_it_was_kept(make_bench):
    bench, order = sent_to_silent(make_bench, orders=2)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    bench.run("run")
    events = bench.run("status", order.number, "--json").json["events"]
    kinds = [event["kind"] for event in events]
    listed, stored = kinds.index("transaction-listed"), kinds.index("transaction-stored")
    assert kinds.index("document-delivered") < listed < stored < kinds.index("transaction-decided")
    assert "855 AC" in events[listed]["text"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


@pytest.mark.long
def test_500_acknowledgments_are_written_in_at_most_20_calls_to_plex(make_bench):
    bench = make_bench(orders=502, suppliers=4)
    bench.write_config(lambda text: text + "\n[run]\ntime_limit_minutes = 60\n")
    assert bench.run("poll").code == 0
    assert bench.run("submit", "--json").json["counts"]["documents_sent"] == 500
    bench.sandbox.advance(timedelta(hours=3))
    bench.run("submit")
    before = len(bench.sandbox.log)
    ran = bench.run("ingest-acks", "--json")
    assert ran.code == 0, ran.err
    counts = ran.json["counts"]
    assert (counts["acks_applied"], counts["writes_made"]) == (500, 500)
    calls = [(call.method, call.path) for call in bench.sandbox.log[before:] if call.origin == "plex"]
    calls = [call for call in calls if not call[1].startswith("/_sandbox/")]
    assert 1 < len(calls) <= 20, "\n".join(map(str, calls))
    assert len({write.order for write in bench.sandbox.plex.writes}) == 500


def send_ta1(bench, code: str, note: str = "000", *, control: int | None = None) -> None:
    """The supplier's system answers the envelope of the first document."""
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        partnership = store.partnerships[bench.sandbox.sample_data.partners[0].partnership_id]
        number = control or bench.sandbox.generated()[0].interchange_control_number
        remote = partnership.remote
        isa = (
            f"ISA*00*          *00*          *{remote.qualifier}*{remote.id:<15}*ZZ*RIVERBEND      *{now:%y%m%d*%H%M}"
            "*U*00401*000000099*0*T*>~"
        )
        text = f"{isa}TA1*{number:09}*{now:%y%m%d*%H%M}*{code}*{note}~IEA*0*000000099~"
        store.receive(text, partnership=partnership, at=now)
    bench.later(minutes=1)


@pytest.fixture
def first_sent(make_bench):
    """One order, delivered to a supplier that says nothing by itself."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(minutes=5)
    bench.run("run")
    return bench, bench.numbers_sent()[0]


def test_a_ta1_that_accepts_is_noted_in_the_orders_timeline(first_sent):
    bench, number = first_sent
    send_ta1(bench, "A")
    assert bench.run("run").code == 0
    shown = bench.run("status", number)
    assert "was accepted (TA1)" in shown.out
    (document,) = bench.run("status", number, "--json").json["documents"]
    assert document["functional_ack"] == "none"


def test_a_ta1_that_rejects_the_interchange_needs_review_and_stops_the_order(first_sent):
    bench, number = first_sent
    send_ta1(bench, "R", "025")
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert ran.json["counts"]["documents_rejected"] == 1
    (review,) = bench.run("review", "list", "--json").json["reviews"]
    assert "control number came in before" in str(review["reasons"])
    line = bench.sandbox.plex.order(number).lines[0]
    with bench.sandbox.lock:
        release = line.releases[0]
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 12)
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert bench.run("review", "accept", str(review["id"]), "--reason", "they have it").code == 0
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1


def test_a_ta1_of_an_interchange_that_is_not_ours_holds_nothing_up(first_sent):
    bench, _ = first_sent
    send_ta1(bench, "R", "009", control=4711)
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.out
    assert bench.run("review", "list", "--json").json["reviews"] == []


def test_a_later_997_that_accepts_closes_the_review_item(first_sent):
    bench, number = first_sent
    group = bench.sandbox.generated()[0].group_control_numbers[0]
    for verdict in ("R", "A"):
        rows = ("AK1", "PO", str(group)), ("AK2", "850", "0001"), ("AK5", verdict), ("AK9", verdict, "1", "1", "1")
        bench.answer("997", *rows)
        bench.run("run")
    assert bench.run("review", "list", "--json").json["reviews"] == []
    (document,) = bench.run("status", number, "--json").json["documents"]
    assert document["functional_ack"] == "accepted"


def test_a_supplier_that_refuses_our_cancellation_is_heard(make_bench):
    bench, order = sent_to_silent(make_bench)
    with bench.sandbox.lock:
        bench.sandbox.plex.cancel(order.number)
    bench.later(minutes=30)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    bench.later(hours=1)
    bench.run("run")
    head = ("BCA", "06", "RJ", order.number, "", "1", "20261123", "", "", "SO1", "20261123")
    bench.answer("865", head, ("CTT", "0"))
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_held"]) == (3, 1)
    assert {each["state"] for each in standing(bench, order).values()} == {"rejected"}
    assert len(reviews(bench, "line-rejected")) == len(order.lines)


def test_suppliers_that_share_a_partnership_keep_their_own_settings(make_bench):
    bench = make_bench(orders=8, suppliers=2, characters=(Character.SILENT,))
    first, second = bench.sandbox.sample_data.partners[:2]
    text = bench.config.read_text().replace(second.partnership_id, first.partnership_id)
    settings = dict(second.settings) | dict(first.settings)
    for set_id, setting in second.settings:
        text = text.replace(f'"{setting}"', f'"{settings[set_id]}"')
    text = text.replace('release = "005010"', 'release = "004010"')
    for code, means in ((first.code, "accepted"), (second.code, "backordered")):
        text += f'\n[suppliers.{code}.acknowledgments]\nbp_quantity = "{means}"\n'
    bench.config.write_text(text)
    assert bench.run("run").code == 0
    order = next(o for o in bench.sandbox.plex.tenant.orders if bench.sent(o.number) and o.supplier.code == second.code)
    bench.later(hours=1)
    bench.run("run")
    (number, (quantity, unit)) = next(iter(ordered(bench, order).items()))
    part = plain_half(plain_half(quantity))
    bench.answer("855", bak(order, "AC"), *line(number, quantity, unit, ("ACK", "BP", part, unit)), ("CTT", "1"))
    bench.run("run")
    said = standing(bench, order)[number]
    assert Decimal(str(said["backordered"])) == Decimal(part)


def test_json_that_is_no_guide_json_is_no_obstacle_where_the_x12_is_there(make_bench):
    bench, order = sent_to_silent(make_bench)
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        partnership = store.partnerships[bench.sandbox.sample_data.partners[0].partnership_id]
        text = store.compose(partnership, "855", (bak(order, "AC"), *accepted(bench, order), ("CTT", "1")), "T", now)
        store.receive(text, partnership=partnership, at=now)
        store.files.put(f"{store.processed[-1].id}-output", "application/json", b'{"order": {"number": "mapped"}}')
    bench.later(minutes=5)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (0, 1)
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}


def test_a_rejecting_997_that_comes_twice_is_resolved_once(first_sent):
    bench, _ = first_sent
    group = bench.sandbox.generated()[0].group_control_numbers[0]
    rows = ("AK1", "PO", str(group)), ("AK2", "850", "0001"), ("AK5", "R"), ("AK9", "R", "1", "1", "0")
    bench.answer("997", *rows)
    assert bench.run("run").code == 3
    (review,) = reviews(bench, "syntax-rejected")
    assert bench.run("review", "accept", str(review["id"]), "--reason", "they took it by hand").code == 0
    bench.answer("997", *rows)
    again = bench.run("run", "--json")
    assert (again.code, again.json["counts"]["documents_rejected"]) == (0, 0)
    assert reviews(bench) == []


def test_a_malformed_or_unknown_acknowledgment_that_comes_twice_is_one_review_item(make_bench):
    bench, order = sent_to_silent(make_bench)
    for _ in range(2):
        bench.answer("855", ("BAK", "00", "AC", ""), ("CTT", "0"))
        bench.answer("855", bak(order, "AC", number="PO-999999"), ("CTT", "0"))
    bench.run("run")
    bench.later(days=4)
    bench.run("run")
    assert len(reviews(bench, "acknowledgment-held")) == 1
    assert len(reviews(bench, "order-unknown")) == 1


def test_a_supplier_that_writes_our_numbers_small_is_not_taken_for_another_plants(make_bench):
    bench, order = sent_to_silent(make_bench)
    bench.write_config(lambda text: text + '\n[documents]\norder_pattern = "^PO-"\n')
    bench.answer("855", bak(order, "AC", number=order.number.lower()), *accepted(bench, order), ("CTT", "1"))
    assert bench.run("run", "--json").json["counts"]["acks_applied"] == 1
    bench.answer("855", bak(order, "AC", number="XX-1"), ("CTT", "0"))
    assert bench.run("run").code == 0
    assert reviews(bench) == []


def test_a_bare_acceptance_takes_back_an_earlier_rejection_but_no_promised_date(make_bench):
    bench, order = sent_to_silent(make_bench)
    supplier = order.supplier.code
    bench.write_config(lambda text: text + f"\n[suppliers.{supplier}.acknowledgments]\naccept_without_detail = true\n")
    first = order.lines[0]
    number = str(first.number)
    quantity, unit = ordered(bench, order)[number]
    dated = (
        ("ACK", "IA", quantity, unit),
        *(
            ("SCH", plain(each.quantity), unit, "", "", "067", f"{each.due:%Y%m%d}")
            for each in first.releases
            if each.status == "Firm"
        ),
    )
    bench.answer("855", bak(order, "RJ", day="20261123"), ("CTT", "0"))
    bench.run("run")
    assert {each["state"] for each in standing(bench, order).values()} == {"rejected"}
    bench.later(days=1)
    bench.answer("855", bak(order, "AC", day="20261124"), *line(number, quantity, unit, *dated), ("CTT", "1"))
    bench.later(hours=1)
    bench.answer("855", bak(order, "AK", day="20261124"), ("CTT", "0"))
    bench.run("run")
    after = standing(bench, order)
    assert {each["state"] for each in after.values()} == {"confirmed"}
    assert after[number]["delivery_date"] is not None


@pytest.mark.parametrize("key", [None, "no-key-of-this-plex-any-more"])
def test_acknowledgments_are_decided_while_the_plex_key_is_missing_or_refused(make_bench, key):
    """The buyer sees what the supplier confirmed; what is to be written waits for the key."""
    bench = make_bench(orders=3, suppliers=1, characters=(Character.PROMPT,))
    bench.run("run")
    bench.later(hours=3)
    refused = bench.run("ingest-acks", "--json", env={"PLEXSTEDI_PLEX_API_KEY": key})
    assert refused.code == 4
    assert refused.json["counts"]["acks_applied"] > 0
    assert refused.json["counts"]["writes_made"] == 0
    number = bench.numbers_sent()[0]
    assert {line["state"] for line in bench.run("status", number, "--json").json["lines"]} == {"confirmed"}
    assert bench.run("status", "--json").json["unwritten"] != []
    assert bench.run("ingest-acks", "--json").json["counts"]["writes_made"] > 0
