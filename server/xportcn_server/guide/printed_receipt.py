"""One order as one HTML page to be printed or kept: no script, nothing loaded. Pure.

What a seller or a caller wrote is escaped, and stands between 「 and 」 where it is a seller's.
"""

from datetime import tzinfo
from html import escape

from xportcn_tools.desk.question import parts_of_total
from xportcn_tools.ledger.ledger import Receipt
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED, Line
from xportcn_tools.render import quoted
from xportcn_tools.results import STATE_WORDS

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Order {number}</title>
<style>
body {{ font: 11pt/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; width: 100%; margin: 1em 0 }}
th, td {{ border: 1px solid #999; padding: .3em .5em; text-align: left; vertical-align: top }}
td.sum {{ text-align: right; white-space: nowrap }}
</style>
<h1>Order {number}</h1>
<p>{mode}.</p>
<table>
{facts}
</table>
<h2>Goods</h2>
<table>
<tr><th>Goods</th><th>Offer</th><th>Spec</th><th>Own number</th><th>Quantity</th><th>Amount</th></tr>
{goods}
</table>
</html>
"""


def printed_receipt(found: Receipt, mode: str, zone: tzinfo) -> str:
    """The page. `mode`: in words (`MODE_WORDS`). Times are those of `zone`."""
    order = found.order
    shown = found.preview.shown if found.preview else None
    ids = ", ".join(order.order_ids)
    unpaid = "; not paid yet unless you paid it in your Xportcn account" if order.state == "placed" else ""
    verified = "verified" if order.approval_verified else "not verified"
    facts = {
        "State": f"{order.state}: this order {STATE_WORDS[order.state]}{unpaid}",
        "Order ids": ids or "none",
        "Total": f"{yuan(order.payable_fen)} CNY" + (f" = {parts_of_total(shown)}" if shown else ""),
        "Ship to": order.ship_to or ERASED,
        "Ordered for": order.caller,
        "Approval": f"{order.approval_method} ({verified})",
        "Ordered": order.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
        "Last change": order.updated_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
        "Request id": order.request_id or "none",
    }
    return _PAGE.format(
        number=escape(order.out_order_id),
        mode=escape(mode),
        facts="\n".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in facts.items()),
        goods="\n".join(map(_row, shown.lines if shown else ())),
    )


def _row(line: Line) -> str:
    name = " / ".join(text for text in (line.title, line.option) if text)
    cells = [quoted(name) if name else "", line.offer_id, line.spec_id or "", line.product_no or ""]
    cells.append(str(line.quantity))
    text = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr>{text}<td class="sum">{yuan(line.amount)} CNY</td></tr>'
