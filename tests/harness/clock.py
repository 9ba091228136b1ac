"""The one clock of the tests."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 9, 12, 0, 0, 123456, tzinfo=UTC)


class Clock:
    """The time is what a test sets, for every part that is given this clock."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
