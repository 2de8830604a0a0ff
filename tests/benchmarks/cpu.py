"""User CPU of single documents, of an order's whole life cycle and of `audit verify`, without waits.

    python -m tests.benchmarks.cpu [--orders 200] [--rounds 15] [--json FILE]

Documents are measured in this process, the least of several rounds. The life cycle is that of the command line in real
processes (`getrusage` of each child), against a sandbox in this one; its commands are those of cron: `run` sends, the
next `run` learns the deliveries, reads the acknowledgments and writes them to Plex. What starting Python and importing
take is in the first figure, and not in the second, which is the difference between two numbers of orders.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from plexstedi.cli.main import collect_rarely
from plexstedi.decimal_json import dumps, loads
from plexstedi.edi.inbound.outcome import AckState, Reconciliation
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment, content_fingerprint, read_acknowledgment
from plexstedi.edi.inbound.reading.guide_reading import read_guide_json
from plexstedi.edi.inbound.reading.set_choice import WantedSet, choose_set
from plexstedi.edi.inbound.reconcile import reconcile
from plexstedi.edi.order import Order
from plexstedi.edi.outbound.document import Prepared
from plexstedi.edi.partner import Partner
from plexstedi.edi.sent import SentOrder
from plexstedi.edi.x12.raw import decoded
from plexstedi.edi.x12.transaction import Transaction
from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import secrets
from plexstedi.sandbox.plex.sample_data import sample_tenant
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.guide_names import layout
from plexstedi.sandbox.stedi.guide_x12 import to_guide_json
from plexstedi.sandbox.stedi.x12 import Envelope, Group, Interchange, Party, Segment, write
from plexstedi.state.audit import Audit, Fact
from plexstedi.state.file.database import Database
from plexstedi.state.subject import Subject, of_document, of_order, of_transaction
from plexstedi.stedi.requests import generate_edi_body
from tests.benchmarks.throughput import MANY
from tests.commands.conftest import DRIVER, START, Bench
from tests.edi.guides.corpus import GUIDES_850
from tests.edi.outbound_orders import line, order, partner, release
from tests.edi.rendered import due, prepare

RELEASE = "004010"


# ---------------------------------------------------------------------------------------------------- one document


def order_of(lines: int) -> Order:
    """An order with two releases in each line."""
    return order(
        *(
            line(
                number,
                release(1, "50", "11-20"),
                release(2, "30.5", "12-04"),
                description=f"WIDGET {number}",
                supplier_part=f"AB-{number}",
            )
            for number in range(10, 10 * lines + 1, 10)
        )
    )


def partner_with_guide() -> Partner:
    """A supplier whose guide has a place for everything."""
    return partner({"850": GUIDES_850["full-4010"][0]})


def send_850(order_: Order, to: Partner) -> bytes:
    """Decide, build, bind to the guide, validate and encode: the request's body."""
    body = generate_edi_body(
        prepared_850(order_, to).guide_json, transaction_setting_id="set-850", file_name="a.json", usage="P"
    )
    assert isinstance(body, bytes)
    return body


def prepared_850(order_: Order, to: Partner) -> Prepared:
    found = prepare(due(None, order_, to), to, change_sequence=0, revision_seen=date(2026, 11, 5))
    assert isinstance(found, Prepared)
    return found


def acknowledgment_of(sent: SentOrder) -> tuple[Segment, ...]:
    """An 855 that accepts all lines, each with its schedules."""
    rows: list[Segment] = [("BAK", "00", "AD", sent.number, "20261102", "", "", "", "SO-1", "20261103")]
    for one in sent.lines:
        quantity = f"{one.quantity:f}"
        items = [text for pair in one.items.items() for text in pair]
        rows.append(("PO1", str(one.line), quantity, one.unit, f"{one.price:f}", "", *items))
        rows.append(("ACK", "IA", quantity, one.unit, "068", "20261120"))
        rows += [
            ("SCH", f"{schedule.quantity:f}", one.unit, "", "", "002", f"{schedule.due:%Y%m%d}")
            for schedule in one.schedules
            if schedule.due is not None
        ]
    return (*rows, ("CTT", str(len(sent.lines))))


