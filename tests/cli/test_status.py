"""`status` is what purchasing and monitors look at: it must tell what stands, whole and without touching anything."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from plexstedi.edi.order import Phase
from plexstedi.edi.reasons import Reason
from plexstedi.state.document_states import DocumentState
from plexstedi.state.file.short import short_time
from plexstedi.state.inbox import ListedTransaction
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.store import Store
from plexstedi.state.subject import of_stream
from plexstedi.sync.endings import Ending, record_in_state
from plexstedi.sync.stages import Stage

from .conftest import NOW, Cli, an_order, answer_line_10, record, send


@pytest.fixture
def store(cli: Cli) -> Store:
    """The state to be filled; closed before a command looks at it by `filled`."""
    return Store.open(cli.state, NOW)


def a_question(store: Store, number: str = "PO-1001", kind: ReviewKind = ReviewKind.ORDER_HELD) -> None:
    reason = Reason(code="price-missing", where="line 10", message="the price is missing", fix="enter it in Plex")
    store.reviews.open(
        kind, of_stream(f"id-{number}"), (reason,), NOW, supplier="ACME01", order_id=f"id-{number}", order_number=number
    )


def a_good_run(store: Store, at: datetime) -> None:
    """All three stages have just succeeded."""
    record_in_state(store, Ending("run", at, at, 0, [], dict.fromkeys(Stage)), to_cron=False)


def test_before_the_first_run_there_is_nothing_and_that_is_no_fault(cli: Cli) -> None:
    text, told = cli.run("status"), cli.run("status", "--json")
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith("Nothing yet")
    assert told.json["counts"]["attention"] == 0
    assert told.json["orders"] == {}
    assert cli.run("status", "--check").code == 0
    assert not cli.state.exists()


def test_before_the_first_run_the_page_is_written_and_no_state(cli: Cli) -> None:
    page = cli.home / "page.html"
    ran = cli.run("status", "--html", str(page))
    assert (ran.code, ran.out, ran.err) == (0, f"Written: {page}\n", "")
    assert "</html>" in page.read_text()
    assert not cli.state.exists()


def test_a_state_file_that_is_gone_is_a_fault_that_names_the_way_back(cli: Cli, store: Store) -> None:
    record(store, an_order())
    store.close()
    cli.state.unlink()
    ran = cli.run("status", "--json")
    assert ran.code == 7
    assert "plexstedi recover" in ran.json["error"]["fix"]


def test_the_whole_picture_counts_orders_documents_and_lines(cli: Cli, store: Store) -> None:
    record(store, an_order())
    record(store, an_order("PO-1002", phase=Phase.CANCELLED))
    answer_line_10(store, send(store))
    store.close()
    told = cli.run("status", "--json").json
    assert told["orders"] == {"cancelled": 1, "released": 1}
    assert told["documents"] == {
        "state": {"delivered": 1},
        "delivery": {"delivered": 1},
        "functional_ack": {"accepted": 1},
        "business_ack": {"backordered": 1},
    }
    assert told["lines"]["backordered"] == 1
    acme = next(supplier for supplier in told["suppliers"] if supplier["supplier"] == "ACME01")
    assert (acme["orders"], acme["open_orders"], acme["documents"]) == (2, 1, 1)
    quiet = next(supplier for supplier in told["suppliers"] if supplier["supplier"] == "QUIET9")
    assert quiet["orders"] == 0, "a supplier that never got an order is shown, so that its silence is seen"


def test_what_is_left_alone_is_shown_too(cli: Cli, store: Store) -> None:
    record(store, an_order("PO-7", supplier="NOEDI"))
    store.orders.set_untraded("id-PO-7", True)
    asn = ListedTransaction("tx-1", "ex-1", "856", "us_acme", "ACME01", NOW, None, None, None, None, None)
    store.inbox.list_one(asn, NOW)
    store.close()
    told = cli.run("status", "--json").json
    assert told["not_traded"] == [{"supplier": "NOEDI", "orders": 1}]
    assert told["transactions_not_read"] == {"856": 1}
    assert "NOEDI, 1 order" in cli.run("status").out


def test_a_monitor_learns_it_from_the_exit_code_and_a_user_is_not_bothered(cli: Cli, store: Store) -> None:
    record(store, an_order())
    a_good_run(store, datetime.now(UTC))
    store.close()
    assert cli.run("status", "--check").code == 0
    store = Store.open(cli.state, NOW)
    a_question(store)
    store.close()
    assert cli.run("status", "--check").code == 3
    assert cli.run("status", "PO-1001", "--check").code == 3
    plain = cli.run("status", "--json")
    assert (plain.code, plain.json["counts"]["attention"]) == (0, 1)


def test_a_send_that_was_not_heard_makes_a_monitor_cry(cli: Cli, store: Store) -> None:
    record(store, an_order())
    document = send(store)
    store.database.execute("DROP TRIGGER documents_moves")
    store.documents.move(document.id, DocumentState.IN_DOUBT, "not heard")
    store.close()
    ran = cli.run("status", "--check", "--json")
    assert (ran.code, ran.json["counts"]["in_doubt"]) == (3, 1)


def test_a_limit_that_passed_while_no_run_looked_needs_review(cli: Cli, store: Store) -> None:
    """Cron is broken: no run has asked anybody, and `status --check` must not say that all is well."""
    long_ago = NOW - timedelta(days=30)
    record(store, an_order(), now=long_ago)
    document = send(store)
    store.database.execute("UPDATE documents SET delivered_at = ? WHERE id = ?", (short_time(long_ago), 1))
    store.close()
    ran = cli.run("status", "--check", "--json")
    assert ran.code == 3
    late = [one for one in ran.json["late"] if one["lateness"] == "limit"]
    assert [(one["order"], one["document"], one["lines"]) for one in late] == [("PO-1001", document.id, [10, 20])]
    shown = cli.run("status", "--late").out
    assert "PO-1001" in shown
    assert "overdue" in shown


def test_one_order_tells_ordered_against_confirmed_line_by_line(cli: Cli, store: Store) -> None:
    record(store, an_order())
    answer_line_10(store, send(store))
    store.close()
    told = cli.run("status", "PO-1001", "--json").json
    assert told["lines"] == [
        {
            "line": 10,
            "ordered": 100,
            "unit": "EA",
            "confirmed": 60,
            "backordered": 40,
            "ship_date": "2027-01-08",
            "delivery_date": "2027-01-12",
            "state": "backordered",
            "reason": "ordered 100 EA, now 60, backordered 40",
            "schedules": [
                {"quantity": 60, "ship_date": "2026-11-28", "delivery_date": "2026-12-01"},
                {"quantity": 40, "ship_date": "2027-01-08", "delivery_date": "2027-01-12"},
            ],
        },
        {
            "line": 20,
            "ordered": 5,
            "unit": "EA",
            "confirmed": 0,
            "backordered": 0,
            "ship_date": None,
            "delivery_date": None,
            "state": "unacknowledged",
            "reason": None,
            "schedules": [],
        },
    ]


def test_documents_have_the_keys_that_scripts_rely_on(cli: Cli, store: Store) -> None:
    record(store, an_order())
    send(store)
    store.close()
    told = cli.run("status", "PO-1001", "--json").json
    named = ("purpose", "change_sequence", "replay_of", "file_name")
    assert [{key: document[key] for key in document if key not in named} for document in told["documents"]] == [
        {
            "id": 1,
            "kind": "850",
            "revision": 1,
            "state": "delivered",
            "delivery": "delivered",
            "functional_ack": "accepted",
            "business_ack": "none",
            "idempotency_key": "key-PO-1001",
            "file_execution_id": "execution-PO-1001",
            "interchange_control_number": 1905,
            "group_control_number": 7,
            "error": None,
            "dropped": ["order: N9 note URGENT left out (the guide has no place for it)"],
        }
    ]
    assert told["order"]["number"] == "PO-1001"
    assert [event["text"] for event in told["events"]] == [
        "first read from Plex: released",
        "850 original (document 1) delivered to the supplier",
    ]


def test_a_buyer_sees_what_was_left_out_and_what_waits(cli: Cli, store: Store) -> None:
    record(store, an_order())
    answer_line_10(store, send(store))
    a_question(store)
    store.close()
    out = cli.run("status", "PO-1001").out
    assert "note URGENT left out" in out
    assert "line 10: the price is missing (enter it in Plex)" in out
    line = next(line for line in out.splitlines() if line.startswith("10 "))
    cells = re.split(r"  +", line)
    assert cells[:6] == ["10", "82695 rev B", "100 EA", "2026-12-15", "60 *", "2027-01-12 *"]
    unanswered = next(line for line in out.splitlines() if line.startswith("20 "))
    assert re.split(r"  +", unanswered)[4] == "-", "nothing said is not the same as nothing confirmed"


def test_lines_of_an_order_that_did_not_go_out_are_shown_as_not_sent(cli: Cli, store: Store) -> None:
    record(store, an_order())
    store.close()
    told = cli.run("status", "PO-1001", "--json").json
    assert [(line["line"], line["ordered"], line["reason"]) for line in told["lines"]] == [
        (10, 100, "not sent to the supplier yet"),
        (20, 5, "not sent to the supplier yet"),
    ]


def test_releases_sent_as_orders_of_their_own_add_up_to_the_line(cli: Cli, store: Store) -> None:
    record(store, an_order())
    first = send(store, stream="id-PO-1001/1", order_release="1")
    send(store, stream="id-PO-1001/2", order_release="2", idempotency_key="key-2", file_name="file-2")
    answer_line_10(store, first)
    store.close()
    line = cli.run("status", "PO-1001", "--json").json["lines"][0]
    assert (line["ordered"], line["confirmed"], line["state"]) == (200, 60, "backordered")


@pytest.mark.parametrize(("typed", "meant"), [("1001", "PO-1001"), ("po1001", "PO-1001"), ("PO-1010", "PO-1001")])
def test_a_mistyped_number_names_the_near_ones(cli: Cli, store: Store, typed: str, meant: str) -> None:
    record(store, an_order())
    record(store, an_order("XY-77"))
    store.close()
    ran = cli.run("status", typed)
    assert ran.code == 2
    assert meant in ran.err
    assert "XY-77" not in ran.err


def test_an_order_made_again_under_its_old_number_is_the_one_shown(cli: Cli, store: Store) -> None:
    record(store, an_order(id="old", phase=Phase.VANISHED))
    record(store, an_order(id="new"))
    store.close()
    ran = cli.run("status", "PO-1001", "--json")
    assert ran.json["order"]["id"] == "new"
    assert "old" in ran.json["warnings"][0]
    assert cli.run("status", "old", "--json").json["order"]["phase"] == "vanished"


def test_one_supplier_is_shown_with_its_orders_and_nobody_elses(cli: Cli, store: Store) -> None:
    record(store, an_order())
    record(store, an_order("PO-2", supplier="OTHER"))
    store.close()
    ran = cli.run("status", "--supplier", "ACME01")
    assert "PO-1001" in ran.out
    assert "PO-2" not in ran.out
    unknown = cli.run("status", "--supplier", "ACM01")
    assert (unknown.code, "ACME01" in unknown.err) == (2, True)


def test_changed_orders_from_before_are_one_item_not_hundreds(cli: Cli, store: Store) -> None:
    for number in ("PO-1", "PO-2", "PO-3"):
        record(store, an_order(number))
        a_question(store, number, ReviewKind.KNOWN_ORDER_CHANGED)
    store.close()
    assert cli.run("status", "--json").json["counts"]["attention"] == 1
    assert re.search(r"^3 +changed, from before PlexStedi ", cli.run("status").out, re.MULTILINE)


def test_status_works_without_a_configuration_on_a_named_state_file(cli: Cli, store: Store) -> None:
    """A backup is looked at on another machine."""
    record(store, an_order())
    store.close()
    ran = cli.bare("--state", str(cli.state), "status", "--json")
    assert (ran.code, ran.json["orders"]) == (0, {"released": 1})
    assert cli.bare("status", "PO-1001", PLEXSTEDI_STATE=str(cli.state)).code == 0
    nothing_named = cli.bare("status")
    assert nothing_named.code == 4


def test_a_configuration_that_was_named_and_is_broken_is_not_passed_over(cli: Cli, store: Store) -> None:
    store.close()
    cli.config.write_text("[plex\n")
    assert cli.run("status").code == 4


def test_looking_changes_nothing_and_asks_nobody(cli: Cli, store: Store) -> None:
    record(store, an_order())
    store.close()
    before = cli.state.read_bytes()
    with_wrong_key = cli.run("status", PLEXSTEDI_STEDI_API_KEY="", CREDENTIALS_DIRECTORY="/nonexistent")
    assert with_wrong_key.code == 0
    assert cli.state.read_bytes() == before
    assert not cli.state.with_name("state.sqlite3.lock").exists()


def test_status_loads_neither_httpx_nor_keyring_nor_rich_when_piped(cli: Cli, store: Store) -> None:
    """Each of them costs as much as all the rest; a monitor calls this every minute."""
    record(store, an_order())
    store.close()
    program = (
        "import sys; from plexstedi.cli.main import run; code = run(sys.argv[1:]);"
        "print(code, *sorted({'httpx', 'keyring', 'rich'} & sys.modules.keys()), file=sys.stderr)"
    )
    arguments = ["--config", str(cli.config), "--state", str(cli.state), "status"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=cli.environment(),
        timeout=60,
        check=False,
    )
    assert done.stderr.split() == ["0"]


class Texts(HTMLParser):
    """The tags and the visible words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(page: Path) -> Texts:
    texts = Texts()
    texts.feed(page.read_text(encoding="utf-8"))
    return texts


