"""The texts of alerts: about what is new, and digests of what is open, also per supplier."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from plexstedi.edi.reasons import Reason
from plexstedi.errors import PlexStediError
from plexstedi.internal import redacted
from plexstedi.plain_text import hanging, many, one_line, visible, visible_json
from plexstedi.state.reviews import Review

_MOST_LINES = 50
_NO_SUPPLIER = "no supplier"


class Kind(StrEnum):
    """The kinds of messages."""

    NEWS = "news"
    """Faults and review items of one run that were not reported before."""
    DIGEST = "digest"
    """All that is open."""
    FAILED_RUN = "failed-run"
    """A run that could not start, or whose ending the state could not record."""
    TEST = "test"


class AlertFault(Struct, frozen=True):
    """A fault in an alert."""

    code: str
    message: str
    fix: str


class AlertItem(Struct, frozen=True):
    """An open review item in a digest."""

    id: int
    kind: str
    order: str | None
    supplier: str | None
    line: int | None
    since: datetime
    reasons: tuple[Reason, ...]


class AlertJson(Struct, frozen=True):
    """What `alerts.command` gets with `command_format = "json"`."""

    schema: int
    kind: Kind
    subject: str
    text: str
    faults: tuple[AlertFault, ...]
    news: tuple[str, ...]
    """New review items, as text."""
    items: tuple[AlertItem, ...]
    """Of a digest: open review items."""


class Message(Struct, frozen=True):
    """An alert: one line, the full text, and what both were made of."""

    subject: str
    text: str
    html: str | None = None
    kind: Kind = Kind.NEWS
    faults: tuple[PlexStediError, ...] = ()
    news: tuple[str, ...] = ()
    items: tuple[Review, ...] = ()
    to: tuple[str, ...] = ()
    """Only these, by email; empty: everybody."""

    def shown(self) -> Message:
        """With invisible characters as escapes."""
        return replace(self, subject=one_line(self.subject), text=visible(self.text))

    def as_json(self) -> str:
        """One JSON object on one line."""
        told = AlertJson(
            schema=1,
            kind=self.kind,
            subject=self.subject,
            text=self.text,
            faults=tuple(AlertFault(code=one.code, message=one.message, fix=one.fix) for one in self.faults),
            news=self.news,
            items=tuple(map(_item, self.items)),
        )
        text = json.dumps(to_builtins(told), ensure_ascii=False)
        return visible_json(redacted(text)) + "\n"


def _item(review: Review) -> AlertItem:
    return AlertItem(
        id=review.id,
        kind=str(review.kind),
        order=review.order_number,
        supplier=review.supplier,
        line=review.line,
        since=review.opened_at,
        reasons=review.reasons,
    )


def news_message(news: Sequence[str], faults: Sequence[PlexStediError]) -> Message:
    """The alert about new review items (`news`) and faults of one run."""
    lines = [f"{fault.message}\n  fix: {fault.fix}" for fault in faults] + list(news)
    head = lines[0].splitlines()[0]
    subject = f"plexstedi: {head}" if len(lines) == 1 else f"plexstedi: {len(lines)} items need review"
    return Message(
        _one_line(subject),
        _listed(lines) + "\nSee `plexstedi review list` and `plexstedi status`.\n",
        kind=Kind.NEWS,
        faults=tuple(faults),
        news=tuple(news),
    )


def failed_run_message(faults: Sequence[PlexStediError], *, started: bool) -> Message:
    """The alert about a run without a session, or whose ending the state could not record."""
    head = "the run ended early" if started else "the run could not start"
    words = "\n\n".join(f"{fault.message}\n  fix: {fault.fix}" for fault in faults)
    return Message(
        f"plexstedi: {head}",
        f"{head[0].upper()}{head[1:]}.\n\n{words}\n",
        kind=Kind.FAILED_RUN,
        faults=tuple(faults),
    )


def digest_message(items: Sequence[Review], faults: Sequence[PlexStediError], now: datetime) -> Message:
    """The digest of all open review items and faults, supplier by supplier."""
    count = len(faults) + len(items)
    return _digest(f"plexstedi: {_counted(count)}", items, faults, now)


def own_digests(
    suppliers: Mapping[str, Sequence[str]],
    buyers: Mapping[str, Sequence[str]],
    items: Sequence[Review],
    buyer_of: Callable[[Review], str | None],
    now: datetime,
) -> list[Message]:
    """One digest per person that buys at a supplier, or that issued orders, with these open items only.

    `suppliers`, `buyers`: addresses by supplier code, and by Plex's id of who issued an order.
    """
    own: dict[str, dict[int, Review]] = {}
    for review in items:
        issued_by = buyer_of(review) if buyers else None
        addresses = [*suppliers.get(review.supplier or "", ()), *buyers.get(issued_by or "", ())]
        for address in addresses:
            own.setdefault(address, {})[review.id] = review
    digests = []
    for address, reviews in own.items():
        found = {review.supplier or _NO_SUPPLIER for review in reviews.values()}
        about = f"{next(iter(found))}: " if len(found) == 1 else ""
        subject = f"plexstedi: {about}{_counted(len(reviews))}"
        digests.append(replace(_digest(subject, list(reviews.values()), (), now), to=(address,)))
    return digests


def _counted(count: int) -> str:
    return f"{count} {'item needs' if count == 1 else 'items need'} review"


def _digest(subject: str, items: Sequence[Review], faults: Sequence[PlexStediError], now: datetime) -> Message:
    ordered = sorted(items, key=lambda review: (review.supplier is None, review.supplier or "", review.opened_at))
    left = max(0, len(faults) + len(ordered) - _MOST_LINES)
    shown = ordered[: max(0, _MOST_LINES - len(faults))]
    groups: dict[str, list[Review]] = {}
    for review in shown:
        groups.setdefault(review.supplier or _NO_SUPPLIER, []).append(review)
    more = f"- and {left} more\n" if left else ""
    text = "".join(f"{hanging(f'- {fault.message}')}\n" for fault in faults[:_MOST_LINES])
    for supplier, reviews in groups.items():
        text += f"\n{one_line(supplier)}\n" + "".join(f"{hanging(f'- {_line(each, now)}')}\n" for each in reviews)
    text += f"{more}\nSee `plexstedi review list`; `plexstedi review show ID` shows what accept and reject do.\n"
    return Message(
        _one_line(subject),
        text.lstrip("\n"),
        html=_html(subject, groups, faults[:_MOST_LINES], left, now),
        kind=Kind.DIGEST,
        faults=tuple(faults),
        items=tuple(ordered),
    )


def _line(review: Review, now: datetime) -> str:
    about = f"order {review.order_number}" if review.order_number else review.subject.text
    why = "; ".join(reason.message for reason in review.reasons)
    return (
        f"review {review.id}: {about} ({review.supplier or _NO_SUPPLIER}), {review.kind},"
        f" for {many((now - review.opened_at).days, 'day')}: {why}"
    )


def _html(
    subject: str,
    groups: dict[str, list[Review]],
    faults: Sequence[PlexStediError],
    left: int,
    now: datetime,
) -> str:
    """The digest as a page for mail programs: no style sheet, no image, nothing that is fetched."""
    parts = [f"<h2>{_escaped(subject)}</h2>"]
    if faults:
        rows = "".join(f"<li>{_escaped(fault.message)}<br>{_escaped(fault.fix)}</li>" for fault in faults)
        parts.append(f"<ul>{rows}</ul>")
    for supplier, reviews in groups.items():
        parts.append(f"<h3>{_escaped(supplier)}</h3>")
        parts.append('<table border="1" cellpadding="4" cellspacing="0">')
        heads = ("Review", "Order", "Line", "Kind", "Days", "Why", "What to do")
        parts.append("<tr>" + "".join(f'<th align="left">{head}</th>' for head in heads) + "</tr>")
        for review in reviews:
            cells = (
                str(review.id),
                review.order_number or review.subject.text,
                "" if review.line is None else str(review.line),
                str(review.kind),
                str((now - review.opened_at).days),
                "; ".join(reason.message for reason in review.reasons),
                " ".join(dict.fromkeys(reason.fix for reason in review.reasons)),
            )
            parts.append("<tr>" + "".join(f'<td valign="top">{_escaped(text)}</td>' for text in cells) + "</tr>")
        parts.append("</table>")
    if left:
        parts.append(f"<p>and {left} more</p>")
    return '<!doctype html><html><head><meta charset="utf-8"></head><body>' + "\n".join(parts) + "</body></html>\n"


def _escaped(text: str) -> str:
    # Its table of entities is for mails in HTML alone.
    from html import escape

    return escape(one_line(text))


def _listed(lines: Sequence[str]) -> str:
    shown = "\n".join(hanging(f"- {line}") for line in lines[:_MOST_LINES])
    left = len(lines) - _MOST_LINES
    return f"{shown}\n- and {left} more\n" if left > 0 else f"{shown}\n"


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:117]}..."
