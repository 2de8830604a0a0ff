"""What holds for an order holds for an invoice: due once, held, replayed, recovered after a loss, and reported."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass

import pytest

from plexstedi.sandbox.plex.store import copy_order
from tests.commands.test_submit_invoices import with_invoices

WHY = ("--reason", "agreed on the phone")


@dataclass
class Kind:
    """One order, or one invoice, in the sandbox's Plex: how a user changes it and what came of it."""

    bench: object
    word: str
    number: str

    @property
    def id(self) -> str:
        return self.in_plex().id

    @property
    def counterpart(self) -> str:
        return {"order": "supplier", "invoice": "customer"}[self.word]

    @property
    def table(self) -> str:
        """The line that begins the partner's table in the configuration."""
        return f"[{self.counterpart}s.{self.partner}]"

    @property
    def partner(self) -> str:
        found = self.in_plex()
        return found.supplier.code if self.word == "order" else found.customer_code

    def in_plex(self):
        tenant = self.bench.sandbox.plex.tenant
        return next(one for one in self._all(tenant) if one.number == self.number)

    def _all(self, tenant):
        return tenant.orders if self.word == "order" else tenant.invoices

    def documents(self) -> list[str]:
        """File names under this number that Stedi generated, in the order sent."""
        kinds = "850|860" if self.word == "order" else "810"
        return [
            d.filename
            for d in self.bench.sandbox.generated()
            if re.search(f"_({kinds})_", d.filename) and self.number in d.filename
        ]

    def change(self) -> None:
        """Plex says another quantity from now on."""
        plex = self.bench.sandbox.plex
        with self.bench.sandbox.lock:
            if self.word == "order":
                release = plex.order(self.number).lines[0].releases[0]
                plex.edit_release(
                    self.number, plex.order(self.number).lines[0].number, release.number, quantity=release.quantity + 5
                )
            else:
                self.in_plex().lines[0].quantity += 5
                self._touch()

    def _touch(self) -> None:
        self.in_plex().modified = self.bench.sandbox.clock.now()

    def renumber(self, number: str) -> None:
        with self.bench.sandbox.lock:
            self.in_plex().number = number
            self.number = number
            self._touch()

    def drop(self) -> None:
        """Plex does not have it any more."""
        with self.bench.sandbox.lock:
            self._all(self.bench.sandbox.plex.tenant).remove(self.in_plex())
            self.bench.sandbox.plex.reindex()

    def twin(self) -> str:
        """Another one under the same number, made now: its id in Plex."""
        plex, now = self.bench.sandbox.plex, self.bench.sandbox.clock.now()
        with self.bench.sandbox.lock:
            if self.word == "order":
                other = copy_order(self.in_plex(), self.number, now)
                plex.add_order(other)
            else:
                other = deepcopy(self.in_plex())
                other.id = "b2f1c9d0-0000-4000-8000-000000000042"
                other.created = other.modified = now
                plex.tenant.invoices.append(other)
            return other.id

    def held(self) -> list[str]:
        """The codes of the reasons that hold it."""
        listed = self.bench.run("status", "--json").json["waiting"]
        return [reason["code"] for review in listed if review["order"] == self.number for reason in review["reasons"]]

    def review(self, kind: str) -> str:
        """The id of its open item of this kind."""
        listed = self.bench.run("status", "--json").json["waiting"]
        (found,) = [each for each in listed if each["kind"] == kind and self.number in (each["order"] or "")]
        return str(found["id"])

    def status(self):
        return self.bench.run("status", self.number, "--json").json


@pytest.fixture(params=["order", "invoice"])
def kind(request, make_bench):
    """Sent, delivered and (an order) acknowledged."""
    bench = make_bench(orders=2, suppliers=2)
    bench.write_config(with_invoices)
    assert bench.run("run").code in (0, 3)
    bench.later(hours=3)
    assert bench.run("run").code in (0, 3)
    bench.later(minutes=20)
    number = bench.sandbox.plex.tenant.orders[0].number if request.param == "order" else "100455"
    found = Kind(bench, request.param, number)
    assert len(found.documents()) == 1
    return found


