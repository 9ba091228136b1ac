"""`xportcn-mcp orders`: the ledger, for a person."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import click

from xportcn_server.app import ledger_of
from xportcn_server.guide.receipts import MEANING, WHOSE_WORDS
from xportcn_server.settings.settings import Settings
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, OrderRecord
from xportcn_tools.money import yuan
from xportcn_tools.results import timestamp

T = TypeVar("T")


def with_ledger(settings: Settings, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Run `work` on the opened ledger.

    Raises:
        LedgerError: it cannot be read or written.
    """

    async def run() -> T:
        ledger = ledger_of(settings)
        try:
            await ledger.open()
            return await work(ledger)
        finally:
            await ledger.aclose()

    return anyio.run(run)


def _found(settings: Settings, query: OrderQuery) -> list[OrderRecord] | None:
    try:
        return with_ledger(settings, lambda ledger: ledger.orders(query))
    except LedgerError as error:
        click.echo(f"xportcn-mcp: the ledger cannot be read: {error}", err=True)
        return None


def list_orders(settings: Settings, limit: int) -> int:
    """Print a line an order, newest first; exit code 1 where the ledger cannot be read."""
    found = _found(settings, OrderQuery(None, limit=limit))
    if found is None:
        return 1
    for order in found:
        ids = ", ".join(order.order_ids) or "-"
        click.echo(
            f"{timestamp(order.created_at)}  {order.state:<8}  {yuan(order.payable_fen):>10} CNY  "
            f"{order.out_order_id}  {ids}"
        )
    if not found:
        click.echo("No orders.")
    return 0


def show_order(settings: Settings, reference: str) -> int:
    """Print all that the ledger holds of an order; exit code 1 where there is none."""
    found = _found(settings, OrderQuery(None, reference=reference))
    if found is None:
        return 1
    if not found:
        click.echo(f"No order has the reference {reference}.", err=True)
        return 1
    for order in found:
        print_order(order)
    return 0


def _reason(order: OrderRecord) -> str:
    if not order.problem_code:
        return "-"
    return f"{order.problem_code}{WHOSE_WORDS.get(order.problem_code, '')}: {order.problem_text or 'no text'}"


def print_order(order: OrderRecord) -> None:
    """All that the ledger holds of an order, a line each."""
    loud = "OUTCOME UNKNOWN: " if order.state == "unknown" else ""
    verified = "verified" if order.approval_verified else "not verified"
    rows = {
        "out_order_id": order.out_order_id,
        "state": f"{order.state} ({loud}{MEANING[order.state]})",
        "order ids": ", ".join(order.order_ids) or "none",
        "payable": f"{yuan(order.payable_fen)} CNY",
        "ship to": order.ship_to,
        "approval": f"{order.approval_method} ({verified})",
        "create sent": order.request_sent,
        "reason": _reason(order),
        "request_id": f"{order.request_id or '-'} (for the vendor's support)",
        "created": timestamp(order.created_at),
        "updated": timestamp(order.updated_at),
    }
    for name, value in rows.items():
        click.echo(f"{name:<13} {value}")
