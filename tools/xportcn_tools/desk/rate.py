"""How often a caller may make the upstream answer a preview: a window that slides over one minute. Pure.

Each process counts for itself: behind a balancer, n replicas let n times as many through.
"""

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)


class RateLimit:
    """Counts previews by caller."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[datetime]] = {}  # the longest idle comes first

    def wait_seconds(self, caller: str, most: int, now: datetime) -> int:
        """0, and one more is counted; else the whole seconds until there is room again."""
        seen = _in_window(self._seen.pop(caller, deque()), now)
        while self._seen and not _in_window(self._seen[first := next(iter(self._seen))], now):
            del self._seen[first]
        self._seen[caller] = seen
        if len(seen) < most:
            seen.append(now)
            return 0
        # The one whose going makes room: the oldest, or a later one where the limit has been lowered since.
        return max(1, -((now - seen[len(seen) - most] - WINDOW) // timedelta(seconds=1)))


def _in_window(seen: deque[datetime], now: datetime) -> deque[datetime]:
    while seen and not timedelta(0) <= now - seen[0] < WINDOW:
        seen.popleft()
    return seen
