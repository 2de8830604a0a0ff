"""Allocate promised quantities with dates to the ordered releases with due dates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from plexstedi.edi.inbound.outcome import ConfirmedSchedule
from plexstedi.edi.inbound.reading.dates import NO_PROMISES, Promises
from plexstedi.edi.sent import SentSchedule


class Piece(Struct, frozen=True):
    """A quantity (in the unit sent) with one ship and one delivery promise."""

    quantity: Decimal
    backordered: bool = False
    promises: Promises = NO_PROMISES
    release_id: str | None = None
    """Plex id of the release that the acknowledgment names; None: allocated by date."""


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces with a quantity: confirmed before backordered, each sorted by delivery date, else by ship date."""
    found = [piece for piece in pieces if piece.quantity > 0]
    if len(found) > 1:
        found.sort(key=_order)
    return found


def _order(piece: Piece) -> tuple[bool, date]:
    """A piece without a date sorts last."""
    promise = piece.promises.delivery or piece.promises.ship
    return piece.backordered, date.max if promise is None else promise.on


def without(pieces: Iterable[Piece], received: Decimal) -> list[Piece]:
    """The pieces less the received quantity, which is taken from the earliest ones."""
    left, rest = received, []
    for piece in in_order(pieces):
        taken = min(left, piece.quantity)
        left -= taken
        if taken < piece.quantity:
            rest.append(replace(piece, quantity=piece.quantity - taken))
    return rest


def still_open(schedules: Sequence[SentSchedule], received: Decimal) -> list[SentSchedule]:
    """The releases less the received quantity, earliest due date first (one without a date last)."""
    left, rest = received, []
    for schedule in sorted(schedules, key=lambda s: (s.due or date.max, s.release_number)):
        if left == 0 < schedule.quantity:
            rest.append(schedule)
            continue
        taken = min(left, schedule.quantity)
        left -= taken
        if taken < schedule.quantity:
            rest.append(replace(schedule, quantity=schedule.quantity - taken))
    return rest


def allocate(pieces: Sequence[Piece], schedules: Sequence[SentSchedule]) -> tuple[ConfirmedSchedule, ...]:
    """Allocate each piece to the release that it names, else the earliest promise to the earliest due date.

    A quantity beyond all releases is allocated to the last one. Pieces that name no release are `in_order`.
    """
    result: list[ConfirmedSchedule] = []
    named = [piece for piece in pieces if piece.release_id is not None]
    if named:
        for schedule in schedules:
            for piece in in_order([p for p in named if p.release_id == schedule.release_id]):
                _add(result, piece, piece.quantity, schedule)
        known = {schedule.release_id for schedule in schedules}
        # A release deleted since it was sent is unknown here: its pieces are allocated by date like unnamed ones.
        pieces = in_order([p for p in pieces if p.release_id not in known])
    _by_date(result, pieces, schedules)
    return tuple(result)


def _by_date(result: list[ConfirmedSchedule], pieces: Sequence[Piece], schedules: Sequence[SentSchedule]) -> None:
    queue = deque([(schedule, schedule.quantity) for schedule in schedules])
    last = schedules[-1] if schedules else None
    for piece in pieces:
        left = piece.quantity
        while left > 0 and queue:
            schedule, space = queue.popleft()
            taken = min(left, space)
            _add(result, piece, taken, schedule)
            left -= taken
            if taken < space:
                queue.appendleft((schedule, space - taken))
        if left > 0:
            _add(result, piece, left, last)


def _add(result: list[ConfirmedSchedule], piece: Piece, quantity: Decimal, release: SentSchedule | None) -> None:
    if quantity == 0:
        return
    ship, delivery = piece.promises.ship, piece.promises.delivery
    entry = ConfirmedSchedule(
        quantity=quantity,
        backordered=piece.backordered,
        ship_date=ship.on if ship else None,
        ship_qualifier=ship.qualifier if ship else None,
        delivery_date=delivery.on if delivery else None,
        delivery_qualifier=delivery.qualifier if delivery else None,
        release_id=release.release_id if release else None,
        release_number=release.release_number if release else None,
        due=release.due if release else None,
    )
    last = result[-1] if result else None
    same_release = last is not None and last.release_id == entry.release_id
    if last is not None and same_release and last == replace(entry, quantity=last.quantity):
        result[-1] = replace(entry, quantity=last.quantity + quantity)
    else:
        result.append(entry)
