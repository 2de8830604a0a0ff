"""Customer invoices go out as 810 once, and what happens to them afterwards is a person's."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal

import pytest

from plexstedi.sandbox.config_text import config_text

WITH_810 = '[documents]\nsend = ["850", "860", "810"]\n\n[company]'
NUMBERS = ["100455", "100456", "100457"]


def with_invoices(text: str) -> str:
    """The sandbox's configuration, sending invoices too; BIGOEM and TRUCKCO have their tables."""
    return text.replace("[company]", WITH_810)


def through(make_bench, dialect):
    """Two suppliers' orders and three invoices of two customers, in one dialect of Plex."""
    made = make_bench(orders=2, suppliers=2, dialect=dialect)
    by_account = dialect in ("datasource", "soap")
    text = with_invoices(config_text(made.sandbox, dialect, "report-only" if by_account else "custom-fields"))
    made.write_config(lambda _: text)
    return made


@pytest.fixture(params=["connect", "oauth2", "datasource"])
def either(request, make_bench):
    """The same invoices in several dialects of Plex."""
    return through(make_bench, request.param)


@pytest.fixture
def bench(make_bench):
    """The same in one dialect, where the dialect makes no difference."""
    made = make_bench(orders=2, suppliers=2)
    made.write_config(with_invoices)
    return made


def sent_810(bench):
    """Numbers of the invoices that Stedi generated an 810 for, in the order sent."""
    found = (re.search(r"~BIG\*[^*]*\*([^*~]*)", document.edi) for document in bench.sandbox.generated())
    return [match[1] for match in found if match]


def edit(bench, number, **fields):
    """Change an invoice in Plex, now."""
    with bench.sandbox.lock:
        invoice = next(i for i in bench.sandbox.plex.tenant.invoices if i.number == number)
        for name, value in fields.items():
            setattr(invoice, name, value)
        invoice.modified = bench.sandbox.clock.now()
        return invoice


def reviews(bench):
    """Open questions: kind, number and the codes of the reasons."""
    listed = bench.run("status", "--json").json["waiting"]
    return [(r["kind"], r["order"], [reason["code"] for reason in r["reasons"]]) for r in listed]


def all_quiet(bench):
    """Send everything, let it be delivered and answered."""
    ran = bench.run("run", "--json")
    bench.later(hours=3)
    bench.run("run")
    bench.later(minutes=20)
    return ran


def test_a_booked_invoice_goes_out_once_and_its_997_is_seen(either):
    first = either.run("run", "--json")
    assert first.code == 0, first.err
    assert sorted(sent_810(either)) == NUMBERS
    either.later(hours=3)
    second = either.run("run", "--json")
    assert second.code == 0, second.err
    either.later(hours=1)
    assert either.run("run", "--json").json["counts"]["attention"] == 0
    assert len(sent_810(either)) == 3
    (document,) = either.run("status", "100455", "--json").json["documents"]
    assert (document["kind"], document["state"], document["functional_ack"]) == ("810", "delivered", "accepted")
    assert document["business_ack"] == "none"


def test_an_810_bills_what_plex_bills(either):
    either.run("run")
    for invoice in either.sandbox.plex.tenant.invoices:
        (edi,) = [d.edi for d in either.sandbox.generated() if f"*{invoice.number}*" in d.edi]
        lines = re.findall(r"~IT1\*\d+\*([^*]*)\*EA\*([^*]*)\*", edi)
        units = [line.unit for line in invoice.lines]
        total = sum((line.quantity * line.unit_price + (line.tax_amount or 0) for line in invoice.lines), Decimal(0))
        assert int(re.search(r"~TDS\*(\d+)", edi)[1]) == total.quantize(Decimal("0.01")) * 100
        assert len(re.findall("~IT1", edi)) == len(units)
        assert all(Decimal(quantity) > 0 and Decimal(price) > 0 for quantity, price in lines)
        assert f"*{invoice.customer_order}~" in edi or f"*{invoice.customer_order}*" in edi


def test_every_dialect_of_plex_gives_the_same_810(make_bench):
    said = {}
    for dialect in ("connect", "oauth2", "datasource", "soap"):
        made = through(make_bench, dialect)
        made.run("run")
        found = [d for d in made.sandbox.generated() if "~BIG*" in d.edi]
        said[dialect] = {re.search(r"~BIG\*[^*]*\*([^*~]*)", d.edi)[1]: d.transactions for d in found}
    assert all(each == said["connect"] for each in said.values())
    assert sorted(said["connect"]) == NUMBERS


@pytest.mark.parametrize("dialect", ["datasource", "soap"])
def test_a_draft_that_is_booked_weeks_later_goes_out_through_data_sources_too(make_bench, dialect):
    made = through(make_bench, dialect)
    edit(made, "100455", booked=False)
    all_quiet(made)
    assert sorted(sent_810(made)) == ["100456", "100457"]
    made.later(days=20)
    made.run("run")
    edit(made, "100455", booked=True)
    made.later(hours=1)
    ran = made.run("run", "--json")
    assert (ran.code, sent_810(made)[2:]) == (0, ["100455"]), ran.out
    made.later(hours=1)
    made.run("run")
    assert len(sent_810(made)) == 3


