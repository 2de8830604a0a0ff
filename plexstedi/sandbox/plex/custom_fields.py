"""Custom fields and identity mappings of the simulated tenant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from plexstedi.decimal_json import Json
from plexstedi.sandbox.plex.store import Place, PlexStore

MAX_RECORDS = 5000


class CustomFieldError(ValueError):
    """A request names an unknown object, record or field, or a value of the wrong type."""


class FieldDefinition(Struct, frozen=True):
    object: str
    name: str
    type: str
    label: str
    max_length: int | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "standardObjectName": self.object,
            "fieldTypeName": self.type,
            "fieldName": self.name,
            "fieldLabel": self.label,
            "description": None,
            "constraints": f"maximumLength={self.max_length}" if self.max_length else None,
        }


class StandardObject(Struct, frozen=True):
    name: str
    label: str
    table: str
    keys: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "standardObjectName": self.name,
            "standardObjectLabel": self.label,
            "tableName": self.table,
            "recordIdentifiers": {"keyCount": len(self.keys), "keys": list(self.keys)},
        }


ORDER = StandardObject("PurchaseOrder", "Purchase Order", "Purchasing_v_PO", ("PO_Key",))
LINE = StandardObject(
    "PurchaseOrderLineItem", "Purchase Order Line Item", "Purchasing_v_Line_Item", ("PO_Key", "Line_Item_Key")
)
RELEASE = StandardObject(
    "PurchaseOrderRelease", "Purchase Order Release", "Purchasing_v_Release", ("Line_Item_Key", "Release_No")
)
OBJECTS = (
    StandardObject("Customer", "Customer", "Common_v_Customer", ("Customer_No",)),
    StandardObject("Part", "Part", "Part_v_Part", ("Part_Key",)),
    ORDER,
    LINE,
    RELEASE,
    StandardObject("SalesOrderRelease", "Sales Order Release", "Sales_v_Release", ("Release_Key",)),
    StandardObject("Supplier", "Supplier", "Common_v_Supplier", ("Supplier_No",)),
)


def _line_fields(owner: StandardObject) -> tuple[FieldDefinition, ...]:
    return (
        FieldDefinition(owner.name, "EDI_Confirmed_Qty", "Decimal", "Confirmed quantity"),
        FieldDefinition(owner.name, "EDI_Confirmed_Ship_Date", "Date", "Confirmed ship date"),
        FieldDefinition(owner.name, "EDI_Confirmed_Delivery_Date", "Date", "Confirmed delivery date"),
    )


FIELDS = (
    FieldDefinition(ORDER.name, "EDI_Ack_Code", "Text", "Acknowledgment code", 20),
    FieldDefinition(ORDER.name, "EDI_Ack_Status", "Text", "Acknowledgment status", 50),
    FieldDefinition(ORDER.name, "EDI_Ack_Reference", "Text", "Acknowledgment reference", 100),
    FieldDefinition(ORDER.name, "EDI_Acknowledged_At", "DateTime", "Acknowledged at"),
    FieldDefinition(ORDER.name, "EDI_Supplier_Reference", "Text", "Supplier's order number", 50),
    *_line_fields(LINE),
    *_line_fields(RELEASE),
    FieldDefinition("Part", "Drawing_Reviewed", "Boolean", "Drawing reviewed"),
)


def standard_object(name: Json) -> StandardObject:
    """The object of that name. Raise CustomFieldError."""
    for each in OBJECTS:
        if each.name == name:
            return each
    raise CustomFieldError(f"The standard object '{name}' does not exist.")


def identifiers(thing: StandardObject, place: Place) -> dict[str, Json]:
    """The integer keys of a record by the key names of its object."""
    keys: dict[str, Json] = {"PO_Key": place.order.key}
    if place.line is not None:
        keys["Line_Item_Key"] = place.line.key
    if place.release is not None:
        keys["Release_No"] = place.release.number
    return {name: keys[name] for name in thing.keys if name in keys}


def _records(store: PlexStore, thing: StandardObject) -> list[tuple[str, Place]]:
    depth = {ORDER: (False, False), LINE: (True, False), RELEASE: (True, True)}.get(thing)
    return [
        (record_id, place)
        for record_id, place in store.places.items()
        if (place.line is not None, place.release is not None) == depth
    ]


class KeyIndex(Struct):
    """An index of one object's records by key, built once per request."""

    by_keys: dict[tuple[Json, ...], str]

    @classmethod
    def of(cls, store: PlexStore, thing: StandardObject) -> KeyIndex:
        return cls({tuple(identifiers(thing, place).values()): rid for rid, place in _records(store, thing)})


