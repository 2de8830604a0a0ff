"""What Stedi has of ours is known."""

from __future__ import annotations

from plexstedi.state.executions import ExecutionRecord

from .conftest import NOW, DocumentState, brought_to


def test_a_file_of_ours_at_stedi_that_the_ledger_lacks_is_seen(store):
    document = brought_to(store, DocumentState.ACCEPTED)
    for execution, name in (("e1", document.file_name), ("e2", "unknown.edi")):
        store.executions.record(ExecutionRecord(execution, name, "us_acme", "OUTBOUND", "PENDING", NOW, None))
    store.executions.record(ExecutionRecord("e2", "unknown.edi", "us_acme", "OUTBOUND", "COMPLETED", NOW, None))
    (unknown,) = store.executions.unknown_to_ledger()
    assert (unknown.file_name, unknown.status) == ("unknown.edi", "COMPLETED")
    assert store.executions.by_file_name("unknown.edi") == unknown
    assert store.executions.by_file_name("nothing.edi") is None