def test_without_810_in_documents_send_invoices_are_not_even_read(make_bench):
    made = make_bench(orders=2, suppliers=2)
    all_quiet(made)
    assert sent_810(made) == []
    assert [call for call in made.sandbox.log if "invoices" in call.path] == []


def test_where_810_is_added_later_earlier_invoices_are_known_and_new_ones_go(make_bench):
    made = make_bench(orders=2, suppliers=2)
    all_quiet(made)
    made.write_config(with_invoices)
    made.run("run")
    edit(made, "100455", terms="Net 60")
    made.later(minutes=20)
    edit(made, "100457", created=made.sandbox.clock.now())
    made.later(minutes=20)
    ran = made.run("run", "--json")
    assert (ran.code, sent_810(made)) == (0, ["100457"])


def test_a_draft_waits_until_it_is_booked_and_a_void_one_is_never_sent(bench):
    edit(bench, "100455", booked=False)
    edit(bench, "100456", void=True)
    all_quiet(bench)
    assert sent_810(bench) == ["100457"]
    edit(bench, "100455", booked=True)
    bench.later(minutes=20)
    bench.run("run")
    assert sent_810(bench) == ["100457", "100455"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"void": True}, "invoice-voided"),
        ({"booked": False}, "invoice-unbooked"),
        ({"customer_order": "4500099999"}, "invoice-changed"),
    ],
)
def test_a_sent_invoice_that_changes_in_plex_needs_review_and_is_not_sent_again(bench, change, code):
    all_quiet(bench)
    edit(bench, "100455", **change)
    bench.later(minutes=20)
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert ran.json["counts"]["documents_held"] == 1
    assert reviews(bench) == [("invoice-held", "100455", [code])]
    assert "invoice 100455" in ran.json["news"][0]
    assert sorted(sent_810(bench)) == NUMBERS
    (review,) = bench.run("review", "list", "--json").json["reviews"]
    accepted = bench.run("review", "accept", str(review["id"]), "--reason", "credit memo follows", "--json")
    assert accepted.code == 0, accepted.err
    bench.later(minutes=20)
    assert bench.run("run", "--json").json["counts"]["attention"] == 0
    assert sorted(sent_810(bench)) == NUMBERS


def test_a_change_that_is_undone_needs_no_review_any_more(bench):
    all_quiet(bench)
    was = edit(bench, "100455").terms
    edit(bench, "100455", customer_order="4500099999", terms=was)
    bench.later(minutes=20)
    assert bench.run("run", "--json").code == 3
    edit(bench, "100455", customer_order="4500012345")
    bench.later(minutes=20)
    assert bench.run("run", "--json").json["counts"]["attention"] == 0


def test_an_invoice_that_cannot_be_said_is_held_with_the_fix_and_goes_when_it_is_mended(bench):
    edit(bench, "100455", customer_order=None)
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert reviews(bench) == [("invoice-held", "100455", ["order-number-missing"])]
    assert sorted(sent_810(bench)) == ["100456", "100457"]
    edit(bench, "100455", customer_order="4500012345")
    bench.later(minutes=20)
    assert bench.run("run", "--json").json["counts"]["attention"] == 0
    assert sorted(sent_810(bench)) == NUMBERS


def test_a_customer_without_a_table_is_listed_as_not_traded_and_asks_nothing(bench):
    bench.write_config(lambda text: with_invoices(text[: text.index("[customers.TRUCKCO]")]))
    ran = bench.run("run", "--json")
    assert ran.code == 0
    assert ran.json["not_traded"] == [{"customer": "TRUCKCO", "invoices": 1}]
    assert sorted(sent_810(bench)) == ["100455", "100457"]
    assert {"customer": "TRUCKCO", "invoices": 1} in bench.run("status", "--json").json["not_traded"]
    bench.write_config(with_invoices)
    bench.later(minutes=20)
    bench.run("run")
    assert sorted(sent_810(bench)) == ["100455", "100457"]


def test_a_customers_table_that_lacks_its_partnership_holds_its_invoices_only(bench):
    bench.write_config(lambda text: with_invoices(text).replace('partnership_id = "riverbend_truckco"\n', ""))
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert reviews(bench) == [("invoice-held", "100456", ["setting-missing"])]
    assert sorted(sent_810(bench)) == ["100455", "100457"]


