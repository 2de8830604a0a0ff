"""`plexstedi notify`."""

from __future__ import annotations

from typing import Annotated

import typer

from plexstedi.cli.invocation import finish, of
from plexstedi.cli.options import Json
from plexstedi.cli.render.tables import plain
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.results import ChannelJson
from plexstedi.errors import ConfigurationFault, Problem, UsageFault


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("notify", epilog="Example: plexstedi notify --test")
    def command(
        context: typer.Context,
        test: Annotated[
            bool, typer.Option("--test", help="Send a test message through each configured alert.")
        ] = False,
        json: Json = False,
    ) -> None:
        """Test the configured alerts."""
        from plexstedi.sync.people.channels import send_test

        if not test:
            raise UsageFault("notify does nothing without --test; alerts are sent by each run", fix="Add --test.")
        invocation = of(context)
        config = invocation.config()
        results = send_test(config.alerts, invocation.clock.now(), invocation.secrets())
        outcome = Outcome(command="notify")
        outcome.data["alerts"] = [ChannelJson(channel=result.channel, fault=result.fault) for result in results]
        problems = [
            Problem(
                str(config.file),
                "alerts",
                f"the alert by {result.channel} failed: {result.fault}",
                "Correct it in [alerts], or repair the service behind it.",
            )
            for result in results
            if result.fault is not None
        ]
        if not results:
            fix = "Set ping_url, command or [alerts.email]."
            problems = [Problem(str(config.file), "alerts", "no alert is configured", fix)]
        if problems:
            outcome.faults.append(ConfigurationFault(problems))

        def show() -> None:
            for result in results:
                print(f"{plain(result.channel)}: {'sent' if result.fault is None else 'failed'}")

        outcome.show = show
        finish(invocation, outcome, as_json=json)
