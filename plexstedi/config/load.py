"""Finds, reads and validates the configuration file, and merges the supplier tables (DESIGN.md section 5).

Use `load`. An error that concerns the whole program is a ConfigurationFault with all problems at once. One that
concerns a single supplier (no partnership yet, an unreadable guide) is in `Config.problems_of`: that supplier's orders
are held while the others are sent (RULES.md Sending 1).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from plexstedi.config.checks import cross_checks, warnings_of
from plexstedi.config.datasource_tables import ACCOUNT_APIS
from plexstedi.config.guide_schema import read_guide_schema
from plexstedi.config.machine_tables import (
    AlertsConfig,
    CredentialsConfig,
    EmailConfig,
    ReportConfig,
    RunConfig,
    StateConfig,
)
from plexstedi.config.places import default_config_path, may_exist, reading_fix, usual_state_path
from plexstedi.config.problems import numbers_too_long, problems_of, toml_key
from plexstedi.config.tables import (
    AckLevel,
    AcknowledgmentFields,
    AcknowledgmentObjects,
    AcknowledgmentsConfig,
    ConfigTables,
    DataSource,
    DocumentsConfig,
    KnownOrders,
    PlexApi,
    PlexAuth,
    PlexConfig,
    PollConfig,
    StediConfig,
    WriteBack,
)
from plexstedi.config.values import is_loopback
from plexstedi.edi.order import Address
from plexstedi.edi.partner import Partner
from plexstedi.edi.plain_values import plain_number
from plexstedi.edi.read_settings import InvalidSettings
from plexstedi.edi.reasons import Reason
from plexstedi.edi.settings import Company, DocumentSettings, SupplierSettings, missing_pieces
from plexstedi.errors import ConfigurationFault, Problem
from plexstedi.ownership import must_be_ours

__all__ = [
    "AckLevel",
    "AcknowledgmentFields",
    "AcknowledgmentObjects",
    "AcknowledgmentsConfig",
    "AlertsConfig",
    "Config",
    "CredentialsConfig",
    "DataSource",
    "DocumentsConfig",
    "EmailConfig",
    "KnownOrders",
    "PlexApi",
    "PlexAuth",
    "PlexConfig",
    "PollConfig",
    "ReportConfig",
    "RunConfig",
    "StateConfig",
    "StediConfig",
    "WriteBack",
    "default_config_path",
    "default_state_path",
    "is_loopback",
    "load",
    "readable_alerts",
    "readable_state_path",
]

_WHOLE_VALUES = {"units", "ack_units", "terms"}
"""Tables whose entries are single values: a supplier's entry replaces the default's entry instead of being merged."""


@dataclass(frozen=True)
class Config:
    """A validated configuration; supplier tables are merged over `[supplier_defaults]`."""

    file: Path
    plex: PlexConfig
    stedi: StediConfig
    documents: DocumentsConfig
    company: Company
    alerts: AlertsConfig
    run: RunConfig
    report: ReportConfig
    state: StateConfig
    credentials: CredentialsConfig
    suppliers: Mapping[str, SupplierSettings]
    customers: Mapping[str, SupplierSettings]
    supplier_defaults: SupplierSettings
    """Used for acknowledgments of a supplier whose table was removed."""
    warnings: tuple[str, ...] = ()
    _guides: dict[Path, Mapping[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def tenant(self) -> str:
        """The tenant's id in idempotency keys, file names and the state file.

        An OAuth2 client belongs to one company, so its client id is used if neither id nor code is configured.
        """
        if self.plex.api in ACCOUNT_APIS:
            # The account determines the company; a state file belongs to the ids of its interface.
            return f"ds-{self.plex.auth.company_code}"
        return self.plex.tenant_id or self.plex.customer_id or self.plex.tenant_code or self.plex.auth.client_id or ""

    def guide(self, code: str, document: str) -> Mapping[str, Any] | None:
        """The guide schema of a supplier's document ("850"), cached; None if no guide is configured.

        Raise ConfigurationFault if it cannot be read, KeyError for an unknown supplier.
        """
        return self._guide("suppliers", code, self.suppliers[code], document)

    def partner(self, code: str, name: str | None = None, address: Address | None = None) -> Partner:
        """The supplier's settings as used for building documents. Raise ConfigurationFault, KeyError as `guide`."""
        return self._partner("suppliers", code, self.suppliers[code], name, address)

    def customer(self, code: str, name: str | None = None, address: Address | None = None) -> Partner:
        """The customer's settings as used for building 810s. Raise ConfigurationFault, KeyError as `guide`."""
        return self._partner("customers", code, self.customers[code], name, address)

    def problems_of(self, code: str) -> tuple[Reason, ...]:
        """Reasons to hold this supplier's orders: missing keys of its table, unreadable guides."""
        settings = self.suppliers[code]
        reasons = [_missing("suppliers", code, key) for key in missing_pieces(settings)]
        return (*reasons, *self._guide_problems("suppliers", code, settings))

    def customer_problems_of(self, code: str) -> tuple[Reason, ...]:
        """Reasons to hold this customer's invoices."""
        settings = self.customers[code]
        missing = [] if settings.partnership_id else ["partnership_id"]
        if settings.document_810 is None or settings.document_810.transaction_setting_id is None:
            missing.append("810.transaction_setting_id")
        reasons = [_missing("customers", code, key) for key in missing]
        return (*reasons, *self._guide_problems("customers", code, settings))

    def guide_files(self) -> tuple[Path, ...]:
        """Paths of the guide schemas of all suppliers and customers, existing or not."""
        sections = (s for one in (*self.suppliers.values(), *self.customers.values()) for s in _documents(one).values())
        schemas = dict.fromkeys(s.guide_schema for s in sections if s.guide_schema is not None)
        return tuple(self.file.parent / schema for schema in schemas)

    @cached_property
    def supplier_problems(self) -> Mapping[str, tuple[Reason, ...]]:
        """`problems_of` of every supplier with problems. Reads every guide."""
        found = {code: self.problems_of(code) for code in self.suppliers}
        return {code: reasons for code, reasons in found.items() if reasons}

    @cached_property
    def customer_problems(self) -> Mapping[str, tuple[Reason, ...]]:
        """`customer_problems_of` of every customer with problems."""
        found = {code: self.customer_problems_of(code) for code in self.customers}
        return {code: reasons for code, reasons in found.items() if reasons}

    def _partner(
        self, table: str, code: str, settings: SupplierSettings, name: str | None, address: Address | None
    ) -> Partner:
        guides = {}
        for document in _documents(settings):
            guide = self._guide(table, code, settings, document)
            if guide is not None:
                guides[document] = guide
        return Partner(code, settings, self.company, name, address, guides)

    def _guide_problems(self, table: str, code: str, settings: SupplierSettings) -> list[Reason]:
        reasons = []
        for document in _documents(settings):
            try:
                self._guide(table, code, settings, document)
            except ConfigurationFault as fault:
                reasons += [
                    Reason(code="guide-unreadable", where=problem.key, message=problem.message, fix=problem.fix)
                    for problem in fault.problems
                ]
        return reasons

    def _guide(self, table: str, code: str, settings: SupplierSettings, document: str) -> Mapping[str, Any] | None:
        section = _documents(settings).get(document)
        if section is None or section.guide_schema is None:
            return None
        path = self.file.parent / section.guide_schema
        if path not in self._guides:
            key = toml_key((table, code, document, "guide_schema"))
            self._guides[path] = read_guide_schema(path, str(self.file), key)
        return self._guides[path]


