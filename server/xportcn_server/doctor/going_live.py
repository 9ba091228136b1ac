"""`doctor --live`: the list for the first live day, with the caps and the rule of approval as they will hold.

docs/going-live.md tells the same steps at length.
"""

from dataclasses import dataclass

from xportcn_server.settings.settings import Settings
from xportcn_tools.money import yuan


@dataclass(frozen=True)
class LiveStep:
    """`what`: lines for a person."""

    title: str
    what: str


COMPARED = {
    "unit_price and quantity of each line": "单价, 数量",
    "goods_total": "商品总价 (货品总额)",
    "freight": "运费",
    "discount": "优惠",
    "fees": "服务费: Xportcn's own, not in a cart of 1688",
    "payable": "应付总额 (实付款)",
    "ship_to": "收货地址",
}
"""Each figure of a preview, and where it stands in the website's cart (1688's words; Xportcn's may differ)"""

_APPROVAL = {
    "ask": "the person is asked where the client can ask; elsewhere the client's own dialog approves",
    "require": "no order without a recorded yes",
    "off": "the server asks no one",
}


def live_steps(settings: Settings) -> list[LiveStep]:
    """What to do, in this order."""
    return [
        LiveStep(
            "Use a test account first",
            "Ask Xportcn for a test user-id and a test product, and pay by account period only\n"
            "(XPORTCN_TRADE_TYPES=period). A real account that often creates and cancels can be closed.\n"
            "When the test account has gone through the steps below, go through them with the real one.",
        ),
        LiveStep(
            "Probe the account",
            "Run `xportcn-mcp doctor --probe` and set the lines that it prints. It only reads.\n"
            f"Set now: {settings.signature} with {settings.timestamp_unit}.",
        ),
        LiveStep(
            "Read the caps and the rule of approval",
            "\n".join([*caps(settings), *approval(settings.model_copy(update={"mode": "live"}))]),
        ),
        LiveStep(
            "Make a backup",
            "Run `xportcn-mcp backup FILE`, and again every day: the ledger alone knows what was ordered.",
        ),
        LiveStep(
            "Compare one cheap order by eye",
            "Set XPORTCN_MODE=preview: prices are real, and creating is refused. A client's configuration\n"
            "names the mode, too: print it again with `xportcn-mcp client-config`. Preview one cheap\n"
            "product, put the same into the website's cart for the same address, and compare:\n"
            + "".join(f"- {ours}: {theirs}\n" for ours, theirs in COMPARED.items())
            + "A total that is a hundred times more or less is a wrong unit: stop, and report it.",
        ),
        LiveStep(
            "Cap the first order at its own amount",
            "Set XPORTCN_MODE=live (in the client's configuration, too), XPORTCN_MAX_ORDER_CNY and\n"
            "XPORTCN_MAX_DAY_CNY to that total, XPORTCN_MAX_DAY_ORDERS=1 and XPORTCN_APPROVAL=require.\n"
            "Then order it once.\n"
            "Its preview has the warning unverified_unit: look at the total once more before the yes.",
        ),
        LiveStep(
            "Pay in your Xportcn account",
            "A placed order is not paid. This program neither pays nor cancels.",
        ),
        LiveStep(
            "Compare afterwards",
            "In the account: one order, with the ids of `xportcn-mcp orders list`, these goods,\n"
            "quantities and address, and to pay exactly what was approved.\n"
            "If anything differs: `xportcn-mcp pause`, then `xportcn-mcp doctor --record DIR` to report it.\n"
            "If all is as it was shown, set the caps that you want to keep.",
        ),
    ]


def caps(settings: Settings) -> list[str]:
    """The caps in force, and what may be paid with, a sentence each."""
    everybody = settings.total_day_fen
    a_day = f"{yuan(settings.max_day_fen)} CNY and {settings.max_day_orders} orders"
    return [
        f"One order: at most {yuan(settings.max_order_fen)} CNY.",
        f"A day (of {settings.timezone}), for each caller: at most {a_day}.",
        f"All callers together: {'no cap' if everybody is None else f'at most {yuan(everybody)} CNY a day'}.",
        f"Trade types: {', '.join(settings.trade_types)}.",
    ]


def approval(settings: Settings) -> list[str]:
    """The rule of approval in force, a sentence each."""
    over_http, lines = settings.over_http(), [f"Approval: {_APPROVAL[settings.approval]}."]
    if over_http.approval != settings.approval:
        lines.append(f"Over HTTP: {_APPROVAL[over_http.approval]}.")
    if settings.ask_above_fen and settings.approval != "off":
        free = yuan(settings.ask_above_fen)
        lines.append(f"Orders up to {free} CNY need no question (XPORTCN_ASK_ABOVE_CNY).")
    return lines
