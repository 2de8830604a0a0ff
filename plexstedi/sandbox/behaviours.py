"""The behaviours and response times of the simulated suppliers."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct


class Character(StrEnum):
    """How a simulated supplier acknowledges documents."""

    PROMPT = "prompt"
    """Accepts everything as ordered (IA)."""
    DATES = "dates"
    """Accepts, but with later ship (068) or delivery (067) dates."""
    PARTIAL = "partial"
    """Confirms part of the quantity (IA) and backorders the rest (IB)."""
    SPLITTING = "splitting"
    """Splits a line into several ACK, or into SCH if several releases were ordered."""
    ECHO = "echo"
    """AD (BAK02) with the order's lines, without any ACK."""
    BARE = "bare"
    """AK (BAK02) without lines."""
    RENUMBERING = "renumbering"
    """Uses its own PO101; the part number is correct."""
    WRONG_UNITS = "wrong-units"
    """Acknowledges in cases of twelve (CA) what was ordered in EA."""
    SLOPPY = "sloppy"
    """Status codes that contradict the acknowledged values."""
    CORRECTED = "corrected"
    """A first 855 with late dates, later a second one that confirms everything."""
    REJECTING = "rejecting"
    """Rejects a line (IR), or a one-line order (RD), with a reason."""
    REJECTS_SYNTAX = "rejects-syntax"
    """A 997 that rejects the document; no 855."""
    LATE = "late"
    """997 in time, 855 after days."""
    SILENT = "silent"
    """Sends nothing back."""


DEFAULT_CHARACTERS = (
    Character.PROMPT,
    Character.DATES,
    Character.SPLITTING,
    Character.PROMPT,
    Character.PARTIAL,
    Character.RENUMBERING,
    Character.ECHO,
    Character.WRONG_UNITS,
    Character.CORRECTED,
    Character.SLOPPY,
    Character.LATE,
    Character.REJECTING,
    Character.BARE,
    Character.PROMPT,
    Character.REJECTS_SYNTAX,
    Character.SILENT,
)
"""Assigned to suppliers in rotation: most accept, a few need review, some are late."""


class Delays(Struct, frozen=True):
    """Delays after delivery: of the 997, the 855 (between two bounds), a correction, and a late acknowledgment."""

    functional: timedelta
    business_least: timedelta
    business_most: timedelta
    correction: timedelta
    late: timedelta


DEMO_DELAYS = Delays(
    functional=timedelta(minutes=5),
    business_least=timedelta(minutes=20),
    business_most=timedelta(minutes=90),
    correction=timedelta(hours=26),
    late=timedelta(days=4),
)
"""For simulated time: minutes, hours and days."""

HAND_DELAYS = Delays(
    functional=timedelta(seconds=2),
    business_least=timedelta(seconds=3),
    business_most=timedelta(seconds=8),
    correction=timedelta(minutes=10),
    late=timedelta(hours=1),
)
"""For manual use in real time."""
