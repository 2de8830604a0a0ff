"""Reasons, with fixes, for segments that a guide does not accept and for segments that it requires."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from plexstedi.edi.guide.context import Context
from plexstedi.edi.guide.hints import (
    advice_for_contradiction,
    advice_for_misfit,
    advice_for_missing,
    no_place_advice,
)
from plexstedi.edi.guide.model import Child, Shape
from plexstedi.edi.guide.segment import Missing, NoFit, Unfit
from plexstedi.edi.reasons import Reason
from plexstedi.edi.x12.limits import beyond_limit
from plexstedi.edi.x12.transaction import Loop, Node, Segment


def refusal(node: Node, child: Child, failure: NoFit, context: Context, where: str) -> list[Reason]:
    """All reasons why a segment does not fit the best matching child."""
    head = node.head if isinstance(node, Loop) else node
    inner = replace(context.into(child, node), where=where)
    opening = next((c for shape in child.shapes for c in shape.children if c.id == node.id and not c.loop), None)
    if child.loop and opening is not None:
        inner = inner.at(opening.key)
    reasons = [_misfit(unfit, head, inner) for unfit in failure.unfit]
    if failure.other:
        fix = "Ask the supplier to make it optional in the guide, or give it a default there"
        reasons.append(Reason(code="guide-misfit", where=where, message=failure.other, fix=fix))
    reasons += [requirement((missing,), node.id, inner, head, failure.placed) for missing in failure.missing]
    return reasons


def _misfit(unfit: Unfit, head: Segment, context: Context) -> Reason:
    beyond = beyond_limit(head, unfit.position, context.release, context.where)
    if beyond is not None:
        return beyond
    need = context.need(head.id, unfit.position, unfit.codes, head)
    where = f"{head.id}{unfit.position:02d}"
    fix = (
        no_place_advice(where, context.sources)
        if unfit.no_place
        else advice_for_misfit(need, unfit.value, context.sources)
    )
    message = f"the guide does not accept {unfit.message}"
    return Reason(code="guide-misfit", where=context.where, message=message, fix=fix)


def contradiction(child: Child, node: Node, ours: str, context: Context) -> Reason:
    """Reason: the order has `ours`, but the constants of the guide only allow `node`."""
    theirs = node.head if isinstance(node, Loop) else node
    value = theirs.text({"CUR": 2, "TD5": 5}.get(child.id, 1)) or ""
    return Reason(
        code="guide-contradicts",
        where=f"{context.path}.{child.key}",
        message=f"{context.where}: the order says {ours}, the guide only accepts {segment_text(theirs)}",
        fix=advice_for_contradiction(context.need(child.id, 0, None), value, context.sources),
    )


def missing_segment(child: Child, shape: Shape, failed: NoFit, context: Context) -> Reason:
    """One reason for a required segment without any of our data, with all that it needs."""
    missing = failed.missing or (Missing("", 0, child.description, None),)
    first = missing[0]
    if not first.description:
        first = replace(first, description=child.description)
    qualifier = shape.slot({"REF": 1, "N1": 1, "DTM": 1, "SCH": 5}.get(child.id, 0))
    if qualifier is not None:
        first = replace(first, codes=None, under=qualifier.codes or ())
    position = _MAIN_ELEMENT.get(child.id, first.position)
    if any(each.position == position for each in missing):
        first = replace(first, position=position)
    return requirement((first, *missing[1:]), child.id, context, None)


_MAIN_ELEMENT = {"REF": 2, "DTM": 2, "TD5": 5, "CUR": 2, "FOB": 1, "PID": 5, "ITD": 1, "SCH": 6}
"""Main element of a segment: with it the segment would be sent."""


def requirement(
    missing: Sequence[Missing],
    segment_id: str,
    context: Context,
    head: Segment | None,
    placed: frozenset[str] = frozenset(),
) -> Reason:
    """Reason for missing elements that the guide requires here; `head` is our segment, if there is one."""
    first = missing[0]
    path = f"{context.path}.{first.key}" if first.key else context.path
    described = f' ("{first.description[:160]}")' if first.description else ""
    codes = f", one of {', '.join(first.codes[:12])}" if first.codes else ""
    codes += f", under {', '.join(first.under[:12])}" if first.under else ""
    also = [each.key for each in missing[1:] if each.key]
    more = f" with {', '.join(also)}" if also else ""
    need = replace(context.need(segment_id, first.position, first.codes or first.under, head), placed=placed)
    return Reason(
        code="guide-wants",
        where=path,
        message=(
            f"{context.where}: the guide requires it{codes}{described}{more}, and neither the order nor the "
            "settings provide it"
        ),
        fix=advice_for_missing(need, context.sources),
    )


def segment_text(segment: Segment) -> str:
    """A segment as text for messages."""
    texts = [segment.text(position) or "" for position in range(1, len(segment.elements) + 1)]
    return "*".join((segment.id, *texts))
