"""Custom fields of the OAuth2 interface: on the order and its lines, one PATCH per order (DESIGN.md section 5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plexstedi.decimal_json import Json, dumps
from plexstedi.errors import RequestRejected, ServiceRefused, ServiceUnavailable
from plexstedi.http.response import InconclusiveSend
from plexstedi.plex.port import (
    FieldValue,
    FieldValues,
    NotWritten,
    RecordRef,
    WriteOutcome,
    WriteRefused,
    WriteResult,
    WriteUnknown,
    Written,
)
from plexstedi.plex.rest.client import Rest, readable
from plexstedi.plex.rest.rows import Row
from plexstedi.plex.settings import Level
from plexstedi.plex.writeback.custom_fields import DayFields, values_of

_MAX_CONSECUTIVE_FAILURES = 12
"""After this many failed PATCHes in a row the rest is not tried: the service fails, not the single order."""


class OAuth2Fields:
    """Reads and writes custom fields of orders and lines."""

    def __init__(self, rest: Rest, days: DayFields) -> None:
        self._rest = rest
        self._days = days

    def check(self, wanted: Mapping[Level, Collection[str]]) -> None:
        """Raise ServiceRefused for fields of releases. This interface has no metadata to check the other fields."""
        if wanted.get(Level.RELEASE):
            raise ServiceRefused(
                "with plex.api = oauth2 a release has no custom fields",
                fix='Set plex.acknowledgments.level to "line" or "order".',
                code="custom-fields",
            )

    def read(self, wanted: Sequence[FieldValues]) -> tuple[FieldValues, ...]:
        """The current values of the fields, in the sequence of `wanted`."""
        self.check({each.record.level: each.values.keys() for each in wanted})
        held: dict[tuple[str, str], Json] = {}
        for order_id in dict.fromkeys(each.record.order_id for each in wanted):
            own = [each.record for each in wanted if each.record.order_id == order_id]
            held |= self._read_order(order_id, lines=any(record.level is Level.LINE for record in own))
        return tuple(
            FieldValues(
                each.record,
                self._days.as_read(values_of(held.get((each.record.level, each.record.record_id)), each.values)),
            )
            for each in wanted
        )

    def write(self, changes: Sequence[FieldValues]) -> tuple[WriteResult, ...]:
        """PATCH each order once; one result per change, in the same sequence. Raises only before anything was sent."""
        self.check({each.record.level: each.values.keys() for each in changes})
        outcomes: dict[RecordRef, WriteOutcome] = {}
        stopped: NotWritten | None = None
        consecutive = 0
        for order_id in dict.fromkeys(each.record.order_id for each in changes):
            own = [each for each in changes if each.record.order_id == order_id]
            outcome: WriteOutcome
            if stopped is not None:
                outcome = stopped
            else:
                over = False
                try:
                    outcome = self._patch(order_id, own)
                except (ServiceRefused, ServiceUnavailable) as error:
                    if not outcomes:
                        raise
                    outcome = NotWritten(error.message)
                    over = True
                consecutive = consecutive + 1 if isinstance(outcome, NotWritten | WriteUnknown) else 0
                if isinstance(outcome, NotWritten | WriteUnknown) and (
                    over or consecutive >= _MAX_CONSECUTIVE_FAILURES
                ):
                    stopped = NotWritten(outcome.reason)
            outcomes |= {each.record: outcome for each in own}
        return tuple(WriteResult(each.record, outcomes[each.record]) for each in changes)

    def _patch(self, order_id: str, changes: Sequence[FieldValues]) -> WriteOutcome:
        path = self._rest.path("order", order=order_id)
        written = [FieldValues(each.record, self._days.as_written(each.values)) for each in changes]
        try:
            self._rest.caller.patch(path, body=dumps(patch_body(written)).encode())
        except InconclusiveSend as error:
            return WriteUnknown(error.message) if error.maybe_processed else NotWritten(error.message)
        except RequestRejected as error:
            return WriteRefused("; ".join((error.message, *error.details[:3])))
        return Written()

    def _read_order(self, order_id: str, *, lines: bool) -> dict[tuple[str, str], Json]:
        header = self._rest.one("order", order=order_id)
        if header is None:
            return {}
        held: dict[tuple[str, str], Json] = {(Level.ORDER, order_id): header.raw("customFields")}
        if lines:
            names = self._rest.dialect.names("lines")
            with readable("order lines"):
                rows = [Row(item, names, "order line") for item in header.rows("lines")]
                if not rows:
                    rows = list(self._rest.all_or_none("lines", order=order_id) or ())
                held |= {(Level.LINE, row.needed("id")): row.raw("customFields") for row in rows}
        return held


def patch_body(changes: Sequence[FieldValues]) -> Json:
    """The PATCH body of one order: its own fields and those of its lines."""
    own: dict[str, FieldValue] = {}
    lines: dict[str, dict[str, FieldValue]] = {}
    for each in changes:
        target = own if each.record.level is Level.ORDER else lines.setdefault(each.record.record_id, {})
        target.update(each.values)
    body: dict[str, Json] = {}
    if own:
        body["custom_fields"] = own
    if lines:
        body["lines"] = [{"id": line_id, "custom_fields": values} for line_id, values in lines.items()]
    return body
