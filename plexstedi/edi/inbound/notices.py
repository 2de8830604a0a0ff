"""Notices: content of an acknowledgment that is not interpreted, reported once for review (RULES.md Reading 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from plexstedi.edi.inbound.matching import LineMatch
from plexstedi.edi.inbound.outcome import Notice
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine, Acknowledgment
from plexstedi.edi.inbound.reading.other_segments import Extra
from plexstedi.edi.reasons import Reason

_SHOWN = 20
"""Maximum number of reasons per notice: an acknowledgment may have thousands of such segments."""


def without_ignored(acknowledgment: Acknowledgment, ignored: Collection[str]) -> Acknowledgment:
    """The acknowledgment without the segments to ignore for this supplier (`ignore_segments`)."""
    if not ignored:
        return acknowledgment
    return replace(
        acknowledgment,
        currencies=_currencies(acknowledgment.currencies, ignored),
        extras=_extras(acknowledgment.extras, ignored),
        lines=tuple(_line_without(line, ignored) for line in acknowledgment.lines),
    )


def _line_without(line: AcknowledgedLine, ignored: Collection[str]) -> AcknowledgedLine:
    return replace(
        line,
        other_items=() if "LIN" in ignored else line.other_items,
        other_prices=tuple(price for price in line.other_prices if price.segment not in ignored),
        currencies=_currencies(line.currencies, ignored),
        extras=_extras(line.extras, ignored),
    )


def _currencies(currencies: tuple[str, ...], ignored: Collection[str]) -> tuple[str, ...]:
    return () if "CUR" in ignored else currencies


def _extras(extras: Iterable[Extra], ignored: Collection[str]) -> tuple[Extra, ...]:
    return tuple(extra for extra in extras if extra.segment not in ignored)


def known_currency(currency: str | None) -> str | None:
    """The order currency as an ISO 4217 code (as in X12); None if unknown."""
    code = (currency or "").strip().upper()
    return code if len(code) == 3 and code.isalpha() else None


def other_currencies(stated: Collection[str], currency: str | None) -> tuple[str, ...]:
    """Currencies that differ from that of the order; empty if the latter is unknown."""
    if not stated:
        return ()
    known = known_currency(currency)
    return () if known is None else tuple(dict.fromkeys(code for code in stated if code != known))


def notices_of(
    acknowledgment: Acknowledgment, by_line: Mapping[int, Sequence[LineMatch]], currency: str | None
) -> tuple[Notice, ...]:
    """One notice per type of segment that is not interpreted, with a reason per occurrence."""
    found: dict[str, list[Reason]] = {}
    for where, extra in _places(acknowledgment, by_line, currency):
        found.setdefault(extra.segment, []).append(_reason(where, extra))
    return tuple(Notice(segment=segment, reasons=_first(segment, reasons)) for segment, reasons in found.items())


def _places(
    acknowledgment: Acknowledgment, by_line: Mapping[int, Sequence[LineMatch]], currency: str | None
) -> Iterator[tuple[str, Extra]]:
    numbers = {match.acknowledged.position: number for number, matches in by_line.items() for match in matches}
    unknown = known_currency(currency) is None
    yield from (("order", extra) for extra in acknowledgment.extras)
    yield from (("order", _currency(code)) for code in acknowledgment.currencies if unknown)
    for line in acknowledgment.lines:
        if not (line.extras or line.currencies):
            continue
        where = f"line {numbers[line.position]}" if line.position in numbers else line.place
        yield from ((where, extra) for extra in line.extras if not extra.holds)
        yield from ((where, _currency(code)) for code in line.currencies if unknown)


def _currency(code: str) -> Extra:
    message = f"the supplier names the currency {code}, and the currency of the order as sent is not known"
    return Extra(segment="CUR", text=f"CUR {code}", message=message)


def _reason(where: str, extra: Extra) -> Reason:
    return Reason(
        code="segment-not-read",
        where=where,
        message=f"{extra.segment}: {extra.message}",
        fix="Check whether it changes what was agreed, then accept it as seen. If the supplier always sends it"
        f' and it means nothing, add "{extra.segment}" to `acknowledgments.ignore_segments`.',
    )


def _first(segment: str, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    different = tuple(dict.fromkeys(reasons))
    if len(different) <= _SHOWN:
        return different
    more = f"{segment}: {len(different) - _SHOWN} more of these in this acknowledgment"
    return (*different[:_SHOWN], replace(different[0], where="order", message=more))
