"""Single values kept between runs: tenant and usage of the state, cursors and tokens of feeds, results of runs."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum

from plexstedi.decimal_json import Json, dumps, loads
from plexstedi.errors import ConfigurationFault, Problem
from plexstedi.state.file.codec import instant, moment
from plexstedi.state.file.database import Database
from plexstedi.state.file.transactions import Kept


class Fact(StrEnum):
    """Names of the stored values."""

    TENANT = "tenant"
    USAGE = "usage indicator"
    CREATED = "created"
    START = "orders created before are known"
    BEGAN = "polling began"
    PLEX_CURSOR = "plex read until"
    WINDOW_BEGIN = "plex window begin"
    WINDOW_END = "plex window end"
    SWEEP_STARTED = "sweep started"
    SWEEP_FINISHED = "sweep finished"
    INVOICES_START = "invoices created before are known"
    INVOICES_CURSOR = "invoices read until"
    RECEIPTS_CURSOR = "receipts read until"
    TRANSACTIONS_FROM = "stedi transactions read from"
    TRANSACTIONS_TOKEN = "stedi transactions token"
    EXECUTIONS_TOKEN = "stedi executions token"
    TRANSACTIONS_SEEN = "newest stedi transaction"
    EXECUTIONS_SEEN = "newest stedi execution"
    TRANSACTIONS_REFUSED = "stedi transactions token refused since"
    EXECUTIONS_REFUSED = "stedi executions token refused since"
    TIMEZONES = "time zones that orders were read in"
    ORDER_PATTERN = "order pattern that acknowledgments were told apart by"
    HIGHEST_TIME = "highest time seen"
    PLEX_CALLS = "plex calls"
    STEDI_CALLS = "stedi calls"
    DIGEST_SENT = "digest of alerts sent"
    ALERTED_FAULTS = "faults that were told"
    RUNS = "how runs ended"
    TALLY = "runs and calls counted"
    CONTENTS_DROPPED = "contents dropped"
    STEDI_KEY = "stedi key"
    PLEX_KEY = "plex key"
    CUT_SHORT = "acknowledgments whose decision the time limit cut short"


TimezoneHistory = tuple[tuple[str, datetime | None], ...]
"""Each `plex.timezone` (empty: none) with the time since when it is used; the first has no begin."""


class Cursors:
    """The table `memory`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: Kept[Fact, str | None] = database.kept.up_to(len(Fact))

    def get(self, fact: Fact) -> str | None:
        """A stored value; None if there is none."""
        if fact in self._values:
            return self._values[fact]
        row = self._database.row("SELECT value FROM memory WHERE name = ?", (fact,))
        value = self._values[fact] = None if row is None else str(row["value"])
        return value

    def put(self, fact: Fact, value: str | None) -> None:
        """Store a value; None deletes it."""
        if value is None:
            self._database.execute("DELETE FROM memory WHERE name = ?", (fact,))
        else:
            self._database.execute(
                "INSERT INTO memory (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (fact, value),
            )
        self._values[fact] = value

    def time(self, fact: Fact) -> datetime | None:
        """A stored time; None if there is none."""
        value = self.get(fact)
        return None if value is None else moment(value)

    def put_time(self, fact: Fact, value: datetime | None) -> None:
        """Store a time; None deletes it."""
        self.put(fact, None if value is None else instant(value))

    def belongs_to(self, tenant: str, usage: str) -> None:
        """Assign a new file to this tenant and usage indicator, or check that it has them.

        Raise ConfigurationFault (exit 4) if it has others (DESIGN.md section 5).
        """
        self.must_belong_to(tenant, usage)
        for fact, mine in ((Fact.TENANT, tenant), (Fact.USAGE, usage)):
            if self.get(fact) is None:
                self.put(fact, mine)

    def must_belong_to(self, tenant: str, usage: str) -> None:
        """Check that the file is new or has this tenant and usage indicator. Raise ConfigurationFault (exit 4)."""
        for fact, mine, key in (
            (Fact.TENANT, tenant, "plex.tenant_id"),
            (Fact.USAGE, usage, "stedi.usage_indicator"),
        ):
            theirs = self.get(fact)
            if theirs is not None and theirs != mine:
                raise ConfigurationFault(
                    [
                        Problem(
                            file=str(self._database.path or "state"),
                            key=key,
                            message=f"this state file belongs to {fact} {theirs}, the configuration says {mine}",
                            fix="Use a separate state file for each tenant and usage indicator (--state FILE).",
                        )
                    ]
                )

    def timezones(self) -> TimezoneHistory:
        """The time zones in which stored orders were read. A state that predates this record read dates as written."""
        noted = self.get(Fact.TIMEZONES)
        if noted is None:
            return () if self.get(Fact.BEGAN) is None else (("", None),)
        return tuple((name, None if since is None else moment(since)) for name, since in json.loads(noted))

    def note_timezone(self, name: str | None, now: datetime) -> None:
        """Record the current time zone; in the caller's transaction, before polling begins."""
        known = self.timezones()
        if known and known[-1][0] == (name or ""):
            return
        entries = [*known, (name or "", now if known else None)]
        self.put(Fact.TIMEZONES, json.dumps([(zone, None if at is None else instant(at)) for zone, at in entries]))

    def latest_time(self, *seen: datetime | None) -> datetime:
        """The latest of these times and of all earlier ones; stores it. Raise ValueError if there is none.

        The age that decides about sending again must not shrink when a clock is set back (DESIGN.md section 6).
        """
        times = [time for time in (*seen, self.time(Fact.HIGHEST_TIME)) if time is not None]
        if not times:
            raise ValueError("no time given and none stored")
        latest = max(times)
        known = self.time(Fact.HIGHEST_TIME)
        if known is None or latest - known > timedelta(seconds=1):
            self.put_time(Fact.HIGHEST_TIME, latest)
        return latest


class PlexRows:
    """The table `plex_rows`: master data of Plex, stored so that not every run reads it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, kind: str, key: str, since: datetime) -> Json:
        """The rows read at or after `since`; None if there are none."""
        row = self._database.row(
            "SELECT content FROM plex_rows WHERE kind = ? AND key = ? AND read_at >= ?", (kind, key, instant(since))
        )
        return None if row is None else loads(row["content"])

    def forget(self) -> None:
        """Delete all rows: everything is read again."""
        self._database.execute("DELETE FROM plex_rows")

    def put(self, kind: str, key: str, content: Json, now: datetime) -> None:
        """Store rows read now."""
        self._database.execute(
            "INSERT INTO plex_rows (kind, key, content, read_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET content = excluded.content, read_at = excluded.read_at",
            (kind, key, dumps(content), instant(now)),
        )
