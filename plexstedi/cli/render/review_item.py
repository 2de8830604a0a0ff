"""One review item on the terminal: why, ordered against acknowledged, and what each decision does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from plexstedi.cli.render.layout import Mark
from plexstedi.cli.render.sections import NOTHING, day, instant, words
from plexstedi.cli.render.tables import plain, print_table, x12_lines
from plexstedi.cli.render.terminal import head, say
from plexstedi.edi.inbound.outcome import ConfirmedSchedule, LineOutcome
from plexstedi.edi.reasons import Reason
from plexstedi.state.reviews import Review
from plexstedi.sync.people.review import Consequence, ReviewDetail, ReviewLine
from plexstedi.sync.report.lines import plain_quantity

DIFFERS = "*"


class ComparedValue(Struct, frozen=True):
    """One value of a line, as ordered and as acknowledged."""

    what: str
    ordered: str
    acknowledged: str
    differs: bool


def compared(line: ReviewLine) -> list[ComparedValue]:
    """Quantity, days and price of a line, ordered against acknowledged, each with whether it differs."""
    stated = line.acknowledged
    values = [_quantities(stated), *_days(stated)]
    if line.ordered is not None:
        # Prices are compared per unit, as the acknowledgment's reconciliation does.
        sent = stated.price_sent if stated.price_sent is not None else line.ordered.price
        if stated.price is not None:
            values.append(ComparedValue("price", f"{sent:f}", f"{stated.price:f}", stated.price != sent))
    return values


def _quantities(stated: LineOutcome) -> ComparedValue:
    parts = [
        (stated.confirmed, "confirmed"),
        (stated.backordered, "backordered"),
        (stated.rejected, "rejected"),
        (stated.variance, "not accounted for"),
    ]
    said = [f"{plain_quantity(quantity)} {word}" for quantity, word in parts if quantity]
    return ComparedValue(
        "quantity",
        f"{plain_quantity(stated.open)} {stated.unit}",
        ", ".join(said) or "nothing stated",
        stated.confirmed != stated.open,
    )


def _days(stated: LineOutcome) -> list[ComparedValue]:
    """Each promised part beside the day that its quantity is due; an earlier day does not differ."""
    return [
        ComparedValue(
            "when" if number == 0 else "",
            f"{plain_quantity(part.quantity)} due {day(part.due)}",
            _promise(part),
            part.backordered or _is_later(part),
        )
        for number, part in enumerate(stated.schedules)
    ]


def _is_later(part: ConfirmedSchedule) -> bool:
    promised = part.delivery_date or part.ship_date
    return part.due is not None and promised is not None and promised > part.due


def _promise(part: ConfirmedSchedule) -> str:
    said = ["backordered"] if part.backordered else []
    if part.ship_date is not None:
        said.append(f"ships {day(part.ship_date)}")
    if part.delivery_date is not None:
        said.append(f"arrives {day(part.delivery_date)}")
    return ", ".join(said) or "without a day"


def show_review(found: ReviewDetail, *, ids: bool = False) -> None:
    """Print the item. `ids`: with file names, keys and transactions."""
    review = found.review
    _show_title(review)
    if ids:
        say(f"about {plain(review.subject.text)}", indent="  ")
    _show_reasons(review.reasons)
    if found.document is not None:
        document = found.document
        say(f"Document {document.id}: {document.kind}, revision {document.revision}, {words(document.state)}")
        if ids:
            say(f"file {document.file_name}", indent="  ")
            say(f"key  {document.idempotency_key}", indent="  ")
    _show_acknowledged(found)
    _show_consequence("Accept", found.accept, review)
    _show_consequence("Reject", found.reject, review)
    if found.x12 is not None:
        head("As X12")
        if found.x12:
            print(x12_lines(found.x12))
        else:
            say("It was deleted (state.keep_days).")
    for version in found.versions.versions:
        head(f"{plain(version.title)}")
        if version.x12 is not None:
            print(x12_lines(version.x12))
    if found.versions.differences:
        head("Only in the first (-), only in the second (+)")
        for line in found.versions.differences:
            print(f"  {plain(line)}")


def show_to_decide(found: ReviewDetail) -> None:
    """Print what a decision needs: why, ordered against acknowledged, and a sentence for each decision."""
    _show_title(found.review)
    _show_reasons(found.review.reasons)
    _show_acknowledged(found)
    print()
    for verb, consequence in (("accept", found.accept), ("reject", found.reject)):
        possible = "" if consequence.possible else "not possible. "
        say(f"{verb}: {possible}{plain(consequence.words)}", hanging="  ")


def _show_title(review: Review) -> None:
    about = f"order {review.order_number}" if review.order_number else review.subject.text
    say(
        f"Review {review.id}: {review.kind.value.replace('-', ' ')}, {plain(about)},"
        f" supplier {plain(review.supplier or 'unknown')}",
        mark=Mark.HEAD,
    )
    say(f"since {instant(review.opened_at)}", indent="  ")


def _show_acknowledged(found: ReviewDetail) -> None:
    _show_lines(found.lines, found.review)
    for unmatched in found.unmatched:
        say(plain(unmatched.reason), indent="  ")


def _show_reasons(reasons: Iterable[Reason]) -> None:
    """Each reason; the same fix of several once, below them."""
    by_fix: dict[str, list[Reason]] = {}
    for reason in reasons:
        by_fix.setdefault(reason.fix, []).append(reason)
    for fix, of_it in by_fix.items():
        for reason in of_it:
            say(f"{plain(reason.where)}: {plain(reason.message)}", indent="  ", hanging="    ")
        say(f"fix: {plain(fix)}", indent="    ", hanging="         ")


def _show_lines(lines: Sequence[ReviewLine], review: Review) -> None:
    """Lines with a difference side by side; the others by number."""
    printed = {str(reason) for reason in review.reasons}
    as_ordered: list[int] = []
    for line in lines:
        values, stated = compared(line), line.acknowledged
        if not any(value.differs for value in values):
            as_ordered.append(stated.line)
            continue
        code = f" ({plain(stated.code)})" if stated.code else ""
        accepted = "" if stated.if_accepted is None else f"; if accepted: {stated.if_accepted.value}"
        print_table(
            ("", "ordered", f"acknowledged{code}", "differs"),
            [
                (value.what, value.ordered, value.acknowledged, DIFFERS if value.differs else NOTHING)
                for value in values
            ],
            title=f"Line {stated.line}, {stated.state.value}{accepted}",
        )
        _show_reasons(reason for reason in stated.reasons if str(reason) not in printed)
    if as_ordered:
        print()
        noun = "Line" if len(as_ordered) == 1 else "Lines"
        say(f"{noun} {', '.join(map(str, as_ordered))}: acknowledged as ordered.")


def _show_consequence(verb: str, consequence: Consequence, review: Review) -> None:
    print()
    if not consequence.possible:
        say(f"{verb}: not possible. {consequence.words}", hanging="  ")
        return
    say(f"{verb}: plexstedi review {verb.lower()} {review.id} --reason TEXT", mark=Mark.HEAD)
    say(consequence.words, indent="  ")
    if not consequence.writes:
        return
    say("Then written to Plex:", indent="  ")
    of_place: dict[str, list[str]] = {}
    for entry in consequence.writes:
        place = "order" if entry.line is None else f"line {entry.line}"
        value = "(empty)" if entry.value is None else plain(entry.value)
        of_place.setdefault(place, []).append(f"{plain(entry.field)} = {value}")
    for place, values in of_place.items():
        say(f"{place}: {', '.join(values)}", indent="    ", hanging="      ")
    for why in dict.fromkeys(plain(entry.why) for entry in consequence.writes):
        say(f"because {why}", indent="    ", hanging="      ")
