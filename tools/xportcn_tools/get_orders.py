"""`get_orders`: what became of orders, from the ledger."""

from datetime import date
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp_types import ToolAnnotations
from pydantic import Field

from xportcn_tools.arguments import FORMS, TextLine, WholeNumber
from xportcn_tools.caller import caller_of
from xportcn_tools.clock import period
from xportcn_tools.desk.desk import Desk
from xportcn_tools.ledger.ledger import OrderQuery
from xportcn_tools.results import Money, OrdersEnvelope, OrderState, TotalResult, wrong_argument
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
    since: Annotated[str | None, TextLine(10), Field(description="From this day on, like 2026-11-25")] = None,
    until: Annotated[str | None, TextLine(10), Field(description="To this day, and with it")] = None,
    limit: Annotated[int | None, Field(ge=1, le=50, description="At most so many"), WholeNumber] = 10,
    before: Annotated[
        str | None, TextLine(64, number=True), Field(description="next_before of the last answer")
    ] = None,
    refresh: Annotated[
        bool | None, Field(description="True: read upstream first whether they are paid, shipped, closed")
    ] = None,
) -> dict[str, Any]:
    """Use this when somebody asks what became of an order, and before ordering the same again. It costs
    nothing and changes nothing: it reads this server's own ledger, newest first. Money: payable is CNY in
    yuan as a decimal string. Next: tell state and order ids. placed: it exists and is not paid yet; rejected,
    absent: no order exists; sending: ask again in half a minute; unknown: an order may exist, do not order it
    again but tell the person.
    """
    desk = ctx.request_context.lifespan_context
    first, last = _day("since", since), _day("until", until)
    if first and last and first > last:
        raise wrong_argument("since", "is a later day than until; exchange the two")
    start, end = period(first, last, desk.policy.zone)
    found = await desk.history.listed(
        OrderQuery(
            caller_of(),
            reference,
            states=(state,) if state else (),
            limit=limit or 10,
            since=start,
            until=end,
            before=before,
        ),
        refresh=bool(refresh),
    )
    totals = [
        TotalResult(state=each.state, orders=each.orders, payable=Money.model_validate(each.payable_fen))
        for each in found.totals
    ]
    return {
        "orders": found.orders,
        "totals": totals,
        "next_before": found.next_before,
        "not_read": found.not_read,
        "not_ordered": found.not_ordered,
    }


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise wrong_argument(name, f"is not a date; give {FORMS[name]}") from None


GET_ORDERS = Offered(get_orders, "Look up orders", ANNOTATIONS, OrdersEnvelope, "orders")
