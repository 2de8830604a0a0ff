"""Creates a first configuration from the commented example: fills in the options, comments out sample values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import tomli_w
from msgspec import Struct

from plexstedi.config.datasource_tables import ACCOUNT_APIS
from plexstedi.config.new_suppliers import NewSupplier, supplier_tables
from plexstedi.config.source_text import LiveSource, source_text, tables_to_write, with_sources
from plexstedi.config.tables import PlexApi, WriteBack

EXAMPLE = "config.example.toml"
_HEADING = """\
# PlexStedi configuration, made by `plexstedi init`.
#
# Add a [suppliers.CODE] table for each supplier (the example is at the end), then run `plexstedi check`.
"""
_HEADER = re.compile(r"#?\[([^]]+)]\s*$")
_KEY = re.compile(r"""#?("[^"]+"|[A-Za-z0-9_-]+) = """)


class InitOptions(Struct, frozen=True):
    """The values that `init` needs from the user."""

    api: PlexApi
    base_url: str | None
    """None: the interface's default URL."""
    tenant_id: str | None
    tenant_code: str | None
    token_url: str | None
    client_id: str | None
    usage_indicator: str
    """ISA15: P or T."""
    company: str
    """Our name on each document (N1 BY)."""
    write: WriteBack
    every_minutes: int | None
    """Interval of the timer that calls `run`; None: the default."""
    timezone: str | None = None
    """The plant's time zone; None: not configured."""
    key_rotation_days: int | None = None
    """Days after which the Stedi key is replaced; None: the default."""
    username: str | None = None
    """The web service account, for data sources."""
    company_code: str | None = None
    """The company that the web service account must belong to."""
    suppliers: tuple[NewSupplier, ...] = ()
    """A table is written for each."""


def example_text() -> str:
    """The commented example: from the installed package, or from the working copy."""
    packed = files("plexstedi").joinpath(EXAMPLE)
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / EXAMPLE).read_text(encoding="utf-8")


def new_config(example: str, options: InitOptions, live: Mapping[str, LiveSource] | None = None) -> str:
    """The example with the options filled in; `live`: the data sources as Plex has them. Pure.

    Keys with sample values (an address, a supplier) are commented out, so that no sample value reaches a document.
    """
    body = example[example.index("\n\n") + 2 :]
    values = _values(options)
    lines: list[str] = []
    table, taken = "", set[tuple[str, str]]()
    for line in body.splitlines():
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = header[1]
            lines.append(_commented_out(line) if _is_sample(table) else line)
        elif key is None:
            lines.append(line)
        elif (table, key[1]) in values.keys() - taken:
            taken.add((table, key[1]))
            value = values[table, key[1]]
            lines.append(_commented_out(line) if value is None else _entry(key[1], value))
        else:
            idle = _is_sample(table) or table == "company" or _not_written(table, options)
            lines.append(_commented_out(line) if idle else line)
    missing = values.keys() - taken
    if missing:
        raise ValueError(f"the example has no place for {sorted(missing)}")
    text = _HEADING + "\n" + "\n".join(lines) + "\n"
    if options.api in ACCOUNT_APIS:
        text = with_sources(text, source_text(tables_to_write(write=options.write), live or {}))
    return text + (f"\n\n{supplier_tables(options.suppliers)}" if options.suppliers else "")


def _values(options: InitOptions) -> Mapping[tuple[str, str], str | int | None]:
    """By table and key; None: the key stays commented out."""
    return {
        ("plex", "api"): options.api.value,
        ("plex", "base_url"): options.base_url,
        ("plex", "tenant_id"): options.tenant_id,
        ("plex", "tenant_code"): options.tenant_code,
        ("plex", "timezone"): options.timezone,
        ("plex.auth", "token_url"): options.token_url,
        ("plex.auth", "client_id"): options.client_id,
        ("plex.auth", "username"): options.username,
        ("plex.auth", "company_code"): options.company_code,
        ("plex.acknowledgments", "write"): options.write.value,
        ("stedi", "usage_indicator"): options.usage_indicator,
        ("company", "name"): options.company,
        ("run", "every_minutes"): options.every_minutes,
        ("stedi", "key_rotation_days"): options.key_rotation_days,
    }


def _commented_out(line: str) -> str:
    return f"#{line.lstrip('#')}"


def _is_sample(table: str) -> bool:
    return table.startswith(("suppliers.", "customers."))


def _not_written(table: str, options: InitOptions) -> bool:
    """Whether the table is unused: the custom fields are needed only with `write = "custom-fields"`."""
    return table == "plex.acknowledgments.fields" and options.write is not WriteBack.CUSTOM_FIELDS


def _entry(key: str, value: str | int) -> str:
    return tomli_w.dumps({key: value}).rstrip("\n")


def missing_options(given: Mapping[str, str | None], api: PlexApi | None) -> Sequence[str]:
    """The required command-line options that were not given."""
    needed = ["--api", "--usage-indicator", "--company", "--write"]
    if api is PlexApi.OAUTH2:
        needed += ["--base-url", "--token-url", "--client-id"]
    elif api in ACCOUNT_APIS:
        needed += ["--base-url", "--username", "--company-code"]
    else:
        needed.append("--tenant-id")
    return [option for option in needed if not given.get(option)]
