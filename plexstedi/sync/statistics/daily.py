"""The records of days: a run stores them once a day, the page reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from msgspec.structs import replace

from plexstedi.edi.model import from_json
from plexstedi.edi.settings import SupplierSettings
from plexstedi.errors import PlexStediError
from plexstedi.internal import place_of
from plexstedi.state.cursors import Fact
from plexstedi.state.reporting.page_statistics import PageStatistics
from plexstedi.state.store import Store
from plexstedi.sync.session import Session
from plexstedi.sync.statistics.scorecards import DayRecord, SupplierDay, supplier_days
from plexstedi.sync.statistics.stages import counted_by_stage

LONGEST = 365
"""Days that the page looks back."""
_KEPT = timedelta(days=LONGEST + 35)
_READ_AGAIN = timedelta(days=7)
"""An acknowledgment may be listed, or matched with its order, days after Stedi processed it."""
_MOST_DAYS = 31
"""Days without a record that one run reads, newest first; the run of the next day continues."""


def record_days(session: Session) -> None:
    """Once a day: store the open orders of today by stage, and the responses of suppliers on past days.

    An unforeseen error is a warning: these are figures of the page only, and each run would end with it.
    """
    try:
        _record(session)
    except PlexStediError:
        raise
    except Exception as error:
        what = f"{type(error).__name__} in {place_of(error)}"
        session.run.warn(
            f"the figures of the page cannot be recorded: {what}. Orders are not affected; please report it with the"
            " traceback that status --html prints."
        )


def _record(session: Session) -> None:
    store, today = session.store, session.clock.now().astimezone(UTC).date()
    stored = read_days(store.page_statistics, today - _KEPT)
    if today in stored and stored[today].orders is not None:
        return
    created = store.cursors.time(Fact.CREATED)
    first = today if created is None else created.date()
    with store.transaction():
        for day in days_to_read(stored, first, today):
            responded = _responses(store, day, session.config.suppliers)
            _put(store, day, replace(stored.get(day, DayRecord()), suppliers=responded))
        counted = counted_by_stage(store.page_statistics.open_orders())
        _put(store, today, replace(stored.get(today, DayRecord()), orders=counted))
        store.page_statistics.drop_days(today - _KEPT)


def days_to_read(stored: Mapping[date, DayRecord], first: date, today: date) -> list[date]:
    """Past days whose responses are read now: the last seven, and older ones without a record. Pure."""
    earliest = max(first, today - timedelta(days=LONGEST))
    past = [today - timedelta(days=back) for back in range(1, (today - earliest).days + 1)]
    recent = [day for day in past if today - day <= _READ_AGAIN]
    missing = [day for day in past[len(recent) :] if day not in stored or stored[day].suppliers is None]
    return [*recent, *missing[:_MOST_DAYS]]


def read_days(statistics: PageStatistics, since: date) -> dict[date, DayRecord]:
    """Stored records; one that cannot be read counts as missing."""
    found: dict[date, DayRecord] = {}
    for day, text in statistics.days(since).items():
        try:
            found[day] = from_json(DayRecord, text)
        except ValueError:
            # Written by another version: statistics only, and recent days are read again.
            continue
    return found


def days_until(store: Store, settings: Mapping[str, SupplierSettings], now: datetime) -> dict[date, DayRecord]:
    """The records of the last year, with today's responses and open orders as they are now."""
    today = now.astimezone(UTC).date()
    found = read_days(store.page_statistics, today - timedelta(days=LONGEST - 1))
    read = [day for day, record in found.items() if record.suppliers is not None]
    unread = min(today, max(read, default=today - _READ_AGAIN) + timedelta(days=1))
    for back in range(min((today - unread).days, _READ_AGAIN.days) + 1):
        day = today - timedelta(days=back)
        responded = _responses(store, day, settings)
        if responded or day in found:
            found[day] = replace(found.get(day, DayRecord()), suppliers=responded)
    counted = counted_by_stage(store.page_statistics.open_orders())
    found[today] = replace(found.get(today, DayRecord()), orders=counted)
    return dict(sorted(found.items()))


def _responses(store: Store, day: date, settings: Mapping[str, SupplierSettings]) -> dict[str, SupplierDay]:
    begin = datetime.combine(day, time(), UTC)
    responses = store.page_statistics.responses(begin, begin + timedelta(days=1))
    return supplier_days(responses, settings).get(day, {})


def _put(store: Store, day: date, record: DayRecord) -> None:
    store.page_statistics.put_day(day, record.text())
