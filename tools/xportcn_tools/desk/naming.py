"""Goods by name: which product and option each priced line is, and how a text names it. Pure.

Names come from product data, and never from the preview: an option is found by its spec id within the
product of its offer, or not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xportcn_tools.desk.quote import Group, Products, Quote
from xportcn_tools.goods.product import NotRead, NotReadReason, Product, ProductOption
from xportcn_tools.order import Line, ShownWarning
from xportcn_tools.results import LineResult
from xportcn_tools.upstream.clean import clean, cut

TITLE_LENGTH = 40
OPTION_LENGTH = 250
GOODS_LENGTH = 300
LINES_NAMED = 3
MOST_OFFERS = 10

_SIGNS = str.maketrans("", "", "「」｢｣﹁﹂")
_WHY: dict[NotReadReason, str] = {
    "not_found": "the upstream knows no such product",
    "not_permitted": "this account may not read it",
    "not_confirmed": "the path of products is not confirmed for this account",
    "unreadable": "the answer about it cannot be read",
    "no_answer": "no answer about it came",
}


def named(quote: Quote, products: Products) -> Quote:
    """The quote with a name for each line whose product and option are known."""
    return replace(
        quote, groups=tuple(_named_group(group, products) for group in quote.groups), products=products
    )


def _named_group(group: Group, products: Products) -> Group:
    found = [products.get(line.offer_id) for line in group.lines]
    sellers = {product.seller_open_id for product in found if isinstance(product, Product)} - {None}
    return replace(
        group,
        lines=tuple(map(_named_line, group.lines, found)),
        seller_open_id=sellers.pop() if len(sellers) == 1 else None,
    )


def _named_line(line: Line, product: Product | NotRead | None) -> Line:
    if not isinstance(product, Product) or not _bare(product.title):
        return line
    option = option_of(product, line.spec_id)
    if option is None and (product.options or line.spec_id):
        return line
    return replace(
        line,
        title=product.title,
        title_translated=product.title_translated,
        option=option.option if option else None,
        option_translated=option.option_translated if option else None,
        unit=product.unit,
        image=(option.image if option else None) or product.image,
    )


def option_of(product: Product, spec_id: str | None) -> ProductOption | None:
    return next((option for option in product.options if option.spec_id == spec_id), None)


def not_named(quote: Quote) -> Iterator[ShownWarning]:
    """The warning that a line has no name, with the page of its offer."""
    offers = {line.offer_id: line for group in quote.groups for line in group.lines if line.title is None}
    if offers:
        texts = [
            f"offer {offer} ({line.url}): {_why(quote.products.get(offer))}" for offer, line in offers.items()
        ]
        rest = len(texts) - MOST_OFFERS
        more = [f"{rest} more offers"] if rest > 0 else []
        yield ShownWarning(
            "goods_not_named",
            "These goods could not be named, so look at their pages before you agree: "
            f"{'; '.join([*texts[:MOST_OFFERS], *more])}.",
        )


def _why(found: Product | NotRead | None) -> str:
    if isinstance(found, NotRead):
        return _WHY[found.reason]
    return "its product was not read" if found is None else "its product has no such option"


def goods_line(lines: Sequence[Line]) -> str:
    """What is bought in one line: up to three lines of goods, then how many more there are."""
    text, over = "", 0
    for count in range(min(LINES_NAMED, len(lines)), 0, -1):
        text = _goods(lines, count)
        over = len(text) - GOODS_LENGTH
        if over <= 0:
            return text
    return _goods(lines, 1, less=over)


def _goods(lines: Sequence[Line], count: int, less: int = 0) -> str:
    """`less`: by how many characters the option of the last line is to be shorter."""
    rest = lines[count:]
    more = [f"and {len(rest)} more ({sum(line.quantity for line in rest)} pieces)"] if rest else []
    last = lines[count - 1]
    if less and last.option:
        last = replace(last, option=f"{cut(_bare(last.option), max(len(_bare(last.option)) - less - 1, 0))}…")
    return "; ".join([*map(_in_goods, [*lines[: count - 1], last]), *more])


def _in_goods(line: Line) -> str:
    if line.title:
        return f"{line.quantity} × {_name(line)}"
    spec = line.spec_id
    short = f"{spec[:8]}…{spec[-4:]}" if spec and len(spec) > 13 else spec
    return f"{line.quantity} × offer {line.offer_id}{f' spec {short}' if short else ''}"


def goods_of(line: Line | LineResult) -> str:
    """What a line is, for a text: its name where it has one, and the ids of its offer and spec."""
    option = line.option
    if option and line.option_translated and line.option_translated != option:
        option = f"{option} = {line.option_translated}"
    name = f"{_name(line, option)} " if line.title else ""
    return f"{name}offer {line.offer_id}{f' spec {line.spec_id}' if line.spec_id else ''}"


def _name(line: Line | LineResult, option: str | None = None) -> str:
    """`「Ceramic mug (白色 / 350ml)」`: the title in at most 40 characters. `option`: instead of its own."""
    title = cut(_bare(line.title_translated or "") or _bare(line.title or ""), TITLE_LENGTH)
    words = _bare(option or line.option or "")
    if len(words) > OPTION_LENGTH:
        words = f"{cut(words, OPTION_LENGTH - 1)}…"
    return f"「{title}{f' ({words})' if words else ''}」"


def _bare(text: str) -> str:
    """A seller's words without the signs they stand between, and clean without them."""
    return clean(text.translate(_SIGNS))
