"""`plexstedi check`: verify the set-up, with a fix for each problem."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from plexstedi.cli.invocation import Invocation, finish, of
from plexstedi.cli.options import Json, Supplier
from plexstedi.cli.render.layout import Mark
from plexstedi.cli.render.tables import plain, print_table
from plexstedi.cli.render.terminal import say
from plexstedi.cli.result.outcome import Outcome
from plexstedi.cli.result.things import FindingJson, TrialJson
from plexstedi.config.load import Config
from plexstedi.credentials.secrets import Secrets
from plexstedi.errors import ConfigurationFault, ExitCode, PlexStediError, UntrustedFile
from plexstedi.plain_text import many
from plexstedi.sync.report.check import (
    Area,
    Finding,
    Verdict,
    broken_configuration,
    check_configuration,
    check_credentials,
    check_state,
    check_suppliers,
    environment_decides,
    not_verified,
)
from plexstedi.sync.report.check_files import check_alerts, check_groups, check_state_folder, untrusted
from plexstedi.sync.report.check_guides import Trial, demands, left_out, try_orders
from plexstedi.sync.report.check_key import check_key, check_key_place, check_plex_key
from plexstedi.sync.report.check_written_files import check_written_files
from plexstedi.sync.report.overview import reading

_COLOURS = {Verdict.WARN: Mark.CARE, Verdict.WRONG: Mark.WRONG}
_MARKS = {
    Verdict.OK: "ok",
    Verdict.WARN: "warn",
    Verdict.WRONG: "WRONG",
    Verdict.COULD_NOT_VERIFY: "could not verify",
}


class ChecksFailed(PlexStediError):
    """Some checks failed; `exit_code` depends on their kind."""

    code = "check"

    def __init__(self, message: str, *, fix: str, exit_code: ExitCode) -> None:
        super().__init__(message, fix=fix)
        self.exit_code = exit_code


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "check",
        short_help="Check configuration, secrets, Plex, Stedi and suppliers.",
        epilog="Example: plexstedi check --supplier ACME01 --offline",
    )
    def command(
        context: typer.Context,
        offline: Annotated[bool, typer.Option("--offline", help="Do not connect to Plex or Stedi.")] = False,
        supplier: Supplier = None,
        json: Json = False,
    ) -> None:
        """Check configuration, credentials, state file, Plex, Stedi and supplier set-up.

        With --supplier, also test its guide on the polled orders: what would be sent, what is left out, and
        what is missing.
        """
        invocation = of(context)
        outcome = Outcome(command="check")
        trials: list[Trial] = []
        findings = _run_checks(invocation, trials, offline=offline, supplier=supplier)
        outcome.faults += _faults(findings)
        outcome.data["findings"] = [FindingJson.of(finding) for finding in findings]
        if supplier is not None:
            outcome.data["orders"] = [TrialJson.of(trial) for trial in trials]
        outcome.show = lambda: _show(findings, trials)
        finish(invocation, outcome, as_json=json)


def _run_checks(invocation: Invocation, trials: list[Trial], *, offline: bool, supplier: str | None) -> list[Finding]:
    try:
        config = invocation.config()
    except ConfigurationFault as fault:
        return broken_configuration(fault)
    secrets = invocation.secrets()
    findings = [
        *check_configuration(config),
        *check_alerts(config),
        *check_credentials(config, secrets),
        *_key(invocation, config, secrets),
        *_state(invocation, config),
        *check_suppliers(config, supplier),
    ]
    # Load httpx only if the environment sets certificates or a proxy.
    environment: list[Finding] = []
    if environment_decides(os.environ):
        from plexstedi.sync.report.check_environment import check_environment

        environment = check_environment(config)
    if not offline:
        # Load httpx only if a service is called.
        from plexstedi.sync.report.check_services import check_plex, check_stedi

        findings += check_plex(config, secrets, invocation.clock, supplier)
        findings += check_stedi(config, secrets, invocation.clock, supplier)
    findings += [one for one in environment if not any(one.message in other.message for other in findings)]
    if supplier is not None and not any(f.area in (Area.SUPPLIERS, Area.STATE) and _is_wrong(f) for f in findings):
        findings += _try(invocation, config, supplier, trials)
    order = list(Area)
    return sorted(findings, key=lambda finding: order.index(finding.area))


def _key(invocation: Invocation, config: Config, secrets: Secrets) -> list[Finding]:
    try:
        state, now = invocation.state(), invocation.clock.now()
        return [
            *check_key(state, config, secrets, now),
            *check_plex_key(state, config, secrets, now),
            *check_key_place(secrets),
            *check_written_files(config),
        ]
    except UntrustedFile:
        # Reported by the check of the state file.
        return []


def _state(invocation: Invocation, config: Config) -> list[Finding]:
    try:
        path = invocation.state()
    except UntrustedFile as fault:
        return untrusted(Area.STATE, fault)
    # Check the lock before the state file is opened: see `held_by`.
    return [
        *check_groups(config, path),
        *check_state_folder(path),
        *check_state(path, config, invocation.clock.now()),
    ]


def _is_wrong(finding: Finding) -> bool:
    return finding.verdict is Verdict.WRONG


def _try(invocation: Invocation, config: Config, supplier: str, trials: list[Trial]) -> list[Finding]:
    with reading(invocation.state()) as store:
        if store is not None:
            trials += try_orders(store, config, supplier)
    held = [trial for trial in trials if not trial.would_go]
    subject = f"{'orders' if supplier in config.suppliers else 'invoices'} of {supplier}"
    if not trials:
        fix = "`plexstedi poll` reads them; it sends nothing."
        return [not_verified(Area.SUPPLIERS, subject, "the state file has no order to test the guide with", fix)]
    if held:
        message = f"{len(held)} of {many(len(trials), 'document')} would be held, see below"
        return [
            Finding(
                Area.SUPPLIERS,
                subject,
                Verdict.WARN,
                message,
                "Supply the missing values, or resolve it with the supplier.",
            )
        ]
    message = "the document would be sent" if len(trials) == 1 else f"all {len(trials)} documents would be sent"
    return [Finding(Area.SUPPLIERS, subject, Verdict.OK, message)]


def _faults(findings: Sequence[Finding]) -> list[PlexStediError]:
    """One fault per exit code."""
    faults: list[PlexStediError] = []
    for code in (ExitCode.STATE, ExitCode.CONFIGURATION, ExitCode.UNAVAILABLE):
        found = [finding for finding in findings if finding.exit_code is code]
        if found:
            what = "; ".join(f"{finding.subject}: {finding.message}" for finding in found[:3])
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            faults.append(ChecksFailed(what + more, fix=found[0].fix, exit_code=code))
    return faults


def _show(findings: Sequence[Finding], trials: Sequence[Trial]) -> None:
    for area in Area:
        group = [finding for finding in findings if finding.area is area]
        if not group:
            continue
        say(area.value, mark=Mark.HEAD)
        for finding in group:
            mark = f"{_MARKS[finding.verdict]:<17}"
            colour = _COLOURS.get(finding.verdict, Mark.NONE)
            text = f"{mark}{plain(finding.subject)}: {plain(finding.message)}"
            say(text, indent="  ", hanging=" " * 21, mark=colour)
            if finding.fix and finding.verdict is not Verdict.OK:
                say(f"fix: {plain(finding.fix)}", indent=" " * 19, hanging=" " * 24)
    _show_trials(trials)
    say(_summary(findings))


def _summary(findings: Sequence[Finding]) -> str:
    counted = Counter(finding.verdict for finding in findings)
    parts = [
        text
        for verdict, text in (
            (Verdict.WRONG, f"{counted[Verdict.WRONG]} wrong"),
            (Verdict.WARN, many(counted[Verdict.WARN], "warning")),
            (Verdict.COULD_NOT_VERIFY, f"{counted[Verdict.COULD_NOT_VERIFY]} could not be verified"),
        )
        if counted[verdict]
    ]
    return ", ".join(parts) or "no problems found"


def _show_trials(trials: Sequence[Trial]) -> None:
    print_table(
        ("order", "document", "result", "carries"),
        [
            (
                trial.order if trial.release is None else f"{trial.order} release {trial.release}",
                trial.kind,
                "would be sent" if trial.would_go else f"held: {many(len(trial.reasons), 'reason')}",
                " ".join(trial.segments),
            )
            for trial in trials
        ],
        title="Orders as documents",
    )
    print_table(
        ("orders", "what is missing", "how to supply it"),
        [(len(demand.orders), demand.what, demand.fix) for demand in demands(trials)],
        title="Missing",
    )
    print_table(
        ("orders", "left out", "why", "for example"),
        [(len(demand.orders), demand.what, demand.fix, demand.orders[0]) for demand in left_out(trials)],
        title="Left out",
    )
    adjusted = list(dict.fromkeys(f"{trial.order}: {text}" for trial in trials for text in trial.adjusted))
    for text in adjusted:
        say(f"adjusted: {plain(text)}", hanging="  ")