def guide_json_855(sent: SentOrder) -> bytes:
    """That 855 as Stedi returns it."""
    return dumps(to_guide_json("855", "0001", acknowledgment_of(sent), layout("855", RELEASE))).encode()


def x12_855(sent: SentOrder, copies: int = 1) -> str:
    """That 855 as the supplier sent it; `copies`: so many sets in one group."""
    them, us = Party("ZZ", "ACME", "ACME"), Party("ZZ", "US", "US")
    envelope = Envelope(them, us, START, 1, "P", RELEASE)
    sets = tuple((f"{number:04}", acknowledgment_of(sent)) for number in range(1, copies + 1))
    return write(Interchange(envelope, (Group(1, "855", sets),)))


def read_855(document: bytes, sent: SentOrder, to: Partner) -> Reconciliation:
    """From the bytes that Stedi returned to what is confirmed."""
    tree = read_guide_json(loads(document), "855", RELEASE)
    return _reconciled(tree, sent, to)


def read_x12_855(document: bytes, sent: SentOrder, to: Partner) -> Reconciliation:
    """The same from X12."""
    return _reconciled(choose_set(decoded(document), WantedSet(set_id="855", release=RELEASE)), sent, to)


def _reconciled(tree: object, sent: SentOrder, to: Partner) -> Reconciliation:
    assert isinstance(tree, Transaction), tree
    read = read_acknowledgment(tree)
    assert isinstance(read, Acknowledgment), read
    content_fingerprint(read)
    done = reconcile(read, sent, to.settings, received={})
    assert all(one.state is AckState.CONFIRMED for one in done.lines), done
    return done


def least_ms(act: Callable[[], object], rounds: int, repeat: int) -> float:
    """Milliseconds of CPU of one call, which makes no system calls: the least of several rounds."""
    act()
    taken = []
    for _ in range(rounds):
        # Not `getrusage`: of so little time it only counts whole clock ticks.
        began = time.thread_time()
        for _ in range(repeat):
            act()
        taken.append((time.thread_time() - began) / repeat * 1000)
    return min(taken)


def documents(rounds: int) -> dict[str, float]:
    """Milliseconds for one document, of 10 and of 100 lines."""
    found = {}
    for lines in (10, 100):
        repeat = max(1, 200 // lines)
        order_, to = order_of(lines), partner_with_guide()
        sent = prepared_850(order_, to).sent
        guide_json, x12 = guide_json_855(sent), x12_855(sent).encode()
        works: Mapping[str, Callable[[], Any]] = {
            "850 with its guide": lambda: send_850(order_, to),  # noqa: B023
            "855 from Guide JSON": lambda: read_855(guide_json, sent, to),  # noqa: B023
            "855 from X12": lambda: read_x12_855(x12, sent, to),  # noqa: B023
        }
        for name, work in works.items():
            found[f"{name}, {lines} lines"] = least_ms(work, rounds, repeat)
    return found


# ------------------------------------------------------------------------------------------------- the life cycle


@dataclass(frozen=True)
class LifeCycle:
    """User CPU seconds of the commands of one life cycle of so many orders."""

    orders: int
    by_command: dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.by_command.values())

    @property
    def ms_per_order(self) -> float:
        return self.seconds / self.orders * 1000


