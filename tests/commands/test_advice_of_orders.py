"""What orders that came back, vanished, moved or cannot be told say to do works when it is done, and leads on."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from plexstedi.sandbox.behaviours import Character
from tests.commands.advice import follow, items
from tests.commands.test_advice_of_faults import refused
from tests.commands.test_advice_of_holds import cycle, fix_of, held, quiet
from tests.commands.test_advice_of_reviews import conflict
from tests.commands.test_ingest_acks import accepted, bak, ordered, sent_to_silent
from tests.commands.test_recover import edit, lose
from tests.commands.test_submit_invoices import with_invoices
from tests.edi.guides.corpus import GUIDES_860

WHY = ("--reason", "agreed by phone")


def change_status(bench, order, how: str, *, back: bool = False) -> None:
    """The order vanishes from Plex or is put on hold there, or is as it was."""
    with bench.sandbox.lock:
        if how == "unreleased":
            bench.sandbox.plex.edit_header(order.number, status="On Order" if back else "Hold")
        elif back:
            bench.sandbox.plex.add_order(order)
            order.modified = bench.sandbox.clock.now()
        else:
            bench.sandbox.plex.delete_order(order.number)


@pytest.fixture
def sent(make_bench):
    """Two orders of one supplier, which answers nothing, sent and delivered."""
    bench = make_bench(orders=2, suppliers=1, characters=(Character.SILENT,))
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    return bench, bench.sandbox.plex.tenant.orders[0]


@pytest.mark.parametrize("how", ["vanished", "unreleased"])
def test_an_order_that_went_and_came_back_is_agreed_with_the_supplier(sent, how):
    bench, order = sent
    change_status(bench, order, how)
    cycle(bench, hours=25)
    follow(bench, fix_of(bench, f"order-{how}"))
    quiet(bench, 2)
    change_status(bench, order, how, back=True)
    cycle(bench, hours=25)
    follow(bench, fix_of(bench, "order-back"))
    quiet(bench, 2)


def test_an_order_that_vanished_goes_on_when_it_is_restored(sent):
    bench, order = sent
    change_status(bench, order, "vanished")
    cycle(bench, hours=25)
    assert "Restore it in Plex" in fix_of(bench, "order-vanished")
    change_status(bench, order, "vanished", back=True)
    cycle(bench, hours=25)
    assert items(bench, "order-held") == []
    quiet(bench, 2)


def test_an_order_that_was_cancelled_and_reopened_is_resolved_and_its_later_changes_go_out(sent):
    """A replay would send the cancellation again: it is what was sent last."""
    bench, order = sent
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_header(order.number, status="Cancelled")
    assert cycle(bench)["documents_sent"] == 1
    with bench.sandbox.lock:
        bench.sandbox.plex.edit_header(order.number, status="On Order")
    cycle(bench)
    follow(bench, fix_of(bench, "order-reopened"))
    quiet(bench, 3)
    edit(bench, order.number)
    assert cycle(bench)["documents_sent"] == 1
    assert [d.edi.split("~BCH*")[1][:2] for d in bench.sent(order.number)[1:]] == ["01", "04"]
    quiet(bench, 4)


@pytest.mark.parametrize("way", ["its old number again", "settled"])
def test_a_line_that_was_renumbered_goes_on_and_is_ordered_once(sent, way):
    """A replay would send the order as it was sent last, with the old number."""
    bench, order = sent
    line, plex = order.lines[0], bench.sandbox.plex
    was, becomes = line.number, 77
    with bench.sandbox.lock:
        line.number, order.modified = becomes, bench.sandbox.clock.now()
    cycle(bench)
    fix = fix_of(bench, "line-renumbered")
    if way == "settled":
        follow(bench, fix)
    else:
        with bench.sandbox.lock:
            line.number, order.modified = was, bench.sandbox.clock.now()
    quiet(bench, 2)
    with bench.sandbox.lock:
        plex.edit_release(order.number, line.number, line.releases[0].number, quantity=Decimal(77))
    assert cycle(bench)["documents_sent"] == 1
    change = bench.sent(order.number)[-1].edi
    assert re.findall(r"~POC\*([^*]+)\*", change) == [str(becomes if way == "settled" else was)]
    quiet(bench, 3)


@pytest.mark.parametrize("way", ["settled", "replaced"])
def test_a_change_that_the_860_has_no_place_for_is_sent_otherwise_or_the_order_replaced(make_bench, way):
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    (order,) = bench.sandbox.plex.tenant.orders
    schema, _ = GUIDES_860["change-full"]
    bench.sandbox.use_guide("S001", "860", schema)
    (bench.place / "s001-860.json").write_text(json.dumps(schema))

    def with_guide(text: str) -> str:
        return text.replace("[suppliers.S001.860]\n", '[suppliers.S001.860]\nguide_schema = "s001-860.json"\n')

    bench.write_config(with_guide)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    with bench.sandbox.lock:
        order.currency, order.modified = "CAD", bench.sandbox.clock.now()
    cycle(bench)
    fix = fix_of(bench, "change-without-place")
    if way == "settled":
        follow(bench, fix)
        quiet(bench, 1)
    else:
        assert 'change_orders = "replace"' in fix
        replace = '[supplier_defaults]\nchange_orders = "replace"'
        bench.write_config(lambda text: with_guide(text).replace("[supplier_defaults]", replace))
        assert cycle(bench)["documents_sent"] == 1
        quiet(bench, 2)


def test_an_order_that_may_have_gone_under_an_older_number_is_resolved(sent):
    bench, order = sent
    with bench.sandbox.lock:
        order.number, order.modified = "PO-NEW", bench.sandbox.clock.now()
    cycle(bench)
    lose(bench, "deleted with its mark")
    bench.later(hours=1)
    bench.run("recover", "--yes")
    cycle(bench)
    assert bench.sent("PO-NEW") == []
    follow(bench, fix_of(bench, "maybe-sent"))
    cycle(bench)
    assert len(bench.sent("PO-NEW")) == 1, "an order like another"


@pytest.mark.parametrize("kind", ["850", "860"])
def test_what_is_due_and_not_to_be_sent_is_resolved(sent, kind):
    bench, order = sent
    left = [other for other in ("850", "860") if other != kind]
    bench.write_config(lambda text: text.replace("[company]", f"[documents]\nsend = {left}\n\n[company]", 1))
    with bench.sandbox.lock:
        line = order.lines[0]
        if kind == "860":
            bench.sandbox.plex.edit_release(order.number, line.number, line.releases[0].number, quantity=Decimal(77))
        else:
            bench.sandbox.plex.delete_order(order.number)
            order.id, order.number = "f" * 32, "PO-NEW"
            order.created = order.modified = bench.sandbox.clock.now()
            bench.sandbox.plex.add_order(order)
    cycle(bench)
    (item,) = held(bench, f"{kind}-not-sent")
    follow(bench, item["reasons"][0]["fix"])
    assert held(bench, f"{kind}-not-sent") == []
    assert cycle(bench)["documents_sent"] == 0


def test_a_line_that_its_own_words_leave_nothing_of_to_backorder_is_read_otherwise(make_bench):
    """IB counts as accepted here, and with what IA accepts it leaves nothing that could come later."""
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.write_config(lambda text: text + '\n[suppliers.S001.acknowledgments]\nib_quantity = "accepted"\n')
    first, (quantity, unit) = next(iter(ordered(bench, order).items()))
    whole = {first: (("ACK", "IB", quantity, unit),)}
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but=whole))
    bench.run("run")
    (item,) = [each for each in items(bench, "line-held") if each["line"] == int(first)]
    assert [reason["code"] for reason in item["reasons"]] == ["backorder-sum"]
    bench.write_config(lambda text: text + '\n[suppliers.S001.acknowledgments]\nib_quantity = "backordered"\n')
    follow(bench, item["reasons"][0]["fix"])
    assert [each for each in items(bench, "line-held") if each["line"] == int(first)] == []


def test_an_acknowledgment_that_says_nothing_that_could_be_accepted_is_read_again(make_bench):
    bench, order = sent_to_silent(make_bench, orders=1)
    bench.answer("855", bak(order, "ZZ"))
    bench.run("run")
    (item,) = items(bench, "acknowledgment-held")
    fix = refused(bench, "review", "accept", str(item["id"]), *WHY, code=2)
    follow(bench, fix)


def test_a_document_that_stedi_shows_no_file_of_is_recovered(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    conflict(bench)
    (item,) = items(bench, "document-conflict")
    shown = bench.run("review", "show", str(item["id"]), "--json").json
    fix = refused(bench, "review", "accept", str(item["id"]), *WHY, code=2)
    follow(bench, shown["accept"]["words"])
    follow(bench, fix)
    assert items(bench, "document-conflict") == []
    assert len(bench.sandbox.generated()) == 1


def renumber(invoice, bench, number: str) -> None:
    with bench.sandbox.lock:
        invoice.number, invoice.modified = number, bench.sandbox.clock.now()


def test_an_invoice_that_has_the_number_of_an_order_is_shown_by_the_command_that_is_named(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(with_invoices)
    (order,) = bench.sandbox.plex.tenant.orders
    invoice = bench.sandbox.plex.tenant.invoices[0]
    renumber(invoice, bench, order.number)
    bench.run("run")
    (warning,) = bench.run("status", order.number, "--json").json["warnings"]
    shown = follow(bench, warning).json
    assert (shown["invoice"]["number"], shown["invoice"]["id"]) == (order.number, invoice.id)


def test_the_other_invoice_of_a_number_is_shown_by_the_command_that_is_named(make_bench):
    bench = make_bench(orders=1, suppliers=1)
    bench.write_config(with_invoices)
    first, second = bench.sandbox.plex.tenant.invoices[:2]
    renumber(second, bench, first.number)
    bench.run("run")
    shown = bench.run("status", first.number, "--json").json
    (warning,) = shown["warnings"]
    other = follow(bench, warning).json
    assert {shown["invoice"]["id"], other["invoice"]["id"]} == {first.id, second.id}


def test_an_alert_and_its_digest_name_what_shows_more(make_bench, tmp_path):
    bench, order = sent_to_silent(make_bench, orders=1)
    told = tmp_path / "told"
    hook = f'\n[alerts]\ndigest_hours = 1\ncommand = ["/bin/sh", "-c", "cat > {told}"]\n'
    bench.write_config(lambda text: text + hook)
    bench.answer("855", bak(order, "AC"), *accepted(bench, order, but={"1": (("ACK", "BP", "1", "EA"),)}))
    bench.run("run")
    alert = told.read_text()
    assert follow(bench, alert, -2).json["reviews"]
    assert follow(bench, alert, -1).json["waiting"]
    told.unlink()
    bench.later(hours=2)
    bench.run("run")
    digest = told.read_text()
    assert follow(bench, digest).json["reviews"] == bench.run("review", "list", "--json").json["reviews"]
    number = re.findall(r"review (\d+):", digest)[0]
    assert follow(bench, digest, 1, given={"ID": number}).json["review"]["id"] == int(number)


def sent_with_invoices(make_bench):
    """One order of a silent supplier and the invoices are sent and delivered."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    bench.write_config(with_invoices)
    bench.run("run")
    bench.later(hours=3)
    bench.run("run")
    return bench


