"""Outcome of one version of a line: listed, omitted, rejected with the order, or deleted by our 860."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.allocation import still_open
from plexstedi.edi.inbound.division import ZERO, Parts
from plexstedi.edi.inbound.findings import DECIDE, PLACE_ELSEWHERE, Findings, in_quotes, with_words
from plexstedi.edi.inbound.line_case import LineCase
from plexstedi.edi.inbound.matching import LineIndex, LineMatch, match_line
from plexstedi.edi.inbound.outcome import CHANGED_IN_PLEX, AckState, EarlierOutcome, LineOutcome, UnmatchedLine
from plexstedi.edi.inbound.reading.ack_codes import (
    DELETING_CHANGES,
    REFUSING_CHANGE,
    LineMeaning,
    TypeMeaning,
    line_meaning,
    type_in_words,
)
from plexstedi.edi.inbound.reading.acknowledgment import Acknowledgment
from plexstedi.edi.inbound.reconcile_line import reconcile_line
from plexstedi.edi.inbound.release_lines import of_whole_line
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine
from plexstedi.edi.settings import SupplierSettings

_ASK = "contact the supplier"


class AcknowledgmentCase(Struct, frozen=True):
    """Values of an acknowledgment that are the same for all lines."""

    acknowledgment: Acknowledgment
    meaning: TypeMeaning
    holds: tuple[Reason, ...]
    settings: SupplierSettings
    received: Mapping[int, Decimal]
    changed_in_plex: Collection[int]
    strict: bool
    missing: AckState
    """State of a line or release that the acknowledgment omits."""
    currency: str | None
    """Currency of the order as sent."""
    ordered_on: date | None
    earlier: Mapping[int, Sequence[EarlierOutcome]]
    """Earlier outcomes by line number, newest first, of lines whose releases were sent as lines."""

    def findings(self, line: SentLine) -> Findings:
        """New findings for a line, including the holds that come from outside the line."""
        findings = Findings(f"line {line.line}", strict=self.strict)
        findings.holds += self.holds
        if line.line in self.changed_in_plex:
            findings.hold(
                CHANGED_IN_PLEX,
                "the line was changed in Plex after it was sent, and the change has not reached the supplier yet",
                "`plexstedi submit` sends the change if it is due (`plexstedi status NUMBER` shows what holds"
                " it), and the supplier's acknowledgment of it resolves this item; or " + DECIDE,
            )
        return findings

    def case(self, line: SentLine, matches: tuple[LineMatch, ...], *, listed: bool) -> LineCase:
        """Case of one line with its matches."""
        received = self.received.get(line.line, ZERO)
        return LineCase(
            sent=line,
            matches=matches,
            received=received,
            open=max(line.quantity - received, ZERO),
            open_releases=still_open(line.schedules, received),
            heading=self.acknowledgment.dates,
            settings=self.settings,
            listed=listed,
            missing_releases=self.missing,
            earlier=self.earlier.get(line.line, ()),
            currency=self.currency,
            ordered_on=self.ordered_on,
        )


class LineCoverage(Struct, frozen=True):
    """Lines that the acknowledgment covers, and how."""

    by_line: Mapping[int, tuple[LineMatch, ...]]
    ambiguous: Mapping[int, UnmatchedLine]
    rejects_all: bool
    """The order is rejected as a whole."""
    lists_none: bool
    is_own: bool

    def of(self, line: SentLine) -> tuple[LineMatch, ...]:
        """Matches of a line, matched again if this is another version of it."""
        matches = self.by_line.get(line.line, ())
        if not [match for match in matches if match.line is not line]:
            return matches
        index = LineIndex((line,))
        matched_again = (match_line(match.acknowledged, index) for match in matches)
        return tuple(match for match in matched_again if isinstance(match, LineMatch))


def outcome_for_line(
    line: SentLine, coverage: LineCoverage, document: AcknowledgmentCase, earlier: Mapping[int, LineOutcome]
) -> LineOutcome | None:
    """Outcome of one version of a line; None if the acknowledgment does not affect it."""
    matches = coverage.of(line)
    if line.quantity == 0:
        is_covered = matches or coverage.rejects_all or coverage.lists_none or document.missing is AckState.CONFIRMED
        return _deleted(line, matches, document, refused=coverage.rejects_all) if is_covered else None
    if coverage.rejects_all:
        return _rejected(line, matches, document)
    if line.line in coverage.by_line or line.line in coverage.ambiguous:
        findings = document.findings(line)
        if line.line in coverage.ambiguous:
            findings.holds.append(coverage.ambiguous[line.line].reason)
        return _acknowledged(line, matches, findings, document)
    if coverage.lists_none:
        return replace(_unlisted(line, document), whole=True)
    if not coverage.is_own and not _is_acknowledged(earlier, line.line):
        return _unlisted(line, document)
    return None


def _is_acknowledged(earlier: Mapping[int, LineOutcome], line: int) -> bool:
    outcome = earlier.get(line)
    return outcome is not None and outcome.listed


def _acknowledged(
    line: SentLine, matches: tuple[LineMatch, ...], findings: Findings, document: AcknowledgmentCase
) -> LineOutcome:
    meaning = document.meaning
    if [match for match in matches if not match.acknowledged.details]:
        if meaning is TypeMeaning.EXCEPTIONS:
            findings.hold("no-detail", "listed as an exception, but no ACK says which kind")
        elif meaning is TypeMeaning.NO_DETAIL and not document.settings.acknowledgments.accept_without_detail:
            fix = f"set `acknowledgments.accept_without_detail` of this supplier, or {DECIDE}"
            findings.hold("no-detail", "listed without an ACK, by an acknowledgment without detail", fix)
    if not matches:
        return _nothing_definite(line, findings, document, AckState.HELD)
    return reconcile_line(document.case(line, matches, listed=True), findings)


def _unlisted(line: SentLine, document: AcknowledgmentCase) -> LineOutcome:
    """Outcome of an omitted line that was never acknowledged, or of any line if the acknowledgment has no lines."""
    findings = document.findings(line)
    acknowledgment = document.acknowledgment
    if document.missing is AckState.CONFIRMED:
        findings.note(f"not listed; type {acknowledgment.type_code} and the settings treat it as accepted")
        return reconcile_line(document.case(line, (), listed=False), findings)
    if document.missing is AckState.REJECTED:
        findings.warn("rejected", "not listed, which for this supplier means rejected (`missing_lines`)", DECIDE)
        return _whole_rejected(line, (), findings, document, listed=False)
    whole = document.holds and not acknowledgment.lines
    if whole and {reason.code for reason in document.holds} == {"no-detail"}:
        return reconcile_line(document.case(line, (), listed=False), findings)
    return _nothing_definite(line, findings, document, AckState.HELD if whole else AckState.UNACKNOWLEDGED)


def _nothing_definite(line: SentLine, findings: Findings, document: AcknowledgmentCase, state: AckState) -> LineOutcome:
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
        notes=() if state is AckState.HELD else ("not in the acknowledgment",),
        listed=case.listed,
    )


def _rejected(line: SentLine, matches: tuple[LineMatch, ...], document: AcknowledgmentCase) -> LineOutcome:
    findings = document.findings(line)
    code = document.acknowledgment.type_code
    quote = in_quotes(document.acknowledgment.words)
    findings.warn(
        "order-rejected",
        f"the supplier rejects the {'change' if document.acknowledgment.set_id == '865' else 'order'}: "
        f"{type_in_words(code)}" + (f"; the supplier says: {quote}" if quote else ""),
        PLACE_ELSEWHERE,
    )
    return _whole_rejected(line, matches, findings, document, listed=True)


def _whole_rejected(
    line: SentLine, matches: tuple[LineMatch, ...], findings: Findings, document: AcknowledgmentCase, *, listed: bool
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
        releases=of_whole_line(case, (), Parts(rejected=case.open)),
        release_ids=case.release_ids,
        code=case.code,
        words=case.words,
        reasons=with_words((*findings.holds, *findings.warnings), case.words, case.code),
        attention=True,
        listed=listed,
        if_accepted=AckState.REJECTED if held else None,
    )


def _deleted(
    line: SentLine, matches: tuple[LineMatch, ...], document: AcknowledgmentCase, *, refused: bool
) -> LineOutcome:
    """Outcome of a line that our 860 deleted: the supplier agrees (zero), refuses, or still confirms a quantity.

    `refused`: the acknowledgment rejects the change as a whole.
    """
    findings = document.findings(line)
    holds_as_a_whole = bool(findings.holds)
    state = AckState.REJECTED if refused else AckState.CONFIRMED
    if refused:
        code = type_in_words(document.acknowledgment.type_code)
        findings.warn("deletion-rejected", f"the supplier refuses to delete the line: {code}", _ASK)
    confirmed = ZERO
    settings = document.settings.acknowledgments
    for match in matches:
        findings.holds += match.acknowledged.faults
        change = match.acknowledged.change_code
        stated = ZERO if change in DELETING_CHANGES else match.acknowledged.quantity or ZERO
        if change == REFUSING_CHANGE:
            state = AckState.REJECTED
            findings.warn("deletion-rejected", f"the supplier refuses to delete the line (POC02 {change})", _ASK)
            continue
        for detail in match.acknowledged.details:
            meaning = line_meaning(detail.code, settings)
            if detail.code == "ID":
                continue
            if meaning is LineMeaning.REJECTED:
                state = AckState.REJECTED
                findings.warn("deletion-rejected", "the supplier refuses to delete the line", _ASK)
            elif meaning is not LineMeaning.ACCEPTED:
                findings.hold("code-held", f"{detail.code} on a line that was deleted")
            elif change not in DELETING_CHANGES:
                # DI with an accepting code agrees to the deletion, whatever quantity it repeats (RULES.md Reading 13).
                # An ACK without a quantity is for that of its line.
                confirmed += stated if detail.quantity is None else detail.quantity
        if not match.acknowledged.details:
            confirmed += stated
    if confirmed > 0:
        findings.hold("deleted-line-confirmed", f"the line was deleted, but the supplier confirms {confirmed:f}")
    held = bool(findings.holds)
    definite = held and holds_as_a_whole and findings.holds == list(document.findings(line).holds)
    case = document.case(line, matches, listed=True)
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
        code=case.code,
        words=case.words,
        reasons=with_words((*findings.holds, *findings.warnings), case.words, case.code),
        attention=held or state is AckState.REJECTED,
        notes=() if held or state is AckState.REJECTED else ("deleted, as ordered",),
    )
