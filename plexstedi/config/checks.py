"""Checks across keys: settings that require each other, and warnings about valid but unlikely settings.

`cross_checks` works on the raw tables, so that its problems are reported together with those of single keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexstedi.config.datasource_tables import ACCOUNT_APIS, table_checks
from plexstedi.config.datasources import COMPANY, datasource_checks
from plexstedi.config.problems import toml_key
from plexstedi.config.tables import AckLevel, ConfigTables, WriteBack
from plexstedi.edi.settings import ChangeOrders, SupplierSettings
from plexstedi.errors import Problem

_LEVEL_VALUES = ("confirmed_quantity", "confirmed_ship_date", "confirmed_delivery_date")


def cross_checks(raw: Mapping[str, Any], file: str) -> tuple[Problem, ...]:
    """Problems of `[plex]`: settings that others require (DESIGN.md section 5)."""
    problems: list[Problem] = []

    def need(path: tuple[str, ...], because: str, fix: str) -> None:
        if _at(raw, *path) is None:
            problems.append(Problem(file, toml_key(path), f"is missing; {because}", fix))

    api = _at(raw, "plex", "api") or "connect"
    by_number = _at(raw, "plex", "customer_id") is not None
    if _at(raw, "plex", "approved_supplier_parts") is True and api != "connect":
        fix = 'Remove it; only api = "connect" has a list of approved suppliers.'
        problems.append(Problem(file, "plex.approved_supplier_parts", f'has no use with api = "{api}"', fix))
    if by_number and api != "connect":
        fix = 'Remove it; only api = "connect" names the tenant by its number.'
        problems.append(Problem(file, "plex.customer_id", f'has no use with api = "{api}"', fix))
    elif by_number and _at(raw, "plex", "tenant_id") is not None:
        fix = "Keep one of the two; Plex accepts exactly one."
        problems.append(Problem(file, "plex.customer_id", "names the tenant, and so does plex.tenant_id", fix))
    elif by_number:
        need(
            ("plex", "tenant_code"),
            "plex.customer_id needs it: Plex lists its tenants by id and code, so the code proves the company",
            "Write the company code of that tenant, as Plex shows it on the log-in page.",
        )
    elif api == "connect":
        need(
            ("plex", "tenant_id"),
            'api = "connect" needs it',
            "Write the tenant's UUID from the Plex developer portal, or its number (PCN) as customer_id.",
        )
    else:
        need(("plex", "base_url"), f'api = "{api}" has no address of its own', "Write the https address of your Plex.")
    if api == "oauth2":
        need(("plex", "auth", "token_url"), 'api = "oauth2" needs it', "Write the address of the token endpoint.")
        need(("plex", "auth", "client_id"), 'api = "oauth2" needs it', "Write the client id of the application.")
    if api in ACCOUNT_APIS:
        need(("plex", "auth", "username"), f'api = "{api}" needs it', "Write the name of the web service account.")
        need(
            ("plex", "auth", "company_code"),
            f'api = "{api}" needs it to verify the company of the account',
            "Write the company code (PCN) that the web service account must belong to.",
        )
        problems.extend(table_checks(raw, file))
    return (*problems, *_write_back(raw, file))


def _write_back(raw: Mapping[str, Any], file: str) -> list[Problem]:
    table = ("plex", "acknowledgments")
    write = _at(raw, *table, "write")
    fields = _at(raw, *table, "fields")
    if write == WriteBack.DATASOURCE:
        return list(datasource_checks(raw, file))
    if write != WriteBack.CUSTOM_FIELDS:
        return []
    api = _at(raw, "plex", "api")
    if api in ACCOUNT_APIS:
        return [
            Problem(
                file,
                toml_key((*table, "write")),
                f'cannot be "custom-fields" with api = "{api}", which has no custom fields',
                'Use "datasource", "releases" or "report-only".',
            )
        ]
    if not isinstance(fields, Mapping) or not fields:
        return [
            Problem(
                file,
                toml_key((*table, "fields")),
                'is missing; write = "custom-fields" needs the custom fields to write to',
                'List them, for example ack_code = "Name of the custom field"; or set write = "report-only".',
            )
        ]
    return _shared_fields(fields, str(_at(raw, *table, "level") or AckLevel.LINE), file)


def _shared_fields(fields: Mapping[str, Any], level: str, file: str) -> list[Problem]:
    """Two values mapped to the same custom field of one object: they would overwrite each other."""
    problems = []
    taken: dict[tuple[str, str], str] = {}
    for value, name in fields.items():
        if not isinstance(name, str):
            continue
        place = (level if value in _LEVEL_VALUES else "order", name)
        if place in taken:
            problems.append(
                Problem(
                    file,
                    toml_key(("plex", "acknowledgments", "fields", value)),
                    f'goes to the custom field "{name}", as {taken[place]} does',
                    "Give each value a custom field of its own.",
                )
            )
        taken.setdefault(place, value)
    return problems


def warnings_of(tables: ConfigTables, suppliers: Mapping[str, SupplierSettings]) -> tuple[str, ...]:
    """Warnings about valid settings that are probably unintended; shown by `check`."""
    found = []
    if not suppliers:
        found.append("there are no [suppliers.CODE] tables: no order is sent")
    by_account = tables.plex.api in ACCOUNT_APIS
    if by_account and "receipts" not in tables.plex.datasources:
        found.append("there is no [plex.datasources.receipts]: received quantities are not known")
    if tables.plex.tenant_code is None and not by_account:
        found.append("plex.tenant_code is not set: only the tenant's id is checked, not its company code")
    write = tables.plex.acknowledgments
    if write.write is WriteBack.DATASOURCE and COMPANY not in tables.plex.datasources:
        found.append(
            "there is no [plex.datasources.company]: the company of the web service account is not checked before "
            "writing"
        )
    if write.write is WriteBack.CUSTOM_FIELDS and write.fields.ack_reference is None:
        found.append(
            "plex.acknowledgments.fields.ack_reference is not set: Plex does not show which acknowledgment was written"
        )
    if tables.run.time_limit_minutes >= tables.run.every_minutes:
        found.append(
            f"run.time_limit_minutes = {tables.run.time_limit_minutes} is not below"
            f" run.every_minutes = {tables.run.every_minutes}: a run may still be in progress when the next one "
            "starts"
        )
    send = tables.documents.send
    if "810" in send and not tables.customers:
        found.append('documents.send has "810", but there are no [customers.CODE] tables')
    if "860" in send and "850" not in send:
        found.append('documents.send has "860" without "850": changes of orders that were never sent are not sent')
    for code, settings in suppliers.items():
        if settings.change_orders is ChangeOrders.SEND_860 and settings.document_860 is None and "860" in send:
            found.append(f'supplier {code} has no 860 table and change_orders = "860": changed orders are held')
    sharing: dict[str, list[str]] = {}
    for code, settings in suppliers.items():
        if settings.partnership_id is not None:
            sharing.setdefault(settings.partnership_id, []).append(code)
    for partnership, codes in sharing.items():
        if len(codes) > 1:
            found.append(
                f"suppliers {', '.join(sorted(codes))} share the partnership {partnership}:"
                " their acknowledgments are distinguished by order number only"
            )
    return tuple(found)


def _at(raw: object, *path: str) -> Any:
    """The value at a path of nested tables; None if any step is missing."""
    for step in path:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(step)
    return raw
