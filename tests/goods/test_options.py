"""Words to one option: whole values only, all that was said, exactly one or none."""

import re
import time
import unicodedata
from dataclasses import replace
from itertools import permutations
from itertools import product as combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.things import COLOUR, SIZE, product
from xportcn_tools.goods.options import fitting
from xportcn_tools.goods.product import OptionValue, Product, ProductOption

SHIRTS = product(
    ("红色=Red", "M"),
    ("红色=Red", "L"),
    ("酒红色=Wine red", "L"),
    ("白色=White", "L (180/96A)"),
    ("白色=White", "XL"),
    ("蓝=Blue", "2XL"),
)
SHOES = product(("26码=Size 26",), ("27码=Size 27",), ("40=40",), ("均码=One size",), names=(SIZE,))


def chosen(goods: Product, words: str) -> str | None:
    option = fitting(goods, words).chosen
    return option.option if option else None


def fits(goods: Product, words: str) -> list[str]:
    return [option.option for option in fitting(goods, words).options]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("红色 L", "红色 / L"),
        ("L 红色", "红色 / L"),
        ("红色L", "红色 / L"),
        ("red, L", "红色 / L"),
        ("RED l", "红色 / L"),
        ("Ｌ／红 色", "红色 / L"),
        ("【红色】（L）", "红色 / L"),
        ("红色 L码", "红色 / L"),
        ("红色l号", "红色 / L"),
        ("red, size L", "红色 / L"),
        ("L size, red", "红色 / L"),
        ("colour red, size L", "红色 / L"),
        ("Color: Red; Size: L", "红色 / L"),
        ("颜色:红色 尺码:L", "红色 / L"),
        ("颜色红色尺码L", "红色 / L"),
        ("尺寸：L，颜色：red", "红色 / L"),
        ("酒红色", "酒红色 / L"),
        ("wine red", "酒红色 / L"),
        ("Wine-Red L", "酒红色 / L"),
        ("white L (180/96A)", "白色 / L (180/96A)"),
        ("L 180/96a 白色", "白色 / L (180/96A)"),
        ("白色 / L (180/96A)", "白色 / L (180/96A)"),
        ("XL", "白色 / XL"),
        ("2XL", "蓝 / 2XL"),
        ("blue 2 XL", "蓝 / 2XL"),
    ],
)
def test_the_option_whose_values_were_said_is_chosen(words: str, option: str) -> None:
    assert chosen(SHIRTS, words) == option


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("26", "26码"),
        ("26码", "26码"),
        ("size 26", "26码"),
        ("Size26", "26码"),
        ("２７号", "27码"),
        ("40码", "40"),
        ("40", "40"),
        ("one size", "均码"),
        ("尺码 40", "40"),
    ],
)
def test_a_size_is_meant_with_and_without_its_suffix(words: str, option: str) -> None:
    assert chosen(SHOES, words) == option


@pytest.mark.parametrize(
    "words",
    [
        "红",
        "酒",
        "色",
        "wine",
        "the red one",
        "red L L",
        "red M L",
        "红色酒红色",
        "wine red red",
        "白色 L",
        "180/96A",
        "X L 白色",
        "X",
        "2",
        "红色 XL",
        "深红色 L",
        "dark red L",
        "red wine",
        "size",
        "颜色",
        "not red M",
        "红色 L 20件",
    ],
)
def test_words_that_are_not_used_up_by_whole_values_choose_nothing(words: str) -> None:
    assert fits(SHIRTS, words) == []


@pytest.mark.parametrize("words", ["红色", "red", "L", "l码", "白色", ""])
def test_words_that_several_options_fit_choose_nothing(words: str) -> None:
    assert len(fits(SHIRTS, words)) > 1
    assert chosen(SHIRTS, words) is None


@pytest.mark.parametrize("words", ["红色", "red", "红色 L", "red L", "红 色"])
@pytest.mark.parametrize("rows", [[("酒红色=Wine red", "L")], [("红色=Red", "M"), ("酒红色=Wine red", "L")]])
def test_red_is_never_wine_red_where_red_is_missing_or_a_hole(
    words: str, rows: list[tuple[str, str]]
) -> None:
    assert chosen(product(*rows), words) in (None, "红色 / M")
    assert "酒红色 / L" not in fits(product(*rows), words)


