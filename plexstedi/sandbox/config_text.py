"""The configuration that points PlexStedi at a sandbox, and the sandbox's secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from plexstedi.sandbox.behaviours import Character
from plexstedi.sandbox.plex.sample_data import TIMEZONE, TradingPartner
from plexstedi.sandbox.source_tables import RECORD_TABLES, source_tables

if TYPE_CHECKING:
    from plexstedi.sandbox.server import Sandbox

Dialect = Literal["connect", "oauth2", "datasource", "soap"]
WriteBack = Literal["custom-fields", "releases", "datasource", "report-only"]

_CHARACTER_SETTINGS: dict[Character, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Character.DATES: (("tolerance", ("date_late_days = 5",)),),
    Character.SPLITTING: (("tolerance", ("date_late_days = 5",)),),
    Character.SLOPPY: (("tolerance", ("date_late_days = 2",)),),
    Character.BARE: (("acknowledgments", ("accept_without_detail = true",)),),
    Character.WRONG_UNITS: (("ack_units", ('CA = { unit = "EA", factor = "12" }',)),),
}
"""Supplier settings without which all acknowledgments of a character would be held."""


def config_text(sandbox: Sandbox, dialect: Dialect = "connect", write: WriteBack = "custom-fields") -> str:
    """A complete configuration (TOML) for this sandbox, without secrets: see `secrets`.

    Data sources have no custom fields: acknowledgments are then written as records.
    """
    urls, tenant = sandbox.urls, sandbox.sample_data.tenant
    by_account = dialect in ("datasource", "soap")
    if by_account and write == "custom-fields":
        write = "datasource"
    named = [] if by_account else [f'tenant_id = "{tenant.id}"', f'tenant_code = "{tenant.code}"']
    lines = [
        "[plex]",
        f'api = "{dialect}"',
        f'base_url = "{urls.soap_url if dialect == "soap" else urls.plex_url}"',
        *named,
        f'timezone = "{TIMEZONE}"',
        f"requests_per_minute = {sandbox.plex_settings.calls_per_minute - 10}",
    ]
    auth = []
    if dialect == "oauth2":
        auth += [f'token_url = "{urls.token_url}"', f'client_id = "{sandbox.plex_settings.client_id}"']
    if by_account:
        auth += [f'username = "{sandbox.plex_settings.account}"', f'company_code = "{tenant.code}"']
    elif write == "datasource":
        lines += [f'datasource_url = "{urls.datasource_url}"']
        auth += [f'username = "{sandbox.plex_settings.account}"']
    lines += ["", *(["[plex.auth]", *auth, ""] if auth else [])]
    lines += [
        "[plex.statuses]",
        'cancelled_lines = ["Cancelled"]',
        "",
        *_write_back(write, by_account=by_account),
        *(source_tables(sandbox.plex_settings.text_dates) if by_account else []),
        "[stedi]",
        f'base_url = "{urls.stedi_url}"',
        'usage_indicator = "T"',
        "",
        "[company]",
        f"name = {_quoted(tenant.name)}",
        'code = "RIVERBEND"',
        'street = "1 Mill Road"',
        'city = "Ann Arbor"',
        'state = "MI"',
        'postal_code = "48104"',
        'country = "US"',
        "",
        "[supplier_defaults]",
        'terms = { "Net 30" = { type = "05", net_days = 30 } }',
        'freight_terms = { "Collect" = "CC" }',
        "",
        '[supplier_defaults.ship_to."Plant 1"]',
        'name = "Riverbend Plant 1"',
        'code = "P1"',
        'street = "1 Mill Road"',
        'city = "Ann Arbor"',
        'state = "MI"',
        'postal_code = "48104"',
        'country = "US"',
        "",
        '[supplier_defaults.ship_to."Plant 2"]',
        'name = "Riverbend Plant 2"',
        'code = "P2"',
        'street = "900 River Street"',
        'city = "Jackson"',
        'state = "MI"',
        'postal_code = "49201"',
        'country = "US"',
        "",
    ]
    for partner in sandbox.sample_data.partners:
        lines += _partner_table("suppliers", partner)
        for table, settings in _CHARACTER_SETTINGS.get(sandbox.suppliers.characters[partner.partnership_id], ()):
            lines += [f"[suppliers.{partner.code}.{table}]", *settings, ""]
    for partner in sandbox.sample_data.customers:
        lines += _partner_table("customers", partner)
    return "\n".join(lines)


def _write_back(write: WriteBack, *, by_account: bool) -> list[str]:
    """The table `[plex.acknowledgments]` for a write-back strategy."""
    level = "release" if write == "datasource" else "line"
    lines = ["[plex.acknowledgments]", f'write = "{write}"', f'level = "{level}"', ""]
    if write == "datasource":
        text = RECORD_TABLES if by_account else _DATASOURCES
        return lines + text.strip().splitlines() + [""]
    if write != "custom-fields":
        return lines
    return [
        *lines,
        "[plex.acknowledgments.fields]",
        'ack_code = "EDI_Ack_Code"',
        'ack_status = "EDI_Ack_Status"',
        'ack_reference = "EDI_Ack_Reference"',
        'acknowledged_at = "EDI_Acknowledged_At"',
        'supplier_reference = "EDI_Supplier_Reference"',
        'confirmed_quantity = "EDI_Confirmed_Qty"',
        'confirmed_ship_date = "EDI_Confirmed_Ship_Date"',
        'confirmed_delivery_date = "EDI_Confirmed_Delivery_Date"',
        "",
    ]


_DATASOURCES = """
[plex.datasources.company]
id = 382
columns = { code = "Plexus_Customer_Code" }

[plex.datasources.acknowledgment_write]
id = 28809
constants = { Acknowledgement_Source_Key = 2 }

[plex.datasources.acknowledgment_write.inputs]
Line_Item_Key = "Line_Item_Key"
Release_No = "Release_No"
acknowledged_at = "Acknowledged_Date"
ack_note = "Acknowledgement_Note"
ack_status = "Acknowledgement_Type_Key"

[plex.datasources.acknowledgment_write.values.ack_status]
confirmed = 1
changed = 2
backordered = 2
rejected = 3

[plex.datasources.acknowledgment_read]
id = 16518
inputs = { PO_Key = "PO_Key" }

[plex.datasources.acknowledgment_read.columns]
Line_Item_Key = "Line_Item_Key"
Release_No = "Release_No"
acknowledged_at = "Acknowledged_Date"
ack_note = "Note"
ack_status = "Acknowledgement_Type_Key"
"""


def _partner_table(kind: str, partner: TradingPartner) -> list[str]:
    lines = [
        f"[{kind}.{partner.code}]",
        f'partnership_id = "{partner.partnership_id}"',
        f'release = "{partner.release}"',
        "",
    ]
    for set_id, setting_id in partner.settings:
        lines += [f"[{kind}.{partner.code}.{set_id}]", f'transaction_setting_id = "{setting_id}"', ""]
    return lines


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def secrets(sandbox: Sandbox) -> dict[str, str]:
    """The sandbox's secrets by PlexStedi's secret names."""
    return {
        "plex-api-key": sandbox.plex_settings.api_key,
        "plex-client-secret": sandbox.plex_settings.client_secret,
        "plex-password": sandbox.plex_settings.account_password,
        "stedi-api-key": min(sandbox.stedi_settings.api_keys),
    }
