"""Tables of the state file and their migrations.

Each migration is one transaction together with its `user_version`. States change only along `legal_moves`; a trigger
rejects any other change, so that a program error cannot write an impossible history.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from plexstedi.edi.order_number import search_key
from plexstedi.state.file.codec import hash_bytes, pack, pack_beside
from plexstedi.state.file.event_codec import pack_event
from plexstedi.state.file.short import id_of, microseconds, short_hash, short_id
from plexstedi.state.file.version_5 import version_5
from plexstedi.state.file.version_6 import VERSION_6
from plexstedi.state.file.version_7 import VERSION_7
from plexstedi.state.file.version_8 import VERSION_8, has_line, packed_again

DOCUMENT_MOVES_1 = (
    ("frozen", "sending"),
    ("frozen", "withdrawn"),
    ("sending", "sending"),
    ("sending", "accepted"),
    ("sending", "refused"),
    ("sending", "conflict"),
    ("sending", "in_doubt"),
    ("in_doubt", "sending"),
    ("in_doubt", "accepted"),
    ("in_doubt", "withdrawn"),
    ("conflict", "accepted"),
    ("conflict", "withdrawn"),
    ("accepted", "delivered"),
    ("accepted", "failed"),
    ("failed", "accepted"),
    ("failed", "delivered"),
    ("failed", "withdrawn"),
    ("delivered", "withdrawn"),
)
DOCUMENT_MOVES = (*DOCUMENT_MOVES_1, ("refused", "accepted"))
"""An outbound document. `frozen`: bytes, name and key stored, no attempt started. `sending`: an attempt started, its
outcome is not known. `accepted`: Stedi returned 200. `delivered`, `refused` (a conclusive 4xx; accepted later only if
Stedi lists its file) and `withdrawn` (abandoned by a user; after delivery only with a rejecting 997) are final; the
other states block the next document of the stream."""

INBOX_MOVES_1 = (
    ("listed", "stored"),
    ("listed", "ignored"),
    ("listed", "held"),
    ("stored", "applied"),
    ("stored", "held"),
    ("stored", "waiting"),
    ("stored", "duplicate"),
    ("stored", "ignored"),
    ("stored", "superseded"),
    ("waiting", "applied"),
    ("waiting", "held"),
    ("waiting", "waiting"),
    ("waiting", "duplicate"),
    ("waiting", "ignored"),
    ("waiting", "superseded"),
    ("held", "applied"),
    ("held", "stored"),
    ("held", "ignored"),
    ("held", "superseded"),
    ("applied", "stored"),
    ("applied", "superseded"),
    ("applied", "held"),
    ("superseded", "applied"),
    ("superseded", "held"),
    ("superseded", "stored"),
    ("ignored", "stored"),
    ("waiting", "stored"),
    ("duplicate", "stored"),
)
INBOX_MOVES = (*INBOX_MOVES_1, ("ignored", "listed"))
"""An inbound transaction. `listed`: known from the feed, document not fetched. `stored`: stored as received, not
processed. `waiting`: its order is not known yet. Back to `stored` only by a user (`replay --ack`, `review accept`), and
from `ignored` when its partnership becomes known; to `listed` if its document was never fetched."""

WRITE_MOVES = (
    ("planned", "writing"),
    ("planned", "done"),
    ("planned", "superseded"),
    ("writing", "done"),
    ("writing", "planned"),
    ("writing", "failed"),
    ("planned", "failed"),
    ("failed", "planned"),
    ("failed", "superseded"),
    ("failed", "done"),
)
"""A write to Plex. `writing`: a call started, its outcome is not known; the next step reads Plex first."""

REVIEW_MOVES = (
    ("open", "accepted"),
    ("open", "rejected"),
    ("open", "withdrawn"),
)
"""A review item. `withdrawn`: closed automatically, as its reason no longer exists (a setting was corrected, a newer
acknowledgment was received)."""


def _moves(table: str, moves: tuple[tuple[str, str], ...]) -> list[str]:
    values = ", ".join(f"('{table}', '{before}', '{after}')" for before, after in moves)
    return [
        f"INSERT INTO legal_moves (of_table, before, after) VALUES {values}",
        f"""CREATE TRIGGER {table}_moves BEFORE UPDATE OF state ON {table}
            WHEN NOT EXISTS (SELECT 1 FROM legal_moves WHERE of_table = '{table}'
                             AND before = OLD.state AND after = NEW.state)
            BEGIN SELECT RAISE(ABORT, 'illegal move of {table}.state'); END""",
    ]


_VERSION_1 = (
    "CREATE TABLE legal_moves (of_table TEXT, before TEXT, after TEXT, PRIMARY KEY (of_table, before, after)) STRICT",
    "CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
        order_id TEXT, subject TEXT NOT NULL, detail TEXT NOT NULL,
        previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT""",
    "CREATE INDEX events_of_order ON events (order_id, seq)",
    "CREATE INDEX events_of_no_order ON events (subject) WHERE order_id IS NULL",
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    """CREATE TABLE orders (
        id TEXT PRIMARY KEY, number TEXT NOT NULL, supplier TEXT NOT NULL, phase TEXT NOT NULL,
        known INTEGER NOT NULL CHECK (known IN (0, 1)), baseline INTEGER NOT NULL,
        latest INTEGER NOT NULL, marks TEXT NOT NULL, read_at TEXT NOT NULL, first_seen TEXT NOT NULL,
        settled INTEGER NOT NULL DEFAULT 0, allowed INTEGER NOT NULL DEFAULT 0,
        untraded INTEGER NOT NULL DEFAULT 0 CHECK (untraded IN (0, 1))) STRICT""",
    "CREATE INDEX orders_by_number ON orders (number)",
    "CREATE INDEX orders_by_supplier ON orders (supplier)",
    """CREATE TABLE revisions (
        order_id TEXT NOT NULL REFERENCES orders (id), revision INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        content BLOB NOT NULL, seen_at TEXT NOT NULL, modified_at TEXT, PRIMARY KEY (order_id, revision)) STRICT""",
    """CREATE TABLE invoices (
        id TEXT PRIMARY KEY, number TEXT NOT NULL, customer TEXT NOT NULL,
        known INTEGER NOT NULL CHECK (known IN (0, 1)), latest INTEGER NOT NULL,
        first_seen TEXT NOT NULL, read_at TEXT NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
        untraded INTEGER NOT NULL DEFAULT 0 CHECK (untraded IN (0, 1))) STRICT""",
    "CREATE INDEX invoices_by_number ON invoices (number)",
    """CREATE TABLE invoice_revisions (
        invoice_id TEXT NOT NULL REFERENCES invoices (id), revision INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        content BLOB NOT NULL, seen_at TEXT NOT NULL, modified_at TEXT, PRIMARY KEY (invoice_id, revision)) STRICT""",
    "CREATE TABLE told (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT",
    """CREATE TABLE poll_work (
        order_id TEXT PRIMARY KEY, number TEXT NOT NULL,
        origin TEXT NOT NULL CHECK (origin IN ('window', 'sweep'))) STRICT""",
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY, stream TEXT NOT NULL, order_id TEXT NOT NULL,
        order_number TEXT NOT NULL, order_release TEXT, supplier TEXT NOT NULL, partnership TEXT NOT NULL,
        transaction_setting TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('850', '860', '810')),
        purpose TEXT NOT NULL, revision INTEGER NOT NULL, change_sequence INTEGER NOT NULL, counter INTEGER NOT NULL,
        idempotency_key TEXT NOT NULL UNIQUE, file_name TEXT NOT NULL UNIQUE,
        route TEXT NOT NULL CHECK (route IN ('generate-edi', 'create-outbound')),
        body BLOB NOT NULL, x12 BLOB NOT NULL, sent BLOB NOT NULL, dropped TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('frozen', 'sending', 'accepted', 'delivered', 'failed', 'refused',
                                             'conflict', 'in_doubt', 'withdrawn')),
        delivery TEXT NOT NULL CHECK (delivery IN ('none', 'pending', 'delivered', 'failed')),
        functional_ack TEXT NOT NULL CHECK (functional_ack IN ('none', 'accepted', 'accepted_with_errors', 'rejected')),
        business_ack TEXT NOT NULL CHECK (business_ack IN ('none', 'confirmed', 'changed', 'backordered', 'rejected',
                                                           'held', 'partial')),
        blocks INTEGER NOT NULL DEFAULT 0 CHECK (blocks IN (0, 1)),
        retry INTEGER NOT NULL DEFAULT 0 CHECK (retry IN (0, 1)),
        folded INTEGER NOT NULL DEFAULT 1 CHECK (folded IN (0, 1)),
        file_execution_id TEXT, interchange_control INTEGER, group_control INTEGER, set_control INTEGER,
        frozen_at TEXT NOT NULL, first_attempt_at TEXT, accepted_at TEXT, delivered_at TEXT,
        next_attempt_at TEXT, error TEXT, replay_of INTEGER REFERENCES documents (id)) STRICT""",
    """CREATE UNIQUE INDEX one_unsettled_document ON documents (stream)
        WHERE state IN ('frozen', 'sending', 'accepted', 'failed', 'conflict', 'in_doubt')""",
    "CREATE INDEX documents_of_order ON documents (order_id, id)",
    "CREATE INDEX documents_by_state ON documents (state, functional_ack, business_ack)",
    "CREATE INDEX documents_by_execution ON documents (file_execution_id)",
    "CREATE INDEX documents_by_group ON documents (partnership, group_control)",
    """CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence, counter,
        idempotency_key, file_name, route, sent ON documents
        BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
    """CREATE TRIGGER documents_keep_their_bytes BEFORE UPDATE OF body ON documents WHEN length(NEW.body) > 0
        BEGIN SELECT RAISE(ABORT, 'a frozen document never changes'); END""",
    """CREATE TRIGGER documents_need_their_bytes BEFORE UPDATE OF body ON documents
        WHEN length(NEW.body) = 0 AND OLD.state NOT IN ('delivered', 'refused', 'withdrawn')
        BEGIN SELECT RAISE(ABORT, 'an open document keeps its bytes'); END""",
    """CREATE TABLE attempts (
        document_id INTEGER NOT NULL REFERENCES documents (id), number INTEGER NOT NULL, begun_at TEXT NOT NULL,
        ended_at TEXT, outcome TEXT, PRIMARY KEY (document_id, number)) STRICT""",
    """CREATE TABLE witnesses (
        execution_id TEXT PRIMARY KEY, file_name TEXT NOT NULL, partnership TEXT, direction TEXT NOT NULL,
        status TEXT NOT NULL, created_at TEXT NOT NULL, fault TEXT,
        settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1))) STRICT""",
    "CREATE INDEX witnesses_by_name ON witnesses (file_name)",
    """CREATE TABLE inbox (
        transaction_id TEXT PRIMARY KEY, set_id TEXT NOT NULL, partnership TEXT NOT NULL, supplier TEXT,
        processed_at TEXT NOT NULL, received_at TEXT NOT NULL, sender TEXT, release TEXT,
        interchange_control INTEGER, group_control INTEGER, set_control INTEGER, execution_id TEXT NOT NULL,
        document BLOB, document_form TEXT CHECK (document_form IN ('guide-json', 'x12')), content_hash TEXT,
        state TEXT NOT NULL CHECK (state IN ('listed', 'stored', 'waiting', 'applied', 'held', 'duplicate', 'ignored',
                                             'superseded')),
        order_id TEXT REFERENCES orders (id), document_id INTEGER REFERENCES documents (id),
        type_code TEXT, dated TEXT, outcome BLOB, decisions TEXT NOT NULL DEFAULT '{}', reason TEXT) STRICT""",
    "CREATE INDEX inbox_by_state ON inbox (state, processed_at)",
    "CREATE INDEX inbox_of_order ON inbox (order_id, processed_at)",
    """CREATE TABLE lines (
        stream TEXT NOT NULL, order_id TEXT NOT NULL REFERENCES orders (id), line INTEGER NOT NULL,
        state TEXT NOT NULL, transaction_id TEXT, outcome BLOB NOT NULL, PRIMARY KEY (stream, line)) STRICT""",
    "CREATE INDEX lines_of_order ON lines (order_id, stream, line)",
    """CREATE TABLE writes (
        id INTEGER PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id), transaction_id TEXT NOT NULL,
        plan TEXT NOT NULL, plan_hash TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('planned', 'writing', 'done', 'failed', 'superseded')),
        changes TEXT NOT NULL DEFAULT '[]', planned_at TEXT NOT NULL, done_at TEXT, revision INTEGER,
        error TEXT) STRICT""",
    "CREATE UNIQUE INDEX one_open_write ON writes (order_id) WHERE state IN ('planned', 'writing')",
    "CREATE INDEX writes_of_order ON writes (order_id, id)",
    """CREATE TABLE reviews (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, supplier TEXT, order_id TEXT,
        order_number TEXT, line INTEGER, reasons TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'rejected', 'withdrawn')),
        opened_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT, closing_reason TEXT) STRICT""",
    "CREATE UNIQUE INDEX one_open_review ON reviews (kind, subject) WHERE state = 'open'",
    "CREATE INDEX reviews_of_order ON reviews (order_id, id)",
    "CREATE TABLE suppliers (code TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT",
    """CREATE TABLE receipts (
        id TEXT PRIMARY KEY, order_id TEXT NOT NULL, line_id TEXT NOT NULL, quantity TEXT NOT NULL,
        received_at TEXT NOT NULL) STRICT""",
    "CREATE INDEX receipts_of_line ON receipts (order_id, line_id)",
    *_moves("documents", DOCUMENT_MOVES_1),
    *_moves("inbox", INBOX_MOVES_1),
    *_moves("writes", WRITE_MOVES),
    *_moves("reviews", REVIEW_MOVES),
)

