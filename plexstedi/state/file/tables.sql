-- The tables of a new state file, made from the migrations (schema.py) by tests/new_state_file.py.
-- Statements are separated by an empty line.

CREATE TABLE legal_moves (of_table TEXT, before TEXT, after TEXT, PRIMARY KEY (of_table, before, after)) STRICT

CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT

CREATE TABLE orders (id ANY PRIMARY KEY, number TEXT NOT NULL, supplier TEXT NOT NULL, phase TEXT NOT NULL,
    known INTEGER NOT NULL CHECK (known IN (0, 1)), baseline INTEGER NOT NULL, latest INTEGER NOT NULL,
    read_at ANY NOT NULL, first_seen ANY NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
    allowed INTEGER NOT NULL DEFAULT 0, untraded INTEGER NOT NULL DEFAULT 0 CHECK (untraded IN (0, 1)),
    search_key TEXT NOT NULL DEFAULT '', marks BLOB NOT NULL DEFAULT x'') STRICT

CREATE INDEX orders_by_supplier ON orders (supplier)

CREATE TABLE revisions (order_id ANY NOT NULL REFERENCES orders (id), revision INTEGER NOT NULL,
    fingerprint ANY NOT NULL, content BLOB NOT NULL, seen_at ANY NOT NULL, modified_at ANY, PRIMARY KEY (order_id,
    revision)) STRICT

CREATE TABLE invoices (id ANY PRIMARY KEY, number TEXT NOT NULL, customer TEXT NOT NULL,
    known INTEGER NOT NULL CHECK (known IN (0, 1)), latest INTEGER NOT NULL, first_seen ANY NOT NULL,
    read_at ANY NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
    untraded INTEGER NOT NULL DEFAULT 0 CHECK (untraded IN (0, 1)), search_key TEXT NOT NULL DEFAULT '') STRICT

CREATE TABLE invoice_revisions (invoice_id ANY NOT NULL REFERENCES invoices (id), revision INTEGER NOT NULL,
    fingerprint ANY NOT NULL, content BLOB NOT NULL, seen_at ANY NOT NULL, modified_at ANY, PRIMARY KEY (invoice_id,
    revision)) STRICT

CREATE TABLE told (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT

CREATE TABLE poll_work (order_id TEXT PRIMARY KEY, number TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('window', 'sweep'))) STRICT

CREATE TABLE documents (id INTEGER PRIMARY KEY, stream ANY NOT NULL, order_id ANY NOT NULL, order_number TEXT NOT NULL,
    order_release TEXT, supplier TEXT NOT NULL, partnership TEXT NOT NULL, transaction_setting TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('850', '860', '810')), purpose TEXT NOT NULL, revision INTEGER NOT NULL,
    change_sequence INTEGER NOT NULL, counter INTEGER NOT NULL, idempotency_key TEXT NOT NULL UNIQUE,
    file_name TEXT NOT NULL UNIQUE, route TEXT NOT NULL CHECK (route IN ('generate-edi', 'create-outbound')),
    body BLOB NOT NULL, x12 BLOB NOT NULL, sent BLOB NOT NULL, dropped ANY NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('frozen', 'sending', 'accepted', 'delivered', 'failed', 'refused', 'conflict',
    'in_doubt', 'withdrawn')), delivery TEXT NOT NULL CHECK (delivery IN ('none', 'pending', 'delivered', 'failed')),
    functional_ack TEXT NOT NULL CHECK (functional_ack IN ('none', 'accepted', 'accepted_with_errors', 'rejected')),
    business_ack TEXT NOT NULL CHECK (business_ack IN ('none', 'confirmed', 'changed', 'backordered', 'rejected',
    'held', 'partial')), blocks INTEGER NOT NULL DEFAULT 0 CHECK (blocks IN (0, 1)),
    retry INTEGER NOT NULL DEFAULT 0 CHECK (retry IN (0, 1)), folded INTEGER NOT NULL DEFAULT 1 CHECK (folded IN (0,
    1)), file_execution_id ANY, interchange_control INTEGER, group_control INTEGER, set_control INTEGER,
    frozen_at ANY NOT NULL, first_attempt_at ANY, accepted_at ANY, delivered_at ANY, next_attempt_at ANY, error TEXT,
    replay_of INTEGER REFERENCES documents (id), search_key TEXT NOT NULL DEFAULT '', listed_at ANY) STRICT

