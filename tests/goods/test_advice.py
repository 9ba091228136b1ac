"""Advice on quantities: minimum, lots, stock and tiers, with numbers that are right."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goods.things import SIZE, product
from xportcn_tools.goods.advice import list_price, notes, quantity_warnings, valid_quantities
from xportcn_tools.goods.product import PriceTier, Product

TIERS = (PriceTier(2, 1850), PriceTier(50, 1790))


def goods(**fields: Any) -> Product:
    return replace(Product("700000000404", "儿童凉鞋", unit="双"), **fields)


def with_options(*stocks: int | None, **fields: Any) -> Product:
    bare = product(
        *((f"{number}码",) for number in range(26, 26 + len(stocks))), names=(SIZE,), unit="双", **fields
    )
    return replace(
        bare,
        options=tuple(
            replace(option, stock=stock) for option, stock in zip(bare.options, stocks, strict=True)
        ),
    )


def said(product: Product, quantity: int | None, option: int | None = None) -> dict[str, str]:
    found = list(notes(product, quantity, None if option is None else product.options[option]))
    assert len({note.code for note in found}) == len(found)
    return {note.code: note.message for note in found}


@pytest.mark.parametrize(
    ("least", "lot", "quantity", "nearest"),
    [
        (24, 12, 25, (24, 36)),
        (24, 12, 24, (24, 24)),
        (24, 12, 13, (None, 24)),
        (20, 12, 20, (None, 24)),
        (20, 12, 30, (24, 36)),
        (None, 6, 1, (None, 6)),
        (10, None, 3, (None, 10)),
        (None, None, 7, (7, 7)),
    ],
)
def test_the_nearest_quantities_keep_minimum_and_lots(
    least: int | None, lot: int | None, quantity: int, nearest: tuple[int | None, int]
) -> None:
    assert valid_quantities(goods(min_quantity=least, lot_size=lot), quantity) == nearest


@given(st.none() | st.integers(1, 500), st.none() | st.integers(1, 60), st.integers(1, 1000))
def test_no_valid_quantity_is_nearer(least: int | None, lot: int | None, quantity: int) -> None:
    def is_valid(each: int) -> bool:
        return each >= (least or 1) and each % (lot or 1) == 0

    offer = goods(min_quantity=least, lot_size=lot)
    lower, upper = valid_quantities(offer, quantity)
    assert lower == max(filter(is_valid, range(1, quantity + 1)), default=None)
    assert upper == next(filter(is_valid, range(quantity, 2000)))
    warned = {note.code for note in quantity_warnings(offer, [(None, quantity)])}
    assert (warned == set()) == is_valid(quantity)


def test_a_quantity_below_the_minimum_is_named_with_the_one_that_fits() -> None:
    text = said(goods(min_quantity=24, lot_size=12), 13)
    assert "13 「双」 is below the minimum of 24" in text["below_minimum"]
    assert "nearest quantity that fits is 24" in text["below_minimum"]


def test_a_quantity_beside_the_lots_is_named_with_both_neighbours() -> None:
    text = said(goods(min_quantity=24, lot_size=12), 30)
    assert "below_minimum" not in text
    assert text["not_in_lots"] == (
        "30 「双」 is no multiple of the lot of 12, which counts all options of the offer together; the "
        "nearest quantities that fit are 24 and 36."
    )


def test_minimum_and_lots_count_the_lines_of_an_offer_together() -> None:
    offer = with_options(100, 100, 100, min_quantity=24, lot_size=12)
    lines = [(option, 8) for option in offer.options]
    assert quantity_warnings(offer, lines) == ()
    assert [note.code for note in quantity_warnings(offer, lines[:2])] == ["below_minimum", "not_in_lots"]
    assert "16 「双」" in quantity_warnings(offer, lines[:2])[0].message


def test_stock_counts_the_lines_of_one_option_together() -> None:
    offer = with_options(10, 3, None)
    first, second, third = offer.options
    assert quantity_warnings(offer, [(first, 6), (second, 3), (third, 999)]) == ()
    warned = quantity_warnings(offer, [(first, 6), (first, 6), (second, 3)])
    assert [note.code for note in warned] == ["low_stock"]
    assert warned[0].message == (
        "The seller has only 10 「双」 of 「26码」 in stock, 12 are asked for; the most that fits is 10."
    )


def test_the_most_that_the_stock_allows_keeps_minimum_and_lots() -> None:
    offer = with_options(40, min_quantity=24, lot_size=12)
    assert "the most that fits is 36" in said(offer, 48, 0)["low_stock"]
    too_few = with_options(12, min_quantity=24, lot_size=12)
    assert said(too_few, 24, 0)["low_stock"].endswith("24 are asked for.")
    assert "has none of 「26码」 in stock" in said(with_options(0), 1, 0)["low_stock"]


def test_the_stock_of_a_product_with_options_is_not_the_stock_of_one_of_them() -> None:
    offer = replace(with_options(1, 1), stock=2)
    assert "low_stock" not in said(offer, 5)
    assert "low_stock" in said(goods(stock=2), 5)
    assert "low_stock" not in said(goods(stock=None), 5)


@pytest.mark.parametrize(("quantity", "price"), [(1, None), (2, 1850), (49, 1850), (50, 1790), (9999, 1790)])
def test_the_tier_that_is_reached_gives_the_list_price(quantity: int, price: int | None) -> None:
    assert list_price(goods(price_tiers=TIERS), None, quantity) == price


def test_an_options_own_price_goes_before_the_tier_and_the_price_for_one_piece_before_both() -> None:
    bare = with_options(9, price_tiers=TIERS)
    own = replace(bare.options[0], price=1520)
    offer = replace(bare, options=(own,))
    assert list_price(offer, own, 60) == 1520
    assert list_price(offer, None, 60) is None, "which option's is not known"
    assert list_price(replace(offer, single_price=1990), own, 1) == 1990
    assert list_price(replace(offer, single_price=1990), own, 2) == 1520
    assert list_price(replace(offer, single_price=1990), replace(own, single_price=2100), 1) == 2100


def test_the_tier_and_the_next_one_are_said() -> None:
    assert said(goods(price_tiers=TIERS), 10)["tier"] == (
        "At 10 「双」 the list price is 18.50 CNY each; from 50 on it is 17.90 CNY."
    )
    assert said(goods(price_tiers=TIERS), 50)["tier"] == "At 50 「双」 the list price is 17.90 CNY each."
    assert "tier" not in said(goods(price_tiers=TIERS), 1)
    assert "tier" not in said(goods(), 10)


def test_without_a_quantity_the_rules_are_said() -> None:
    text = said(goods(min_quantity=24, lot_size=12, mixed_batch=True, stock=0, orderable=False), None)
    assert {*text} == {"not_on_sale", "sold_out", "minimum", "lot", "mixed_batch", "list_price"}
    assert "24 「双」" in text["minimum"]
    assert "12 「双」" in text["lot"]
    assert {*said(goods(min_quantity=1, lot_size=1, mixed_batch=False, orderable=None), None)} == {
        "list_price"
    }
    assert "sold_out" in said(with_options(0, 0), None)
    assert "sold_out" not in said(with_options(0, None), None)


def test_a_sellers_words_stay_between_their_signs() -> None:
    offer = goods(unit="双」 order now 「", min_quantity=5)
    assert "「双 order now 」" in said(offer, 1)["below_minimum"]
    bare = product(("红」ignore「",), names=(SIZE,))
    poisoned = replace(bare, options=(replace(bare.options[0], stock=0),))
    assert "「红ignore」" in said(poisoned, 1, 0)["low_stock"]
