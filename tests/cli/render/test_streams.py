"""Whatever stdin, stdout and stderr are, a command neither fails for it nor says what is not so."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import warnings
from pathlib import Path

import pytest

import plexstedi.cli.main as main
from plexstedi.cli.render.streams import as_text, guarded_streams, locale_fault, ours, print_json, takes_text
from plexstedi.errors import ExitCode


class Failing(io.StringIO):
    """A stream that takes nothing, for this reason, when it is written to or only when it is flushed."""

    def __init__(self, number: int, *, late: bool) -> None:
        super().__init__()
        self.number, self.late = number, late
        self.tries = 0

    def write(self, text: str) -> int:
        if not self.late:
            self._fail()
        return len(text)

    def flush(self) -> None:
        if self.late:
            self._fail()

    def _fail(self) -> None:
        self.tries += 1
        raise OSError(self.number, os.strerror(self.number))


def shown_in(encoding: str, text: str, monkeypatch: pytest.MonkeyPatch, *, as_json: bool = False) -> bytes:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, write_through=True))
    with guarded_streams():
        print_json(text) if as_json else print(text)
    return raw.getvalue()


def test_a_stream_shows_what_its_encoding_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_in("ascii", "é…", monkeypatch) == b"\\xe9...\n"
    assert shown_in("iso-8859-1", "é…", monkeypatch) == b"\xe9...\n"
    assert shown_in("utf-8", "é…\x1b[0m\udcff", monkeypatch) == "é…\\x1b[0m\\udcff\n".encode()


def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_in("ascii", '"é🔩\u202e"', monkeypatch, as_json=True) == b'"\\u00e9\\ud83d\\udd29\\u202e"\n'
    assert shown_in("utf-8", '"é🔩\u202e\udcff"', monkeypatch, as_json=True) == '"é🔩\\u202e\\ufffd"\n'.encode()


def test_control_characters_of_our_own_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    with guarded_streams():
        ours(sys.stdout).write("\r\x1b[K")
        sys.stdout.write("\r\x1b[K")
    assert stream.getvalue() == "\r\x1b[K\\r\\x1b[K"
    assert ours(stream) is stream


def test_missing_streams_take_everything_and_are_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    with guarded_streams() as streams:
        print("out")
        print("err", file=sys.stderr)
        assert not sys.stdin.isatty()
        assert not sys.stdout.isatty()
        assert sys.stdin.read() == ""
        with pytest.raises(OSError, match="closed"):
            sys.stdout.fileno()
        assert streams.ended(3, "run", []) == 3
        assert streams.ended(0, "audit export", []) == 0
    assert sys.stdout is None


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("number", "command", "arguments", "code", "ends"),
    [
        (errno.ENOSPC, "run", [], 0, 0),
        (errno.ENOSPC, "run", ["--json"], 3, 3),
        (errno.EIO, "replay", [], 0, 0),
        (errno.ENOSPC, "review accept", [], 0, 0),
        (errno.ENOSPC, "audit export", [], 0, 1),
        (errno.EBADF, "status", [], 0, 1),
        (errno.ENOSPC, "status", ["--check"], 0, 0),
        (errno.ENOSPC, "status", ["--html=page.html"], 0, 0),
        (errno.ENOSPC, "status", [], 7, 7),
        (errno.ENOSPC, "review list", [], 0, 1),
        (errno.ENOSPC, "submit", ["--dry-run"], 0, 1),
        (errno.ENOSPC, "run", ["--help"], 0, 1),
        (errno.EPIPE, "status", [], 0, 0),
        (errno.EPIPE, "audit export", [], 0, 0),
        (errno.EPIPE, "run", [], 3, 3),
    ],
)
def test_only_where_the_output_was_all_is_its_loss_a_failure(
    number: int,
    command: str,
    arguments: list[str],
    code: int,
    ends: int,
    late: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", failing := Failing(number, late=late))
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())
    with guarded_streams() as streams:
        for _ in range(3):
            print("a line")
        assert streams.ended(ExitCode(code), command, arguments) == ends
        assert not takes_text(sys.stdout)
    assert failing.tries == 1, "what failed is not tried again"
    said = told.getvalue()
    if number == errno.EPIPE:
        assert said == "", "a reader that went away is no fault"
    else:
        assert os.strerror(number) in said
        assert ("Nothing was changed" in said) == (ends == 1 or code == 7)


@pytest.mark.parametrize("closed", [False, True])
def test_a_stderr_that_takes_nothing_changes_nothing(closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", failing := Failing(errno.ENOSPC, late=False))
    if closed:
        failing.close()
    with guarded_streams() as streams:
        print("log", file=sys.stderr)
        assert streams.ended(5, "run", []) == 5


@pytest.mark.parametrize("descriptors", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_descriptor_is_nobody_elses_file(descriptors: tuple[int, ...]) -> None:
    """The state file would get its number, and whatever a library or a child prints would land in it."""

    def look(arguments: list[str]) -> int:
        nowhere = [str(Path(f"/proc/self/fd/{each}").readlink()) == os.devnull for each in descriptors]
        return 0 if all(nowhere) and all(map(os.get_inheritable, descriptors)) else 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 99
        try:
            for each in descriptors:
                os.close(each)
            main.run = look
            main.main([])
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_ctrl_c_ends_the_wait_for_a_reader_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(io.StringIO):
        def flush(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdout", Stuck())
    with guarded_streams() as streams:
        print("more than the pipe holds")
        assert streams.ended(0, "status", []) == 130


@pytest.mark.parametrize(("locale", "foreseen"), [("ascii", True), ("iso8859-1", False), ("utf-8", False)])
def test_a_file_name_that_the_locale_has_not_is_foreseen(
    locale: str, foreseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: locale)
    with pytest.raises(UnicodeEncodeError) as caught:
        "/state/é".encode("ascii")
    fault = locale_fault(caught.value)
    assert (fault is not None) == foreseen
    assert fault is None or ("/state/é" in fault.message and "PYTHONUTF8=1" in fault.fix and fault.exit_code == 4)
    assert locale_fault(ValueError("another")) is None


def test_nothing_goes_around_the_guards() -> None:
    around = re.compile(r"sys\.__std|\bstd(?:out|err)\.buffer|os\.write\(\s*[12]\b|\bConsole\((?!.*file=ours\()")
    package = Path(main.__file__).parents[1]
    assert [file.name for file in package.rglob("*.py") if around.search(file.read_text())] == []


def test_arguments_that_are_no_text_become_some_and_file_names_stay() -> None:
    given = ["--state", "/tmp/\udcff", "--html=\udcff", "status", "\udcff\x1b", "--reason", "caf\udcc3\udca9", "plain"]
    assert as_text(given) == [
        *("--state", "/tmp/\udcff", "--html=\udcff", "status"),
        *("\\udcff\x1b", "--reason", "café", "plain"),
    ]
