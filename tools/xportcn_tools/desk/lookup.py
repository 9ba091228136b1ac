"""The experimental look-up of orders of unknown outcome (`XPORTCN_ORDER_LOOKUP=list`).

The upstream's order list is known by name only: path and form are inferred. So the look-up is off by
default, reads whatever list it finds, and believes a row only if its `outOrderId` is exactly ours. A find
ends the unknown; not finding proves nothing and changes nothing.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from xportcn_tools.ledger.ledger import Ledger, OrderRecord, Outcome
from xportcn_tools.upstream.client import UpstreamClient, UpstreamError

logger = logging.getLogger(__name__)

PAGE_SIZE = 50
MOST_PAGES = 40
_LISTS = ("result", "list", "records", "rows", "orders", "data")
_IDS = ("idOfStr", "orderId", "id")


@dataclass(frozen=True)
class OrderLookup:
    """Looks an order up by its `out_order_id`, over all pages."""

    _upstream: UpstreamClient
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
        return await self._ledger.resolve(order.order_key, outcome, "found_by_look_up") or order

    async def _find(self, out_order_id: str) -> tuple[tuple[str, ...], str | None]:
        ids: dict[str, None] = {}
        request_id: str | None = None
        before: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            body = {"page": page, "pageSize": PAGE_SIZE, "outOrderId": out_order_id}
            reply = await self._upstream.read(self._path, body)
            if reply.status != 200 or reply.envelope is None or not reply.envelope.succeeded:
                # Its text is a stranger's, and stays out of the log; a code may be any text, too.
                code = reply.envelope.code if reply.envelope else None
                code = code if isinstance(code, int) else "-"
                logger.info("the order list answered HTTP %s, code %s", reply.status, code)
                return (), None  # what the earlier pages held may be half of it
            rows = list(_rows(reply.envelope.data))
            if not rows or rows == before:  # the end, or an upstream that knows no pages
                break
            before = rows
            here = [_order_id(row) for row in rows if row.get("outOrderId") == out_order_id]
            found = [order_id for order_id in here if order_id]
            request_id = reply.request_id if found else request_id
            ids |= dict.fromkeys(found)
        return tuple(ids), request_id


def _rows(answer: object) -> Iterator[dict[str, Any]]:
    """The rows of whatever list the answer holds; a row's `baseInfo` is part of it (1688)."""
    data: object = answer
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        data = next((fields[name] for name in _LISTS if isinstance(fields.get(name), list)), None)
    if not isinstance(data, list):
        return
    for row in cast("list[object]", data):
        if isinstance(row, dict):
            fields = cast("dict[str, Any]", row)
            base: object = fields.get("baseInfo")
            yield fields | cast("dict[str, Any]", base) if isinstance(base, dict) else fields


def _order_id(row: dict[str, Any]) -> str | None:
    for name in _IDS:
        value = row.get(name)
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if text.isascii() and text.isalnum() and len(text) <= 64:
            return text
    return None
