"""Place segments and loops in a guide: choose variants, fill required children, drop or hold the rest."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from plexstedi.edi.guide.base_names import GuideJson
from plexstedi.edi.guide.context import Context
from plexstedi.edi.guide.hints import no_place_advice
from plexstedi.edi.guide.model import Child, Shape
from plexstedi.edi.guide.refusals import contradiction, missing_segment, refusal, requirement, segment_text
from plexstedi.edi.guide.segment import BoundSegment, Missing, NoFit, bind_segment, constants_alone
from plexstedi.edi.reasons import Dropped, Reason
from plexstedi.edi.x12.transaction import Loop, Node, Segment, line_label

_TERMS = ("CUR", "FOB", "ITD", "TD5")
"""Segments that apply to the whole order: a constant of the guide with other content would contradict the order."""


class BoundNode(Struct):
    """A bound segment or loop, with dropped values and reasons for missing ones."""

    json: dict[str, GuideJson]
    node: Node
    dropped: list[Dropped] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    choice: int = 10_000


class BoundChildren(Struct):
    """Bound children of a section or loop, in the order of the schema."""

    json: dict[str, GuideJson] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Ids of held segments: an empty required child of the same id is not reported again."""
    unplaced: list[Node] = field(default_factory=list)
    """Nodes that hold the document; their texts and lengths are checked like the others."""
    dropped_values: dict[str, str] = field(default_factory=dict)
    """Texts of dropped segments by id: a constant of the guide must not replace them."""
    lacking: dict[str, tuple[Node, Child, NoFit]] = field(default_factory=dict)
    """Segments dropped because the guide requires more elements in them, by best matching child."""


def bind_children(nodes: Sequence[Node], shape: Shape, context: Context) -> BoundChildren:
    """Bind each node to the best matching child, then fill what the guide requires."""
    result = BoundChildren()
    taken: dict[str, list[BoundNode]] = {child.key: [] for child in shape.children}
    for node in nodes:
        _place(node, shape, taken, context, result)
    for child in shape.children:
        bound = taken[child.key]
        if child.required or bound:
            _complete(child, bound, context, result)
        if not bound:
            continue
        result.json[child.key] = [b.json for b in bound] if child.array else bound[0].json
        for one in bound:
            result.nodes.append(one.node)
            result.dropped += one.dropped
            result.reasons += one.reasons
    for key in shape.unknown_required:
        result.reasons.append(
            Reason(
                code="guide-key-unknown",
                where=f"{context.path}.{key}",
                message=f"{context.where}: the guide requires {key}, which is not a known segment",
                fix="Make it optional in the guide, or give it a default",
            )
        )
    return result


def _place(
    node: Node, shape: Shape, taken: dict[str, list[BoundNode]], context: Context, result: BoundChildren
) -> None:
    best: tuple[tuple[int, int, int, int], Child, BoundNode] | None = None
    failures: list[tuple[Child, NoFit]] = []
    full: Child | None = None
    for order, child in shape.children_of(node.id):
        if child.most is not None and len(taken[child.key]) >= child.most:
            full = child
            continue
        for candidate in child.shapes:
            outcome = _bind_node(node, child, candidate, context)
            if isinstance(outcome, NoFit):
                failures.append((child, outcome))
                continue
            rank = (len(outcome.reasons), len(outcome.dropped), outcome.choice, order)
            if best is None or rank < best[0]:
                best = (rank, child, outcome)
    if best is not None:
        taken[best[1].key].append(best[2])
        return
    _no_place(node, context, failures, full, result)


def _no_place(
    node: Node, context: Context, failures: Sequence[tuple[Child, NoFit]], full: Child | None, result: BoundChildren
) -> None:
    where = (line_label(node) if isinstance(node, Loop) else None) or context.where
    head = node.head if isinstance(node, Loop) else node
    vital = context.must_place(node)
    meant = sorted((f for f in failures if not f[1].variant), key=lambda failure: failure[1].size)
    # A value that does not fit holds the document. A merely incomplete optional segment is dropped.
    if meant and (vital or meant[0][1].unfit or meant[0][1].other):
        child, failure = meant[0]
        result.refused.add(node.id)
        result.unplaced.append(node)
        result.reasons += refusal(node, child, failure, context, where)
        return
    if full is not None:
        why = f"the guide allows {full.most} of {full.key}"
    elif failures:
        why = failures[0][1].message
    else:
        why = "the guide has no place for it"
    if vital:
        result.refused.add(node.id)
        result.unplaced.append(node)
        fix = no_place_advice(node.id, context.sources, full=full is not None)
        message = f"{segment_text(head)} has no place: {why}"
        result.reasons.append(Reason(code="guide-no-place", where=where, message=message, fix=fix))
        return
    if meant:
        result.lacking[meant[0][0].key] = (node, *meant[0])
    result.dropped.append(Dropped(where=where, fact=node.id, value=segment_text(head), why=why))
    result.dropped_values.setdefault(node.id, segment_text(head))


def _bind_node(node: Node, child: Child, shape: Shape, context: Context) -> BoundNode | NoFit:
    if not child.loop:
        head = node.head if isinstance(node, Loop) else node
        bound = bind_segment(head, shape)
        if isinstance(bound, NoFit):
            return bound
        rest = node.children[1:] if isinstance(node, Loop) else ()
        if not rest and not bound.lost:
            return BoundNode(bound.json, bound.segment, choice=bound.choice)
        inner = context.into(child, node)
        dropped = [*_lost(head, bound, inner), *(_whole(item, inner) for item in rest)]
        held = [_unplaced(item, inner) for item in rest if inner.must_place(item)]
        return BoundNode(bound.json, bound.segment, dropped, held, bound.choice)
    loop = node if isinstance(node, Loop) else Loop(node.id, (node,))
    return _bind_loop(loop, child, shape, context)