def lose(kind) -> None:
    """A new server without the state file and its mark."""
    kind.bench.state.unlink()
    kind.bench.state.with_name(kind.bench.state.name + ".was-here").unlink()
    kind.bench.later(minutes=10)


def recovered(kind) -> dict:
    ran = kind.bench.run("recover", "--yes", "--json")
    assert ran.code in (0, 3), ran.err
    (stream,) = [one for one in ran.json["streams"] if kind.number in (one.get("order"), one.get("invoice"))]
    return stream


def test_what_is_due_is_sent_once(kind):
    kind.bench.run("run")
    kind.bench.later(hours=3)
    assert kind.bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert len(kind.documents()) == 1


def test_a_second_one_of_the_same_number_is_held_and_the_first_stays(kind):
    kind.twin()
    kind.bench.later(minutes=20)
    assert kind.bench.run("run").code == 3
    assert "number-taken" in kind.held()
    assert len(kind.documents()) == 1


def test_one_that_was_sent_and_gets_another_number_is_held(kind):
    sent_as = kind.number
    kind.renumber(f"{sent_as}9")
    kind.bench.later(minutes=20)
    assert kind.bench.run("run").code == 3
    assert f"{kind.word}-moved" in kind.held()
    assert kind.documents() == []
    kind.number = sent_as
    assert len(kind.documents()) == 1


def test_a_change_for_a_partner_whose_table_lacks_its_partnership_is_held_with_the_key(kind):
    written = kind.bench.config.read_text()
    head, _, rest = written.partition(f"{kind.table}\n")
    kind.bench.config.write_text(head + f"{kind.table}\n" + re.sub(r"partnership_id = .*\n", "", rest, count=1))
    kind.change()
    kind.bench.later(minutes=20)
    assert kind.bench.run("run").code == 3
    (item,) = [one for one in kind.bench.run("status", "--json").json["waiting"] if one["order"] == kind.number]
    assert item["kind"] == f"{kind.word}-held"
    assert "partnership_id" in str(item["reasons"])
    kind.bench.config.write_text(written)
    kind.bench.later(minutes=20)
    kind.bench.run("run")
    # A changed order is sent now; what happens to a changed invoice is decided by a user.
    assert len(kind.documents()) == (2 if kind.word == "order" else 1)


def test_a_replay_is_a_new_document_linked_to_the_old_one_and_warns_that_it_was_delivered(kind):
    ran = kind.bench.run("replay", kind.number, *WHY, "--yes", "--json")
    assert ran.code == 0, ran.err
    (replay,) = ran.json["replays"]
    first, second = kind.documents()
    assert second == replay["file_name"] == first.replace("_r1_", "_r2_")
    assert "a second time" in " ".join(ran.json["warnings"])
    assert kind.status()["documents"][-1]["replay_of"] == kind.status()["documents"][0]["id"] == replay["replay_of"]
    kind.bench.later(hours=3)
    assert kind.bench.run("run", "--json").json["counts"]["documents_sent"] == 0


def test_a_replay_of_what_plex_has_changed_says_which_revision_is_sent(kind):
    kind.change()
    kind.bench.later(minutes=20)
    kind.bench.run("poll")
    shown = kind.bench.run("replay", kind.number, *WHY, "--dry-run", "--json")
    assert shown.json["replays"][0]["revision"] == 1
    assert f"Plex has changed the {kind.word} since (revision 2, this is 1)" in " ".join(shown.json["warnings"])


def test_a_replay_of_what_has_another_number_now_is_refused_with_both(kind):
    sent_as = kind.number
    kind.renumber(f"{sent_as}9")
    kind.bench.later(minutes=20)
    kind.bench.run("poll")
    refused = kind.bench.run("replay", sent_as if kind.word == "order" else kind.number, *WHY, "--yes", "--json")
    assert refused.code == 2
    assert refused.json["error"]["code"] == f"{kind.word}-moved"
    assert sent_as in refused.json["error"]["message"]
    assert kind.number in refused.json["error"]["message"]


