"""The question that a person is asked, from the stored preview alone. Pure.

The same preview gives the same text for ever: the protocol may put the question again on every round,
and an answer counts only for the text that was shown.
"""

from typing import Any, cast

from xportcn_tools.results import Environment

LINES_SHOWN = 10

_WHERE: dict[Environment, str] = {
    "sandbox": "SANDBOX: nothing real is bought",
    "preview": "PREVIEW MODE: creating is switched off",
    "live": "LIVE: this places a real order",
}


def question(
    environment: Environment, stored: dict[str, Any], request: dict[str, Any], out_order_id: str
) -> str:
    """Everything that is about to be bought, and the request for a plain yes."""
    return f"{summary(environment, stored, request, out_order_id)}\nPlace this order?"


def summary(
    environment: Environment, stored: dict[str, Any], request: dict[str, Any], out_order_id: str
) -> str:
    """Total, its parts, each line (up to ten), address, trade type, environment. Money in CNY."""
    amounts = {
        name: stored[name]["amount"] for name in ("payable", "goods_total", "freight", "fees", "discount")
    }
    parts = "goods {goods_total} + freight {freight} + fees {fees} - discount {discount}".format(**amounts)
    lines = [
        f"[{_WHERE[environment]}]",
        f"Total to pay: {amounts['payable']} CNY = {parts}",
        *_goods(stored),
        f"Ship to: {stored['ship_to']}",
        f"Trade type: {stored['trade_type'] or 'left to the platform'}",
        f"Flow: {stored['flow'] or 'left to the platform'}",
        f"Promotion: {stored['promotion_id'] or 'none'}",
    ]
    lines += asked_for(request)
    lines.append(f"Order number: {out_order_id}")
    lines += [f"Note ({warning['code']}): {warning['message']}" for warning in stored["warnings"]]
    return "\n".join(lines)


def asked_for(request: dict[str, Any]) -> list[str]:
    """What is sent upstream at the caller's wish and has no place among the priced lines."""
    lines = _beside_the_lines(request)
    if request.get("message"):
        lines.append(f"Message to the seller: {request['message']}")
    if request.get("dropshipping") is not None:
        lines.append(f"Dropshipping: {'yes' if request['dropshipping'] else 'no'}")
    return lines


def _goods(stored: dict[str, Any]) -> list[str]:
    groups = cast("list[dict[str, Any]]", stored["groups"])
    lines = [line for group in groups for line in cast("list[dict[str, Any]]", group["lines"])]
    texts = [
        f"- {line['quantity']} x offer {line['offer_id']}"
        f"{' spec ' + line['spec_id'] if line['spec_id'] else ''}: {line['amount']['amount']} CNY"
        for line in lines[:LINES_SHOWN]
    ]
    if len(lines) > LINES_SHOWN:
        texts.append(f"- and {len(lines) - LINES_SHOWN} more lines")
    if len(groups) > 1:
        texts.append(f"This becomes {len(groups)} separate orders.")
    return texts


def _beside_the_lines(request: dict[str, Any]) -> list[str]:
    """What is sent with a line and has no place among the lines that the upstream priced."""
    names = {"seller_open_id": "seller", "product_no": "product no", "container": "container"}
    items = cast("list[dict[str, Any]]", request["items"])
    return [
        f"- sent with offer {item['offer_id']}: "
        + ", ".join(f"{label} {item[name]}" for name, label in names.items() if item.get(name))
        for item in items
        if any(item.get(name) for name in names)
    ]
