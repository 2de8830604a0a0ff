"""The log: a line per document and decision with its ids, in the form that its reader takes, and never a content."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from plexstedi.logs import TAIL_BYTES, LogFormat, configure, form_of, log_event, tail
from plexstedi.sandbox.faults import FaultKind, FaultRule

from .conftest import Bench, MakeBench


def lines(err: str) -> list[dict]:
    """Each line is one object."""
    return [json.loads(line) for line in err.splitlines()]


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench(orders=3, suppliers=1)


def test_each_document_and_decision_has_a_line_with_its_ids_and_no_content(bench: Bench) -> None:
    first = lines(bench.run("run", "--log-format", "json").err)
    sent = [line for line in first if line.get("event") == "document-accepted"]
    assert {line["order"] for line in sent} == set(bench.numbers_sent())
    assert all(line["supplier"] and isinstance(line["document"], int) for line in sent)
    assert all(re.fullmatch(r"20..-..-..T[0-9:.]+Z", line["time"]) and line["level"] == "info" for line in sent)
    text = ""
    for _ in range(3):
        bench.later(hours=3)
        text += bench.run("--log-format=json", "run").err
    decided = [line for line in lines(text) if line.get("transaction")]
    assert decided, "an acknowledgment is told by its transaction"
    for content in ("ISA*", "~ST*", '"heading"', "PO1*"):
        assert content not in text


def test_a_run_that_found_nothing_to_do_logs_nothing(bench: Bench) -> None:
    for hours in (0, 3, 1):
        bench.later(hours=hours)
        bench.run("run")
    for form in ("text", "auto", "json"):
        assert bench.run("run", "--log-format", form).err == ""


def test_verbose_has_a_line_for_each_call(bench: Bench) -> None:
    told = lines(bench.run("run", "-v", "--log-format", "json").err)
    calls = [line for line in told if line["logger"] == "plexstedi.http"]
    assert {line["service"] for line in calls} == {"Plex", "Stedi"}
    assert all({"method", "path", "status", "milliseconds", "number"} <= set(line) for line in calls)
    assert all("?" not in line["path"] for line in calls)


def test_faults_and_warnings_are_objects_too(bench: Bench) -> None:
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="plex", times=None))
    ran = bench.run("run", "--log-format", "json")
    (fault,) = [line for line in lines(ran.err) if line["level"] == "error"]
    assert (fault["code"], "Plex" in fault["message"], "fix:" in fault["message"]) == ("unavailable", True, True)
    wrong = bench.run("run", "--log-format", "json", "--nonsense")
    assert (wrong.code, lines(wrong.err)[0]["level"]) == (2, "error")


def test_under_systemd_each_line_has_its_priority(bench: Bench, tmp_path: Path) -> None:
    """journald takes `<3>` as an error, `<6>` as information; a line without one would be information."""
    bench.sandbox.inject(FaultRule(FaultKind.UNAVAILABLE, origin="stedi", times=None))

    def journal() -> None:
        status = os.fstat(2)
        os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"

    ran = bench.run("run", before=journal)
    assert all(re.match(r"<[3467]>", line) for line in ran.err.splitlines()), ran.err
    assert re.search(r"^<3>plexstedi: Stedi .*\n<3>  fix: ", ran.err, re.MULTILINE)
    bench.sandbox.faults.clear()
    bench.later(hours=1)
    assert re.search(
        r"^<6>document-accepted: .* order=PO\S+ supplier=S001 ", bench.run("run", before=journal).err, re.M
    )
    bench.environment["JOURNAL_STREAM"] = "1:1"
    assert "<6>" not in bench.run("run").err, "stderr goes elsewhere"


def test_what_others_wrote_begins_no_line_and_no_secret_is_in_one(capsys: pytest.CaptureFixture[str]) -> None:
    for form in (LogFormat.TEXT, LogFormat.JSON):
        configure(form, verbose=True, quiet=False, env={})
        log_event("x", "order PO\n<3>forged", order="PO\n<3>forged https://files.example/a?X-Signature=presigned")
        (line,) = capsys.readouterr().err.splitlines()
        assert "presigned" not in line
        assert tail().count("\n") == 1


def test_the_tail_is_limited_and_has_the_end() -> None:
    configure(LogFormat.TEXT, verbose=False, quiet=True, env={})
    for number in range(1000):
        log_event("x", f"event {number} of some length that fills the ring")
    assert len(tail().encode()) <= TAIL_BYTES
    assert "event 999 " in tail()
    assert "event 0 " not in tail()


def test_a_closed_stream_is_text(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as file:
        status = os.fstat(file.fileno())
        there = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert form_of(LogFormat.AUTO, there, file) == "journal"
        assert form_of(LogFormat.TEXT, there, file) == "text"
    assert form_of(LogFormat.AUTO, there, file) == "text"
