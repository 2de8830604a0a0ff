"""A command loads what it uses and nothing else: loading modules is most of what a short command costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plexstedi.state.store import Store

from .conftest import NOW, Cli, an_order, record

MODELS = {"pydantic", "pydantic_core", "annotated_types"}
OTHERS = MODELS | {
    *("httpx", "httpcore", "keyring", "rich", "cryptography", "asyncio", "jsonschema", "tomli_w", "certifi"),
    *("jinja2", "markupsafe"),
}
"""What is not the program's own, and costs as much as all the rest of a short command."""
SERVICES = {"plexstedi.http", "plexstedi.plex", "plexstedi.stedi", "plexstedi.sandbox"}
WORK = {
    "plexstedi.cli.work",
    "plexstedi.credentials.secrets",
    "plexstedi.edi.guide",
    "plexstedi.edi.outbound",
    "plexstedi.sync.people",
    "plexstedi.sync.poll",
    "plexstedi.sync.run",
    "plexstedi.sync.services",
    "plexstedi.sync.setup",
    "plexstedi.sync.submit",
    "plexstedi.sync.writeback.apply",
}
OF_JSON = {f"plexstedi.cli.result.{name}" for name in ("error", "of_status", "overview", "records", "things")}
READING = {"plexstedi.edi.inbound.reading.acknowledgment"}
NOT_LOADED = {
    "status": OTHERS | SERVICES | WORK | OF_JSON | READING,
    "status PO-1001": OTHERS | SERVICES | WORK | OF_JSON | READING,
    "audit verify": OTHERS
    | SERVICES
    | WORK
    | {"plexstedi.sync.report.check", "plexstedi.cli.render.html", "plexstedi.cli.page.overview"},
    "schema status": (OTHERS - MODELS) | SERVICES | (WORK - {"plexstedi.credentials.secrets"}),
    "run": MODELS
    | {"keyring", "cryptography", "rich", "jsonschema", "tomli_w"}
    | {"plexstedi.sandbox", "plexstedi.sync.report", "plexstedi.cli.render.html", "plexstedi.cli.status"}
    | {
        "jinja2",
        "markupsafe",
        "plexstedi.cli.page.overview",
        "plexstedi.cli.result.overview",
        "plexstedi.plex.datasource",
    }
    | {
        "plexstedi.edi.guide",
        "plexstedi.edi.inbound.matching",
        "plexstedi.edi.inbound.reconcile",
        "plexstedi.edi.outbound",
        "plexstedi.sync.ingest.decide_received",
        "plexstedi.sync.ingest.received_form",
        "plexstedi.sync.submit.due_orders",
        "plexstedi.sync.writeback.apply",
    },
}
"""By command line: modules, with all below them, that it does without."""


@pytest.mark.parametrize("line", NOT_LOADED)
def test_a_command_loads_nothing_that_it_does_not_use(cli: Cli, line: str) -> None:
    store = Store.open(cli.state, NOW)
    record(store, an_order())
    store.close()
    loaded = _loaded(
        "from plexstedi.cli.main import run; run(sys.argv[1:])",
        ["--config", str(cli.config), "--state", str(cli.state), *line.split()],
        cli.environment(),
    )
    unused = NOT_LOADED[line]
    assert {name for name in loaded if any(name == each or name.startswith(f"{each}.") for each in unused)} == set()


def test_the_version_is_told_without_the_program() -> None:
    loaded = _loaded("from plexstedi.__main__ import main; main()", ["--version"], None)
    assert {name for name in loaded if name.startswith("plexstedi")} == {"plexstedi", "plexstedi.__main__"}
    assert not {"typer", "pydantic", "sqlite3", "logging"} & loaded


def _loaded(program: str, arguments: list[str], environment: dict[str, str] | None) -> set[str]:
    """The modules that are there at the end of a process."""
    # Where click is installed, as by libraries that only the tests need, httpx loads its own command line, and rich.
    no_click = "sys.modules['click'] = None;"
    told = f"import sys, atexit; {no_click} atexit.register(lambda: print('LOADED', *sys.modules, file=sys.stderr));"
    done = subprocess.run(
        [sys.executable, "-c", f"{told}{program}", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )
    return set(done.stderr.rpartition("LOADED")[2].split())
