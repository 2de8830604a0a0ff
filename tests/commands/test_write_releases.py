"""`write = "releases"`: a tenant without custom fields still sees what its suppliers confirmed, on the release."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.faults import FaultKind, FaultRule

NOTE_ONLY = 'write = "releases"'
OPT_IN = 'write = "releases"\nrelease_values = ["note", "due_date", "quantity"]'


def releases_bench(make_bench, strategy: str, character: Character = Character.PROMPT, **more):
    bench = make_bench(**{"orders": 1, "suppliers": 1, "characters": (character,), **more})
    bench.write_config(lambda text: text.replace('write = "custom-fields"', strategy))
    return bench


def the_order(bench):
    """An order that was sent, of several lines if there is one."""
    sent = [order for order in bench.sandbox.plex.tenant.orders if bench.sent(order.number)]
    return max(sent or bench.sandbox.plex.tenant.orders, key=lambda order: len(order.lines))


def releases(bench):
    return [release for line in the_order(bench).lines for release in line.releases]


def answered(bench):
    assert bench.run("run").code == 0
    bench.later(hours=3)
    return bench.run("run", "--json")


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_the_acknowledgment_is_in_the_note_beside_what_people_wrote(make_bench, dialect):
    bench = releases_bench(make_bench, NOTE_ONLY, dialect=dialect)
    with bench.sandbox.lock:
        releases(bench)[0].note = "Dock 4"
    before = [(each.quantity, each.due, each.status) for each in releases(bench)]
    ran = answered(bench)
    assert ran.code == 0, ran.err
    assert ran.json["counts"]["writes_made"] == 1
    first = releases(bench)[0]
    assert first.note.startswith("Dock 4 [PlexStedi: IA: ")
    for each in releases(bench):
        assert each.note.count("[PlexStedi:") == 1
        assert f"{each.quantity.normalize():f} " in each.note
        assert each.due.isoformat() in each.note
        assert "stedi:" in each.note
    assert [(each.quantity, each.due, each.status) for each in releases(bench)] == before


def test_our_note_is_no_change_of_the_order_and_is_written_once(make_bench):
    bench = releases_bench(make_bench, NOTE_ONLY)
    answered(bench)
    written = len(bench.sandbox.plex.writes)
    bench.later(minutes=20)
    idle = bench.run("run")
    assert (idle.code, idle.out, idle.err) == (0, "", "")
    bench.later(days=1, hours=1)
    assert bench.run("run", "--json").json["counts"]["orders_changed"] == 0
    assert len(bench.sandbox.plex.writes) == written
    assert len(bench.sandbox.generated()) == 1


def test_a_dry_run_shows_the_note_as_it_is_and_as_it_would_be(make_bench):
    bench = releases_bench(make_bench, NOTE_ONLY)
    bench.run("run")
    bench.later(hours=3)
    shown = bench.run("ingest-acks", "--dry-run", "--json").json["writes"]
    assert {write["field"] for write in shown} == {"note"}
    assert len(shown) == len(releases(bench))
    assert all(write["before"] is None and "confirmed" in write["after"] for write in shown)
    assert bench.sandbox.plex.writes == []


def late_by_three_days(make_bench, strategy: str, orders: int = 1):
    """Orders whose supplier promises to deliver three days late, which is inside its tolerance."""
    return releases_bench(make_bench, strategy, Character.DATES, orders=orders)


def promised(bench):
    """Releases whose due date was replaced by what the supplier promised."""
    asked = {
        write.record_id: write.before["dueDate"]
        for write in bench.writes(the_order(bench).number)
        if write.before["dueDate"] != write.after["dueDate"]
    }
    return [each for each in releases(bench) if each.id in asked], asked


def test_without_the_opt_in_a_promised_date_stays_in_the_note(make_bench):
    bench = late_by_three_days(make_bench, NOTE_ONLY)
    answered(bench)
    assert promised(bench)[0] == []


def test_a_promised_date_that_we_wrote_is_not_sent_back_to_the_supplier(make_bench):
    bench = late_by_three_days(make_bench, OPT_IN)
    answered(bench)
    moved, _ = promised(bench)
    assert moved
    assert all(each.status == "Firm" for each in releases(bench))
    bench.later(minutes=20)
    after = bench.run("run", "--json").json["counts"]
    assert (after["orders_changed"], after["documents_queued"], after["documents_sent"]) == (0, 0, 0)
    bench.later(days=1, hours=1)
    swept = bench.run("run", "--json").json["counts"]
    assert (swept["orders_changed"], swept["documents_sent"]) == (0, 0)
    assert len(bench.sandbox.generated()) == 1


def a_written_date(make_bench, orders: int = 1):
    """A line whose due date we moved."""
    bench = late_by_three_days(make_bench, OPT_IN, orders)
    answered(bench)
    moved, asked = promised(bench)
    line = next(line for line in the_order(bench).lines if any(each in moved for each in line.releases))
    return bench, line, moved, asked


def poc_lines(edi: str) -> list[str]:
    return [segment.split("*")[1] for segment in edi.split("~") if segment.startswith("POC*")]


def test_a_later_change_of_another_line_sends_only_that_line_and_its_acknowledgments_still_count(make_bench):
    bench, line, _, _ = a_written_date(make_bench, orders=12)
    other = next(each for each in the_order(bench).lines if each is not line)
    number = the_order(bench).number
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(
            number, other.number, other.releases[0].number, quantity=other.releases[0].quantity + 5
        )
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    assert poc_lines(bench.sent(number)[-1].edi) == [str(other.number)]
    standing = {each["line"]: each["state"] for each in bench.run("status", number, "--json").json["lines"]}
    assert standing[line.number] == "changed"
    assert standing[other.number] == "unacknowledged"


def test_a_users_edit_of_a_date_that_we_wrote_is_sent_also_back_to_what_was_ordered(make_bench):
    bench, line, moved, asked = a_written_date(make_bench)
    number = the_order(bench).number
    release = next(each for each in line.releases if each in moved)
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(number, line.number, release.number, due=date.fromisoformat(asked[release.id]))
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
    change = bench.sent(number)[-1].edi
    assert poc_lines(change) == [str(line.number)]
    assert asked[release.id].replace("-", "") in change


def test_a_date_that_a_buyer_changed_meanwhile_is_not_overwritten(make_bench):
    bench = late_by_three_days(make_bench, OPT_IN)
    bench.run("run")
    bench.later(hours=3)
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", method="PUT", times=None))
    bench.run("ingest-acks")
    bench.sandbox.faults.clear()
    order = the_order(bench)
    wanted = {each.id: each.due + timedelta(days=30) for each in releases(bench)}
    with bench.sandbox.lock:
        for line in order.lines:
            for release in line.releases:
                bench.sandbox.plex.edit_release(order.number, line.number, release.number, due=wanted[release.id])
    assert bench.run("ingest-acks").code in (0, 3)
    assert {each.id: each.due for each in releases(bench)} == wanted


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER])
def test_a_write_that_was_not_heard_is_read_at_the_next_run_and_never_sent_as_a_change(make_bench, kind):
    bench = late_by_three_days(make_bench, OPT_IN)
    bench.run("run")
    bench.later(hours=3)
    bench.sandbox.inject(FaultRule(kind, origin="plex", method="PUT", times=1))
    bench.run("run")
    bench.later(minutes=10)
    settled = bench.run("run", "--json")
    assert settled.code == 0, settled.err
    assert promised(bench)[0]
    assert all("[PlexStedi:" in each.note for each in releases(bench))
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert len(bench.sandbox.generated()) == 1


def test_a_received_release_is_never_touched(make_bench):
    bench = releases_bench(make_bench, OPT_IN, Character.DATES)
    bench.run("run")
    line = the_order(bench).lines[0]
    release = line.releases[0]
    bench.later(hours=3)
    with bench.sandbox.lock:
        bench.sandbox.plex.receive(the_order(bench).number, line.number, release.number, release.quantity)
    bench.run("ingest-acks")
    assert release.note is None
    assert release.status == "Received"
    assert [write for write in bench.writes(the_order(bench).number) if write.record_id == release.id] == []


def test_what_a_release_cannot_hold_needs_review_and_is_in_the_note(make_bench):
    bench = releases_bench(make_bench, OPT_IN, Character.PARTIAL)
    text = bench.config.read_text()
    bench.config.write_text(text + "\n[suppliers.S001.tolerance]\ndate_late_days = 40\n")
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    withheld = [r for r in bench.run("review", "list", "--json").json["reviews"] if r["kind"] == "write-withheld"]
    assert len(withheld) == 1, bench.run("status", the_order(bench).number).out
    assert "in parts" in str(withheld[0]["reasons"])
    asked = {write.record_id for write in bench.writes(the_order(bench).number)}
    (parted,) = [each for each in releases(bench) if each.note and "backordered" in each.note]
    assert parted.id in asked
    assert parted not in promised(bench)[0]


def test_a_blanket_confirmed_as_a_whole_does_not_swell_its_last_release(make_bench):
    bench = releases_bench(make_bench, OPT_IN, Character.DATES, orders=12)
    blanket = next(order for order in bench.sandbox.plex.tenant.orders if order.blanket)
    asked = {release.id: release.quantity for line in blanket.lines for release in line.releases}
    answered(bench)
    assert bench.writes(blanket.number)
    assert {release.id: release.quantity for line in blanket.lines for release in line.releases} == asked


def test_a_quantity_that_we_wrote_is_not_sent_back_to_the_supplier(make_bench):
    bench = releases_bench(make_bench, OPT_IN)
    text = bench.config.read_text()
    bench.config.write_text(text + "\n[suppliers.S001.tolerance]\nquantity_under_pct = 20\n")
    bench.sandbox.set_character("S001", Character.SILENT)
    bench.run("run")
    bench.later(hours=1)
    bench.run("run")
    order, line = the_order(bench), the_order(bench).lines[0]
    confirmed = sum(release.quantity for release in line.releases) - 12
    said = f"{confirmed.normalize():f}"
    head = ("BAK", "00", "AC", order.number, "20261123", "", "", "", "SO1", "20261123")
    bench.answer("855", head, ("PO1", str(line.number), said, "EA"), ("ACK", "IQ", said, "EA"), ("CTT", "1"))
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["writes_made"] == 1, ran.json
    assert sum(release.quantity for release in line.releases) == confirmed
    bench.later(minutes=20)
    after = bench.run("run", "--json").json["counts"]
    assert (after["orders_changed"], after["documents_sent"]) == (0, 0)
    number, release = order.number, line.releases[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 12)
    bench.later(minutes=10)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 1
