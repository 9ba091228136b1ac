"""`xportcn-mcp orders resolve`: a person, who has looked upstream, ends an order of unknown outcome."""

import click

from xportcn_server.commands.orders import RefusedError, print_order, with_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, OrderRecord, Outcome, Realm
from xportcn_tools.order import is_order_id


def resolve_order(settings: Settings, reference: str, order_ids: tuple[str, ...], *, ask: bool) -> int:
    """End it as placed under `order_ids`, or as absent where there are none; the exit code."""
    try:
        order = with_ledger(settings, lambda ledger, realm: _unknown(ledger, realm, reference, order_ids))
        print_order(order)
        ending = f"placed as {', '.join(order_ids)}" if order_ids else "absent: no order exists upstream"
        question = f"\nYou have looked at the account yourself, and this order is {ending}?"
        if ask and not click.confirm(question):
            click.echo("Nothing was changed.", err=True)
            return 1
        with_ledger(settings, lambda ledger, _: _resolve(ledger, order, order_ids))
    except (LedgerError, RefusedError) as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    click.echo(f"Order {order.out_order_id} is now {'placed' if order_ids else 'absent'}.")
    return 0


async def _unknown(ledger: Ledger, realm: Realm, reference: str, order_ids: tuple[str, ...]) -> OrderRecord:
    await ledger.settle_abandoned(realm)
    found = await ledger.orders(OrderQuery(realm, None, reference=reference, limit=1))
    if not found:
        raise RefusedError(f"no order has the reference {reference}")
    (order,) = found
    if order.state == "sending":
        raise RefusedError(f"order {order.out_order_id} is being sent; wait until its sender has ended")
    if order.state != "unknown":
        raise RefusedError(
            f"order {order.out_order_id} is {order.state}; only an unknown one can be resolved"
        )
    for order_id in order_ids:
        if not is_order_id(order_id):
            raise RefusedError(f"{order_id!r} is no order id")
        for other in await ledger.orders(OrderQuery(realm, None, reference=order_id, limit=1)):
            raise RefusedError(f"order id {order_id} belongs to order {other.out_order_id} already")
    return order


async def _resolve(ledger: Ledger, order: OrderRecord, order_ids: tuple[str, ...]) -> None:
    outcome = Outcome(
        "placed" if order_ids else "absent",
        "yes" if order_ids else order.request_sent,
        order_ids,
        order.request_id,
        None if order_ids else order.problem_code,
        None if order_ids else order.problem_text,
    )
    if await ledger.resolve(order.order_key, outcome, "resolved_by_operator") is None:
        raise RefusedError(f"order {order.out_order_id} is no longer unknown; nothing was changed")