def test_a_dimension_with_one_value_need_not_be_said() -> None:
    assert chosen(product(("红色", "均码"), ("蓝色", "均码")), "红色") == "红色 / 均码"


def test_an_option_that_is_in_stock_is_not_chosen_over_one_that_is_sold_out() -> None:
    bare = product(("红色", "M"), ("红色", "L"))
    stocks = tuple(replace(option, stock=stock) for option, stock in zip(bare.options, (0, 9), strict=True))
    assert chosen(replace(bare, options=stocks), "红色") is None


def test_a_product_with_one_option_needs_no_words_and_contradicting_words_do_not_choose_it() -> None:
    only = product(("红色", "L"))
    assert chosen(only, "") == "红色 / L"
    assert chosen(only, "蓝色") is None


def test_two_readings_of_the_same_words_choose_nothing() -> None:
    goods = product(("Wine red", "Cotton"), ("Red", "Wine"), names=(COLOUR, ("材质", "Material")))
    assert fits(goods, "wine red") == ["Wine red / Cotton", "Red / Wine"]
    assert chosen(product(("大号",), ("大码",), names=(SIZE,)), "大号") is None


def test_options_that_are_called_alike_choose_nothing() -> None:
    assert chosen(product(("红色", "L"), ("【红色】", "l")), "红色 L") is None


@pytest.mark.parametrize(
    ("values", "words", "value"),
    [
        (["S", "S+"], "S+", "S+"),
        (["S", "S+"], "S", "S"),
        (["5℃", "-5℃"], "-5℃", "-5℃"),
        (["5℃", "-5℃"], "5°C", "5℃"),
        (["1.5L", "15L", "5L"], "1.5l", "1.5L"),
        (["26-27", "26", "27"], "26-27", "26-27"),
        (["10×20cm", "10×2", "20cm"], "10*20cm", "10×20cm"),
        (["10×20cm"], "10 x 20 cm", "10×20cm"),
        (["350ml", "50ml"], "350 ml", "350ml"),
        (["1 号色", "11号色"], "1号色", "1 号色"),
        (["#3", "3"], "#3", "#3"),
        (["0.5mm", "5mm"], ".5mm", "0.5mm"),
        (["0.5mm", "5mm"], "颜色 .5 mm", "0.5mm"),
        (["-0.50", "50"], "-.50", "-0.50"),
        (["-5", "5"], "–5", "-5"),
        (["-5", "5"], "−5", "-5"),
        (["10", "5"], "颜色-5", "5"),
        (["5‰", "5%", "5"], "5‰", "5‰"),
        (["5'", '5"', "5"], "5′", "5'"),
        (["5'", '5"', "5"], "5″", '5"'),
        (["5'", '5"', "5"], '"5"', "5"),
        (["40-41", "42-43"], "40–41", "40-41"),
        (["1½", "11"], "1½", "1½"),
        (["10²", "102"], "102", "102"),
        (["XL", "2XL"], "2XL", "2XL"),
        (["XL", "2 XL"], "2 XL", "2 XL"),
        (["XL", "2XL"], "2xl码", "2XL"),
        (["30CM", "30"], "30 cm", "30CM"),
        (["1,000", "1"], "1,000", "1,000"),
        (["40, 41", "42"], "40, 41", "40, 41"),
    ],
)
def test_values_with_digits_signs_and_ranges_are_told_apart(
    values: list[str], words: str, value: str
) -> None:
    assert chosen(product(*((each,) for each in values)), words) == value


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["S+"], "S"),
        (["-5℃"], "5℃"),
        (["1.5L"], "15L"),
        (["12"], "1 2"),
        (["#3"], "3"),
        (["5mm"], ".5mm"),
        (["50"], "-.50"),
        (["5"], "–5"),
        (["5", "10"], "5‰"),
        (['5"', '6"'], "5'"),
        (["40-41", "42-43"], "40, 41"),
        (["40-41", "42-43"], "40、41"),
        (["40-41", "42-43"], "40,41"),
        (["1½"], "11/2"),
        (["10²"], "102"),
    ],
)
def test_a_value_with_a_sign_is_not_the_one_without_it(values: list[str], words: str) -> None:
    assert fits(product(*((value,) for value in values)), words) == []


