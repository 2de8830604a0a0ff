"""Decide which of several orders (or invoices) in Plex with the same number may use it (RULES.md Sending 10). Pure.

A supplier identifies an order by its number, and so does the idempotency key: a second order with the number would be
taken for the first. The owner of the number is sent; every other one is held.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from msgspec import Struct

from plexstedi.edi.reasons import Reason


class Use(IntEnum):
    """How an order uses a number. A lower value has precedence over a higher one."""

    SENT = 0
    """A document was frozen or sent under it: taken permanently, even if the order is cancelled or deleted later."""
    KNOWN = 1
    """The partner knows the order by this number from outside EDI."""
    FILE = 2
    """Stedi has a file under it whose order no longer exists in Plex."""
    WANTED = 3
    """It may still be sent under it."""
    NONE = 4
    """Cancelled, deleted, not released or not traded by EDI, and never sent: no claim."""


class Claim(Struct, frozen=True):
    """An order (or invoice) in Plex with a number that it has or was sent under."""

    id: str
    """Plex id; the file name for a file without an order."""
    number: str
    partner: str
    """Supplier code; customer code for an invoice."""
    status: str
    """Plex status name, for display."""
    created_at: datetime | None
    """In Plex."""
    first_seen: datetime
    use: Use
    since: int = 0
    """Sequence of sending among claims with use `SENT`: the lower was sent first."""


def number_key(number: str, *, uppercase: bool = False) -> str:
    """Comparison key: equal for numbers that differ only in blanks, which a partner cannot distinguish.

    `uppercase`: text is sent in capitals, so case is ignored as well.
    """
    bare = "".join(number.split())
    return bare.upper() if uppercase else bare


def search_key(number: str) -> str:
    """Equal for all numbers that anybody may take for the same: the state finds them by it, others decide.

    It ignores blanks, case and leading zeros. Part of the schema: another key needs a migration.
    """
    return "".join(number.split()).casefold().upper().casefold().lstrip("0")


def holder(claims: Collection[Claim]) -> Claim | None:
    """The claim that owns the number; None if there is no claim to it.

    The one sent first; else the one that the partner knows by it; else the first created in Plex, the first read, the
    lowest id. The result is the same in every run.
    """
    return min((claim for claim in claims if claim.use is not Use.NONE), key=_rank, default=None)


def _rank(claim: Claim) -> tuple[int, int, datetime, datetime, str]:
    created = claim.created_at or datetime.max.replace(tzinfo=UTC)
    return claim.use, claim.since, created, claim.first_seen, claim.id


def taken_by(mine: str, claims: Collection[Claim]) -> Claim | None:
    """The other order that owns the number of `mine` (an id); None if `mine` may be sent."""
    found = holder(claims)
    return None if found is None or found.id == mine else found


def number_taken(mine: Claim, other: Claim, *, noun: str = "order") -> Reason:
    """Reason to hold `mine`, naming both. `noun`: order or invoice.

    The text does not change when the other one is sent, so that no second review item opens.
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


class PossibleOwner(Struct, frozen=True):
    """An order (or invoice) that may own files found at Stedi under its number."""

    id: str
    has_documents: bool
    """It has known documents with that number."""
    matches_content: bool
    """One of its revisions renders to the content of the last file."""
    same_partner: bool
    """The file was sent over the partnership of its partner."""
    in_plex: bool
    """It still exists in Plex."""
    created_at: datetime | None


def owner_of_files(owners: Collection[PossibleOwner], first_file: datetime) -> str | None:
    """Id of the owner of the files; None if there is none or it cannot be determined.

    An order created after the first file is excluded: its number was reused. Of the others, precedence has one with
    known earlier documents, then one that renders to the last file, then one of the same partner, then one that still
    exists in Plex.
    """
    left = [each for each in owners if each.created_at is None or each.created_at <= first_file + CLOCK_TOLERANCE]
    for choose in (
        [each for each in left if each.has_documents],
        [each for each in left if each.matches_content],
        [each for each in left if each.same_partner],
        [each for each in left if each.in_plex],
    ):
        if len(left) > 1 and choose:
            left = [each for each in left if each in choose]
    return left[0].id if len(left) == 1 else None


CLOCK_TOLERANCE = timedelta(minutes=15)
"""Assumed maximum difference between the clocks of Plex and Stedi."""
