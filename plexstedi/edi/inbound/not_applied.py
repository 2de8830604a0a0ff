"""Report an acknowledgment that is not applied but is worse than the current state (RULES.md Reading 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from plexstedi.edi.inbound.findings import in_quotes
from plexstedi.edi.inbound.outcome import AckState, LineOutcome
from plexstedi.edi.inbound.precedence import AcknowledgmentHeader, LineAckStatus
from plexstedi.edi.reasons import Reason


def not_applied_reasons(
    header: AcknowledgmentHeader, outcomes: Iterable[LineOutcome], statuses: Mapping[int, LineAckStatus]
) -> tuple[Reason, ...]:
    """A reason for each line for which it is not in force and is worse: less, later, dearer or rejected.

    `outcomes` are all its outcomes, including those for lines as they were before a change. They are compared with
    `statuses`, or with the order if a line has none. Omitted lines are ignored.
    """
    reasons = []
    for outcome in outcomes:
        current = statuses.get(outcome.line)
        in_force = current is not None and current.latest_from.transaction_id == header.transaction_id
        if in_force or not (outcome.listed or outcome.whole):
            continue
        worse = worse_than(outcome, None if current is None else current.latest)
        if worse:
            reasons.append(_reason(header, outcome, current, worse))
    return tuple(reasons)


def worse_than(outcome: LineOutcome, current: LineOutcome | None) -> tuple[str, ...]:
    """Descriptions of how an outcome is worse than the current one (None: than the order)."""
    found = []
    if _refuses(outcome) and (current is None or not _refuses(current)):
        found.append(f"no ({outcome.code})" if outcome.code else "no")
    elif _is_unread(outcome) and (current is None or not _is_unread(current)):
        found.append("a held item")
    elif current is None or current.unit == outcome.unit:
        total, expected = _coming(outcome), outcome.ordered if current is None else _coming(current)
        if total < expected:
            found.append(f"{total:f} {outcome.unit} instead of {expected:f}")
    found += _later(outcome, current)
    price, asked = outcome.price, outcome.price_sent if current is None else _price(current)
    if price is not None and asked is not None and price > asked:
        found.append(f"a price of {price:f} instead of {asked:f}")
    return tuple(found)


def _refuses(outcome: LineOutcome) -> bool:
    return AckState.REJECTED in (outcome.state, outcome.if_accepted) or outcome.rejected > 0


def _is_unread(outcome: LineOutcome) -> bool:
    return outcome.state is AckState.HELD and outcome.if_accepted is None


def _coming(outcome: LineOutcome) -> Decimal:
    """Quantity received or confirmed, without backorders."""
    return outcome.ordered - outcome.backordered - outcome.rejected - outcome.variance


def _price(outcome: LineOutcome) -> Decimal | None:
    return outcome.price if outcome.price is not None else outcome.price_sent


def _later(outcome: LineOutcome, current: LineOutcome | None) -> list[str]:
    found = []
    for what, days in (("delivery", "delivery_date"), ("ship", "ship_date")):
        stated_day = getattr(outcome, days)
        current_day = None if current is None else getattr(current, days)
        asked = max((s.due for s in outcome.schedules if s.due is not None), default=None)
        compared = current_day if current_day is not None else asked
        if stated_day is not None and compared is not None and stated_day > compared:
            found.append(f"{what} on {stated_day} instead of {compared}")
    return found


def _reason(
    header: AcknowledgmentHeader, outcome: LineOutcome, current: LineAckStatus | None, worse: tuple[str, ...]
) -> Reason:
    quote = in_quotes(outcome.words)
    processed = f"{header.processed_at:%Y-%m-%d %H:%M} UTC"
    dated = f"dated {header.dated}, processed {processed}" if header.dated is not None else f"processed {processed}"
    message = f"an acknowledgment that was not applied ({header.type_code}, {dated}) says: {', '.join(worse)}"
    if quote:
        message += f"; the supplier says: {quote}"
    if current is None:
        message += "; it acknowledges the order as it was before a change"
    else:
        source = current.latest_from
        since = source.dated if source.dated is not None else f"{source.processed_at:%Y-%m-%d %H:%M} UTC"
        message += f"; the current state is {current.latest.state} (acknowledgment of {since})"
    return Reason(
        code="not-applied",
        where=f"line {outcome.line}",
        message=message,
        # Until then the values decide which version of the order is meant, and these are those of the former.
        fix="Ask the supplier which of the two is valid. If it is this one, have it sent again with the date of that"
        " day, two days after our last document at the earliest.",
    )
