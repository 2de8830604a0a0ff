"""What holds for every test."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import is_hypothesis_test

from tests.advice_texts import advice, followed, left
from tests.examples import choose

_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes: far more than all tests need at once."""

# No test needs a disk: what must be synced is watched call by call (tests/disk.py).
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
    os.environ["TMPDIR"] = str(_MEMORY)
    tempfile.tempdir = None


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Else each client reads them again, which takes longer than most tests.

    They are certifi's, whatever the machine of this run has; those that a test names by a variable are read each time.
    """
    with pytest.MonkeyPatch.context() as patch:
        for of_the_machine in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
            patch.delenv(of_the_machine, raising=False)
        once = functools.cache(httpx.create_ssl_context)
        patch.setattr(httpx, "create_ssl_context", once)
        yield


def pytest_configure(config: pytest.Config) -> None:
    choose(config.option.markexpr)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Property tests are part of the long tests too, and have all their examples there (`tests.examples`)."""
    if config.option.markexpr == "long":
        for item in items:
            if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
                item.add_marker(pytest.mark.long)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A whole run in which every test passed fails if some advice was followed by none (`tests.commands.advice`)."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["followed"] = sorted(followed)
    elif _is_whole(session.config) and session.exitstatus == pytest.ExitCode.OK and left(advice(), followed):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    followed.update(getattr(node, "workeroutput", {}).get("followed", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the advice that no test followed."""
    unfollowed = left(advice(), followed) if _is_whole(config) else []
    if unfollowed:
        terminalreporter.section("Advice that no test followed")
    for text in unfollowed:
        terminalreporter.line(f"{text.where}: {text.text}", red=True)


def _is_whole(config: pytest.Config) -> bool:
    """Whether every test of the normal suite runs."""
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword
    return not chosen and config.option.markexpr in ("", "not long and not browser") and not config.option.collectonly