def test_the_page_is_whole_needs_no_network_and_takes_no_orders_from_plex(cli: Cli, store: Store) -> None:
    evil = "<script>alert(1)</script>"
    record(store, an_order(evil, supplier='A"&<b>'))
    reason = Reason(code="x", where="order", message="<img src=x onerror=alert(1)>", fix="&")
    store.reviews.open(ReviewKind.ORDER_HELD, of_stream("s"), (reason,), NOW, order_id=f"id-{evil}", order_number=evil)
    store.close()
    page, order_page = cli.home / "all.html", cli.home / "order.html"
    assert cli.run("status", "--html", str(page)).code == 0
    assert cli.run("status", evil, "--html", str(order_page)).code == 0
    for file in (page, order_page):
        texts = parsed(file)
        assert not {"img", "link", "b", "iframe", "object"} & set(texts.tags)
        assert texts.tags.count("script") == (1 if file == page else 0), "only the one of the page itself"
        assert [each for each in texts.addresses if not each.startswith(("#", "?"))] == []
        assert "://" not in file.read_text()
        assert any(evil in words for words in texts.words)
        assert any("<img src=x" in words for words in texts.words)


def test_the_page_of_an_order_has_its_lines(cli: Cli, store: Store) -> None:
    record(store, an_order())
    answer_line_10(store, send(store))
    store.close()
    cli.run("status", "PO-1001", "--html", "order.html")
    words = parsed(cli.home / "order.html").words
    for told in ("82695 rev B", "100 EA", "60 *", "40", "2027-01-12", "backordered"):
        assert told in words


