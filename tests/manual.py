"""The man page and the reference of commands, made from what `--help` prints.

    python tests/manual.py

writes `docs/plexstedi.1` and `docs/commands.md`; `test_manual.py` holds that they are as made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import typer

import plexstedi
import plexstedi.cli.main as program
from plexstedi.secret_names import SecretName

ROOT = Path(__file__).parents[1]
MAN, REFERENCE = ROOT / "docs" / "plexstedi.1", ROOT / "docs" / "commands.md"
ENVIRONMENT = (
    ("PLEXSTEDI_CONFIG", "The configuration file, as --config."),
    ("PLEXSTEDI_STATE", "The state file, as --state."),
    ("CREDENTIALS_DIRECTORY", "A folder with one file per secret, named after it; systemd sets it."),
    *(
        (f"PLEXSTEDI_{name.upper().replace('-', '_')}", f"The secret {name}, where there is no file of it.")
        for name in SecretName
    ),
    ("NO_COLOR", "No colours."),
)


@dataclass(frozen=True)
class Option:
    """An argument or option."""

    written: str
    told: str


@dataclass(frozen=True)
class Command:
    """A command or subcommand; the program itself has no name."""

    name: str
    usage: str
    told: str
    options: tuple[Option, ...]
    example: str


def commands() -> Iterator[Command]:
    """The program, then every command and subcommand."""
    program._register([])
    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(program.app))]
    while waiting:
        path, here = waiting.pop(0)
        waiting[:0] = [((*path, name), inner) for name, inner in sorted(getattr(here, "commands", {}).items())]
        yield _command(path, here)


def _command(path: tuple[str, ...], here: Any) -> Command:
    shown = [each for each in here.params if not getattr(each, "hidden", False) and _written(each)]
    arguments = [_in_usage(each) for each in shown if not each.opts[0].startswith("-")]
    below = ["COMMAND [ARGS]..."] if getattr(here, "commands", None) else []
    usage = " ".join(["plexstedi", *path, "[OPTIONS]", *arguments, *below])
    options = tuple(Option(_written(each), " ".join(str(each.help or "").split())) for each in shown)
    told = " ".join((here.help or "").split())
    example = re.sub(r"^Example[^:]*: ", "", here.epilog or "")
    return Command(" ".join(path), usage, told, options, example)


def _written(parameter: Any) -> str:
    names = sorted((name for name in parameter.opts if name.startswith("-")), key=len)
    value = "" if getattr(parameter, "is_flag", False) else str(parameter.metavar or parameter.name).upper()
    return f"{', '.join(names)} {value}".strip()


def _in_usage(argument: Any) -> str:
    name = _written(argument)
    return f"[{name}]..." if argument.nargs == -1 else name if argument.required else f"[{name.strip('[]')}]"


def exit_codes() -> list[tuple[str, str]]:
    """As README tells them."""
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return [(code, told.replace("`", "")) for code, told in rows]


def reference() -> str:
    """The reference of all commands, as Markdown."""
    made = "Made from `--help` by `python tests/manual.py`."
    parts = [f"# Commands\n\n{made} The global options are taken before and after the command.\n"]
    for command in commands():
        parts.append(f"## `{('plexstedi ' + command.name).strip()}`\n\n{command.told}\n\n    {command.usage}\n")
        if command.options:
            rows = "\n".join(f"| `{_cell(each.written)}` | {_cell(each.told)} |" for each in command.options)
            parts.append(f"| argument or option | what for |\n|---|---|\n{rows}\n")
        if command.example:
            parts.append(f"Example:\n\n    {command.example}\n")
    codes = "\n".join(f"| {code} | {_cell(told)} |" for code, told in exit_codes())
    parts.append(f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def man_page() -> str:
    """The man page, as roff."""
    first, *rest = commands()
    lines = [
        '.\\" Made from `--help` by `python tests/manual.py`.',
        f'.TH PLEXSTEDI 1 "" "plexstedi {plexstedi.__version__}" "User Commands"',
        ".SH NAME",
        "plexstedi \\- purchase orders from Plex to suppliers over Stedi EDI",
        ".SH SYNOPSIS",
        f".B {_roff(first.usage)}",
        ".SH DESCRIPTION",
        _text(first.told),
        ".SH GLOBAL OPTIONS",
        "They are taken before and after the command.",
        *_options(first),
        ".SH COMMANDS",
    ]
    for command in rest:
        lines += [f".SS {_roff(command.name)}", f".B {_roff(command.usage)}", ".PP", _text(command.told)]
        lines += _options(command)
        if command.example:
            lines += [".PP", "Example:", ".PP", ".EX", _text(command.example), ".EE"]
    lines.append(".SH EXIT STATUS")
    lines += [line for code, told in exit_codes() for line in (".TP", f".B {code}", _text(told))]
    lines.append(".SH ENVIRONMENT")
    lines += [line for name, told in ENVIRONMENT for line in (".TP", f".B {name}", _text(told))]
    return "\n".join(lines) + "\n"


def _options(command: Command) -> Iterator[str]:
    for option in command.options:
        yield from (".TP", f".B {_roff(option.written)}", _text(option.told))


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in escaped)


def _text(text: str) -> str:
    """A line of text; one that begins with a control character of roff is no request."""
    escaped = _roff(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main() -> None:
    """Write both files."""
    MAN.parent.mkdir(exist_ok=True)
    MAN.write_text(man_page())
    REFERENCE.write_text(reference())


if __name__ == "__main__":
    main()
