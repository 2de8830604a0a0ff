"""A command line run within the test's own process: far cheaper than a process, for the many tests of whole commands.

It has its own environment, standard streams, clock and log, and nothing of it is left for the next command but what
Python keeps anyway: modules, and the caches of pure functions. Tests that are about the process itself (signals,
limits, imports, `python -m`, kill) run a forked one (`tests.forked`) or a real one.
"""

from __future__ import annotations

import gc
import io
import logging
import math
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path

import plexstedi.cli.invocation as invocation
import plexstedi.internal as internal
import plexstedi.sync.setup as setup
from plexstedi.clock import Clock
from tests.forked import Ended, run_to_its_end


def run_in_process(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: str = "",
    clock: Clock | None = None,
    folder: Path | None = None,
) -> Ended:
    """Run one command line to its end, as `run_forked` does, in `folder` if one is given."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        with ExitStack() as around:
            for borrowed in (
                _environment(environment),
                _streams(given.fileno(), out.fileno(), err.fileno()),
                _process_wide(arguments, clock),
                chdir(folder or Path.cwd()),
            ):
                around.enter_context(borrowed)
            code = run_to_its_end(arguments)
        out.seek(0)
        err.seek(0)
        return Ended(code, *(said.read().decode(errors="surrogateescape") for said in (out, err)))


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _streams(*given: int) -> Iterator[None]:
    """The standard descriptors, and Python's streams on them."""
    kept = [os.dup(number) for number in range(3)]
    before = sys.stdin, sys.stdout, sys.stderr
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8", line_buffering=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", line_buffering=True)
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for number, descriptor in enumerate(kept):
            os.dup2(descriptor, number)
            os.close(descriptor)


@contextmanager
def _process_wide(arguments: Sequence[str], clock: Clock | None) -> Iterator[None]:
    """The rest that a process has once: its name, clock, secrets known, log, warnings, interrupt and garbage."""
    argv, time, step = sys.argv, invocation.clock_of_process, setup._SLICE_SECONDS
    secrets = set(internal._secrets)
    loggers = [logging.getLogger(), logging.getLogger("plexstedi")]
    logs = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    collecting = gc.isenabled()
    gc.disable()
    sys.argv = ["plexstedi", *arguments]
    internal._secrets.clear()
    if clock is not None:
        invocation.clock_of_process = clock
        # A wait is a step of the test's clock: no signal comes within it.
        setup._SLICE_SECONDS = math.inf
    try:
        with warnings.catch_warnings():
            warnings.resetwarnings()
            yield
    finally:
        sys.argv, invocation.clock_of_process, setup._SLICE_SECONDS = argv, time, step
        internal._secrets.clear()
        internal._secrets.update(secrets)
        for logger, handlers, level, propagate in logs:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
        signal.signal(signal.SIGINT, interrupt)
        if collecting:
            gc.enable()
