"""Element definitions of the supported segments: Guide JSON names by position, and value kinds.

Names follow Stedi's rule (stedi/README.md 8): the element's X12 name in lower case, other characters as `_`. A kind
follows a colon: D date, T time, N whole number, R decimal number, N2 number with two implied decimals, Cnnn
composite; without one the element is text (codes and identifiers included).
"""

from __future__ import annotations

from functools import cached_property, lru_cache

from msgspec import Struct


class Element(Struct, frozen=True):
    """One element: its Guide JSON name without position, and its kind ('' is text)."""

    name: str
    kind: str


class SegmentDef(Struct, frozen=True, dict=True):
    """One segment: its Guide JSON name without the id, and its elements from position 1."""

    id: str
    name: str
    elements: tuple[Element, ...]

    @cached_property
    def not_texts(self) -> tuple[tuple[int, str], ...]:
        """Index (position less 1) and kind of each element that is not text."""
        return tuple((index, element.kind) for index, element in enumerate(self.elements) if element.kind)

    @property
    def key(self) -> str:
        """Base key of the segment in Guide JSON."""
        return f"{self.name}_{self.id}"

    def element(self, position: int) -> Element | None:
        """Element at this position (1-based), None beyond the last one defined."""
        return self.elements[position - 1] if 0 < position <= len(self.elements) else None


_UOM = "unit_or_basis_for_measurement_code"
_ID_PAIR = "product_service_id_qualifier product_service_id "

