"""Releases that were sent as lines: an omitted one is as acknowledged before (RULES.md Reading 8).

To the supplier each is a line of its own, so it may acknowledge them one by one, and an 865 lists only those that the
860 changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from plexstedi.edi.inbound.allocation import Piece
from plexstedi.edi.inbound.division import NO_PARTS, ZERO, Parts
from plexstedi.edi.inbound.findings import Findings
from plexstedi.edi.inbound.line_case import LineCase
from plexstedi.edi.inbound.line_reading import LineReading, net
from plexstedi.edi.inbound.matching import LineMatch
from plexstedi.edi.inbound.outcome import CHANGED_IN_PLEX, AckState, ConfirmedSchedule, LineOutcome, ReleaseOutcome
from plexstedi.edi.inbound.reading.ack_codes import DELETING_CHANGES, REFUSING_CHANGE, LineMeaning, line_meaning
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.inbound.reading.dates import DatePromise, Promises
from plexstedi.edi.reasons import Reason
from plexstedi.edi.sent import SentLine, SentSchedule

_CHECKED_AGAIN = frozenset(
    {
        "release-missing",
        "release-held",
        "quantity",
        "quantity-sum",
        "date",
        "date-before-order",
        "date-too-far",
        "backorder-late",
        "backordered",
        "rejected",
        CHANGED_IN_PLEX,
    }
)
"""Reason codes that follow from quantities and dates, from omitted releases, or from Plex: found again with the values
of earlier outcomes."""


def of_release(schedule: SentSchedule, still: Decimal, parts: Parts) -> ReleaseOutcome:
    """The acknowledged parts of one release with `still` not yet received."""
    return ReleaseOutcome(
        assigned_id=schedule.assigned_id or "",
        release_id=schedule.release_id,
        open=still,
        confirmed=parts.accepted,
        backordered=parts.backordered,
        rejected=parts.rejected,
    )


def listed_releases(case: LineCase) -> tuple[str, ...]:
    """PO101 of the releases that the acknowledgment lists as lines of their own."""
    return tuple([match.schedule.assigned_id or "" for match in case.matches if match.schedule is not None])


def of_whole_line(case: LineCase, schedules: Sequence[ConfirmedSchedule], total: Parts) -> tuple[ReleaseOutcome, ...]:
    """What an acknowledgment of the line as a whole states for its releases; `schedules` has them by date.

    The rejected part is that of the releases for which nothing else is left. Without those that it does not reach.
    """
    found, rejected = [], total.rejected
    open_by_release = {schedule.release_id: schedule.quantity for schedule in case.open_releases}
    for schedule in case.sent.schedules:
        if schedule.assigned_id is None:
            continue
        still = open_by_release.get(schedule.release_id, ZERO)
        own = [each for each in schedules if each.release_id == schedule.release_id]
        accepted = sum((each.quantity for each in own if not each.backordered), ZERO)
        backordered = sum((each.quantity for each in own if each.backordered), ZERO)
        refused = min(rejected, max(still - accepted - backordered, ZERO))
        rejected -= refused
        parts = Parts(accepted, backordered, refused)
        if parts.total > 0 or still == 0:
            found.append(of_release(schedule, still, parts))
    return tuple(found)


def is_deleted(match: LineMatch) -> bool:
    """Whether the acknowledged line is a release that we deleted."""
    return match.schedule is not None and match.schedule.quantity == 0


def agrees_to_deletion(
    schedule: SentSchedule, ack_lines: Sequence[AcknowledgedLine], case: LineCase, findings: Findings
) -> bool:
    """Whether the supplier agrees to delete a release (RULES.md Reading 13); held if it refuses.

    DI with an accepting code agrees, whatever quantity it repeats; other quantities are compared with zero.
    """
    own = case.settings.acknowledgments
    codes = [detail.code for ack_line in ack_lines for detail in ack_line.details if detail.code != "ID"]
    refused = [code for code in codes if line_meaning(code, own) is LineMeaning.REJECTED]
    if refused or REFUSING_CHANGE in [ack_line.change_code for ack_line in ack_lines]:
        findings.hold("deletion-rejected", f"the supplier refuses to delete release {schedule.release_number}")
        return True
    return all(
        ack_line.change_code in DELETING_CHANGES or {detail.code for detail in ack_line.details} == {"ID"}
        for ack_line in ack_lines
    )


def read_before(schedule: SentSchedule, still: Decimal, case: LineCase, findings: Findings) -> LineReading | None:
    """The release as the newest earlier acknowledgment has it; None if none lists it as it was sent last."""
    for line, outcome in case.earlier:
        stated = next((each for each in outcome.releases if each.assigned_id == schedule.assigned_id), None)
        if stated is None and schedule.assigned_id not in outcome.unread_releases:
            continue
        if not _is_same(schedule, case.sent, line):
            return None
        held = _held(stated, outcome)
        _check_before(schedule, outcome, held, findings)
        read = LineReading(NO_PARTS, ())
        if stated is not None:
            pieces = [_piece(each) for each in outcome.schedules if each.release_id == stated.release_id]
            parts = Parts(stated.confirmed, stated.backordered, stated.rejected)
            pending = outcome.date_pending and not any(piece.promises for piece in pieces)
            read = net(LineReading(parts, tuple(pieces), pending), stated.open, still)
        release = replace(of_release(schedule, still, read.total), listed=False, held=held)
        return replace(read, releases=(release,))
    return None


def _held(stated: ReleaseOutcome | None, outcome: LineOutcome) -> Reason | None:
    """Why a release is held in an earlier outcome of its line. `stated` is None if its quantities were not read."""
    if outcome.state is not AckState.HELD:
        return None
    if stated is not None and not stated.listed:
        return stated.held
    own = (reason for reason in outcome.reasons if reason.code not in _CHECKED_AGAIN)
    return next(own, outcome.reasons[0] if stated is None else None)


def _is_same(schedule: SentSchedule, line: SentLine, before: SentLine) -> bool:
    """Whether a release was the same to the supplier in an earlier version of its line."""
    ordered = [(s.quantity, s.due) for s in before.schedules if s.assigned_id == schedule.assigned_id]
    terms, terms_before = [(each.unit, each.price, each.price_basis, each.items) for each in (line, before)]
    return ordered == [(schedule.quantity, schedule.due)] and terms == terms_before


def _check_before(schedule: SentSchedule, outcome: LineOutcome, held: Reason | None, findings: Findings) -> None:
    lead = f"release {schedule.release_number} is not in the acknowledgment"
    findings.note(f"{lead}: it is as acknowledged before")
    other_price = outcome.price is not None and outcome.price != outcome.price_sent
    if other_price or (outcome.accepted and outcome.state is AckState.CHANGED):
        findings.changed = True
    if held is not None:
        findings.hold("release-held", f"{lead}, and an earlier one that lists it is held: {held.message}")


def _piece(schedule: ConfirmedSchedule) -> Piece:
    promises = Promises(
        _promise(schedule.ship_date, schedule.ship_qualifier),
        _promise(schedule.delivery_date, schedule.delivery_qualifier),
    )
    return Piece(schedule.quantity, schedule.backordered, promises)


def _promise(on: date | None, qualifier: str | None) -> DatePromise | None:
    return None if on is None else DatePromise(on, qualifier or "")