def test_a_dry_run_shows_an_810_whole_and_changes_nothing(bench):
    bench.run("poll")
    before = bench.state.read_bytes()
    shown = bench.run("submit", "--dry-run", "--order", "100456", "--json")
    assert shown.code == 0, shown.out + shown.err
    (document,) = shown.json["documents"]
    assert (document["kind"], document["supplier"], document["order"]) == ("810", "TRUCKCO", "100456")
    assert document["idempotency_key"].startswith("ps1_")
    x12 = bench.run("submit", "--dry-run", "--order", "100456", "--show", "x12")
    assert "BIG*" in x12.out
    assert "100456" in x12.out
    guide = bench.run("submit", "--dry-run", "--order", "100456", "--show", "guide")
    assert '"beginning_segment_for_invoice_BIG"' in guide.out
    assert bench.state.read_bytes() == before
    assert bench.sandbox.generated() == []


def test_poll_tells_what_is_due(bench):
    polled = bench.run("poll", "--json").json
    due = [(one["kind"], one["order"]) for one in polled["due"] if one["kind"] == "810"]
    assert sorted(due) == [("810", number) for number in NUMBERS]
    assert polled["counts"]["documents_queued"] == 5


def test_the_story_of_an_invoice_is_shown_in_words(bench):
    all_quiet(bench)
    shown = bench.run("status", "100456")
    assert shown.code == 0, shown.err
    for words in ("invoice:", "TRUCKCO", "booked, revision 1", "delivered to the", "accepted its syntax (997)"):
        assert words in shown.out
    page = bench.place / "invoice.html"
    assert bench.run("status", "100456", "--html", str(page)).code == 0
    assert "<h1>Invoice 100456</h1>" in page.read_text()
    exported = bench.run("audit", "export", "--order", "100456", "--json").json["events"]
    assert "document-delivered" in [event["kind"] for event in exported]


def test_an_810_without_a_997_is_late_but_nobody_waits_for_an_855(bench):
    bench.run("run")
    bench.later(minutes=10)
    bench.run("run")
    bench.later(days=5)
    late = bench.run("status", "--late", "--json").json["late"]
    assert {one["clock"] for one in late if one["kind"] == "810"} <= {"functional-ack"}


def test_a_refused_810_waits_and_is_sent_by_a_user_under_a_new_key(bench):
    bench.write_config(lambda text: with_invoices(text).replace("004010-810", "no-such-setting"))
    ran = bench.run("run", "--json")
    assert ran.code == 3
    assert reviews(bench) == [("document-refused", "100456", ["refused"])]
    assert "[customers.TRUCKCO]" in bench.run("review", "list", "--json").out
    bench.write_config(with_invoices)
    bench.later(minutes=20)
    again = bench.run("run", "--json")
    assert again.json["counts"]["documents_sent"] == 1
    assert sorted(sent_810(bench)) == NUMBERS
    keys = [d.idempotency_key for d in bench.sandbox.generated() if "100456" in d.idempotency_key]
    assert len(keys) == 1
    assert keys[0].endswith("_r2")


def test_a_replay_sends_the_same_invoice_as_a_new_document_with_a_warning(bench):
    all_quiet(bench)
    ran = bench.run("replay", "100455", "--reason", "they lost it", "--yes", "--json")
    assert ran.code == 0, ran.err
    assert "may book it a second time" in " ".join(ran.json["warnings"])
    first, second = [d for d in bench.sandbox.generated() if "100455" in d.filename]
    assert first.transactions == second.transactions
    assert first.idempotency_key != second.idempotency_key


def test_a_lost_state_takes_sent_invoices_over_and_sends_none_of_them_twice(bench):
    all_quiet(bench)
    bench.state.unlink()
    shutil.rmtree(bench.place / "home", ignore_errors=True)
    stopped = bench.run("run", "--json")
    assert stopped.code == 7
    recovered = bench.run("recover", "--yes", "--json")
    assert recovered.code in (0, 3), recovered.err
    invoices = [one for one in recovered.json["streams"] if "invoice" in one]
    assert [(one["invoice"], one["in_sync"]) for one in invoices] == [(number, True) for number in NUMBERS]
    bench.later(minutes=20)
    ran = bench.run("run", "--json")
    assert ran.json["counts"]["documents_sent"] == 0
    assert sorted(sent_810(bench)) == NUMBERS
    edit(bench, "100455", void=True)
    bench.later(minutes=20)
    assert bench.run("run", "--json").code == 3
    assert ("invoice-held", "100455", ["invoice-voided"]) in reviews(bench)


def test_an_acknowledgment_under_an_invoices_number_is_of_an_unknown_order(bench):
    """A customer's invoice is no order of a supplier, whatever their numbers are."""
    bench.run("run")
    (number, *_) = sent_810(bench)
    bench.answer("855", ("BAK", "00", "AC", number, "20261123", "", "", "", "SO1", "20261123"))
    assert bench.run("run").code == 0
    bench.later(days=4)
    assert bench.run("run").code == 3
    listed = bench.run("review", "list", "--json").json["reviews"]
    assert [item["kind"] for item in listed if item["order"] == number] == ["order-unknown"]