def load(path: Path) -> Config:
    """Read and validate the configuration. Raise ConfigurationFault with all problems at once.

    Raise UntrustedFile, before any value is used, if anyone but root and this user can write the file or a guide.
    """
    if may_exist(path):
        must_be_ours([path])
    raw = _read_toml(path)
    for needed in ("plex", "stedi"):
        raw.setdefault(needed, {})
    if isinstance(raw["plex"], dict):
        raw["plex"].setdefault("acknowledgments", {})
    problems: list[Problem] = []
    tables: ConfigTables | None = None
    try:
        tables = ConfigTables.of(raw)
    except InvalidSettings as error:
        problems += problems_of(error, str(path))
    problems += cross_checks(raw, str(path))
    if tables is None or problems:
        raise ConfigurationFault(problems)
    suppliers = {code: _merged(raw, code) for code in tables.suppliers}
    config = Config(
        file=path,
        plex=tables.plex,
        stedi=tables.stedi,
        documents=tables.documents,
        company=tables.company,
        alerts=tables.alerts,
        run=tables.run,
        report=tables.report,
        state=tables.state,
        credentials=tables.credentials,
        suppliers=suppliers,
        customers=tables.customers,
        supplier_defaults=tables.supplier_defaults,
        warnings=warnings_of(tables, suppliers),
    )
    must_be_ours(config.guide_files())
    return config


def default_state_path(env: Mapping[str, str], config: Config | None) -> Path:
    """The path of the state file if `--state` is not given.

    `PLEXSTEDI_STATE`, then `state.path` (relative to the configuration file), then `usual_state_path`.
    """
    if env.get("PLEXSTEDI_STATE"):
        return Path(env["PLEXSTEDI_STATE"])
    if config is not None and config.state.path is not None:
        return config.file.parent / Path(config.state.path).expanduser()
    return usual_state_path(env, None if config is None else config.file)


