"""Goods by name: the option of the spec that was priced and no other, and the one line that says what is bought."""

import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import OFFER, OTHER_OFFER, OTHER_SPEC, SPEC, asked, group, line, quoted
from xportcn_tools.arguments import TextLine
from xportcn_tools.desk.naming import GOODS_LENGTH, goods_line, goods_of, named, not_named
from xportcn_tools.desk.quote import Products, Quote
from xportcn_tools.goods.product import NotRead, NotReadReason, OptionValue, Product, ProductOption
from xportcn_tools.order import Item, Line, echoed
from xportcn_tools.upstream.clean import clean

UNKNOWN_SPEC = "0" * 32


def option(spec_id: str, *values: str, **fields: Any) -> ProductOption:
    return ProductOption(spec_id, None, tuple(OptionValue("颜色", value) for value in values), **fields)


MUG = Product(
    OFFER,
    "陶瓷马克杯",
    title_translated="Ceramic mug",
    seller_open_id="BBB-seller",
    unit="件",
    image="https://cbu01.alicdn.com/mug.jpg",
    options=(
        option(SPEC, "白色", "350ml", image="https://cbu01.alicdn.com/white.jpg"),
        option(OTHER_SPEC, "酒红色", "350ml"),
    ),
)
JAR = Product(OTHER_OFFER, "玻璃罐", seller_open_id="BBB-seller")


def the_line(**fields: Any) -> Line:
    return replace(Line(OFFER, SPEC, None, 20, 2900, 58000, None), **fields)


def quote_of(products: Products, *items: Item) -> Quote:
    """Each item at 29.00 a piece, in one group."""
    lines = [
        line(2900 * item.quantity, 2900, offerId=int(item.offer_id), specId=item.spec_id) for item in items
    ]
    goods = sum(2900 * item.quantity for item in items)
    return named(
        quoted(group(*lines, sumPaymentNoCarriage=goods, sumPayment=goods + 600), request=asked(*items)),
        products,
    )


# Which name a line has


@pytest.mark.parametrize(
    ("spec_id", "words", "image"),
    [(SPEC, "白色 / 350ml", "white.jpg"), (OTHER_SPEC, "酒红色 / 350ml", "mug.jpg")],
)
def test_a_line_has_the_option_of_its_own_spec_and_the_picture_of_it(
    spec_id: str, words: str, image: str
) -> None:
    (found,) = quote_of({OFFER: MUG}, Item(OFFER, 2, spec_id)).groups[0].lines
    assert (found.title, found.title_translated, found.option) == ("陶瓷马克杯", "Ceramic mug", words)
    assert (found.unit, found.image) == ("件", f"https://cbu01.alicdn.com/{image}")


def test_an_offer_without_variants_has_a_title_and_no_option() -> None:
    (found,) = quote_of({OTHER_OFFER: JAR}, Item(OTHER_OFFER, 2)).groups[0].lines
    assert (found.title, found.option) == ("玻璃罐", None)


@pytest.mark.parametrize(
    ("offer_id", "spec_id", "product", "why"),
    [
        (OFFER, UNKNOWN_SPEC, MUG, "no such option"),
        (OFFER, None, MUG, "no such option"),
        (OTHER_OFFER, SPEC, JAR, "no such option"),
        (OFFER, SPEC, replace(MUG, title="「」"), "no such option"),
        (OFFER, SPEC, None, "was not read"),
        (OFFER, SPEC, NotRead(OFFER, "not_found"), "there is no such product"),
        (OFFER, SPEC, NotRead(OFFER, "not_confirmed"), "not confirmed"),
    ],
)
def test_what_is_not_known_for_certain_is_not_named_and_says_so_with_its_page(
    offer_id: str, spec_id: str | None, product: Product | NotRead | None, why: str
) -> None:
    quote = quote_of({offer_id: product} if product else {}, Item(offer_id, 2, spec_id))
    (found,) = quote.groups[0].lines
    assert found.title is found.option is found.unit is found.image is None
    (warning,) = not_named(quote)
    assert warning.code == "goods_not_named"
    assert f"offer {offer_id} (https://detail.1688.com/offer/{offer_id}.html)" in warning.message
    assert why in warning.message


def test_a_quote_whose_lines_all_have_names_warns_of_nothing() -> None:
    products = {OFFER: MUG, OTHER_OFFER: JAR}
    assert list(not_named(quote_of(products, Item(OFFER, 2, SPEC), Item(OTHER_OFFER, 2)))) == []


def test_of_many_goods_without_a_name_ten_offers_are_listed_and_the_others_counted() -> None:
    (warning,) = not_named(quote_of({}, *(Item(str(10**11 + number), 1) for number in range(50))))
    assert warning.message.count("https://detail.1688.com/") == 10
    assert "; 40 more offers." in warning.message


@pytest.mark.parametrize(
    ("other", "seller"), [("BBB-seller", "BBB-seller"), ("BBB-other", None), (None, "BBB-seller")]
)
def test_a_group_has_the_one_seller_of_its_products(other: str | None, seller: str | None) -> None:
    products = {OFFER: MUG, OTHER_OFFER: replace(JAR, seller_open_id=other)}
    quote = quote_of(products, Item(OFFER, 2, SPEC), Item(OTHER_OFFER, 2))
    assert quote.groups[0].seller_open_id == seller


