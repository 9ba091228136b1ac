"""The experimental look-up of orders of unknown outcome (`XPORTCN_ORDER_LOOKUP=on`).

Path and form of the upstream's order list are inferred. So the look-up is off by default, reads whatever
list it finds, and believes a row only if its `outOrderId` is exactly ours. A find ends the unknown; finding
nothing proves nothing and changes nothing.
"""

import logging
from dataclasses import dataclass
from typing import Any

from xportcn_tools.ledger.ledger import Ledger, OrderRecord, Outcome, log_outcome
from xportcn_tools.upstream.order_list import list_request, order_ids_in, rows_of
from xportcn_tools.upstream.port import Upstream, UpstreamError

logger = logging.getLogger(__name__)

MOST_PAGES = 40


@dataclass(frozen=True)
class OrderLookup:
    """Looks an order up by its `out_order_id`, over all pages."""

    _upstream: Upstream
    _ledger: Ledger
    _path: str

    async def settle(self, order: OrderRecord) -> OrderRecord:
        """The order, ended as `placed` if the upstream lists it; else as it was.

        Raises:
            LedgerUnavailableError: what was found could not be recorded.
        """
        try:
            found, request_id = await self._find(order.out_order_id)
        except UpstreamError as error:
            logger.info("order %s was not looked up: %s", order.out_order_id, error)
            return order
        if not found:
            return order
        outcome = Outcome("placed", "yes", found, request_id or order.request_id)
        settled = await self._ledger.resolve(order.order_key, outcome, "found_by_look_up")
        if settled:
            log_outcome(order.out_order_id, outcome)
        return settled or order

    async def _find(self, out_order_id: str) -> tuple[tuple[str, ...], str | None]:
        ids: dict[str, None] = {}
        request_id: str | None = None
        before: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            reply = await self._upstream.read(self._path, list_request(out_order_id, page))
            if reply.status != 200 or reply.envelope is None or not reply.envelope.succeeded:
                # The upstream's text stays out of the log; a code may be any text, too.
                code = reply.envelope.code if reply.envelope else None
                code = code if isinstance(code, int) else "-"
                logger.info("the order list answered HTTP %s, code %s", reply.status, code)
                return (), None  # what the earlier pages held may be half of it
            rows = list(rows_of(reply.envelope.data))
            if not rows or rows == before:  # the end, or an upstream that knows no pages
                break
            before = rows
            found = order_ids_in(rows, out_order_id)
            request_id = reply.request_id if found else request_id
            ids |= dict.fromkeys(found)
        return tuple(ids), request_id