CREATE UNIQUE INDEX one_unsettled_document ON documents (stream) WHERE state IN ('frozen', 'sending', 'accepted',
    'failed', 'conflict', 'in_doubt')

CREATE INDEX documents_of_order ON documents (order_id, id)

CREATE INDEX documents_by_execution ON documents (file_execution_id)

CREATE INDEX documents_by_group ON documents (partnership, group_control)


    CREATE TRIGGER documents_keep_their_bytes BEFORE UPDATE OF body ON documents WHEN length(NEW.body) > 0 BEGIN SELECT RAISE(ABORT,
    'a frozen document never changes'); END


    CREATE TRIGGER documents_need_their_bytes BEFORE UPDATE OF body ON documents WHEN length(NEW.body) = 0 AND OLD.state NOT IN ('delivered',
    'refused', 'withdrawn') BEGIN SELECT RAISE(ABORT, 'an open document keeps its bytes'); END

CREATE TABLE witnesses (execution_id TEXT PRIMARY KEY, file_name TEXT NOT NULL, partnership TEXT,
    direction TEXT NOT NULL, status TEXT NOT NULL, created_at ANY NOT NULL, fault TEXT,
    settled INTEGER NOT NULL DEFAULT 0 CHECK (settled IN (0, 1)),
    in_ledger INTEGER NOT NULL DEFAULT 0 CHECK (in_ledger IN (0, 1))) STRICT

CREATE TABLE inbox (transaction_id ANY PRIMARY KEY, set_id TEXT NOT NULL, partnership TEXT NOT NULL, supplier TEXT,
    processed_at ANY NOT NULL, received_at ANY NOT NULL, sender TEXT, release TEXT, interchange_control INTEGER,
    group_control INTEGER, set_control INTEGER, execution_id ANY NOT NULL, document BLOB,
    document_form TEXT CHECK (document_form IN ('guide-json', 'x12')), content_hash ANY,
    state TEXT NOT NULL CHECK (state IN ('listed', 'stored', 'waiting', 'applied', 'held', 'duplicate', 'ignored',
    'superseded')), order_id ANY REFERENCES orders (id), document_id INTEGER REFERENCES documents (id), type_code TEXT,
    dated TEXT, outcome BLOB, decisions TEXT NOT NULL DEFAULT '{}', reason TEXT) STRICT

CREATE INDEX inbox_by_state ON inbox (state, processed_at)

CREATE TABLE writes (id INTEGER PRIMARY KEY, order_id ANY NOT NULL REFERENCES orders (id), transaction_id ANY NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'writing', 'done', 'failed', 'superseded')),
    planned_at ANY NOT NULL, done_at ANY, revision INTEGER, error TEXT, unseen_since ANY,
    unseen_reads INTEGER NOT NULL DEFAULT 0, plan BLOB NOT NULL DEFAULT x'', changes BLOB) STRICT

CREATE UNIQUE INDEX one_open_write ON writes (order_id) WHERE state IN ('planned', 'writing')

CREATE INDEX writes_of_order ON writes (order_id, id)

CREATE TABLE reviews (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, supplier TEXT, order_id TEXT,
    order_number TEXT, line INTEGER, reasons TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'accepted',
    'rejected', 'withdrawn')), opened_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT, closing_reason TEXT,
    document_id INTEGER, transaction_id TEXT) STRICT

CREATE UNIQUE INDEX one_open_review ON reviews (kind, subject) WHERE state = 'open'

CREATE INDEX reviews_of_order ON reviews (order_id, id)

