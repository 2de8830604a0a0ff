"""Settings of a supplier (or, for 810, of a customer). RULES.md "Settings" is the specification.

Every key is allowed in `[suppliers.CODE]` and, for all suppliers, in `[supplier_defaults]`. Keys whose absence only
holds the supplier's orders (partnership, transaction settings) are optional here; `missing_pieces` lists them.
"""

# No `from __future__ import annotations`: to evaluate the types of fields from text takes a fiftieth of `status`.

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, field

from plexstedi.edi.business_days import business_days
from plexstedi.edi.plain_values import is_plain, plain_number, plain_whole
from plexstedi.edi.read_settings import After, Before, InvalidSettings, Settings, quoted, refusal

Entry = TypeVar("Entry")


def _exact(value: object) -> object:
    """A TOML number as the Decimal as written, not as the nearest binary fraction."""
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(number, str):
        number = plain_number(number)
    if number is None or (isinstance(number, Decimal) and not is_plain(number)):
        raise _not_plain("must be a number of at most 30 digits")
    return number


def _whole(value: object) -> object:
    """A whole number, also as text; digits only."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        if value != value.to_integral_value():
            raise refusal("must be a whole number", "Write it without a fraction.")
        return int(value)
    if not isinstance(value, str):
        return value
    number = plain_whole(value)
    if number is None:
        raise _not_plain("must be a whole number")
    return number


def _flag(value: object) -> object:
    """A bool, also as text or number."""
    if isinstance(value, str):
        return _FLAGS.get(value.lower(), value)
    return bool(value) if isinstance(value, int | Decimal) and value in (0, 1) else value


_FLAGS = dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True) | dict.fromkeys(
    ("0", "off", "f", "false", "n", "no"), False
)


def _not_plain(message: str) -> InvalidSettings:
    return refusal(message, "Write plain digits, like 2 or 2.5, without separators.")


Exact = Annotated[Decimal, Before(_exact)]
Percent = Annotated[Exact, Meta(ge=0)]
Days = Annotated[int, Before(_whole), Meta(ge=0, le=36_500)]
Hours = Annotated[Exact, Meta(gt=0, le=876_000)]
"""At most a hundred years, as for days, so that dates stay within the calendar."""
Flag = Annotated[bool, Before(_flag)]
Code = Annotated[str, Meta(min_length=1)]


def _word(text: str) -> str:
    """Text that can be a command-line argument: without NUL."""
    if "\0" in text:
        raise refusal("contains a NUL character", "Write the name without the \\u0000.")
    return text


def _path(text: str) -> str:
    """A path within the limits of Linux: 4096 bytes, 255 per name."""
    if len(text.encode()) >= 4096 or any(len(name.encode()) > 255 for name in text.split("/")):
        raise refusal("is too long for a path", "Use a shorter path: at most 4095 bytes, each name in it at most 255.")
    return text


Word = Annotated[Code, After(_word)]
"""A word of a command line."""
PathText = Annotated[Word, After(_path)]
"""The name of a file or program."""


class ChangeOrders(StrEnum):
    """How a change of an order that was sent is handled."""

    SEND_860 = "860"
    REPLACE = "replace"
    """An 850 with BEG01 05 that replaces the whole order."""
    HOLD = "hold"


class ReleasesAs(StrEnum):
    """How the releases of an order are sent."""

    SCHEDULE = "schedule"
    ORDER_PER_RELEASE = "order-per-release"
    CHANGE_ORDER = "change-order"


class ScheduleAs(StrEnum):
    """Where a document carries the dates and quantities of a line."""

    SCH = "sch"
    LINES = "lines"
    """One PO1 per release; PO101 is line and release, `10-1`."""
    HEADER = "header"


class Severity(StrEnum):
    """Effect of a difference outside its tolerance."""

    INFO = "info"
    WARNING = "warning"
    HOLD = "hold"


def _date_qualifier(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Z]{3}", text):
        raise refusal(
            f"{quoted(text)} is not a date qualifier", 'Write the three characters from the guide, for example "010".'
        )
    if text in NOT_DUE:
        meaning = NOT_DUE[text]
        raise refusal(f'"{text}" means {meaning}', "Choose the qualifier that this supplier uses for our due date.")
    return text


NOT_DUE = {"003": "the invoice date", "004": "the order date", "011": "the date shipped", "035": "the date delivered"}
"""X12 element 374 codes that cannot be a due date: order, invoice and past dates."""


def _x12_release(text: str) -> str:
    if not re.fullmatch(r"00[3-8]0[1-9][0-9]", text) or not "003010" <= text <= "008060":
        fix = 'Write the six digits of GS08, from "003010" to "008060", for example "004010".'
        raise refusal(f"{quoted(text)} is not an X12 release", fix)
    return text


class PurchaseOrderTypes(Settings, frozen=True, kw_only=True):
    """BEG02 / BCH02 by kind of order (RULES.md Sending 2)."""

    standard: Code = "SA"
    blanket: Code = "BK"
    release: Code = "RL"


class QuantityLeft(StrEnum):
    """POC04 (left to receive) of an 860 whose guide requires it, once something of the line was received."""

    HOLD = "hold"
    OPEN = "open"
    """POC03 less what was received (RULES.md Sending 8)."""


class DocumentSettings(Settings, frozen=True, kw_only=True):
    """`[suppliers.CODE.850]`, `.860`, `[customers.CODE.810]`."""

    transaction_setting_id: Code | None = None
    guide_schema: PathText | None = None
    """JSON Schema of the Stedi guide; relative to the configuration file."""
    mapping_id: Code | None = None
    po_type: PurchaseOrderTypes = PurchaseOrderTypes()
    schedule: ScheduleAs | None = None
    """None: the first of sch, lines, header that the guide has a place for."""
    due_qualifier: Annotated[str, After(_date_qualifier)] | None = None
    """The guide's qualifier for our due date (X12 element 374), if it has none of 002, 106, 996."""
    quantity_left: QuantityLeft = QuantityLeft.HOLD


