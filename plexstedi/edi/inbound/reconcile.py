"""Reconcile one acknowledgment with the order as sent, line by line (RULES.md Reading 1 to 9, 13, 14)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, localcontext

from msgspec.structs import replace

from plexstedi.edi.inbound.division import ZERO
from plexstedi.edi.inbound.findings import DECIDE, in_quotes
from plexstedi.edi.inbound.line_outcome import AcknowledgmentCase, LineCoverage, outcome_for_line
from plexstedi.edi.inbound.matching import AmbiguousLine, LineIndex, LineMatch, NoLine, match_deleted, match_line
from plexstedi.edi.inbound.notices import notices_of, other_currencies, without_ignored
from plexstedi.edi.inbound.outcome import (
    SELLER_CHANGE,
    AckState,
    EarlierOutcome,
    LineOutcome,
    Reconciliation,
    UnmatchedLine,
)
from plexstedi.edi.inbound.precedence import Initiative
from plexstedi.edi.inbound.reading.ack_codes import (
    CANCELLING_PURPOSES,
    TypeMeaning,
    type_in_words,
    type_meaning,
)
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine, Acknowledgment
from plexstedi.edi.inbound.reading.revision_values import MeantVersion, ValueVerdict, judge
from plexstedi.edi.inbound.revisions import NO_REVISIONS, SentRevisions
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentOrder
from plexstedi.edi.settings import SupplierSettings
from plexstedi.edi.watched import Watch, unwatched, watched

__all__ = ["LineOutcome", "Reconciliation", "reconcile"]

_EXACT = Context(prec=100)
"""Decimal context in which sums of products stay exact: quantities have up to 18 digits, factors are configured."""


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
    initiative: Initiative = Initiative.RESPONSE,
    watch: Watch = unwatched,
    revisions: SentRevisions = NO_REVISIONS,
    ordered_on: date | None = None,
    earlier_releases: Mapping[int, Sequence[EarlierOutcome]] | None = None,
    deleted_before: Sequence[SentLine] = (),
) -> Reconciliation:
    """Reconcile an acknowledgment with `sent`, the order as in the acknowledged document.

    `received` is by line number, in the unit sent. Lines in `changed_since` were changed by an 860 sent after
    the acknowledged document: they are not changed. Lines in `changed_in_plex` have unsent changes: held. `deleted` are
    lines that the acknowledged document deleted, as sent before. `earlier` are the current outcomes: a line that is
    listed in one of them is not changed by being omitted here. `initiative` and `changed_since` come from
    `precedence.acknowledged_documents`; `revisions` has the versions of lines that were changed at about the time of
    the acknowledgment. `ordered_on` is the order date. `earlier_releases` are the earlier outcomes of lines whose
    releases were sent as lines, newest first: they count for a release that is omitted here. `deleted_before` are lines
    that earlier documents deleted (quantity zero): they count only where the acknowledgment lists them.
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
            revisions,
            ordered_on,
            earlier_releases or {},
            deleted_before,
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
    revisions: SentRevisions,
    ordered_on: date | None,
    earlier_releases: Mapping[int, Sequence[EarlierOutcome]],
    deleted_before: Sequence[SentLine],
) -> Reconciliation:
    acknowledgment = without_ignored(acknowledgment, settings.acknowledgments.ignore_segments)
    meaning = type_meaning(acknowledgment.type_code, settings.acknowledgments)
    head = Reconciliation(
        set_id=acknowledgment.set_id,
        order_number=acknowledgment.order_number,
        type_code=acknowledgment.type_code,
        supplier_reference=acknowledgment.supplier_reference,
        rejected=meaning is TypeMeaning.REJECTED,
    )
    if meaning is TypeMeaning.NOTHING:
        return replace(head, notes=(f"type {type_in_words(acknowledgment.type_code)}: nothing to apply",))
    is_own = initiative is Initiative.SELLER
    holds = _document_holds(acknowledgment, meaning, settings, is_own, sent.currency)
    deleted_numbers = {line.line for line in deleted} | {line.line for line in sent.lines if line.quantity == 0}
    gone = (replace(line, quantity=ZERO) for line in deleted if sent.line(line.line) is None)
    known = (*sent.lines, *gone)
    by_line, unmatched = _match(watched(acknowledgment.lines, watch), known, deleted_numbers, deleted_before)
    known = (*known, *(line for line in deleted_before if line.line in by_line))
    # A held or unmatched document, or a seller's own change, decides nothing about lines that it omits.
    missing = AckState.UNACKNOWLEDGED if holds or unmatched or is_own else _missing(acknowledgment, meaning, settings)
    document = AcknowledgmentCase(
        acknowledgment,
        meaning,
        holds,
        settings,
        received,
        changed_in_plex,
        is_own,
        missing,
        sent.currency,
        ordered_on,
        earlier_releases,
    )
    ambiguous = {number: entry for entry in unmatched for number in entry.candidates}
    acknowledged = {line.line for line in known if line.line in by_line or line.line in ambiguous}
    rejects_all = meaning is TypeMeaning.REJECTED
    lists_none = not acknowledgment.lines and not is_own
    touched = {line.line for line in known} if rejects_all or not acknowledgment.lines else acknowledged
    coverage = LineCoverage(by_line, ambiguous, rejects_all, lists_none, is_own)
    outcomes: list[LineOutcome] = []
    before: list[LineOutcome] = []
    untouched: set[int] = set()
    for line in watched(sorted(known, key=lambda ln: ln.line), watch):
        number = line.line
        outcome = outcome_for_line(line, coverage, document, earlier)
        if outcome is None:
            continue
        if number in changed_since:
            aware = _matches_later_document(line, coverage, document, revisions)
            if aware is not None:
                outcomes.append(aware)
            elif number in touched:
                untouched.add(number)
                before.append(outcome)
        elif number in revisions.before and not (outcome.state is AckState.UNACKNOWLEDGED and not outcome.listed):
            verdict = _verdict(line, coverage, document, revisions.before[number])
            if verdict.version is MeantVersion.CHANGE:
                outcomes.append(outcome)
            elif verdict.before is not None:
                untouched.add(number)
                before.append(outcome_for_line(verdict.before, coverage, document, {}) or outcome)
            else:
                outcomes.append(_undecided(outcome, verdict.why))
        else:
            outcomes.append(outcome)
    return replace(
        head,
        holds=holds,
        lines=tuple(outcomes),
        untouched=tuple(sorted(untouched)),
        earlier=tuple(before),
        unmatched=tuple(unmatched),
        notices=notices_of(acknowledgment, by_line, sent.currency),
    )


