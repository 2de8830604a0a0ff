"""A day written to Plex is that day on Plex's own screens, in every time zone and across every change of its clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexstedi.plex.days import Days, first_instant, parsed_time
from plexstedi.plex.port import ReleaseUpdate
from plexstedi.plex.rest.rows import Names, Row
from plexstedi.plex.writeback.custom_fields import DayFields
from plexstedi.plex.writeback.release_update import put_body

# "localtime" and "Factory" stand in the folder and are no zones of a plant.
ZONES = sorted(name for name in available_timezones() if name not in ("localtime", "Factory"))
_DAYS = st.dates(date(1970, 1, 2), date(2100, 1, 1))


def on_screen(text: str, zone: str) -> date:
    """What Plex shows for a stored instant: the plant's calendar day."""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date()


def exists(day: date, zone: str) -> bool:
    """Whether the plant has this day at all: some islands went over the date line and left one out."""
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    return noon.astimezone(UTC).astimezone(ZoneInfo(zone)).date() == day


@lru_cache
def changes(zone: str) -> tuple[date, ...]:
    """Days beside every change of this zone's clock in these two years."""
    days = [date(2026, 1, 1) + timedelta(days=count) for count in range(730)]
    offsets = [datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset() for day in days]
    places = [count for count in range(1, 730) if offsets[count] != offsets[count - 1]]
    return tuple(days[count + by] for count in places for by in (-2, -1, 0, 1) if 0 <= count + by < 730)


def check_day(zone: str, day: date) -> None:
    days = Days(ZoneInfo(zone))
    begins = first_instant(day, ZoneInfo(zone))
    written = days.write(day)
    assert parsed_time(written) == begins
    assert on_screen(written, zone) == day
    assert (begins - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day, "it began before"
    assert days.read(written) == day
    assert days.plain(written) == day.isoformat()


def test_in_every_zone_a_day_beside_a_change_of_the_clock_is_that_day() -> None:
    for zone in ZONES:
        for day in (*changes(zone), date(2026, 1, 15), date(2026, 7, 15)):
            check_day(zone, day)


@given(zone=st.sampled_from(ZONES), day=_DAYS)
def test_in_every_zone_any_day_is_that_day(zone: str, day: date) -> None:
    if exists(day, zone):
        check_day(zone, day)


@given(zone=st.sampled_from(ZONES), before=_DAYS, day=_DAYS)
def test_a_day_is_written_over_another_in_the_form_that_it_has(zone: str, before: date, day: date) -> None:
    days = Days(ZoneInfo(zone))
    midnight = days.write(before)
    assert on_screen(days.write(day, midnight), zone) == day or not exists(day, zone)
    without_zone = f"{before.isoformat()}T00:00:00Z"
    written = days.write(day, without_zone)
    if midnight != without_zone:
        assert written == f"{day.isoformat()}T00:00:00Z", "a day without a zone stays one"
    assert days.read(written) == day or not exists(day, zone)


@given(zone=st.sampled_from(ZONES), day=_DAYS, clock=st.times())
def test_a_time_is_the_day_that_plex_shows_for_it(zone: str, day: date, clock: time) -> None:
    text = f"{day.isoformat()}T{clock.replace(microsecond=0).isoformat()}Z"
    without_zone = clock.replace(microsecond=0) == time()
    assert Days(ZoneInfo(zone)).read(text) == (day if without_zone else on_screen(text, zone))


@pytest.mark.parametrize(
    ("zone", "day", "text"),
    [
        ("America/Detroit", "2026-12-08", "2026-12-08T05:00:00Z"),
        ("America/Detroit", "2026-07-08", "2026-07-08T04:00:00Z"),
        ("America/Detroit", "2026-11-01", "2026-11-01T04:00:00Z"),
        ("America/Detroit", "2026-11-02", "2026-11-02T05:00:00Z"),
        ("America/Detroit", "2027-03-14", "2027-03-14T05:00:00Z"),
        ("America/Detroit", "2027-03-15", "2027-03-15T04:00:00Z"),
        ("Europe/Berlin", "2026-12-08", "2026-12-07T23:00:00Z"),
        ("Europe/Berlin", "2026-07-08", "2026-07-07T22:00:00Z"),
        ("Europe/London", "2026-12-08", "2026-12-08T00:00:00Z"),
        ("Asia/Kolkata", "2026-12-08", "2026-12-07T18:30:00Z"),
        ("Pacific/Kiritimati", "2026-12-08", "2026-12-07T10:00:00Z"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),  # midnight is skipped: the day begins at 01:00
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),  # the same
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),  # midnight comes twice: the first
        ("UTC", "2026-12-08", "2026-12-08T00:00:00Z"),
    ],
)
def test_a_day_is_written_as_midnight_there(zone: str, day: str, text: str) -> None:
    assert Days(ZoneInfo(zone)).write(date.fromisoformat(day)) == text
    assert Days(ZoneInfo(zone)).read(text) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-08T00:00:00Z", 8),
        ("2026-12-08T00:00:00.0000000Z", 8),
        ("2026-12-08T00:00:00", 8),
        ("2026-12-08", 8),
        ("2026-12-08T00:00:00+01:00", 8),
        ("2026-12-07T23:00:00Z", 8),
        ("2026-12-07T23:00:00", 8),
        ("2026-12-08T05:00:00Z", 8),
        ("2026-12-08T22:59:59Z", 8),
        ("2026-12-08T23:00:00.001Z", 9),
        ("2026-12-08T00:00:00-05:00", 8),
        ("9999-12-31T23:30:00Z", 31),
        ("0001-01-01T23:30:00Z", 2),
    ],
)
def test_a_time_is_a_day_in_berlin(text: str, day: int) -> None:
    read = Days(ZoneInfo("Europe/Berlin")).read(text)
    assert read is not None
    assert read.day == day