class ShipTo(Settings, frozen=True, kw_only=True):
    """N1 ST for a Plex ship-to name: Plex Connect does not provide its address (plex/README.md 5.3)."""

    name: Code | None = None
    code: Code | None = None
    duns: Code | None = None
    street: Code | tuple[Code, ...] | None = None
    city: Code | None = None
    state: Code | None = None
    postal_code: Code | None = None
    country: Code | None = None


class Unit(Settings, frozen=True, kw_only=True):
    """An X12 unit, and how many of it equal one unit of the other side."""

    unit: Code
    factor: Annotated[Exact, Meta(gt=0)] = Decimal(1)
    price_basis: Code | None = None
    """PO105 code for the price per Plex unit (X12 element 639), where the guide has a place for it."""


def _short_unit(value: object) -> object:
    return {"unit": value} if isinstance(value, str) else value


UnitRule = Annotated[Unit, Before(_short_unit)]


class Terms(Settings, frozen=True, kw_only=True):
    """ITD elements for one Plex payment term (RULES.md Sending 5)."""

    type: Code | None = None
    basis_date: Code | None = None
    discount_percent: Percent | None = None
    discount_days: Days | None = None
    net_days: Days | None = None
    description: Code | None = None


class Items(Settings, frozen=True, kw_only=True):
    """Item qualifiers (X12 element 235) by source of the number; an empty text omits it."""

    part: str = "BP"
    supplier_part: str = "VP"
    manufacturer_part: str = "MG"
    revision: str = "EC"


class Tolerance(Settings, frozen=True, kw_only=True):
    """How far an acknowledgment may differ and still be applied; default 0 (RULES.md "Settings")."""

    price_up_pct: Percent = Decimal(0)
    price_down_pct: Percent = Decimal(0)
    quantity_over_pct: Percent = Decimal(0)
    quantity_under_pct: Percent = Decimal(0)
    date_early_days: Days = 0
    date_late_days: Days = 0
    on_price: Severity = Severity.HOLD
    on_quantity: Severity = Severity.HOLD
    on_date: Severity = Severity.HOLD


EXTRA_SEGMENTS = frozenset({"LIN", "CTP", "PO3", "CUR", "SAC", "SLN", "SDQ", "QTY"})
"""Optional segments of an acknowledgment: read where unambiguous, else reported in a notice (RULES.md Reading 4)."""


def _known_segment(segment: str) -> str:
    if segment.upper() not in EXTRA_SEGMENTS:
        listed = ", ".join(sorted(EXTRA_SEGMENTS))
        fix = f"Only optional segments of an acknowledgment can be ignored: {listed}."
        raise refusal(f"{quoted(segment)} is not a segment that can be ignored", fix)
    return segment.upper()


CodeMeaning = Literal["accept", "reject", "hold"]
DateMeaning = Literal["ship", "delivery", "ignore"]


class AcknowledgmentSettings(Settings, frozen=True, kw_only=True):
    """How this supplier's 855 and 865 are interpreted."""

    bp_quantity: Literal["accepted", "backordered"] | None = None
    """No default: without it a BP alone is held (RULES.md Reading 4)."""
    ib_quantity: Literal["accepted", "backordered"] = "backordered"
    missing_lines: Literal["unacknowledged", "accepted", "rejected"] = "unacknowledged"
    ae_accepts_unlisted: Flag = False
    accept_without_detail: Flag = False
    accept_seller_changes: Flag = False
    date_qualifiers: dict[Code, DateMeaning] = field(default_factory=dict)
    transit_days: Days = 0
    ignore_segments: tuple[Annotated[str, After(_known_segment)], ...] = ()
    """Segments of `EXTRA_SEGMENTS` to ignore for this supplier."""
    type_codes: dict[Code, CodeMeaning] = field(default_factory=dict)
    line_codes: dict[Code, CodeMeaning] = field(default_factory=dict)
    unknown_order_days: Days = 3


