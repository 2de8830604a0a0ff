"""The base Guide JSON of 850, 855, 860, 865, 810 and 997 in 004010 and 005010, as data.

Deliberately separate from `plexstedi.edi`: with a shared table, an error in it would go unnoticed.

Notation. One segment a line: id, X12 name in key form, then its elements in order as `name:TYPEmin-max`, `!` when
mandatory. `{a/b}` is `a` in 004010 and `b` in 005010. `a|b`: public sources disagree; both are read, `a` is written.
`pairs*n` means n qualifier and id elements, `-` for an unused element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import cache

from msgspec import Struct

_SEGMENTS = """
ST transaction_set_header transaction_set_identifier_code:ID3-3! transaction_set_control_number:N01-9!
SE transaction_set_trailer number_of_included_segments:N01-10 transaction_set_control_number:N01-9
BEG beginning_segment_for_purchase_order transaction_set_purpose_code:ID2-2! purchase_order_type_code:ID2-2!
  purchase_order_number:AN1-22! release_number:AN1-30 date:DT8-8! contract_number:AN1-30 acknowledgment_type:ID2-2
  invoice_type_code:ID3-3 contract_type_code:ID2-2 purchase_category:ID2-2 security_level_code:ID2-2
  transaction_type_code:ID2-2
BCH beginning_segment_for_purchase_order_change transaction_set_purpose_code:ID2-2! purchase_order_type_code:ID2-2!
  purchase_order_number:AN1-22! release_number:AN1-30 change_order_sequence_number:AN1-8 date:DT8-8!
  request_reference_number:AN1-45 contract_number:AN1-30 reference_identification:AN1-{30/50} date:DT8-8 date:DT8-8
  contract_type_code:ID2-2 security_level_code:ID2-2 acknowledgment_type:ID2-2 transaction_type_code:ID2-2
  purchase_category:ID2-2
BAK beginning_segment_for_purchase_order_acknowledgment transaction_set_purpose_code:ID2-2! acknowledgment_type:ID2-2!
  purchase_order_number:AN1-22! date:DT8-8! release_number:AN1-30 request_reference_number:AN1-45
  contract_number:AN1-30 reference_identification:AN1-{30/50} date:DT8-8 transaction_type_code:ID2-2
BCA beginning_segment_for_purchase_order_change_acknowledgment transaction_set_purpose_code:ID2-2!
  acknowledgment_type:ID2-2 purchase_order_number:AN1-22! release_number:AN1-30 change_order_sequence_number:AN1-8
  date:DT8-8! request_reference_number:AN1-45 contract_number:AN1-30 reference_identification:AN1-{30/50} date:DT8-8
  date:DT8-8 transaction_type_code:ID2-2
BIG beginning_segment_for_invoice date:DT8-8! invoice_number:AN1-22! date:DT8-8 purchase_order_number:AN1-22
  release_number:AN1-30 change_order_sequence_number:AN1-8 transaction_type_code:ID2-2
  transaction_set_purpose_code:ID2-2 action_code:ID1-2 invoice_number:AN1-22
CUR currency entity_identifier_code:ID2-3! currency_code:ID3-3! exchange_rate:R4-10 entity_identifier_code:ID2-3
  currency_code:ID3-3
REF reference_{identification/information} reference_identification_qualifier:ID2-3!
  reference_identification:AN1-{30/50} description:AN1-80
PER administrative_communications_contact contact_function_code:ID2-2! name:AN1-60
  communication_number_qualifier:ID2-2 communication_number:AN1-{80/256} communication_number_qualifier:ID2-2
  communication_number:AN1-{80/256} communication_number_qualifier:ID2-2 communication_number:AN1-{80/256}
  contact_inquiry_reference:AN1-20
TAX tax_reference tax_identification_number:AN1-20 location_qualifier:ID1-2 location_identifier:AN1-30 - - - - - - -
  - tax_exempt_code:ID1-1
