"""Whole commands as subprocesses against the sandbox over loopback HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plexstedi.cli.result.results import RESULTS, json_schema
from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.clock import SandboxClock
from plexstedi.sandbox.config_text import config_text, secrets
from plexstedi.sandbox.plex.sample_data import EdgeCase, sample_tenant
from plexstedi.sandbox.plex.store import PlexWrite, copy_order
from plexstedi.sandbox.server import Sandbox
from plexstedi.sandbox.stedi.records import GeneratedDocument
from tests.commands.driver import SandboxTime, limit_file_size
from tests.forked import run_forked
from tests.in_process import run_in_process


def nothing() -> None:
    """Nothing is done before a command."""


START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DRIVER = Path(__file__).with_name("driver.py")


@cache
def _validator(command: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(command))


def must_fit(printed: Mapping[str, Any]) -> None:
    """Fail where a command's JSON is not as `plexstedi schema COMMAND` publishes it."""
    if printed["command"] in RESULTS:
        found = [f"{error.json_path}: {error.message}" for error in _validator(printed["command"]).iter_errors(printed)]
        assert found == [], printed["command"]


@dataclass(frozen=True)
class Ran:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout; it is as its command's schema says."""
        printed = dict(json.loads(self.out))
        must_fit(printed)
        return printed


@dataclass
class Bench:
    """A sandbox, a configuration that points at it, and commands run against both."""

    sandbox: Sandbox
    place: Path
    dialect: str = "connect"
    environment: dict[str, str] = field(default_factory=dict)
    real_process: bool = False
    """Start Python anew for each command: slower, and nothing is shared with this process."""
    state_named: bool = True
    """Whether the state file is named by `--state`; else the configuration does."""

    @property
    def config(self) -> Path:
        return self.place / "plexstedi.toml"

    @property
    def state(self) -> Path:
        return self.place / "state.sqlite3"

    def write_config(self, change: Callable[[str], str] = lambda text: text) -> None:
        """The sandbox's own configuration, changed as the test wants it."""
        dialect = "oauth2" if self.dialect == "oauth2" else "connect"
        self.config.write_text(change(config_text(self.sandbox, dialect)))

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        env: dict[str, str | None] | None = None,
        before: Callable[[], object] = nothing,
    ) -> Ran:
        """Run one command line to its end; `before` is done first in its process, unless that is a real one."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place / "home"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TEST_NOW": self.sandbox.clock.now().isoformat(),
            "TEST_CONTROL": self.sandbox.urls.plex_url,
            **{f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(self.sandbox).items()},
            **self.environment,
        }
        for name, value in (env or {}).items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        state = ["--state", str(self.state)] if self.state_named else []
        # A command takes one configuration: advice that names another is followed with that one.
        config = [] if "--config" in arguments else ["--config", str(self.config)]
        named = [*config, *state, *arguments]
        if not self.real_process:
            limit = environment.get("TEST_FILE_SIZE")
            now = datetime.fromisoformat(environment["TEST_NOW"])
            if limit is None and before is nothing:
                # Waits move the sandbox's clock by a call, behind the calls that other threads have in the air.
                time = SandboxTime(now, self.sandbox.urls.plex_url)
                within = run_in_process(named, environment=environment, stdin=stdin, clock=time)
                return Ran(within.code, within.out, within.err)
            ended = run_forked(
                named,
                environment=environment,
                stdin=stdin,
                clock=lambda: SandboxTime(now, self.sandbox.urls.plex_url),
                before=lambda: (limit_file_size(limit), before()),
            )
            return Ran(ended.code, ended.out, ended.err)
        done = subprocess.run(
            [sys.executable, str(DRIVER), *named],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def later(self, **span: float) -> None:
        """Let time pass: deliveries and suppliers' answers happen."""
        self.sandbox.advance(timedelta(**span))

    def answer(self, set_id: str, *segments: tuple[str, ...], supplier: int = 0, broken_json: bool = False) -> None:
        """A supplier sends one transaction set out of the blue; listed at Stedi after a few minutes.

        `broken_json`: what Stedi made of it is no JSON, only the X12 behind it can be read.
        """
        with self.sandbox.lock:
            store, now = self.sandbox.stedi, self.sandbox.clock.now()
            partnership = store.partnerships[self.sandbox.sample_data.partners[supplier].partnership_id]
            text = store.compose(partnership, set_id, segments, "T", now)
            store.receive(text, partnership=partnership, at=now)
            if broken_json:
                store.files.put(f"{store.processed[-1].id}-output", "application/json", b'{"heading": {"trunc')
        self.later(minutes=5)

    def sent(self, number: str) -> list[GeneratedDocument]:
        """The documents that Stedi generated for an order, in the order sent."""
        return [d for d in self.sandbox.generated() if number_of(d) == number]

    def numbers_sent(self) -> list[str]:
        """Numbers of the orders that a document went out for, in the order sent."""
        return [number_of(document) for document in self.sandbox.generated()]

    def writes(self, number: str) -> list[PlexWrite]:
        """What was written to an order in Plex, as far as it changed anything."""
        return [w for w in self.sandbox.plex.writes if w.order == number and w.effective]


def number_of(document: GeneratedDocument) -> str:
    """The order number in a document's BEG03 or BCH03."""
    return re.search(r"~(?:BEG|BCH)\*[^*]*\*[^*]*\*([^*~]*)", document.edi)[1]


MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[MakeBench]:
    """Benches of any size, with any suppliers; closed after the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(
            *,
            orders: int = 6,
            suppliers: int = 2,
            characters: tuple[Character, ...] = (Character.PROMPT,),
            edge_cases: tuple[EdgeCase, ...] = (),
            dialect: str = "connect",
        ) -> Bench:
            sample_data = sample_tenant(orders, suppliers, 7, START, characters=characters, edge_cases=edge_cases)
            sandbox = Sandbox(sample_data, SandboxClock.manual(START))
            stack.enter_context(sandbox.serve())
            place = tmp_path / f"bench{len(list(tmp_path.iterdir()))}"
            place.mkdir()
            bench = Bench(sandbox, place, dialect)
            bench.write_config()
            return bench

        yield make


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """Six orders of two suppliers that agree to everything."""
    return make_bench()


@pytest.fixture
def two(make_bench: MakeBench) -> Bench:
    """One order sent and delivered, and a second one, copied from it, that is due."""
    bench = make_bench(orders=1, suppliers=1, characters=(Character.SILENT,))
    assert bench.run("run").code == 0
    bench.later(minutes=10)
    assert bench.run("run").code == 0
    like = bench.numbers_sent()[0]
    with bench.sandbox.lock:
        order = copy_order(bench.sandbox.plex.order(like), "PO-777", bench.sandbox.clock.now())
        bench.sandbox.plex.add_order(order)
    bench.later(minutes=5)
    return bench


@pytest.fixture
def up_to_date(bench: Bench) -> Bench:
    """Nothing is due: the orders are sent, delivered and acknowledged."""
    bench.run("run")
    bench.later(hours=3)
    assert bench.run("run").code == 0
    bench.later(minutes=20)
    assert bench.run("run").code == 0
    return bench
