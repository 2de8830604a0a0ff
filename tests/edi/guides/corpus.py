"""Guides of different shapes: every twist that partner guides show, each in a schema of its own."""

from __future__ import annotations

from typing import Any

from tests.edi.guides.shapes import (
    Schema,
    bch,
    beg,
    code,
    ctt,
    day,
    dtm,
    guide,
    many,
    n1,
    number,
    obj,
    pairs,
    pid,
    ref,
    sch,
    st,
    text,
    whole,
)

_UOM = "unit_or_basis_for_measurement_code"
_BEG = "beginning_segment_for_purchase_order_BEG_R"
_N4010, _N5010 = "name", "party_identification"


def _po1(quantity: str, items: Schema, **more: Any) -> Schema:
    fields: Schema = {
        "assigned_identification_01": text(1, 20),
        f"{quantity}_R": number(),
        f"{_UOM}_03_R": text(2, 2),
        "unit_price_04_R": number(),
        "basis_of_unit_price_code_05": code("PE", "HP", "TP"),
    }
    fields.update(more)
    return obj(**fields, **items)


_ANY_ITEMS = pairs(6, ("BP", "VP", "MG", "EC"), ("BP", "VP", "MG", "EC"), ("BP", "VP", "MG", "EC"))


def _full_4010() -> Schema:
    """Everything has a place: schedules, notes, terms, price basis."""
    heading = obj(
        transaction_set_header_ST_R=st("850"),
        **{_BEG: beg()},
        currency_CUR=obj(entity_identifier_code_01_R=code("BY"), currency_code_02_R=text(3, 3)),
        reference_identification_REF=many(ref("IA", "DP")),
        fob_related_instructions_FOB=many(obj(shipment_method_of_payment_01_R=code("PP", "CC"))),
        terms_of_sale_deferred_terms_of_sale_ITD=many(
            obj(terms_type_code_01=text(2, 2), terms_discount_percent_03=number(), terms_net_days_07=whole())
        ),
        date_time_reference_DTM=many(dtm("002", "001")),
        carrier_details_routing_sequence_transit_time_TD5=many(obj(routing_05_R=text(1, 35))),
        reference_identification_N9_loop=many(
            obj(
                reference_identification_N9_R=obj(
                    reference_identification_qualifier_01_R=code("L1", "ZZ"), reference_identification_02_R=text(1, 30)
                ),
                message_text_MSG_R=many(obj(free_form_message_text_01_R=text(1, 264)), 100),
            )
        ),
        name_N1_loop=many(n1(_N4010, ("ST", "SU", "BY", "BT"))),
    )
    note = obj(
        reference_identification_N9_R=obj(
            reference_identification_qualifier_01_R=code("L1"), reference_identification_02_R=text(1, 30)
        ),
        message_text_MSG_R=many(obj(free_form_message_text_01_R=text(1, 264))),
    )
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(
                baseline_item_data_PO1_R=_po1("quantity_ordered_02", _ANY_ITEMS),
                product_item_description_PID_loop=many(pid()),
                line_item_schedule_SCH_loop=many(sch("002"), 200),
                reference_identification_N9_loop=many(note),
            )
        )
    )
    return guide(heading, detail, obj(transaction_totals_CTT_loop_R=ctt(amount="monetary_amount_AMT")))


def _strict_5010() -> Schema:
    """Short: one party, string quantities of four digits, fixed item pairs, a required routing, no place for dates."""
    heading = obj(
        transaction_set_header_ST=st("850"),
        **{_BEG: beg(types=("DS", "SS"), purposes=("00",))},
        reference_information_REF_customer_order=many(ref("CO")),
        reference_information_REF_vendor=many(ref("IA")),
        carrier_details_routing_sequence_transit_time_TD5_R=obj(
            transportation_method_type_code_04_R=code("ZZ"),
            routing_05_R=text(1, 35, description="FHD - home delivery, FR - freight"),
        ),
        party_identification_N1_loop_R=many(n1(_N5010, ("ST",)), 1),
    )
    items = pairs(6, ("VC",), ("SK",), required=2)
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(
                baseline_item_data_PO1_R=_po1("quantity_02", items, quantity_02_R=text(4, 100)),
                product_item_description_PID_loop_R=many(pid()),
            )
        )
    )
    totals = ctt(amount="monetary_amount_information_AMT")
    trailer = obj(number_of_included_segments_01_R=whole(minimum=1), transaction_set_control_number_02_R=text(4, 9))
    return guide(heading, detail, obj(transaction_totals_CTT_loop_R=totals, transaction_set_trailer_SE_R=trailer))


