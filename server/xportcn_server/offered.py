"""What a client is offered, and what answers it: tools, prompts, resources, and the desk behind them.

Loaded with the first message after the handshake (`app`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.tools.tool_manager import ToolManager

from xportcn_server.guide.current_desk import keep_desk
from xportcn_server.guide.order_card import add_card, dressed, hide_card
from xportcn_server.guide.prompts import add_prompts, check_prompt
from xportcn_server.guide.resources import add_resources
from xportcn_server.guide.skills import add_skill
from xportcn_server.http.gate import Gate
from xportcn_server.parts import Seams, address_book_of, policy_of, products_of, upstream_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import utc_now
from xportcn_tools.create_order import CREATE_ORDER
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.saved_addresses import SavedAddresses
from xportcn_tools.get_orders import GET_ORDERS
from xportcn_tools.get_product import GET_PRODUCT
from xportcn_tools.ledger.ledger import Ledger
from xportcn_tools.order_arguments import saved_address
from xportcn_tools.preview_order import PREVIEW_ORDER
from xportcn_tools.search_products import SEARCH_PRODUCTS
from xportcn_tools.upstream.port import Upstream


@dataclass(frozen=True)
class Offers:
    """The desk and the upstream that it asks."""

    desk: Desk
    upstream: Upstream

    async def pass_on(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Serve a message with the desk as its lifespan's context."""
        answer = partial(hide_card, call_next=partial(check_prompt, call_next=call_next))
        return await keep_desk(replace(ctx, lifespan_context=self.desk), answer)


def offer(
    server: MCPServer[Any],
    settings: Settings,
    outside: Seams,
    gate: Gate | None,
    ledger: Ledger,
    open_page: Callable[[], Awaitable[bool]] | None,
) -> Offers:
    """Register everything with the server, and make the desk."""
    products = (SEARCH_PRODUCTS, GET_PRODUCT) if settings.products == "on" else ()
    offered = (*products, PREVIEW_ORDER, CREATE_ORDER, GET_ORDERS)
    tools = dressed(each.tool(settings.mode, settings.language) for each in offered)
    # The SDK (2.3.0) takes tools that are made already in its constructor alone.
    others = server._tool_manager.list_tools()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    server._tool_manager = ToolManager(tools=[*tools, *others])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    add_prompts(server)
    add_resources(server)
    add_skill(server)
    add_card(server, settings)
    upstream = outside.upstream or upstream_of(settings, outside)
    if outside.telemetry:
        upstream = outside.telemetry.upstream(upstream)
    desk = Desk(
        upstream,
        ledger,
        policy_of(settings),
        clock=outside.clock or utc_now,
        addresses=SavedAddresses(address_book_of(settings), saved_address),
        profile_of=(gate or Gate()).profile_of,
        products=products_of(settings, upstream, outside),
        open_page=open_page,
    )
    return Offers(desk, upstream)
