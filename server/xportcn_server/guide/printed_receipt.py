"""One order as one HTML page to be printed or kept: no script, nothing loaded. Pure.

What a seller or a caller wrote is escaped, and stands between 「 and 」 where it is a seller's.
"""

from datetime import tzinfo
from functools import partial
from html import escape

from xportcn_tools.desk.question import parts_of_total
from xportcn_tools.ledger.ledger import Receipt
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED, Line
from xportcn_tools.render import quoted
from xportcn_tools.results import STATE_WORDS
from xportcn_tools.wording import UiLanguage, worded

_PAGE = """<!doctype html>
<html lang="{lang}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 11pt/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse; width: 100%; margin: 1em 0 }}
th, td {{ border: 1px solid #999; padding: .3em .5em; text-align: left; vertical-align: top }}
td.sum {{ text-align: right; white-space: nowrap }}
</style>
<h1>{title}</h1>
<p>{mode}</p>
<table>
{facts}
</table>
<h2>{heading}</h2>
<table>
<tr>{head}</tr>
{goods}
</table>
</html>
"""


def printed_receipt(found: Receipt, mode: str, zone: tzinfo, language: UiLanguage = "en") -> str:
    """The page. `mode`: in words (`MODE_WORDS`). Times are those of `zone`."""
    order, t = found.order, partial(worded, language)
    shown = found.preview.shown if found.preview else None
    state = t("{state}: this order {words_}", state=order.state, words_=STATE_WORDS[order.state])
    unpaid = t("; not paid yet unless you paid it in your Xportcn account")
    verified = "verified" if order.approval_verified else "not verified"
    total = f"{yuan(order.payable_fen)} CNY"
    facts = {
        "State": state + (unpaid if order.state == "placed" else ""),
        "Order ids": ", ".join(order.order_ids) or t("none"),
        "Total": f"{total} = {parts_of_total(shown, language)}" if shown else total,
        "Ship to": order.ship_to or t(ERASED),
        "Ordered for": order.caller,
        "Approval": t("{method_} ({verified_})", method_=order.approval_method, verified_=verified),
        "Ordered": order.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
        "Last change": order.updated_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z"),
        "Request id": order.request_id or t("none"),
    }
    head = ("Goods", "Offer", "Spec", "Own number", "Quantity", "Amount")
    return _PAGE.format(
        lang="zh-CN" if language == "zh" else language,
        title=escape(t("Order {number}", number=order.out_order_id)),
        mode=escape(t("{mode_}.", mode_=mode)),
        heading=t("Goods"),
        facts="\n".join(
            f"<tr><th>{t(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts.items()
        ),
        head="".join(f"<th>{t(name)}</th>" for name in head),
        goods="\n".join(map(_row, shown.lines if shown else ())),
    )


def _row(line: Line) -> str:
    name = " / ".join(text for text in (line.title, line.option) if text)
    cells = [quoted(name) if name else "", line.offer_id, line.spec_id or "", line.product_no or ""]
    cells.append(str(line.quantity))
    text = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr>{text}<td class="sum">{yuan(line.amount)} CNY</td></tr>'
