"""The clock of everything that is not given another, in aware UTC, and the days of a time zone."""

from datetime import UTC, datetime, time, timedelta, tzinfo


def utc_now() -> datetime:
    return datetime.now(UTC)


def day_around(moment: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """From which moment to before which other, both UTC, the zone has the same date as at `moment`.

    A midnight that the clocks skip or repeat is taken with the offset before the change (`fold` 0), which is
    the moment at which that date begins.
    """
    date = moment.astimezone(zone).date()
    starts, ends = (datetime.combine(day, time(), zone) for day in (date, date + timedelta(days=1)))
    return starts.astimezone(UTC), ends.astimezone(UTC)
