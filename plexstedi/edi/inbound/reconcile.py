"""One answer against one order, as sent: what the supplier confirmed, line by line (RULES Reading 1 to 9, 13, 14)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from plexstedi.edi.held import Reason
from plexstedi.edi.inbound.ack_codes import (
    CANCELLING_PURPOSES,
    LineMeaning,
    TypeMeaning,
    line_meaning,
    type_in_words,
    type_meaning,
)
from plexstedi.edi.inbound.acknowledgment import AcknowledgedLine, Acknowledgment
from plexstedi.edi.inbound.division import ZERO
from plexstedi.edi.inbound.findings import DECIDE, PLACE_ELSEWHERE, Findings
from plexstedi.edi.inbound.matching import AmbiguousLine, LineIndex, LineMatch, NoLine, match_line
from plexstedi.edi.inbound.outcome import AckState, LineOutcome, Reconciliation, UnmatchedLine
from plexstedi.edi.inbound.precedence import Initiative
from plexstedi.edi.inbound.reconcile_line import LineCase, reconcile_line
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.watched import Watch, unwatched, watched

__all__ = ["LineOutcome", "Reconciliation", "reconcile"]

_EXACT = Context(prec=100)
"""Quantities have up to 18 digits, factors are the supplier's: sums of their products stay exact."""


@dataclass(frozen=True, slots=True)
class _Document:
    """What is the same for all lines."""

    acknowledgment: Acknowledgment
    meaning: TypeMeaning
    holds: tuple[Reason, ...]
    settings: SupplierSettings
    received: Mapping[int, Decimal]
    changed_in_plex: Collection[int]
    strict: bool
    missing: AckState
    """What becomes of a line or release that the answer leaves out."""

    def findings(self, line: SentLine) -> Findings:
        """A fresh collection for a line, with what holds it from outside the line itself."""
        findings = Findings(f"line {line.line}", strict=self.strict)
        findings.holds += self.holds
        if line.line in self.changed_in_plex:
            findings.hold(
                "changed-in-plex",
                "the line was changed in Plex after it was sent, and the supplier does not know yet",
                "the change goes out with `plexstedi submit` if it is due (`plexstedi status NUMBER` shows what holds"
                " it), and the supplier's acknowledgment of it resolves this; or " + DECIDE,
            )
        return findings

    def case(self, line: SentLine, matches: tuple[LineMatch, ...], *, listed: bool) -> LineCase:
        """One line with what the answer says of it."""
        return LineCase(
            sent=line,
            matches=matches,
            received=self.received.get(line.line, ZERO),
            heading=self.acknowledgment.dates,
            settings=self.settings,
            listed=listed,
            missing_releases=self.missing,
        )


def reconcile(
    acknowledgment: Acknowledgment,
    sent: SentOrder,
    settings: SupplierSettings,
    *,
    received: Mapping[int, Decimal],
    changed_since: Collection[int] = (),
    changed_in_plex: Collection[int] = (),
    deleted: Sequence[SentLine] = (),
    earlier: Mapping[int, LineOutcome] | None = None,
    initiative: Initiative = Initiative.ANSWER,
    watch: Watch = unwatched,
) -> Reconciliation:
    """What this answer means for the order as the document that it answers sent it.

    `received` is by line number, in the unit sent. Lines in `changed_since` were changed by an 860 sent later than
    what this answers: they are left as they are. Lines in `changed_in_plex` were changed after they were last sent:
    held. `deleted` are lines that the document answered has taken out, as they were sent before. `earlier` are the
    outcomes of the answers that count so far: a line that one of them names is never changed by not being named here.
    `initiative` and `changed_since` come from `precedence.what_it_answers`.
    """
    with localcontext(_EXACT):
        return _reconcile(
            acknowledgment,
            sent,
            settings,
            received,
            changed_since,
            changed_in_plex,
            deleted,
            earlier or {},
            initiative,
            watch,
        )


