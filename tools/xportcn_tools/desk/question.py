"""The question that a person is asked, from the stored preview alone. Pure.

The same preview gives the same text for ever: the protocol may put the question again on every round,
and an answer counts only for the text that was shown.
"""

from functools import partial

from xportcn_tools.codes import MODE_WORDS, Environment
from xportcn_tools.desk.naming import goods_of
from xportcn_tools.desk.pins import chosen
from xportcn_tools.ledger.ledger import StoredPreview
from xportcn_tools.money import sum_line, yuan
from xportcn_tools.order import Line, OrderRequest, ShownPreview
from xportcn_tools.upstream.clean import quoted
from xportcn_tools.wording import UiLanguage, reworded, worded

LINES_SHOWN = 10


def question(environment: Environment, preview: StoredPreview, language: UiLanguage = "en") -> str:
    """What is about to be bought (ten dearest lines, sum of the rest), and the request for a plain yes."""
    shown, t = preview.shown, partial(worded, language)
    parts = parts_of_total(shown, language)
    promotion = quoted(shown.promotion_id) if shown.promotion_id else t("none")
    lines = [
        f"[{t(MODE_WORDS[environment])}]",
        t("Total to pay: {total} CNY = {parts}", total=yuan(preview.payable_fen), parts=parts),
        *(t("Note ({code}): {text_}", code=note.code, text_=note.message) for note in shown.warnings),
        *_goods(shown, language),
        t("Ship to: {ship_to}", ship_to=shown.ship_to),
        t("Trade type: {name}", name=chosen(shown.trade_type, language)),
        t("Flow: {name}", name=chosen(shown.flow, language)),
        t("Promotion: {promotion}", promotion=promotion),
        *asked_for(preview.request, language),
        t("Order number: {number}", number=preview.out_order_id),
        t("Place this order?"),
    ]
    return "\n".join(lines)


def parts_of_total(shown: ShownPreview, language: UiLanguage = "en") -> str:
    """What the total is made of, in yuan."""
    return reworded(language, sum_line(*map(yuan, (shown.goods, shown.freight, shown.fees, shown.discount))))


def named(line: Line, language: UiLanguage) -> str:
    """A line of goods: quantity, name and ids."""
    return goods_of(line, "x" if language == "en" else "×", language=language)


def line_of(line: Line, language: UiLanguage = "en") -> str:
    """A line of goods with what a piece and what the line costs."""
    t, amount = partial(worded, language), yuan(line.amount)
    goods = named(line, language)
    if line.unit_price is not None:
        goods = t("{goods} at {price}", goods=goods, price=yuan(line.unit_price))
        goods += t(", less {less}", less=yuan(line.less)) if line.less else ""
    return t("{goods}: {amount} CNY", goods=goods, amount=amount)


def asked_for(request: OrderRequest, language: UiLanguage = "en") -> list[str]:
    """What is sent upstream at the caller's wish and has no place among the priced lines."""
    t = partial(worded, language)
    lines = _beside_the_lines(request, language)
    if request.message:
        lines.append(t("Message to the seller: {message}", message=request.message))
    if request.dropshipping is not None:
        lines.append(t("Dropshipping: yes") if request.dropshipping else t("Dropshipping: no"))
    return lines


def _goods(shown: ShownPreview, language: UiLanguage) -> list[str]:
    t = partial(worded, language)
    lines = sorted(shown.lines, key=lambda line: -line.amount)
    rest = lines[LINES_SHOWN:]
    texts = [f"- {line_of(line, language)}" for line in lines[:LINES_SHOWN]]
    if rest:
        more = t("{count} more lines", count=len(rest)) if len(rest) > 1 else t("1 more line")
        amount = yuan(sum(line.amount for line in rest))
        texts.append(t("- and {more}: {amount} CNY", more=more, amount=amount))
    sellers = dict.fromkeys(group.seller_open_id for group in shown.groups if group.seller_open_id)
    if sellers:
        texts.append(t("Seller: {sellers}", sellers=t(", ").join(map(quoted, sellers))))
    if len(shown.groups) > 1:
        texts.append(t("This becomes {count} separate orders.", count=len(shown.groups)))
    return texts


def _beside_the_lines(request: OrderRequest, language: UiLanguage) -> list[str]:
    """What is sent with a line and has no place among the lines that the upstream priced."""
    t = partial(worded, language)
    texts: list[str] = []
    for item in request.items:
        sent = {"seller": item.seller_open_id, "product no": item.product_no, "container": item.container}
        words = t(", ").join(f"{t(label)} {value}" for label, value in sent.items() if value)
        if words:
            texts.append(t("- sent with offer {offer}: {words}", offer=item.offer_id, words=words))
    return texts