_VERSION_2 = ("INSERT INTO legal_moves (of_table, before, after) VALUES ('documents', 'refused', 'accepted')",)

_VERSION_3 = (
    """CREATE TABLE unforeseen (
        record TEXT PRIMARY KEY, mark TEXT, program TEXT NOT NULL, held_at TEXT NOT NULL, content TEXT) STRICT""",
    """CREATE TABLE standing_faults (
        place TEXT NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL, since TEXT NOT NULL,
        message TEXT NOT NULL, fix TEXT NOT NULL, stage TEXT, failed_at TEXT, reported_at TEXT, ended_at TEXT,
        PRIMARY KEY (place, key)) STRICT""",
    "INSERT INTO legal_moves (of_table, before, after) VALUES ('inbox', 'ignored', 'listed')",
    "ALTER TABLE writes ADD COLUMN unseen_since TEXT",
    "ALTER TABLE writes ADD COLUMN unseen_reads INTEGER NOT NULL DEFAULT 0",
)
"""`unforeseen`: records that raised an unexpected error, with the fingerprint of their content (`mark`) and the
program's version: a record is processed again when either changes, or `mark` is NULL. `content`: a feed entry, since
the feed does not repeat it. `standing_faults`: faults of stages and records (key '' for a record), until their end is
reported. `unseen_since`: since when Plex, which confirmed the write, does not return it; `unseen_reads`: how many later
runs read it back."""