FOB fob_related_instructions
  {shipment_method_of_payment/shipment_method_of_payment_code|shipment_method_of_payment}:ID2-2!
  location_qualifier:ID1-2 description:AN1-80 transportation_terms_qualifier_code:ID2-2 transportation_terms_code:ID3-3
  location_qualifier:ID1-2 description:AN1-80 risk_of_loss_code:ID2-2 description:AN1-80
CSH sales_requirements sales_requirement_code:ID1-2 action_code:ID1-2 amount:N21-15 account_number:AN1-35 date:DT8-8
SAC service_promotion_allowance_or_charge_information allowance_or_charge_indicator:ID1-1!
  service_promotion_allowance_or_charge_code:ID4-4 agency_qualifier_code:ID2-2
  agency_service_promotion_allowance_or_charge_code:AN1-10 amount:N21-15 allowance_charge_percent_qualifier:ID1-1
  {percent/percent_decimal_format|percent}:R1-6 rate:R1-9 unit_or_basis_for_measurement_code:ID2-2 quantity:R1-15
  quantity:R1-15 allowance_or_charge_method_of_handling_code:ID2-2 reference_identification:AN1-{30/50}
  option_number:AN1-20 description:AN1-80 language_code:ID2-3
ITD terms_of_sale_deferred_terms_of_sale terms_type_code:ID2-2 terms_basis_date_code:ID1-2 terms_discount_percent:R1-6
  terms_discount_due_date:DT8-8 terms_discount_days_due:N01-3 terms_net_due_date:DT8-8 terms_net_days:N01-3
  terms_discount_amount:N21-10 terms_deferred_due_date:DT8-8 deferred_amount_due:N21-10
  percent_of_invoice_payable:R1-5 description:AN1-80 day_of_month:N01-2 payment_method_code:ID1-2
  percentage_as_decimal|percent:R1-10
DTM date_time_reference date_time_qualifier:ID3-3! date:DT8-8 time:TM4-8 time_code:ID2-2
  date_time_period_format_qualifier:ID2-3 date_time_period:AN1-35
TD5 carrier_details_routing_sequence_transit_time routing_sequence_code:ID1-2 identification_code_qualifier:ID1-2
  identification_code:AN2-80 transportation_method_type_code:ID1-2 routing:AN1-35 shipment_order_status_code:ID2-2
  location_qualifier:ID1-2 location_identifier:AN1-30 transit_direction_code:ID2-2
  transit_direction_time_qualifier:ID2-2 transit_time:R1-4 service_level_code:ID2-2
N9 {reference_identification/extended_reference_information} reference_identification_qualifier:ID2-3!
  reference_identification:AN1-{30/50} free_form_description:AN1-45 date:DT8-8 time:TM4-8 time_code:ID2-2
MSG message_text free_form_message_text:AN1-264! printer_carriage_control_code:ID2-2 number:N01-9
NTE note_special_instruction note_reference_code:ID3-3 description:AN1-80!
QTY quantity{/_information} quantity_qualifier:ID2-2! quantity:R1-15 composite_unit_of_measure:C355
MTX text note_reference_code:ID3-3 textual_data|message_text:AN1-4096 textual_data:AN1-4096
N1 {name/party_identification} entity_identifier_code:ID2-3! name:AN1-60 identification_code_qualifier:ID1-2
  identification_code:AN2-80 entity_relationship_code:ID2-2 entity_identifier_code:ID2-3
N2 additional_name_information name:AN1-60! name:AN1-60
N3 {address_information/party_location} address_information:AN1-55! address_information:AN1-55
N4 geographic_location city_name:AN2-30 state_or_province_code:ID2-2 postal_code:ID3-15 country_code:ID2-3
  location_qualifier:ID1-2 location_identifier:AN1-30
PO1 baseline_item_data assigned_identification:AN1-20 {quantity_ordered/quantity}:R1-15
  unit_or_basis_for_measurement_code:ID2-2 unit_price:R1-17 basis_of_unit_price_code:ID2-2 pairs*10
