"""One run of the client in a process of its own, which can be killed with SIGKILL at every point of it.

The process is forked from one that has everything imported, and speaks with the sandbox in its parent through a pipe.
It stops at each point: at every commit of the state, and at every HTTP call before it is processed and when it is
processed and not yet heard. There it is killed; or it forks, its twin is killed, and it goes on to the next point.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn

import httpx

import plexstedi.state.file.database as database
from plexstedi.errors import PlexStediError
from plexstedi.sandbox.clock import SandboxClock
from tests.crash.direct import Answered, Direct, called, response, through
from tests.crash.world import World

COMMIT, DIE_AS_TWIN, GO_ON, END = "commit", "die as twin", "go on", "end"
"""What the two ends of the pipe say beside calls and their answers."""


@dataclass(frozen=True)
class Point:
    """Where to die: at the n-th commit of the state, or the n-th HTTP call before or after its processing."""

    kind: str
    number: int


class _Gone(Exception):
    """The client is no more."""


class Client:
    """The sandbox's end: the client's process and the pipe to it."""

    def __init__(self, pid: int, pipe: Connection) -> None:
        self._pid, self._pipe = pid, pipe

    def kill(self) -> NoReturn:
        """Kill it where it is. Nobody is answered any more."""
        os.kill(self._pid, signal.SIGKILL)
        raise _Gone

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Nothing in it goes on meanwhile: what it has written is what a SIGKILL now would leave.

        One of its threads waits at the point; the others, which write the state or make other calls, would not.
        """
        os.kill(self._pid, signal.SIGSTOP)
        os.waitpid(self._pid, os.WUNTRACED)
        try:
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    def kill_twin(self) -> None:
        """Kill a process that is all that the client is now; the client itself waits for what is said next."""
        self._pipe.send(DIE_AS_TWIN)
        assert _was_killed(self._pipe.recv())


def one_run(world: World, reach: Callable[[Client, Point], None]) -> bool:
    """One run. `reach` is called at each point while the client waits there. Whether the client lived to its end."""
    ours, theirs = Pipe()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _be_the_client(world, theirs)
    theirs.close()
    client, points = Client(pid, ours), Counter[str]()

    def point(kind: str) -> None:
        points[kind] += 1
        reach(client, Point(kind, points[kind]))

    # A copy of the sandbox that is forked off at a point goes on without any more of them.
    stopping = [os.getpid()]
    world.sandbox.on_call(lambda call: point(call.phase) if stopping == [os.getpid()] else None)
    try:
        _serve(ours, Direct(world.sandbox), point)
    except _Gone:
        alive = False
    else:
        alive = True
    finally:
        ours.close()
        stopping.clear()
    _, status = os.waitpid(pid, 0)
    assert alive or _was_killed(status), "it ended before it was killed"
    assert not alive or status == 0, "it failed; see above"
    return alive


def _was_killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _serve(pipe: Connection, sandbox: Direct, point: Callable[[str], None]) -> None:
    """Answer the client until it says that it is done."""
    while True:
        said = pipe.recv()
        if said == END:
            return
        if said == COMMIT:
            point(COMMIT)
            pipe.send(GO_ON)
        else:
            pipe.send(sandbox.answer(said))


@dataclass
class _Line(httpx.BaseTransport):
    """The client's end: its only way to the sandbox, and where it is stopped."""

    pipe: Connection
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Several threads call at once, and one of them commits: each has the pipe for a whole exchange."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.pipe.send(called(request))
            answered: Answered = self._wait()
        return response(answered, request)

    def commit(self) -> None:
        with self._lock:
            self.pipe.send(COMMIT)
            self._wait()

    def _wait(self) -> object:
        while (said := self.pipe.recv()) == DIE_AS_TWIN:
            twin = os.fork()
            if twin == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.pipe.send(os.waitpid(twin, 0)[1])
        return said


def _be_the_client(world: World, pipe: Connection) -> NoReturn:
    line = _Line(pipe)
    stop_at_commits(line.commit)
    try:
        with through(line):
            world.run_once(SandboxClock.manual(world.sandbox.clock.now()))
    except PlexStediError as fault:
        print(f"client: {fault.message}", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    pipe.send(END)
    os._exit(0)


def stop_at_commits(stop: Callable[[], None]) -> None:
    """Stop before each commit of the state file in this process: COMMIT, and writes outside a transaction."""
    real = database._connect

    def connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = real(name, uri=uri)

        def trace(statement: str) -> None:
            word = statement.lstrip().split(None, 1)[0].upper() if statement.strip() else ""
            alone = word in ("INSERT", "UPDATE", "DELETE") and not connection.in_transaction
            if word == "COMMIT" or alone:
                stop()

        connection.set_trace_callback(trace)
        return connection

    database._connect = connect
