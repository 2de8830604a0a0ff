"""`plexstedi sandbox`."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from plexstedi.cli.result.outcome import Outcome
from plexstedi.errors import UsageFault


class PrintedDialect(StrEnum):
    """The Plex dialect of the printed configuration."""

    CONNECT = "connect"
    OAUTH2 = "oauth2"
    DATASOURCE = "datasource"
    SOAP = "soap"


class PrintedWrite(StrEnum):
    """How the printed configuration writes acknowledgments to Plex."""

    CUSTOM_FIELDS = "custom-fields"
    RELEASES = "releases"
    DATASOURCE = "datasource"
    REPORT_ONLY = "report-only"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "sandbox",
        short_help="Serve a sandbox Plex and Stedi, to try commands on.",
        epilog="Example: plexstedi sandbox --dir ./try, then in another terminal what it prints.",
    )
    def command(
        directory: Annotated[
            Path | None,
            typer.Option("--dir", metavar="DIR", help="Also write plexstedi.toml and secrets.env to this directory."),
        ] = None,
        orders: Annotated[int, typer.Option("--orders", min=1, help="Number of sample orders.")] = 12,
        suppliers: Annotated[int, typer.Option("--suppliers", min=1, help="Number of sample suppliers.")] = 4,
        dialect: Annotated[
            PrintedDialect, typer.Option("--dialect", help="The Plex dialect of the printed configuration.")
        ] = PrintedDialect.CONNECT,
        write: Annotated[
            PrintedWrite, typer.Option("--write", help="The plex.acknowledgments.write of the printed configuration.")
        ] = PrintedWrite.CUSTOM_FIELDS,
        port: Annotated[
            int, typer.Option("--port", min=0, max=65533, help="First of three ports; 0: any free ports.")
        ] = 0,
        seconds: Annotated[
            int | None, typer.Option("--seconds", min=1, help="Stop after this time; default: until Ctrl-C.")
        ] = None,
        json: Annotated[
            bool, typer.Option("--json", help="Print one JSON object, with configuration and secrets, then serve.")
        ] = False,
    ) -> None:
        """Serve a sandbox Plex and Stedi on loopback; print a configuration that connects to them."""
        from plexstedi.sandbox.behaviours import HAND_DELAYS
        from plexstedi.sandbox.clock import SandboxClock
        from plexstedi.sandbox.config_text import config_text, secrets
        from plexstedi.sandbox.plex.sample_data import sample_tenant
        from plexstedi.sandbox.server import Sandbox

        clock = SandboxClock.running()
        sandbox = Sandbox(sample_tenant(orders, suppliers, 7, clock.now()), clock, delays=HAND_DELAYS)
        ports = (port, port + 1, port + 2) if port else (0, 0, 0)
        try:
            with sandbox.serve(plex_port=ports[0], stedi_port=ports[1], documents_port=ports[2]):
                config, environment = config_text(sandbox, dialect.value, write.value), _environment(secrets(sandbox))
                if directory is not None:
                    _keep(config, environment, directory)
                if json:
                    _print_instructions(config, environment, directory)
                else:
                    _announce(config, environment, directory)
                _wait(seconds)
        except OSError as error:
            raise UsageFault(
                f"the sandbox cannot listen on 127.0.0.1:{port}: {error.strerror}", fix="Give another --port."
            ) from error
        except KeyboardInterrupt:
            print("sandbox: ended", file=sys.stderr)


def _environment(secrets: dict[str, str]) -> dict[str, str]:
    return {f"PLEXSTEDI_{name.upper().replace('-', '_')}": value for name, value in secrets.items()}


def _exports(environment: dict[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]


def _keep(config: str, environment: dict[str, str], directory: Path) -> None:
    with files_kept_in(directory):
        (directory / "plexstedi.toml").write_text(config, encoding="utf-8")
        secrets_file = directory / "secrets.env"
        secrets_file.touch(mode=0o600)
        secrets_file.write_text("\n".join(_exports(environment)) + "\n", encoding="utf-8")


@contextmanager
def files_kept_in(directory: Path) -> Iterator[None]:
    """Create the directory of `--dir`; files are written into it inside. Raise UsageFault where that fails."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UsageFault(
            f"--dir {directory}: {error.filename or directory} cannot be written: {error.strerror}",
            fix="Name a directory that you can write to.",
        ) from error


def _print_instructions(config: str, environment: dict[str, str], directory: Path | None) -> None:
    outcome = Outcome(command="sandbox")
    kept = None if directory is None else str(directory)
    outcome.data = {"config": config, "environment": environment, "directory": kept, "audit_head": None}
    outcome.emit(as_json=True)
    sys.stdout.flush()


def _announce(config: str, environment: dict[str, str], directory: Path | None) -> None:
    if directory is None:
        print(config)
        print(
            "# Save the above as plexstedi.toml. In the other terminal, before `plexstedi --config plexstedi.toml run`:"
        )
        print("\n".join(f"# {line}" for line in _exports(environment)), flush=True)
        return
    where = shlex.quote(str(directory))
    print(f"The sandbox is serving. In another terminal:\n\n  . {where}/secrets.env")
    print(f"  plexstedi --config {where}/plexstedi.toml --state {where}/state.sqlite3 run", flush=True)


def _wait(seconds: int | None) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    while until is None or time.monotonic() < until:
        time.sleep(0.2)
