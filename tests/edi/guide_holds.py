"""Guides that hold an order: what the reason must say, and what is done about it where no setting can."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from plexstedi.edi.order import Order
from tests.edi.guides.corpus import GUIDES_850
from tests.edi.guides.shapes import code, day, many, n1, number, obj, text, whole
from tests.edi.outbound_orders import ORDERS, changed, line, order, release

Schema = dict[str, Any]
BEG = "beginning_segment_for_purchase_order_BEG"
LINES = "baseline_item_data_PO1_loop"
PO1 = "baseline_item_data_PO1"


def heading(schema: Schema) -> Schema:
    found: Schema = schema["properties"]["heading"]
    return found


def loop(schema: Schema, key: str = LINES) -> Schema:
    found: Schema = schema["properties"]["detail"]["properties"][key]["items"]
    return found


def require(owner: Schema, key: str, schema: Schema | None = None) -> None:
    if schema is not None:
        owner["properties"][key] = schema
    owner.setdefault("required", []).append(key)


def relax(owner: Schema, key: str) -> None:
    owner["required"] = [name for name in owner["required"] if name != key]


def po1(schema: Schema) -> Schema:
    found: Schema = loop(schema)["properties"][PO1]
    return found


@dataclass(frozen=True)
class Case:
    """A guide that holds an order, what its reason must say, and what is done where no setting can."""

    guide: Callable[[Schema], None]
    """Changes the full 4010 guide."""
    says: str
    """In the message, as a regular expression."""
    advises: str
    """In the fix, as a regular expression."""
    order: Order = ORDERS["two-lines"]
    settings: dict[str, Any] = field(default_factory=dict)
    plex: Callable[[Order], Order] | None = None
    """What a person does in Plex."""
    supplier: Callable[[Schema], None] | None = None
    """What the supplier, or who keeps the guide, does."""
    then: str = "sent"
    """`sent`, or the code of the next true reason."""


def items(*codes: str) -> Callable[[Schema], None]:
    """The guide takes one number of a line, under one of these qualifiers, and wants it."""

    def change(schema: Schema) -> None:
        segment = po1(schema)
        for key in [k for k in segment["properties"] if k.startswith("product_service_id")]:
            del segment["properties"][key]
        require(segment, "product_service_id_qualifier_06", code(*codes))
        require(segment, "product_service_id_07", text(1, 48))

    return change


def add_heading(key: str, schema: Schema) -> Callable[[Schema], None]:
    return lambda guide: require(heading(guide), key, copy.deepcopy(schema))


def add_line(key: str, schema: Schema) -> Callable[[Schema], None]:
    return lambda guide: require(loop(guide), key, copy.deepcopy(schema))


def add_po1(key: str, schema: Schema) -> Callable[[Schema], None]:
    return lambda guide: require(po1(guide), key, copy.deepcopy(schema))


def add_beg(key: str, schema: Schema) -> Callable[[Schema], None]:
    return lambda guide: require(heading(guide)["properties"][BEG], key, copy.deepcopy(schema))


def _without(*lines: dict[str, Any], **more: Any) -> Order:
    base = ORDERS["two-lines"]
    return replace(base, **more)


def _no_supplier_part(base: Order) -> Order:
    return replace(base, lines=tuple(replace(ln, supplier_part="S-1") for ln in base.lines))


_TD5 = "carrier_details_routing_sequence_transit_time_TD5"
_N1 = "name_N1_loop"
REF = "reference_identification_REF"
_FOB = "fob_related_instructions_FOB"
_ITD = "terms_of_sale_deferred_terms_of_sale_ITD"
_DTM = "date_time_reference_DTM"
BARE = ORDERS["one-line"]


def _td5_wants_mode(schema: Schema) -> None:
    segment = obj(transportation_method_type_code_04_R=code("M", "A"), routing_05_R=text(1, 35))
    require(heading(schema), _TD5, segment)


def _party_wants(role: str, **more: Any) -> Callable[[Schema], None]:
    """One N1 loop of this role, required, with all of it required that is named here."""

    def change(schema: Schema) -> None:
        party = n1("name", (role,))
        for key, value in more.items():
            party["properties"]["name_N1"]["properties"][key] = value
            require(party["properties"]["name_N1"], key)
        heading(schema)["properties"][f"{_N1}_own"] = many(party, 1)
        heading(schema)["properties"][_N1]["items"]["properties"]["name_N1"]["properties"]["entity_identifier_code_01"][
            "enum"
        ] = [r for r in ("ST", "SU", "BY", "BT") if r != role]
        require(heading(schema), f"{_N1}_own")

    return change


def _address_wants(role: str, key: str, inner: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        _party_wants(role)(schema)
        party = heading(schema)["properties"][f"{_N1}_own"]["items"]
        require(party, key)
        segment = party["properties"][key]
        require(segment.get("items", segment), inner)

    return change


def _without_unit(schema: Schema) -> None:
    del po1(schema)["properties"]["unit_or_basis_for_measurement_code_03"]
    relax(po1(schema), "unit_or_basis_for_measurement_code_03")


CASES: dict[str, Case] = {
    # Item numbers: by whose they are.
    "our part under our other qualifier": Case(
        items("IN"), "IN", r'items\] write part = "IN"', settings={"items": {"part": "BP"}}
    ),
    "our part is never sent as the vendor's": Case(
        items("VC"),
        "VC",
        "Enter the supplier's part number",
        order=replace(BARE, lines=(replace(BARE.lines[0], supplier_part=None),)),
        plex=_no_supplier_part,
    ),
    "the supplier's part under its other qualifier": Case(
        items("VC", "VN"), "VC, VN", r'items\] write supplier_part = "VC"', order=BARE
    ),
    "a bar code that Plex does not have": Case(
        items("UP"), "UP", "ask the supplier", supplier=lambda g: items("BP")(g)
    ),
    "a qualifier of nobody's side": Case(items("SK"), "SK", r'write part = "SK"'),
    "part of a line that orders none": Case(
        items("BP"),
        "BP",
        "Enter our part number",
        order=ORDERS["no-part"],
        plex=lambda o: changed(o, item="P-9"),
    ),
    # References and codes of the heading.
    "a reference that no setting names": Case(
        lambda g: require(
            heading(g),
            f"{REF}_department",
            many(obj(reference_identification_qualifier_01_R=code("19"), reference_identification_02_R=text(1, 30))),
        ),
        "19",
        r'references\] write 19 = "…"',
    ),
    "a reference at the lines": Case(
        add_line(
            REF,
            many(obj(reference_identification_qualifier_01_R=code("DP"), reference_identification_02_R=text(1, 30))),
        ),
        "DP",
        r'references\] write DP = "…"',
    ),
    "a reference inside a party": Case(
        lambda g: require(
            heading(g)["properties"][_N1]["items"],
            REF,
            many(obj(reference_identification_qualifier_01_R=code("DP"), reference_identification_02_R=text(1, 30))),
        ),
        "DP",
        "in the heading and at the lines only",
        supplier=lambda g: relax(heading(g)["properties"][_N1]["items"], REF),
    ),
    "payment terms at every line": Case(
        lambda g: require(loop(g), "terms_of_sale_deferred_terms_of_sale_ITD", many(obj(terms_net_days_07_R=whole()))),
        "requires it",
        "sends ITD in the heading only",
        supplier=lambda g: relax(loop(g), "terms_of_sale_deferred_terms_of_sale_ITD"),
    ),
    "a date inside a schedule": Case(
        lambda g: require(
            loop(g)["properties"]["line_item_schedule_SCH_loop"]["items"],
            _DTM,
            many(obj(date_time_qualifier_01_R=code("002"), date_02_R=day())),
        ),
        "002",
        "sends DTM in the heading only|heading",
        supplier=lambda g: relax(loop(g)["properties"]["line_item_schedule_SCH_loop"]["items"], _DTM),
    ),
    "another party at every line": Case(
        lambda g: require(loop(g), _N1, many(n1("name", ("SF",)))),
        "SF",
        "no party but ST at the lines",
        supplier=lambda g: relax(loop(g), _N1),
    ),
    "characters that X12 cannot carry": Case(
        lambda g: None,
        "Größe",
        r"ACME01\.text\] write transliterate = true",
        order=replace(BARE, note="Größe"),
    ),
    "a delimiter in a text": Case(
        lambda g: None,
        "delimiter",
        r'ACME01\.text\] write replace_delimiters = " "',
        order=replace(BARE, note="A*B"),
    ),
    "a note that must be told and has no place": Case(
        lambda g: heading(g)["properties"].pop("reference_identification_N9_loop"),
        "no place for the note",
        r'ACME01\] write notes = "optional"',
        order=replace(BARE, note="Dock 4"),
        settings={"notes": "required"},
    ),
    "the acknowledgment asked for": Case(
        add_beg("acknowledgment_type_07", code("AD", "AC")), "AD, AC", r'ACME01\] write acknowledgment_type = "AD"'
    ),
    "a contract number changes with the order": Case(
        add_beg("contract_number_06", text(1, 30)),
        "contract_number_06|requires it",
        "changes from order to order",
        supplier=lambda g: relax(heading(g)["properties"][BEG], "contract_number_06"),
    ),
    "a purchase category is the same in every order": Case(
        add_beg("purchase_category_10", code("NO", "NE")),
        "NO, NE",
        "only if it is the same in every order",
        supplier=lambda g: heading(g)["properties"][BEG]["properties"].update(purchase_category_10={"const": "NO"}),
    ),
    "a release number of an order that has none": Case(
        lambda g: require(heading(g)["properties"][BEG], "release_number_04"),
        "requires it",
        "optional",
        supplier=lambda g: relax(heading(g)["properties"][BEG], "release_number_04"),
    ),
    "a contact": Case(
        add_heading(
            "administrative_communications_contact_PER",
            many(obj(contact_function_code_01_R=code("BD"), name_02_R=text(1, 60))),
        ),
        "BD|name_02",
        "give it a constant",
        supplier=lambda g: relax(heading(g), "administrative_communications_contact_PER"),
    ),
    # What the order says, and the guide in other words.
    "freight terms that no setting maps": Case(
        lambda g: require(heading(g), _FOB),
        "PP, CC",
        r'freight_terms\] write Collect = "PP"',
        order=replace(BARE, freight_terms="Collect"),
    ),
    "freight terms that Plex does not have": Case(
        lambda g: require(heading(g), _FOB),
        "PP, CC",
        "Set the freight terms of the order in Plex",
        order=BARE,
        plex=lambda o: replace(o, freight_terms="Prepaid"),
    ),
    "payment terms that no setting maps": Case(
        lambda g: require(heading(g)["properties"][_ITD]["items"], "terms_type_code_01") or require(heading(g), _ITD),
        "terms_type_code_01|requires it",
        r'terms\."Net 60"\] write type = "…"',
        order=replace(BARE, terms="Net 60"),
    ),
    "terms of another key than those that are mapped": Case(
        lambda g: (
            require(heading(g)["properties"][_ITD]["items"], "terms_discount_percent_03") or require(heading(g), _ITD)
        ),
        "requires it",
        r'terms\."Net 30"\] write discount_percent = 0',
    ),
    "freight terms that the guide knows as one only": Case(
        add_heading(_FOB, obj(shipment_method_of_payment_01_R={"const": "CC"})),
        r"FOB\*PP.*FOB\*CC",
        r'freight_terms\] write Prepaid = "CC"',
    ),
    "a currency that the guide does not accept": Case(
        add_heading(
            "currency_CUR", obj(entity_identifier_code_01_R={"const": "BY"}, currency_code_02_R={"const": "CAD"})
        ),
        "USD.*CAD",
        "Plex",
        plex=lambda o: replace(o, currency="CAD"),
    ),
    "a routing of another word": Case(
        add_heading(_TD5, obj(routing_05_R=code("FHD", "FR"))),
        r"TD505 FEDEX GROUND.*FHD, FR",
        "FHD, FR",
        plex=lambda o: replace(o, ship_via="FR"),
    ),
    "a routing without its mode names the mode, not the routing": Case(
        _td5_wants_mode,
        "M, A",
        "give it a constant in the guide",
        supplier=lambda g: heading(g)["properties"][_TD5]["properties"].update(
            transportation_method_type_code_04={"const": "M"}
        ),
    ),
    "a routing that Plex does not have": Case(
        add_heading(_TD5, obj(routing_05_R=text(1, 35))),
        "requires it",
        "ship via",
        order=BARE,
        plex=lambda o: replace(o, ship_via="TRUCK"),
    ),
    # Dates.
    "a date of the heading under the guide's own word": Case(
        lambda g: (
            require(heading(g), f"{_DTM}_own", obj(date_time_qualifier_01_R=code("010"), date_02_R=day()))
            or heading(g)["properties"].pop(_DTM)
        ),
        "010",
        r'ACME01\.850\] write due_qualifier = "010"',
    ),
    "a date that Plex does not have": Case(
        lambda g: require(heading(g), f"{_DTM}_own", obj(date_time_qualifier_01_R=code("001"), date_02_R=day())),
        "001",
        "Plex has no such date",
        settings={"850": {"transaction_setting_id": "x", "due_qualifier": "010"}},
        supplier=lambda g: relax(heading(g), f"{_DTM}_own"),
        then="sent",
    ),
    "schedules of lines that have no due date": Case(
        lambda g: require(loop(g), "line_item_schedule_SCH_loop"),
        "requires it|SCH",
        "Set the due date of the release",
        order=ORDERS["no-due"],
        plex=lambda o: changed(o, releases=(release(1, "8", "11-20", id="l10-r1"),)),
    ),
    "one date for lines of different dates": Case(
        lambda g: loop(g)["properties"].pop("line_item_schedule_SCH_loop") and None,
        "2026-11-20, 2026-12-04",
        "split the order",
        order=ORDERS["three-releases"],
        supplier=lambda g: loop(g)["properties"].update(copy.deepcopy(loop(GUIDES_850["full-4010"][0])["properties"])),
    ),
    # Numbers and units, in words.
    "whole numbers only": Case(
        lambda g: po1(g)["properties"].update(quantity_ordered_02=whole()),
        r"PO102 100\.5: .*whole numbers only",
        "Correct the quantity in Plex",
        order=ORDERS["three-releases"],
        plex=lambda o: changed(o, releases=o.lines[0].releases[:2]),
    ),
    "a unit that the guide does not accept": Case(
        lambda g: po1(g)["properties"].update(unit_or_basis_for_measurement_code_03=code("EA", "FT")),
        r"PO103 KG: unit KG is not accepted: EA, FT",
        r'units\] write kg = \{unit = "EA", factor = "…"\} \(how many EA one kg is',
        order=order(line(10, release(1, "3", "11-20"), unit="kg")),
    ),
    "a price of too many decimals": Case(
        lambda g: po1(g)["properties"].update(unit_price_04=number(multipleOf=0.01)),
        "at most 2 decimals",
        "Correct the price in Plex",
        plex=lambda o: replace(o, lines=o.lines[:1]),
    ),
    "two misfits of one line at once": Case(
        lambda g: po1(g)["properties"].update(
            quantity_ordered_02=whole(), unit_or_basis_for_measurement_code_03=code("FT")
        ),
        r"whole numbers only",
        "Correct the quantity",
        order=ORDERS["three-releases"],
        plex=lambda o: changed(o, releases=o.lines[0].releases[:2], unit="ft"),
    ),
    "a price basis that the guide wants": Case(
        lambda g: require(po1(g), "basis_of_unit_price_code_05", code("HP", "TP")),
        "HP, TP",
        r"price is per Ea: ask the supplier to accept PE \(each\)",
        order=BARE,
        supplier=lambda g: po1(g)["properties"].update(basis_of_unit_price_code_05=code("PE", "HP")),
    ),
    "a price per thousand that is not exact each, with a place for its basis": Case(
        lambda g: None,
        "not exact",
        r'units\] write "Pack of 7" = \{unit = "EA", factor = "100", price_basis = "HP"\}',
        order=order(line(10, release(1, "3", "11-20"), unit="Pack of 7", price="0.00001")),
        settings={"units": {"Pack of 7": {"unit": "EA", "factor": 100}}},
    ),
    "a unit that nobody maps": Case(
        lambda g: None,
        "Pallet",
        r'units\] write Pallet = \{unit = "…", factor = "…"\}',
        order=order(line(10, release(1, "3", "11-20"), unit="Pallet", price="6")),
    ),
    "a ship-to that has no table": Case(
        lambda g: None,
        "Dock 9",
        r'ship_to\."Dock 9"\] write name = "…"',
        order=replace(BARE, ship_to="Dock 9"),
    ),
    "a rule between two elements": Case(
        lambda g: heading(g)["properties"][BEG].update(
            properties={**heading(g)["properties"][BEG]["properties"], "acknowledgment_type_07": code("AD")},
            dependentRequired={"date_05": ["acknowledgment_type_07"]},
        ),
        "acknowledgment_type_07",
        r'write acknowledgment_type = "A',
        order=BARE,
        supplier=lambda g: heading(g)["properties"][BEG]["properties"].update(acknowledgment_type_07=text(2, 2)),
    ),
    "an order number in another form": Case(
        lambda g: heading(g)["properties"][BEG]["properties"].update(
            purchase_order_number_03={"type": "string", "pattern": "^[0-9]+$"}
        ),
        r"BEG03 PO-1001: .*\[0-9\]",
        "order number in Plex",
        plex=lambda o: replace(o, number="1001"),
    ),
    # Parties.
    "the ship-to of an order that has none": Case(
        _party_wants("ST"),
        "requires it",
        "Set the ship-to of the order in Plex",
        order=ORDERS["no-ship-to"],
        plex=lambda o: replace(o, ship_to="Plant 1"),
    ),
    "a street of the ship-to": Case(
        _address_wants("ST", "address_information_N3", "address_information_01"),
        "requires it",
        r'ship_to\."Plant 2"\] write street = "…"',
        order=replace(BARE, ship_to="Plant 2"),
    ),
    "a city of the ship-to": Case(
        _address_wants("ST", "geographic_location_N4", "city_name_01"),
        "requires it",
        r'ship_to\."Plant 2"\] write city = "…"',
        order=replace(BARE, ship_to="Plant 2"),
    ),
    "a DUNS number of ours": Case(
        _party_wants("BY", identification_code_qualifier_03=code("1"), identification_code_04=text(2, 80)),
        "requires it",
        r'\[company\] write duns = "…"',
    ),
    "a code of ours at the supplier that it gave itself": Case(
        _party_wants("ST", identification_code_qualifier_03=code("91"), identification_code_04=text(2, 80)),
        "91",
        "ask the supplier to accept one of them",
        supplier=lambda g: heading(g)["properties"][f"{_N1}_own"]["items"]["properties"]["name_N1"][
            "properties"
        ].update(identification_code_qualifier_03=code("92")),
    ),
    "our account at the supplier": Case(
        _party_wants("SU", identification_code_qualifier_03=code("92"), identification_code_04=text(2, 80)),
        "requires it",
        r'ACME01\] write supplier_account = "…"',
        settings={"supplier_account": None},
    ),
    "a party that PlexStedi does not send": Case(
        _party_wants("SF"),
        "SF",
        "PlexStedi sends the parties",
        supplier=lambda g: relax(heading(g), f"{_N1}_own"),
    ),
    # Notes, descriptions and what no order has.
    "a description that Plex does not have": Case(
        lambda g: require(loop(g), "product_item_description_PID_loop"),
        "requires it",
        "Set the description",
        order=order(line(10, release(1, "3", "11-20"))),
        plex=lambda o: changed(o, description="WIDGET"),
    ),
    "a note on every line": Case(
        lambda g: require(loop(g), "reference_identification_N9_loop"),
        "requires it",
        "Write a note on the line in Plex",
        order=BARE,
        plex=lambda o: changed(o, note="Handle with care"),
    ),
    "an allowance changes with the order": Case(
        add_heading(
            "service_promotion_allowance_or_charge_information_SAC_loop",
            many(obj(service_promotion_allowance_or_charge_information_SAC_R=obj(amount_05_R=number()))),
        ),
        "requires it",
        "changes from order to order",
        supplier=lambda g: relax(heading(g), "service_promotion_allowance_or_charge_information_SAC_loop"),
    ),
    "more lines than the guide takes": Case(
        lambda g: g["properties"]["detail"]["properties"][LINES].update(maxItems=1),
        "allows 1 of",
        "Split the order in Plex",
        plex=lambda o: replace(o, lines=o.lines[:1]),
    ),
    "more schedules than the guide takes": Case(
        lambda g: loop(g)["properties"]["line_item_schedule_SCH_loop"].update(maxItems=2),
        "allows 2 of",
        r'schedule = "lines"',
        order=ORDERS["three-releases"],
    ),
    "no place for the unit": Case(
        _without_unit,
        "no place",
        "Ask the supplier for PO103",
        supplier=lambda g: po1(g)["properties"].update(unit_or_basis_for_measurement_code_03=text(2, 2)),
    ),
    "an order type of its own": Case(
        lambda g: heading(g)["properties"][BEG]["properties"].update(purchase_order_type_code_02=code("DS", "SS")),
        "DS, SS",
        r'po_type\] write standard = "DS"',
        order=BARE,
    ),
    "a key that names no segment": Case(
        lambda g: require(heading(g), "own_things", text()),
        "own_things",
        "optional",
        order=BARE,
        supplier=lambda g: relax(heading(g), "own_things"),
    ),
}


def _change(schema: Schema) -> Schema:
    found: Schema = loop(schema, "line_item_change_POC_loop")["properties"]["line_item_change_POC"]
    return found


@dataclass(frozen=True)
class ChangeCase:
    """An 860 guide that holds a change."""

    guide: Callable[[Schema], None]
    says: str
    advises: str
    change: str = "quantity-up"
    settings: dict[str, Any] = field(default_factory=dict)
    supplier: Callable[[Schema], None] | None = None


CHANGE_CASES: dict[str, ChangeCase] = {
    "a code that only the settings leave out": ChangeCase(
        lambda g: None,
        "PC.*QI, QD",
        r'change_codes = \["QI", "QD", "PC"\]',
        change="price",
        settings={"change_codes": ["QI", "QD"]},
    ),
    "a code of changes that the guide does not accept": ChangeCase(
        lambda g: _change(g)["properties"].update(change_or_response_type_code_02=code("AI", "DI")),
        "QI.*AI, DI",
        r'ACME01\] write change_orders = "replace"',
    ),
    "a sequence of another form": ChangeCase(
        lambda g: (
            heading(g)["properties"]["beginning_segment_for_purchase_order_change_BCH"]["properties"].update(
                change_order_sequence_number_05={"type": "string", "pattern": "^[A-Z]+$"}
            )
            or heading(g)["properties"]["beginning_segment_for_purchase_order_change_BCH"]["required"].append(
                "change_order_sequence_number_05"
            )
        ),
        "BCH05 1",
        "ask the supplier",
        supplier=lambda g: heading(g)["properties"]["beginning_segment_for_purchase_order_change_BCH"][
            "properties"
        ].update(change_order_sequence_number_05=text(1, 8)),
    ),
    "a unit of a change": ChangeCase(
        lambda g: _change(g)["properties"]["composite_unit_of_measure_05"]["properties"].update(
            unit_or_basis_for_measurement_code_01=code("PC")
        ),
        "unit EA is not accepted: PC",
        r'units\] write Ea = \{unit = "PC", factor = "…"\}',
    ),
    "an order type of changes": ChangeCase(
        lambda g: heading(g)["properties"]["beginning_segment_for_purchase_order_change_BCH"]["properties"].update(
            purchase_order_type_code_02=code("ZZ")
        ),
        "ZZ",
        r'ACME01\.860\.po_type\] write standard = "ZZ"',
    ),
    "a date under another word": ChangeCase(
        lambda g: loop(g, "line_item_change_POC_loop")["properties"]["line_item_schedule_SCH_loop"]["items"][
            "properties"
        ]["line_item_schedule_SCH"]["properties"].update(date_time_qualifier_05=code("010", "074")),
        "2026-12-04",
        r'ACME01\.860\] write due_qualifier = "010"',
    ),
}
