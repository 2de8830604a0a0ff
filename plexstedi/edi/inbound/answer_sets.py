"""The transaction sets that suppliers answer with, by what they speak of."""

from __future__ import annotations

ACKNOWLEDGMENTS = ("855", "865")
"""Of the order."""
ENVELOPE_ANSWERS = ("997", "TA1")
"""Of what carried it: the functional group, the interchange."""
READ_SETS = (*ACKNOWLEDGMENTS, *ENVELOPE_ANSWERS)
