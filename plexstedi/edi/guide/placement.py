"""Segments and loops into the children of a guide: variants chosen, required ones filled, the rest dropped or held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from plexstedi.edi.base_names import GuideJson
from plexstedi.edi.guide.hints import hint
from plexstedi.edi.guide.model import Child, Shape
from plexstedi.edi.guide.schema import Schema
from plexstedi.edi.guide.segment import BoundSegment, Missing, NoFit, bind_segment, constants_alone, is_head
from plexstedi.edi.held import Reason
from plexstedi.edi.outbound.dropped import Dropped
from plexstedi.edi.outbound.limits import line_label
from plexstedi.edi.x12 import Loop, Node, Segment

_TERMS = ("CUR", "FOB", "ITD", "TD5")
"""Segments that say one thing about the whole order: another of the same kind would say something else."""


@dataclass(slots=True)
class BoundNode:
    """A segment or loop as the guide has it, with what it lost and what it still lacks."""

    json: dict[str, GuideJson]
    node: Node
    dropped: list[Dropped] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    choice: int = 10_000


@dataclass(slots=True)
class BoundChildren:
    """The children of a section or loop as the guide has them, in the schema's order."""

    json: dict[str, GuideJson] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Segment ids of which one is held already: that their child is empty says nothing new."""
    unsaid: dict[str, str] = field(default_factory=dict)
    """Segments that were dropped, by id: a constant of the guide must not speak in their place."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where we are: the guide's path for messages, the order's place, the party of an N1 loop."""

    root: Schema
    path: str
    where: str
    party: str | None
    vital: frozenset[str]
    """Segments that must find a place here although they are optional elsewhere (DTM without SCH)."""

    def into(self, key: str, where: str | None = None, party: str | None = None) -> Context:
        """One key deeper."""
        return Context(self.root, f"{self.path}.{key}", where or self.where, party or self.party, self.vital)


def bind_children(nodes: Sequence[Node], shape: Shape, context: Context) -> BoundChildren:
    """Every node to the child that takes it best; then what the guide requires and nothing gave."""
    result = BoundChildren()
    taken: dict[str, list[BoundNode]] = {child.key: [] for child in shape.children}
    for node in nodes:
        _place(node, shape, taken, context, result)
    for child in shape.children:
        _complete(child, taken[child.key], context, result)
        bound = taken[child.key]
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
                message=f"{context.where}: the guide requires {key}, which is no segment that we know",
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
    for order, child in enumerate(shape.children):
        if child.id != node.id:
            continue
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
    vital = is_head(node.id) or node.id in context.vital
    unfit = [(child, failure) for child, failure in failures if not failure.variant]
    if unfit and (vital or unfit[0][1].missing is None):
        child, failure = unfit[0]
        result.refused.add(node.id)
        if failure.missing is not None:
            opening = next((c.key for shape in child.shapes for c in shape.children if c.id == node.id), None)
            inner = context.into(child.key if opening is None else f"{child.key}.{opening}")
            result.reasons.append(_wanted(failure.missing, node.id, inner, where, _party(node)))
            return
        result.reasons.append(
            Reason(
                code="guide-misfit",
                where=where,
                message=f"the guide does not take {failure.message}",
                fix="Correct it in Plex or in this supplier's settings, or ask for another guide",
            )
        )
        return
    if full is not None:
        why = f"the guide takes {full.most} of {full.key}"
    elif failures:
        why = failures[0][1].message
    else:
        why = "the guide has no place for it"
    if vital:
        result.refused.add(node.id)
        fix = "Ask the supplier for room in the guide, or split the order in Plex"
        message = f"{_said(head)} has no place: {why}"
        result.reasons.append(Reason(code="guide-no-place", where=where, message=message, fix=fix))
        return
    result.dropped.append(Dropped(where=where, fact=node.id, value=_said(head), why=why))
    result.unsaid.setdefault(node.id, _said(head))


def _bind_node(node: Node, child: Child, shape: Shape, context: Context) -> BoundNode | NoFit:
    inner = context.into(child.key, line_label(node) if isinstance(node, Loop) else None, _party(node))
    if not child.loop:
        head = node.head if isinstance(node, Loop) else node
        bound = bind_segment(head, shape, context.root)
        if isinstance(bound, NoFit):
            return bound
        rest = node.children[1:] if isinstance(node, Loop) else ()
        dropped = [*_lost(head, bound, inner), *(_whole(item, inner) for item in rest)]
        held = [_unplaced(item, inner) for item in rest if is_head(item.id) or item.id in context.vital]
        return BoundNode(bound.json, bound.segment, dropped, held, bound.choice)
    loop = node if isinstance(node, Loop) else Loop(node.id, (node,))
    return _bind_loop(loop, child, shape, inner)


