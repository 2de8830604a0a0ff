"""The log on stderr: as text, as JSON, or for systemd's journal; one line per document and decision, and per call.

What is logged: ids and states, never a payload. Everything passes `redacted`. The last lines are kept for the monitor
that `alerts.ping_url` names.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO, TypeAlias

from plexstedi.internal import redacted
from plexstedi.plain_text import one_line

Fact: TypeAlias = "str | int | bool | None"
TAIL_BYTES = 10_000
_SHORTEST_LINE = len("2026-11-23 07:00:00 INFO x \n")

_FACTS = "plexstedi_facts"
_QUIET = ("httpx", "httpcore", "keyring", "asyncio")
"""Their debug output contains URLs and headers."""
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class LogFormat(StrEnum):
    """`--log-format`."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class _Form(StrEnum):
    TEXT = "text"
    JSON = "json"
    JOURNAL = "journal"


def form_of(given: LogFormat, env: Mapping[str, str], stream: TextIO) -> _Form:
    """The form of the log. systemd names the journal's socket in `JOURNAL_STREAM`, as device and inode."""
    if given is not LogFormat.AUTO:
        return _Form(given)
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return _Form.TEXT
    return _Form.JOURNAL if env.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}" else _Form.TEXT


def _facts(record: logging.LogRecord) -> dict[str, Fact]:
    facts: dict[str, Fact] = getattr(record, _FACTS, {})
    return {name: value for name, value in facts.items() if value is not None}


def _message(record: logging.LogRecord) -> str:
    return redacted(record.getMessage())


def _as_line(record: logging.LogRecord) -> str:
    """One line: foreign text cannot imitate a line of the log."""
    facts = "".join(f" {name}={value}" for name, value in _facts(record).items() if name != "event")
    return one_line(_message(record) + redacted(facts))


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_at(record):%Y-%m-%d %H:%M:%S} {record.levelname} {record.name} {_as_line(record)}"


class _Journal(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        priority = _PRIORITIES.get(record.levelno, 6)
        lines = _message(record).splitlines() if getattr(record, "plexstedi_whole", False) else [_as_line(record)]
        return "\n".join(f"<{priority}>{line}" for line in lines)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": _at(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **{name: redacted(value) if isinstance(value, str) else value for name, value in _facts(record).items()},
        }
        return json.dumps(told)


def _at(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


class _Tail(logging.Handler):
    """Keeps what the last lines are made of: they are written when they are asked for, which most runs never do."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._records: deque[dict[str, object]] = deque(maxlen=TAIL_BYTES // _SHORTEST_LINE)

    def emit(self, record: logging.LogRecord) -> None:
        # The message, since what it mentions may change. No traceback: it would keep all that its functions knew.
        self._records.append(
            {
                "created": record.created,
                "levelname": record.levelname,
                "name": record.name,
                "msg": record.getMessage(),
                _FACTS: getattr(record, _FACTS, {}),
            }
        )

    def text(self) -> str:
        lines: deque[bytes] = deque()
        size = 0
        for record in reversed(self._records):
            line = _Text().format(logging.makeLogRecord(record)).encode(errors="backslashreplace")[:TAIL_BYTES] + b"\n"
            size += len(line)
            if size > TAIL_BYTES:
                break
            lines.appendleft(line)
        return b"".join(lines).decode(errors="replace")


class _Setup:
    """How this process logs."""

    form: _Form = _Form.TEXT
    handler: logging.Handler | None = None
    tail: _Tail | None = None


_setup = _Setup()


def configure(given: LogFormat, *, verbose: bool, quiet: bool, env: Mapping[str, str]) -> None:
    """Begin to log on stderr. As text, only errors unless `verbose`: what a run did is printed as its result."""
    root = logging.getLogger()
    for former in (_setup.handler, _setup.tail):
        if former is not None:
            root.removeHandler(former)
    _setup.form = form_of(given, env, sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter({_Form.TEXT: _Text, _Form.JSON: _Json, _Form.JOURNAL: _Journal}[_setup.form]())
    told = logging.ERROR if quiet or _setup.form is _Form.TEXT else logging.INFO
    handler.setLevel(logging.DEBUG if verbose else told)
    _setup.handler, _setup.tail = handler, _Tail()
    root.addHandler(handler)
    root.addHandler(_setup.tail)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def is_json() -> bool:
    """Whether stderr has one JSON object per line."""
    return _setup.form is _Form.JSON


def log_event(kind: str, message: str, *, routine: bool = False, **facts: Fact) -> None:
    """Log what was done or decided about one record; `routine`: only of interest when a fault is searched."""
    level = logging.DEBUG if routine else logging.INFO
    _events.log(level, "%s", message, extra={_FACTS: {"event": kind, **facts}})


def call_facts(**facts: Fact) -> dict[str, object]:
    """The `extra` of a log line about a call."""
    return {_FACTS: facts}


def complain(level: int, text: str, fit: Callable[[str], str], **facts: Fact) -> None:
    """Print a fault or warning on stderr: as text it is fitted to the terminal, else it is an entry of the log."""
    text = redacted(text)
    if _setup.form is _Form.TEXT:
        print(fit(text), file=sys.stderr)
        return
    record = logging.LogRecord("plexstedi", level, __file__, 0, "%s", (text,), None)
    setattr(record, _FACTS, facts)
    record.plexstedi_whole = True
    if _setup.handler is not None:
        _setup.handler.handle(record)


def tail() -> str:
    """The last 10 kB of the log at level INFO, redacted."""
    return "" if _setup.tail is None else _setup.tail.text()


_events = logging.getLogger("plexstedi.events")