def _dates_at_lines() -> Schema:
    """No SCH: one PO1 per release, with its date as DTM."""
    heading = obj(
        **{_BEG: beg()},
        date_time_reference_DTM=dtm("002"),
        name_N1_loop_ship_to=n1(_N4010, ("ST",), n4_list=False),
        name_N1_loop_vendor=many(n1(_N4010, ("VN",))),
    )
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(
                baseline_item_data_PO1_R=_po1("quantity_ordered_02", _ANY_ITEMS),
                product_item_description_PID_loop=many(pid()),
                date_time_reference_DTM=many(dtm("106", "002"), 1),
            )
        )
    )
    return guide(heading, detail, obj(transaction_totals_CTT_loop=ctt()))


def _date_at_header() -> Schema:
    """One requested date for the whole order, and nothing else."""
    heading = obj(**{_BEG: beg()}, date_time_reference_DTM_requested_delivery_R=many(dtm("002"), 1))
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(baseline_item_data_PO1_R=_po1("quantity_ordered_02", pairs(6, ("BP",), required=1)))
        )
    )
    return guide(heading, detail, None)


def _variants_5010() -> Schema:
    """Every party and reference has a key of its own; notes as MTX; quantities may be number or text."""
    heading = obj(
        transaction_set_header_ST_R=st("850"),
        **{_BEG: beg(acknowledgment_type_07=code("AD", "AC"))},
        reference_information_REF_internal_vendor_number_R=many(ref("IA", key="Our number for you as a vendor"), 1),
        reference_information_REF_department=many(ref("DP"), 1),
        extended_reference_information_N9_loop=many(
            obj(
                extended_reference_information_N9_R=obj(
                    reference_identification_qualifier_01_R=code("ZZ"), reference_identification_02_R=text(1, 50)
                ),
                text_MTX_R=many(obj(note_reference_code_01=code("GEN"), textual_data_02_R=text(1, 4096)), 1),
            ),
            1,
        ),
        party_identification_N1_loop_ship_to_R=many(n1(_N5010, ("ST",)), 1),
        party_identification_N1_loop_supplier=many(n1(_N5010, ("SU",)), 1),
        party_identification_N1_loop_buyer=many(n1(_N5010, ("BY",)), 1),
    )
    quantity = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[0-9.]+$"}]}
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(
                baseline_item_data_PO1_R=_po1("quantity_02", _ANY_ITEMS, quantity_02_R=quantity),
                product_item_description_PID_loop=many(pid()),
                line_item_schedule_SCH_loop_R=many(sch("002")),
            )
        )
    )
    return guide(heading, detail, obj(transaction_totals_CTT_loop=ctt()))


def _by_reference() -> Schema:
    """Definitions, a choice of parties under one key, conditions between elements."""
    party = n1(_N4010, ("ST",))
    vendor = n1(_N4010, ("SU", "VN"))
    heading = obj(
        **{_BEG: {"$ref": "#/$defs/begin"}},
        name_N1_loop={
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [{"$ref": "#/$defs/st"}, {"$ref": "#/$defs/su"}]},
        },
        date_time_reference_DTM=many({"allOf": [dtm("002"), {"required": ["date_02"]}]}),
    )
    detail = obj(baseline_item_data_PO1_loop_R=many({"$ref": "#/$defs/line"}))
    item = _po1("quantity_ordered_02", _ANY_ITEMS)
    item["dependentRequired"] = {"product_service_id_qualifier_06": ["product_service_id_07"]}
    item["if"] = {"required": ["basis_of_unit_price_code_05"]}
    item["then"] = {"required": ["unit_price_04"]}
    made = guide(heading, detail, obj(transaction_totals_CTT_loop=ctt()))
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["$defs"] = {
        "begin": beg(),
        "st": party,
        "su": vendor,
        "line": obj(
            baseline_item_data_PO1_R=item,
            product_item_description_PID_loop=many(pid()),
            line_item_schedule_SCH_loop={"type": "array", "items": {"anyOf": [sch("002"), sch("010")]}},
        ),
    }
    return made