def _bind_loop(loop: Loop, child: Child, shape: Shape, outside: Context) -> BoundNode | NoFit:
    opening, others = shape.opened_by(loop.id)
    if opening is None:
        return NoFit(False, other=f"{child.key} has no segment {loop.id}")
    heads = [bind_segment(loop.head, head) for head in opening.shapes]
    fitting = [head for head in heads if isinstance(head, BoundSegment)]
    if not fitting:
        failed = sorted((h for h in heads if isinstance(h, NoFit)), key=lambda h: (h.variant, h.size))
        return failed[0] if failed else NoFit(False, other=f"{opening.key} accepts no value")
    head = fitting[0] if len(fitting) == 1 else min(fitting, key=lambda h: (len(h.lost), h.choice))
    following = loop.children[1:]
    if not following and not others.demands and not head.lost:
        alone: dict[str, GuideJson] = {opening.key: [head.json] if opening.array else head.json}
        return BoundNode(alone, Loop(loop.id, (head.segment,)), choice=head.choice)
    context = outside.into(child, loop)
    rest = bind_children(following, others, context)
    json: dict[str, GuideJson] = {}
    for entry in shape.children:
        if entry is opening:
            json[entry.key] = [head.json] if entry.array else head.json
        elif entry.key in rest.json:
            json[entry.key] = rest.json[entry.key]
    bound = Loop(loop.id, (head.segment, *rest.nodes, *rest.unplaced))
    return BoundNode(json, bound, [*_lost(loop.head, head, context), *rest.dropped], rest.reasons, head.choice)


def _complete(child: Child, bound: list[BoundNode], context: Context, result: BoundChildren) -> None:
    """Fill an empty required child from constants of the guide, or add the reason for what is missing."""
    least = max(child.least, 1) if child.required else (child.least if bound else 0)
    while len(bound) < least and child.id not in result.refused:
        lacking = result.lacking.get(child.key)
        made: BoundNode | list[Reason]
        if lacking is not None:
            # Our data for this child was dropped as incomplete: constants of the guide would state less than we have.
            node, _, failure = lacking
            made = refusal(node, child, failure, context, context.where)
        else:
            made = _from_constants(child, context, tried=child.id in result.dropped_values)
            if isinstance(made, BoundNode) and child.id in _TERMS and child.id in result.dropped_values:
                made = [contradiction(child, made.node, result.dropped_values[child.id], context)]
        if isinstance(made, BoundNode):
            bound.append(made)
            continue
        result.reasons += made
        return


def _from_constants(child: Child, context: Context, *, tried: bool) -> BoundNode | list[Reason]:
    first: Reason | None = None
    inner = context.into(child)
    for shape in child.shapes:
        made = _made(child, shape, inner)
        if isinstance(made, BoundNode):
            return made
        first = first or made
    if first is not None:
        return [first]
    return [requirement((Missing(child.key, 0, child.description, None),), child.id, context, None)]


def _made(child: Child, shape: Shape, context: Context) -> BoundNode | Reason:
    """The child from constants of the guide alone, or a reason for what it lacks."""
    if not child.loop:
        made = constants_alone(child.id, shape)
        if isinstance(made, BoundSegment) and made.json:
            return BoundNode(made.json, made.segment)
        return missing_segment(child, shape, made if isinstance(made, NoFit) else NoFit(False), context)
    opening, _ = shape.opened_by(child.id)
    role = _only_code(opening) if child.id == "N1" else None
    deeper = replace(context, role=role or context.role)
    head = [constants_alone(child.id, shape) for shape in (() if opening is None else opening.shapes)]
    if opening is not None and head and all(isinstance(made, NoFit) for made in head):
        failed = next(made for made in head if isinstance(made, NoFit))
        return missing_segment(opening, opening.shapes[0], failed, deeper.at(opening.key))
    inside = bind_children((), shape, deeper)
    if inside.reasons:
        return inside.reasons[0]
    if not inside.nodes or opening is None or opening.key not in inside.json:
        return requirement((Missing("", 0, child.description, None),), child.id, deeper, None)
    return BoundNode(inside.json, Loop(child.id, tuple(inside.nodes)))


def _only_code(opening: Child | None) -> str | None:
    slots = [] if opening is None else [slot for head in opening.shapes if (slot := head.slot(1))]
    codes = slots[0].codes if slots else None
    return codes[0] if codes else None


def _lost(head: Segment, bound: BoundSegment, context: Context) -> list[Dropped]:
    return [
        Dropped(where=context.where, fact=f"{head.id}{lost.position:02d}", value=lost.value, why=lost.why)
        for lost in bound.lost
    ]


def _whole(node: Node, context: Context) -> Dropped:
    head = node.head if isinstance(node, Loop) else node
    why = "the guide has no loop for it"
    return Dropped(where=context.where, fact=node.id, value=segment_text(head), why=why)


def _unplaced(node: Node, context: Context) -> Reason:
    head = node.head if isinstance(node, Loop) else node
    return Reason(
        code="guide-no-place",
        where=context.where,
        message=f"{segment_text(head)} has no place: the guide has no loop for it",
        fix=no_place_advice(node.id, context.sources, full=False),
    )
