"""A plan of what is to stand in Plex: its targets, fields and values."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from plexstedi.edi.order import Frozen
from plexstedi.edi.reasons import Reason

Level: TypeAlias = Literal["order", "line", "release"]


PlexValue: TypeAlias = str | Decimal | None


RecordKey: TypeAlias = tuple[str, str]
"""Level and Plex record id."""


_QUANTITY_PLACES = 10


class WriteTarget(StrEnum):
    """What of Plex a plan is about: each is carried out in its own way."""

    CUSTOM_FIELDS = "custom-fields"
    RELEASES = "releases"
    """The releases themselves."""
    RECORDS = "acknowledgment-records"
    """Plex's own acknowledgment records, each written whole through a data source."""


class AckField(StrEnum):
    """What can be written: the keys of `[plex.acknowledgments.fields]` (DESIGN.md section 5), and `ack_note`, which
    only an acknowledgment record has."""

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
    """What of a release itself can be written; the values of `plex.acknowledgments.release_values`."""

    NOTE = "note"
    DUE_DATE = "due_date"
    QUANTITY = "quantity"


class WriteEntry(Frozen):
    """One value: of a Plex custom field, of a field of a release itself, or of an acknowledgment record."""

    level: Level
    record_id: str
    """Plex's id of the order, line or release."""
    line: int | None = None
    release_number: int | None = None
    field: str
    """The Plex custom field; of a release itself `note`, `due_date` or `quantity`; of an acknowledgment record the
    data source's input."""
    kind: AckField | ReleaseField
    value: str | None
    """Dates and times in ISO 8601, quantities as plain decimals in Plex's unit, for a note the words of our token;
    None: the answer that counts states none, so a value that an older one put there goes."""
    asked: str | None = None
    """For a release's own date or quantity: what the supplier was asked for. Where Plex holds neither this nor what we
    wrote before, a person has changed it since, and it is left alone."""
    why: str

    def plex_value(self) -> PlexValue:
        """The value as Plex gets it: a quantity of one record as a number, all else as text."""
        if self.value is not None and self.kind in _QUANTITIES and ":" not in self.value:
            return Decimal(self.value)
        return self.value


_QUANTITIES = (AckField.CONFIRMED_QUANTITY, ReleaseField.QUANTITY)


class WritePlan(Frozen):
    """All that is to stand in Plex for one order."""

    order_id: str
    order_number: str
    target: WriteTarget = WriteTarget.CUSTOM_FIELDS
    entries: tuple[WriteEntry, ...] = ()
    withheld: tuple[Reason, ...] = ()
    """Values that could not be expressed faithfully in Plex; a person has to look."""


class FieldChange(Frozen):
    """One field whose value in Plex differs from the plan."""

    level: Level
    record_id: str
    line: int | None = None
    release_number: int | None = None
    field: str
    before: str | None
    after: str | None
    value: PlexValue
    """`after` as Plex gets it."""
    why: str
