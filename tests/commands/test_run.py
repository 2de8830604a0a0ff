"""The main job as cron sees it: orders out, acknowledgments back, then silence."""

from __future__ import annotations

from datetime import timedelta

from plexstedi.sandbox.behaviours import Character
from plexstedi.state.file.database import Database
from plexstedi.state.file.lock import held_by
from tests.commands.buyers import edit
from tests.commands.conftest import number_of


def test_orders_go_out_once_and_acknowledgments_come_back_into_plex(bench):
    bench.real_process = True
    first = bench.run("run", "--json")
    assert first.code == 0, first.err
    assert first.json["counts"]["documents_sent"] == 4
    assert len(bench.sandbox.generated()) == 4
    bench.later(hours=3)
    second = bench.run("run", "--json")
    assert second.code == 0, second.err
    counts = second.json["counts"]
    assert counts["documents_delivered"] == 4
    assert counts["acks_received"] == counts["acks_applied"] == 4
    assert counts["writes_made"] == 4
    assert counts["attention"] == 0
    assert len(bench.sandbox.generated()) == 4


def test_an_idle_run_says_nothing_at_all(bench):
    bench.real_process = True
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=20)
    idle = bench.run("run")
    assert (idle.code, idle.out, idle.err) == (0, "", "")


def test_an_idle_run_with_json_still_prints_one_object(bench):
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=20)
    idle = bench.run("run", "--json")
    assert idle.code == 0
    assert idle.err == ""
    assert idle.json["schema"] == 1
    assert idle.json["command"] == "run"
    assert idle.json["counts"]["documents_sent"] == 0


def test_what_a_supplier_confirmed_stands_in_plex_on_the_line(bench):
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    number = bench.numbers_sent()[0]
    order = bench.sandbox.plex.order(number)
    written = {(w.line, field): value for w in bench.writes(number) for field, value in w.after.items()}
    assert written[(None, "EDI_Ack_Status")] == "confirmed"
    for line in order.lines:
        firm = sum(release.quantity for release in line.releases)
        assert written[(line.number, "EDI_Confirmed_Qty")] == firm


def test_stages_one_by_one_do_the_same_as_run(bench):
    polled = bench.run("poll", "--json").json
    assert polled["counts"]["orders_seen"] == 6
    assert polled["counts"]["orders_changed"] == 6
    assert polled["counts"]["documents_queued"] == 4
    assert bench.sandbox.generated() == []
    submitted = bench.run("submit", "--json").json
    assert submitted["counts"]["documents_sent"] == 4
    bench.later(hours=3)
    ingested = bench.run("ingest-acks", "--json").json
    assert ingested["counts"]["acks_applied"] == 4
    assert ingested["counts"]["writes_made"] == 4


def test_a_changed_quantity_goes_out_as_one_860_and_our_write_back_does_not(bench):
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    number = bench.sandbox.plex.tenant.orders[0].number
    line = bench.sandbox.plex.order(number).lines[0]
    release = line.releases[0]
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_release(number, line.number, release.number, quantity=release.quantity + 5)
    bench.later(minutes=10)
    changed = bench.run("run", "--json").json
    assert changed["counts"]["documents_sent"] == 1
    assert len(bench.sandbox.generated()) == 5
    bench.later(hours=3)
    assert bench.run("run", "--json").json["counts"]["documents_sent"] == 0


def test_the_same_orders_through_both_dialects_give_equal_guide_json(make_bench):
    sent = {}
    for dialect in ("connect", "oauth2"):
        one = make_bench(orders=12, suppliers=4, dialect=dialect)
        ran = one.run("run", "--json")
        assert ran.code == 0, ran.err
        sent[dialect] = {number_of(d): d.transactions for d in one.sandbox.generated()}
    assert sent["connect"] == sent["oauth2"]
    assert len(sent["connect"]) == 10


def test_the_polls_limit_of_calls_per_minute_holds_over_runs(make_bench):
    one = make_bench(orders=40, suppliers=4)
    for _ in range(3):
        one.run("run")
        one.later(seconds=1)
    refused = [call for call in one.sandbox.log if call.origin == "plex" and call.status == 429]
    assert refused == []


def test_late_suppliers_are_reported_after_their_limit_once(make_bench):
    one = make_bench(orders=5, suppliers=1, characters=(Character.SILENT,))
    one.run("run")
    one.later(minutes=10)
    one.run("run")
    one.sandbox.advance(timedelta(days=3))
    overdue = one.run("run", "--json")
    assert overdue.code == 3
    assert overdue.json["counts"]["attention"] > 0
    one.later(minutes=5)
    again = one.run("run", "--json")
    assert again.code == 0
    assert again.json["counts"]["attention"] == overdue.json["counts"]["attention"]


def test_an_order_that_moves_to_another_supplier_after_it_was_sent_is_held(bench):
    bench.run("run")
    bench.later(minutes=5)
    bench.run("run")
    number = bench.numbers_sent()[0]
    own = bench.sandbox.plex.order(number).supplier
    other = next(supplier for supplier in bench.sandbox.sample_data.tenant.suppliers if supplier is not own)
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_header(number, supplier=other)
    bench.later(minutes=5)
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert other.code in "\n".join(ran.json["news"])
    assert len(bench.sent(number)) == 1


def test_no_service_is_called_while_a_transaction_is_open(make_bench):
    """Else what the run writes would wait for the call, or be lost with it."""

    def reads_inside() -> None:
        import plexstedi.sync.poll.pending as orders

        real = orders.record_reading

        def with_a_call(session, reading, *more):
            session.services.plex.order(reading.id)
            return real(session, reading, *more)

        orders.record_reading = with_a_call

    ran = make_bench(orders=1, suppliers=1).run("poll", before=reads_inside)
    assert ran.code == 1
    assert "a service is called while a transaction is open" in ran.err


def test_the_daily_copy_is_made_after_the_lock_is_released_and_a_full_disk_does_not_fail_the_run(bench):
    seen = bench.place / "holder"

    def disk_is_full():
        def full(state, target, check):
            seen.write_text(str(held_by(state)))
            raise OSError(28, "No space left on device")

        Database.copy_in_slices = full

    ran = bench.run("run", "--json", before=disk_is_full)
    assert ran.code == 0, ran.err
    assert seen.read_text() == "None", "no other run waits for the copy"
    assert ran.json["counts"]["documents_sent"] == 4
    (warning,) = [text for text in ran.json["warnings"] if "No space left" in text]
    assert str(bench.state) in warning
    assert "Free some space" in warning
    assert list(bench.place.glob("*.backup*")) == []
    bench.later(minutes=5)
    assert bench.run("run").code == 0
    assert len(list(bench.place.glob("*.backup"))) == 1, "the next run makes it"


def test_cron_mails_once_a_day_that_there_is_no_copy(bench):
    def disk_is_full():
        def full(state, target, check):
            raise OSError(28, "No space left on device")

        Database.copy_in_slices = full

    mails = []
    for hours in (0, 3, 30):
        bench.later(hours=hours)
        if hours:
            # A run without news prints no warning.
            edit(bench, bench.numbers_sent()[0])
        mails.append(bench.run("run", before=disk_is_full))
    assert [mail.code for mail in mails] == [0, 0, 0]
    assert ["No space left" in mail.err for mail in mails] == [True, False, True]