CREATE TABLE suppliers (code TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT

CREATE TABLE receipts (id TEXT PRIMARY KEY, order_id TEXT NOT NULL, line_id TEXT NOT NULL, quantity TEXT NOT NULL,
    received_at TEXT NOT NULL) STRICT

CREATE INDEX receipts_of_line ON receipts (order_id, line_id)


    CREATE TRIGGER documents_moves BEFORE UPDATE OF state ON documents WHEN NOT EXISTS (SELECT 1 FROM legal_moves WHERE of_table = 'documents' AND before = OLD.state AND after = NEW.state) BEGIN SELECT RAISE(ABORT,
    'illegal move of documents.state'); END


    CREATE TRIGGER inbox_moves BEFORE UPDATE OF state ON inbox WHEN NOT EXISTS (SELECT 1 FROM legal_moves WHERE of_table = 'inbox' AND before = OLD.state AND after = NEW.state) BEGIN SELECT RAISE(ABORT,
    'illegal move of inbox.state'); END


    CREATE TRIGGER writes_moves BEFORE UPDATE OF state ON writes WHEN NOT EXISTS (SELECT 1 FROM legal_moves WHERE of_table = 'writes' AND before = OLD.state AND after = NEW.state) BEGIN SELECT RAISE(ABORT,
    'illegal move of writes.state'); END


    CREATE TRIGGER reviews_moves BEFORE UPDATE OF state ON reviews WHEN NOT EXISTS (SELECT 1 FROM legal_moves WHERE of_table = 'reviews' AND before = OLD.state AND after = NEW.state) BEGIN SELECT RAISE(ABORT,
    'illegal move of reviews.state'); END

CREATE TABLE unforeseen (record TEXT PRIMARY KEY, mark TEXT, program TEXT NOT NULL, held_at TEXT NOT NULL,
    content TEXT) STRICT

CREATE TABLE standing_faults (place TEXT NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL, since TEXT NOT NULL,
    message TEXT NOT NULL, fix TEXT NOT NULL, stage TEXT, failed_at TEXT, reported_at TEXT, ended_at TEXT,
    PRIMARY KEY (place, key)) STRICT

CREATE INDEX reviews_of_document ON reviews (document_id) WHERE state = 'open'

CREATE INDEX reviews_of_transaction ON reviews (transaction_id) WHERE state = 'open'

CREATE TABLE plex_rows (kind TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, read_at TEXT NOT NULL,
    PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID

CREATE TABLE order_counts (supplier TEXT NOT NULL, phase TEXT NOT NULL, untraded INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (supplier, phase, untraded)) STRICT, WITHOUT ROWID

CREATE TABLE invoice_counts (customer TEXT NOT NULL, untraded INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (customer, untraded)) STRICT, WITHOUT ROWID

CREATE TABLE document_counts (supplier TEXT NOT NULL, partnership TEXT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, delivery TEXT NOT NULL, functional_ack TEXT NOT NULL, business_ack TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY (supplier, partnership, kind, state, delivery, functional_ack,
    business_ack)) STRICT, WITHOUT ROWID

CREATE TABLE inbox_counts (set_id TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (set_id)) STRICT, WITHOUT ROWID

CREATE TABLE line_counts (supplier TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (supplier,
    state)) STRICT, WITHOUT ROWID

CREATE TABLE latest_times (what TEXT PRIMARY KEY, at ANY NOT NULL) STRICT

CREATE TRIGGER order_counts_add AFTER INSERT ON orders BEGIN INSERT INTO order_counts (supplier, phase, untraded,
    n) VALUES (NEW.supplier, NEW.phase, NEW.untraded, 1) ON CONFLICT (supplier, phase,
    untraded) DO UPDATE SET n = n + 1; END

CREATE TRIGGER order_counts_move AFTER UPDATE OF supplier, phase,
    untraded ON orders WHEN OLD.supplier <> NEW.supplier OR OLD.phase <> NEW.phase OR OLD.untraded <> NEW.untraded BEGIN UPDATE order_counts SET n = n - 1 WHERE supplier = OLD.supplier AND phase = OLD.phase AND untraded = OLD.untraded; INSERT INTO order_counts (supplier,
    phase, untraded, n) VALUES (NEW.supplier, NEW.phase, NEW.untraded, 1) ON CONFLICT (supplier, phase,
    untraded) DO UPDATE SET n = n + 1; END

CREATE TRIGGER invoice_counts_add AFTER INSERT ON invoices BEGIN INSERT INTO invoice_counts (customer, untraded,
    n) VALUES (NEW.customer, NEW.untraded, 1) ON CONFLICT (customer, untraded) DO UPDATE SET n = n + 1; END

CREATE TRIGGER invoice_counts_move AFTER UPDATE OF customer,
    untraded ON invoices WHEN OLD.customer <> NEW.customer OR OLD.untraded <> NEW.untraded BEGIN UPDATE invoice_counts SET n = n - 1 WHERE customer = OLD.customer AND untraded = OLD.untraded; INSERT INTO invoice_counts (customer,
    untraded, n) VALUES (NEW.customer, NEW.untraded, 1) ON CONFLICT (customer, untraded) DO UPDATE SET n = n + 1; END

CREATE TRIGGER document_counts_add AFTER INSERT ON documents BEGIN INSERT INTO document_counts (supplier, partnership,
    kind, state, delivery, functional_ack, business_ack, n) VALUES (NEW.supplier, NEW.partnership, NEW.kind, NEW.state,
    NEW.delivery, NEW.functional_ack, NEW.business_ack, 1) ON CONFLICT (supplier, partnership, kind, state, delivery,
    functional_ack, business_ack) DO UPDATE SET n = n + 1; END

CREATE TRIGGER document_counts_move AFTER UPDATE OF supplier, partnership, kind, state, delivery, functional_ack,
    business_ack ON documents WHEN OLD.supplier <> NEW.supplier OR OLD.partnership <> NEW.partnership OR OLD.kind <> NEW.kind OR OLD.state <> NEW.state OR OLD.delivery <> NEW.delivery OR OLD.functional_ack <> NEW.functional_ack OR OLD.business_ack <> NEW.business_ack BEGIN UPDATE document_counts SET n = n - 1 WHERE supplier = OLD.supplier AND partnership = OLD.partnership AND kind = OLD.kind AND state = OLD.state AND delivery = OLD.delivery AND functional_ack = OLD.functional_ack AND business_ack = OLD.business_ack; INSERT INTO document_counts (supplier,
    partnership, kind, state, delivery, functional_ack, business_ack, n) VALUES (NEW.supplier, NEW.partnership,
    NEW.kind, NEW.state, NEW.delivery, NEW.functional_ack, NEW.business_ack, 1) ON CONFLICT (supplier, partnership,
    kind, state, delivery, functional_ack, business_ack) DO UPDATE SET n = n + 1; END

CREATE TRIGGER inbox_counts_add AFTER INSERT ON inbox BEGIN INSERT INTO inbox_counts (set_id, n) VALUES (NEW.set_id,
    1) ON CONFLICT (set_id) DO UPDATE SET n = n + 1; END


    CREATE TRIGGER inbox_counts_move AFTER UPDATE OF set_id ON inbox WHEN OLD.set_id <> NEW.set_id BEGIN UPDATE inbox_counts SET n = n - 1 WHERE set_id = OLD.set_id; INSERT INTO inbox_counts (set_id,
    n) VALUES (NEW.set_id, 1) ON CONFLICT (set_id) DO UPDATE SET n = n + 1; END


    CREATE TRIGGER documents_accepted_at_add AFTER INSERT ON documents WHEN NEW.accepted_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('accepted_at',
    NEW.accepted_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END


    CREATE TRIGGER documents_accepted_at_move AFTER UPDATE OF accepted_at ON documents WHEN NEW.accepted_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('accepted_at',
    NEW.accepted_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END


    CREATE TRIGGER inbox_received_at_add AFTER INSERT ON inbox WHEN NEW.received_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('received_at',
    NEW.received_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END


    CREATE TRIGGER inbox_received_at_move AFTER UPDATE OF received_at ON inbox WHEN NEW.received_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('received_at',
    NEW.received_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END


    CREATE TRIGGER writes_done_at_add AFTER INSERT ON writes WHEN NEW.done_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('done_at', NEW.done_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END


    CREATE TRIGGER writes_done_at_move AFTER UPDATE OF done_at ON writes WHEN NEW.done_at IS NOT NULL BEGIN INSERT INTO latest_times (what,
    at) VALUES ('done_at', NEW.done_at) ON CONFLICT (what) DO UPDATE SET at = excluded.at WHERE excluded.at > at; END

CREATE INDEX orders_by_search_key ON orders (search_key)

CREATE INDEX invoices_by_search_key ON invoices (search_key)

CREATE INDEX documents_by_search_key ON documents (search_key)


    CREATE TRIGGER witnesses_of_ledger AFTER INSERT ON witnesses WHEN EXISTS (SELECT 1 FROM documents WHERE file_name = NEW.file_name) BEGIN UPDATE witnesses SET in_ledger = 1 WHERE execution_id = NEW.execution_id; END

CREATE INDEX witnesses_without_document ON witnesses (settled,
    created_at) WHERE direction = 'OUTBOUND' AND in_ledger = 0

CREATE INDEX orders_open ON orders (id, number) WHERE phase IN ('released', 'unreleased')

CREATE INDEX orders_not_up_to_date ON orders (first_seen, number, id) WHERE untraded = 0 AND settled < latest

CREATE INDEX invoices_not_up_to_date ON invoices (first_seen, number, id) WHERE untraded = 0 AND settled < latest

CREATE INDEX invoices_by_customer ON invoices (customer, untraded)

CREATE INDEX documents_of_stream ON documents (stream)

CREATE INDEX documents_by_state ON documents (state)

CREATE INDEX documents_by_partnership ON documents (partnership, kind = '810')

CREATE INDEX documents_by_interchange ON documents (partnership, interchange_control)

CREATE INDEX documents_to_recompute ON documents (order_id) WHERE folded = 0


    CREATE INDEX documents_without_997 ON documents (supplier) WHERE state = 'delivered' AND functional_ack = 'none' AND (kind = '810' OR (kind = '860' AND purpose = '01'))

CREATE INDEX documents_not_acknowledged ON documents (business_ack, supplier) WHERE business_ack IN ('none',
    'partial') AND kind <> '810' AND state NOT IN ('refused', 'withdrawn')

CREATE INDEX documents_replayed ON documents (replay_of) WHERE replay_of IS NOT NULL

CREATE INDEX inbox_of_document ON inbox (document_id)

CREATE INDEX inbox_ignored ON inbox (reason, partnership, processed_at) WHERE state = 'ignored'

CREATE INDEX writes_open ON writes (state) WHERE state IN ('planned', 'writing')

CREATE INDEX writes_not_seen ON writes (state) WHERE state = 'failed' AND unseen_since IS NOT NULL

CREATE INDEX reviews_by_subject ON reviews (kind, subject)

CREATE INDEX reviews_open ON reviews (state, supplier) WHERE state = 'open'

CREATE TABLE event_ids (no INTEGER PRIMARY KEY, id ANY NOT NULL) STRICT

CREATE INDEX event_ids_by_end ON event_ids (substr(id, -6))

CREATE TABLE events (seq INTEGER PRIMARY KEY, at ANY NOT NULL, order_no INTEGER REFERENCES event_ids (no),
    transaction_no INTEGER REFERENCES event_ids (no), content BLOB NOT NULL, hash BLOB NOT NULL) STRICT

CREATE INDEX events_of_order ON events (order_no) WHERE order_no IS NOT NULL

CREATE INDEX events_of_transaction ON events (transaction_no) WHERE order_no IS NULL AND transaction_no IS NOT NULL

CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END

CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END

CREATE TRIGGER event_ids_no_update BEFORE UPDATE ON event_ids BEGIN SELECT RAISE(ABORT, 'events are append-only'); END

CREATE TRIGGER event_ids_no_delete BEFORE DELETE ON event_ids BEGIN SELECT RAISE(ABORT, 'events are append-only'); END

CREATE TABLE lines (order_id ANY NOT NULL REFERENCES orders (id), part TEXT NOT NULL, line INTEGER NOT NULL,
    state TEXT NOT NULL, outcome BLOB NOT NULL, transaction_id ANY, PRIMARY KEY (order_id, part, line)) STRICT,
    WITHOUT ROWID

CREATE TRIGGER line_counts_add AFTER INSERT ON lines BEGIN INSERT INTO line_counts (supplier, state,
    n) SELECT supplier, NEW.state, 1 FROM orders WHERE id = NEW.order_id ON CONFLICT (supplier,
    state) DO UPDATE SET n = n + excluded.n; END


    CREATE TRIGGER line_counts_move AFTER UPDATE OF state ON lines WHEN OLD.state <> NEW.state BEGIN UPDATE line_counts SET n = n - 1 WHERE state = OLD.state AND supplier = (SELECT supplier FROM orders WHERE id = OLD.order_id); INSERT INTO line_counts (supplier,
    state, n) SELECT supplier, NEW.state, 1 FROM orders WHERE id = NEW.order_id ON CONFLICT (supplier,
    state) DO UPDATE SET n = n + excluded.n; END


    CREATE TRIGGER line_counts_drop AFTER DELETE ON lines BEGIN UPDATE line_counts SET n = n - 1 WHERE state = OLD.state AND supplier = (SELECT supplier FROM orders WHERE id = OLD.order_id); END


    CREATE TRIGGER line_counts_of_supplier AFTER UPDATE OF supplier ON orders WHEN OLD.supplier <> NEW.supplier BEGIN UPDATE line_counts SET n = n - (SELECT count(*) FROM lines WHERE lines.order_id = NEW.id AND lines.state = line_counts.state) WHERE supplier = OLD.supplier; INSERT INTO line_counts (supplier,
    state, n) SELECT NEW.supplier, state,
    count(*) FROM lines WHERE order_id = NEW.id GROUP BY state ON CONFLICT (supplier,
    state) DO UPDATE SET n = n + excluded.n; END

CREATE TABLE attempts (document_id INTEGER NOT NULL REFERENCES documents (id), number INTEGER NOT NULL,
    begun_at ANY NOT NULL, ended_at ANY, outcome TEXT, PRIMARY KEY (document_id, number)) STRICT, WITHOUT ROWID

CREATE INDEX witnesses_by_name ON witnesses (substr(file_name, -12))


    CREATE TRIGGER documents_in_ledger AFTER INSERT ON documents BEGIN UPDATE witnesses SET in_ledger = 1 WHERE substr(file_name,
    -12) = substr(NEW.file_name, -12) AND +file_name = NEW.file_name; END

CREATE INDEX inbox_of_order ON inbox (order_id) WHERE order_id IS NOT NULL

CREATE TRIGGER documents_are_frozen BEFORE UPDATE OF stream, order_id, kind, revision, change_sequence, counter,
    idempotency_key, file_name, route, sent ON documents BEGIN SELECT RAISE(ABORT,
    'a frozen document never changes'); END

CREATE TRIGGER inbox_keeps_its_lines BEFORE UPDATE OF outcome,
    order_id ON inbox WHEN EXISTS (SELECT 1 FROM lines WHERE order_id = OLD.order_id AND transaction_id = OLD.transaction_id) BEGIN SELECT RAISE(ABORT,
    'a line has its outcome in this transaction'); END

INSERT INTO legal_moves (of_table, before, after) VALUES ('documents', 'accepted', 'delivered'), ('documents',
    'accepted', 'failed'), ('documents', 'conflict', 'accepted'), ('documents', 'conflict', 'withdrawn'), ('documents',
    'delivered', 'withdrawn'), ('documents', 'failed', 'accepted'), ('documents', 'failed', 'delivered'), ('documents',
    'failed', 'withdrawn'), ('documents', 'frozen', 'sending'), ('documents', 'frozen', 'withdrawn'), ('documents',
    'in_doubt', 'accepted'), ('documents', 'in_doubt', 'sending'), ('documents', 'in_doubt', 'withdrawn'),
    ('documents', 'refused', 'accepted'), ('documents', 'sending', 'accepted'), ('documents', 'sending', 'conflict'),
    ('documents', 'sending', 'in_doubt'), ('documents', 'sending', 'refused'), ('documents', 'sending', 'sending')

INSERT INTO legal_moves (of_table, before, after) VALUES ('inbox', 'applied', 'held'), ('inbox', 'applied', 'stored'),
    ('inbox', 'applied', 'superseded'), ('inbox', 'duplicate', 'stored'), ('inbox', 'held', 'applied'), ('inbox',
    'held', 'ignored'), ('inbox', 'held', 'stored'), ('inbox', 'held', 'superseded'), ('inbox', 'ignored', 'listed'),
    ('inbox', 'ignored', 'stored'), ('inbox', 'listed', 'held'), ('inbox', 'listed', 'ignored'), ('inbox', 'listed',
    'stored'), ('inbox', 'stored', 'applied'), ('inbox', 'stored', 'duplicate'), ('inbox', 'stored', 'held'), ('inbox',
    'stored', 'ignored'), ('inbox', 'stored', 'superseded'), ('inbox', 'stored', 'waiting'), ('inbox', 'superseded',
    'applied'), ('inbox', 'superseded', 'held'), ('inbox', 'superseded', 'stored'), ('inbox', 'waiting', 'applied'),
    ('inbox', 'waiting', 'duplicate'), ('inbox', 'waiting', 'held'), ('inbox', 'waiting', 'ignored'), ('inbox',
    'waiting', 'stored'), ('inbox', 'waiting', 'superseded'), ('inbox', 'waiting', 'waiting')

INSERT INTO legal_moves (of_table, before, after) VALUES ('reviews', 'open', 'accepted'), ('reviews', 'open',
    'rejected'), ('reviews', 'open', 'withdrawn')

INSERT INTO legal_moves (of_table, before, after) VALUES ('writes', 'failed', 'done'), ('writes', 'failed', 'planned'),
    ('writes', 'failed', 'superseded'), ('writes', 'planned', 'done'), ('writes', 'planned', 'failed'), ('writes',
    'planned', 'superseded'), ('writes', 'planned', 'writing'), ('writes', 'writing', 'done'), ('writes', 'writing',
    'failed'), ('writes', 'writing', 'planned')