def _verdict(
    line: SentLine, coverage: LineCoverage, document: AcknowledgmentCase, before: Sequence[SentLine | None]
) -> ValueVerdict:
    """Which version of a line is acknowledged that was changed at about the same time (RULES.md Reading 13)."""
    if coverage.rejects_all:
        return ValueVerdict(
            MeantVersion.UNDECIDED, "the order is rejected as a whole, but before or after the change is unclear"
        )
    if line.line in coverage.ambiguous:
        return ValueVerdict(MeantVersion.CHANGE)
    if line.line not in coverage.by_line:
        return ValueVerdict(MeantVersion.UNDECIDED, "the acknowledgment has no values for it")
    return judge(lambda version: document.case(version, coverage.of(version), listed=True), line, before)


def _matches_later_document(
    line: SentLine, coverage: LineCoverage, document: AcknowledgmentCase, revisions: SentRevisions
) -> LineOutcome | None:
    """Held outcome of a line whose values match a later document despite an earlier date; None for other lines."""
    later = revisions.since.get(line.line)
    if later is None or line.line not in coverage.by_line or coverage.rejects_all:
        return None
    if _verdict(later, coverage, document, (line,)).version is not MeantVersion.CHANGE:
        return None
    outcome = outcome_for_line(later, coverage, document, {})
    if outcome is None:
        return None
    why = "its values are those of a later change, but its date is before that change"
    return replace(_undecided(outcome, why), knows=revisions.last)


def _undecided(outcome: LineOutcome, why: str) -> LineOutcome:
    """The outcome as held: which version of the line it acknowledges cannot be determined."""
    reason = Reason(
        code="revision-unclear",
        where=f"line {outcome.line}",
        message="the line was changed at about the time of the acknowledgment; which version it acknowledges is "
        f"unclear: {why}",
        fix="Ask the supplier. Accept it if it acknowledges the line as changed; reject it if not.",
    )
    held = outcome.state is AckState.HELD
    return replace(
        outcome,
        state=AckState.HELD,
        if_accepted=outcome.if_accepted if held else outcome.state,
        reasons=(reason, *outcome.reasons),
        attention=True,
    )


