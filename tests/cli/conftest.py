"""Commands in processes of their own, in a home of the test's own, with nothing of this user's around them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from plexstedi.clock import SystemClock
from plexstedi.edi.inbound.outcome import AckState, ConfirmedSchedule, LineOutcome
from plexstedi.edi.order import Line, LineState, Order, Part, Phase, Release, ReleaseState, Supplier
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentOrder, SentSchedule
from plexstedi.state.document import Document, NewDocument
from plexstedi.state.document_states import BusinessStatus, FunctionalStatus
from plexstedi.state.inbox import ListedTransaction
from plexstedi.state.store import Store
from plexstedi.state.subject import of_document, of_order
from tests.in_process import run_in_process

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TENANT = "01234567-89ab-cdef-0123-456789abcdef"
CONFIG = f"""
[plex]
tenant_id = "{TENANT}"
tenant_code = "ACME"
[plex.acknowledgments]
write = "report-only"
[stedi]
usage_indicator = "T"
[company]
name = "Example Inc"
[suppliers.ACME01]
partnership_id = "us_acme"
[suppliers.ACME01.850]
transaction_setting_id = "004010-850"
[suppliers.ACME01.860]
transaction_setting_id = "004010-860"
[suppliers.QUIET9]
partnership_id = "us_quiet"
change_orders = "hold"
[suppliers.QUIET9.850]
transaction_setting_id = "004010-850"
"""


class Hasty(SystemClock):
    """This machine's clock, with waits that take no time."""

    waited = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


@dataclass(frozen=True)
class Ran:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        return dict(json.loads(self.out))


@dataclass
class Cli:
    """The command line of a user who has nothing but this home."""

    home: Path

    @property
    def config(self) -> Path:
        return self.home / "plexstedi.toml"

    @property
    def state(self) -> Path:
        return self.home / "state.sqlite3"

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of the environment of whoever runs the tests."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "states"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "PYTHONPATH": str(ROOT),
            "PYTHON_KEYRING_BACKEND": "plexstedi.credentials.keyring_file.EncryptedFileKeyring",
            **more,
        }

    def bare(self, *arguments: str, stdin: str = "", **env: str) -> Ran:
        """One command line as it is given."""
        ended = run_in_process(arguments, environment=self.environment(**env), stdin=stdin, folder=self.home)
        return Ran(ended.code, ended.out, ended.err)

    def run(self, *arguments: str, stdin: str = "", **env: str) -> Ran:
        """One command line on this home's configuration and state."""
        return self.bare("--config", str(self.config), "--state", str(self.state), *arguments, stdin=stdin, **env)

    def hasty(self, *arguments: str, **env: str) -> Ran:
        """As `run`, with waits between attempts that take no time."""
        ended = run_in_process(
            ("--config", str(self.config), "--state", str(self.state), *arguments),
            environment=self.environment(**env),
            clock=Hasty(),
            folder=self.home,
        )
        return Ran(ended.code, ended.out, ended.err)

    def on_a_terminal(
        self,
        *arguments: str,
        answers: Sequence[str | Key] = (),
        program: Sequence[str] = ("-m", "plexstedi"),
        **env: str,
    ) -> Ran:
        """One command line on a terminal, where a person types the answers; `out` is all that the terminal shows."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=self.environment(TERM="xterm", COLUMNS="100", **env),
            cwd=self.home,
            start_new_session=True,
            # Only then does Ctrl-C interrupt.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(follower)
        shown = bytearray()
        waiting = list(answers)
        while True:
            ready, _, _ = select.select([leader], [], [], 30)
            if not ready:
                process.kill()
                break
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
            if waiting and shown.endswith(b": "):
                answer = waiting.pop(0)
                os.write(leader, answer.sent if isinstance(answer, Key) else f"{answer}\n".encode())
        os.close(leader)
        return Ran(process.wait(timeout=30), shown.decode(), "")


@dataclass(frozen=True)
class Key:
    """A key pressed on a terminal, without Enter."""

    sent: bytes


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A user with a configuration and no state yet."""
    home = tmp_path / "home"
    home.mkdir()
    made = Cli(home)
    made.config.write_text(CONFIG)
    return made


def release(number: int, quantity: str, due: date) -> Release:
    return Release(id=f"r{number}", number=number, state=ReleaseState.FIRM, quantity=Decimal(quantity), due=due)


def an_order(number: str = "PO-1001", supplier: str = "ACME01", **more: Any) -> Order:
    """A released order: line 10 in two deliveries of 60 and 40, line 20 of 5."""
    first = Line(
        id="l10",
        number=10,
        state=LineState.OPEN,
        unit="Ea",
        price=Decimal("4.25"),
        part=Part(number="82695", revision="B"),
        releases=(release(1, "60", date(2026, 12, 1)), release(2, "40", date(2026, 12, 15))),
    )
    second = Line(
        id="l20",
        number=20,
        state=LineState.OPEN,
        unit="Ea",
        price=Decimal("1"),
        part=Part(number="70001"),
        releases=(release(3, "5", date(2026, 12, 1)),),
    )
    facts: dict[str, Any] = {
        "id": f"id-{number}",
        "number": number,
        "supplier_id": "s1",
        "supplier_code": supplier,
        "phase": Phase.RELEASED,
        "status_name": "On Order",
        "order_date": date(2026, 11, 20),
        "ship_to": None,
        "lines": (first, second),
    }
    return Order(**{**facts, **more})


