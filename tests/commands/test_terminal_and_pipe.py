"""Whatever a command writes to, it does its work, ends with its code, and shows nothing that steers or hides."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plexstedi.cli.render.streams import open_missing_descriptors
from plexstedi.sandbox.config_text import secrets

DRIVER = Path(__file__).with_name("driver.py")
EVIL = "Mül\x1b[31mler\u202e [red]& <b>\u200b=1\u2028\x9b!"
"""Letters of the trade with what steers a terminal, hides, reads backwards, or is markup."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def closed(*descriptors: int):
    """Before a command: these streams are closed, as by `>&-`."""

    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)
            setattr(sys, ("stdin", "stdout", "stderr")[descriptor], None)
        open_missing_descriptors()

    return close


def full() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def unread() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)


def encoded(encoding: str):
    return lambda: sys.stdout.reconfigure(encoding=encoding) or sys.stderr.reconfigure(encoding=encoding)


def on_a_terminal() -> None:
    sys.stdout.isatty = lambda: True


def with_evil_names(bench) -> str:
    """The first order's number; all that people and suppliers write in it is evil."""
    plex = bench.sandbox.plex
    number = bench.sandbox.sample_data.tenant.orders[0].number
    for supplier in plex.tenant.suppliers:
        supplier.name = EVIL
    plex.edit_header(number, note=EVIL)
    plex.edit_line(number, 1, description=EVIL, unit=EVIL)
    return number


def receive(bench, set_id: str, segment: tuple[str, ...], odd: dict[str, str]) -> None:
    """A supplier sends what no X12 may hold, and Stedi hands it out."""
    with bench.sandbox.lock:
        store, now = bench.sandbox.stedi, bench.sandbox.clock.now()
        partnership = store.partnerships[bench.sandbox.sample_data.partners[0].partnership_id]
        text = store.compose(partnership, set_id, (segment,), "T", now)
        for plain, instead in odd.items():
            text = text.replace(plain, instead)
        store.receive(text, partnership=partnership, at=now)
    bench.later(minutes=5)


def unseen(text: str) -> list[str]:
    return [hex(ord(character)) for character in text if character != "\n" and not character.isprintable()]


@pytest.mark.parametrize(
    ("before", "shown"),
    [(closed(1), ""), (closed(2), "run: "), (closed(0, 1, 2), ""), (full, ""), (unread, "")],
    ids=["no-stdout", "no-stderr", "none", "full", "unread"],
)
def test_the_work_is_done_and_its_code_is_right_whatever_takes_the_output(bench, before, shown):
    """And none of it lands in the state file, which gets the lowest free descriptor."""
    assert bench.run("poll", before=before).code == 0
    ran = bench.run("run", before=before)
    assert (ran.code, ran.out[:5]) == (0, shown)
    assert "Traceback" not in ran.err
    assert len(bench.numbers_sent()) == 4
    assert bench.run("audit", "verify").code == 0


def test_output_that_is_lost_is_reported_and_a_reader_that_had_enough_is_not(bench):
    bench.run("poll")
    for line, when_full in (
        ("status", 1),
        ("status --check", 0),
        ("audit export", 1),
        ("audit export --format csv", 1),
        ("audit export --json", 1),
        ("review list", 1),
        ("submit --dry-run", 1),
        ("--help", 1),
        ("run --json", 0),
    ):
        lost = bench.run(*line.split(), before=full)
        assert (line, lost.code, lost.out) == (line, when_full, "")
        assert "No space left on device" in lost.err
        left = bench.run(*line.split(), before=unread)
        assert (line, left.code, left.err) == (line, 0, "")
        assert (line, bench.run(*line.split(), before=closed(1)).code) == (line, 0)


def test_real_processes_end_in_silence(bench, tmp_path):
    """What Python itself says at its end (`Exception ignored`, exit code 120) is seen only here."""
    bench.run("run")
    plexstedi = f"{sys.executable} {DRIVER} --config {bench.config} --state {bench.state}"
    script = f"""
        {plexstedi} run >&-; echo "run-closed $?" >> codes
        {plexstedi} status >/dev/full; echo "status-full $?" >> codes
        {plexstedi} run <&- >&- 2>&-; echo "all-closed $?" >> codes
        {plexstedi} audit export | head -n 1 > first; echo "head ${{PIPESTATUS[0]}}" >> codes
        PYTHONIOENCODING=ascii {plexstedi} audit verify --help; echo "ascii $?" >> codes
    """
    names = {f"PLEXSTEDI_{k.upper().replace('-', '_')}": v for k, v in secrets(bench.sandbox).items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **names}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "TEST_CONTROL": bench.sandbox.urls.plex_url}
    environment["TEST_NOW"] = bench.sandbox.clock.now().isoformat()
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    codes = dict(line.split() for line in (tmp_path / "codes").read_text().splitlines())
    assert codes == {"run-closed": "0", "status-full": "1", "all-closed": "0", "head": "0", "ascii": "0"}
    assert json.loads((tmp_path / "first").read_text())["seq"] == 1
    assert done.stderr.splitlines() == [
        "plexstedi: the output could not be written: No space left on device",
        "  fix: Nothing was changed. Free space at the output location, or redirect the output.",
    ]
    assert "5e0c..." in done.stdout
    assert bench.run("audit", "verify").code == 0


