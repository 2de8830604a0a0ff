"""What leaves the process has no secret: programs that it starts, faults of services, crashes, what objects show."""

from __future__ import annotations

import json
import resource
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import plexstedi.sync.run as stages
from plexstedi.cli.invocation import Invocation
from plexstedi.clock import StopRequest, SystemClock
from plexstedi.config.load import load
from plexstedi.credentials.secrets import Secrets
from plexstedi.sandbox.config_text import secrets
from plexstedi.sandbox.web import Request, Response
from plexstedi.secret_names import SecretName
from plexstedi.sync.setup import Surroundings, open_session

from .conftest import Bench, MakeBench

_PROGRAM = """\
import json, os, sys, resource
told = {
    "arguments": sys.argv, "environment": dict(os.environ), "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    "parent": open(f"/proc/{os.getppid()}/cmdline").read(),
}
open(sys.argv[1], "a").write(json.dumps(told) + "\\n")
if len(sys.argv) > 2:
    print(open(sys.argv[2]).read())
"""


def all_secrets(bench: Bench) -> set[str]:
    return {value for value in secrets(bench.sandbox).values() if value}


@pytest.fixture
def core_dumps_allowed() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("core dumps are forbidden here")
    resource.setrlimit(resource.RLIMIT_CORE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(_PROGRAM)
    return path


@pytest.mark.usefixtures("core_dumps_allowed")
def test_a_program_that_is_started_has_no_secret_in_its_arguments_or_environment(
    make_bench: MakeBench, program: Path, tmp_path: Path
) -> None:
    """Other users see arguments; a program that crashes sends its environment somewhere. No process dumps core."""
    bench = make_bench(orders=2, suppliers=1)
    bench.real_process = True
    key = tmp_path / "key"
    key.write_text(secrets(bench.sandbox)["stedi-api-key"])
    told = {name: tmp_path / name for name in ("alerts.command", "alerts.rotate_command", "credentials.commands")}

    def command(name: str, *more: Path) -> str:
        return json.dumps([sys.executable, str(program), str(told[name]), *map(str, more)])

    bench.write_config(
        lambda text: (
            text.replace("[stedi]\n", f'[stedi]\napi_keys_url = "{bench.sandbox.urls.api_keys_url}"\n', 1)
            + f"\n[alerts]\ncommand = {command('alerts.command')}\n"
            + f"rotate_command = {command('alerts.rotate_command')}\n"
            + f"[credentials]\ncommands = {{ stedi-api-key = {command('credentials.commands', key)} }}\n"
        )
    )
    environment = {"PLEXSTEDI_STEDI_API_KEY": None, "CREDENTIALS_DIRECTORY": str(tmp_path), "PLEXSTEDI_OTHER": "x"}
    assert bench.run("notify", "--test", env=environment).code == 0
    assert bench.run("run", env=environment).code == 0
    bench.later(days=91)
    bench.run("run", env=environment)
    found = all_secrets(bench) | {each for each in bench.sandbox.stedi_settings.api_keys if each}
    assert len(found) > 3, "a new key was created"
    for name, file in told.items():
        calls = [json.loads(line) for line in file.read_text().splitlines()]
        assert calls, name
        for call in calls:
            assert not [value for value in found if value in json.dumps(call)], name
            assert not [variable for variable in call["environment"] if variable.startswith("PLEXSTEDI_")], name
            assert call["core"] == 0, name
        if name != "credentials.commands":
            assert "CREDENTIALS_DIRECTORY" not in calls[0]["environment"], name


COMMANDS = (
    ("run",),
    ("run", "--json"),
    ("check",),
    ("check", "--json"),
    ("poll", "--full", "--json"),
    ("submit", "--dry-run", "--json"),
    ("ingest-acks", "--dry-run"),
    ("recover", "--dry-run", "--json"),
    ("status",),
    ("review", "list"),
    ("audit", "export", "--format", "jsonl"),
    ("credentials", "list"),
)


LONG = [
    pytest.param(origin, status, kind, marks=pytest.mark.long)
    for origin in ("plex", "stedi")
    for status, kind in (
        (404, "text/html"),
        (422, "application/json"),
        (500, "text/html"),
        (200, "text/plain"),
    )
]


@pytest.mark.parametrize(
    ("origin", "status", "kind"),
    [("plex", 401, "application/json"), ("stedi", 400, "application/json"), *LONG],
)
def test_a_service_that_echoes_the_key_in_a_fault_shows_it_nowhere(
    make_bench: MakeBench, origin: str, status: int, kind: str
) -> None:
    bench = make_bench(orders=2, suppliers=1)
    found = {secrets(bench.sandbox)[f"{origin}-api-key"]}
    words = " ".join(sorted(found))
    body = json.dumps({"code": words, "message": words, "detail": [words]}) if "json" in kind else f"<p>{words}</p>"

    def echo(request: Request, fault: object) -> Response:
        return Response(status, body.encode(), {"Content-Type": kind, "X-Request-Id": "r-1"})

    alerted = bench.place / "alerted"
    bench.write_config(lambda text: text + f'\n[alerts]\ncommand = ["tee", "-a", "{alerted}"]\n')
    bench.run("run", "--json")
    bench.sandbox._handlers[origin] = echo
    said = []
    for words_of in COMMANDS:
        bench.later(minutes=5)
        ran = bench.run("--verbose", *words_of)
        assert "Traceback" not in ran.err
        said += [ran.out, ran.err]
    assert any(str(status) in text for text in said) or status == 200
    assert not [value for value in found if any(value in text for text in said)]
    files = [path for path in bench.place.rglob("*") if path.is_file()]
    assert alerted in files
    assert not [(path.name) for path in files for value in found if value.encode() in path.read_bytes()]


def test_a_crash_prints_a_traceback_without_the_secret_in_its_message(make_bench: MakeBench) -> None:
    bench = make_bench(orders=2, suppliers=1)
    found = {secrets(bench.sandbox)[name] for name in ("plex-api-key", "stedi-api-key")}

    def broken() -> None:
        def raises(session: object, **more: object) -> None:
            session.services.stedi  # type: ignore[attr-defined] # noqa: B018 - the key is read
            raise RuntimeError(f"headers: {found}")

        stages.submit = raises

    ran = bench.run("--verbose", "run", before=broken)
    assert (ran.code, "Traceback" in ran.err, "(secret)" in ran.err) == (1, True, True)
    assert not [value for value in found if value in ran.err]


def test_what_a_debugger_or_a_crash_report_shows_of_our_objects_has_no_secret(make_bench: MakeBench) -> None:
    """Such reports show the `repr` of every local variable."""
    bench = make_bench(orders=2, suppliers=1)
    bench.write_config(lambda text: text + '\n[alerts]\nping_url = "https://hc.example/ping/0ddba11"\n')
    env = {f"PLEXSTEDI_{name.upper().replace('-', '_')}": value for name, value in secrets(bench.sandbox).items()}
    clock = SystemClock()
    around = Surroundings(
        config=load(bench.config),
        secrets=Secrets.of(env, clock),
        state_path=bench.state,
        clock=clock,
        stop=StopRequest(),
    )
    session = open_session(around, dry_run=False)
    try:
        stedi, plex = session.services.stedi, session.services.plex
        key = around.secrets.get(SecretName.STEDI_API_KEY)
        invocation = Invocation()
        invocation._config = around.config
        try:
            objects = [around, session, stedi, plex, key, invocation, around.config, around.config.alerts]
            raise RuntimeError(datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=len(objects)))
        except RuntimeError as error:
            del env
            shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    finally:
        session.services.close()
        session.store.close()
    assert "Surroundings(" in shown, "else this looks at nothing"
    assert not [value for value in all_secrets(bench) if value in shown]
    assert "0ddba11" not in shown
