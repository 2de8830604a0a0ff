"""Guide schemas in a few words: `key!` is required, everything else of an object is refused."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(least: int = 1, most: int = 80, **more: Any) -> Schema:
    """Free text or an identifier."""
    return {"type": "string", "minLength": least, "maxLength": most, **more}


def code(*values: str, **more: Any) -> Schema:
    """A code list."""
    return {"type": "string", "enum": list(values), **more}


def number(**more: Any) -> Schema:
    """A decimal number."""
    return {"type": "number", **more}


def whole(**more: Any) -> Schema:
    """A whole number."""
    return {"type": "integer", **more}


def day() -> Schema:
    """A date."""
    return {"type": "string", "format": "date"}


def obj(described: str = "", /, **properties: Any) -> Schema:
    """An object of these properties; a name that ends in `_R` is required without that ending."""
    required = [name.removesuffix("_R") for name in properties if name.endswith("_R")]
    made: Schema = {
        "type": "object",
        "properties": {name.removesuffix("_R"): schema for name, schema in properties.items()},
        "additionalProperties": False,
    }
    if required:
        made["required"] = required
    if described:
        made["description"] = described
    return made


def many(item: Schema, most: int | None = None, least: int = 1) -> Schema:
    """A list."""
    made: Schema = {"type": "array", "items": item, "minItems": least}
    return made if most is None else {**made, "maxItems": most}


def st(set_id: str) -> Schema:
    """The ST segment."""
    return obj(
        transaction_set_identifier_code_01={"type": "string", "enum": [set_id], "default": set_id},
        transaction_set_control_number_02_R=whole(minimum=1, maximum=999999999),
    )


def pairs(first: int, *codes: tuple[str, ...], most: int = 48, required: int = 0) -> Schema:
    """Product id pairs from this position on, the first `required` of them required."""
    made: Schema = {}
    for index, listed in enumerate(codes):
        end = "_R" if index < required else ""
        at = first + 2 * index
        made[f"product_service_id_qualifier_{at:02d}{end}"] = code(*listed)
        made[f"product_service_id_{at + 1:02d}{end}"] = text(1, most, description="Identifying number of the product")
    return made


def beg(
    types: tuple[str, ...] = ("SA", "NE", "BK", "RL"), purposes: tuple[str, ...] = ("00", "05"), **more: Any
) -> Schema:
    """BEG with these purposes and order types."""
    return obj(
        transaction_set_purpose_code_01_R=code(*purposes),
        purchase_order_type_code_02_R=code(*types),
        purchase_order_number_03_R=text(1, 22),
        release_number_04=text(1, 30),
        date_05_R=day(),
        **more,
    )


def bch(**more: Any) -> Schema:
    """BCH."""
    return obj(
        transaction_set_purpose_code_01_R=code("01", "04"),
        purchase_order_type_code_02_R=code("SA", "BK", "RL"),
        purchase_order_number_03_R=text(1, 22),
        release_number_04=text(1, 30),
        change_order_sequence_number_05=text(1, 8),
        date_06_R=day(),
        date_11=day(),
        **more,
    )


def n1(prefix: str, roles: tuple[str, ...], n4_list: bool = True, named: bool = True, **more: Any) -> Schema:
    """An N1 loop; `prefix` is the release's name of N1 and N3."""
    n3 = "party_location" if prefix == "party_identification" else "address_information"
    n4 = obj(
        city_name_01=text(2, 30),
        state_or_province_code_02=text(2, 2),
        postal_code_03=text(3, 15),
        country_code_04=text(2, 3),
    )
    return obj(
        **{
            f"{prefix}_N1_R": obj(
                entity_identifier_code_01_R=code(*roles),
                **{"name_02_R" if named else "name_02": text(1, 60)},
                identification_code_qualifier_03=code("92", "1"),
                identification_code_04=text(2, 80),
            ),
            f"{n3}_N3": many(obj(address_information_01_R=text(1, 55), address_information_02=text(1, 55)), 2),
            "geographic_location_N4": many(n4) if n4_list else n4,
            **more,
        }
    )


def ref(*qualifiers: str, key: str = "") -> Schema:
    """A REF with these qualifiers."""
    return obj(
        key,
        reference_identification_qualifier_01_R=code(*qualifiers),
        reference_identification_02_R=text(1, 30),
    )


def pid(most: int = 80) -> Schema:
    """A PID loop."""
    return obj(
        product_item_description_PID_R=obj(item_description_type_01_R=code("F"), description_05_R=text(1, most)),
    )


def sch(*qualifiers: str) -> Schema:
    """An SCH loop."""
    return obj(
        line_item_schedule_SCH_R=obj(
            quantity_01_R=number(),
            unit_or_basis_for_measurement_code_02=text(2, 2),
            date_time_qualifier_05_R=code(*(qualifiers or ("002",))),
            date_06_R=day(),
        )
    )


def dtm(*qualifiers: str) -> Schema:
    """A DTM."""
    return obj(date_time_qualifier_01_R=code(*qualifiers), date_02_R=day())


def ctt(loop: bool = True, amount: str | None = None, hashed: bool = False) -> Schema:
    """The totals, as loop list or plain; `hashed`: the sum of the quantities is required."""
    segment = obj(number_of_line_items_01_R=whole(), **{"hash_total_02_R" if hashed else "hash_total_02": number()})
    if not loop:
        return segment
    more = {} if amount is None else {amount: obj(amount_qualifier_code_01_R=code("TT"), monetary_amount_02_R=number())}
    return many(obj(transaction_totals_CTT_R=segment, **more))


def guide(heading: Schema, detail: Schema | None, summary: Schema | None, **more: Any) -> Schema:
    """A whole guide."""
    sections: Schema = {"heading_R": heading}
    if detail is not None:
        sections["detail_R"] = detail
    if summary is not None:
        sections["summary"] = summary
    return {**obj(**sections), "$schema": "http://json-schema.org/draft-07/schema#", **more}