@pytest.mark.parametrize("words", ["2 XL", "2-XL", "size: 2 XL", "XL 2"])
def test_a_number_that_may_be_a_quantity_chooses_nothing(words: str) -> None:
    goods = product(("XL",), ("2XL",), ("XL2",), ("L",), names=(SIZE,))
    assert len(fits(goods, words)) == 2
    assert fits(product(("XL",), ("L",), names=(SIZE,)), words) == []


def test_a_number_is_never_taken_for_a_quantity_alone() -> None:
    assert fits(product(("白色", "2XL"), ("蓝", "XL")), "蓝 2 XL") == []
    assert chosen(SHIRTS, "蓝 2 XL") == "蓝 / 2XL"


def test_a_dash_that_may_be_a_sign_chooses_nothing() -> None:
    goods = product(("-5",), ("5",), names=(("尺寸", "Size"),))
    assert fits(goods, "尺寸-5") == ["-5", "5"]
    assert chosen(product(("红色", "40"), ("红色", "-40")), "红色-40") is None
    assert chosen(product(("红色", "40"), ("红色", "41")), "红色-40") == "红色 / 40"


def test_a_comma_between_digits_separates_no_values() -> None:
    goods = product(("2", "5mm"), ("3", "5mm"))
    assert fits(goods, "2,5mm") == []
    assert chosen(goods, "2, 5mm") == "2 / 5mm"


@pytest.mark.parametrize(
    ("row", "touching", "apart"),
    [
        (("红色", "大"), "大红色", "大, 红色"),
        (("红色", "大"), "红色大", "红色大码"),
        (("黄色", "中"), "中黄色", "中号黄色"),
        (("红", "加大"), "加大红", "加大 红"),
        (("红色", "大"), "大红色", "颜色红色尺码大"),
    ],
)
def test_a_value_of_one_chinese_character_touches_no_other(
    row: tuple[str, str], touching: str, apart: str
) -> None:
    goods = product(row, ("白色", "小"))
    assert fits(goods, touching) == []
    assert chosen(goods, apart) == " / ".join(row)


def test_what_only_the_seller_calls_a_dimension_counts_before_a_colon_alone() -> None:
    goods = product(("红色", "L"), names=(("酒", "Wine"), SIZE))
    assert fits(goods, "酒红色") == []
    assert fits(goods, "wine red") == []
    assert fits(goods, "酒:红色") == ["红色 / L"]


def test_the_rest_is_ranked_by_what_was_said() -> None:
    def ranked(words: str) -> list[str]:
        return [option.option for option in fitting(SHIRTS, words).near]

    assert ranked("红色 XL")[:2] == ["红色 / M", "红色 / L"]
    assert ranked("wine")[0] == "酒红色 / L"
    assert ranked("XXL 蓝")[0] == "蓝 / 2XL"


def test_words_that_are_too_long_to_be_compared_whole_choose_nothing() -> None:
    assert fits(SHIRTS, "红色 L" + " " * 300 + "no") == []


@pytest.mark.parametrize(
    ("values", "words", "value"),
    [
        (["红=Красный", "深红=Тёмно-красный"], "КРАСНЫЙ", "红"),
        (["红=đỏ", "酒红=đỏ rượu"], "Đỏ", "红"),
        (["红=đỏ", "酒红=đỏ rượu"], "đỏ rượu", "酒红"),
        (["红=สีแดง", "深红=สีแดงเข้ม"], "สีแดง", "红"),
        (["红=レッド", "深红=ダークレッド"], "ダークレッド", "深红"),
        (["红=빨강", "深红=진한 빨강"], "빨강", "红"),
        (["红=أحمر", "深红=أحمر داكن"], "أحمر", "红"),
    ],
)
def test_a_value_is_whole_in_every_language_of_the_upstream(
    values: list[str], words: str, value: str
) -> None:
    assert chosen(product(*((each,) for each in values)), words) == value
    other = next(each for each in values if not each.startswith(f"{value}="))
    assert chosen(product((other,), ("白",)), words) is None


def test_options_that_fit_and_the_others_are_all_options_once() -> None:
    for words in ("红色", "x", "", "L"):
        match = fitting(SHIRTS, words)
        assert sorted(o.spec_id for o in (*match.options, *match.near)) == [o.spec_id for o in SHIRTS.options]