def test_a_replay_for_a_partner_without_a_table_names_the_table(kind):
    written = kind.bench.config.read_text()
    kind.bench.config.write_text(re.sub(rf"\[{kind.counterpart}s\.{kind.partner}\b", "[suppliers.OTHER", written))
    refused = kind.bench.run("replay", kind.number, *WHY, "--yes", "--json")
    assert refused.code == 2
    assert kind.table in refused.json["error"]["fix"]
    kind.bench.config.write_text(written)
    assert kind.bench.run("replay", kind.number, *WHY, "--yes").code == 0


def test_after_a_loss_what_was_sent_is_imported_and_not_sent_again(kind):
    lose(kind)
    stream = recovered(kind)
    assert stream["in_sync"] is True
    assert stream[kind.counterpart] == kind.partner
    kind.bench.later(minutes=20)
    assert kind.bench.run("run", "--json").json["counts"]["documents_sent"] == 0
    assert len(kind.documents()) == 1
    assert kind.status()["documents"][0]["state"] == "delivered"


def test_after_a_loss_what_plex_has_changed_is_blocked_until_a_user_accepts(kind):
    lose(kind)
    kind.change()
    kind.bench.later(minutes=10)
    assert recovered(kind)["in_sync"] is False
    kind.bench.later(minutes=20)
    kind.bench.run("run")
    assert len(kind.documents()) == 1
    item = kind.review("recovered-differs")
    assert kind.bench.run("review", "accept", item, *WHY).code == 0
    kind.bench.later(minutes=20)
    kind.bench.run("run")
    assert len(kind.documents()) == 1


def test_after_a_loss_files_of_what_plex_does_not_have_open_one_item(kind):
    lose(kind)
    partner = kind.partner
    kind.drop()
    stream = recovered(kind)
    assert f"no such {kind.word}" in stream["what"]
    (item,) = [one for one in kind.bench.run("status", "--json").json["waiting"] if one["kind"] == f"{kind.word}-held"]
    assert (item["supplier"], item["reasons"][0]["code"]) == (partner, f"{kind.word}-missing")
    assert kind.bench.run("review", "accept", str(item["id"]), *WHY).code == 0
    assert kind.bench.run("recover", "--yes", "--json").json["streams"] == []


def test_after_a_loss_one_that_was_made_later_under_the_number_is_not_taken_for_the_sent_one(kind):
    lose(kind)
    kind.bench.later(hours=1)
    kind.twin()
    with kind.bench.sandbox.lock:
        kind.drop()
    kind.bench.later(minutes=10)
    stream = recovered(kind)
    assert stream[kind.counterpart] is None
    assert "cannot be determined" in stream["what"]
    kind.bench.later(minutes=20)
    kind.bench.run("run")
    assert len(kind.documents()) == 1


def test_a_report_shows_documents_lines_review_items_and_the_timeline_alike(kind):
    kind.renumber(f"{kind.number}9")
    kind.bench.later(minutes=20)
    kind.bench.run("run")
    report = kind.status()
    assert report[kind.word]["number"] == kind.number
    assert report[kind.word]["reviews"]
    assert report["lines"]
    assert [document["state"] for document in report["documents"]] == ["delivered"]
    assert report["events"][0]["text"].startswith("first read from Plex")
    shown = kind.bench.run("status", kind.number)
    page = kind.bench.place / "page.html"
    assert kind.bench.run("status", kind.number, "--html", str(page)).code == 0
    for title in ("Lines", "Needs review", "Documents", "Timeline"):
        assert title in shown.out
        assert f"<h2>{title}</h2>" in page.read_text()
    assert kind.bench.run("status", kind.number, "--check").code == 3