LIVES = pytest.mark.parametrize("word", ["order", "invoice"])
"""What is said and done of orders and invoices alike."""


def of_word(bench, word: str):
    """The order, or an invoice, as Plex has it."""
    tenant = bench.sandbox.plex.tenant
    return tenant.orders[0] if word == "order" else tenant.invoices[0]


def is_sent(bench, number: str) -> list[str]:
    return [d.edi for d in bench.sandbox.generated() if re.search(rf"~(BEG|BCH|BIG)\*[^~]*\*{number}[*~]", d.edi)]


@LIVES
def test_what_was_sent_and_has_another_number_now_is_held_and_resolved(make_bench, word):
    bench = sent_with_invoices(make_bench)
    thing, before = of_word(bench, word), len(bench.sandbox.generated())
    renumber(thing, bench, "77-NEW")
    cycle(bench)
    kind = f"{word}-held"
    follow(bench, fix_of(bench, f"{word}-moved", kind))
    for _ in range(2):
        assert cycle(bench)["documents_sent"] == 0
    assert items(bench, kind) == []
    assert len(bench.sandbox.generated()) == before


@LIVES
def test_what_may_have_gone_under_an_older_number_is_held_and_goes_once_that_is_resolved(make_bench, word):
    bench = sent_with_invoices(make_bench)
    thing = of_word(bench, word)
    renumber(thing, bench, "77-NEW")
    if word == "invoice":
        bench.sandbox.plex.reindex()
    lose(bench, "deleted with its mark")
    bench.later(hours=1)
    bench.run("recover", "--yes")
    bench.write_config(lambda text: with_invoices(text).replace("[documents]", '[documents]\nknown_orders = "send"'))
    for item in items(bench, "known-order-changed"):
        bench.run("review", "accept", str(item["id"]), *WHY)
    cycle(bench)
    assert is_sent(bench, "77-NEW") == []
    follow(bench, fix_of(bench, "maybe-sent", f"{word}-held"))
    cycle(bench)
    assert len(is_sent(bench, "77-NEW")) == 1, "like another"