_SEGMENTS: dict[str, tuple[str, str]] = {
    "ST": ("transaction_set_header", "transaction_set_identifier_code transaction_set_control_number:N"),
    "SE": ("transaction_set_trailer", "number_of_included_segments:N transaction_set_control_number"),
    "BEG": (
        "beginning_segment_for_purchase_order",
        (
            "transaction_set_purpose_code purchase_order_type_code purchase_order_number release_number date:D "
            "contract_number acknowledgment_type invoice_type_code contract_type_code purchase_category "
            "security_level_code transaction_type_code"
        ),
    ),
    "BCH": (
        "beginning_segment_for_purchase_order_change",
        (
            "transaction_set_purpose_code purchase_order_type_code purchase_order_number release_number "
            "change_order_sequence_number date:D request_reference_number contract_number reference_identification "
            "date:D date:D contract_type_code security_level_code acknowledgment_type transaction_type_code"
        ),
    ),
    "BAK": (
        "beginning_segment_for_purchase_order_acknowledgment",
        (
            "transaction_set_purpose_code acknowledgment_type purchase_order_number date:D release_number "
            "request_reference_number contract_number reference_identification date:D transaction_type_code"
        ),
    ),
    "BCA": (
        "beginning_segment_for_purchase_order_change_acknowledgment",
        (
            "transaction_set_purpose_code acknowledgment_type purchase_order_number release_number "
            "change_order_sequence_number date:D request_reference_number contract_number reference_identification "
            "date:D date:D transaction_type_code"
        ),
    ),
    "BIG": (
        "beginning_segment_for_invoice",
        (
            "date:D invoice_number date:D purchase_order_number release_number change_order_sequence_number "
            "transaction_type_code transaction_set_purpose_code action_code invoice_number"
        ),
    ),
    "NTE": ("note_special_instruction", "note_reference_code description"),
    "CUR": ("currency", "entity_identifier_code currency_code exchange_rate:R entity_identifier_code currency_code"),
    "REF": (
        "reference_identification",
        "reference_identification_qualifier reference_identification description reference_identifier:C040",
    ),
    "PER": (
        "administrative_communications_contact",
        (
            "contact_function_code name communication_number_qualifier communication_number "
            "communication_number_qualifier communication_number communication_number_qualifier communication_number "
            "contact_inquiry_reference"
        ),
    ),
    "FOB": (
        "fob_related_instructions",
        (
            "shipment_method_of_payment location_qualifier description transportation_terms_qualifier_code "
            "transportation_terms_code location_qualifier description risk_of_loss_code description"
        ),
    ),
    "ITD": (
        "terms_of_sale_deferred_terms_of_sale",
        (
            "terms_type_code terms_basis_date_code terms_discount_percent:R terms_discount_due_date:D "
            "terms_discount_days_due:N terms_net_due_date:D terms_net_days:N terms_discount_amount:N2 "
            "terms_deferred_due_date:D deferred_amount_due:N2 percent_of_invoice_payable:R description day_of_month:N "
            "payment_method_code percentage_as_decimal:R"
        ),
    ),
    "DTM": (
        "date_time_reference",
        "date_time_qualifier date:D time:T time_code date_time_period_format_qualifier date_time_period",
    ),
    "TD5": (
        "carrier_details_routing_sequence_transit_time",
        (
            "routing_sequence_code identification_code_qualifier identification_code transportation_method_type_code "
            "routing shipment_order_status_code location_qualifier location_identifier transit_direction_code "
            "transit_direction_time_qualifier transit_time:R service_level_code"
        ),
    ),
    "N9": (
        "reference_identification",
        (
            "reference_identification_qualifier reference_identification free_form_description date:D time:T time_code "
            "reference_identifier:C040"
        ),
    ),
    "MSG": ("message_text", "free_form_message_text printer_carriage_control_code number:N"),
    "MTX": ("text", "note_reference_code textual_data textual_data"),
    "N1": (
        "name",
        (
            "entity_identifier_code name identification_code_qualifier identification_code entity_relationship_code "
            "entity_identifier_code"
        ),
    ),
    "N2": ("additional_name_information", "name name"),
    "N3": ("address_information", "address_information address_information"),
    "N4": (
        "geographic_location",
        "city_name state_or_province_code postal_code country_code location_qualifier location_identifier",
    ),
    "PO1": (
        "baseline_item_data",
        f"assigned_identification quantity_ordered:R {_UOM} unit_price:R basis_of_unit_price_code " + _ID_PAIR * 10,
    ),
    "POC": (
        "line_item_change",
        "assigned_identification change_or_response_type_code quantity_ordered:R quantity_left_to_receive:R "
        "composite_unit_of_measure:C001 unit_price:R basis_of_unit_price_code " + _ID_PAIR * 10,
    ),
    "IT1": (
        "baseline_item_data_invoice",
        f"assigned_identification quantity_invoiced:R {_UOM} unit_price:R basis_of_unit_price_code " + _ID_PAIR * 10,
    ),
    "PID": (
        "product_item_description",
        (
            "item_description_type product_process_characteristic_code agency_qualifier_code product_description_code "
            "description surface_layer_position_code source_subqualifier"
        ),
    ),
    "SCH": (
        "line_item_schedule",
        (
            f"quantity:R {_UOM} entity_identifier_code name date_time_qualifier date:D time:T date_time_qualifier "
            "date:D time:T request_reference_number assigned_identification"
        ),
    ),
    "ACK": (
        "line_item_acknowledgment",
        f"line_item_status_code quantity:R {_UOM} date_time_qualifier date:D request_reference_number "
        + _ID_PAIR * 10
        + "agency_qualifier_code source_subqualifier industry_code",
    ),
    "QTY": ("quantity_information", "quantity_qualifier quantity:R composite_unit_of_measure:C001"),
    "CTP": (
        "pricing_information",
        (
            "class_of_trade_code price_identifier_code unit_price:R quantity:R composite_unit_of_measure:C001 "
            "price_multiplier_qualifier multiplier:R monetary_amount:R basis_of_unit_price_code condition_value "
            "multiple_price_quantity:N"
        ),
    ),
    "CTT": (
        "transaction_totals",
        f"number_of_line_items:N hash_total:R weight:R {_UOM} volume:R {_UOM} description",
    ),
    "AMT": ("monetary_amount", "amount_qualifier_code monetary_amount:R credit_debit_flag_code"),
    "TDS": ("total_monetary_value_summary", "amount:N2 amount:N2 amount:N2 amount:N2"),
    "TXI": (
        "tax_information",
        (
            "tax_type_code monetary_amount:R percent:R tax_jurisdiction_code_qualifier tax_jurisdiction_code "
            "tax_exempt_code relationship_code dollar_basis_for_percent:R tax_identification_number "
            "assigned_identification"
        ),
    ),
    "SAC": (
        "service_promotion_allowance_or_charge_information",
        (
            "allowance_or_charge_indicator service_promotion_allowance_or_charge_code agency_qualifier_code "
            "agency_service_promotion_allowance_or_charge_code amount:N2 allowance_charge_percent_qualifier percent:R "
            f"rate:R {_UOM} quantity:R quantity:R allowance_or_charge_method_of_handling_code reference_identification "
            "option_number description language_code"
        ),
    ),
    "AK1": ("functional_group_response_header", "functional_identifier_code group_control_number:N version"),
    "AK2": (
        "transaction_set_response_header",
        "transaction_set_identifier_code transaction_set_control_number implementation_convention_reference",
    ),
    "AK3": (
        "data_segment_note",
        "segment_id_code segment_position_in_transaction_set:N loop_identifier_code segment_syntax_error_code",
    ),
    "AK4": (
        "data_element_note",
        (
            "position_in_segment:C030 data_element_reference_number data_element_syntax_error_code "
            "copy_of_bad_data_element"
        ),
    ),
    "AK5": (
        "transaction_set_response_trailer",
        "transaction_set_acknowledgment_code " + "transaction_set_syntax_error_code " * 5,
    ),
    "AK9": (
        "functional_group_response_trailer",
        "functional_group_acknowledge_code number_of_transaction_sets_included:N "
        "number_of_received_transaction_sets:N number_of_accepted_transaction_sets:N "
        + "functional_group_syntax_error_code "
        * 5,
    ),
}

