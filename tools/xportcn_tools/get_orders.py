"""`get_orders`: what became of orders, from the ledger."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp_types import ToolAnnotations
from pydantic import Field

from xportcn_tools.arguments import TextLine, WholeNumber
from xportcn_tools.caller import caller_of
from xportcn_tools.desk.desk import Desk
from xportcn_tools.results import OrderResult, OrdersEnvelope, OrderState
from xportcn_tools.tool import Offered

ANNOTATIONS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


async def get_orders(
    ctx: Context[Desk],
    reference: Annotated[
        str | None,
        TextLine(64, number=True),
        Field(description="preview_token, out_order_id or order id"),
    ] = None,
    state: Annotated[OrderState | None, Field(description="Only orders in this state")] = None,
    limit: Annotated[int | None, Field(ge=1, le=50, description="At most so many"), WholeNumber] = 10,
) -> list[OrderResult]:
    """Use this when somebody asks what became of an order, and before ordering the same again. It costs
    nothing and changes nothing: it reads this server's own ledger, newest first. Money: payable is CNY in
    yuan as a decimal string. Next: tell state and order ids. placed: it exists and is not paid yet; rejected,
    absent: no order exists; sending: ask again in half a minute; unknown: an order may exist, do not order it
    again but tell the person.
    """
    desk = ctx.request_context.lifespan_context
    return await desk.orders(caller_of(), reference, state, limit or 10)


GET_ORDERS = Offered(get_orders, "Look up orders", ANNOTATIONS, OrdersEnvelope, "orders")
