"""The clock of everything that is not given another, in aware UTC, and the days of a time zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def utc_now() -> datetime:
    return datetime.now(UTC)


def local_time(zone: tzinfo) -> Callable[[datetime], str]:
    """How a time is written for the owner: `2026-11-25 17:30:00 CST`."""
    return lambda moment: moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which the zone's date begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def period(first: date | None, last: date | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """From which moment to before which other, both UTC, the zone's days from `first` to `last` go.

    `None`: no bound. Days before all computers and after the year 9998 are as the nearest one between.
    """
    start = start_of_day(_in_reach(first), zone) if first else None
    end = start_of_day(_in_reach(last) + timedelta(days=1), zone) if last else None
    return start, end


def _in_reach(day: date) -> date:
    return min(max(day, date(1970, 1, 2)), date(9998, 12, 31))


def day_around(moment: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """From which moment to before which other, both UTC, the zone has the same date as at `moment`.

    A midnight that the clocks skip or repeat is taken with the offset before the change (`fold` 0), which is
    the moment at which that date begins.
    """
    today = moment.astimezone(zone).date()
    return start_of_day(today, zone), start_of_day(today + timedelta(days=1), zone)
