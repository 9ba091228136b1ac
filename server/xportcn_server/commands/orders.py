"""`xportcn-mcp orders`: the ledger, for a person, who can also end an order of unknown outcome."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.export_command import export
from xportcn_server.commands.order_filters import OrderFilters, order_filters
from xportcn_server.commands.shared import (
    current_settings,
    difference_warning,
    padded,
    say,
    stop,
    tell,
    with_ledger,
)
from xportcn_server.commands.watch_command import watch
from xportcn_server.guide.printed_receipt import printed_receipt
from xportcn_server.guide.receipts import REASON, WHOSE_WORDS, page
from xportcn_server.guide.receipts import receipt as markdown_receipt
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import local_time
from xportcn_tools.codes import MODE_WORDS, RESOLVE
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.present import goods_shown, receipt_result
from xportcn_tools.desk.question import line_of, parts_of_total
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, OrderRecord, Receipt, StateTotal
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED
from xportcn_tools.render import to_pay, upstream_lines
from xportcn_tools.results import STATE_WORDS
from xportcn_tools.upstream.clean import quoted
from xportcn_tools.wording import UiLanguage, worded


@click.group(invoke_without_command=True)
@click.pass_context
def orders(context: click.Context) -> None:
    """Look at the ledger. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(orders_list)


@orders.command("list")
@order_filters
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--before", metavar="REF", help="Go on after this order.")
def orders_list(filters: OrderFilters, limit: int, before: str | None) -> None:
    """List orders, newest first. With their goods and what is to be paid; then the totals of all that fit."""
    settings = current_settings()
    query = replace(filters.query(settings), limit=limit + 1, before=before)

    async def read(ledger: Ledger) -> tuple[list[Receipt], list[StateTotal], Pause | None]:
        return *await ledger.listing(query), await ledger.paused()

    found, totals, pause = with_ledger(settings, read)
    more, found = len(found) > limit, found[:limit]
    when, language = local_time(ZoneInfo(settings.timezone)), settings.language
    t = partial(worded, language)
    if pause:  # beside the rows, which a script may read, as the totals are
        tell(
            "Ordering is paused since {time}: no order leaves until `xportcn-mcp resume`. Reason: {reason}",
            err=True,
            time=when(pause.since),
            reason=pause.reason or t("none"),
        )
    for receipt in found:
        order, result = receipt.order, receipt_result(receipt, when)
        if warning := difference_warning(result, language):
            say(warning)
        ids = ", ".join(order.order_ids) or "-"
        say(
            f"{when(order.created_at)}  {padded(t(order.state), 8)}  {yuan(order.payable_fen):>10} CNY  "
            f"{order.out_order_id}  {ids}"
        )
        texts = [
            t(
                "this order {words_}; ordered for {caller}, to {ship_to}",
                words_=STATE_WORDS[order.state],
                caller=order.caller,
                ship_to=order.ship_to or t(ERASED),
            )
        ]
        texts += [goods_shown(receipt.preview.shown, language)] if receipt.preview else []
        texts += upstream_lines(result.upstream, language) if result.upstream else ()
        for text in (*texts, *to_pay(result, language), *_to_settle(order, language)):
            say(f"    {text}")
    for total in totals:
        count = t("orders: {count}", count=total.orders)
        say(f"{padded(count, 23)}  {padded(t(total.state), 8)}  {yuan(total.payable_fen):>10} CNY", err=True)
    if more:
        tell("More: --before {reference}", err=True, reference=found[-1].order.out_order_id)
    if not found:
        tell("No orders.")


