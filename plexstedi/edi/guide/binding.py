"""Bind a neutral document to a partner's guide of any structure.

The result is valid against the guide's schema, or held with all reasons. No value is altered, truncated or invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from plexstedi.edi.guide.base_names import GuideJson
from plexstedi.edi.guide.compiled import is_valid_document
from plexstedi.edi.guide.context import Context
from plexstedi.edi.guide.hints import advice_for_missing
from plexstedi.edi.guide.model import ELEMENT_KEY, SEGMENT_KEY, Guide, read_guide
from plexstedi.edi.guide.need import Need, Sources
from plexstedi.edi.guide.placement import BoundChildren, bind_children
from plexstedi.edi.guide.schema import GuideUnreadableError
from plexstedi.edi.guide.validate import faults
from plexstedi.edi.reasons import Dropped, Reason
from plexstedi.edi.x12.sets import SECTIONS, Section
from plexstedi.edi.x12.transaction import Loop, Node, Segment, Transaction

_MOST_REASONS = 50


class Bound(Struct, frozen=True):
    """A document in the form of the guide."""

    json: dict[str, GuideJson]
    transaction: Transaction
    """The same document as X12: without dropped values, with constants and notations of the guide."""
    dropped: tuple[Dropped, ...]


class Unbound(Struct, frozen=True):
    """Reasons why a guide cannot accept a document, and its bindable part, whose texts are checked as well."""

    reasons: tuple[Reason, ...]
    transaction: Transaction


def bind(transaction: Transaction, schema: Mapping[str, Any], sources: Sources) -> Bound | Unbound:
    """Bind a document to the keys, types and order of the guide, and validate it; else reasons with path and fix."""
    try:
        return _bind(transaction, read_guide(schema), sources)
    except GuideUnreadableError as error:
        return Unbound((unreadable(transaction.set_id, error),), transaction)


def unreadable(set_id: str, error: GuideUnreadableError) -> Reason:
    """Reason for a guide whose schema is not supported."""
    return Reason(
        code="guide-unreadable",
        where="order",
        message=f"the guide schema of the {set_id} cannot be used: {error}",
        fix=f"Save the guide's schema again from Stedi (View Schema) as {set_id}.guide_schema",
    )


def _bind(transaction: Transaction, guide: Guide, sources: Sources) -> Bound | Unbound:
    header = Segment("ST", (transaction.set_id, Decimal(1)))
    parts: dict[Section, tuple[Node, ...]] = {
        "heading": (header, *transaction.heading),
        "detail": transaction.detail,
        "summary": transaction.summary,
    }
    vital = _vital_dates(transaction)
    bound: dict[Section, BoundChildren] = {}
    document: dict[str, GuideJson] = {}
    reasons: list[Reason] = []
    for section in SECTIONS:
        nodes = parts[section]
        shape = guide.sections.get(section)
        if shape is None:
            bound[section] = BoundChildren()
            reasons += [_no_section(section, node) for node in nodes if section == "detail"]
            continue
        if not nodes and section not in guide.required:
            bound[section] = BoundChildren()
            continue
        dates = vital.get(section, frozenset())
        context = Context(section, "order", dates, transaction.release, sources)
        if section == "summary" and _wants_trailer(guide):
            before = (*bound.values(), bind_children(nodes, shape, context))
            nodes = (*nodes, _trailer(before))
        bound[section] = bind_children(nodes, shape, context)
        reasons += bound[section].reasons
        if bound[section].json or section in guide.required:
            document[section] = bound[section].json
    dropped = [d for section in SECTIONS for d in bound[section].dropped if d.fact not in ("ST", "SE")]
    if not reasons and not is_valid_document(document, guide.schema, guide.schema):
        reasons = [_fault(fault.path, fault.message, sources) for fault in faults(document, guide.schema)]
    heading, detail, summary = (
        tuple(node for node in (*bound[section].nodes, *bound[section].unplaced) if node.id not in ("ST", "SE"))
        for section in SECTIONS
    )
    sent = Transaction(transaction.set_id, transaction.release, heading, detail, summary)
    if reasons:
        return Unbound(tuple(dict.fromkeys(reasons))[:_MOST_REASONS], sent)
    return Bound(document, sent, tuple(dropped))


def _vital_dates(transaction: Transaction) -> dict[Section, frozenset[str]]:
    """Sections in which DTM carries the due dates, for lack of SCH, and must not be dropped (RULES.md Sending 6)."""
    inner = {child.id for node in transaction.detail if isinstance(node, Loop) for child in node.children}
    if "SCH" in inner:
        return {}
    return {"detail": frozenset({"DTM"})} if "DTM" in inner else {"heading": frozenset({"DTM"})}


def _wants_trailer(guide: Guide) -> bool:
    shape = guide.sections.get("summary")
    return shape is not None and any(child.id == "SE" and child.required for child in shape.children)


def _trailer(before: Sequence[BoundChildren]) -> Segment:
    """SE for a guide that requires it; Stedi recounts the segments (stedi/README.md 8)."""
    counted = sum(_size(node) for children in before for node in children.nodes)
    return Segment("SE", (Decimal(counted + 1), Decimal(1)))


def _size(node: Node) -> int:
    return sum(_size(child) for child in node.children) if isinstance(node, Loop) else 1


def _no_section(section: str, node: Node) -> Reason:
    return Reason(
        code="guide-no-place",
        where="order",
        message=f"the guide has no {section}, {node.id} has no place",
        fix="Save the guide's schema again from Stedi (View Schema)",
    )


def _fault(path: str, message: str, sources: Sources) -> Reason:
    """Reason for a violation that only validation finds, such as a condition between elements."""
    keys = path.split(".")
    segments = [found.group(1) for key in keys if (found := SEGMENT_KEY.search(key.split("[")[0]))]
    element = ELEMENT_KEY.search(keys[-1])
    fix = "Correct the value in Plex or in this supplier's settings, or ask the supplier about this rule of its guide"
    if segments and message.startswith("is required"):
        fix = advice_for_missing(Need(segments[-1], int(element.group(1)) if element else 0), sources)
    return Reason(
        code="guide-invalid",
        where=path or "order",
        message=f"the finished document violates the guide: {path or 'it'} {message}",
        fix=fix,
    )