def record(store: Store, order: Order, **more: Any) -> None:
    """What `poll` stores of an order."""
    given: dict[str, Any] = {"marks": {}, "now": NOW, "known": False, "baseline": False, **more}
    revision = store.orders.record(order, **given)
    store.orders.set_supplier(Supplier(id="s1", code=order.supplier_code, name="Acme Springs"))
    store.audit.append(
        NOW, "plexstedi", "order-seen", of_order(order.number), order_id=order.id, revision=revision, phase="released"
    )


def sent_order(number: str = "PO-1001") -> SentOrder:
    schedules = (
        SentSchedule(release_id="r1", release_number=1, quantity=Decimal(60), due=date(2026, 12, 1)),
        SentSchedule(release_id="r2", release_number=2, quantity=Decimal(40), due=date(2026, 12, 15)),
    )
    first = SentLine(
        line_id="l10",
        line=10,
        quantity=Decimal(100),
        unit="EA",
        price=Decimal("4.25"),
        items={"BP": "82695"},
        schedules=schedules,
    )
    second = SentLine(line_id="l20", line=20, quantity=Decimal(5), unit="EA", price=Decimal(1), items={"BP": "70001"})
    return SentOrder(number=number, lines=(first, second))


def send(store: Store, number: str = "PO-1001", supplier: str = "ACME01", **more: Any) -> Document:
    """What `submit` stores of a document that was delivered."""
    facts: dict[str, Any] = {
        "stream": f"id-{number}",
        "order_id": f"id-{number}",
        "order_number": number,
        "order_release": None,
        "supplier": supplier,
        "partnership": "us_acme",
        "transaction_setting": "004010-850",
        "kind": "850",
        "purpose": "00",
        "revision": 1,
        "change_sequence": 0,
        "counter": 1,
        "idempotency_key": f"key-{number}",
        "file_name": f"file-{number}",
        "route": "generate-edi",
        "body": b"{}",
        "x12": "ISA",
        "sent": sent_order(number),
        "dropped": ("order: N9 note URGENT left out (the guide has no place for it)",),
    }
    document = store.documents.freeze(NewDocument(**{**facts, **more}), NOW)
    number_of_attempt = store.documents.begin_attempt(document, NOW)
    store.documents.end_attempt(document.id, number_of_attempt, NOW, "accepted")
    store.documents.accept(
        document.id,
        NOW,
        file_execution_id=f"execution-{number}",
        interchange_control=1905,
        group_control=7,
        x12=None,
    )
    store.documents.deliver(document.id, NOW)
    store.documents.set_functional(document.id, FunctionalStatus.ACCEPTED, blocks=False)
    store.audit.append(NOW, "plexstedi", "document-delivered", of_document(document.id), order_id=f"id-{number}")
    return store.documents.get(document.id)


def answer_line_10(store: Store, document: Document) -> None:
    """The supplier ships 60 on time and backorders 40 to January; it says nothing of line 20."""
    listed = ListedTransaction(
        transaction_id="tx-855",
        execution_id="ex-855",
        set_id="855",
        partnership="us_acme",
        supplier="ACME01",
        processed_at=NOW,
        sender="ACME",
        release="004010",
        interchange_control=1,
        group_control=1,
        set_control=1,
    )
    store.inbox.list_one(listed, NOW)
    store.inbox.store("tx-855", b"{}", "guide-json", "hash")
    store.inbox.assign(
        "tx-855",
        order_id=document.order_id,
        document_id=document.id,
        type_code="AC",
        dated="2026-11-23",
        content_hash="hash",
    )
    reason = Reason(
        code="backordered", where="line 10", message="ordered 100 EA, now 60, backordered 40", fix="ask for more"
    )
    outcome = LineOutcome(
        line=10,
        line_id="l10",
        state=AckState.BACKORDERED,
        ordered=Decimal(100),
        open=Decimal(100),
        unit="EA",
        confirmed=Decimal("60.0"),
        backordered=Decimal(40),
        rejected=Decimal(0),
        variance=Decimal(0),
        schedules=(
            ConfirmedSchedule(
                quantity=Decimal(60), ship_date=date(2026, 11, 28), delivery_date=date(2026, 12, 1), release_id="r1"
            ),
            ConfirmedSchedule(
                quantity=Decimal(40), backordered=True, ship_date=date(2027, 1, 8), delivery_date=date(2027, 1, 12)
            ),
        ),
        code="IB",
        reasons=(reason,),
        attention=True,
    )
    store.inbox.set_lines(document.stream, document.order_id, [outcome])
    store.documents.set_business(document.id, BusinessStatus.BACKORDERED)
