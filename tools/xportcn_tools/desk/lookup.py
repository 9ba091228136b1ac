"""What the upstream says of orders after their create (`XPORTCN_ORDER_LOOKUP=on`). Experimental.

Paths and forms of the order list and of an order's details are inferred. So this is off by default, reads
whatever it finds, and changes nothing but one thing: an order of unknown outcome is ended as *placed* where
the upstream lists it under our number, not older than its claim, with the approved sum. Finding nothing
proves nothing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from xportcn_tools.desk.comparison import Compared, compared
from xportcn_tools.desk.policy import LookupPaths
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, OrderRecord, Outcome, Receipt
from xportcn_tools.ledger.outcome_log import log_outcome
from xportcn_tools.upstream.order_details import detail_request, read_order
from xportcn_tools.upstream.order_list import list_request, rows_of
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import Upstream, UpstreamError
from xportcn_tools.upstream_state import Reading, UpstreamOrder

logger = logging.getLogger(__name__)

MOST_PAGES = 40
MOST_DETAILS = 10
AT_ONCE = 4
CLOCKS_APART = timedelta(seconds=60)
"""The upstream's clock may be behind ours by this much."""


@dataclass(frozen=True)
class OrderLookup:
    """Reads orders upstream. A read never becomes a write there."""

    _upstream: Upstream
    _ledger: Ledger
    _paths: LookupPaths
    _clock: Callable[[], datetime]
    _user_of: Callable[[str], str | None] = lambda _: None

    async def refresh(self, receipts: Sequence[Receipt]) -> list[str]:
        """Read the details of placed orders and keep what they say; the numbers of those not read.

        An order of which only some ids could be read counts as not read: a part is not the whole.

        Raises:
            LedgerUnavailableError: what was read could not be kept.
        """
        missed = [receipt.order.out_order_id for receipt in receipts if receipt.order.order_ids]
        limiter = anyio.CapacityLimiter(AT_ONCE)

        async def read(receipt: Receipt) -> None:
            order = receipt.order
            async with limiter:
                found = [await self._details(order_id, order) for order_id in order.order_ids]
            whole = [each for each in found if each]
            if len(whole) < len(found):
                return
            reading = Reading(self._clock(), tuple(whole))
            await self._ledger.keep_reading(order.order_key, reading)
            missed.remove(order.out_order_id)
            if receipt.preview:
                _log_differences(order.out_order_id, compared(whole, receipt.preview.shown))

        async with anyio.create_task_group() as tasks:
            for receipt in receipts:
                if receipt.order.order_ids:
                    tasks.start_soon(read, receipt)
        return missed

    async def settle(self, receipt: Receipt) -> OrderRecord:
        """The order of unknown outcome, ended as `placed` if the upstream has it; else as it was.

        Raises:
            LedgerUnavailableError: what was found could not be recorded.
        """
        order, preview = receipt.order, receipt.preview
        try:
            found = await self._listed(order)
        except UpstreamError as error:
            logger.info("order %s was not looked up: %s", order.out_order_id, error)
            return order
        if not found or preview is None:
            return order
        ids = tuple(each.order_id for each in found)
        beside = compared(found, preview.shown)
        if beside.unit is None or beside.differs or any(each.total is None for each in found):
            logger.warning(
                "order %s may be %s upstream, but its total is not the approved one; a person has to end it",
                order.out_order_id,
                ", ".join(ids),
            )
            return order
        for order_id in ids:
            having = await self._ledger.orders(OrderQuery(None, order_id))
            if any(other.order_key != order.order_key for other in having):
                return order  # another order of ours has this id: whose it is, nobody can say
        outcome = Outcome("placed", "yes", ids, order.request_id)
        settled = await self._ledger.resolve(order.order_key, outcome, "found_by_look_up")
        if settled:
            log_outcome(order.out_order_id, outcome)
        return settled or order

    async def _details(self, order_id: str, order: OrderRecord) -> UpstreamOrder | None:
        """The order of this id as the upstream has it now; `None` where that could not be read."""
        user_id = self._user_of(order.caller)
        try:
            reply = await self._upstream.read(self._paths.details, detail_request(order_id), user_id)
        except UpstreamError as error:
            logger.info("order %s was not read: %s", order.out_order_id, error)
            return None
        if not _answered(reply, "the order details"):
            return None
        found = read_order(reply.envelope.data if reply.envelope else None)
        return found if found and found.order_id == order_id else None

    async def _listed(self, order: OrderRecord) -> Sequence[UpstreamOrder]:
        """The upstream's orders that repeat our number and are not older than the claim, details and all.

        Rows do not document our number: where one lacks it, the details of its id have to repeat it.
        """
        rows: dict[str, UpstreamOrder] = {}
        before: list[str] = []
        for page in range(1, MOST_PAGES + 1):
            request = list_request(order.out_order_id, page)
            reply = await self._upstream.read(self._paths.orders, request, self._user_of(order.caller))
            if not _answered(reply, "the order list"):
                return ()  # what the earlier pages held may be half of it
            listed = list(rows_of(reply.envelope.data if reply.envelope else None))
            found = [each for each in map(read_order, listed) if each]
            ids = [each.order_id for each in found]
            if not listed or ids == before:  # the end, or an upstream that knows no pages
                break
            before = ids
            rows |= {each.order_id: each for each in found if _may_be_ours(each, order)}
        if len(rows) > MOST_DETAILS:
            return ()  # the filter did not filter
        ours: list[UpstreamOrder] = []
        for row in rows.values():
            whole = row.out_order_id and row.total is not None and row.created_at
            known = row if whole else await self._details(row.order_id, order)
            if known is None or known.created_at is None:
                if row.out_order_id:  # it has our number, and nobody can say whether it is all of it
                    return ()
                continue
            if known.out_order_id == order.out_order_id and _not_older(known.created_at, order.created_at):
                ours.append(known)
        return ours


def _log_differences(out_order_id: str, beside: Compared) -> None:
    for each in beside.differences:
        logger.warning("order %s: %s approved %s, now %s", out_order_id, each.what, each.was, each.now)


def _may_be_ours(row: UpstreamOrder, order: OrderRecord) -> bool:
    if row.out_order_id is not None and row.out_order_id != order.out_order_id:
        return False
    return row.created_at is None or _not_older(row.created_at, order.created_at)


def _not_older(created_at: datetime, claimed_at: datetime) -> bool:
    return created_at >= claimed_at - CLOCKS_APART


def _answered(reply: Reply, what: str) -> bool:
    if reply.status == 200 and reply.envelope is not None and reply.envelope.succeeded:
        return True
    # The upstream's text stays out of the log; a code may be any text, too.
    code = reply.envelope.code if reply.envelope else None
    logger.info("%s answered HTTP %s, code %s", what, reply.status, code if isinstance(code, int) else "-")
    return False
