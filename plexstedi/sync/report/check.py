"""Local part of `check`: configuration, secrets, state file, partner tables, guides.

Each finding is one check with its verdict and, unless it is fine, the fix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from plexstedi.config.datasources import WRITE
from plexstedi.config.load import Config, PlexApi, WriteBack
from plexstedi.credentials.secrets import Secrets
from plexstedi.edi.advice import partner_table
from plexstedi.edi.guide.model import capacity_for
from plexstedi.edi.guide.schema import GuideUnreadableError
from plexstedi.edi.partner import Partner
from plexstedi.edi.reasons import Reason
from plexstedi.errors import ConfigurationFault, CredentialsFault, ExitCode, StateUnusable
from plexstedi.plex.rest.connect import CONNECT
from plexstedi.plex.rest.dialect import adapted
from plexstedi.plex.rest.oauth2 import OAUTH2
from plexstedi.secret_names import SecretName
from plexstedi.state.cursors import Fact
from plexstedi.state.file.backups import age_of_last_backup
from plexstedi.state.store import Store
from plexstedi.sync.report.overview import reading
from plexstedi.sync.services import plex_settings

_OLD_BACKUP = timedelta(days=3)


class Verdict(StrEnum):
    """The result of one check."""

    OK = "ok"
    WARN = "warn"
    WRONG = "wrong"
    COULD_NOT_VERIFY = "could-not-verify"


class Area(StrEnum):
    """What a finding is about, in display order."""

    CONFIGURATION = "configuration"
    CREDENTIALS = "credentials"
    STATE = "state"
    PLEX = "plex"
    STEDI = "stedi"
    SUPPLIERS = "suppliers"


class Finding(Struct, frozen=True):
    """The result of one check, with its fix."""

    area: Area
    subject: str
    verdict: Verdict
    message: str
    fix: str = ""
    exit_code: ExitCode = ExitCode.DONE
    """For `wrong`: the exit code of the command."""


def ok(area: Area, subject: str, message: str) -> Finding:
    """A check that passed."""
    return Finding(area, subject, Verdict.OK, message)


def warn(area: Area, subject: str, message: str, fix: str = "") -> Finding:
    """It works, but is probably unintended."""
    return Finding(area, subject, Verdict.WARN, message, fix)


def wrong(area: Area, subject: str, message: str, fix: str, exit_code: ExitCode = ExitCode.CONFIGURATION) -> Finding:
    """It must be corrected."""
    return Finding(area, subject, Verdict.WRONG, message, fix, exit_code)


def not_verified(area: Area, subject: str, message: str, fix: str = "") -> Finding:
    """It could not be checked, which is not a fault by itself."""
    return Finding(area, subject, Verdict.COULD_NOT_VERIFY, message, fix)


def broken_configuration(fault: ConfigurationFault) -> list[Finding]:
    """The problems of an unusable configuration, one finding each."""
    return [
        wrong(
            Area.CONFIGURATION,
            f"{problem.file}: {problem.key}" if problem.key else problem.file,
            problem.message,
            problem.fix,
        )
        for problem in fault.problems
    ]


def check_configuration(config: Config) -> list[Finding]:
    """The file is valid; unusual values and overridden names are listed."""
    area = Area.CONFIGURATION
    found = [ok(area, str(config.file), "valid")]
    found += [warn(area, str(config.file), warning) for warning in config.warnings]
    dialect = {PlexApi.CONNECT: CONNECT, PlexApi.OAUTH2: OAUTH2}.get(config.plex.api)
    if dialect is not None:
        try:
            adapted(dialect, plex_settings(config))
        except ConfigurationFault as fault:
            found += [wrong(area, problem.key, problem.message, problem.fix) for problem in fault.problems]
    if config.plex.timezone is None and (days := _days_written(config)):
        fix = 'Set it to the plant\'s IANA name, like "America/Detroit": a date is then written as midnight there.'
        found.append(warn(area, "plex.timezone", f"is not set, and dates are written to Plex: {days}", fix))
    return found


def _days_written(config: Config) -> str:
    """Where the configuration writes dates to Plex; empty if nowhere."""
    acknowledgments = config.plex.acknowledgments
    if acknowledgments.write is WriteBack.RELEASES:
        return "the due date of releases" if "due_date" in acknowledgments.release_values else ""
    wanted = ("confirmed_ship_date", "confirmed_delivery_date")
    if acknowledgments.write is WriteBack.CUSTOM_FIELDS:
        return ", ".join(name for value, name in acknowledgments.fields.listed().items() if value in wanted)
    if acknowledgments.write is WriteBack.DATASOURCE and WRITE in config.plex.datasources:
        return ", ".join(name for value, name in config.plex.datasources[WRITE].inputs.items() if value in wanted)
    return ""


def needed_secrets(config: Config) -> tuple[SecretName, ...]:
    """The secrets that every run, or its alerts, require."""
    plex = {
        PlexApi.CONNECT: SecretName.PLEX_API_KEY,
        PlexApi.OAUTH2: SecretName.PLEX_CLIENT_SECRET,
        PlexApi.DATASOURCE: SecretName.PLEX_PASSWORD,
        PlexApi.SOAP: SecretName.PLEX_PASSWORD,
    }[config.plex.api]
    account = config.plex.acknowledgments.write is WriteBack.DATASOURCE and plex is not SecretName.PLEX_PASSWORD
    email = config.alerts.email
    login = email is not None and email.username is not None
    return (
        plex,
        *((SecretName.PLEX_PASSWORD,) if account else ()),
        SecretName.STEDI_API_KEY,
        *((SecretName.SMTP_PASSWORD,) if login else ()),
    )


def check_credentials(config: Config, secrets: Secrets) -> list[Finding]:
    """The source of each required secret, never its value."""
    found = []
    for name in needed_secrets(config):
        try:
            source = secrets.source(name)
        except CredentialsFault as fault:
            found.append(wrong(Area.CREDENTIALS, name, fault.message, fault.fix))
            continue
        if source is None:
            found.append(
                wrong(
                    Area.CREDENTIALS,
                    name,
                    "is not set",
                    f"Run `plexstedi credentials set {name}` as the user that runs plexstedi.",
                )
            )
            continue
        found.append(ok(Area.CREDENTIALS, name, f"from {source}"))
    return found


def check_state(path: Path, config: Config, now: datetime) -> list[Finding]:
    """The state file is intact, belongs to this tenant and usage indicator, and has backups."""
    subject = str(path)
    try:
        with reading(path) as store:
            if store is None:
                return [ok(Area.STATE, subject, "does not exist yet: the first run creates it")]
            store.database.check_pages()
            return [*_whose_state(subject, store, config), *_copies(store, config, now)]
    except StateUnusable as fault:
        return [wrong(Area.STATE, subject, fault.message, fault.fix, ExitCode.STATE)]


def _copies(store: Store, config: Config, now: datetime) -> list[Finding]:
    path, made = store.database.path, store.cursors.time(Fact.CREATED)
    if path is None or made is None or config.state.backups == 0:
        return []
    age = age_of_last_backup(path, now)
    if (now - made if age is None else age) <= _OLD_BACKUP:
        return []
    message = "it has no backup copy" if age is None else f"its last copy is {age.days} days old"
    fix = "A successful run makes one each day: check the exit code of `plexstedi run`."
    return [warn(Area.STATE, str(path), message, fix)]


def _whose_state(subject: str, store: Store, config: Config) -> list[Finding]:
    mine = {
        Fact.TENANT: config.tenant,
        Fact.USAGE: config.stedi.usage_indicator,
    }
    found = []
    for fact, value in mine.items():
        theirs = store.cursors.get(fact)
        if theirs is not None and theirs != value:
            found.append(
                wrong(
                    Area.STATE,
                    subject,
                    f"it belongs to {fact} {theirs}, the configuration says {value}",
                    "Use a separate state file for each tenant and usage indicator (--state FILE).",
                )
            )
    return found or [ok(Area.STATE, subject, "readable, and for this tenant and usage indicator")]


def environment_decides(env: Mapping[str, str]) -> bool:
    """Whether environment variables set CA certificates or a proxy."""
    named = {"SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"}
    return any(value and (name in named or name.lower().endswith("_proxy")) for name, value in env.items())


def check_suppliers(config: Config, only: str | None = None) -> list[Finding]:
    """Each supplier and customer table is complete for its documents, and its guides are usable."""
    if only is not None and only not in config.suppliers and only not in config.customers:
        known = ", ".join(sorted({*config.suppliers, *config.customers})) or "none"
        return [
            wrong(
                Area.SUPPLIERS,
                only,
                f"there is no [{partner_table('850', only)}]; there are: {known}",
                "Add the table, or write the code as Plex shows it.",
            )
        ]
    found: list[Finding] = []
    for code in sorted(code for code in config.suppliers if only in (None, code)):
        problems = config.problems_of(code)
        guides = () if problems else _guides("850", config.partner(code))
        found += _table(partner_table("850", code), problems, guides)
    for code in sorted(code for code in config.customers if only in (None, code)):
        problems = config.customer_problems_of(code)
        guides = () if problems else _guides("810", config.customer(code))
        found += _table(partner_table("810", code), problems, guides)
    return found


def _table(subject: str, problems: Iterable[Reason], guides: Iterable[Finding]) -> list[Finding]:
    faults = [wrong(Area.SUPPLIERS, reason.where, reason.message, reason.fix) for reason in problems]
    return [*faults, *guides] or [ok(Area.SUPPLIERS, subject, "complete")]


def _guides(set_id: str, partner: Partner) -> Iterator[Finding]:
    for document in partner.guides:
        try:
            capacity_for(partner, document)
        except GuideUnreadableError as error:
            yield wrong(
                Area.SUPPLIERS,
                partner_table(set_id, partner.code, document, "guide_schema"),
                f"the guide cannot be used: {error}",
                "Save it again from the Stedi portal (guide, Actions, View Schema, tab JSON to EDI).",
            )


def only_of(findings: Iterable[Finding], verdict: Verdict) -> list[Finding]:
    """The findings with one verdict."""
    return [finding for finding in findings if finding.verdict is verdict]