def test_a_page_that_cannot_be_written_is_said_so(cli: Cli, store: Store) -> None:
    store.close()
    ran = cli.run("status", "--html", str(cli.home / "no" / "such" / "folder.html"))
    assert (ran.code, "cannot be written" in ran.err) == (2, True)


def test_a_terminal_gets_a_table_and_a_pipe_plain_aligned_text(cli: Cli, store: Store) -> None:
    record(store, an_order())
    store.close()
    piped = cli.run("status", "--supplier", "ACME01").out
    assert "\x1b" not in piped
    assert re.search(r"^PO-1001 +ACME01 +released", piped, re.MULTILINE)
    shown = cli.on_a_terminal("--config", str(cli.config), "--state", str(cli.state), "status", "--supplier", "ACME01")
    assert "PO-1001" in shown.out


def test_control_characters_of_a_name_never_reach_the_terminal(cli: Cli, store: Store) -> None:
    record(store, an_order("PO\x1b[31m-1"))
    store.close()
    assert "\x1b" not in cli.run("status", "--supplier", "ACME01").out


@pytest.mark.parametrize("more", [["--supplier", "ACME01"], ["--late"]])
def test_a_number_and_a_filter_together_are_refused(cli: Cli, more: list[str]) -> None:
    assert cli.run("status", "PO-1001", *more).code == 2
