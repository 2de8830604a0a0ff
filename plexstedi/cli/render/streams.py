"""None"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO, TypeVar

from plexstedi.errors import EnvironmentFault, ExitCode
from plexstedi.plain_text import fitted, one_line, visible, visible_json

_ONLY_SHOW = {"plexstedi", "status", "check", "review list", "review show", "audit export", "credentials list"}


_FILE_OPTIONS = ("--config", "--state", "--html", "--dir")
"""Options whose value is a file name: its bytes must stay what they are."""


Code = TypeVar("Code", bound=int)


def open_missing_descriptors() -> None:
    """Give each of descriptors 0, 1 and 2 that is closed the null device.

    Else the next file that is opened (the state file) becomes a standard stream of everything that writes to one.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is the one given out, and those below are taken by now.
            opened = os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
            os.set_inheritable(opened, True)


@dataclass
class _Sink:
    """Where a stream's text goes, until it can take no more."""

    stream: TextIO | None
    fault: OSError | None = None

    def put(self, text: str) -> None:
        if self.stream is None or self.fault is not None:
            return
        try:
            self.stream.write(text)
        except (OSError, ValueError) as error:
            self.give_up(error)

    def flush(self) -> None:
        if self.stream is None or self.fault is not None:
            return
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self.give_up(error)

    def give_up(self, error: OSError | ValueError) -> None:
        """Take nothing more. What is still buffered goes nowhere, so that nothing is raised when Python ends."""
        if isinstance(error, ValueError):
            # "I/O operation on closed file"; text that cannot be encoded does not come this far.
            if self.stream is None or not self.stream.closed:
                raise error
            error = OSError(errno.EBADF, os.strerror(errno.EBADF))
        self.fault = error
        with suppress(OSError, ValueError):
            assert self.stream is not None
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
            self.stream.flush()


class Guarded(io.TextIOBase):
    """A standard stream that shows whatever it is given, and never raises. A missing one takes everything."""

    def __init__(self, sink: _Sink, *, ours: bool = False) -> None:
        """`ours`: control characters pass, for what moves the cursor or colours text."""
        self._sink = sink
        self._ours = ours

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream behind it."""
        return getattr(self._sink.stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """How characters that cannot be written are shown; no other reader of this stream has to ask."""
        return "backslashreplace"

    def ours(self) -> Guarded:
        """The same stream for text that is wholly our own, or was made visible: its control characters pass."""
        return Guarded(self._sink, ours=True)

    @property
    def takes_text(self) -> bool:
        """Whether what is written still arrives, as far as is known: not when it failed, or nobody reads on."""
        return self._sink.fault is None

    def write(self, text: str, /) -> int:
        """Write what can be seen of it."""
        self._sink.put(fitted(text if self._ours else visible(text), self.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._sink.flush()

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether a person looks on; a missing stream is no terminal."""
        try:
            return self._sink.stream is not None and self._sink.stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        """Its descriptor. Raise OSError if it has none."""
        if self._sink.stream is None:
            raise io.UnsupportedOperation("this stream is closed")
        return self._sink.stream.fileno()


@dataclass(frozen=True)
class Streams:
    """The guarded streams of one command."""

    out: _Sink
    err: _Sink

    def ended(self, code: Code, command: str, arguments: Sequence[str]) -> Code | ExitCode:
        """Flush; the exit code to end with.

        It is that of the work. Only where the output was the whole purpose, and did not arrive, done becomes 1. A
        reader that went away (`| head`) has what it wanted.
        """
        try:
            self.out.flush()
        except KeyboardInterrupt:
            # The reader does not read (a pager that waits): what is left goes nowhere.
            self.out.give_up(InterruptedError(errno.EINTR, os.strerror(errno.EINTR)))
            return ExitCode.INTERRUPTED
        fault = self.out.fault
        if fault is None or fault.errno == errno.EPIPE:
            self.err.flush()
            return code
        only_shown = _only_shows(command, arguments)
        print(f"plexstedi: the output could not be written: {fault.strerror or fault}", file=sys.stderr)
        done = "Nothing was changed" if only_shown else "Completed work is kept"
        print(f"  fix: {done}. Free space at the output location, or redirect the output.", file=sys.stderr)
        self.err.flush()
        return ExitCode.INTERNAL if only_shown and code == ExitCode.DONE else code