def _document_holds(
    acknowledgment: Acknowledgment, meaning: TypeMeaning, settings: SupplierSettings, is_own: bool, currency: str | None
) -> tuple[Reason, ...]:
    holds = list(acknowledgment.faults)

    def hold(code: str, message: str, fix: str) -> None:
        holds.append(Reason(code=code, where="order", message=message, fix=fix))

    code = acknowledgment.type_code
    if acknowledgment.purpose in CANCELLING_PURPOSES:
        hold("purpose", f"purpose {acknowledgment.purpose} withdraws an acknowledgment", DECIDE)
    if meaning is TypeMeaning.HOLD:
        fix = f"{DECIDE}, or set `acknowledgments.type_codes.{code}` of this supplier"
        quote = in_quotes(acknowledgment.words)
        why = f"; the supplier says: {quote}" if quote else ""
        hold("type-held", f"acknowledgment type {type_in_words(code)}{why}", fix)
    if is_own and not settings.acknowledgments.accept_seller_changes:
        fix = f"{DECIDE}, or set `acknowledgments.accept_seller_changes` of this supplier"
        hold(SELLER_CHANGE, "the supplier requests a change on its own", fix)
    for other in other_currencies(acknowledgment.currencies, currency):
        hold("currency", f"the supplier acknowledges in {other}, the order is in {currency}", DECIDE)
    accepts = settings.acknowledgments.accept_without_detail
    if not acknowledgment.lines and code == "AD":
        hold(
            "malformed", "type AD requires lines, but there are none", "ask the supplier for a complete acknowledgment"
        )
    elif not acknowledgment.lines and meaning in (TypeMeaning.DETAIL, TypeMeaning.NO_DETAIL) and not accepts:
        fix = f"set `acknowledgments.accept_without_detail` of this supplier, or {DECIDE}"
        hold("no-detail", f"type {type_in_words(code)} without any line", fix)
    return tuple(holds)


def _missing(acknowledgment: Acknowledgment, meaning: TypeMeaning, settings: SupplierSettings) -> AckState:
    """State of lines that the acknowledgment omits (RULES.md Reading 7 and 8)."""
    own = settings.acknowledgments
    if not acknowledgment.lines and meaning in (TypeMeaning.DETAIL, TypeMeaning.NO_DETAIL):
        return AckState.CONFIRMED
    if meaning is TypeMeaning.EXCEPTIONS and own.ae_accepts_unlisted:
        return AckState.CONFIRMED
    by_setting = {"accepted": AckState.CONFIRMED, "rejected": AckState.REJECTED}
    return by_setting.get(own.missing_lines, AckState.UNACKNOWLEDGED)


def _match(
    ack_lines: Iterable[AcknowledgedLine],
    known: Sequence[SentLine],
    deleted: Collection[int],
    deleted_before: Sequence[SentLine],
) -> tuple[dict[int, tuple[LineMatch, ...]], list[UnmatchedLine]]:
    by_line: dict[int, list[LineMatch]] = {}
    unmatched = []
    index, before = LineIndex(known), LineIndex(deleted_before)
    for ack_line in ack_lines:
        found = (match_deleted(ack_line, index, before) if deleted_before else None) or match_line(ack_line, index)
        if isinstance(found, LineMatch):
            by_line.setdefault(found.line.line, []).append(found)
        elif isinstance(found, AmbiguousLine):
            candidates = tuple(line.line for line in found.candidates if line.line not in deleted)
            unmatched.append(_unmatched(ack_line, "line-ambiguous", found.why, candidates))
        else:
            unmatched.append(_unmatched(ack_line, "line-added", f"the order has no such line{_parts(found)}", ()))
    return {number: tuple(matches) for number, matches in by_line.items()}, unmatched


def _parts(found: NoLine) -> str:
    items = ", ".join(f"{qualifier} {item}" for qualifier, item in found.acknowledged.items.items())
    return f" ({items})" if items else ""


def _unmatched(ack_line: AcknowledgedLine, code: str, message: str, candidates: tuple[int, ...]) -> UnmatchedLine:
    reason = Reason(code=code, where=ack_line.place, message=message, fix=DECIDE)
    return UnmatchedLine(place=ack_line.place, assigned_id=ack_line.assigned_id, candidates=candidates, reason=reason)