def readable_alerts(path: Path) -> AlertsConfig | None:
    """`[alerts]` of a configuration with errors elsewhere, so that alerts can report those errors.

    None if it cannot be read, or if others can write the file: it names a program to run.
    """
    try:
        must_be_ours([path])
        return AlertsConfig.of(_read_toml(path).get("alerts", {}))
    except (OSError, ConfigurationFault, InvalidSettings):
        return None


def readable_state_path(env: Mapping[str, str], path: Path) -> Path | None:
    """As `default_state_path`, for a configuration with errors elsewhere; None if the path cannot be read from it."""
    try:
        table = _read_toml(path).get("state", {})
        state = StateConfig.of(table).path
    except InvalidSettings:
        return None
    except ConfigurationFault:
        try:
            if "[state]" in path.read_text(errors="replace"):
                return None
        except OSError:
            # Without a configuration file there is no `state.path`.
            pass
        state = None
    if state is not None:
        return path.parent / Path(state).expanduser()
    return Path(env["PLEXSTEDI_STATE"]) if env.get("PLEXSTEDI_STATE") else usual_state_path(env, path)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _file_fault(
            path,
            "does not exist",
            "Create one with `plexstedi init`, or name yours with --config FILE or PLEXSTEDI_CONFIG.",
        ) from None
    except IsADirectoryError:
        raise _file_fault(path, "is a folder", "Name the file in it with --config FILE or PLEXSTEDI_CONFIG.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _file_fault(path, f"line {line} is not UTF-8 text", "Save the file as UTF-8.") from None
    except OSError as error:
        raise _file_fault(path, f"cannot be read ({error.strerror})", reading_fix(path)) from None
    try:
        document = tomllib.loads(text, parse_float=_fraction)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # Not only TOMLDecodeError: Python raises a plain ValueError for an integer with thousands of digits.
        reason = str(error) or type(error).__name__
        raise _file_fault(path, f"is not valid TOML: {reason}", "Correct that line; text values need quotes.") from None
    grouped = next((found[0] for found in _GROUPED.finditer(text) if found[1]), None)
    if grouped is not None:
        raise _file_fault(path, f"has the number {grouped}", "Write it in plain digits, without underscores.")
    if too_long := [*numbers_too_long(document, str(path))]:
        raise ConfigurationFault(too_long)
    return document


def _fraction(written: str) -> Decimal:
    # Underscores in numbers are reported with their position, see `_GROUPED`.
    number = plain_number(written.replace("_", ""))
    if number is None:
        raise ValueError(
            f"the number {written[:40]} is not finite, or has more than 30 digits or an exponent beyond 30"
        )
    return number


_GROUPED = re.compile(
    # Skip strings, comments and table headers; then match a number with underscores.
    r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|^[ \t]*\[[^\n]*|'
    r"(?<=[=\[,\s])([+-]?[0-9]+(?:_[0-9]+)+[0-9.eE_]*)(?![\w-])(?![ \t]*[=.])",
    re.MULTILINE,
)


def _file_fault(path: Path, message: str, fix: str) -> ConfigurationFault:
    return ConfigurationFault([Problem(str(path), "", message, fix)])


def _merged(raw: Mapping[str, Any], code: str) -> SupplierSettings:
    return SupplierSettings.of(_over(raw.get("supplier_defaults", {}), raw["suppliers"][code]))


def _over(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` merged over `defaults`, key by key; nested tables are merged too."""
    merged = dict(defaults)
    for key, value in own.items():
        base = merged.get(key)
        if isinstance(base, dict) and isinstance(value, dict):
            merged[key] = {**base, **value} if key in _WHOLE_VALUES else _over(base, value)
        else:
            merged[key] = value
    return merged


def _documents(settings: SupplierSettings) -> dict[str, DocumentSettings]:
    sections = {"850": settings.document_850, "860": settings.document_860, "810": settings.document_810}
    return {document: section for document, section in sections.items() if section is not None}


def _missing(table: str, code: str, key: str) -> Reason:
    what = "the Stedi partnership" if key == "partnership_id" else "a Stedi transaction setting"
    path = (table, code, *key.split("."))
    return Reason(
        code="setting-missing",
        where=toml_key(path),
        message=f"{code} has no {key}: {what} is not known",
        fix=f"Copy it from the Stedi portal into [{toml_key(path[:-1])}].",
    )