def test_a_line_of_text_has_the_option_in_both_languages_and_the_ids() -> None:
    found = the_line(
        title="陶瓷马克杯",
        title_translated="Ceramic mug",
        option="白色",
        option_translated="White",
        unit="件",
    )
    assert goods_of(found, "×") == f"20 「件」 × 「Ceramic mug (白色 = White)」 offer {OFFER} spec {SPEC}"
    assert goods_of(the_line(spec_id=None), "x") == f"20 x offer {OFFER}"


# The one line that says what is bought


def test_the_goods_line_is_the_one_of_the_contract() -> None:
    mugs = the_line(title="陶瓷马克杯", title_translated="Ceramic mug", option="白色 / 350ml")
    jars = the_line(quantity=2, title="Glass jar", option="大号")
    assert goods_line([mugs, jars]) == "20 × 「Ceramic mug (白色 / 350ml)」; 2 × 「Glass jar (大号)」"
    nameless = the_line(quantity=2, spec_id="b266e0726506185beaf205cbae88530d")
    assert goods_line([nameless]) == "2 × offer 610947572360 spec b266e072…530d"
    assert goods_line([mugs, jars, nameless, replace(nameless, quantity=90), *[nameless] * 3]) == (
        "20 × 「Ceramic mug (白色 / 350ml)」; 2 × 「Glass jar (大号)」; "
        "2 × offer 610947572360 spec b266e072…530d; and 4 more (96 pieces)"
    )


def test_a_title_is_cut_at_forty_characters() -> None:
    assert goods_line([the_line(title="杯" * 120)]) == f"20 × 「{'杯' * 40}」"


def test_lines_leave_from_the_end_until_the_goods_line_fits() -> None:
    long = the_line(title="杯" * 120, option="色" * 100)
    name = f"20 × 「{'杯' * 40} ({'色' * 100})」"
    assert goods_line([long]) == name
    assert goods_line([long] * 2) == f"{name}; and 1 more (20 pieces)"
    assert goods_line([long] * 50) == f"{name}; and 49 more (980 pieces)"


@pytest.mark.parametrize("count", [1, 2, 50])
def test_of_a_line_that_is_too_long_by_itself_the_option_is_cut(count: int) -> None:
    found = goods_line([the_line(title="杯" * 120, option="色" * 300)] * count)
    assert len(found) <= GOODS_LENGTH
    assert re.fullmatch(rf"20 × 「{'杯' * 40} \(色{{150,}}…\)」(; and {count - 1} more .*)?", found)


def test_an_option_that_fits_is_whole() -> None:
    assert goods_line([the_line(title="杯", option="色" * 280)]) == f"20 × 「杯 ({'色' * 280})」"


WORDS = st.text(
    st.sampled_from(
        "杯色白a 1×x;;()（）/…“”\"'「」｢｣『』﹁﹂，,。.👩\u200d🚀\ufe0f\u0301\u00adＡ\u3000<b>&lt;[]("
    )
    | st.characters(),
    min_size=1,
    max_size=320,
).map(clean)
LINES = st.lists(
    st.builds(
        Line,
        st.just(OFFER),
        st.sampled_from([SPEC, None, "spec-of-the-upstream-" + "x" * 43]),
        st.none(),
        st.integers(1, 10**9),
        st.just(2900),
        st.just(5800),
        st.none(),
        title=WORDS | st.none(),
        title_translated=WORDS | st.none(),
        option=WORDS | st.none(),
    ),
    min_size=1,
    max_size=50,
)


@given(LINES)
def test_whatever_sellers_write_the_goods_line_is_short_clean_and_comes_back_the_same(
    lines: list[Line],
) -> None:
    found = goods_line(lines)
    assert len(found) <= GOODS_LENGTH
    assert not re.search("[｢｣﹁﹂]", found)
    outside = re.sub("「[^「」]*」", "", found)
    assert "「" not in outside
    assert "」" not in outside
    assert re.fullmatch(
        r"([0-9]+ × (offer [0-9]+( spec [0-9A-Za-z…-]+)?)?(; )?)+(and [0-9]+ more \([0-9]+ pieces\))?",
        outside,
    )
    assert all(unicodedata.category(character) not in ("Cc", "Cs", "Co") for character in found)
    given_back = TextLine(400).read(found)
    assert given_back is not None
    assert echoed(given_back) == echoed(found)


@pytest.mark.parametrize("times", ["×", " x ", "x", " X ", "X", "× ", " ✕", "　×　"])
def test_the_sign_between_quantity_and_goods_may_come_back_in_any_of_its_spellings(times: str) -> None:
    shown = "20 × 「Mug 2 x 350ml (白色)」; 2 × offer 610947572360 spec b266e072…530d"
    assert echoed(shown.replace("0 × 「", f"0{times}「").replace("; 2 × ", f"; 2{times}")) == echoed(shown)
    assert echoed(shown.replace("20 ×", "2 0 ×")) != echoed(shown)
    assert echoed(shown.replace("2 x 350ml", "2x350ml")) != echoed(shown)


@pytest.mark.parametrize("reason", NotReadReason.__args__)
def test_every_reason_for_which_a_product_is_not_read_has_words(reason: NotReadReason) -> None:
    quote = quote_of({OFFER: NotRead(OFFER, reason)}, Item(OFFER, 2, SPEC))
    assert len(list(not_named(quote))) == 1
