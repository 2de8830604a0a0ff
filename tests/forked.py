"""A command line in a process of its own without the second that starting Python takes: a fork of the test's process.

The child has its own environment, standard streams and clock, and ends without running anything of the test's. The few
tests that are about the process itself (signals, imports, `python -m`) start a real one.
"""

from __future__ import annotations

import gc
import importlib
import io
import math
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import typer.main
from pydantic import BaseModel, TypeAdapter

import plexstedi.cli.invocation as invocation
import plexstedi.cli.main as program
import plexstedi.sync.setup as setup
from plexstedi.cli.main import run
from plexstedi.clock import Clock

# What commands load lazily is loaded here once, so that no child does it again.
for _lazily in (
    *(f"plexstedi.cli.{command}" for command in program._COMMANDS),
    *("plexstedi.sync.people.alerts", "plexstedi.sync.setup", "plexstedi.sync.run", "plexstedi.http.network"),
    *("plexstedi.sync.ingest.decide_received", "plexstedi.sync.ingest.received_form", "plexstedi.sync.writeback.apply"),
    *("plexstedi.sync.submit.due_invoices", "plexstedi.sync.submit.due_orders"),
):
    importlib.import_module(_lazily)


def _build_models(above: type[BaseModel]) -> None:
    for model in above.__subclasses__():
        if model.__module__.startswith("plexstedi."):
            model.model_rebuild()
        _build_models(model)


# So are the validators, which are built when first used, and the tree of commands.
_build_models(BaseModel)
for _adapter in gc.get_objects():
    if type(_adapter) is TypeAdapter:
        _adapter.rebuild()
program._register([])
_tree = typer.main.get_command(program.app)
_build_tree = typer.main.get_command
typer.main.get_command = lambda app: _tree if app is program.app else _build_tree(app)

_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """How it ended and what it said."""

    code: int
    out: str
    err: str


def run_forked(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: str = "",
    clock: Callable[[], Clock] | None = None,
    before: Callable[[], None] = lambda: None,
) -> Ended:
    """Run one command line to its end in a forked process; `before` is done in it first."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        with warnings.catch_warnings():
            # The threads of this process are the sandbox's; the child talks to them over HTTP only.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _child(arguments, environment, (given.fileno(), out.fileno(), err.fileno()), clock, before)
        code = os.waitstatus_to_exitcode(_wait(pid))
        out.seek(0)
        err.seek(0)
        return Ended(code, *(said.read().decode(errors="surrogateescape") for said in (out, err)))


def run_to_its_end(arguments: Sequence[str]) -> int:
    """Run one command line in this process; its exit code, 99 if it raised anything but SystemExit."""
    try:
        code = run(list(arguments))
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 99
    return code


def _child(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    descriptors: tuple[int, int, int],
    clock: Callable[[], Clock] | None,
    before: Callable[[], None],
) -> None:
    code = 99
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8", line_buffering=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", line_buffering=True)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["plexstedi", *arguments]
        warnings.resetwarnings()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if clock is not None:
            invocation.clock_of_process = clock()
            # A wait is a step of the test's clock: no signal comes within it.
            setup._SLICE_SECONDS = math.inf
        # The child lives for a moment: to collect garbage would only copy the parent's memory.
        gc.freeze()
        gc.disable()
        before()
        code = run_to_its_end(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(pid: int) -> int:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"the command did not end within {_PATIENCE_SECONDS:.0f} s")
