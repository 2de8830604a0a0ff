"""One number on two orders of Plex, or on two invoices: which of them may use it (RULES.md Sending 10). Pure.

The number is what a supplier knows an order by, and what the idempotency key names: a second order under it would be
taken for the first. The one that has it goes on, every other is held.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from plexstedi.edi.reasons import Reason


class Use(IntEnum):
    """How far an order has come with a number; the lower has it before the higher."""

    SENT = 0
    """A document was frozen or went out under it: taken for good, also once the order is cancelled or deleted."""
    KNOWN = 1
    """The partner knows the order by it, through other means."""
    FILE = 2
    """Stedi has a file under it whose order Plex no longer has."""
    WANTED = 3
    """It may yet go out under it."""
    NONE = 4
    """Cancelled, deleted, not released or not traded by EDI, and never sent: asks for nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One order (or invoice) of Plex and a number that it has, or was sent under."""

    id: str
    """Plex's id; of a file without an order its name."""
    number: str
    partner: str
    """The supplier's code; of an invoice the customer's."""
    status: str
    """As Plex names it, for people."""
    created_at: datetime | None
    """In Plex."""
    first_seen: datetime
    use: Use
    since: int = 0
    """Of those with the same use `SENT`: the lower was sent first."""


def number_key(number: str, *, uppercase: bool = False) -> str:
    """Equal for numbers that a partner cannot tell apart: those that differ in blanks only.

    `uppercase`: the partner gets its texts in capitals, so case does not tell them apart either.
    """
    bare = "".join(number.split())
    return bare.upper() if uppercase else bare


def search_key(number: str) -> str:
    """Equal for all numbers that anybody may take for the same: the state finds them by it, others decide.

    It ignores blanks, case and leading zeros. Part of the schema: another key needs a migration.
    """
    return "".join(number.split()).casefold().upper().casefold().lstrip("0")


def holder(claims: Collection[Claim]) -> Claim | None:
    """Who has the number; None while nobody asks for it.

    The one that was sent first; else the one that is known by it; else the first created in Plex, the first seen, the
    lowest id. So it is the same in every run.
    """
    return min((claim for claim in claims if claim.use is not Use.NONE), key=_rank, default=None)


def _rank(claim: Claim) -> tuple[int, int, datetime, datetime, str]:
    created = claim.created_at or datetime.max.replace(tzinfo=UTC)
    return claim.use, claim.since, created, claim.first_seen, claim.id


def taken_by(mine: str, claims: Collection[Claim]) -> Claim | None:
    """The other order that has the number which `mine` (an id) is to be sent under; None if it may go."""
    found = holder(claims)
    return None if found is None or found.id == mine else found


def number_taken(mine: Claim, other: Claim, *, noun: str = "order") -> Reason:
    """Why `mine` is held, with both named. `noun`: order or invoice.

    The words are the same before and after the other one is sent, so that nobody is told twice.
    """
    return Reason(
        code="number-taken",
        where="order",
        message=f"number {mine.number} is on two {noun}s of Plex: this one ({_words(mine)}) and"
        f" {_which(other, mine, noun)} ({_words(other)}), which has it",
        fix=f"Give this {noun} another number in Plex: the next run sends it under the new number. Or cancel it in "
        "Plex. Cancelling the other one frees the number only if it was never sent.",
    )


def _words(claim: Claim) -> str:
    partner = [claim.partner] if claim.partner else []
    created = "creation date unknown" if claim.created_at is None else f"created {_moment(claim.created_at)}"
    return ", ".join([*partner, claim.status, created, claim.id])


def _which(other: Claim, mine: Claim, noun: str) -> str:
    if other.use is Use.FILE:
        return (
            f"an order that Plex no longer has and that Stedi has a file for, to {other.partner or 'another partner'}"
        )
    return f"the {noun}" if other.number == mine.number else f"the {noun} {other.number!r}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class PossibleOwner:
    """An order (or invoice) that files found at Stedi under its number may be of."""

    id: str
    has_documents: bool
    """Earlier files of that number are known to be its own."""
    says_it: bool
    """A revision of it renders to what the last file says."""
    same_partner: bool
    """Its partner is traded with over the partnership that the file went over."""
    there: bool
    """Plex still has it."""
    created_at: datetime | None


def owner_of_files(owners: Collection[PossibleOwner], first_file: datetime) -> str | None:
    """Whose files they are, by id; None if that is nobody's, or cannot be told.

    An order that was made after its first file cannot be it: the number was given out again. Of the others the one
    whose earlier files are known, then the one that says what the last file says, then its partner's, then the one
    that is still there.
    """
    left = [each for each in owners if each.created_at is None or each.created_at <= first_file + CLOCKS_DIFFER]
    for choose in (
        [each for each in left if each.has_documents],
        [each for each in left if each.says_it],
        [each for each in left if each.same_partner],
        [each for each in left if each.there],
    ):
        if len(left) > 1 and choose:
            left = [each for each in left if each in choose]
    return left[0].id if len(left) == 1 else None


CLOCKS_DIFFER = timedelta(minutes=15)
"""Plex and Stedi may have different times by so much."""
