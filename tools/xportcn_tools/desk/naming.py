"""Goods by name: which product and option each priced line is, and how a text names it. Pure.

Names come from product data, and never from the preview: an option is found by its spec id within the
product of its offer, or not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from xportcn_tools.desk.product_problems import WHY_NOT_READ
from xportcn_tools.desk.quote import Group, Products, Quote
from xportcn_tools.goods.product import NotRead, Product
from xportcn_tools.order import Line, ShownWarning
from xportcn_tools.results import LineResult
from xportcn_tools.upstream.clean import clean, cut, quoted, without_corners
from xportcn_tools.wording import UiLanguage, worded

TITLE_LENGTH = 40
TITLE_BYTES = 4 * TITLE_LENGTH
OPTION_LENGTH = 250
GOODS_LENGTH = 300
LINES_NAMED = 3
MOST_OFFERS = 10


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
    option = product.option_of(line.spec_id)
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
        return WHY_NOT_READ[found.reason]
    return "its product was not read" if found is None else "its product has no such option"


def goods_line(lines: Sequence[Line], language: UiLanguage = "en") -> str:
    """What is bought in one line: up to three lines of goods, then how many more there are."""
    text = ""
    for count in range(min(LINES_NAMED, len(lines)), 0, -1):
        text = _goods(lines, count, language)
        if len(text) <= GOODS_LENGTH:
            return text
    option = len(_words(lines[0].option, GOODS_LENGTH))
    return _goods(lines, 1, language, option + GOODS_LENGTH - len(text))


def _goods(lines: Sequence[Line], count: int, language: UiLanguage, option_length: int = GOODS_LENGTH) -> str:
    texts, rest = [_in_goods(line, language, option_length) for line in lines[:count]], lines[count:]
    if rest:
        pieces = sum(line.quantity for line in rest)
        texts.append(worded(language, "and {lines} more ({pieces} pieces)", lines=len(rest), pieces=pieces))
    return worded(language, "; ").join(texts)


def _in_goods(line: Line, language: UiLanguage, option_length: int) -> str:
    if line.title:
        return f"{line.quantity} × {_name(line, line.option, language, option_length)}"
    spec = line.spec_id
    short = f"{spec[:8]}…{spec[-4:]}" if spec and len(spec) > 13 else spec
    return f"{line.quantity} × {_ids(line.offer_id, short, language)}"


def name_of(
    line: Line | LineResult, title_bytes: int = TITLE_BYTES, language: UiLanguage = "en"
) -> str | None:
    """Title and option between 「 and 」, the option in both languages, or in Chinese alone for who reads
    that; `None` for a line without a name.
    """
    option = line.option
    if language == "en" and option and line.option_translated and line.option_translated != option:
        option = f"{option} = {line.option_translated}"
    return _name(line, option, language, title_bytes=title_bytes, cut_off="…") if line.title else None


def goods_of(
    line: Line | LineResult, sign: str, title_bytes: int = TITLE_BYTES, language: UiLanguage = "en"
) -> str:
    """A line of goods for a text: quantity, unit, the name where it has one, ids of offer and spec."""
    unit, name = quoted(line.unit) if line.unit else None, name_of(line, title_bytes, language)
    words = (str(line.quantity), unit, sign, name, _ids(line.offer_id, line.spec_id, language))
    return " ".join(filter(None, words))


def _ids(offer_id: str, spec_id: str | None, language: UiLanguage) -> str:
    offer = worded(language, "offer {offer}", offer=offer_id)
    return f"{offer} {worded(language, 'spec {spec}', spec=spec_id)}" if spec_id else offer


def _name(
    line: Line | LineResult,
    option: str | None,
    language: UiLanguage,
    option_length: int = OPTION_LENGTH,
    title_bytes: int = TITLE_BYTES,
    cut_off: str = "",
) -> str:
    """`「Ceramic mug (白色 / 350ml)」`: the translated title, else the original, in at most 40 characters. In
    Chinese the original goes first. `cut_off`: what stands where a title was cut.
    """
    titles = (line.title_translated, line.title) if language == "en" else (line.title, line.title_translated)
    whole = next(filter(None, (_bare(each or "") for each in titles)), "")
    title = cut(whole, TITLE_LENGTH)
    if len(title.encode()) > title_bytes:
        title = cut(title, len(title.encode()[:title_bytes].decode(errors="ignore")))
    words = _words(option, option_length)
    return f"「{title}{cut_off if title != whole else ''}{f' ({words})' if words else ''}」"


def _words(option: str | None, most: int) -> str:
    words = _bare(option or "")
    return words if len(words) <= most else f"{cut(words, most - 1)}…"


def _bare(text: str) -> str:
    """A seller's words without the signs they stand between, and clean without them."""
    return clean(without_corners(text))
