"""Checks of what `write = "datasource"` requires: account, level, and names of inputs and columns (plex/README.md 7.D).

Each written value needs a column to read it back: otherwise it would be written again in each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from plexstedi.config.datasource_tables import ACCOUNT_APIS, RELEASE_KEYS, TABLES
from plexstedi.config.problems import toml_key
from plexstedi.edi.writeback.plan import AckField
from plexstedi.errors import Problem

RECORD_VALUES = tuple(str(value) for value in AckField)
"""Our names of an acknowledgment record's values; every other name in `inputs` and `columns` is a key."""
WRITE, READ, COMPANY = "acknowledgment_write", "acknowledgment_read", "company"
_EXAMPLES = {WRITE: "28809 (Release_Acknowledgement_Add)", READ: "16518 (PO_Releases_Acknowledgement_Get)"}
_REST_KEYS = ("order_id", "release_id")
_SOURCES = ("plex", "datasources")


def datasource_checks(raw: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """All problems of the tables that `write = "datasource"` requires."""
    plex = _table(raw, "plex")
    acknowledgments = _table(plex, "acknowledgments")
    api = plex.get("api", "connect")
    by_account = api in ACCOUNT_APIS
    if api == "oauth2":
        because = (
            "the oauth2 interface has no keys of data sources; it identifies records only by order_id and release_id"
        )
    else:
        because = ""
    # With these interfaces the account and the other tables are checked in any case.
    if not by_account and not _table(plex, "auth").get("username"):
        key = toml_key(("plex", "auth", "username"))
        yield Problem(
            file,
            key,
            'is missing; write = "datasource" needs it',
            "Write the name of the web service account; its password is the secret plex-password.",
        )
    if acknowledgments.get("level") != "release":
        yield Problem(
            file,
            toml_key(("plex", "acknowledgments", "level")),
            'must be "release": Plex keeps acknowledgment records per release',
            'Set level = "release".',
        )
    sources = _table(plex, "datasources")
    for name in () if by_account else sources:
        if name not in (WRITE, READ, *TABLES):
            near = get_close_matches(name, (WRITE, READ, COMPANY), n=1)
            yield Problem(
                file,
                toml_key((*_SOURCES, name)),
                "is not a data source that PlexStedi uses",
                f"Did you mean {near[0]}?" if near else f"Use {WRITE}, {READ} and {COMPANY}, or omit it.",
            )
    for name in (WRITE, READ):
        if name not in sources:
            yield Problem(
                file,
                toml_key((*_SOURCES, name)),
                'is missing; write = "datasource" needs it',
                f"Write its id, such as {_EXAMPLES[name]}, with inputs and columns: config.example.toml shows how.",
            )
    if not {WRITE, READ} <= sources.keys():
        return
    write, read = _table(sources, WRITE), _table(sources, READ)
    inputs, columns = _table(write, "inputs"), _table(read, "columns")
    yield from _values(inputs, columns, file)
    if by_account:
        yield from _own_keys(write, read, file)
    else:
        yield from _company(plex, file)
    yield from _keys(inputs, {**_table(read, "inputs"), **columns}, file, because)


def _values(inputs: Mapping[str, Any], columns: Mapping[str, Any], file: str) -> Iterator[Problem]:
    written = [name for name in inputs if name in RECORD_VALUES]
    if not {"ack_reference", "ack_note"} & set(written):
        yield Problem(
            file,
            toml_key((*_SOURCES, WRITE, "inputs")),
            "has neither ack_reference nor ack_note: our records could not be distinguished from others",
            'Write which input receives our reference, for example ack_note = "Acknowledgement_Note".',
        )
    for name in written:
        if name not in columns:
            yield Problem(
                file,
                toml_key((*_SOURCES, READ, "columns", name)),
                f"is missing; {name} is written and must be read back",
                "Write the column of the reading data source that returns it.",
            )


def _company(plex: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """Problems of `company`: to verify the account's company, its code must be configured and have a column."""
    company = _table(plex, "datasources", COMPANY)
    if not company:
        return
    if "code" not in _table(company, "columns"):
        yield Problem(
            file,
            toml_key((*_SOURCES, COMPANY, "columns", "code")),
            "is missing",
            "Write the column that has the company's code, for example Plexus_Customer_Code.",
        )
    if not (_table(plex, "auth").get("company_code") or plex.get("tenant_code")):
        yield Problem(
            file,
            toml_key(("plex", "auth", "company_code")),
            "is missing: the company of the account cannot be checked",
            "Write the code of the company that the web service account must belong to.",
        )


def _keys(inputs: Mapping[str, Any], readable: Mapping[str, Any], file: str, because: str) -> Iterator[Problem]:
    keys = [name for name in inputs if name not in RECORD_VALUES]
    if not keys:
        yield Problem(
            file,
            toml_key((*_SOURCES, WRITE, "inputs")),
            "names no key that identifies the release",
            'Write them as Plex names them, for example Line_Item_Key = "Line_Item_Key" and Release_No = "Release_No".',
        )
    for name in keys:
        if name not in readable:
            yield Problem(
                file,
                toml_key((*_SOURCES, READ, "columns", name)),
                f"is missing, and is not an input either: records of another release would be taken for {name}",
                "Write the column, or the input, of the reading data source for it.",
            )
    if because:
        for name in dict.fromkeys((*keys, *(key for key in readable if key not in RECORD_VALUES))):
            if name not in _REST_KEYS:
                yield Problem(
                    file, toml_key((*_SOURCES, WRITE, "inputs", name)), f"cannot be filled: {because}", _OTHER
                )


def _own_keys(write: Mapping[str, Any], read: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """Problems of the keys where the whole interface is data sources: there they have our names."""
    for name, kind, table in ((WRITE, "inputs", write), (READ, "inputs", read), (READ, "columns", read)):
        for key in _table(table, kind):
            if key not in RECORD_VALUES and key not in RELEASE_KEYS:
                near = get_close_matches(key, (*RELEASE_KEYS, *RECORD_VALUES), n=1)
                yield Problem(
                    file,
                    toml_key((*_SOURCES, name, kind, key)),
                    "is not one of our names of keys and values here",
                    f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(RELEASE_KEYS)}.",
                )


_OTHER = "Use order_id and release_id, or another `write`."


def _table(raw: object, *path: str) -> Mapping[str, Any]:
    """The table at a path; empty if there is none."""
    for step in path:
        raw = raw.get(step) if isinstance(raw, Mapping) else None
    return raw if isinstance(raw, Mapping) else {}
