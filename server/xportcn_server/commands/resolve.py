"""`xportcn-mcp orders resolve`: a person, who has looked upstream, ends an order of unknown outcome."""

import click

from xportcn_server.commands.orders import print_order, with_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.ledger.ledger import LedgerError


def resolve_order(settings: Settings, reference: str, order_ids: tuple[str, ...], *, ask: bool) -> int:
    """End it as placed under `order_ids`, or as absent where there are none; the exit code."""
    try:
        order = with_ledger(settings, lambda ledger: Operator(ledger).to_resolve(reference, order_ids))
        print_order(order)
        ending = f"placed as {', '.join(order_ids)}" if order_ids else "absent: no order exists upstream"
        question = f"\nYou have looked at the account yourself, and this order is {ending}?"
        if ask and not click.confirm(question):
            click.echo("Nothing was changed.", err=True)
            return 1
        with_ledger(settings, lambda ledger: Operator(ledger).resolve(order, order_ids))
    except (LedgerError, RefusedError) as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    click.echo(f"Order {order.out_order_id} is now {'placed' if order_ids else 'absent'}.")
    return 0
