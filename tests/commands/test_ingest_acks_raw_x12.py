"""Where Stedi's JSON cannot be read, the raw X12 is: a transaction's own part, or its set out of the whole file."""

from __future__ import annotations

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.stedi.x12 import Delimiters, Group, Interchange, read, render

ORDERS = 3
NO_JSON = b'{"heading": {"trunc'


@pytest.fixture
def bench(make_bench):
    """Three orders, delivered to a supplier that says nothing by itself."""
    bench = make_bench(orders=ORDERS, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(minutes=2)
    return bench


def acknowledgment(order):
    lines = []
    for line in order.lines:
        quantity = sum(release.quantity for release in line.releases)
        lines += [
            ("PO1", str(line.number), str(quantity), line.unit, str(line.price)),
            ("ACK", "IA", str(quantity), line.unit),
        ]
    return (("BAK", "00", "AC", order.number, "20261123"), *lines, ("CTT", str(len(order.lines))))


def arrives(bench, *files: str | bytes, parts: bool) -> None:
    """Files come in whose translation cannot be read; without `parts` Stedi has only the files themselves."""
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        before = len(store.processed)
        for content in files:
            execution = store.receive(content, at=now)
            assert execution.status == "COMPLETED", execution.fault_message
        for each in store.processed[before:]:
            store.files.put(f"{each.id}-output", "application/json", NO_JSON)
            if not parts:
                store.files.contents[f"{each.id}-input"] = ("application/edi-x12", b"")
    bench.later(minutes=5)


def interchanges(bench) -> list[Interchange]:
    """Two from the supplier: the acknowledgments of two orders in one group, and of the third with the same numbers."""
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        partnership = next(iter(store.partnerships.values()))
        composed = [
            read(store.compose(partnership, "855", acknowledgment(order), "T", now))
            for order in bench.sandbox.plex.tenant.orders
        ]
    bodies = [each.groups[0].sets[0][1] for each in composed]
    first = Group(7, "855", (("0001", bodies[0]), ("0002", bodies[1])))
    second = Group(7, "855", (("0001", bodies[2]),))
    return [Interchange(composed[0].envelope, (first,)), Interchange(composed[1].envelope, (second,))]


def confirmed(bench) -> list[set[str]]:
    return [
        {line["state"] for line in bench.run("status", order.number, "--json").json["lines"]}
        for order in bench.sandbox.plex.tenant.orders
    ]


@pytest.mark.parametrize("parts", [True, False])
def test_each_acknowledgment_of_a_file_is_read_whatever_stands_around_it(bench, parts):
    first, second = interchanges(bench)
    one = render(first, Delimiters("|", ":", "^", "\r")).replace("\r", "\r\n    ")
    other = render(second, Delimiters())[:-1] + "\r\n\x1a\0"
    arrives(bench, b"\xef\xbb\xbf" + f"{one}\r\n{other}".encode(), parts=parts)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"]) == (0, ORDERS)
    assert confirmed(bench) == [{"confirmed"}] * ORDERS


def test_a_supplier_that_writes_windows_1252_is_read_in_its_own_words(bench):
    order = bench.sandbox.plex.tenant.orders[0]
    first, _ = interchanges(bench)
    text = render(first, Delimiters()).replace("~PO1", "~N1*SU*Mu..ller~PO1", 1).replace("Mu..ller", "Müller & Söhne")
    rows = text.split("~")
    count = rows.index(next(row for row in rows if row.startswith("SE*"))) - 1
    text = text.replace(f"SE*{count - 1}*0001", f"SE*{count}*0001", 1)
    arrives(bench, text.encode("cp1252"), parts=False)
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_applied"], ran.json["counts"]["acks_held"]) == (0, 2, 0)
    assert bench.run("status", order.number, "--json").json["documents"][0]["business_ack"] == "confirmed"


def test_where_the_file_has_another_set_than_the_listing_says_the_acknowledgment_is_held(bench):
    first, _ = interchanges(bench)
    arrives(bench, render(first, Delimiters()), parts=False)
    with bench.sandbox.lock:
        for each, number in zip(bench.sandbox.stedi.processed[-2:], ("0008", "0009"), strict=True):
            each.control_number = number
    ran = bench.run("run", "--json")
    assert (ran.code, ran.json["counts"]["acks_held"], ran.json["counts"]["acks_applied"]) == (3, 2, 0)
    for one in bench.run("review", "list", "--json").json["reviews"]:
        assert "2 transactions 855, none of them clearly this one" in one["reasons"][0]["message"]


def test_a_997_and_the_ta1_beside_it_are_both_read(bench):
    document = bench.sandbox.generated()[0]
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        partnership = next(iter(store.partnerships.values()))
        body = (
            ("AK1", "PO", str(document.group_control_numbers[0])),
            ("AK2", "850", "0001"),
            ("AK5", "A"),
            ("AK9", "A", "1", "1", "1"),
        )
        read_back = read(store.compose(partnership, "997", body, "T", now))
        number = f"{document.interchange_control_number:09}"
        ta1 = ("TA1", number, f"{now:%y%m%d}", f"{now:%H%M}", "E", "020")
        text = render(Interchange(read_back.envelope, read_back.groups, (ta1,)), Delimiters())
    arrives(bench, "\r\n" + text[:-1], parts=False)
    assert bench.run("run").code == 0
    number = next(o.number for o in bench.sandbox.plex.tenant.orders if bench.sent(o.number) == [document])
    shown = bench.run("status", number, "--json").json
    assert [each["functional_ack"] for each in shown["documents"]] == ["accepted"]
    assert [each["kind"] for each in shown["events"] if each["kind"] == "interchange-ack"] == ["interchange-ack"]
