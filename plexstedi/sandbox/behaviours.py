"""How the made-up suppliers behave, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Character(StrEnum):
    """A supplier's way of answering."""

    PROMPT = "prompt"
    """Accepts everything as ordered (IA)."""
    DATES = "dates"
    """Accepts, but moves ship (068) or delivery (067) dates to later."""
    PARTIAL = "partial"
    """Confirms a part (IA) and backorders the rest (IB)."""
    SPLITTING = "splitting"
    """Splits a line over several ACK, or over SCH where several releases were ordered."""
    ECHO = "echo"
    """AD with the order's lines and no ACK at all."""
    BARE = "bare"
    """AK without any line."""
    RENUMBERING = "renumbering"
    """Own PO101; the part number is right."""
    WRONG_UNITS = "wrong-units"
    """Answers in cases of twelve (CA) what was ordered in EA."""
    SLOPPY = "sloppy"
    """Codes that disagree with the values they stand beside."""
    CORRECTED = "corrected"
    """A first 855 with late dates, later a second one that confirms all."""
    REJECTING = "rejecting"
    """Rejects a line (IR), or a one-line order (RD), with a reason."""
    REJECTS_SYNTAX = "rejects-syntax"
    """A 997 that rejects the document; no 855."""
    LATE = "late"
    """997 in time, 855 after days."""
    SILENT = "silent"
    """Never answers."""


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
"""Dealt out to suppliers in this order, again and again: most agree, a few need a decision, some are late."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Times from delivery: to the 997, to the 855 (between two bounds), to a correction, to a late answer."""

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
"""For virtual time: minutes, hours and days."""

HAND_DELAYS = Delays(
    functional=timedelta(seconds=2),
    business_least=timedelta(seconds=3),
    business_most=timedelta(seconds=8),
    correction=timedelta(minutes=10),
    late=timedelta(hours=1),
)
"""For trying things by hand in real time."""