def _reconcile(
    acknowledgment: Acknowledgment,
    sent: SentOrder,
    settings: SupplierSettings,
    received: Mapping[int, Decimal],
    changed_since: Collection[int],
    changed_in_plex: Collection[int],
    deleted: Sequence[SentLine],
    earlier: Mapping[int, LineOutcome],
    initiative: Initiative,
    watch: Watch,
) -> Reconciliation:
    meaning = type_meaning(acknowledgment.type_code, settings.acknowledgments)
    head = Reconciliation(
        set_id=acknowledgment.set_id,
        order_number=acknowledgment.order_number,
        type_code=acknowledgment.type_code,
        supplier_reference=acknowledgment.supplier_reference,
        rejected=meaning is TypeMeaning.REJECTED,
    )
    if meaning is TypeMeaning.NOTHING:
        return head.model_copy(update={"notes": (f"type {type_in_words(acknowledgment.type_code)}: nothing to apply",)})
    is_own = initiative is Initiative.SELLER
    holds = _document_holds(acknowledgment, meaning, settings, is_own)
    deleted_numbers = {line.line for line in deleted} | {line.line for line in sent.lines if line.quantity == 0}
    known = (*sent.lines, *(line for line in deleted if sent.line(line.line) is None))
    by_line, unmatched = _match(watched(acknowledgment.lines, watch), known, deleted_numbers)
    missing = AckState.UNACKNOWLEDGED if holds or unmatched or is_own else _missing(acknowledgment, meaning, settings)
    document = _Document(acknowledgment, meaning, holds, settings, received, changed_in_plex, is_own, missing)
    ambiguous = {number: entry for entry in unmatched for number in entry.candidates}
    answered = {line.line for line in known if line.line in by_line or line.line in ambiguous}
    names_all = meaning is TypeMeaning.REJECTED
    names_none = not acknowledgment.lines and not is_own
    touched = {line.line for line in known} if names_all or not acknowledgment.lines else answered
    outcomes = []
    for line in watched(sorted(known, key=lambda ln: ln.line), watch):
        if line.line in changed_since:
            continue
        if line.line in deleted_numbers:
            if line.line in by_line or names_all or names_none or missing is AckState.CONFIRMED:
                outcomes.append(_deleted(line, by_line.get(line.line, ()), document, refused=names_all))
        elif names_all:
            outcomes.append(_rejected(line, by_line.get(line.line, ()), document))
        elif line.line in answered:
            findings = document.findings(line)
            if line.line in ambiguous:
                findings.holds.append(ambiguous[line.line].reason)
            outcomes.append(_answered(line, by_line.get(line.line, ()), findings, document))
        elif names_none:
            outcomes.append(_unlisted(line, document).model_copy(update={"whole": True}))
        elif not is_own and not _is_answered(earlier, line.line):
            outcomes.append(_unlisted(line, document))
    return head.model_copy(
        update={
            "holds": holds,
            "lines": tuple(outcomes),
            "untouched": tuple(sorted(touched & set(changed_since))),
            "unmatched": tuple(unmatched),
        }
    )


def _is_answered(earlier: Mapping[int, LineOutcome], line: int) -> bool:
    outcome = earlier.get(line)
    return outcome is not None and outcome.listed


def _document_holds(
    acknowledgment: Acknowledgment, meaning: TypeMeaning, settings: SupplierSettings, is_own: bool
) -> tuple[Reason, ...]:
    holds = list(acknowledgment.faults)

    def hold(code: str, message: str, fix: str) -> None:
        holds.append(Reason(code=code, where="order", message=message, fix=fix))

    code = acknowledgment.type_code
    if acknowledgment.purpose in CANCELLING_PURPOSES:
        hold("purpose", f"purpose {acknowledgment.purpose} takes an acknowledgment back", DECIDE)
    if meaning is TypeMeaning.HOLD:
        fix = f"{DECIDE}, or set `acknowledgments.type_codes.{code}` of this supplier"
        hold("type-held", f"acknowledgment type {type_in_words(code)}", fix)
    if is_own and not settings.acknowledgments.accept_seller_changes:
        fix = f"{DECIDE}, or set `acknowledgments.accept_seller_changes` of this supplier"
        hold("seller-change", "the supplier asks for a change on its own", fix)
    accepts = settings.acknowledgments.accept_without_detail
    if not acknowledgment.lines and code == "AD":
        hold(
            "malformed", "type AD announces lines, but there is none", "ask the supplier for a complete acknowledgment"
        )
    elif not acknowledgment.lines and meaning in (TypeMeaning.DETAIL, TypeMeaning.NO_DETAIL) and not accepts:
        fix = f"set `acknowledgments.accept_without_detail` of this supplier, or {DECIDE}"
        hold("no-detail", f"type {type_in_words(code)} without any line", fix)
    return tuple(holds)