class Save(Struct, frozen=True):
    """One validated record of a save request."""

    object: str
    record_id: str
    values: Mapping[str, Json]


def parse_saves(store: PlexStore, body: Json) -> list[Save]:
    """Parse a save or validate request. Raise CustomFieldError if any part is invalid; nothing is saved then."""
    if not isinstance(body, list):
        raise CustomFieldError("The request body must be an array of records.")
    if len(body) > MAX_RECORDS:
        raise CustomFieldError(f"{len(body)} records exceed the limit of {MAX_RECORDS} per transaction.")
    indexes: dict[str, KeyIndex] = {}
    return [_parse_save(store, entry, indexes) for entry in body]


def _parse_save(store: PlexStore, entry: Json, indexes: dict[str, KeyIndex]) -> Save:
    if not isinstance(entry, Mapping):
        raise CustomFieldError("Each record must be an object.")
    thing = standard_object(entry.get("standardObjectName"))
    keys, values = entry.get("recordIdentifiers"), entry.get("customFields")
    if not isinstance(keys, Mapping) or set(keys) != set(thing.keys):
        raise CustomFieldError(f"recordIdentifiers of {thing.name} must have exactly {', '.join(thing.keys)}.")
    if any(isinstance(value, bool) or not isinstance(value, int) for value in keys.values()):
        raise CustomFieldError("Record identifiers must be integers.")
    if not isinstance(values, Mapping) or not values:
        raise CustomFieldError("customFields must name at least one field.")
    if thing.name not in indexes:
        indexes[thing.name] = KeyIndex.of(store, thing)
    index = indexes[thing.name]
    record_id = index.by_keys.get(tuple(keys[name] for name in thing.keys))
    if record_id is None:
        raise CustomFieldError(f"No {thing.name} has the identifiers {dict(keys)}.")
    return Save(thing.name, record_id, check_values(thing.name, values))


def check_values(object_name: str, values: Mapping[str, Json]) -> dict[str, Json]:
    """The values, if every field exists on the object and accepts its value. Raise CustomFieldError otherwise."""
    known = {each.name: each for each in FIELDS if each.object == object_name}
    for name, value in values.items():
        definition = known.get(name)
        if definition is None:
            raise CustomFieldError(f"The field '{name}' is not defined on {object_name}.")
        if value is not None and not _fits(value, definition):
            raise CustomFieldError(f"The value of '{name}' is not a valid {definition.type}.")
    return dict(values)


_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_MOMENT = _DAY + r"T\d{2}:\d{2}(:\d{2}(\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})?"


def _fits(value: Json, definition: FieldDefinition) -> bool:
    if definition.type == "Decimal":
        if isinstance(value, str):
            try:
                return Decimal(value).is_finite()
            except InvalidOperation:
                return False
        return isinstance(value, int | Decimal) and not isinstance(value, bool)
    if definition.type == "Boolean":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if definition.type == "Date":
        return re.fullmatch(_DAY, value) is not None or re.fullmatch(_MOMENT, value) is not None
    if definition.type == "DateTime":
        return re.fullmatch(_MOMENT, value) is not None
    return definition.max_length is None or len(value) <= definition.max_length