def user_seconds(bench: Bench, *arguments: str) -> float:
    """One command line in a real process; it has to succeed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(bench.place / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TEST_NOW": bench.sandbox.clock.now().isoformat(),
        "TEST_CONTROL": bench.sandbox.urls.plex_url,
        **{f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(bench.sandbox).items()},
    }
    command = [sys.executable, str(DRIVER), "--config", str(bench.config), "--state", str(bench.state), *arguments]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        assert process.returncode in (0, 3), (arguments, said.read().decode())
    return used.ru_utime


def life_cycle(orders: int, commands: tuple[str, ...] = ("run", "run")) -> LifeCycle:
    """All orders from the poll to the write into Plex; three hours pass between the commands."""
    sandbox = Sandbox(sample_tenant(orders, 4, 7, START, characters=(Character.PROMPT,)), SandboxClock.manual(START))
    with sandbox.serve(), tempfile.TemporaryDirectory() as place:
        bench = Bench(sandbox, Path(place))
        bench.write_config(lambda text: f"{text}\n{MANY}[state]\nbackups = 0\n")
        taken: dict[str, float] = {}
        for number, command in enumerate(commands, 1):
            taken[f"{number}. {command}"] = user_seconds(bench, command)
            bench.later(hours=3)
        sent, written = (
            set(bench.numbers_sent()),
            {write.order for write in bench.sandbox.plex.writes if write.effective},
        )
        assert sent == written, "an order was sent and not acknowledged in Plex"
    return LifeCycle(orders, taken)


# ---------------------------------------------------------------------------------------------- the audit trail


def events_verified_a_second(orders: int, rounds: int) -> float:
    """Events of an audit trail that are verified in a second of CPU; ten events of each order."""
    random = Random(1)
    with tempfile.TemporaryDirectory() as place, closing(Database.open(Path(place) / "state.db")) as database:
        audit = Audit(database)
        with database.transaction():
            for number in range(orders):
                _events_of_an_order(audit, number, *(str(UUID(int=random.getrandbits(128))) for _ in range(2)))
        return audit.count() / least_ms(lambda: _intact(audit), rounds, 1) * 1000


def _intact(audit: Audit) -> None:
    assert audit.verify() is None


def _events_of_an_order(audit: Audit, number: int, order_id: str, transaction: str) -> None:
    """Events as they are recorded from the poll to the write into Plex."""

    def note(kind: str, subject: Subject, *, of: str | None = order_id, **detail: Fact) -> None:
        at = START + timedelta(seconds=number, milliseconds=audit.count() % 10)
        audit.append(at, "plexstedi", kind, subject, order_id=of, **detail)

    order, document, received = of_order(f"PO-{number}"), of_document(number), of_transaction(transaction)
    note("order-seen", order, revision=1, phase="released", supplier="ACME01", known=False)
    note("document-frozen", document, document="850", purpose="00", revision=1, file_name=f"us-PO-{number}-850-0.json")
    note("attempt-begun", document, number=1, sha256=f"{number:064x}")
    note("attempt-ended", document, number=1, outcome="accepted", status=200)
    note("document-delivered", document, file_execution_id=transaction)
    note("transaction-stored", received, of=None, form="guide-json", bytes=2900, sha256=f"{number:064x}")
    note("acknowledgment-decided", received, type="AD", state="applied", reasons=[])
    note("line-outcome", order, line=10, state="confirmed", quantity="120", ship_date="2026-11-20")
    note("write-planned", order, write=number, records=2)
    note("write-done", order, write=number, fields=[{"field": "Confirmed_Quantity", "from": None, "to": "120"}])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    collect_rarely()
    found = documents(given.rounds)
    print(f"{'one document':28} {'user CPU':>10}")
    for name, milliseconds in found.items():
        print(f"{name:28} {milliseconds:7.2f} ms")
    verified = events_verified_a_second(1000, given.rounds)
    print(f"\naudit verify: {verified:,.0f} events a second")
    few, many = life_cycle(given.orders), life_cycle(given.orders * 4)
    singly = life_cycle(given.orders, ("poll", "submit", "submit", "ingest-acks"))
    marginal = (many.seconds - few.seconds) / (many.orders - few.orders) * 1000
    print(f"\n{'life cycle':28} {'orders':>6} {'user CPU':>10} {'per order':>10}")
    for cycle in (few, many, singly):
        for name, seconds in cycle.by_command.items():
            print(f"{name:28} {cycle.orders:6} {seconds:8.2f} s {seconds / cycle.orders * 1000:7.1f} ms")
        print(f"{'sum':28} {cycle.orders:6} {cycle.seconds:8.2f} s {cycle.ms_per_order:7.1f} ms")
    print(f"{'each further order':28} {'':6} {'':10} {marginal:7.1f} ms")
    if given.json is not None:
        cycles = [asdict(cycle) | {"ms_per_order": cycle.ms_per_order} for cycle in (few, many, singly)]
        content = {
            "documents_ms": found,
            "events_verified_a_second": verified,
            "life_cycles": cycles,
            "ms_of_each_further_order": marginal,
        }
        given.json.write_text(json.dumps(content, indent=2))


if __name__ == "__main__":
    main()
