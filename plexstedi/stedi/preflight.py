"""Checks Stedi's set-up for a supplier: partnership, transaction settings, connection.

The routes are not in Stedi's published API (stedi/README.md 7), so the result never blocks a run: an unexpected
response is "could not verify". A 404 with Stedi's error body is conclusive: the partnership does not exist, and each
send would fail in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.errors import PlexStediError
from plexstedi.http.caller import Caller, path_segment
from plexstedi.http.response import RejectedCall

ACKNOWLEDGMENT_SETS = ("855", "997")
"""The transaction sets that a supplier returns."""


class NeededSetting(Struct, frozen=True):
    """A configured transaction setting: set id ("850") and Stedi's id of the setting."""

    set_id: str
    setting_id: str


class Verified(Struct, frozen=True):
    """The set-up is as required; `notes` are harmless deviations."""

    notes: tuple[str, ...] = ()


class CouldNotVerify(Struct, frozen=True):
    """The API does not show the set-up; it must be checked in Stedi's portal."""

    reason: str


class Wrong(Struct, frozen=True):
    """Errors in the set-up, each with its fix."""

    reasons: tuple[str, ...]


Preflight: TypeAlias = Verified | CouldNotVerify | Wrong


def check_partnership(
    caller: Caller, partnership_id: str, needed: Sequence[NeededSetting], inbound: Sequence[str] = ACKNOWLEDGMENT_SETS
) -> Preflight:
    """Read the partnership and its connections and compare them. Raises no foreseeable fault."""
    path = f"/x12/partnerships/{path_segment(partnership_id)}"
    try:
        partnership = caller.get(path).json()
    except RejectedCall as rejected:
        if rejected.status == 404 and rejected.has_service_error:
            fix = "copy partnership_id from the Stedi portal (Trading partners, Partnership identifier)"
            return Wrong((f"Stedi has no partnership {partnership_id}; {fix}, with exactly this spelling",))
        return CouldNotVerify(rejected.message)
    except PlexStediError as fault:
        return CouldNotVerify(fault.message)
    try:
        connections = caller.get(f"{path}/connections").json()
    except PlexStediError:
        connections = None
    return compare(partnership_id, partnership, connections, needed, inbound)


def compare(
    partnership_id: str, partnership: Json, connections: Json, needed: Sequence[NeededSetting], inbound: Sequence[str]
) -> Preflight:
    """Compare the partnership with the configuration's needs. `connections` None: not known."""
    if not isinstance(partnership, Mapping) or not isinstance(partnership.get("outboundTransactions"), list):
        return CouldNotVerify(f"Stedi describes the partnership {partnership_id} in an unknown way")
    outbound = {_id(setting): setting for setting in _tables(partnership, "outboundTransactions")}
    states = None if connections is None else _connection_states(connections)
    wrong: list[str] = []
    notes: list[str] = []
    if states is None:
        notes.append("the state of the connection could not be verified")
    for need in needed:
        setting = outbound.get(need.setting_id)
        if setting is None:
            has = ", ".join(sorted(filter(None, outbound))) or "none"
            wrong.append(
                f"{partnership_id} has no outbound setting {need.setting_id} (it has: {has});"
                f" correct {need.set_id}.transaction_setting_id or add the setting in Stedi"
            )
            continue
        wrong += _setting_faults(need, setting, states)
        if not setting.get("guideId"):
            notes.append(f"the {need.set_id} setting {need.setting_id} has no guide: Stedi does not check the document")
    received = {setting.get("transactionSetIdentifier") for setting in _tables(partnership, "inboundTransactions")}
    wrong += [
        f"{partnership_id} has no inbound setting for {set_id}: Stedi refuses such files; add it in Stedi"
        for set_id in inbound
        if set_id not in received
    ]
    return Wrong(tuple(wrong)) if wrong else Verified(tuple(notes))


def _setting_faults(need: NeededSetting, setting: Mapping[str, Json], states: Mapping[str, str] | None) -> list[str]:
    faults = []
    set_id = setting.get("transactionSetIdentifier")
    if set_id != need.set_id:
        faults.append(
            f"the setting {need.setting_id} is for {set_id}, not for {need.set_id};"
            f" correct {need.set_id}.transaction_setting_id"
        )
    connection = setting.get("connection")
    connection_id = connection.get("connectionId") if isinstance(connection, Mapping) else None
    if not isinstance(connection_id, str):
        faults.append(f"the setting {need.setting_id} has no connection: nothing can be sent; choose one in Stedi")
    elif states is not None:
        state = states.get(connection_id, "missing")
        if state != "available":
            faults.append(f"the connection of the setting {need.setting_id} is {state}; repair it in Stedi")
    return faults


def _connection_states(connections: Json) -> dict[str, str]:
    """By connection id: `available`, or the problem."""
    states: dict[str, str] = {}
    if not isinstance(connections, Mapping):
        return states
    for kind in ("buckets", "stediFtp", "remoteFtp", "as2"):
        for connection in _tables(connections, kind):
            identity, status = connection.get("connectionId"), connection.get("status")
            if not isinstance(identity, str):
                continue
            if connection.get("enabled") is False:
                states[identity] = "disabled"
            else:
                states[identity] = status.lower() if isinstance(status, str) else "in an unknown state"
    return states


def _id(setting: Mapping[str, Json]) -> str:
    value = setting.get("outboundX12TransactionSettingsId")
    return value if isinstance(value, str) else ""


def _tables(table: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    value = table.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
