"""A morning of orders and answers in the sandbox, and how it looks in the end, whatever crash or fault came between."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plexstedi.config.load import load
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import PlexStediError, ServiceUnavailable
from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.server import Sandbox
from plexstedi.state.store import Store
from plexstedi.sync.run import run
from plexstedi.sync.setup import Surroundings, open_session

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
OPT_IN = 'release_values = ["note", "due_date", "quantity"]'
CAST = (Character.PROMPT, Character.DATES, Character.ECHO, Character.RENUMBERING)


_MEMORY_DISK = Path("/dev/shm")
SCRATCH = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
"""Where worlds lie. SIGKILL takes nothing from a file system that a power cut would: they need no real disk."""


@dataclass
class World:
    """The sandbox and the client's files."""

    sandbox: Sandbox
    place: Path
    write: str = "custom-fields"
    """How acknowledgments get into Plex: `plex.acknowledgments.write`."""
    invoices: bool = False
    """Whether customers get their 810s too."""
    api: str = "connect"
    """Over which interface Plex is reached: `plex.api`."""
    calls: int = 8
    """How many calls to a service are made at once."""

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Reached over HTTP, on ports of its own."""
        with self.sandbox.serve():
            self.write_config()
            yield

    def write_config(self) -> None:
        """The client's configuration, for where the sandbox is now."""
        text = config_text(self.sandbox, self.api, self.write)
        text = text.replace('write = "releases"', 'write = "releases"\n' + OPT_IN)
        text = text.replace("[plex]\n", f"[plex]\nparallel_calls = {min(self.calls, 4)}\n", 1)
        text = text.replace("[stedi]\n", f"[stedi]\nparallel_calls = {self.calls}\n", 1)
        if self.invoices:
            text += '\n[documents]\nsend = ["850", "860", "810"]\n'
        (self.place / "plexstedi.toml").write_text(text)

    def run_once(self, clock: SandboxClock | None = None) -> list[PlexStediError]:
        """One `run` in this process; what ended a stage."""
        variables = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(self.sandbox).items()}
        clock = clock or self.sandbox.clock
        around = Surroundings(
            config=load(self.place / "plexstedi.toml"),
            secrets=Secrets.of(variables, clock),
            state_path=self.place / "state.sqlite3",
            clock=clock,
        )
        session = open_session(around, dry_run=False)
        faults: list[PlexStediError] = []
        try:
            run(session, faults)
        finally:
            session.close()
        return faults

    def run_until_quiet(self) -> None:
        """As cron would: again and again until a run has nothing left to do."""
        for _ in range(8):
            self.sandbox.advance(timedelta(minutes=1))
            faults = self.run_once()
            if not [fault for fault in faults if isinstance(fault, ServiceUnavailable)]:
                return
        raise AssertionError(f"still not quiet after 8 runs: {faults}")

    def change_an_order(self) -> None:
        """A buyer doubles the first release of the first order."""
        order = self.sandbox.plex.tenant.orders[0]
        line = order.lines[0]
        self.sandbox.plex.edit_release(
            order.number, line.number, line.releases[0].number, quantity=line.releases[0].quantity * 2
        )


def nothing(world: World) -> None:
    """The first phase begins with the orders as they are."""


def three_hours(world: World) -> None:
    """997 and 855 come in."""
    world.sandbox.advance(timedelta(hours=3))


def edit(world: World) -> None:
    """An order changes."""
    world.change_an_order()
    world.sandbox.advance(timedelta(minutes=10))


PHASES: tuple[Callable[[World], None], ...] = (nothing, three_hours, edit, three_hours)


def play(world: World, begin: int) -> None:
    """Clean runs of the phases from `begin` on, each until nothing is left."""
    for prepare in PHASES[begin:]:
        prepare(world)
        world.run_until_quiet()
    world.run_until_quiet()


def picture(world: World) -> dict[str, object]:
    """What the outside world and the ledger look like at the end."""
    generated: Counter[str] = Counter()
    for document in world.sandbox.generated():
        generated[document.filename.rsplit("_", 1)[0]] += 1
    writes: Counter[str] = Counter()
    for write in world.sandbox.plex.writes:
        for name, value in write.after.items():
            moving = name in ("EDI_Ack_Reference", "EDI_Acknowledged_At", "date")
            if write.before.get(name) != value:
                # Which transaction an answer is, and when it came, is made anew in each copy of the world.
                said = "…" if moving else re.sub(r"stedi:[^\]]*", "stedi:…", str(value))
                writes[f"{write.order}/{write.line}/{write.release}/{name}={said}"] += 1
    store = Store.open_to_read(world.place / "state.sqlite3")
    try:
        states = Counter(str(document.state) for document in store.documents.all())
        found: dict[str, object] = {
            "generated": dict(generated),
            "writes": dict(writes),
            "documents": dict(states),
            "open writes": store.writes.count_open(),
            "waiting orders": store.orders.work_left(),
            "unsettled": len(store.orders.not_up_to_date()),
            "lines": store.inbox.line_counts(),
            "attention": store.reviews.attention(),
            "trail": str(store.audit.verify()),
        }
    finally:
        store.close()
    return json.loads(json.dumps(found, default=str))


def differences(expected: dict[str, object], found: dict[str, object]) -> list[str]:
    """What is not as after an undisturbed morning."""
    wrong = [f"{key}: {found[key]} instead of {expected[key]}" for key in expected if found[key] != expected[key]]
    generated = found["generated"]
    assert isinstance(generated, dict)
    return wrong + [f"{name} was sent {times} times" for name, times in generated.items() if times != 1]
