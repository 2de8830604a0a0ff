"""Programs that break a promise only when they are killed: what finds no fault with these is no test."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import plexstedi.sync.writeback.apply as plex_writes
from plexstedi.state.executions import Executions
from plexstedi.state.inbox import Inbox, InboxState
from plexstedi.state.store import Store
from plexstedi.stedi.client import StediClient


def sends_again_without_a_look() -> None:
    """An order that was sent and not heard goes out twice: under another key, whatever Stedi lists."""
    real = StediClient.generate_edi

    def generate_edi(client: StediClient, partnership: str, body: bytes, key: str) -> Any:
        return real(client, partnership, body, f"{key}.{os.getpid()}")

    _replace(StediClient, "generate_edi", generate_edi)
    _replace(Executions, "by_file_name", lambda witnesses, file_name: None)


def takes_what_is_stored_for_decided() -> None:
    """An answer that was stored and not decided is lost."""
    stored: set[str] = set()
    real = Inbox.in_state

    def at_opening(store: Store) -> None:
        stored.update(inbound.transaction_id for inbound in real(store.inbox, InboxState.STORED))

    def in_state(inbox: Inbox, *states: InboxState) -> Any:
        return [inbound for inbound in real(inbox, *states) if inbound.transaction_id not in stored]

    _after_opening(at_opening)
    _replace(Inbox, "in_state", in_state)


def writes_again_what_it_had_begun() -> None:
    """A write to Plex that was made and not heard is made twice: Plex is not read before."""
    begun: list[bool] = []
    real = plex_writes.read_now

    def at_opening(store: Store) -> None:
        begun[:] = [True] if any(str(write.state) == "writing" for write in store.writes.open()) else []

    def read_now(*args: Any) -> Any:
        return {} if begun and begun.pop() else real(*args)

    _after_opening(at_opening)
    _replace(plex_writes, "read_now", read_now)


def _after_opening(act: Callable[[Store], None]) -> None:
    real = Store.open

    def opened(*args: Any) -> Store:
        store = real(*args)
        act(store)
        return store

    _replace(Store, "open", opened)


def _replace(owner: object, name: str, new: Callable[..., Any]) -> None:
    assert hasattr(owner, name), "there is nothing of that name to break any more"
    setattr(owner, name, new)


BROKEN = {
    broken.__name__: broken
    for broken in (sends_again_without_a_look, takes_what_is_stored_for_decided, writes_again_what_it_had_begun)
}
