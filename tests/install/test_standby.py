"""The fail-over drill: host A dies, B restores the state that Litestream copied. Nothing twice, nothing lost.

Everything is real but Plex, Stedi and Amazon: `plexstedi` and Litestream are processes that are killed with SIGKILL,
and the storage is moto's S3 server on loopback.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
import yaml

from plexstedi.sandbox.config_text import secrets
from plexstedi.sandbox.faults import Call
from plexstedi.sandbox.plex.store import PlexWrite, copy_order
from plexstedi.sandbox.web import ConnectionDropped
from tests.commands.conftest import DRIVER, Bench, MakeBench
from tests.commands.conftest import make_bench as _make_bench

make_bench = _make_bench
"""The fixture of the tests of commands."""

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "litestream.yml"
LITESTREAM = shutil.which("litestream", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
BUCKET = "plexstedi-drill"
KEYS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill", "AWS_REGION": "us-east-1"}
PATIENCE_SECONDS = 120.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(LITESTREAM is None, reason="there is no litestream here"),
]


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """The address of an S3 server with our bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "import sys; from moto.server import main; sys.exit(main())"]
    server = subprocess.Popen(
        [*program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: httpx.put(f"{url}/{BUCKET}").status_code == 200)
        yield url
    finally:
        server.kill()
        server.wait()


def litestream_settings(storage: str, copy: str) -> str:
    """The example's configuration of Litestream, with this storage and this path in its bucket."""
    text = re.sub(r"^(\s+)#(endpoint|force-path-style)", r"\1\2", EXAMPLE.read_text(), flags=re.MULTILINE)
    settings = yaml.safe_load(text)
    (database,) = settings["dbs"]
    database["replica"] |= {"bucket": BUCKET, "path": copy, "endpoint": storage}
    return str(yaml.safe_dump(settings))


def eventually(done: Callable[[], bool]) -> None:
    """Wait for another process."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if done():
                return
        time.sleep(0.02)
    raise AssertionError("it never came about")


@dataclass
class Host:
    """A host with its own disk: PlexStedi, and while it is active Litestream."""

    bench: Bench
    storage: str
    copy: str
    """The path in the bucket: both hosts of a pair have the same."""
    _litestream: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def write_settings(self) -> None:
        """The example's configuration of Litestream, with this storage and this disk."""
        settings = yaml.safe_load(litestream_settings(self.storage, self.copy))
        settings["socket"]["path"] = str(self.socket)
        (database,) = settings["dbs"]
        database["path"] = str(self.bench.state)
        self.settings.write_text(yaml.safe_dump(settings))

    @property
    def settings(self) -> Path:
        return self.bench.place / "litestream.yml"

    @property
    def socket(self) -> Path:
        return self.bench.place / "litestream.sock"

    def _call(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(LITESTREAM), *arguments],
            capture_output=True,
            text=True,
            env=KEYS,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def replicate(self) -> None:
        """Start to copy."""
        assert LITESTREAM is not None
        self._litestream = subprocess.Popen(
            [LITESTREAM, "replicate", "-config", self.settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=KEYS,
        )
        eventually(self.socket.exists)

    def copied(self) -> None:
        """Wait until all that is committed is copied."""
        self._call("sync", "-wait", "-socket", str(self.socket), str(self.bench.state))

    def kill_litestream(self) -> None:
        """SIGKILL."""
        if self._litestream is not None:
            self._litestream.kill()
            self._litestream.wait()
            self._litestream = None

    def restore(self) -> None:
        """What README says to do on the standby."""
        self._call("restore", "-config", str(self.settings), str(self.bench.state))

    def run_until(self, killed: Callable[[Call], bool], dying: Callable[[], None]) -> None:
        """One `run` in a process of its own that is killed at the first call that is meant; then `dying`."""
        bench = self.bench
        environment = {**bench_environment(bench), "TEST_NOW": bench.sandbox.clock.now().isoformat()}
        process = subprocess.Popen(
            [sys.executable, str(DRIVER), "--config", str(bench.config), "--state", str(bench.state), "run"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        dead = []

        def kill(call: Call) -> None:
            if not dead and killed(call):
                process.send_signal(signal.SIGKILL)
                process.wait()
                dead.append(call)
                dying()
            if dead:
                raise ConnectionDropped

        bench.sandbox.faults.on_call(kill)
        process.wait(timeout=PATIENCE_SECONDS)
        assert dead, "the run ended before that call"
        bench.sandbox.faults._hooks.remove(kill)


def bench_environment(bench: Bench) -> dict[str, str]:
    """As the bench gives it to a real process."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(bench.place / "home"),
        "PYTHONPATH": str(ROOT),
        "TEST_CONTROL": bench.sandbox.urls.plex_url,
        **{f"PLEXSTEDI_{name.upper().replace('-', '_')}": value for name, value in secrets(bench.sandbox).items()},
    }


def standby_of(host: Host) -> Host:
    """Another host, with the same configuration and an empty disk."""
    place = host.bench.place.with_name(f"{host.bench.place.name}-b")
    place.mkdir()
    shutil.copytree(host.bench.place, place, dirs_exist_ok=True, ignore=lambda _, names: [
        name for name in names if name.startswith((".", "state", "litestream"))
    ])  # fmt: skip
    other = replace(host, bench=replace(host.bench, place=place), _litestream=None)
    other.write_settings()
    return other


def carry_on(bench: Bench) -> list[int]:
    """Runs of the timer and what a person does when one says so, until nothing is left; the exit codes."""
    codes = []
    for _ in range(6):
        ran = bench.run("run", "--json")
        codes.append(ran.code)
        if ran.code == 3 and "unknown-file" in ran.out:
            assert bench.run("recover", "--yes", "--json").code in (0, 3)
        bench.later(hours=1)
    return codes


def result(bench: Bench) -> dict[str, object]:
    """What the outside has seen: documents per order, and what Plex has of each order in the end."""
    sent = Counter(bench.numbers_sent())
    written: dict[str, object] = {}
    for number in sent:
        written[number] = sorted(
            (write.object, write.line or 0, write.release or 0, values_of(write)) for write in bench.writes(number)
        )
    return {"sent": dict(sent), "written": written}


@dataclass(frozen=True)
class Death:
    """Where host A dies: at the n-th call of this kind, before or after the service has processed it."""

    phase: str
    origin: str
    path: str
    method: str
    number: int

    def counted(self) -> Callable[[Call], bool]:
        """True at that call."""
        seen = 0

        def is_it(call: Call) -> bool:
            nonlocal seen
            if (call.phase, call.origin, call.method) != (self.phase, self.origin, self.method):
                return False
            if not re.search(self.path, call.path):
                return False
            seen += 1
            return seen == self.number

        return is_it


def values_of(write: PlexWrite) -> list[str]:
    """What was written, without the acknowledgment's id and time: they are others in each sandbox."""
    differs = ("EDI_Ack_Reference", "EDI_Acknowledged_At")
    return sorted(f"{name}={value}" for name, value in write.after.items() if name not in differs)


SEND, FEED, SAVE = "/generate-edi$", "transactions", "field-values/save$"
DEATHS = {
    "before the first document": Death("before", "stedi", SEND, "POST", 1),
    "a document was sent and nobody heard it": Death("after", "stedi", SEND, "POST", 2),
    "acknowledgments were listed": Death("after", "stedi", FEED, "GET", 1),
    "Plex has a write that nobody heard": Death("after", "plex", SAVE, "POST", 1),
}
IN_TIME, AT_ONCE, BEHIND = "all is copied", "Litestream dies with it", "Litestream had died before the run"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the outside has seen where no host died."""
    # The fixture is a function's; this one serves all.
    made = make_bench.__wrapped__(tmp_path_factory.mktemp("undisturbed"))  # type: ignore[attr-defined]
    bench = next(made)(orders=6, suppliers=2)
    assert bench.run("poll").code == 0
    assert bench.run("run").code == 0
    bench.later(hours=3)
    carry_on(bench)
    made.close()
    return result(bench)


@pytest.mark.parametrize(
    ("death", "lag"),
    [
        ("before the first document", AT_ONCE),
        ("a document was sent and nobody heard it", IN_TIME),
        ("a document was sent and nobody heard it", BEHIND),
        ("acknowledgments were listed", AT_ONCE),
        ("Plex has a write that nobody heard", IN_TIME),
        ("Plex has a write that nobody heard", BEHIND),
    ],
)
def test_the_standby_goes_on_where_the_host_died(
    make_bench: MakeBench, storage: str, undisturbed: dict[str, object], death: str, lag: str
) -> None:
    a = Host(make_bench(orders=6, suppliers=2), storage, f"{list(DEATHS).index(death)}-{lag[:3]}")
    a.write_settings()
    bench = a.bench
    assert bench.run("poll").code == 0
    a.replicate()
    if DEATHS[death].path != SEND:
        assert bench.run("run").code == 0
        bench.later(hours=3)
    a.copied()
    try:
        if lag == BEHIND:
            a.kill_litestream()
        a.run_until(DEATHS[death].counted(), a.kill_litestream if lag == AT_ONCE else lambda: None)
        if lag == IN_TIME:
            a.copied()
    finally:
        a.kill_litestream()
    before = len(bench.sandbox.generated())

    b = standby_of(a)
    b.restore()
    codes = carry_on(b.bench)
    assert codes[-1] == 0, codes
    assert (3 in codes) is (lag == BEHIND and before > 0 and DEATHS[death].path == SEND), "recover only where needed"
    assert result(b.bench) == undisturbed
    assert b.bench.run("audit", "verify").code == 0
    shown = b.bench.run("status", "--check", "--json")
    assert (shown.code, shown.json["waiting"], shown.json["unwritten"]) == (0, [], [])


def test_a_planned_move_loses_nothing_and_needs_nothing(
    make_bench: MakeBench, storage: str, undisturbed: dict[str, object]
) -> None:
    """README: stop the timer, sync, stop Litestream, restore there."""
    a = Host(make_bench(orders=6, suppliers=2), storage, "planned")
    a.write_settings()
    assert a.bench.run("poll").code == 0
    a.replicate()
    try:
        assert a.bench.run("run").code == 0
        a.copied()
    finally:
        a.kill_litestream()
    b = standby_of(a)
    b.restore()
    heads = [json_head(host.bench) for host in (a, b)]
    assert heads[0] == heads[1], "the audit trail goes on with the same event"
    b.bench.later(hours=3)
    assert set(carry_on(b.bench)) == {0}
    assert result(b.bench) == undisturbed


def json_head(bench: Bench) -> object:
    """The head of the audit trail."""
    return bench.run("status", "--json").json["audit_head"]


def test_a_host_that_comes_back_with_its_old_state_sends_nothing(make_bench: MakeBench, storage: str) -> None:
    """B took over; A is started again by mistake. A new order that B has sent is not sent by A, too."""
    a = Host(make_bench(orders=2, suppliers=1), storage, "two")
    a.write_settings()
    assert a.bench.run("run").code == 0
    a.replicate()
    try:
        a.copied()
    finally:
        a.kill_litestream()
    b = standby_of(a)
    b.restore()
    bench = b.bench
    bench.later(hours=1)
    with bench.sandbox.lock:
        like = bench.sandbox.plex.order(bench.numbers_sent()[0])
        bench.sandbox.plex.add_order(copy_order(like, "PO-900", bench.sandbox.clock.now()))
    bench.later(minutes=10)
    assert bench.run("run").code == 0
    bench.later(minutes=10)
    came_back = a.bench.run("run", "--json")
    assert came_back.code == 3
    assert "unknown-file" in came_back.out
    assert bench.numbers_sent().count("PO-900") == 1
