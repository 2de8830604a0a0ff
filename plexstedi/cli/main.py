"""`plexstedi`: entry point."""

from __future__ import annotations

import gc
import importlib
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from plexstedi import __version__
from plexstedi.cli.invocation import Invocation
from plexstedi.cli.render.streams import as_text, guarded_streams, locale_fault, open_missing_descriptors
from plexstedi.cli.result.outcome import Outcome
from plexstedi.errors import ExitCode, Interrupted, PlexStediError, UsageFault
from plexstedi.internal import internal_fault
from plexstedi.logs import LogFormat, configure, is_json

app = typer.Typer(
    name="plexstedi",
    help="Send purchase orders from Plex to suppliers through Stedi EDI, and write their acknowledgments back to Plex.",
    epilog="Example: plexstedi --config /etc/plexstedi/plexstedi.toml run --json",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = (
    "poll",
    "submit",
    "ingest_acks",
    "run",
    "status",
    "people.review",
    "people.replay",
    "check",
    "people.recover",
    "audit",
    "setup.credentials",
    "setup.init",
    "notify",
    "schema",
    "demo",
    "sandbox",
)


def _version(value: bool) -> None:
    if value:
        print(f"plexstedi {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    context: typer.Context,
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE",
            readable=False,
            help="Configuration file; for status also several. [env: PLEXSTEDI_CONFIG]",
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", readable=False, help="State file. [env: PLEXSTEDI_STATE]")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Report every step on stderr, and show long ids.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print failures only.")] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            "--log-format",
            help="The log on stderr. auto: for systemd's journal with priorities, else text. json: an object per line.",
        ),
    ] = LogFormat.AUTO,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if verbose and quiet:
        raise UsageFault("--verbose and --quiet cannot be combined", fix="Use one of them.")
    configure(log_format, verbose=verbose, quiet=quiet, env=os.environ)
    invocation = context.ensure_object(Invocation)
    configs = tuple(config or ())
    if len(configs) > 1 and context.invoked_subcommand != "status":
        raise UsageFault(
            f"{context.invoked_subcommand} works with one configuration, and --config is given {len(configs)} times",
            fix="Name one configuration; status alone shows several plants at once.",
        )
    invocation.config_path, invocation.state_path = (*configs, None)[0], state
    invocation.quiet, invocation.verbose = quiet, verbose
    invocation.plants = configs if len(configs) > 1 else ()


def _register(arguments: list[str]) -> None:
    """Add the commands named on the command line, or all: importing them takes most of a short command's time."""
    words = arguments or _words_to_complete(os.environ)
    named = [name for name in _COMMANDS if _name_of(name) in words]
    for name in named or _COMMANDS:
        if name not in _registered:
            importlib.import_module(f"plexstedi.cli.{name}").register(app)
            _registered.add(name)


def _words_to_complete(env: Mapping[str, str]) -> list[str]:
    """The command line that a shell asks to complete; empty if none does."""
    if not env.get("_PLEXSTEDI_COMPLETE", "").startswith("complete_"):
        return []
    # The last word is not complete: `check` may become `check` or another command.
    return (env.get("COMP_WORDS") or env.get("_TYPER_COMPLETE_ARGS") or "").split()[:-1]


_registered: set[str] = set()


def collect_rarely() -> None:
    """Set the garbage collection for a short process: its imports are never freed, and most objects die young."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the exit code of the contract."""
    collect_rarely()
    open_missing_descriptors()
    signal.signal(signal.SIGTERM, _terminated)
    # Whatever the umask: files created by this process are never writable by others.
    os.umask(os.umask(0o077) | 0o022)
    # A core dump of this process, or of a program that it starts, would contain secrets.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    raise SystemExit(int(run(sys.argv[1:] if arguments is None else arguments)))


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    arguments = _global_options_first(as_text(arguments))
    with guarded_streams() as streams:
        code = _run(arguments)
        return int(streams.ended(code, _full_name(_command(arguments), arguments), arguments))


_GROUPS = ("review", "audit", "credentials")
_FLAGS = ("--verbose", "-v", "--quiet", "-q", "--version")
_WITH_VALUE = ("--config", "--state", "--log-format")


def _global_options_first(arguments: list[str]) -> list[str]:
    """Move the global options before the command, wherever they were given, except behind `--`.

    `--json` is an option of each command: before the command, or between `review` and `list`, it is moved behind it.
    """
    first: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for word in left:
        name, separator, _ = word.partition("=")
        if word == "--":
            rest += [word, *left]
        elif word in _FLAGS or (separator and name in _WITH_VALUE):
            first.append(word)
        elif word in _WITH_VALUE:
            first += [word, *[value for value in (next(left, None),) if value is not None]]
        else:
            rest.append(word)
    return first + _json_behind_the_command(rest)


def _json_behind_the_command(words: list[str]) -> list[str]:
    names = [at for at, word in enumerate(words) if not word.startswith("-")]
    if not names:
        return words
    end = names[:2][-1] if words[names[0]] in _GROUPS else names[0]
    before = words[: end + 1]
    given = before.count("--json")
    return [*(word for word in before if word != "--json"), *["--json"] * given, *words[end + 1 :]]


def _run(arguments: list[str]) -> int:
    _register(arguments)
    as_json = "--json" in arguments
    command = _command(arguments)
    invocation = Invocation()

    def failed(fault: PlexStediError) -> int:
        outcome = Outcome(command=_full_name(command, arguments), dry_run="--dry-run" in arguments, faults=[fault])
        if as_json:
            invocation.add_current_totals(outcome)
        outcome.emit(as_json=as_json)
        return int(outcome.exit_code)

    try:
        result = app(args=arguments, prog_name="plexstedi", standalone_mode=False, obj=invocation)
        if result == ExitCode.INTERRUPTED and not invocation.reported:
            # typer returns an exit code for Ctrl-C, and raises Abort for Ctrl-C at a prompt.
            raise KeyboardInterrupt
    except PlexStediError as fault:
        return failed(fault)
    except (KeyboardInterrupt, typer.Abort):
        return failed(Interrupted("interrupted", fix="Completed work is kept; run the command again."))
    except Exception as error:
        # typer's own usage errors; its exception classes are not exported by every version (CHOICES.md 1).
        if not (hasattr(error, "show") and hasattr(error, "format_message")):
            if (unnameable := locale_fault(error)) is not None:
                return failed(unnameable)
            return failed(internal_fault(error, _full_name(command, arguments)))
        if as_json or is_json():
            return failed(_usage(command, error))
        error.show()
        return int(ExitCode.USAGE)
    return int(result) if isinstance(result, int) else 0


def _usage(command: str, error: Exception) -> UsageFault:
    """Invalid usage, with typer's message."""
    message = str(error.format_message())  # type: ignore[attr-defined]
    return UsageFault(message, fix=f"See `plexstedi {command} --help`." if command != "plexstedi" else "See --help.")


def _full_name(command: str, arguments: list[str]) -> str:
    """The command with its subcommand, as in the command's own outcome."""
    if command not in _GROUPS:
        return command
    after = arguments[arguments.index(command) + 1 :]
    return f"{command} {after[0]}" if after and not after[0].startswith("-") else command


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if word in _command_names()), "plexstedi")


def _command_names() -> set[str]:
    return {_name_of(module) for module in _COMMANDS}


def _name_of(module: str) -> str:
    return module.rpartition(".")[2].replace("_", "-")
