"""`xportcn-mcp orders watch`: what becomes of placed orders upstream, a line per change. Experimental.

It reads through the same look-up as `get_orders` with `refresh`, and changes nothing upstream.
"""

import logging
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import click

from xportcn_server.commands.shared import (
    current_settings,
    difference_warning,
    say,
    stop,
    tell,
    with_ledger,
)
from xportcn_server.http.callers import Callers
from xportcn_server.parts import Seams, caps_of, policy_of, upstream_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import local_time, utc_now
from xportcn_tools.desk.lookup import OrderLookup
from xportcn_tools.desk.policy import LookupPaths
from xportcn_tools.desk.present import receipt_result
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, Receipt
from xportcn_tools.render import parcels_of, state_of
from xportcn_tools.wording import UiLanguage, worded

NOTHING_NEW, NOT_READ, CHANGED = 0, 1, 3
MOST_ORDERS = 50
_LISTED = 1_000  # the newest placed orders, among which the open ones are looked for
_ENDED = {"complete", "closed"}
_wait = anyio.sleep


@click.command()
@click.option(
    "--every", type=click.IntRange(10), default=10, show_default=True, help="Minutes between readings."
)
@click.option("--once", is_flag=True, help="Read once and end with an exit code for scripts.")
def watch(every: int, *, once: bool) -> None:
    """Read what becomes of the 50 newest open orders. Prints a line for each change; Ctrl-C ends it.

    Needs XPORTCN_ORDER_LOOKUP=on. Exit codes with --once: 0, nothing has changed; 3, something has changed,
    or an order is no longer as it was approved; 1, orders could not be read, and nothing else has changed;
    2, the settings do not allow it.
    """
    settings = current_settings()
    paths = policy_of(settings).lookup
    if paths is None:
        stop("nothing is read upstream while the look-up is off: set XPORTCN_ORDER_LOOKUP=on (experimental)")
    # The look-up logs what is said here in a line of its own.
    logging.getLogger("xportcn_tools.desk.lookup").addHandler(logging.NullHandler())

    async def work(ledger: Ledger) -> int:
        code = await _round(settings, paths, ledger, first=True)
        while not once:
            await _wait(every * 60)
            await _round(settings, paths, ledger, first=False)
        return code

    sys.exit(with_ledger(settings, work))


async def _round(settings: Settings, paths: LookupPaths, ledger: Ledger, *, first: bool) -> int:
    """Read once and say what is new; the exit code. `first`: what differs is said although it is not new."""
    query = OrderQuery(None, states=("placed",), limit=_LISTED)
    before = [each for each in await ledger.receipts(query) if not _has_ended(each)][:MOST_ORDERS]
    missed = await _refreshed(settings, paths, ledger, before) if before else []
    after = {each.order.order_key: each for each in await ledger.receipts(query)}
    when, language = local_time(ZoneInfo(settings.timezone)), settings.language
    code = NOT_READ if missed else NOTHING_NEW
    for old in before:
        new = after.get(old.order.order_key, old)
        warning = difference_warning(receipt_result(new), language)
        if warning and (first or warning != difference_warning(receipt_result(old), language)):
            say(warning)
        was, now = _standing(old, language), _standing(new, language)
        unpaid = worded(language, "not paid yet")
        for order_id in now:
            if now[order_id] != was.get(order_id, unpaid):
                said = f"{was.get(order_id, unpaid)} → {now[order_id]}"
                say(f"{when(utc_now())}  {new.order.out_order_id}  {order_id}: {said}")
                code = CHANGED
        if warning:
            code = CHANGED
    if missed:
        tell("Could not be read upstream: {orders}", err=True, orders=", ".join(missed))
    return code


async def _refreshed(
    settings: Settings, paths: LookupPaths, ledger: Ledger, found: list[Receipt]
) -> list[str]:
    """Read these orders, each for its caller's account; the numbers of those not read."""
    callers = Callers(Path(settings.callers), caps_of(settings)) if settings.callers else None
    upstream = upstream_of(settings, Seams())
    try:
        lookup = OrderLookup(
            upstream,
            ledger,
            paths,
            utc_now,
            lambda name: callers.profile_of(name).user_id if callers else None,
        )
        return await lookup.refresh(found)
    finally:
        await upstream.aclose()


def _has_ended(found: Receipt) -> bool:
    return found.reading is not None and all(each.status_text in _ENDED for each in found.reading.orders)


def _standing(found: Receipt, language: UiLanguage) -> dict[str, str]:
    """Each order id with state and parcels in words; empty where it was never read."""
    upstream = receipt_result(found).upstream
    return {
        each.order_id: worded(language, ", ").join([state_of(each, language), *parcels_of(each, language)])
        for each in (upstream.orders if upstream else ())
    }
