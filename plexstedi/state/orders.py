"""Orders as read from Plex: their revisions, orders still to be read, suppliers, and goods received."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from plexstedi.edi.model import from_json, to_json
from plexstedi.edi.order import Order, Phase, Supplier, fingerprint, last_modified
from plexstedi.edi.order_number import number_key, search_key
from plexstedi.edi.units import total_of
from plexstedi.state.file.codec import Columns, instant, moment, pack, unpack
from plexstedi.state.file.database import Database
from plexstedi.state.file.first_revision import first_revision
from plexstedi.state.file.short import id_of, short_id, short_time, time_of
from plexstedi.state.file.transactions import Kept
from plexstedi.state.revisions import Revisions


class OrderRecord(Struct, frozen=True):
    """One row of `orders`."""

    id: str
    number: str
    supplier: str
    phase: Phase
    known: bool
    """Created before polling began: its supplier is assumed to have it."""
    baseline: int
    """The revision that the supplier of a known order is assumed to have; 0 if none was read before it changed."""
    latest: int
    read_at: datetime
    up_to_date: int
    """The revision up to which no document is due to the supplier."""
    allowed: int
    """The last revision that a user allowed to be sent although the order is known."""
    untraded: bool
    """Its supplier has no settings: not traded by EDI."""


class Work(Struct, frozen=True):
    """An order that is to be read from Plex; `origin` is `window` or `sweep`."""

    order_id: str
    number: str
    origin: str


class Orders:
    """Orders, their revisions, revisions known without a document, suppliers, and the queue of orders to be read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revisions = Revisions(database, "order", "revisions", "order_id", Order, fingerprint)
        self._records: Kept[str, OrderRecord | None] = database.kept.up_to(1000)
        """By id, without those that changed since they were read."""

    def get(self, order_id: str) -> OrderRecord | None:
        """The order of this Plex id; None if it is not known."""
        if order_id in self._records:
            return self._records[order_id]
        found = self._query("WHERE id = ?", short_id(order_id))
        record = self._records[order_id] = found[0] if found else None
        return record

    def by_number(self, number: str) -> list[OrderRecord]:
        """Orders of this exact number."""
        return self._query("WHERE search_key = ? AND number = ? ORDER BY id", search_key(number), number)

    def like_number(self, number: str) -> list[OrderRecord]:
        """Orders whose number has the same search key, by number."""
        return self._query("WHERE search_key = ? ORDER BY number, id", search_key(number))

    def all(self) -> list[OrderRecord]:
        """Every order, by number."""
        return self._query("ORDER BY number, id")

    def of_supplier(self, supplier: str) -> list[OrderRecord]:
        """The orders of one supplier."""
        return self._query("WHERE supplier = ? ORDER BY number, id", supplier)

    def revision(self, order_id: str, revision: int) -> Order:
        """The order at this revision. Raise KeyError if there is none."""
        return self._revisions.get(order_id, revision)

    def revision_seen(self, order_id: str, revision: int) -> tuple[datetime, datetime | None]:
        """When this revision was first read, and Plex's modification time of it. Raise KeyError if there is none."""
        return self._revisions.seen(order_id, revision)

    def record(
        self, order: Order, *, marks: Mapping[str, datetime], now: datetime, known: bool, baseline: bool
    ) -> int | None:
        """Store an order as read now; return the number of its new revision, None if it is unchanged.

        `known` and `baseline` apply when the order is read for the first time: whether it was created before polling
        began, and whether its supplier is assumed to have this revision.
        """
        before = self.get(order.id)
        if before is None:
            self._database.execute(
                "INSERT INTO orders (id, number, search_key, supplier, phase, known, baseline, latest, read_at,"
                " first_seen) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
                (
                    short_id(order.id),
                    order.number,
                    search_key(order.number),
                    order.supplier_code,
                    order.phase,
                    int(known),
                    1 if known and baseline else 0,
                    short_time(now),
                    short_time(now),
                ),
            )
            self._records.pop(order.id, None)
            revision = self._revisions.append(order.id, 0, order, last_modified(order), now)
            self._set_marks(order.id, marks)
            return revision
        revision = self._revisions.append(order.id, before.latest, order, last_modified(order), now)
        self._set(
            order.id,
            number=order.number,
            search_key=search_key(order.number),
            supplier=order.supplier_code,
            phase=order.phase,
            latest=revision,
            read_at=short_time(now),
        )
        self._set_marks(order.id, marks)
        return None if revision == before.latest else revision

    def marks(self, order_id: str) -> dict[str, datetime]:
        """Modification times of header and releases when last read; empty if there is no such order."""
        row = self._database.row("SELECT marks FROM orders WHERE id = short_id(?)", (order_id,))
        if row is None:
            return {}
        text = unpack(row["marks"], first_revision(self._database, order_id))
        return {key: moment(at) for key, at in json.loads(text).items()}

    def _set_marks(self, order_id: str, marks: Mapping[str, datetime]) -> None:
        text = json.dumps({row: instant(at) for row, at in sorted(marks.items())})
        packed = pack(text, first_revision(self._database, order_id))
        self._set(order_id, marks=packed)

    def _set(self, order_id: str, **columns: object) -> None:
        assigned = ", ".join([f"{name} = ?" for name in columns])
        self._database.execute(f"UPDATE orders SET {assigned} WHERE id = ?", (*columns.values(), short_id(order_id)))
        self._records.pop(order_id, None)

    def open_ids(self) -> dict[str, str]:
        """Orders not received, cancelled or vanished when last read: Plex id to number."""
        rows = self._database.rows("SELECT id, number FROM orders WHERE phase IN ('released', 'unreleased')")
        return {id_of(row["id"]): row["number"] for row in rows}

    def not_up_to_date(self, number: str | None = None) -> list[OrderRecord]:
        """Traded orders for which a document may be due: all, or those of this number (blanks ignored) or Plex id."""
        if number is None:
            return self._query("WHERE untraded = 0 AND settled < latest ORDER BY first_seen, number, id")
        found = self._query(
            "WHERE untraded = 0 AND settled < latest AND (search_key = ? OR id = short_id(?))"
            " ORDER BY first_seen, number, id",
            *(search_key(number), number),
        )
        return [one for one in found if number_key(one.number) == number_key(number) or one.id == number]

    def _query(self, clause: str, *parameters: object) -> list[OrderRecord]:
        rows = self._database.rows(f"SELECT {_RECORD.listed} FROM orders {clause}", parameters)
        return [_RECORD.record_of(row) for row in rows]

    def any_not_up_to_date(self) -> bool:
        """Whether a document may be due for any traded order."""
        return self._database.row("SELECT 1 FROM orders WHERE untraded = 0 AND settled < latest LIMIT 1") is not None

    def set_up_to_date(self, order_id: str, revision: int) -> None:
        """Record that no document is due up to this revision; 0: decide again."""
        self._set(order_id, settled=revision)

    def known_revision(self, stream: str) -> int:
        """The revision of this stream that a user confirmed as the supplier's; 0 if none."""
        return self._database.number("SELECT revision FROM told WHERE stream = ?", (stream,))

    def set_known_revision(self, stream: str, revision: int) -> None:
        """Record that the supplier has this revision without a document."""
        self._database.execute(
            "INSERT INTO told (stream, revision) VALUES (?, ?)"
            " ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision",
            (stream, revision),
        )

    def allow(self, order_id: str, revision: int) -> None:
        """A user allows a known order to be sent, up to this revision."""
        self._set(order_id, allowed=revision)

    def forget_baseline(self, order_id: str) -> None:
        """Record that the revision the supplier of a known order has is unknown: it needs review before it is sent."""
        self._set(order_id, baseline=0, settled=0)

    def take_as_known(self, order_id: str) -> None:
        """Trade an order whose supplier now has settings; its supplier is assumed to have it already."""
        self._set(order_id, untraded=0, known=1)

    def set_supplier(self, supplier: Supplier, address_id: str | None = None) -> None:
        """Store a supplier's name and address as read from Plex for an order that names this address of it."""
        content = to_json(supplier)
        for key in dict.fromkeys((supplier.code, _supplier_key(supplier.code, address_id))):
            self._database.execute(
                "INSERT INTO suppliers (code, content) VALUES (?, ?)"
                " ON CONFLICT (code) DO UPDATE SET content = excluded.content",
                (key, content),
            )

    def supplier(self, code: str, address_id: str | None = None) -> Supplier | None:
        """A supplier with this address, else as last read from Plex; None if it never was."""
        for key in (_supplier_key(code, address_id), code):
            row = self._database.row("SELECT content FROM suppliers WHERE code = ?", (key,))
            if row is not None:
                return from_json(Supplier, row["content"])
        return None

    def set_untraded(self, order_id: str, untraded: bool) -> None:
        """Store whether an order's supplier lacks settings."""
        self._set(order_id, untraded=int(untraded))

    def untraded(self, supplier: str) -> list[OrderRecord]:
        """The orders of one supplier that are not traded by EDI."""
        return self._query("WHERE supplier = ? AND untraded = 1 ORDER BY number, id", supplier)

    def untraded_suppliers(self) -> list[tuple[str, int]]:
        """Suppliers without settings, each with its number of orders."""
        rows = self._database.rows(
            "SELECT supplier, sum(n) AS orders FROM order_counts WHERE untraded = 1 AND n > 0"
            " GROUP BY supplier ORDER BY supplier"
        )
        return [(row["supplier"], row["orders"]) for row in rows]

    def add_work(self, work: Iterable[Work]) -> None:
        """Queue orders to be read; one that is queued already keeps its entry."""
        for item in work:
            self._database.execute(
                "INSERT INTO poll_work (order_id, number, origin) VALUES (?, ?, ?) ON CONFLICT (order_id) DO NOTHING",
                (item.order_id, item.number, item.origin),
            )

    def work(self, limit: int, *, excluding: Collection[str] = ()) -> list[Work]:
        """The next orders to be read, except `excluding`; those of windows first."""
        rows = self._database.rows(
            "SELECT * FROM poll_work WHERE order_id NOT IN (SELECT value FROM json_each(?))"
            " ORDER BY origin DESC, order_id LIMIT ?",
            (json.dumps(sorted(excluding)), limit),
        )
        return [Work(row["order_id"], row["number"], row["origin"]) for row in rows]

    def work_left(self, origin: str | None = None) -> int:
        """Number of orders still to be read, of one origin or of all."""
        if origin is None:
            return self._database.number("SELECT count(*) FROM poll_work")
        return self._database.number("SELECT count(*) FROM poll_work WHERE origin = ?", (origin,))

    def postpone_work(self, order_id: str) -> None:
        """Leave an order that could not be read to later runs."""
        # As `sweep`: the cursor advances only after all orders of its window were read.
        self._database.execute("UPDATE poll_work SET origin = 'sweep' WHERE order_id = ?", (order_id,))

    def finish_work(self, order_id: str) -> None:
        """Remove an order that was read from the queue."""
        self._database.execute("DELETE FROM poll_work WHERE order_id = ?", (order_id,))


class Receipts:
    """The table `receipts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, receipt_id: str, order_id: str, line_id: str, quantity: Decimal, received_at: datetime) -> None:
        """Store a receipt, or its corrected quantity."""
        self._database.execute(
            "INSERT INTO receipts (id, order_id, line_id, quantity, received_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity, received_at = excluded.received_at",
            (receipt_id, order_id, line_id, f"{quantity:f}", instant(received_at)),
        )

    def received(self, order_id: str) -> dict[str, Decimal]:
        """Quantities received so far, by Plex line id, in the line's order unit."""
        totals: dict[str, Decimal] = {}
        for row in self._database.rows("SELECT line_id, quantity FROM receipts WHERE order_id = ?", (order_id,)):
            totals[row["line_id"]] = total_of(totals.get(row["line_id"], Decimal(0)), Decimal(row["quantity"]))
        return totals


def _supplier_key(code: str, address_id: str | None) -> str:
    """A supplier has several addresses, and each of its orders may name another. No code contains a line break."""
    return code if address_id is None else f"{code}\n{address_id}"


_RECORD = Columns(
    OrderRecord,
    {"id": id_of, "phase": Phase, "known": bool, "read_at": time_of, "untraded": bool},
    names={"up_to_date": "settled"},
)
