"""Standard streams that never raise and show only visible text; argument decoding."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO, TypeVar

from msgspec import Struct

from plexstedi.errors import EnvironmentFault, ExitCode
from plexstedi.plain_text import fitted, visible, visible_json

_ONLY_SHOW = {"plexstedi", "status", "check", "review list", "review show", "audit export", "credentials list"}


_FILE_OPTIONS = ("--config", "--state", "--html", "--dir")
"""Options whose value is a file name: its bytes must not be changed."""


Code = TypeVar("Code", bound=int)


def open_missing_descriptors() -> None:
    """Open the null device for each closed descriptor among 0, 1 and 2.

    Otherwise the next opened file (the state file) would become a standard stream.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # open() returns the lowest free number, and all lower ones are open by now.
            opened = os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
            os.set_inheritable(opened, True)


class _Sink(Struct):
    """The target of a stream, until it fails."""

    stream: TextIO | None
    fault: OSError | None = None

    def put(self, text: str) -> None:
        if self.stream is None or self.fault is not None:
            return
        try:
            self.stream.write(text)
        except (OSError, ValueError) as error:
            self.discard(error)

    def flush(self) -> None:
        if self.stream is None or self.fault is not None:
            return
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self.discard(error)

    def discard(self, error: OSError | ValueError) -> None:
        """Stop writing and discard what is buffered, so that Python raises nothing at exit."""
        if isinstance(error, ValueError):
            # "I/O operation on closed file"; text that cannot be encoded never gets here.
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
    """A standard stream that makes text visible and never raises. A missing stream discards everything."""

    def __init__(self, sink: _Sink, *, ours: bool = False) -> None:
        """`ours`: control characters are kept, for cursor movement and colours."""
        self._sink = sink
        self._ours = ours

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the underlying stream."""
        return getattr(self._sink.stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """How unencodable characters are shown; informational only."""
        return "backslashreplace"

    def ours(self) -> Guarded:
        """The same stream for text of our own or already made visible: control characters are kept."""
        return Guarded(self._sink, ours=True)

    @property
    def takes_text(self) -> bool:
        """Whether output still arrives, as far as known: false after an error or a closed pipe."""
        return self._sink.fault is None

    def write(self, text: str, /) -> int:
        """Write the text with invisible characters escaped."""
        self._sink.put(fitted(text if self._ours else visible(text), self.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush what is buffered."""
        self._sink.flush()

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether it is a terminal; a missing stream is not."""
        try:
            return self._sink.stream is not None and self._sink.stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        """Its descriptor. Raise OSError if it has none."""
        if self._sink.stream is None:
            raise io.UnsupportedOperation("this stream is closed")
        return self._sink.stream.fileno()


class Streams(Struct, frozen=True):
    """The guarded streams of one command."""

    out: _Sink
    err: _Sink

    def ended(self, code: Code, command: str, arguments: Sequence[str]) -> Code | ExitCode:
        """Flush; return the exit code.

        It is the code of the command. Only if printing was the sole purpose and failed, 0 becomes 1. A closed pipe (`|
        head`) does not count as a failure.
        """
        try:
            self.out.flush()
        except KeyboardInterrupt:
            # Interrupted while the reader does not read (a waiting pager): discard the rest.
            self.out.discard(InterruptedError(errno.EINTR, os.strerror(errno.EINTR)))
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
    """Whether a command does nothing but print; not if it writes a page or sets an exit code for monitors."""
    if {"--dry-run", "--help", "-h", "--version"} & set(arguments):
        return True
    elsewhere = any(word == "--check" or word.startswith("--html") for word in arguments)
    return command in _ONLY_SHOW and not elsewhere


@contextmanager
def guarded_streams() -> Iterator[Streams]:
    """Replace the standard streams of this process by guarded ones, and restore them at the end."""
    before = sys.stdin, sys.stdout, sys.stderr
    streams = Streams(_Sink(sys.stdout), _Sink(sys.stderr))
    sys.stdout, sys.stderr = Guarded(streams.out), Guarded(streams.err)
    if sys.stdin is None:
        sys.stdin = io.StringIO()
    elif isinstance(sys.stdin, io.TextIOWrapper):
        # Input in another encoding is validated by its consumer, like arguments.
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
    """Whether further output to this stream is useful."""
    return stream.takes_text if isinstance(stream, Guarded) else True


def print_json(text: str) -> None:
    """JSON on stdout, valid in whatever encoding the stream has."""
    print(visible_json(text, sys.stdout.encoding or "utf-8"))


def locale_fault(error: Exception) -> EnvironmentFault | None:
    """The fault for a file name that the locale cannot encode; None for another error."""
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
    """Arguments as text that can be stored and sent: bytes invalid in the locale are read as UTF-8, else escaped.
    File names are unchanged."""
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
