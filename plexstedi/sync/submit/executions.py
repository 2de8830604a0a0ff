"""Read Stedi's execution feed before anything is sent: it shows which files were really sent, and which failed.

An outbound file with one of our names that the ledger lacks means that this state is old or was lost: nothing is then
sent before `plexstedi recover` (DESIGN.md section 6 "Sending").
"""

from __future__ import annotations

from plexstedi.edi.document_name import name_prefix, parse_file_name
from plexstedi.edi.reasons import Reason
from plexstedi.errors import SuspicionStop
from plexstedi.plain_text import many
from plexstedi.state.executions import ExecutionRecord
from plexstedi.state.reviews import ReviewKind
from plexstedi.state.subject import Subject
from plexstedi.stedi.models import INBOUND, OUTBOUND, Execution
from plexstedi.sync.feed import EXECUTIONS, never_read, read_feed, record_entries
from plexstedi.sync.partners import customer_of, supplier_of
from plexstedi.sync.session import Session


def check_executions(session: Session) -> None:
    """Read the feed to its end and store relevant executions. Raise SuspicionStop on files that the ledger lacks."""
    read_executions(session)
    _stop_on_unknown_files(session)


def read_executions(session: Session, *, all_of_ours: bool = False) -> None:
    """Store relevant executions of the feed; a state that never read it first lists all files of this tenant.

    A lost state is thus noticed however long ago the last file was sent.
    """
    # The feed starts at `feed_start`; a lost state may have sent files before that.
    if all_of_ours or never_read(session, EXECUTIONS):
        _list_all_of_ours(session)
    read_feed(session, EXECUTIONS, _note_execution)


def _list_all_of_ours(session: Session) -> None:
    ours = name_prefix(session.config.tenant, session.config.stedi.usage_indicator)
    for page in session.services.stedi.executions(display_name=ours):
        with session.store.transaction():
            record_entries(session, EXECUTIONS, page, _note_execution)
        session.checkpoint()


def is_ours(session: Session, file_name: str | None) -> bool:
    """Whether a file name follows our scheme, with this tenant and usage indicator."""
    parsed = parse_file_name(file_name or "")
    ours = (session.config.tenant, session.config.stedi.usage_indicator)
    return parsed is not None and (parsed[0].tenant, parsed[0].usage) == ours


def _note_execution(session: Session, execution: Execution) -> None:
    # Stedi also lists files of direction UNKNOWN: our names show which of them we sent.
    if execution.direction != INBOUND and is_ours(session, execution.file_name):
        session.store.executions.record(
            ExecutionRecord(
                execution_id=execution.id,
                file_name=execution.file_name or "",
                partnership=execution.partnership_id,
                direction=OUTBOUND,
                status=execution.status,
                created_at=execution.created_at,
                fault=execution.fault_message,
            )
        )
    elif execution.direction != OUTBOUND and execution.status in ("FAILED", "PARTIALLY_COMPLETED"):
        _open_review_of_inbound_file(session, execution)


def _open_review_of_inbound_file(session: Session, execution: Execution) -> None:
    """An inbound file that Stedi could not process yields no transaction: it may contain an acknowledgment."""
    supplier = supplier_of(session, execution.partnership_id) or customer_of(session, execution.partnership_id)
    # A partnership outside this configuration belongs to another plant.
    if execution.partnership_id is not None and supplier is None:
        return
    reason = Reason(
        code="inbound-file-failed",
        where=f"file {execution.file_name or execution.id}",
        message=f"Stedi could not process it: {execution.fault_message or execution.fault_code or execution.status}",
        fix="Check the execution in the Stedi portal; retry it there, or ask the supplier to send it again.",
    )
    subject = Subject(f"execution {execution.id}")
    if not session.store.reviews.decided(ReviewKind.INBOUND_FILE_FAILED, subject):
        session.open_review(ReviewKind.INBOUND_FILE_FAILED, subject, (reason,), supplier=supplier)


def _stop_on_unknown_files(session: Session) -> None:
    unknown = session.store.executions.unknown_to_ledger()
    if not unknown:
        return
    names = ", ".join(execution.file_name for execution in unknown[:3]) + (", …" if len(unknown) > 3 else "")
    what = f"Stedi has {many(len(unknown), 'file')} of ours that this state file does not know ({names})"
    if "unknown-file" in session.overrides:
        session.note("suspicion-overridden", Subject("unknown-file"), message=what)
        session.run.warn(f"overridden: {what}: their orders wait, all others continue")
        return
    raise SuspicionStop(
        "unknown-file",
        f"{what}: the state file is old or was lost. Nothing was sent",
        fix="Run `plexstedi recover`, or restore the current state file. An override sends only orders that none of "
        "these files belongs to.",
        passed=session.overrides,
    )