_OTHERS = "subject GLOB 'order *' OR subject GLOB 'invoice *' OR subject GLOB 'write *' OR subject GLOB '* entry *'"
"""Subjects with external text, such as an order number: none concerns a document, whatever it contains."""
_DOCUMENT = f"""CASE WHEN {_OTHERS} THEN NULL WHEN subject GLOB '*document [0-9]*'
    THEN CAST(substr(subject, instr(subject, 'document ') + 9) AS INTEGER) END"""
_TRANSACTION = f"""CASE WHEN {_OTHERS} THEN NULL WHEN instr(subject, 'transaction ')
    THEN substr(subject, instr(subject, 'transaction ') + 12,
    instr(substr(subject, instr(subject, 'transaction ') + 12) || ' ', ' ') - 1) END"""

_VERSION_4 = (
    "ALTER TABLE reviews ADD COLUMN document_id INTEGER",
    "ALTER TABLE reviews ADD COLUMN transaction_id TEXT",
    f"UPDATE reviews SET document_id = {_DOCUMENT}, transaction_id = {_TRANSACTION}",
    f"ALTER TABLE events ADD COLUMN document_id INTEGER GENERATED ALWAYS AS ({_DOCUMENT}) VIRTUAL",
    f"ALTER TABLE events ADD COLUMN transaction_id TEXT GENERATED ALWAYS AS ({_TRANSACTION}) VIRTUAL",
    "CREATE INDEX events_of_transaction ON events (transaction_id) WHERE order_id IS NULL",
    "CREATE INDEX reviews_of_document ON reviews (document_id) WHERE state = 'open'",
    "CREATE INDEX reviews_of_transaction ON reviews (transaction_id) WHERE state = 'open'",
)
"""The document or transaction of a review item gets a column. Events are append-only and their hash covers the subject,
so their columns are generated from it."""