def test_a_thousand_options_and_hostile_words_are_matched_in_bounded_time() -> None:
    names = (COLOUR, SIZE, *((f"维{n}", f"dim {n}") for n in range(8)))
    goods = product(*[(f"a{i // 25}", f"s{i % 25}", *"aaaaaaaa") for i in range(1000)], names=names)
    for words in ("a " * 150, "a" * 300, "a1 s2 " * 50, "红" * 300, "颜色" * 150, "a" * 10_000):
        began = time.process_time()
        assert chosen(goods, words) is None
        assert time.process_time() - began < 5


# --- over random products and words -------------------------------------------------------------------

VALUES = [
    "红色",
    "酒红色",
    "酒",
    "红",
    "Red",
    "Wine red",
    "Wine",
    "L",
    "XL",
    "2XL",
    "X",
    "40码",
    "40",
    "4",
    "L (180/96A)",
    "大号",
    "1.5m",
    "S+",
    "S",
]
SEPARATORS = [" ", ", ", " / ", "，", "、", ";"]


@st.composite
def goods_of(draw: st.DrawFn) -> Product:
    """A matrix with holes, whose dimensions may share values, in one or two languages."""
    names = draw(
        st.sampled_from(
            [[COLOUR], [COLOUR, SIZE], [SIZE, ("材质", "Material")], [COLOUR, SIZE, ("酒", "Wine")]]
        )
    )
    texts = st.sampled_from(VALUES)
    dimensions = [
        [
            OptionValue(name[0], draw(texts), name[1], draw(st.none() | texts))
            for _ in range(draw(st.integers(1, 4)))
        ]
        for name in names
    ]
    cells = list(dict.fromkeys(combinations(*dimensions)))
    kept = draw(st.lists(st.sampled_from(cells), min_size=1, max_size=12, unique=True))
    options = tuple(ProductOption(f"{number:032x}", None, cell) for number, cell in enumerate(kept))
    return Product("1", "t", options=options)


@st.composite
def sayings(draw: st.DrawFn, goods: Product) -> tuple[list[str], str]:
    """Some values of some option or of none, in any order, and how they are said."""
    option = draw(st.sampled_from(goods.options))
    values = draw(st.permutations(option.values))[: draw(st.integers(1, len(option.values)))]
    said = [draw(st.sampled_from(texts_of(value))) for value in values]
    if draw(st.booleans()):
        said.insert(draw(st.integers(0, len(said))), draw(st.sampled_from(VALUES)))
    words = said[0]
    for each in said[1:]:
        words += draw(st.sampled_from(SEPARATORS)) + each
    return said, words


def texts_of(value: OptionValue) -> list[str]:
    return [text for text in (value.value, value.value_translated) if text]


def squeezed(text: str) -> str:
    return re.sub(r"[\s,/;，、;()码号]|size", "", unicodedata.normalize("NFKC", text).casefold())


def could_be(option: ProductOption, words: str) -> bool:
    """Letter for letter: some of its values, one a dimension, in some order and language, and nothing else."""
    for count in range(1, len(option.values) + 1):
        for values in permutations(option.values, count):
            for said in combinations(*map(texts_of, values)):
                if squeezed("".join(said)) == squeezed(words):
                    return True
    return False


def was_said(option: ProductOption, said: list[str]) -> bool:
    """Each thing that was said is a value of its own, by a text of it."""
    return any(
        all(text in texts_of(value) for text, value in zip(said, values, strict=True))
        for values in permutations(option.values, min(len(said), len(option.values)))
        if len(values) == len(said)
    )


@given(st.data())
def test_no_other_option_is_chosen_than_the_one_whose_words_were_said(data: st.DataObject) -> None:
    goods = data.draw(goods_of())
    said, words = data.draw(sayings(goods))
    match = fitting(goods, words)
    for option in match.options:
        assert could_be(option, words), f"{words!r} does not say {option.option!r}"
    for option in goods.options:
        if was_said(option, said):
            assert option in match.options, f"{words!r} says {option.option!r}"
    assert (match.chosen is not None) == (len(match.options) == 1)


@given(st.data(), st.text(max_size=40))
def test_any_words_are_matched_without_an_error(data: st.DataObject, words: str) -> None:
    goods = data.draw(goods_of())
    match = fitting(goods, words)
    assert len(match.options) + len(match.near) == len(goods.options)