def _only_shows(command: str, arguments: Sequence[str]) -> bool:
    """Whether a command line does nothing but print; a page that is written, or a monitor's question, is more."""
    if {"--dry-run", "--help", "-h", "--version"} & set(arguments):
        return True
    elsewhere = any(word == "--check" or word.startswith("--html") for word in arguments)
    return command in _ONLY_SHOW and not elsewhere


@contextmanager
def guarded_streams() -> Iterator[Streams]:
    """Put guards before the standard streams of this process, and take them away at the end."""
    before = sys.stdin, sys.stdout, sys.stderr
    streams = Streams(_Sink(sys.stdout), _Sink(sys.stderr))
    sys.stdout, sys.stderr = Guarded(streams.out), Guarded(streams.err)
    if sys.stdin is None:
        sys.stdin = io.StringIO()
    elif isinstance(sys.stdin, io.TextIOWrapper):
        # What is typed in another encoding is looked at by whoever reads it, as arguments are.
        sys.stdin.reconfigure(errors="surrogateescape")
    try:
        yield streams
    finally:
        streams.out.flush()
        streams.err.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def ours(stream: TextIO) -> TextIO:
    """This stream for text whose control characters are our own."""
    return stream.ours() if isinstance(stream, Guarded) else stream  # type: ignore[return-value]


def takes_text(stream: TextIO) -> bool:
    """Whether it is worth to write more to this stream."""
    return stream.takes_text if isinstance(stream, Guarded) else True


def print_json(text: str) -> None:
    """JSON on stdout, as every reader takes it: valid in whatever encoding the stream has."""
    print(visible_json(text, sys.stdout.encoding or "utf-8"))


def locale_fault(error: Exception) -> EnvironmentFault | None:
    """What to say of a file name that the locale of this process has no characters for; None for another error."""
    encoding = codecs.lookup(sys.getfilesystemencoding()).name
    if (
        not isinstance(error, UnicodeEncodeError)
        or encoding == "utf-8"
        or codecs.lookup(error.encoding).name != encoding
    ):
        return None
    return EnvironmentFault(
        f"the file name {error.object!r} has characters that the locale ({encoding}) cannot represent",
        fix="Set PYTHONUTF8=1, or LC_ALL to a UTF-8 locale such as C.UTF-8.",
    )


def as_text(arguments: Sequence[str]) -> list[str]:
    """Arguments as text that can be stored and sent: bytes that are not of the locale are read as UTF-8, else shown as
    escapes. File names stay as they are."""
    return [
        argument if _is_file_name(arguments, index) else _as_text(argument) for index, argument in enumerate(arguments)
    ]


def _is_file_name(arguments: Sequence[str], index: int) -> bool:
    before = arguments[index - 1] if index else ""
    return before in _FILE_OPTIONS or arguments[index].startswith(tuple(f"{option}=" for option in _FILE_OPTIONS))


def _as_text(argument: str) -> str:
    if not any("\ud800" <= character <= "\udfff" for character in argument):
        return argument
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return "".join(visible(c) if "\ud800" <= c <= "\udfff" else c for c in argument)


def progress_reporter(*, enabled: bool) -> Callable[[str, int, int], None]:
    """A function that is told stage, done and total; it rewrites one line of stderr when that is a terminal."""
    if not (enabled and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        return lambda stage, done, total: None

    def report(stage: str, done: int, total: int) -> None:
        text = one_line(f"{stage}: {done} of {total}") if done < total else ""
        stream = ours(sys.stderr)
        stream.write(f"\r\x1b[K{text}")
        stream.flush()

    return report