def _missing(acknowledgment: Acknowledgment, meaning: TypeMeaning, settings: SupplierSettings) -> AckState:
    """What becomes of lines that the answer does not name (RULES Reading 7 and 8)."""
    own = settings.acknowledgments
    if not acknowledgment.lines and meaning in (TypeMeaning.DETAIL, TypeMeaning.NO_DETAIL):
        return AckState.CONFIRMED
    if meaning is TypeMeaning.EXCEPTIONS and own.ae_accepts_unlisted:
        return AckState.CONFIRMED
    by_setting = {"accepted": AckState.CONFIRMED, "rejected": AckState.REJECTED}
    return by_setting.get(own.missing_lines, AckState.UNACKNOWLEDGED)


def _match(
    answers: Iterable[AcknowledgedLine], known: Sequence[SentLine], deleted: Collection[int]
) -> tuple[dict[int, tuple[LineMatch, ...]], list[UnmatchedLine]]:
    by_line: dict[int, list[LineMatch]] = {}
    unmatched = []
    index = LineIndex(known)
    for answer in answers:
        found = match_line(answer, index)
        if isinstance(found, LineMatch):
            by_line.setdefault(found.line.line, []).append(found)
        elif isinstance(found, AmbiguousLine):
            candidates = tuple(line.line for line in found.candidates if line.line not in deleted)
            unmatched.append(_unmatched(answer, "line-ambiguous", found.why, candidates))
        else:
            unmatched.append(_unmatched(answer, "line-added", f"the order has no such line{_parts(found)}", ()))
    return {number: tuple(matches) for number, matches in by_line.items()}, unmatched


def _parts(found: NoLine) -> str:
    items = ", ".join(f"{qualifier} {item}" for qualifier, item in found.answered.items.items())
    return f" ({items})" if items else ""


def _unmatched(answer: AcknowledgedLine, code: str, message: str, candidates: tuple[int, ...]) -> UnmatchedLine:
    reason = Reason(code=code, where=answer.place, message=message, fix=DECIDE)
    return UnmatchedLine(place=answer.place, assigned_id=answer.assigned_id, candidates=candidates, reason=reason)


def _answered(line: SentLine, matches: tuple[LineMatch, ...], findings: Findings, document: _Document) -> LineOutcome:
    meaning = document.meaning
    if any(not m.answered.details for m in matches):
        if meaning is TypeMeaning.EXCEPTIONS:
            findings.hold("no-detail", "listed as an exception, but no ACK says which")
        elif meaning is TypeMeaning.NO_DETAIL and not document.settings.acknowledgments.accept_without_detail:
            fix = f"set `acknowledgments.accept_without_detail` of this supplier, or {DECIDE}"
            findings.hold("no-detail", "listed without an ACK, by an acknowledgment without detail", fix)
    if not matches:
        return _nothing_definite(line, findings, document, AckState.HELD)
    return reconcile_line(document.case(line, matches, listed=True), findings)


def _unlisted(line: SentLine, document: _Document) -> LineOutcome:
    """A line never answered that the answer leaves out, or all lines of an answer without lines."""
    findings = document.findings(line)
    acknowledgment = document.acknowledgment
    if document.missing is AckState.CONFIRMED:
        findings.note(f"not listed; type {acknowledgment.type_code} and the settings take it as accepted")
        return reconcile_line(document.case(line, (), listed=False), findings)
    if document.missing is AckState.REJECTED:
        findings.warn("rejected", "not listed, which this supplier means as rejected (`missing_lines`)", DECIDE)
        return _whole_rejected(line, (), findings, document, listed=False)
    whole = document.holds and not acknowledgment.lines
    if whole and {reason.code for reason in document.holds} == {"no-detail"}:
        return reconcile_line(document.case(line, (), listed=False), findings)
    return _nothing_definite(line, findings, document, AckState.HELD if whole else AckState.UNACKNOWLEDGED)


