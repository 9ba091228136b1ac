"""`get_orders`: what became of orders, from the ledger."""

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from xportcn_tools.arguments import NotNull, OptionalText, WholeNumber
from xportcn_tools.caller import caller_of
from xportcn_tools.desk.desk import Desk
from xportcn_tools.results import Envelope, Environment, OrderState
from xportcn_tools.tool import EnvelopeTool, result_of

ANNOTATIONS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def orders_tool(environment: Environment) -> EnvelopeTool:
    """The tool; `environment` labels its results."""

    async def get_orders(
        ctx: Context[Desk],
        reference: Annotated[
            str | None, OptionalText(64), Field(description="preview_token, out_order_id or order id")
        ] = None,
        state: Annotated[OrderState | None, NotNull, Field(description="Only orders in this state")] = None,
        limit: Annotated[int, Field(ge=1, le=50, description="At most so many"), WholeNumber] = 10,
    ) -> Annotated[CallToolResult, Envelope]:
        """Use this when somebody asks what became of an order, and before ordering the same again. It costs
        nothing and changes nothing: it reads this server's own ledger, newest first. Money: payable is CNY
        in yuan as a decimal string. Next: tell state and order ids. placed: it exists; rejected, absent:
        no order exists; sending: ask again in half a minute; unknown: an order may exist, do not order it
        again but tell the person.
        """
        desk = ctx.request_context.lifespan_context
        orders = await desk.orders(caller_of(), reference, state, limit)
        return result_of(environment, Envelope(ok=True, environment=environment, orders=orders))

    return EnvelopeTool.of(
        get_orders, title="Look up orders", annotations=ANNOTATIONS, environment=environment
    )