def _four_different(text: str) -> str:
    if len(set(text)) < len(text):
        raise refusal("uses one separator twice", 'Write the four separators of the interchange, for example "*~>^".')
    return text


class TextSettings(Settings, frozen=True, kw_only=True):
    """Allowed changes to text so that X12 can carry it (RULES.md Sending 7)."""

    uppercase: Flag = False
    transliterate: Flag = False
    replace_delimiters: str = ""
    delimiters: Annotated[str, Meta(min_length=4, max_length=4), After(_four_different)] = "*~>^"
    """Element, segment, component and repetition separators of this supplier's interchanges."""


def _known_days(text: str) -> str:
    try:
        business_days(text)
    except ValueError as error:
        fix = 'Write "mon-fri" or "mon,tue,thu", or leave it out for every day.'
        raise refusal(str(error), fix) from None
    return text


class SupplierSettings(Settings, frozen=True, kw_only=True):
    """One trading partner: `[suppliers.CODE]` merged over `[supplier_defaults]`."""

    partnership_id: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9._-]{1,81}$")] | None = None
    release: Annotated[str, After(_x12_release)] = "004010"
    """Any X12 release from 003010 to 008060, as in GS08."""
    change_orders: ChangeOrders = ChangeOrders.SEND_860
    releases: ReleasesAs = ReleasesAs.SCHEDULE
    notes: Literal["optional", "required"] = "optional"
    acknowledgment_type: Code | None = None
    """BEG07: the requested acknowledgment (X12 element 587)."""
    freight_terms: dict[str, Code] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    references: dict[Code, Code] = field(default_factory=dict)
    supplier_account: Code | None = None
    duns: Code | None = None
    items: Items = Items()
    change_codes: tuple[Code, ...] | None = None
    """POC02 codes that the supplier accepts; None: those of the guide, else all."""
    delivery_within_hours: Hours = Decimal(1)
    functional_ack_within_hours: Hours = Decimal(24)
    functional_ack_warn_hours: Hours = Decimal(4)
    ack_within_hours: Hours = Decimal(48)
    ack_warn_hours: Hours = Decimal(24)
    business_days: Annotated[str, After(_known_days)] = ""
    """Days that count for the deadlines, such as `mon-fri`; empty: every day."""
    document_850: DocumentSettings | None = field(default=None, name="850")
    document_860: DocumentSettings | None = field(default=None, name="860")
    document_810: DocumentSettings | None = field(default=None, name="810")
    ship_to: dict[str, ShipTo] = field(default_factory=dict)
    units: dict[str, UnitRule] = field(default_factory=dict)
    ack_units: dict[str, UnitRule] = field(default_factory=dict)
    tolerance: Tolerance = Tolerance()
    acknowledgments: AcknowledgmentSettings = AcknowledgmentSettings()
    text: TextSettings = TextSettings()

    def document(self, set_id: str) -> DocumentSettings:
        """Settings of one document type; defaults if the supplier has none."""
        own = {"850": self.document_850, "860": self.document_860, "810": self.document_810}.get(set_id)
        return own or DocumentSettings()


class Company(Settings, frozen=True, kw_only=True):
    """`[company]`: our side, N1 BY and BT."""

    name: Code | None = None
    code: Code | None = None
    duns: Code | None = None
    street: Code | tuple[Code, ...] | None = None
    city: Code | None = None
    state: Code | None = None
    postal_code: Code | None = None
    country: Code | None = None


def missing_pieces(settings: SupplierSettings) -> tuple[str, ...]:
    """Missing keys without which this supplier's orders are held (RULES.md Sending 1), as named in the table."""
    missing = []
    if settings.partnership_id is None:
        missing.append("partnership_id")
    if settings.document_850 is None or settings.document_850.transaction_setting_id is None:
        missing.append("850.transaction_setting_id")
    if settings.document_860 is not None and settings.document_860.transaction_setting_id is None:
        missing.append("860.transaction_setting_id")
    return tuple(missing)


def by_plex_name(table: Mapping[str, Entry], name: str | None) -> Entry | None:
    """The entry of a table of Plex names (terms, freight terms, ship-tos), case-insensitive; None if there is none."""
    if name is None:
        return None
    return table.get(name) or next((entry for key, entry in table.items() if key.casefold() == name.casefold()), None)