def _old_3040() -> Schema:
    """3040: prices as text with two decimals at least, whole quantities of a fixed width, numbers for line ids."""
    heading = obj(**{_BEG: beg()}, name_N1_loop=many(n1(_N4010, ("ST", "SU", "BY", "BT"), named=False)))
    item = _po1(
        "quantity_ordered_02",
        pairs(6, ("BP", "VP", "EC"), ("BP", "VP", "EC"), most=30),
        assigned_identification_01=whole(),
        quantity_ordered_02_R={"type": "string", "pattern": "^[0-9]{6}(\\.[0-9]+)?$"},
        unit_price_04_R={"type": "string", "pattern": "^[0-9]+\\.[0-9]{2,6}$"},
    )
    item["properties"].pop("basis_of_unit_price_code_05")
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(baseline_item_data_PO1_R=item, line_item_schedule_SCH_loop=many(sch("002")))
        )
    )
    return guide(heading, detail, obj(transaction_totals_CTT_loop=ctt()))


def _wants_contact() -> Schema:
    """Requires a contact, which no order has."""
    contact = obj(
        "Buyer to be called about the order",
        contact_function_code_01_R=code("BD"),
        name_02_R=text(1, 60),
        communication_number_qualifier_03_R=code("TE"),
        communication_number_04_R=text(1, 80),
    )
    made = _full_4010()
    made["properties"]["heading"]["properties"]["administrative_communications_contact_PER"] = many(contact)
    made["properties"]["heading"]["required"].append("administrative_communications_contact_PER")
    return made


def _narrow() -> Schema:
    """Short fields and few repetitions: nothing may be cut to fit."""
    heading = obj(
        **{_BEG: beg(purchase_category_10_R=code("NO"))},
        message_text_MSG=many(obj(free_form_message_text_01_R=text(1, 12)), 2),
        name_N1_loop=many(n1(_N4010, ("ST", "BY")), 2),
    )
    item = _po1("quantity_ordered_02", pairs(6, ("BP",), ("VP",), most=12, required=1))
    item["properties"].pop("basis_of_unit_price_code_05")
    detail = obj(
        baseline_item_data_PO1_loop_R=many(
            obj(
                baseline_item_data_PO1_R=item,
                product_item_description_PID_loop=many(pid(10), 2),
                line_item_schedule_SCH_loop=many(sch("106"), 2),
            ),
            1,
        )
    )
    return guide(heading, detail, obj(transaction_totals_CTT_R=ctt(loop=False)))


def _each_only() -> Schema:
    """Prices each, said so; a constant segment; loops that are objects."""
    heading = obj(
        **{_BEG: beg(types=("NE", "BK"))},
        fob_related_instructions_FOB_R=obj(shipment_method_of_payment_01_R={"const": "CC"}),
        name_N1_loop=n1(_N4010, ("ST",)),
    )
    item = _po1(
        "quantity_ordered_02",
        _ANY_ITEMS,
        basis_of_unit_price_code_05_R=code("PE"),
        quantity_ordered_02_R=number(multipleOf=0.01, minimum=0),
    )
    line = obj(
        baseline_item_data_PO1_R=item,
        product_item_description_PID_loop=pid(),
        line_item_schedule_SCH_loop=many(sch("002")),
    )
    return guide(heading, obj(baseline_item_data_PO1_loop_R=many(line)), obj(transaction_totals_CTT_loop=ctt()))