POC line_item_change assigned_identification:AN1-20 change_or_response_type_code:ID2-2!
  {quantity_ordered/quantity|quantity_ordered}:R1-15 quantity_left_to_receive:R1-9 composite_unit_of_measure:C355
  unit_price:R1-17 basis_of_unit_price_code:ID2-2 pairs*10
IT1 baseline_item_data_invoice assigned_identification:AN1-20 quantity_invoiced:R1-{10/15}
  unit_or_basis_for_measurement_code:ID2-2 unit_price:R1-17 basis_of_unit_price_code:ID2-2 pairs*10
PID product_item_description item_description_type:ID1-1! product_process_characteristic_code:ID2-3
  agency_qualifier_code:ID2-2 product_description_code:AN1-12 description:AN1-80
  surface_layer_position_code:ID2-2 source_subqualifier:AN1-15
SCH line_item_schedule quantity:R1-15! unit_or_basis_for_measurement_code:ID2-2! entity_identifier_code:ID2-3
  name:AN1-60 date_time_qualifier:ID3-3! date:DT8-8! time:TM4-8 date_time_qualifier:ID3-3 date:DT8-8 time:TM4-8
  request_reference_number:AN1-45 assigned_identification:AN1-20
ACK line_item_acknowledgment line_item_status_code:ID2-2! quantity:R1-15 unit_or_basis_for_measurement_code:ID2-2
  date_time_qualifier:ID3-3 date:DT8-8 request_reference_number:AN1-45 pairs*10 agency_qualifier_code:ID2-2
  source_subqualifier:AN1-15 industry_code:AN1-30
CTP pricing_information class_of_trade_code:ID2-2 price_identifier_code:ID3-3 unit_price:R1-17 quantity:R1-15
MEA measurements measurement_reference_id_code:ID2-2 measurement_qualifier:ID1-3 measurement_value:R1-20
PO4 item_physical_details pack:N01-6 size:R1-8 unit_or_basis_for_measurement_code:ID2-2
CTT transaction_totals number_of_line_items:N01-6! hash_total:R1-10 weight:R1-10
  unit_or_basis_for_measurement_code:ID2-2 volume:R1-8 unit_or_basis_for_measurement_code:ID2-2 description:AN1-80
AMT monetary_amount{/_information} amount_qualifier_code:ID1-3! monetary_amount:R1-18! credit_debit_flag_code:ID1-1
TDS total_monetary_value_summary amount:N21-15! amount:N21-15 amount:N21-15 amount:N21-15
TXI tax_information tax_type_code:ID2-2! monetary_amount:R1-18 {percent/percentage_as_decimal|percent}:R1-10
  tax_jurisdiction_code_qualifier:ID2-2 tax_jurisdiction_code:AN1-10 tax_exempt_code:ID1-1 relationship_code:ID1-1
  dollar_basis_for_percent:R1-9 tax_identification_number:AN1-20 assigned_identification:AN1-20
ISS invoice_shipment_summary number_of_units_shipped:R1-10 unit_or_basis_for_measurement_code:ID2-2 weight:R1-10
  unit_or_basis_for_measurement_code:ID2-2
AK1 functional_group_response_header functional_identifier_code:ID2-2! group_control_number:N01-9!
AK2 transaction_set_response_header transaction_set_identifier_code:ID3-3! transaction_set_control_number:AN4-9!
AK3 data_segment_note segment_id_code:ID2-3! segment_position_in_transaction_set:N01-6! loop_identifier_code:AN1-6
  segment_syntax_error_code:ID1-3
AK4 data_element_note position_in_segment:C722! data_element_reference_number:N01-4
  data_element_syntax_error_code:ID1-3! copy_of_bad_data_element:AN1-99
AK5 transaction_set_response_trailer transaction_set_acknowledgment_code:ID1-1!
  transaction_set_syntax_error_code:ID1-3 transaction_set_syntax_error_code:ID1-3
  transaction_set_syntax_error_code:ID1-3 transaction_set_syntax_error_code:ID1-3
  transaction_set_syntax_error_code:ID1-3