_VERSION_5 = version_5(document_id=_DOCUMENT, transaction_id=_TRANSACTION)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    VERSION_6,
    VERSION_7,
    VERSION_8,
)
"""`MIGRATIONS[n]` converts a file of version n to version n + 1."""

VERSION = len(MIGRATIONS)

Value = bytes | str | int | None


@cache
def statements_of_new_file() -> tuple[str, ...]:
    """The statements that make a new state file, in order.

    They are those of `tables.sql`, which has the tables as all migrations together leave them: the migrations would
    create, fill and rebuild tables that nothing is in yet.
    """
    # In the file they are separated by an empty line.
    return tuple(Path(__file__).with_name("tables.sql").read_text(encoding="utf-8").split("\n\n")[1:])


def _none_stays(function: Callable[[str], Value]) -> Callable[[str | None], Value]:
    return lambda text: None if text is None else function(text)


FUNCTIONS: tuple[tuple[str, int, Callable[..., Value]], ...] = (
    ("search_key", 1, search_key),
    ("pack", 1, pack),
    ("hash_bytes", 1, hash_bytes),
    ("pack_beside", 2, pack_beside),
    ("pack_event", 6, pack_event),
    ("microseconds", 1, _none_stays(microseconds)),
    ("short_id", 1, _none_stays(short_id)),
    ("short_hash", 1, _none_stays(short_hash)),
    ("id_of", 1, id_of),
    ("packed_again", 2, packed_again),
    ("has_line", 3, has_line),
)
"""Functions that the migrations and queries call, with the number of their arguments."""