def _bind_loop(loop: Loop, child: Child, shape: Shape, context: Context) -> BoundNode | NoFit:
    opening = next((c for c in shape.children if not c.loop and c.id == loop.id), None)
    if opening is None:
        return NoFit(False, f"{child.key} has no segment {loop.id}")
    heads = [bind_segment(loop.head, head, context.root) for head in opening.shapes]
    fitting = [head for head in heads if isinstance(head, BoundSegment)]
    if not fitting:
        failed = [head for head in heads if isinstance(head, NoFit)]
        return failed[0] if failed else NoFit(False, f"{opening.key} takes nothing")
    head = min(fitting, key=lambda h: (len(h.lost), h.choice))
    others = Shape(
        children=tuple(c for c in shape.children if c is not opening), unknown_required=shape.unknown_required
    )
    rest = bind_children(loop.children[1:], others, context)
    json: dict[str, GuideJson] = {}
    for place in shape.children:
        if place is opening:
            json[place.key] = [head.json] if place.array else head.json
        elif place.key in rest.json:
            json[place.key] = rest.json[place.key]
    bound = Loop(loop.id, (head.segment, *rest.nodes))
    return BoundNode(json, bound, [*_lost(loop.head, head, context), *rest.dropped], rest.reasons, head.choice)


def _complete(child: Child, bound: list[BoundNode], context: Context, result: BoundChildren) -> None:
    """Fill a required child that nothing went to from the guide's constants, or say what is missing."""
    least = max(child.least, 1) if child.required else (child.least if bound else 0)
    while len(bound) < least and child.id not in result.refused:
        made = _from_constants(child, context)
        if isinstance(made, BoundNode) and child.id in _TERMS and child.id in result.unsaid:
            made = _contradiction(child, made, result.unsaid[child.id], context)
        if isinstance(made, BoundNode):
            bound.append(made)
            continue
        result.reasons.append(made)
        return


def _contradiction(child: Child, made: BoundNode, ours: str, context: Context) -> Reason:
    theirs = made.node.head if isinstance(made.node, Loop) else made.node
    return Reason(
        code="guide-contradicts",
        where=f"{context.path}.{child.key}",
        message=f"{context.where}: the order says {ours}, the guide only takes {_said(theirs)}",
        fix=hint(child.id, 0, None, None) + ", or correct the order in Plex",
    )


def _from_constants(child: Child, context: Context) -> BoundNode | Reason:
    wanted: Reason | None = None
    inner = context.into(child.key)
    for shape in child.shapes:
        made = _made(child, shape, inner)
        if isinstance(made, BoundNode):
            return made
        wanted = wanted or made
    if wanted is not None:
        return wanted
    return _wanted(Missing(child.key, 0, child.description, None), child.id, context, context.where, None)


def _made(child: Child, shape: Shape, context: Context) -> BoundNode | Reason:
    if not child.loop:
        made = constants_alone(child.id, shape)
        if isinstance(made, BoundSegment) and made.json:
            return BoundNode(made.json, made.segment)
        missing = made.missing if isinstance(made, NoFit) else None
        described = missing or Missing("", 0, child.description, None)
        if not described.description:
            described = Missing(described.key, described.position, child.description, described.codes)
        qualifier = shape.slot(1)
        codes = qualifier.codes if qualifier is not None and child.id in ("REF", "N1", "DTM") else described.codes
        described = Missing(described.key, described.position, described.description, codes)
        party = codes[0] if child.id == "N1" and codes else None
        return _wanted(described, child.id, context, context.where, party)
    inside = BoundChildren()
    opening = next((c for c in shape.children if not c.loop and c.id == child.id), None)
    party = _only_code(opening)
    deeper = Context(context.root, context.path, context.where, party or context.party, context.vital)
    inside = bind_children((), shape, deeper)
    if inside.reasons:
        return inside.reasons[0]
    if not inside.nodes or opening is None or opening.key not in inside.json:
        return _wanted(Missing("", 0, child.description, None), child.id, context, context.where, party)
    return BoundNode(inside.json, Loop(child.id, tuple(inside.nodes)))


def _only_code(opening: Child | None) -> str | None:
    slots = [] if opening is None else [slot for head in opening.shapes if (slot := head.slot(1))]
    codes = slots[0].codes if slots else None
    return codes[0] if codes else None


def _wanted(missing: Missing, segment_id: str, context: Context, where: str, party: str | None) -> Reason:
    path = f"{context.path}.{missing.key}" if missing.key else context.path
    described = f' ("{missing.description[:160]}")' if missing.description else ""
    codes = f", one of {', '.join(missing.codes[:12])}" if missing.codes else ""
    return Reason(
        code="guide-wants",
        where=path,
        message=f"{where}: the guide requires it{codes}{described}, and nothing in the order or the settings gives it",
        fix=hint(segment_id, missing.position, missing.codes, party or context.party),
    )


def _party(node: Node) -> str | None:
    return node.head.text(1) if isinstance(node, Loop) and node.id == "N1" else None


def _lost(head: Segment, bound: BoundSegment, context: Context) -> list[Dropped]:
    return [
        Dropped(where=context.where, fact=f"{head.id}{lost.position:02d}", value=lost.value, why=lost.why)
        for lost in bound.lost
    ]


def _whole(node: Node, context: Context) -> Dropped:
    head = node.head if isinstance(node, Loop) else node
    why = "the guide has no loop for it"
    return Dropped(where=context.where, fact=node.id, value=_said(head), why=why)


def _unplaced(node: Node, context: Context) -> Reason:
    head = node.head if isinstance(node, Loop) else node
    return Reason(
        code="guide-no-place",
        where=context.where,
        message=f"{_said(head)} has no place: the guide has no loop for it",
        fix="Ask the supplier for room in the guide",
    )


def _said(segment: Segment) -> str:
    texts = [segment.text(position) or "" for position in range(1, len(segment.elements) + 1)]
    return "*".join((segment.id, *texts))