def test_what_others_write_is_shown_and_steers_nothing(bench):
    number = with_evil_names(bench)
    ran = bench.run("run")
    assert ran.code == 3
    receive(bench, "855", ("BAK", "00", "ZZ", "PO-ODD", "20261123"), {"PO-ODD": "PO-\x1b[31m\u202e"})
    receive(bench, "855", ("XYZ", "ODD"), {"ODD": "\r\x1b[2J"})
    again = bench.run("run", before=on_a_terminal)
    reviews = [str(review["id"]) for review in bench.run("review", "list", "--json").json["reviews"]]
    page = bench.place / "page.html"
    commands = [
        ("status",),
        ("status", number),
        ("review", "list"),
        *(("review", "show", review) for review in reviews),
        ("submit", "--dry-run"),
        ("submit", "--dry-run", "--show", "x12"),
        ("check",),
        ("check", "--supplier", "S001"),
        ("audit", "export", "--format", "csv"),
        ("status", number, "--html", str(page)),
        ("status", EVIL),
        ("review", "accept", "1", "--reason", EVIL),
        ("--config", EVIL, "run"),
        (EVIL,),
    ]
    said = [ran, again, *(bench.run(*arguments) for arguments in commands)]
    said += [bench.run(*arguments, before=encoded("ascii")) for arguments in commands[:4]]
    assert [unseen(one.out + one.err) for one in said] == [[]] * len(said)
    assert "Mül\\x1b[31mler\\u202e [red]& <b>\\u200b=1\\u2028\\x9b!" in "".join(one.out for one in said)
    for arguments in commands[:4]:
        shown = bench.run(*arguments, before=on_a_terminal)
        assert unseen(_COLOURS.sub("", shown.out) + shown.err) == []
    assert "[red]" in bench.run("status", number, before=on_a_terminal).out.replace("\n", "")
    html = page.read_text(encoding="utf-8")
    assert unseen(html) == []
    assert "Mül\\x1b[31mler\\u202e [red]&amp; &lt;b&gt;" in html


def test_every_encoding_gets_the_whole_and_json_stays_json(bench):
    number = with_evil_names(bench)
    assert bench.run("run", before=encoded("ascii")).code == 3
    exact = bench.run("status", number, "--json").json
    exported = bench.run("audit", "export").out
    for encoding in ("ascii", "iso-8859-1"):

        def written(*arguments: str, encoding: str = encoding) -> str:
            ran = bench.run(*arguments, before=encoded(encoding))
            assert (ran.code, ran.err) == (0, "")
            return os.fsencode(ran.out).decode(encoding)

        assert json.loads(written("status", number, "--json"))["order"] == exact["order"]
        assert (
            "M\\xfcl" in written("review", "show", "1")
            if encoding == "ascii"
            else "Mül" in written("review", "show", "1")
        )
        lines = written("audit", "export").splitlines()
        assert [json.loads(line) for line in lines] == [json.loads(line) for line in exported.splitlines()]
        rows = list(csv.DictReader(io.StringIO(written("audit", "export", "--format", "csv"))))
        assert [json.loads(row["detail"]) for row in rows] == [json.loads(line)["detail"] for line in lines]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SSL_CERT_FILE": "/nonexistent/ca.pem"}, "SSL_CERT_FILE names /nonexistent/ca.pem"),
        ({"HTTPS_PROXY": "socks5://anna:hunter2@proxy:1080", "NO_PROXY": ""}, "HTTPS_PROXY names a proxy"),
    ],
)
def test_a_broken_environment_is_foreseen(bench, variables, says):
    """Named certificates are looked at for every call; plain HTTP on loopback needs no proxy, https does."""
    alerts = '\n[alerts]\nping_url = "https://hc.example/ping/0ddba11"\n'
    bench.write_config(lambda text: text + alerts)
    loopback = bench.run("run", "--json", env=variables)
    if "SSL_CERT_FILE" in variables:
        assert (loopback.code, loopback.json["error"]["code"]) == (4, "environment")
        assert says in loopback.json["error"]["message"]
        assert bench.numbers_sent() == []
        assert bench.run("status", "--check").code == 3
    else:
        assert loopback.code == 0
    warning = next(one for one in loopback.json["warnings"] if one.startswith("alert by ping to hc.example failed: "))
    assert says in warning

    outside = "https://connect.example"
    bench.write_config(lambda text: re.sub(r'base_url = "http://[^"]*"', f'base_url = "{outside}"', text, count=1))
    for command in ("poll", "run"):
        ran = bench.run(command, "--json", env=variables)
        assert (ran.code, ran.json["error"]["code"]) == (4, "environment")
        assert says in ran.json["error"]["message"]
        assert "hunter2" not in ran.out + ran.err
        assert "Traceback" not in ran.err
    checked = bench.run("check", "--json", env=variables)
    assert checked.code == 4
    findings = [one for one in checked.json["findings"] if says in one["message"]]
    assert findings
    assert all(one["fix"] for one in findings)


def test_bytes_that_are_no_text_are_foreseen(bench):
    bench.run("run")
    odd = os.fsdecode(b"\xff\x1b")
    odd_state = os.fsdecode(os.fsencode(bench.place) + b"/\xff.sqlite3")
    assert bench.run("--state", odd_state, "poll").code == 0
    assert bench.run("--state", odd_state, "status").code == 0
    assert bench.run("status", odd).code == 2
    assert bench.run("status", odd, "--json").json["error"]["code"] == "order-unknown"
    assert bench.run("audit", "export", "--order", odd).code == 2
    assert bench.run("--config", odd, "run").code == 4
    assert bench.run("replay", bench.numbers_sent()[0], "--reason", odd, "--yes", "--json").code == 2
    page = os.fsencode(bench.place) + b"/\xff.html"
    assert bench.run("status", "--html", os.fsdecode(page), "--json").code == 0
    assert Path(os.fsdecode(page)).exists()