def _nothing_definite(line: SentLine, findings: Findings, document: _Document, state: AckState) -> LineOutcome:
    case = document.case(line, (), listed=state is AckState.HELD and bool(document.acknowledgment.lines))
    return LineOutcome(
        line=line.line,
        line_id=line.line_id,
        state=state,
        ordered=line.quantity,
        open=case.open,
        unit=line.unit,
        confirmed=ZERO,
        backordered=ZERO,
        rejected=ZERO,
        variance=case.open,
        reasons=tuple(findings.holds) if state is AckState.HELD else (),
        attention=state is AckState.HELD,
        notes=() if state is AckState.HELD else ("not in the answer",),
        listed=case.listed,
    )


def _rejected(line: SentLine, matches: tuple[LineMatch, ...], document: _Document) -> LineOutcome:
    findings = document.findings(line)
    code = document.acknowledgment.type_code
    findings.warn(
        "order-rejected",
        f"the supplier rejects the {'change' if document.acknowledgment.set_id == '865' else 'order'}: "
        f"{type_in_words(code)}",
        PLACE_ELSEWHERE,
    )
    return _whole_rejected(line, matches, findings, document, listed=True)


def _whole_rejected(
    line: SentLine, matches: tuple[LineMatch, ...], findings: Findings, document: _Document, *, listed: bool
) -> LineOutcome:
    case = document.case(line, matches, listed=listed)
    held = bool(findings.holds)
    return LineOutcome(
        line=line.line,
        line_id=line.line_id,
        state=AckState.HELD if held else AckState.REJECTED,
        ordered=line.quantity,
        open=case.open,
        unit=line.unit,
        confirmed=ZERO,
        backordered=ZERO,
        rejected=case.open,
        variance=ZERO,
        release_ids=case.release_ids,
        code=case.code,
        reasons=(*findings.holds, *findings.warnings),
        attention=True,
        listed=listed,
        if_accepted=AckState.REJECTED if held else None,
    )


def _deleted(line: SentLine, matches: tuple[LineMatch, ...], document: _Document, *, refused: bool) -> LineOutcome:
    """A line that our 860 took out: the supplier agrees (zero), refuses, or still wants to deliver.

    `refused`: the answer rejects the change as a whole.
    """
    findings = document.findings(line)
    holds_as_a_whole = bool(findings.holds)
    state = AckState.REJECTED if refused else AckState.CONFIRMED
    if refused:
        code = type_in_words(document.acknowledgment.type_code)
        findings.warn("deletion-rejected", f"the supplier refuses to delete the line: {code}", "talk to the supplier")
    confirmed = ZERO
    settings = document.settings.acknowledgments
    for match in matches:
        findings.holds += match.answered.faults
        for detail in match.answered.details:
            meaning = line_meaning(detail.code, settings)
            if detail.code == "ID":
                continue
            if meaning is LineMeaning.REJECTED:
                state = AckState.REJECTED
                findings.warn("deletion-rejected", "the supplier refuses to delete the line", "talk to the supplier")
            elif meaning is not LineMeaning.ACCEPTED:
                findings.hold("code-held", f"{detail.code} on a line that was deleted")
            elif detail.quantity:
                confirmed += detail.quantity
        if not match.answered.details and match.answered.change_code != "DI" and match.answered.quantity:
            confirmed += match.answered.quantity
    if confirmed > 0:
        findings.hold("deleted-line-confirmed", f"the line was deleted, the supplier confirms {confirmed:f}")
    held = bool(findings.holds)
    definite = held and holds_as_a_whole and findings.holds == list(document.findings(line).holds)
    return LineOutcome(
        line=line.line,
        line_id=line.line_id,
        state=AckState.HELD if held else state,
        if_accepted=state if definite else None,
        ordered=ZERO,
        open=ZERO,
        unit=line.unit,
        confirmed=ZERO,
        backordered=ZERO,
        rejected=ZERO,
        variance=ZERO,
        code=document.case(line, matches, listed=True).code,
        reasons=(*findings.holds, *findings.warnings),
        attention=held or state is AckState.REJECTED,
        notes=() if held or state is AckState.REJECTED else ("deleted, as ordered",),
    )