def _line_price() -> Schema:
    """Prices in CTP03 only; our references and the order date at each line; a due date under the guide's own word.

    Its totals must hold the sum of the quantities (CTT02).
    """
    made = _full_4010()
    heading = made["properties"]["heading"]["properties"]
    for key in ("reference_identification_REF", "date_time_reference_DTM"):
        del heading[key]
    loop = made["properties"]["detail"]["properties"]["baseline_item_data_PO1_loop"]["items"]
    line = loop["properties"]["baseline_item_data_PO1"]
    for key in ("unit_price_04", "basis_of_unit_price_code_05"):
        del line["properties"][key]
    line["required"].remove("unit_price_04")
    more = obj(
        pricing_information_CTP_R=many(
            obj(
                class_of_trade_code_01=code("WS"),
                price_identifier_code_02_R=code("MSR", "UCP"),
                unit_price_03_R=number(),
                composite_unit_of_measure_05_R=obj(**{f"{_UOM}_01_R": text(2, 2)}),
                basis_of_unit_price_code_09=code("PE", "TP"),
            ),
            1,
        ),
        reference_identification_REF_R=many(ref("IA", "DP")),
        date_time_reference_DTM=many(dtm("004")),
        line_item_schedule_SCH_loop=many(sch("010"), 200),
    )
    loop["properties"] |= more["properties"]
    loop["required"] += more["required"]
    made["properties"]["summary"] = obj(transaction_totals_CTT_loop_R=ctt(hashed=True))
    made["required"].append("summary")
    return made


def _totals_3070() -> Schema:
    """The sum of the quantities, which are whole numbers, and the order date as DTM 004 beside the due date."""
    made = _date_at_header()
    heading = made["properties"]["heading"]
    heading["required"].remove("date_time_reference_DTM_requested_delivery")
    del heading["properties"]["date_time_reference_DTM_requested_delivery"]
    heading["properties"]["date_time_reference_DTM"] = many(dtm("002", "004"), 2)
    made["properties"]["summary"] = obj(transaction_totals_CTT_loop_R=ctt(hashed=True))
    made["required"].append("summary")
    return made


def _poc(codes: tuple[str, ...], quantity: str, **more: Any) -> Schema:
    items = pairs(8, ("BP", "VP", "MG", "EC"), ("BP", "VP", "MG", "EC"), ("BP", "VP", "MG", "EC"))
    return obj(
        line_item_change_POC_R=obj(
            assigned_identification_01_R=text(1, 20),
            change_or_response_type_code_02_R=code(*codes),
            **{f"{quantity}_R": number()},
            quantity_left_to_receive_04=number(),
            composite_unit_of_measure_05_R=obj(**{f"{_UOM}_01_R": text(2, 2)}),
            unit_price_06=number(),
            basis_of_unit_price_code_07=code("PE", "TP"),
            **items,
        ),
        **more,
    )


def _change_full() -> Schema:
    """An 860 with every code and a schedule."""
    codes = ("AI", "DI", "QI", "QD", "PC", "RS", "CA", "RQ", "PR", "PQ", "MU")
    heading = obj(
        transaction_set_header_ST_R=st("860"),
        beginning_segment_for_purchase_order_change_BCH_R=bch(),
        message_text_MSG=many(obj(free_form_message_text_01_R=text(1, 264))),
        name_N1_loop=many(n1(_N4010, ("ST", "SU", "BY", "BT"))),
    )
    line = _poc(
        codes,
        "quantity_ordered_03",
        product_item_description_PID_loop=many(pid()),
        line_item_schedule_SCH_loop=many(sch("002")),
    )
    made = guide(heading, None, obj(transaction_totals_CTT_loop=ctt()))
    made["properties"]["detail"] = obj(line_item_change_POC_loop=many(line))
    return made


def _change_left() -> Schema:
    """An 860 that requires what is left to receive (POC04) and the sum of the quantities (CTT02), in 6020."""
    made = _change_full()
    loop = made["properties"]["detail"]["properties"]["line_item_change_POC_loop"]["items"]
    loop["properties"]["line_item_change_POC"]["required"].append("quantity_left_to_receive_04")
    made["properties"]["summary"] = obj(transaction_totals_CTT_loop_R=ctt(hashed=True))
    made["required"].append("summary")
    return made


def _change_few_codes() -> Schema:
    """An 860 that knows add, delete and other change, and wants a line also for a cancellation."""
    heading = obj(beginning_segment_for_purchase_order_change_BCH_R=bch())
    line = _poc(("AI", "DI", "CA"), "quantity_03", line_item_schedule_SCH_loop=many(sch("002")))
    return guide(heading, obj(line_item_change_POC_loop_R=many(line)), None)


