"""Changes a release: `write = "releases"` (plex/README.md 7.A)."""

from __future__ import annotations

from plexstedi.decimal_json import Json, dumps
from plexstedi.edi.order import ReleaseState
from plexstedi.edi.plain_values import is_broken
from plexstedi.errors import RequestRejected
from plexstedi.http.response import InconclusiveSend
from plexstedi.plex.port import (
    CurrentRelease,
    NotWritten,
    ReleaseUpdate,
    WriteOutcome,
    WriteRefused,
    WriteUnknown,
    Written,
)
from plexstedi.plex.rest.client import Rest, readable
from plexstedi.plex.rest.rows import Row, RowFault
from plexstedi.plex.rest.statuses import Statuses

_ECHOED = ("status", "dueDate", "quantity", "type", "note", "poShipTo")


def current_release(rest: Rest, statuses: Statuses, release_id: str) -> CurrentRelease | None:
    """The current values of a release; None if it no longer exists."""
    row = rest.one("release", release=release_id)
    if row is None:
        return None
    with readable(row.what):
        return CurrentRelease(
            release_id=release_id,
            status=row.text("status") or "",
            state=_state(row, statuses),
            quantity=row.number("quantity"),
            due=row.day("dueDate"),
            note=row.text("note"),
        )


def _state(row: Row, statuses: Statuses) -> ReleaseState | None:
    try:
        return statuses.release(row.text("status"), row.what)
    except RowFault:
        return None


def update_release(rest: Rest, update: ReleaseUpdate) -> WriteOutcome:
    """Read the release, apply the changes and PUT it with its current status. Sent once."""
    row = rest.one("release", release=update.release_id)
    if row is None:
        return WriteRefused("Plex no longer has this release")
    if row.text("status") is None:
        return WriteRefused("Plex does not say the status of this release, and would set a new one")
    if (odd := next((name for name in _ECHOED if _is_unusable(row.raw(name))), None)) is not None:
        return WriteRefused(
            f"Plex's {odd} of this release cannot be read, and would be written back as a different value"
        )
    path = rest.path("release", release=update.release_id)
    with readable(row.what):
        body = put_body(row, update)
    try:
        rest.caller.put(path, body=dumps(body).encode())
    except InconclusiveSend as error:
        return WriteUnknown(error.message) if error.maybe_processed else NotWritten(error.message)
    except RequestRejected as error:
        return WriteRefused("; ".join((error.message, *error.details[:3])))
    return Written()


def _is_unusable(value: Json) -> bool:
    """Whether a text contains characters that were invalid when received: sending it back would alter it."""
    return isinstance(value, str) and is_broken(value)


def put_body(row: Row, update: ReleaseUpdate) -> Json:
    """The PUT body: the release's current values in the row's spelling, with the changes applied.

    All values are sent, since Plex might clear omitted ones (plex/README.md 5.5).
    """
    body: dict[str, Json] = {row.spelled(name): row.raw(name) for name in _ECHOED if row.raw(name) is not None}
    if update.note is not None:
        body[row.spelled("note")] = update.note
    if update.quantity is not None:
        body[row.spelled("quantity")] = update.quantity
    if update.due is not None:
        body[row.spelled("dueDate")] = row.day_as_written("dueDate", update.due)
    return body
