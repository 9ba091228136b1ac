"""What follows from a message of the vendor: it is kept with its order, whose details are then read once.

Nothing in a message is believed. An order that the ledger does not have is not read, and one that it has at
most once a minute: a message that comes sooner waits for the rest of the minute.
"""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

import anyio

from xportcn_tools.clock import utc_now
from xportcn_tools.desk.lookup import OrderLookup
from xportcn_tools.desk.rate import RateLimit
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, Receipt
from xportcn_tools.upstream.vendor_message import Hint, read_message

logger = logging.getLogger(__name__)

MOST_WAITING = 500
READS_PER_MINUTE = 60
"""Of all orders together."""

_ALL = ""


class Hints:
    """Takes messages at any time; `follow` works through them, one after the other."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._arrived: deque[Hint] = deque()
        self._due: dict[str, str] = {}  # an id of the order, by its key; the longest waiting first
        self._rate = RateLimit()
        self._news = anyio.Event()

    def take(self, body: bytes) -> bool:
        """Whether it need not be sent again: it has found room, or names no order. Returns at once."""
        hint = read_message(body, self._clock())
        if hint is None:
            logger.info("a message of the vendor could not be read, or names no order")
            return True
        if len(self._arrived) + len(self._due) >= MOST_WAITING:
            return False
        self._arrived.append(hint)
        self._news.set()
        return True

    async def follow(self, ledger: Ledger, lookup: OrderLookup | None) -> None:
        """Follow them until cancelled. Without a look-up they are kept, and nothing is read."""
        while True:
            self._news = anyio.Event()  # before the work, so that what comes meanwhile is not missed
            seconds = None
            try:
                while self._arrived:
                    await self._keep(ledger, self._arrived.popleft())
                if lookup is None:
                    self._due.clear()
                seconds = await self._read_due(ledger, lookup) if lookup else None
            except LedgerError as error:
                logger.warning("a message of the vendor was not followed: %s", error)
            except Exception:  # whatever was sent, it must not end the server
                logger.exception("a message of the vendor was not followed")
            with anyio.move_on_after(seconds):
                await self._news.wait()

    async def _keep(self, ledger: Ledger, hint: Hint) -> None:
        found = await _ours(ledger, hint.order_ids)
        if found is None:
            logger.info("a message of the vendor names no order of this ledger")
            return
        await ledger.keep_message(found.order.order_key, hint.message)
        self._due.setdefault(found.order.order_key, found.order.order_ids[0])

    async def _read_due(self, ledger: Ledger, lookup: OrderLookup) -> int | None:
        """Read what may be read now; the seconds until the next may be, `None` where none waits."""
        waits: list[int] = []
        for order_key, order_id in list(self._due.items()):
            if wait := self._wait(order_key):
                waits.append(wait)
                continue
            del self._due[order_key]
            found = await _ours(ledger, (order_id,))
            if found and await lookup.refresh([found]):
                logger.info("order %s could not be read after a message", found.order.out_order_id)
        return min(waits, default=None)

    def _wait(self, order_key: str) -> int:
        now = self._clock()
        return self._rate.wait_seconds(order_key, 1, now) or self._rate.wait_seconds(
            _ALL, READS_PER_MINUTE, now
        )


async def _ours(ledger: Ledger, order_ids: tuple[str, ...]) -> Receipt | None:
    """The order, of any caller, that has one of these ids upstream."""
    for order_id in order_ids:
        for found in await ledger.receipts(OrderQuery(None, order_id)):
            if order_id in found.order.order_ids:  # a buyer's own number may look like one
                return found
    return None