_FROM_005010: dict[str, tuple[str | None, dict[int, str]]] = {
    "REF": ("reference_information", {}),
    "N9": ("extended_reference_information", {}),
    "N1": ("party_identification", {}),
    "N3": ("party_location", {}),
    "AMT": ("monetary_amount_information", {}),
    "PO1": (None, {2: "quantity:R"}),
    "POC": (None, {3: "quantity:R"}),
    "TXI": (None, {3: "percentage_as_decimal:R"}),
}
"""Names that differ from 005010 on: segment name (or None), and elements by position."""

COMPOSITES: dict[str, tuple[Element, ...]] = {
    "C001": (Element(_UOM, ""), Element("exponent", "R"), Element("multiplier", "R")),
    "C030": (
        Element("element_position_in_segment", "N"),
        Element("component_data_element_position_in_composite", "N"),
        Element("repeating_data_element_position", "N"),
    ),
    "C040": (
        Element("reference_identification_qualifier", ""),
        Element("reference_identification", ""),
        Element("reference_identification_qualifier", ""),
        Element("reference_identification", ""),
    ),
}
"""Components of composite elements by X12 number, in order."""

ITEM_PAIRS_FROM = {"PO1": 6, "IT1": 6, "POC": 8, "ACK": 7}
"""First position of the pairs of product id qualifier and product id (ten pairs each)."""


def _element(text: str) -> Element:
    name, _, kind = text.partition(":")
    return Element(name, kind)


@lru_cache(maxsize=256)
def segment_def(segment_id: str, release: str) -> SegmentDef | None:
    """Definition of a segment in this release (six digits); None for an unsupported segment."""
    known = _SEGMENTS.get(segment_id)
    if known is None:
        return None
    name, listed = known
    elements = [_element(text) for text in listed.split()]
    if release >= "005010" and segment_id in _FROM_005010:
        new_name, changed = _FROM_005010[segment_id]
        name = new_name or name
        for position, text in changed.items():
            elements[position - 1] = _element(text)
    return SegmentDef(segment_id, name, tuple(elements))
