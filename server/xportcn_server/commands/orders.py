"""`xportcn-mcp orders`: the ledger, for a person, who can also end an order of unknown outcome."""

import sys
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.export_command import export
from xportcn_server.commands.shared import current_settings, say, stop, with_ledger
from xportcn_server.guide.printed_receipt import printed_receipt
from xportcn_server.guide.receipts import WHOSE_WORDS, page
from xportcn_server.guide.receipts import receipt as markdown_receipt
from xportcn_server.settings.settings import Settings
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.question import line_of
from xportcn_tools.ledger.ledger import LedgerError, OrderQuery, OrderRecord, Receipt
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED
from xportcn_tools.result_shapes import timestamp
from xportcn_tools.results import MODE_WORDS, STATE_WORDS


@click.group(invoke_without_command=True)
@click.pass_context
def orders(context: click.Context) -> None:
    """Look at the ledger. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(orders_list)


@orders.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def orders_list(limit: int) -> None:
    """List orders, newest first."""
    found = _found(OrderQuery(None, limit=limit))
    for order in (receipt.order for receipt in found):
        ids = ", ".join(order.order_ids) or "-"
        say(
            f"{timestamp(order.created_at)}  {order.state:<8}  {yuan(order.payable_fen):>10} CNY  "
            f"{order.out_order_id}  {ids}"
        )
    if not found:
        say("No orders.")


@orders.command("show")
@click.argument("reference")
@click.option("--receipt", "form", type=click.Choice(["md", "html"]), help="As Markdown, or a page to print.")
def orders_show(reference: str, form: str | None) -> None:
    """Show one order: by out_order_id or order id."""
    found = _found(OrderQuery(None, reference=reference))
    if form and found:
        _print_receipt(found[0], form)
        return
    for receipt in found:
        print_order(receipt.order)
        for line in receipt.preview.shown.lines if receipt.preview else ():
            click.echo(f"{'goods':<13} {line_of(line)}")
    if not found:
        say(f"No order has the reference {reference}.", err=True)
        sys.exit(1)


@orders.command("resolve")
@click.argument("reference")
@click.argument("order_ids", nargs=-1, metavar="[ID]...")
@click.option("--placed", is_flag=True, help="The order exists; name its ids.")
@click.option("--absent", is_flag=True, help="No order exists.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def orders_resolve(
    reference: str, order_ids: tuple[str, ...], *, placed: bool, absent: bool, yes: bool
) -> None:
    """End an order of unknown outcome: REF --placed ID... or REF --absent."""
    if placed == absent:
        raise click.UsageError("say either --placed with the order ids, or --absent")
    if placed != bool(order_ids):
        raise click.UsageError("--placed needs the order ids, and --absent takes none")
    sys.exit(resolve_order(current_settings(), reference, order_ids, ask=not yes))


orders.add_command(export)


def _print_receipt(found: Receipt, form: str) -> None:
    settings = current_settings()
    if form == "md":
        text = page(settings.mode, markdown_receipt(found)) + "\n"
    else:
        text = printed_receipt(found, MODE_WORDS[settings.mode], ZoneInfo(settings.timezone))
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - for a file, whatever the console's encoding


def _found(query: OrderQuery) -> list[Receipt]:
    try:
        return with_ledger(current_settings(), lambda ledger: ledger.receipts(query))
    except LedgerError as error:
        stop(f"the ledger cannot be read: {error}", 1)


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
        "state": f"{order.state} ({loud}this order {STATE_WORDS[order.state]})",
        "order ids": ", ".join(order.order_ids) or "none",
        "payable": f"{yuan(order.payable_fen)} CNY",
        "ship to": order.ship_to or ERASED,
        "approval": f"{order.approval_method} ({verified})",
        "create sent": order.request_sent,
        "reason": _reason(order),
        "request_id": f"{order.request_id or '-'} (for the vendor's support)",
        "created": timestamp(order.created_at),
        "updated": timestamp(order.updated_at),
    }
    for name, value in rows.items():
        say(f"{name:<13} {value}")


def resolve_order(settings: Settings, reference: str, order_ids: tuple[str, ...], *, ask: bool) -> int:
    """End it as placed under `order_ids`, or as absent without ids; the exit code."""
    try:
        order = with_ledger(settings, lambda ledger: Operator(ledger).to_resolve(reference, order_ids))
        print_order(order)
        ending = f"this order exists as {', '.join(order_ids)}" if order_ids else "no such order exists"
        if ask and not click.confirm(f"\nConfirm: you checked the account yourself, and {ending} upstream?"):
            say("Nothing was changed.", err=True)
            return 1
        with_ledger(settings, lambda ledger: Operator(ledger).resolve(order, order_ids))
    except (LedgerError, RefusedError) as error:
        say(f"xportcn-mcp: {error}", err=True)
        return 1
    say(f"Order {order.out_order_id} is now {'placed' if order_ids else 'absent'}.")
    return 0