AK9 functional_group_response_trailer functional_group_acknowledge_code:ID1-1!
  number_of_transaction_sets_included:N01-6! number_of_received_transaction_sets:N01-6!
  number_of_accepted_transaction_sets:N01-6! functional_group_syntax_error_code:ID1-3
  functional_group_syntax_error_code:ID1-3 functional_group_syntax_error_code:ID1-3
"""

_COMPOSITES = {
    "355": "unit_or_basis_for_measurement_code:ID2-2! exponent:R1-15 multiplier:R1-10",
    "722": "element_position_in_segment:N01-2! component_data_element_position_in_composite:N01-2",
}

_PARTY = "N1_loop* N1 N2* N3* N4{} REF* PER* END"
_NOTES = "N9_loop* N9 DTM* MSG* {{/MTX*}} END"
_CHARGES = "SAC_loop* SAC CUR END"
_PIDS = "PID_loop* PID MEA* END"

# `X*` repeats (an array), `X?` is read as an object or an array, plain is an object. `_loop ... END` nests.
_HEADING = (
    "CUR REF* PER* TAX* FOB? CSH* "
    + _CHARGES
    + " ITD* DTM* PID* TD5* TXI* "
    + _NOTES.format()
    + " "
    + _PARTY.format("{N4}")
)
_LINE = _PIDS + " REF* PER* " + _CHARGES + " ITD* FOB? DTM* TD5* {ACK}MSG* {/MTX*} TXI* QTY_loop* QTY END "
_LINE += "SCH_loop* SCH TD5* REF* END "
_LINE += _NOTES.format() + " " + _PARTY.format("")
_LAYOUTS = {
    "850": (
        "ST BEG " + _HEADING.replace("{N4}", "*"),
        "PO1_loop* PO1 CUR CTP* " + _LINE.replace("{ACK}", "") + " END",
        "CTT_loop* CTT AMT END SE",
    ),
    "860": (
        "ST BCH " + _HEADING.replace("{N4}", "*"),
        "POC_loop* POC CUR CTP* " + _LINE.replace("{ACK}", "") + " END",
        "CTT_loop* CTT AMT? END SE",
    ),
    "855": (
        "ST BAK " + _HEADING.replace("{N4}", ""),
        "PO1_loop* PO1 CUR CTP* " + _LINE.replace("{ACK}", "ACK_loop* ACK DTM END ") + " END",
        "CTT_loop* CTT AMT END SE",
    ),
    "865": (
        "ST BCA " + _HEADING.replace("{N4}", ""),
        "POC_loop* POC CUR CTP* " + _LINE.replace("{ACK}", "ACK_loop* ACK DTM END ") + " END",
        "CTT_loop* CTT AMT? END SE",
    ),
    "810": (
        "ST BIG NTE* CUR REF* PER* N1_loop* N1 N2* N3* N4 REF* PER* END ITD* DTM* FOB PID* "
        + _NOTES.replace("N9_loop*", "N9_loop?").format(),
        "IT1_loop* IT1 QTY* CUR TXI* CTP* MEA* "
        + _PIDS
        + " PO4? ITD* REF* PER* DTM* "
        + _CHARGES
        + " "
        + _PARTY.format("")
        + " END",
        "TDS TXI* AMT* SAC_loop* SAC TXI* END ISS_loop* ISS PID END CTT SE",
    ),
    "997": (
        "ST AK1 AK2_loop* AK2 AK3_loop* AK3 AK4* END AK5 END AK9 SE",
        "",
        "",
    ),
}

FUNCTIONAL_GROUPS = {"850": "PO", "855": "PR", "860": "PC", "865": "CA", "810": "IN", "997": "FA"}
"""GS01 by transaction set."""

RELEASES = ("004010", "005010")


class ElementDef(Struct, frozen=True):
    """One element: its possible key names (with the position), X12 type, lengths."""

    position: int
    keys: tuple[str, ...]
    type: str
    minimum: int
    maximum: int
    mandatory: bool
    components: tuple[ElementDef, ...] = ()


class SegmentDef(Struct, frozen=True):
    """One segment of a release: its id, its key, its elements."""

    id: str
    key: str
    elements: tuple[ElementDef, ...]

    def element(self, position: int) -> ElementDef | None:
        return next((element for element in self.elements if element.position == position), None)


class Repeat(Enum):
    """Whether a node may repeat, and so whether Guide JSON has an object or an array."""

    ONE = "object"
    MANY = "array"
    EITHER = "object or array"


class Node(Struct, frozen=True):
    """A segment, or a loop (`children`, the first of which is its first segment)."""

    segment: SegmentDef
    repeat: Repeat
    children: tuple[Node, ...] = ()

    @property
    def is_loop(self) -> bool:
        return bool(self.children)

    @property
    def key(self) -> str:
        return f"{self.segment.key}_loop" if self.children else self.segment.key


class Layout(Struct, frozen=True):
    """The three areas of a transaction set in one release."""

    set_id: str
    release: str
    heading: tuple[Node, ...]
    detail: tuple[Node, ...]
    summary: tuple[Node, ...]

    def areas(self) -> tuple[tuple[str, tuple[Node, ...]], ...]:
        return (("heading", self.heading), ("detail", self.detail), ("summary", self.summary))


_ELEMENT = re.compile(r"([a-z_|]+):(ID|AN|N0|N2|R|DT|TM|C)(\d+)(?:-(\d+))?(!?)")


def _for_release(text: str, release: str) -> str:
    """The text for the closer of the two releases: the tables only have names for these."""
    index = 2 if release >= RELEASES[1] else 1
    return re.sub(r"\{([^/{}]*)/([^/{}]*)\}", lambda match: str(match.group(index)), text)


def _elements(words: list[str]) -> Iterator[ElementDef]:
    position = 0
    for word in words:
        if word.startswith("pairs*"):
            for _ in range(int(word.removeprefix("pairs*"))):
                yield _element("product_service_id_qualifier:ID2-2", position + 1)
                yield _element("product_service_id:AN1-48", position + 2)
                position += 2
            continue
        position += 1
        if word != "-":
            yield _element(word, position)


def _element(word: str, position: int) -> ElementDef:
    match = _ELEMENT.fullmatch(word)
    if match is None:
        raise ValueError(f"unreadable element {word!r}")
    names, kind, low, high, mandatory = match.groups()
    keys = tuple(f"{name}_{position:02}" for name in names.split("|"))
    if kind == "C":
        parts = tuple(_elements(_COMPOSITES[low].split()))
        return ElementDef(position, keys, kind, 0, 0, bool(mandatory), parts)
    return ElementDef(position, keys, kind, int(low), int(high), bool(mandatory))


@cache
def segments(release: str) -> dict[str, SegmentDef]:
    """All segments of the tables, by id, in this release."""
    table = {}
    for line in re.split(r"\n(?! )", _for_release(_SEGMENTS, release).strip()):
        segment_id, name, *words = line.split()
        table[segment_id] = SegmentDef(segment_id, f"{name}_{segment_id}", tuple(_elements(words)))
    return table


@cache
def layout(set_id: str, release: str) -> Layout:
    """The base layout of a transaction set. Raise KeyError for an unknown set."""
    table = segments(release)

    def nodes(words: list[str]) -> tuple[Node, ...]:
        result = []
        while words:
            word = words.pop(0)
            if word == "END":
                break
            repeat = {"*": Repeat.MANY, "?": Repeat.EITHER}.get(word[-1], Repeat.ONE)
            name = word.rstrip("*?")
            if name.endswith("_loop"):
                children = nodes(words)
                result.append(Node(children[0].segment, repeat, children))
            else:
                result.append(Node(table[name], repeat))
        return tuple(result)

    heading, detail, summary = (nodes(_for_release(text, release).split()) for text in _LAYOUTS[set_id])
    return Layout(set_id, release, heading, detail, summary)
