"""The clock of everything that is not given another, in aware UTC, and the days of a time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def utc_now() -> datetime:
    return datetime.now(UTC)


def start_of_day(date: date, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which the zone's date begins."""
    return datetime.combine(date, time(), zone).astimezone(UTC)


def day_around(moment: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """From which moment to before which other, both UTC, the zone has the same date as at `moment`.

    A midnight that the clocks skip or repeat is taken with the offset before the change (`fold` 0), which is
    the moment at which that date begins.
    """
    today = moment.astimezone(zone).date()
    return start_of_day(today, zone), start_of_day(today + timedelta(days=1), zone)
