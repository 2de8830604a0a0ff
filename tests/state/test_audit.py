"""The audit trail shows that it was not touched: any edit, removal, reordering or cut is found."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import timedelta

import pytest

from plexstedi.state.audit import _CHAINED, GENESIS, _digest, _texts
from plexstedi.state.store import Store
from plexstedi.state.subject import of_document, of_order
from tests.edited_event import edit_event

from .conftest import NOW, tamper


@pytest.fixture
def trail(store):
    for number in range(1, 6):
        at = NOW + timedelta(minutes=number)
        store.audit.append(
            at, "plexstedi", "order-seen", of_order(f"PO-{number}"), order_id=f"o{number}", revision=number
        )
    return store


def after_tampering(trail: Store, path, *statements: str, head: str | None = None):
    trail.close()
    tamper(path, *statements)
    again = Store.open_to_read(path)
    try:
        return again.audit.verify(head)
    finally:
        again.close()


def test_an_untouched_trail_verifies(trail):
    assert trail.audit.verify() is None
    assert trail.audit.verify(trail.audit.head()) is None


def test_an_empty_trail_verifies_and_has_the_first_head(store):
    assert store.audit.verify(GENESIS) is None
    assert store.audit.head() == GENESIS


@pytest.mark.parametrize(
    "edit",
    [
        {"detail": '{"revision":9}'},
        {"actor": "somebody"},
        {"kind": "order-changed"},
        {"at": "2026-01-01T00:00:00.000000Z"},
        {"at": "no time"},
        {"subject": "order PO-9"},
        {"order_id": None},
    ],
)
def test_an_edited_event_is_named(trail, path, edit):
    edit_event(path, 3, **edit)
    broken = trail.audit.verify()
    assert broken is not None
    assert broken.seq == 3
    assert "edited" in broken.what


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE events SET content = x'' WHERE seq = 3",
        "UPDATE events SET content = x'09' WHERE seq = 3",
        "UPDATE events SET content = CAST(content || x'00' AS BLOB) WHERE seq = 3",
        "UPDATE events SET content = substr(content, 1, 9) WHERE seq = 3",
        "UPDATE events SET at = 1e300 WHERE seq = 3",
        "UPDATE events SET at = 9223372036854775807 WHERE seq = 3",
        "UPDATE events SET order_no = 1 WHERE seq = 3",
        "UPDATE events SET transaction_no = 1 WHERE seq = 3",
        "UPDATE event_ids SET id = 'other' WHERE no = 3",
        "UPDATE event_ids SET id = 5 WHERE no = 3",
    ],
)
def test_an_event_whose_stored_form_was_edited_is_named(trail, path, edit):
    broken = after_tampering(trail, path, edit)
    assert broken is not None
    assert broken.seq == 3
    assert "edited" in broken.what


@pytest.mark.parametrize("text", ["", '"\\/', "\0\n\x1f\x7f", "äß€😀", "\u2028"])
def test_an_event_has_the_hash_of_its_json(text):
    """Heads noted elsewhere, by any version of the program, stay valid."""
    for order_id in (text, None):
        values = (7, text, "actor", "kind", order_id, "", "{}", GENESIS)
        written = json.dumps(values, ensure_ascii=False)
        assert _digest(*values) == hashlib.sha256(written.encode()).digest()


def test_a_removed_event_is_named(trail, path):
    broken = after_tampering(trail, path, "DELETE FROM events WHERE seq = 2")
    assert broken is not None
    assert (broken.seq, broken.what) == (2, "event 2 is missing")


@pytest.mark.parametrize("detail", ['{"revision":9}', '{"revision":3,"x":1}'])
def test_an_edited_event_with_a_hash_that_fits_is_found_by_the_next(trail, path, detail):
    edit_event(path, 3, detail=detail)
    row = trail.database.row(f"{_CHAINED} WHERE seq = 3")
    fitting = _digest(*_texts(row), row["previous"].hex()).hex()
    broken = after_tampering(trail, path, f"UPDATE events SET hash = x'{fitting}' WHERE seq = 3")
    assert broken is not None
    assert (broken.seq, broken.what) == (4, "event 4 or the one before it was edited")


def test_a_removed_event_whose_gap_was_closed_is_named(trail, path):
    broken = after_tampering(
        trail, path, "DELETE FROM events WHERE seq = 2", "UPDATE events SET seq = seq - 1 WHERE seq > 2"
    )
    assert broken is not None
    assert broken.seq == 2


def test_two_events_that_changed_places_are_found(trail, path):
    broken = after_tampering(
        trail,
        path,
        "UPDATE events SET seq = 99 WHERE seq = 2",
        "UPDATE events SET seq = 2 WHERE seq = 3",
        "UPDATE events SET seq = 3 WHERE seq = 99",
    )
    assert broken is not None
    assert broken.seq == 2


def test_a_cut_tail_shows_only_against_a_head_noted_elsewhere(trail, path):
    head = trail.audit.head()
    cut = after_tampering(trail, path, "DELETE FROM events WHERE seq > 3", head=head)
    assert cut is not None
    assert "cut" in cut.what
    again = Store.open_to_read(path)
    assert again.audit.verify() is None
    again.close()


def test_a_head_noted_earlier_still_proves_the_trail_after_more_happened(trail):
    head = trail.audit.head()
    trail.audit.append(NOW, "anna", "review-decided", of_document(1))
    assert trail.audit.verify(head) is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET at = 0", "DELETE FROM events", "UPDATE event_ids SET no = 0", "DELETE FROM event_ids"],
)
def test_the_file_itself_refuses_to_change_an_event(trail, statement):
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        trail.database.execute(statement)


def test_events_come_oldest_first_and_can_be_narrowed(trail):
    assert [event.seq for event in trail.audit.events()] == [1, 2, 3, 4, 5]
    (one,) = trail.audit.events(order_id="o4")
    assert (one.kind, one.subject.text, one.actor, one.detail) == (
        "order-seen",
        "order PO-4",
        "plexstedi",
        {"revision": 4},
    )
    assert [event.seq for event in trail.audit.events(since=NOW + timedelta(minutes=4))] == [4, 5]


def test_a_long_trail_is_read_to_its_end(store):
    with store.transaction():
        for number in range(2_345):
            store.audit.append(NOW, "plexstedi", "order-seen", of_order(str(number)), text="Größe ✓")
    assert sum(1 for _ in store.audit.events()) == 2_345
    assert store.audit.verify() is None
