"""The question that a person is asked, from the stored preview alone. Pure.

The same preview gives the same text for ever: the protocol may put the question again on every round,
and an answer counts only for the text that was shown.
"""

from xportcn_tools.codes import MODE_WORDS, Environment
from xportcn_tools.desk.naming import goods_of
from xportcn_tools.desk.pins import chosen
from xportcn_tools.ledger.ledger import StoredPreview
from xportcn_tools.money import sum_line, yuan
from xportcn_tools.order import Line, OrderRequest, ShownPreview
from xportcn_tools.upstream.clean import quoted

LINES_SHOWN = 10


def question(environment: Environment, preview: StoredPreview) -> str:
    """What is about to be bought (ten dearest lines, sum of the rest), and the request for a plain yes."""
    shown = preview.shown
    lines = [
        f"[{MODE_WORDS[environment]}]",
        f"Total to pay: {yuan(preview.payable_fen)} CNY = {parts_of_total(shown)}",
        *(f"Note ({warning.code}): {warning.message}" for warning in shown.warnings),
        *_goods(shown),
        f"Ship to: {shown.ship_to}",
        f"Trade type: {chosen(shown.trade_type)}",
        f"Flow: {chosen(shown.flow)}",
        f"Promotion: {quoted(shown.promotion_id) if shown.promotion_id else 'none'}",
    ]
    lines += asked_for(preview.request)
    return "\n".join([*lines, f"Order number: {preview.out_order_id}", "Place this order?"])


def parts_of_total(shown: ShownPreview) -> str:
    """What the total is made of, in yuan."""
    return sum_line(*map(yuan, (shown.goods, shown.freight, shown.fees, shown.discount)))


def line_of(line: Line) -> str:
    """A line of goods with what it costs."""
    return f"{goods_of(line, 'x')}: {yuan(line.amount)} CNY"


def asked_for(request: OrderRequest) -> list[str]:
    """What is sent upstream at the caller's wish and has no place among the priced lines."""
    lines = _beside_the_lines(request)
    if request.message:
        lines.append(f"Message to the seller: {request.message}")
    if request.dropshipping is not None:
        lines.append(f"Dropshipping: {'yes' if request.dropshipping else 'no'}")
    return lines


def _goods(shown: ShownPreview) -> list[str]:
    lines = sorted(shown.lines, key=lambda line: -line.amount)
    rest = lines[LINES_SHOWN:]
    texts = [f"- {line_of(line)}" for line in lines[:LINES_SHOWN]]
    if rest:
        more = f"{len(rest)} more lines" if len(rest) > 1 else "1 more line"
        texts.append(f"- and {more}: {yuan(sum(line.amount for line in rest))} CNY")
    sellers = dict.fromkeys(group.seller_open_id for group in shown.groups if group.seller_open_id)
    if sellers:
        texts.append(f"Seller: {', '.join(map(quoted, sellers))}")
    if len(shown.groups) > 1:
        texts.append(f"This becomes {len(shown.groups)} separate orders.")
    return texts


def _beside_the_lines(request: OrderRequest) -> list[str]:
    """What is sent with a line and has no place among the lines that the upstream priced."""
    texts: list[str] = []
    for item in request.items:
        sent = {"seller": item.seller_open_id, "product no": item.product_no, "container": item.container}
        words = ", ".join(f"{label} {value}" for label, value in sent.items() if value)
        if words:
            texts.append(f"- sent with offer {item.offer_id}: {words}")
    return texts