def search(store: PlexStore, body: Json) -> list[Json]:
    """Matching records that have custom field values. Raise CustomFieldError."""
    if not isinstance(body, Mapping):
        raise CustomFieldError("The request body must be an object.")
    thing = standard_object(body.get("standardObjectName"))
    wanted, filters = body.get("recordIdentifiers"), body.get("fieldValueSearchFilters")
    candidates: list[str]
    if isinstance(wanted, list):
        candidates = _wanted_records(store, thing, wanted)
    else:
        candidates = [record_id for name, record_id in store.custom if name == thing.name]
    rows: list[Json] = []
    for record_id in candidates:
        values = store.custom_of(thing.name, record_id)
        if record_id in store.places and values and _matches(values, thing, filters):
            keys = identifiers(thing, store.places[record_id])
            rows.append({"standardObjectName": thing.name, "recordIdentifiers": keys, "customFields": dict(values)})
    return rows[:MAX_RECORDS]


def _wanted_records(store: PlexStore, thing: StandardObject, wanted: Sequence[Json]) -> list[str]:
    index = KeyIndex.of(store, thing)
    found = []
    for keys in wanted:
        if not isinstance(keys, Mapping) or not set(keys) <= set(thing.keys):
            raise CustomFieldError(f"recordIdentifiers of {thing.name} are made of {', '.join(thing.keys)}.")
        if set(keys) == set(thing.keys):
            record_id = index.by_keys.get(tuple(keys[name] for name in thing.keys))
            found.extend([record_id] if record_id is not None else [])
        else:
            found.extend(
                record_id
                for record_id, place in _records(store, thing)
                if keys.items() <= identifiers(thing, place).items()
            )
    return found


def _matches(values: Mapping[str, Json], thing: StandardObject, filters: Json) -> bool:
    if not isinstance(filters, list):
        return True
    for each in filters:
        if not isinstance(each, Mapping):
            raise CustomFieldError("A search filter must be an object.")
        name, operation, operand = each.get("fieldName"), each.get("operation"), each.get("operand")
        if not any(field.name == name and field.object == thing.name for field in FIELDS):
            raise CustomFieldError(f"The field '{name}' is not defined on {thing.name}.")
        if not _compare(values.get(str(name)), str(operation).lower(), operand):
            return False
    return True


def _compare(value: Json, operation: str, operand: Json) -> bool:
    if operation == "isnull":
        return value is None
    if value is None:
        return False
    if operation == "startswith":
        return str(value).startswith(str(operand))
    left: Decimal | str = str(value)
    right: Decimal | str = str(operand)
    if isinstance(value, int | Decimal) and isinstance(operand, int | Decimal):
        left, right = Decimal(value), Decimal(operand)
    order = (left > right) - (left < right)  # type: ignore[operator]
    results = {"=": order == 0, ">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}
    if operation not in results:
        raise CustomFieldError(f"The operation '{operation}' is not allowed.")
    return results[operation]


def ids_to_keys(store: PlexStore, body: Json) -> dict[str, Json]:
    """Integer keys of records by UUID. Unknown ids are omitted, and the sequence differs from the request's."""
    if not isinstance(body, Mapping) or not isinstance(body.get("ids"), list):
        raise CustomFieldError("ids must be an array.")
    thing, ids = standard_object(body.get("standardObjectName")), body["ids"]
    assert isinstance(ids, list)
    known = dict(_records(store, thing))
    if len(ids) > MAX_RECORDS:
        raise CustomFieldError(f"At most {MAX_RECORDS} ids may be asked for.")
    rows: list[Json] = [
        {"id": each, **identifiers(thing, known[each])}
        for each in sorted({each for each in ids if isinstance(each, str)})
        if each in known
    ]
    return {"standardObject": {"name": thing.name, "keys": list(thing.keys)}, "recordIdentifiers": rows}


def keys_to_ids(store: PlexStore, body: Json) -> dict[str, Json]:
    """UUIDs of records by integer keys. Unknown keys are omitted."""
    if not isinstance(body, Mapping) or not isinstance(body.get("recordIdentifiers"), list):
        raise CustomFieldError("recordIdentifiers must be an array.")
    thing, wanted = standard_object(body.get("standardObjectName")), body["recordIdentifiers"]
    assert isinstance(wanted, list)
    rows: list[Json] = [
        {"id": record_id, **identifiers(thing, store.places[record_id])}
        for record_id in sorted(_wanted_records(store, thing, wanted))
    ]
    return {"standardObject": {"name": thing.name, "keys": list(thing.keys)}, "recordIdentifiers": rows}
