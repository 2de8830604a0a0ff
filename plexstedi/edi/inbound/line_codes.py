"""Codes of a line that hold it, whatever its values are (RULES.md Reading 2 and 6)."""

from __future__ import annotations

from plexstedi.edi.inbound.findings import DECIDE, Findings
from plexstedi.edi.inbound.reading.ack_codes import (
    DELETING_CHANGES,
    REFUSING_CHANGE,
    REPLACING_CHANGES,
    LineMeaning,
    line_in_words,
    line_meaning,
)
from plexstedi.edi.inbound.reading.acknowledgment import AcknowledgedLine
from plexstedi.edi.settings import SupplierSettings


def check_change_code(ack_line: AcknowledgedLine, findings: Findings, settings: SupplierSettings) -> None:
    """POC02 of an 865 that says more than its ACK: only raises the severity (RULES.md Reading 2)."""
    code = ack_line.change_code
    if code in DELETING_CHANGES and ack_line.details:
        findings.hold("deletion-not-asked", f"the supplier deletes the line (POC02 {code}), which was not requested")
    elif code == REFUSING_CHANGE and any(
        line_meaning(detail.code, settings.acknowledgments) is not LineMeaning.REJECTED for detail in ack_line.details
    ):
        findings.hold("change-refused", f"POC02 {code} refuses the change of the line, but its ACK does not")
    elif code in REPLACING_CHANGES:
        findings.hold("other-part", f"the supplier wants to deliver another item (POC02 {code})")


def check_status_codes(ack_line: AcknowledgedLine, findings: Findings, settings: SupplierSettings) -> None:
    """An ACK01 that needs review, or is unknown, holds the line (RULES.md Reading 6)."""
    for detail in ack_line.details:
        if detail.code and line_meaning(detail.code, settings.acknowledgments) is LineMeaning.HOLD:
            findings.hold(
                "code-held",
                f"ACK01 is {line_in_words(detail.code)}",
                f"{DECIDE}, or set `acknowledgments.line_codes.{detail.code}` of this supplier",
            )
