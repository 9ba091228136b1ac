"""One order as one HTML page to be printed or kept: no script, nothing loaded. Pure.

What a seller or a caller wrote is escaped, and stands between 「 and 」 where it is a seller's.
"""

import re
from collections.abc import Iterable
from datetime import tzinfo
from functools import partial
from html import escape

from xportcn_server.guide.receipts import Style, facts, goods, what_next
from xportcn_tools.ledger.ledger import Receipt
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
td:nth-child(n + 7) {{ text-align: right; white-space: nowrap }}
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
{todo}
</html>
"""


def printed_receipt(found: Receipt, mode: str, zone: tzinfo, language: UiLanguage = "en") -> str:
    """The page. `mode`: in words (`MODE_WORDS`). Times are those of `zone`."""
    t = partial(worded, language)
    style = Style(lambda text: text or "–", str, "{state}: this order {words_}")  # escaped below
    head, *lines = goods(found, style, language)
    todo = what_next(found.order, language)
    return _PAGE.format(
        lang="zh-CN" if language == "zh" else language,
        title=escape(t("Order {number}", number=found.order.out_order_id)),
        mode=escape(t("{mode_}.", mode_=mode)),
        heading=t("Goods"),
        facts=_rows(
            f"<th>{name}</th><td>{escape(text)}</td>" for name, text in facts(found, zone, style, language)
        ),
        head="".join(f"<th>{name}</th>" for name in head),
        goods=_rows("".join(f"<td>{escape(cell)}</td>" for cell in line) for line in lines),
        todo=f"<h2>{t('What to do next')}</h2>\n<p>{_marked(todo)}</p>" if todo else "",
    )


def _rows(cells: Iterable[str]) -> str:
    return "\n".join(f"<tr>{each}</tr>" for each in cells)


def _marked(markdown: str) -> str:
    """Our own words, with the two marks that they use."""
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(markdown))
    return re.sub("`(.+?)`", r"<code>\1</code>", bold)