@orders.command("show")
@click.argument("reference")
@click.option("--receipt", "form", type=click.Choice(["md", "html"]), help="As Markdown, or a page to print.")
def orders_show(reference: str, form: str | None) -> None:
    """Show one order: by out_order_id or order id."""
    settings = current_settings()
    query = OrderQuery(None, reference=reference)
    found = with_ledger(settings, lambda ledger: ledger.receipts(query))
    if form and found:
        _print_receipt(settings, found[0], form)
        return
    when = local_time(ZoneInfo(settings.timezone))
    t = partial(worded, settings.language)
    for receipt in found:
        _print_all(receipt, when, settings.language)
        key = receipt.order.order_key
        for message in with_ledger(settings, lambda ledger, key=key: ledger.messages(key)):
            words = t("{event} {text} (not believed)", event=message.event, text=quoted(message.text))
            say(f"{padded(t('message'), 13)} {when(message.received_at)}  {words}")
    if not found:
        tell(
            "No order has the reference {reference}; `xportcn-mcp orders list` lists them.",
            err=True,
            reference=reference,
        )
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
    """Record what became of an order of unknown outcome. REF --placed ID... or REF --absent."""
    if placed == absent:
        raise click.UsageError("say either --placed with the order ids, or --absent")
    if placed != bool(order_ids):
        raise click.UsageError("--placed needs the order ids, and --absent takes none")
    settings = current_settings()
    t = partial(worded, settings.language)
    try:
        order = with_ledger(settings, lambda ledger: Operator(ledger).to_resolve(reference, order_ids))
        _print_order(order, local_time(ZoneInfo(settings.timezone)), settings.language)
        query = OrderQuery(None, reference=order.out_order_id)
        for found in with_ledger(settings, lambda ledger: ledger.receipts(query)):
            _print_goods(found, settings.language)
        ids = ", ".join(order_ids)
        ending = t("this order exists as {ids}", ids=ids) if ids else t("no such order exists")
        sure = t("Confirm: you checked the account yourself, and {ending} upstream?", ending=ending)
        if not yes and not click.confirm(f"\n{sure}"):
            tell("Nothing was changed.", err=True)
            sys.exit(1)
        with_ledger(settings, lambda ledger: Operator(ledger).resolve(order, order_ids))
    except RefusedError as error:
        stop(error, 1)
    state = "placed" if order_ids else "absent"
    tell("Order {number} is now {state_}.", number=order.out_order_id, state_=state)


orders.add_command(export)
orders.add_command(watch)


def _print_receipt(settings: Settings, found: Receipt, form: str) -> None:
    zone = ZoneInfo(settings.timezone)
    if form == "md":
        parts = markdown_receipt(found, zone, settings.language)
        text = page(settings.mode, parts, settings.language) + "\n"
    else:
        text = printed_receipt(found, MODE_WORDS[settings.mode], zone, settings.language)
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - for a file, whatever the console's encoding


def _print_all(found: Receipt, when: Callable[[datetime], str], language: UiLanguage) -> None:
    """The order, its goods, and what the upstream last said; what differs goes first."""
    result = receipt_result(found, when)
    if warning := difference_warning(result, language):
        say(warning)
    _print_order(found.order, when, language)
    _print_goods(found, language)
    upstream = upstream_lines(result.upstream, language) if result.upstream else ()
    for text in (*upstream, *to_pay(result, language), *_to_settle(found.order, language)):
        say(text)


def _print_goods(found: Receipt, language: UiLanguage) -> None:
    t = partial(worded, language)
    if found.preview:
        say(f"{padded(t('sum'), 13)} {parts_of_total(found.preview.shown, language)}")
    for line in found.preview.shown.lines if found.preview else ():
        number = t(", product_no {number}", number=line.product_no) if line.product_no else ""
        say(f"{padded(t('goods'), 13)} {line_of(line, language)}{number}")


def _to_settle(order: OrderRecord, language: UiLanguage) -> Iterator[str]:
    """What to do about an order of unknown outcome."""
    if order.state == "unknown":
        resolve = worded(language, RESOLVE, reference=order.out_order_id)
        yield worded(
            language,
            "Do not order this again. Look for it in your Xportcn account, "
            "then record what you found: {resolve}",
            resolve=resolve,
        )


def _reason(order: OrderRecord, language: UiLanguage) -> str:
    if not order.problem_code:
        return "-"
    text, whose = order.problem_text or worded(language, "no text"), WHOSE_WORDS.get(order.problem_code, "")
    return worded(language, REASON, code=order.problem_code, whose_=whose, text=text)


def _print_order(order: OrderRecord, when: Callable[[datetime], str], language: UiLanguage) -> None:
    """All that the ledger holds of an order, a line each."""
    t, state = partial(worded, language), order.state
    loud = "OUTCOME UNKNOWN: " if state == "unknown" else ""
    verified = "verified" if order.approval_verified else "not verified"
    rows = {
        "out_order_id": order.out_order_id,
        "state": t(
            "{state} ({loud_}this order {words_})", state=state, loud_=loud, words_=STATE_WORDS[state]
        ),
        "order ids": ", ".join(order.order_ids) or t("none"),
        "payable": f"{yuan(order.payable_fen)} CNY",
        "ship to": order.ship_to or t(ERASED),
        "ordered for": order.caller,
        "approval": t("{method_} ({verified_})", method_=order.approval_method, verified_=verified),
        "create sent": t(order.request_sent),
        "reason": _reason(order, language),
        "request_id": t("{id} (for the vendor's support)", id=order.request_id or "-"),
        "created": when(order.created_at),
        "updated": when(order.updated_at),
    }
    for name, value in rows.items():
        say(f"{padded(t(name), 13)} {value}")