def test_without_a_zone_the_written_date_is_the_day() -> None:
    days = Days()
    assert days.read("2026-12-07T23:00:00Z") == date(2026, 12, 7)
    assert days.write(date(2026, 12, 8), "2026-12-01T05:00:00Z") == "2026-12-08T05:00:00Z"
    assert days.write(date(2026, 12, 8)) == "2026-12-08T00:00:00Z"
    assert days.plain("2026-12-07T23:00:00Z") == "2026-12-07T23:00:00Z"
    assert days.read("soon") is None


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-10-28T04:00:00Z", "2026-11-10T05:00:00Z"),  # over the change of the clock
        ("2026-10-28T00:00:00Z", "2026-11-10T00:00:00Z"),  # a day without a zone
        (None, "2026-11-10T05:00:00Z"),
    ],
)
def test_a_release_gets_its_new_day_in_the_form_it_has(now: str | None, then: str) -> None:
    names = Names(own={}, aliases={}, days=Days(ZoneInfo("America/Detroit")))
    row = Row({"status": "Firm", "quantity": 5, **({} if now is None else {"dueDate": now})}, names, "release")
    body = put_body(row, ReleaseUpdate(order_id="o1", release_id="r1", due=date(2026, 11, 10)))
    assert isinstance(body, dict)
    assert body["dueDate"] == then


def test_a_custom_field_that_holds_a_day_is_written_as_the_plants_midnight() -> None:
    fields = DayFields(frozenset({"Ship", "Note"}), Days(ZoneInfo("Europe/Berlin")))
    values = {"Ship": "2026-12-08", "Note": "2026-12-08", "Other": "2026-12-08", "Empty": None}
    written = fields.as_written(values, {"note"})
    assert written == {**values, "Ship": "2026-12-07T23:00:00Z"}
    assert fields.as_read(written) == values
    # Several lines on one order are text; what a person wrote there stays what it is.
    for text in ("1: 2026-12-08; 2: 2026-12-09", "ask Jim"):
        assert fields.as_read(fields.as_written({"Ship": text})) == {"Ship": text}
    assert DayFields(frozenset({"Ship"})).as_written({"Ship": "2026-12-08"}) == {"Ship": "2026-12-08"}
