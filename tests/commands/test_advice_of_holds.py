"""What a held order, a held invoice, a limit or a missing secret says to do works when it is done, and leads on.

Nothing is sent a second time on the way, and what was accepted does not come back.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from msgspec.structs import replace

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.config_text import secrets
from plexstedi.sync.ingest import decide_received
from tests.commands.advice import commands, fixes, follow, items
from tests.commands.test_advice_of_faults import refused
from tests.commands.test_ingest_acks import (
    accepted,
    bak,
    confirmed_in_plex,
    ordered,
    plain,
    plain_half,
    send_ta1,
    sent_to_silent,
    standing,
)
from tests.commands.test_recover import edit, lose
from tests.commands.test_submit_invoices import edit as change_invoice
from tests.commands.test_submit_invoices import sent_810, with_invoices
from tests.commands.test_unreadable_record_held_alone import Odd, meddle, spoil
from tests.commands.test_write_datasource import records_bench

KIND = "order-held"
TABLE = "[suppliers.S001]\n"
SINGLY = f'{TABLE}releases = "order-per-release"\n'
SMALL = "\n[run]\nmax_response_mb = 1\n"


def table_of(text: str, code: str) -> tuple[int, int]:
    """Where the tables of a supplier begin and end."""
    begin = text.index(f"[suppliers.{code}]\n")
    ends = [at for at in (text.find("[customers.", begin), text.find("[suppliers.S002]", begin)) if at > 0]
    return begin, min(ends, default=len(text))


def without_s001(text: str) -> str:
    begin, end = table_of(text, "S001")
    return text[:begin] + text[end:]


def held(bench, code: str, kind: str = KIND) -> list[dict]:
    """Open items of a kind with a reason of this code."""
    return [item for item in items(bench, kind) if code in [reason["code"] for reason in item["reasons"]]]


def fix_of(bench, code: str, kind: str = KIND) -> str:
    (item,) = held(bench, code, kind)
    return next(reason["fix"] for reason in item["reasons"] if reason["code"] == code)


def cycle(bench, **span) -> dict:
    """Time passes, then cron runs."""
    bench.later(**(span or {"minutes": 10}))
    ran = bench.run("run", "--json")
    assert ran.code in (0, 3), ran.out + ran.err
    return ran.json["counts"]


def quiet(bench, sent: int) -> None:
    """Nothing is open any more, nothing more goes out: now, and two runs later."""
    for _ in range(2):
        assert cycle(bench)["documents_sent"] == 0
        assert [item for item in items(bench) if item["kind"] in (KIND, "invoice-held")] == []
    assert len(bench.sandbox.generated()) == sent


def test_an_order_whose_supplier_lost_its_table_goes_on_when_it_is_back(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    edit(bench, order.number)
    bench.write_config(without_s001)
    assert cycle(bench)["documents_sent"] == 0
    assert "Add [suppliers.S001] again" in fix_of(bench, "supplier-missing")
    bench.write_config()
    assert cycle(bench)["documents_sent"] == 1
    assert [d.edi.split("~")[2].split("*")[1] for d in bench.sent(order.number)] == ["850", "860"]
    quiet(bench, 2)


def test_an_order_whose_supplier_lost_its_table_is_resolved(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    edit(bench, order.number)
    bench.write_config(without_s001)
    cycle(bench)
    follow(bench, fix_of(bench, "supplier-missing"))
    quiet(bench, 1)
    bench.write_config()
    quiet(bench, 1)


def test_an_order_that_moved_to_another_supplier_is_resolved(make_bench):
    bench = make_bench(orders=2, suppliers=2, characters=(Character.SILENT,))
    bench.run("run")
    cycle(bench, hours=1)
    sent = len(bench.sandbox.generated())
    order = next(o for o in bench.sandbox.plex.tenant.orders if bench.sent(o.number))
    other = next(o.supplier for o in bench.sandbox.plex.tenant.orders if o.supplier.code != order.supplier.code)
    with bench.sandbox.lock:
        order.supplier, order.modified = other, bench.sandbox.clock.now()
    cycle(bench)
    fix = fix_of(bench, "order-moved")
    refused = bench.run("replay", order.number, "--yes", "--reason", "moved", "--json")
    assert refused.json["error"]["code"] == "order-moved"
    follow(bench, fix)
    quiet(bench, sent)


def test_a_cancellation_that_no_860_can_express_is_reported_by_a_user(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    hold = '[supplier_defaults]\nchange_orders = "hold"'
    bench.write_config(lambda text: text.replace("[supplier_defaults]", hold))
    with bench.sandbox.lock:
        bench.sandbox.plex.cancel(order.number)
    cycle(bench)
    follow(bench, fix_of(bench, "cancellation-not-taken"))
    quiet(bench, 1)


def sent_singly(make_bench):
    """A blanket order whose releases went out as orders of their own, and that is due as a whole now."""
    bench = make_bench(orders=12, suppliers=1, characters=(Character.SILENT,))
    bench.write_config(lambda text: text.replace(TABLE, SINGLY))
    bench.run("run")
    cycle(bench, hours=1)
    order = next(o for o in bench.sandbox.plex.tenant.orders if o.blanket and bench.sent(o.number))
    bench.write_config()
    edit(bench, order.number)
    cycle(bench)
    return bench, order.number


def test_releases_that_were_sent_separately_are_resolved(make_bench):
    bench, _ = sent_singly(make_bench)
    sent = len(bench.sandbox.generated())
    follow(bench, fix_of(bench, "sent-singly"))
    quiet(bench, sent)


def test_releases_that_were_sent_separately_go_on_so(make_bench):
    bench, number = sent_singly(make_bench)
    sent = len(bench.sent(number))
    assert 'Set `releases = "order-per-release"` again' in fix_of(bench, "sent-singly")
    bench.write_config(lambda text: text.replace(TABLE, SINGLY))
    quiet(bench, len(bench.sandbox.generated()))
    edit(bench, number)
    assert cycle(bench)["documents_sent"] == 1
    assert [document.filename.split("_")[3] for document in bench.sent(number)][sent:] == ["860"]


# Invoices


@pytest.fixture
def invoiced(make_bench):
    """Three invoices sent and delivered."""
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(with_invoices)
    bench.run("run")
    cycle(bench, hours=3)
    assert len(sent_810(bench)) == 3
    return bench


@pytest.mark.parametrize("change", [{"void": True}, {"booked": False}, {"customer_order": "4500099999"}])
def test_an_invoice_that_changed_after_it_was_sent_is_resolved(invoiced, change):
    sent = len(invoiced.sandbox.generated())
    change_invoice(invoiced, "100455", **change)
    cycle(invoiced)
    (fix,) = [reason["fix"] for item in items(invoiced, "invoice-held") for reason in item["reasons"]]
    follow(invoiced, fix)
    quiet(invoiced, sent)


def add_invoice(bench, number: str, like: str, **fields):
    """Another invoice of the same customer, made now."""
    with bench.sandbox.lock:
        now = bench.sandbox.clock.now()
        old = next(each for each in bench.sandbox.plex.tenant.invoices if each.number == like)
        lines = [replace(each, id=str(uuid.uuid4())) for each in old.lines]
        own = {"lines": lines, "created": now, "modified": now, **fields}
        new = replace(old, id=str(uuid.uuid4()), number=number, **own)
        bench.sandbox.plex.tenant.invoices.append(new)
        bench.sandbox.plex.reindex()
    return new


def test_a_voided_invoice_is_resolved_with_a_credit_memo_that_goes_out_as_its_own(invoiced):
    change_invoice(invoiced, "100455", void=True)
    memo = add_invoice(invoiced, "100999", "100455", void=False)
    meddle(invoiced, "plex", ".", spoil({memo.id: [Odd("invoice", "creditMemo", "true")]}))
    assert cycle(invoiced)["documents_sent"] == 1
    (document,) = [d for d in invoiced.sandbox.generated() if "*100999*" in d.edi]
    assert "*CR" in next(row for row in document.edi.split("~") if row.startswith("BIG*"))
    sent = len(invoiced.sandbox.generated())
    (fix,) = [reason["fix"] for item in items(invoiced, "invoice-held") for reason in item["reasons"]]
    follow(invoiced, fix)
    quiet(invoiced, sent)


@pytest.mark.parametrize(("pick", "more"), [(0, 1), (1, 0)])
def test_an_invoice_without_a_document_from_here_is_sent_or_taken_as_known(invoiced, pick, more):
    add_invoice(invoiced, "100999", "100455")
    lose(invoiced, "deleted with its mark")
    invoiced.later(hours=5)
    begin_now = "\n[plex.poll]\ninvoices_start = 2026-11-23T12:00:00Z\n"
    invoiced.write_config(lambda text: with_invoices(text) + begin_now)
    sent = len(invoiced.sandbox.generated())
    assert invoiced.run("recover", "--yes").code in (0, 3)
    (fix,) = [reason["fix"] for item in items(invoiced, "known-order-changed") for reason in item["reasons"]]
    assert cycle(invoiced)["documents_sent"] == 0
    follow(invoiced, fix, pick)
    assert cycle(invoiced)["documents_sent"] == more
    assert items(invoiced, "known-order-changed") == []
    quiet(invoiced, sent + more)


# Limits


def slow(seconds: float) -> Callable[[], None]:
    """Each acknowledgment takes so long to decide."""

    def before() -> None:
        decide = decide_received._decide

        def slowly(session, inbound, candidates) -> None:
            for _ in range(10):
                session.clock.sleep(seconds / 10)
                session.check_deadline()
            decide(session, inbound, candidates)

        decide_received._decide = slowly

    return before


@pytest.mark.parametrize("pick", [0, 1])
def test_an_acknowledgment_that_takes_too_long_is_decided_with_a_longer_limit_or_rejected(make_bench, pick):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order))
    bench.run = partial(bench.run, before=slow(600))
    for _ in range(3):
        bench.later(minutes=10)
        bench.run("run")
    fix = fix_of(bench, "takes-too-long", "acknowledgment-held")
    if pick == 0:
        bench.write_config(lambda text: text + "\n[run]\ntime_limit_minutes = 30\nevery_minutes = 60\n")
    follow(bench, fix, pick)
    cycle(bench)
    assert items(bench, "acknowledgment-held") == []
    wanted = "confirmed" if pick == 0 else "unacknowledged"
    assert {each["state"] for each in standing(bench, order).values()} == {wanted}
    assert bool(confirmed_in_plex(bench, order)) is (pick == 0)
    quiet(bench, 1)


def test_an_unknown_acknowledgment_that_takes_too_long_is_one_item(make_bench):
    """It waited for its order for days before it was too slow: deciding one item must not leave another."""
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AC", number="NEVER-SENT"))
    bench.run("run")
    bench.later(days=4)
    bench.run("run")
    assert len(items(bench, "order-unknown")) == 1
    for _ in range(3):
        bench.later(minutes=10)
        bench.run("run", before=slow(600))
    assert items(bench, "order-unknown") == []
    (held,) = items(bench, "acknowledgment-held")
    assert held["reasons"][0]["code"] == "takes-too-long"


def too_large(make_bench):
    """One order whose answer is larger than the limit."""
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(lambda text: text + SMALL)
    bench.run("run")
    bench.later(hours=6)
    with bench.sandbox.lock:
        store = bench.sandbox.stedi
        (answer,) = [each for each in store.processed if each.set_id == "855"]
        for side, blank in (("output", b" "), ("input", b"\n")):
            kind, content = store.files.contents[f"{answer.id}-{side}"]
            store.files.put(f"{answer.id}-{side}", kind, content + blank * 2**21)
    bench.run("run")
    return bench, bench.sandbox.plex.order(bench.numbers_sent()[0])


def test_an_acknowledgment_that_is_too_large_is_fetched_with_a_higher_limit(make_bench):
    bench, order = too_large(make_bench)
    assert "raise run.max_response_mb: the next run fetches it" in fix_of(bench, "too-large", "acknowledgment-held")
    bench.write_config(lambda text: text + SMALL.replace("= 1", "= 8"))
    assert cycle(bench)["acks_applied"] == 1
    assert items(bench) == []
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}


def test_accepting_an_acknowledgment_that_was_too_large_to_read_names_the_way_on(make_bench):
    bench, order = too_large(make_bench)
    (item,) = items(bench, "acknowledgment-held")
    fix = refused(bench, "review", "accept", str(item["id"]), "--reason", "agreed by phone", code=2)
    bench.write_config(lambda text: text + SMALL.replace("= 1", "= 8"))
    assert follow(bench, fix).json["counts"]["acks_applied"] == 1
    assert items(bench) == []
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}


def test_an_acknowledgment_that_is_too_large_is_rejected_and_stays_so(make_bench):
    bench, order = too_large(make_bench)
    follow(bench, fix_of(bench, "too-large", "acknowledgment-held"))
    for limit in ("= 1", "= 8"):
        bench.write_config(lambda text, limit=limit: text + SMALL.replace("= 1", limit))
        counts = cycle(bench)
        assert (counts["acks_applied"], counts["acks_held"]) == (0, 0)
        assert items(bench, "acknowledgment-held") == []
    assert confirmed_in_plex(bench, order) == {}


def test_an_acknowledgment_of_another_plants_order_is_recognized_by_the_pattern(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "AT", number="XX-77"), *accepted(bench, order))
    bench.run("run")
    cycle(bench, days=3)
    assert "set documents.order_pattern" in items(bench, "order-unknown")[0]["reasons"][0]["fix"]
    bench.write_config(lambda text: text + '\n[documents]\norder_pattern = "^PO-"\n')
    cycle(bench)
    assert items(bench, "order-unknown") == []


# Units


@pytest.mark.parametrize("what", ["quantity", "price"])
def test_an_acknowledgment_in_another_unit_is_read_again_and_applied(make_bench, what):
    bench, order = sent_to_silent(make_bench, orders=1)
    rows = []
    for number, (quantity, unit) in ordered(bench, order).items():
        if what == "quantity":
            half = plain_half(quantity)
            rows += [("PO1", number, half, "CA"), ("ACK", "IA", half, "CA")]
        else:
            price = plain(2 * bench.sandbox.plex.line(order.number, int(number)).price)
            rows += [("PO1", number, quantity, unit, price, "PF"), ("ACK", "IA", quantity, unit)]
    bench.answer("855", bak(order, "AC"), *rows, ("CTT", str(len(order.lines))))
    assert cycle(bench)["acks_applied"] == 0
    found = [fix for fix in fixes(bench, "line-held") if "ack_units." in fix]
    assert found
    (unit, ours), *_ = re.findall(r"set ack_units\.(\w+) of this supplier with unit (\w+)", found[0])
    rule = f'\n[suppliers.S001.ack_units]\n{unit} = {{ unit = "{ours}", factor = "2" }}\n'
    bench.write_config(lambda text: text + rule)
    follow(bench, found[0])
    cycle(bench)
    assert items(bench, "line-held") == []
    assert {each["state"] for each in standing(bench, order).values()} == {"confirmed"}
    confirmed = {str(number): plain(said) for number, said in confirmed_in_plex(bench, order).items()}
    assert confirmed == {number: plain(quantity) for number, (quantity, _) in ordered(bench, order).items()}


# Secrets, and the first steps


def is_wrong(ran) -> list[dict]:
    return [finding for finding in ran.json["findings"] if finding["verdict"] == "wrong"]


@pytest.mark.parametrize("name", ["plex-api-key", "stedi-api-key", "plex-password"])
def test_a_secret_that_is_nowhere_is_set_and_check_goes_on(make_bench, name):
    bench = records_bench(make_bench)
    env = {f"PLEXSTEDI_{name.upper().replace('-', '_')}": None}
    (finding,) = is_wrong(bench.run("check", "--offline", "--json", env=env))
    assert commands(finding["fix"]) == [["credentials", "set", name]]
    follow(bench, finding["fix"], stdin=secrets(bench.sandbox)[name] + "\n", env=env)
    checked = bench.run("check", "--json", env=env)
    assert (checked.code, is_wrong(checked)) == (0, []), checked.out


def test_a_wrong_password_of_the_data_sources_is_renewed_where_it_is_kept(make_bench):
    bench = records_bench(make_bench)
    name, variable = "plex-password", "PLEXSTEDI_PLEX_PASSWORD"
    bench.run("run")
    bench.later(hours=3)
    in_environment = bench.run("check", "--json", env={variable: "wrong"})
    told = [finding["fix"] for finding in is_wrong(in_environment)]
    assert told
    assert all(variable in fix and "credentials set" not in fix for fix in told)
    env = {variable: None}
    assert bench.run("credentials", "set", name, stdin="wrong", env=env).code == 0
    fix = is_wrong(bench.run("check", "--json", env=env))[0]["fix"]
    assert commands(fix) == [["credentials", "set", name]]
    follow(bench, fix, stdin=secrets(bench.sandbox)[name], env=env)
    checked = bench.run("check", "--json", env=env)
    assert (checked.code, is_wrong(checked)) == (0, []), checked.out
    assert bench.run("run", "--json", env=env).json["counts"]["writes_made"] > 0


@pytest.mark.parametrize("dialect", ["connect", "oauth2"])
def test_the_next_steps_of_init_are_taken_as_they_are_printed(make_bench, dialect):
    bench = make_bench(orders=1, suppliers=1, dialect=dialect)
    bench.config.unlink()
    tenant = bench.sandbox.sample_data.tenant.id
    options = ["--api", dialect, "--tenant-id", tenant, "--usage-indicator", "T", "--company", "Acme"]
    options += ["--write", "report-only"]
    if dialect == "oauth2":
        options += ["--client-id", bench.sandbox.plex_settings.client_id]
        options += ["--base-url", bench.sandbox.urls.plex_url, "--token-url", bench.sandbox.urls.token_url]
    made = bench.run("init", *options)
    assert made.code == 0, made.err
    *keys, last = commands(made.out)
    assert last == ["check"]
    env = {f"PLEXSTEDI_{name.upper().replace('-', '_')}": None for name in secrets(bench.sandbox)}
    for pick, words in enumerate(keys):
        follow(bench, made.out, pick, stdin=secrets(bench.sandbox)[words[-1]], env=env)
    # A table for each supplier, and the addresses of the sandbox.
    bench.write_config()
    checked = follow(bench, made.out, -1, env=env)
    assert (checked.code, is_wrong(checked)) == (0, []), checked.out
    assert bench.run("run", "--json", env=env).json["counts"]["documents_sent"] == 1


# Envelopes


def test_a_ta1_with_errors_orders_nothing_a_second_time(make_bench):
    bench, _ = sent_to_silent(make_bench, orders=1)
    send_ta1(bench, "E", "025")
    cycle(bench)
    (fix,) = fixes(bench, "syntax-errors")
    assert [words[:2] for words in commands(fix)] == [["review", "accept"]]
    assert "Do not send this one again" in fix
    follow(bench, fix)
    assert items(bench, "syntax-errors") == []
    quiet(bench, 1)
