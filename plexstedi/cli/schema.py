"""`plexstedi schema`: the JSON Schema of what a command prints with `--json`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from plexstedi.cli.render.streams import print_json
from plexstedi.cli.result.results import RESULTS, json_schema
from plexstedi.errors import UsageFault


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "schema",
        short_help="Print the JSON Schema of a command's `--json` object.",
        epilog="Example: plexstedi schema review show > review-show.schema.json",
    )
    def command(
        words: Annotated[
            list[str] | None,
            typer.Argument(metavar="COMMAND", help="A command that takes --json; without it, their names are listed."),
        ] = None,
    ) -> None:
        """Print the JSON Schema of a command's `--json` object, for scripts that read it."""
        if not words:
            for name in RESULTS:
                print(name)
            return
        name = " ".join(words)
        if name not in RESULTS:
            raise UsageFault(
                f"no command {name} prints JSON", fix="`plexstedi schema` lists the commands that do.", code="no-schema"
            )
        print_json(json.dumps(json_schema(name), indent=2))
