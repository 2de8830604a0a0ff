"""`write = "datasource"`: the supplier's answer becomes one of Plex's own acknowledgment records of the release."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.config_text import config_text
from plexstedi.sandbox.faults import FaultKind, FaultRule
from plexstedi.sandbox.plex.records import ReleaseAcknowledgement


def records_bench(make_bench, *, orders: int = 1, character: Character = Character.PROMPT, dialect: str = "connect"):
    bench = make_bench(orders=orders, suppliers=1, characters=(character,))
    bench.config.write_text(config_text(bench.sandbox, dialect, "datasource"))
    return bench


def answered(bench):
    ran = bench.run("run", "--json")
    assert ran.code == 0, ran.err
    bench.later(hours=3)
    return bench.run("run", "--json")


def releases_of(bench):
    return {
        each.id: each for order in bench.sandbox.plex.tenant.orders for line in order.lines for each in line.releases
    }


def firm(bench):
    sent = set(bench.numbers_sent())
    return {
        release.id
        for order in bench.sandbox.plex.tenant.orders
        if order.number in sent
        for line in order.lines
        for release in line.releases
        if release.status == "Firm"
    }


def test_each_release_gets_one_record_that_says_what_was_confirmed(make_bench):
    bench = records_bench(make_bench, orders=3)
    before = {key: (each.quantity, each.due, each.status, each.note) for key, each in releases_of(bench).items()}
    ran = answered(bench)
    assert ran.code == 0, ran.err
    records = bench.sandbox.plex.acknowledgements
    assert sorted(record.release_id for record in records) == sorted(firm(bench))
    for record in records:
        release = releases_of(bench)[record.release_id]
        assert record.note.startswith(f"IA: {release.quantity.normalize():f} ")
        assert f"delivery {release.due.isoformat()}" in record.note
        assert "; stedi:" in record.note
        assert (record.type_key, record.source_key) == (1, 2)
        assert datetime.fromisoformat(record.date).tzinfo is not None
    assert ran.json["counts"]["writes_made"] == len(bench.numbers_sent())
    after = {key: (each.quantity, each.due, each.status, each.note) for key, each in releases_of(bench).items()}
    assert after == before


def test_the_record_is_written_once_and_is_no_change_of_the_order(make_bench):
    bench = records_bench(make_bench, orders=2)
    answered(bench)
    written = len(bench.sandbox.plex.acknowledgements)
    bench.later(minutes=20)
    idle = bench.run("run")
    assert (idle.code, idle.out, idle.err) == (0, "", "")
    bench.later(days=1, hours=1)
    assert bench.run("run", "--json").json["counts"]["orders_changed"] == 0
    assert len(bench.sandbox.plex.acknowledgements) == written


def test_a_dry_run_shows_the_record_and_writes_none(make_bench):
    bench = records_bench(make_bench)
    bench.run("run")
    bench.later(hours=3)
    shown = bench.run("ingest-acks", "--dry-run", "--json").json["writes"]
    assert {write["field"] for write in shown} == {
        "Acknowledged_Date",
        "Acknowledgement_Note",
        "Acknowledgement_Type_Key",
    }
    assert all(write["before"] is None and write["level"] == "release" for write in shown)
    assert bench.sandbox.plex.acknowledgements == []


@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.TRUNCATED, FaultKind.HTML]
)
def test_a_write_that_was_not_heard_is_read_first_and_never_doubled(make_bench, kind):
    bench = records_bench(make_bench, orders=3)
    bench.run("run")
    bench.later(hours=3)
    bench.sandbox.inject(FaultRule(kind, origin="plex", method="POST", path="/28809/execute", skip=1, times=1))
    unheard = bench.run("run", "--json")
    assert unheard.code in (0, 5), unheard.err
    bench.later(minutes=10)
    assert bench.run("run", "--json").code == 0
    noted = [record.release_id for record in bench.sandbox.plex.acknowledgements]
    assert sorted(noted) == sorted(firm(bench))


def test_a_newer_acknowledgment_adds_a_record_and_leaves_the_older_one(make_bench):
    bench = records_bench(make_bench)
    bench.run("run")
    bench.sandbox.set_character("S001", Character.SILENT)
    order = bench.sandbox.plex.order(bench.numbers_sent()[0])

    def confirm(reference: str, day: str) -> None:
        segments = [("BAK", "00", "AC", order.number, "20261123", "", "", "", reference, day)]
        for line in order.lines:
            quantity = sum(release.quantity for release in line.releases if release.status == "Firm")
            said = f"{quantity.normalize():f}"
            unit = {"Ea": "EA", "ft": "FT", "lb": "LB", "kg": "KG"}[line.unit]
            segments += [("PO1", str(line.number), said, unit), ("ACK", "IA", said, unit)]
        bench.answer("855", *segments, ("CTT", str(len(order.lines))))

    confirm("SO1", "20261123")
    bench.run("run")
    first = list(bench.sandbox.plex.acknowledgements)
    assert sorted(record.release_id for record in first) == sorted(firm(bench))
    bench.later(days=1)
    confirm("SO2", "20261124")
    bench.run("run")
    both = bench.sandbox.plex.acknowledgements
    assert both[: len(first)] == first
    assert len(both) == 2 * len(first)
    assert len({record.note for record in both}) == len({record.note for record in first}) * 2
    bench.later(minutes=20)
    assert bench.run("run").out == ""
    assert len(bench.sandbox.plex.acknowledgements) == 2 * len(first)


def test_a_users_record_is_neither_taken_for_ours_nor_an_obstacle(make_bench):
    bench = records_bench(make_bench)
    bench.run("run")
    store = bench.sandbox.plex
    with bench.sandbox.lock:
        for number, release in enumerate(sorted(firm(bench)), start=1):
            store.acknowledgements.append(
                ReleaseAcknowledgement(number, release, "2026-11-23T12:00:00Z", "by telephone: will do", 1, None)
            )
    bench.later(hours=3)
    assert bench.run("run", "--json").code == 0
    ours = [record for record in store.acknowledgements if "stedi:" in (record.note or "")]
    assert sorted(record.release_id for record in ours) == sorted(firm(bench))
    bench.later(minutes=10)
    bench.run("run")
    assert len(store.acknowledgements) == 2 * len(ours)


def test_what_plex_refuses_as_business_needs_review_and_the_others_go_on(make_bench):
    bench = records_bench(make_bench, orders=3)
    bench.run("run")
    bench.later(hours=3)
    number = bench.numbers_sent()[0]
    with bench.sandbox.lock:
        for line in bench.sandbox.plex.order(number).lines:
            for release in line.releases:
                release.status = "Received"
    ran = bench.run("run", "--json")
    assert ran.code == 3, ran.err
    reviews = bench.run("review", "list", "--json").json["reviews"]
    assert [review["kind"] for review in reviews] == ["write-failed"]
    assert "The release is received" in str(reviews[0]["reasons"])
    others = firm(bench)
    assert others
    assert {record.release_id for record in bench.sandbox.plex.acknowledgements} == others


def test_without_the_grant_nothing_is_written_and_the_error_says_whom_to_ask(make_bench):
    bench = records_bench(make_bench)
    bench.sandbox.plex_settings.granted = frozenset({382, 16518})
    ran = answered(bench)
    assert ran.code == 4
    assert "DATA_SOURCE_ACCESS_DENIED" in ran.json["error"]["message"]
    assert "Customer Care" in ran.json["error"]["fix"]
    bench.sandbox.plex_settings.granted = frozenset({382, 16518, 28809})
    bench.later(minutes=5)
    assert bench.run("run", "--json").json["counts"]["writes_made"] == 1


def test_a_wrong_password_is_reported_without_being_shown(make_bench):
    bench = records_bench(make_bench)
    wrong = {"PLEXSTEDI_PLEX_PASSWORD": "not-the-right-password"}
    bench.run("run")
    bench.later(hours=3)
    ran = bench.run("run", "--json", env=wrong)
    assert ran.code == 4
    assert "not-the-right-password" not in ran.out + ran.err
    assert bench.sandbox.plex.acknowledgements == []


def test_an_account_of_another_company_writes_nothing(make_bench):
    bench = records_bench(make_bench)
    text = bench.config.read_text()
    bench.config.write_text(text.replace("[plex.auth]", '[plex.auth]\ncompany_code = "OTHERCO"'))
    ran = answered(bench)
    assert (ran.code, ran.json["error"]["code"]) == (4, "wrong-tenant")
    assert bench.sandbox.plex.acknowledgements == []


def test_check_names_the_inputs_that_plex_does_not_have(make_bench):
    bench = records_bench(make_bench)
    well = bench.run("check", "--json")
    assert well.code == 0, well.out
    (found,) = [each for each in well.json["findings"] if each["subject"] == "data sources"]
    assert found["verdict"] == "ok"
    text = bench.config.read_text()
    bench.config.write_text(text.replace('ack_note = "Acknowledgement_Note"', 'ack_note = "Acknowledgment_Note"'))
    wrong = bench.run("check", "--json")
    assert wrong.code == 4
    (found,) = [each for each in wrong.json["findings"] if each["subject"] == "data sources"]
    assert "has no input Acknowledgment_Note (did you mean Acknowledgement_Note?); it has " in found["message"]
    assert "Acknowledgement_Note" in found["message"]
    ran = answered(bench)
    assert ran.code == 4
    assert bench.sandbox.plex.acknowledgements == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda text: text.replace('level = "release"', 'level = "line"'), "plex.acknowledgments.level"),
        (lambda text: text.replace("username =", "client_id ="), "plex.auth.username"),
        (lambda text: text.replace('ack_note = "Note"\n', ""), "acknowledgment_read.columns.ack_note"),
        (
            lambda text: text.replace("[plex.datasources.acknowledgment_read", "[plex.datasources.x"),
            "acknowledgment_read",
        ),
        (
            lambda text: text.replace('ack_note = "Acknowledgement_Note"\n', "").replace('ack_note = "Note"\n', ""),
            "acknowledgment_write.inputs",
        ),
        (
            lambda text: text.replace(
                'Release_No = "Release_No"\nacknowledged_at = "Acknowledged_Date"\nack_note = "N', 'x_note = "N'
            ),
            "acknowledgment_read.columns",
        ),
        (lambda text: text.replace("tenant_code =", "#"), "plex.auth.company_code"),
    ],
    ids=["level", "account", "not read back", "no reader", "no reference", "key not read", "no company"],
)
def test_what_the_strategy_lacks_is_named_before_anything_is_sent(make_bench, change, key):
    bench = records_bench(make_bench)
    bench.config.write_text(change(bench.config.read_text()))
    ran = bench.run("run", "--json")
    assert ran.code == 4
    assert key in str(ran.json["error"])
    assert bench.sandbox.generated() == []


def test_the_oauth2_interface_without_the_keys_is_refused_with_the_reason(make_bench):
    bench = records_bench(make_bench, dialect="oauth2")
    ran = bench.run("run", "--json")
    assert ran.code == 4
    assert "order_id and release_id" in str(ran.json["error"])


def test_a_rejection_is_recorded_as_such_once_a_user_has_accepted_it(make_bench):
    bench = records_bench(make_bench, character=Character.REJECTING)
    answered(bench)
    assert bench.sandbox.plex.acknowledgements == []
    for review in bench.run("review", "list", "--json").json["reviews"]:
        if review["kind"] == "line-rejected":
            assert bench.run("review", "accept", str(review["id"]), "--reason", "so be it").code == 0
    bench.run("run")
    records = bench.sandbox.plex.acknowledgements
    assert records
    assert {record.type_key for record in records} == {3}
    assert all(record.note.split(": ")[1].startswith("0 ") for record in records)


def test_more_records_than_a_minute_has_calls_are_written_all_and_once(make_bench):
    """A call each: what does not fit into one run is carried on by the next."""
    bench = records_bench(make_bench, orders=40)
    answered(bench)
    for _ in range(4):
        bench.later(minutes=5)
        bench.run("run")
    noted = [replace(record, key=0) for record in bench.sandbox.plex.acknowledgements]
    assert len(noted) == len(set(noted)) == len(firm(bench))
