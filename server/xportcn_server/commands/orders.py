"""`xportcn-mcp orders`: the ledger, for a person, who can also end an order of unknown outcome."""

import sys
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.export_command import export
from xportcn_server.commands.shared import current_settings, differences, local_time, say, stop, with_ledger
from xportcn_server.commands.watch_command import watch
from xportcn_server.guide.printed_receipt import printed_receipt
from xportcn_server.guide.receipts import WHOSE_WORDS, page
from xportcn_server.guide.receipts import receipt as markdown_receipt
from xportcn_server.settings.settings import Settings
from xportcn_tools.codes import MODE_WORDS
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.present import receipt_result
from xportcn_tools.desk.question import line_of, parts_of_total
from xportcn_tools.ledger.ledger import LedgerError, OrderQuery, OrderRecord, Receipt
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED
from xportcn_tools.render import to_pay, upstream_lines
from xportcn_tools.results import STATE_WORDS


@click.group(invoke_without_command=True)
@click.pass_context
def orders(context: click.Context) -> None:
    """Look at the ledger. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(orders_list)


@orders.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def orders_list(limit: int) -> None:
    """List orders, newest first, with their goods and what is to be paid."""
    settings = current_settings()
    found = _found(settings, OrderQuery(None, limit=limit))
    when = local_time(ZoneInfo(settings.timezone))
    for receipt in found:
        order, result = receipt.order, receipt_result(receipt, when)
        if warning := differences(result):
            say(warning)
        ids = ", ".join(order.order_ids) or "-"
        say(
            f"{when(order.created_at)}  {order.state:<8}  {yuan(order.payable_fen):>10} CNY  "
            f"{order.out_order_id}  {ids}"
        )
        say(f"    this order {STATE_WORDS[order.state]}; ordered for {order.caller}, to {result.ship_to}")
        upstream = upstream_lines(result.upstream) if result.upstream else ()
        for text in (*filter(None, [result.goods]), *upstream, *to_pay(result)):
            say(f"    {text}")
    if not found:
        say("No orders.")


@orders.command("show")
@click.argument("reference")
@click.option("--receipt", "form", type=click.Choice(["md", "html"]), help="As Markdown, or a page to print.")
def orders_show(reference: str, form: str | None) -> None:
    """Show one order: by out_order_id or order id."""
    settings = current_settings()
    found = _found(settings, OrderQuery(None, reference=reference))
    if form and found:
        _print_receipt(settings, found[0], form)
        return
    for receipt in found:
        _print_all(receipt, local_time(ZoneInfo(settings.timezone)))
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
orders.add_command(watch)


def _print_receipt(settings: Settings, found: Receipt, form: str) -> None:
    if form == "md":
        text = page(settings.mode, markdown_receipt(found)) + "\n"
    else:
        text = printed_receipt(found, MODE_WORDS[settings.mode], ZoneInfo(settings.timezone))
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - for a file, whatever the console's encoding


def _print_all(found: Receipt, when: Callable[[datetime], str]) -> None:
    """The order, its goods, and what the upstream last said; what differs goes first."""
    result = receipt_result(found, when)
    if warning := differences(result):
        say(warning)
    print_order(found.order, when)
    if found.preview:
        say(f"{'sum':<13} {parts_of_total(found.preview.shown)}")
    for line in found.preview.shown.lines if found.preview else ():
        number = f", product_no {line.product_no}" if line.product_no else ""
        say(f"{'goods':<13} {line_of(line)}{number}")
    for text in (*(upstream_lines(result.upstream) if result.upstream else ()), *to_pay(result)):
        say(text)


def _found(settings: Settings, query: OrderQuery) -> list[Receipt]:
    try:
        return with_ledger(settings, lambda ledger: ledger.receipts(query))
    except LedgerError as error:
        stop(f"the ledger cannot be read: {error}", 1)


def _reason(order: OrderRecord) -> str:
    if not order.problem_code:
        return "-"
    return f"{order.problem_code}{WHOSE_WORDS.get(order.problem_code, '')}: {order.problem_text or 'no text'}"


def print_order(order: OrderRecord, when: Callable[[datetime], str]) -> None:
    """All that the ledger holds of an order, a line each."""
    loud = "OUTCOME UNKNOWN: " if order.state == "unknown" else ""
    verified = "verified" if order.approval_verified else "not verified"
    rows = {
        "out_order_id": order.out_order_id,
        "state": f"{order.state} ({loud}this order {STATE_WORDS[order.state]})",
        "order ids": ", ".join(order.order_ids) or "none",
        "payable": f"{yuan(order.payable_fen)} CNY",
        "ship to": order.ship_to or ERASED,
        "ordered for": order.caller,
        "approval": f"{order.approval_method} ({verified})",
        "create sent": order.request_sent,
        "reason": _reason(order),
        "request_id": f"{order.request_id or '-'} (for the vendor's support)",
        "created": when(order.created_at),
        "updated": when(order.updated_at),
    }
    for name, value in rows.items():
        say(f"{name:<13} {value}")


def resolve_order(settings: Settings, reference: str, order_ids: tuple[str, ...], *, ask: bool) -> int:
    """End it as placed under `order_ids`, or as absent without ids; the exit code."""
    try:
        order = with_ledger(settings, lambda ledger: Operator(ledger).to_resolve(reference, order_ids))
        print_order(order, local_time(ZoneInfo(settings.timezone)))
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
