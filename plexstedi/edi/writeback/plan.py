"""Write plan: target records, fields and values in Plex."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from plexstedi.edi.model import Frozen
from plexstedi.edi.reasons import Reason

Level: TypeAlias = Literal["order", "line", "release"]


PlexValue: TypeAlias = str | Decimal | None


RecordKey: TypeAlias = tuple[str, str]
"""Level and Plex record id."""


_QUANTITY_PLACES = 10


class WriteTarget(StrEnum):
    """Kind of records that a plan writes; each has its own executor."""

    CUSTOM_FIELDS = "custom-fields"
    RELEASES = "releases"
    """Releases."""
    RECORDS = "acknowledgment-records"
    """Plex acknowledgment records, each written as a whole through a data source."""


class AckField(StrEnum):
    """Writable values: the keys of `[plex.acknowledgments.fields]` (DESIGN.md section 5), and `ack_note`, which only an
    acknowledgment record has."""

    ACK_CODE = "ack_code"
    ACK_STATUS = "ack_status"
    ACK_REFERENCE = "ack_reference"
    ACKNOWLEDGED_AT = "acknowledged_at"
    CONFIRMED_QUANTITY = "confirmed_quantity"
    CONFIRMED_SHIP_DATE = "confirmed_ship_date"
    CONFIRMED_DELIVERY_DATE = "confirmed_delivery_date"
    SUPPLIER_REFERENCE = "supplier_reference"
    ACK_NOTE = "ack_note"


class ReleaseField(StrEnum):
    """Writable fields of a release: the values of `plex.acknowledgments.release_values`."""

    NOTE = "note"
    DUE_DATE = "due_date"
    QUANTITY = "quantity"


class WriteEntry(Frozen, frozen=True, kw_only=True):
    """One value of a custom field, of a release field, or of an acknowledgment record."""

    level: Level
    record_id: str
    """Plex id of the order, line or release."""
    line: int | None = None
    release_number: int | None = None
    field: str
    """Custom field; for a release `note`, `due_date` or `quantity`; for an acknowledgment record the input of the data
    source."""
    kind_name: str = msgspec.field(name="kind")
    """As stored: a value of `AckField` or `ReleaseField`."""
    value: str | None
    """ISO 8601 for dates and times, plain decimals in the Plex unit for quantities, the text of our token for a note.
    None: the current acknowledgment states none, so a value written from an older one is cleared."""
    asked: str | None = None
    """For the date or quantity of a release: the value ordered. If Plex has neither this nor the value that PlexStedi
    wrote last, a user changed it since, and it is not overwritten."""
    why: str

    def __post_init__(self) -> None:
        if self.kind_name not in _KINDS:
            raise ValueError(f"{self.kind_name!r} is not a value that is written to Plex")

    @property
    def kind(self) -> AckField | ReleaseField:
        """Which value it is."""
        return _KINDS[self.kind_name]

    def plex_value(self) -> PlexValue:
        """The value as sent to Plex: the quantity of a single record as a number, all else as text."""
        if self.value is not None and self.kind in _QUANTITIES and ":" not in self.value:
            return Decimal(self.value)
        return self.value


_KINDS: dict[str, AckField | ReleaseField] = {kind.value: kind for kind in (*AckField, *ReleaseField)}
_QUANTITIES = (AckField.CONFIRMED_QUANTITY, ReleaseField.QUANTITY)


class WritePlan(Frozen, frozen=True, kw_only=True):
    """All target values in Plex for one order."""

    order_id: str
    order_number: str
    target: WriteTarget = WriteTarget.CUSTOM_FIELDS
    entries: tuple[WriteEntry, ...] = ()
    withheld: tuple[Reason, ...] = ()
    """Values that cannot be expressed faithfully in Plex: need attention."""


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field whose value in Plex differs from the plan. Changes of older state files have a `value`, ignored."""

    level: Level
    record_id: str
    line: int | None = None
    release_number: int | None = None
    field: str
    before: str | None
    after: str | None
    why: str