def _invoice_5010() -> Schema:
    """An 810 with taxes, CTT as a plain object."""
    heading = obj(
        beginning_segment_for_invoice_BIG_R=obj(
            date_01_R=day(),
            invoice_number_02_R=text(1, 22),
            date_03=day(),
            purchase_order_number_04_R=text(1, 22),
            transaction_type_code_07_R=code("DI", "CR"),
        ),
        party_identification_N1_loop=many(n1(_N5010, ("SE", "BT"))),
    )
    line = obj(
        baseline_item_data_invoice_IT1_R=obj(
            quantity_invoiced_02_R=number(),
            **{f"{_UOM}_03_R": code("EA")},
            unit_price_04_R=number(),
            **pairs(6, ("BP", "VP"), ("BP", "VP"), required=1),
        ),
        product_item_description_PID_loop=many(pid()),
    )
    summary = obj(
        total_monetary_value_summary_TDS_R=obj(amount_01_R=number(multipleOf=0.01)),
        tax_information_TXI=many(obj(tax_type_code_01_R=code("TX"), monetary_amount_02_R=number())),
        transaction_totals_CTT_R=ctt(loop=False),
    )
    made = guide(heading, obj(baseline_item_data_invoice_IT1_loop_R=many(line)), summary)
    made["required"].append("summary")
    return made


def _invoice_4010() -> Schema:
    """An 810 without taxes or currency, our vendor number as reference, one party."""
    heading = obj(
        transaction_set_header_ST_R=st("810"),
        beginning_segment_for_invoice_BIG_R=obj(
            date_01_R=day(), invoice_number_02_R=text(1, 22), purchase_order_number_04_R=text(1, 22)
        ),
        reference_identification_REF_R=many(ref("IA"), 1),
        name_N1_loop_remit_to=many(n1(_N4010, ("RI",)), 1),
    )
    line = obj(
        baseline_item_data_invoice_IT1_R=obj(
            assigned_identification_01_R=text(1, 20),
            quantity_invoiced_02_R=number(),
            **{f"{_UOM}_03_R": text(2, 2)},
            unit_price_04_R=number(),
            **pairs(6, ("VP",)),
        )
    )
    summary = obj(total_monetary_value_summary_TDS_R=obj(amount_01_R=number()), transaction_totals_CTT=ctt(loop=False))
    return guide(heading, obj(baseline_item_data_invoice_IT1_loop_R=many(line)), summary)


GUIDES_850: dict[str, tuple[Schema, dict[str, Any]]] = {
    "full-4010": (_full_4010(), {}),
    "strict-5010": (
        _strict_5010(),
        {
            "release": "005010",
            "items": {"part": "SK", "supplier_part": "VC"},
            "850": {"transaction_setting_id": "x", "po_type": {"standard": "DS"}},
        },
    ),
    "dates-at-lines": (_dates_at_lines(), {}),
    "date-at-header": (_date_at_header(), {}),
    "variants-5010": (_variants_5010(), {"release": "005010", "acknowledgment_type": "AD"}),
    "by-reference": (_by_reference(), {}),
    "old-3040": (_old_3040(), {"release": "003040"}),
    "wants-contact": (_wants_contact(), {}),
    "narrow": (_narrow(), {}),
    "each-only": (_each_only(), {}),
    "line-price": (
        _line_price(),
        {"release": "007030", "850": {"transaction_setting_id": "x", "due_qualifier": "010"}},
    ),
    "totals-3070": (_totals_3070(), {"release": "003070"}),
}
GUIDES_860: dict[str, tuple[Schema, dict[str, Any]]] = {
    "change-left": (_change_left(), {"release": "006020"}),
    "change-full": (_change_full(), {}),
    "change-few-codes": (_change_few_codes(), {"release": "005010"}),
}
GUIDES_810: dict[str, tuple[Schema, dict[str, Any]]] = {
    "invoice-5010": (_invoice_5010(), {"release": "005010"}),
    "invoice-4010": (_invoice_4010(), {}),
}
"""Each guide with the supplier settings that go with it."""
