"""What a client may attach: `orders://recent`, and a receipt as `order://{reference}`. Per caller."""

import re
from collections.abc import Awaitable
from typing import TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from xportcn_server.guide import receipts as markdown
from xportcn_server.guide.current_desk import desk
from xportcn_tools.caller import caller_of
from xportcn_tools.desk.desk import Desk
from xportcn_tools.ledger.ledger import OrderQuery
from xportcn_tools.results import ProblemError

T = TypeVar("T")

RECENT = "orders://recent"
ORDER = "order://{reference}"
MOST_RECENT = 20
REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What an `out_order_id` and an order id are made of; anything else is not looked for."""


def add_resources(server: MCPServer[Desk]) -> None:
    """Register both. A resource that is another caller's is one that does not exist."""

    @server.resource(
        RECENT,
        name="recent_orders",
        title="Recent orders",
        description=f"The newest {MOST_RECENT} orders that this server placed or tried to place for you",
        mime_type="text/markdown",
    )
    async def recent_orders() -> str:  # pyright: ignore[reportUnusedFunction]
        here = desk()
        found = await _or_error(here.history.listed(OrderQuery(caller_of(), limit=MOST_RECENT)), RECENT)
        return _page(here, markdown.orders_list(found.orders, here.policy.language))

    @server.resource(
        ORDER,
        name="order_receipt",
        title="Receipt of an order",
        description="One order by its out_order_id or order id: goods, total, address, state, what next",
        mime_type="text/markdown",
    )
    async def order_receipt(reference: str) -> str:  # pyright: ignore[reportUnusedFunction]
        here, uri = desk(), f"order://{reference}"
        if not REFERENCE.fullmatch(reference):
            raise ResourceNotFoundError(f"Unknown resource: {uri}")
        found = await _or_error(here.history.receipt(caller_of(), reference), uri)
        return _page(here, markdown.receipt(found, here.policy.zone, here.policy.language))


def _page(here: Desk, parts: list[str]) -> str:
    return markdown.page(here.policy.environment, parts, here.policy.language)


async def _or_error(asked: Awaitable[T], uri: str) -> T:
    """The answer, or the desk's problem in the protocol's words: resources have no envelope."""
    try:
        return await asked
    except ProblemError as error:
        if error.problem.code == "not_found":
            raise ResourceNotFoundError(f"Unknown resource: {uri}") from error
        raise ResourceError(f"{error.problem.code}: {error.problem.message}") from error
