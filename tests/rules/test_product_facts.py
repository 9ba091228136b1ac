"""A quote beside product data: list prices say which unit was meant, and quantities are advised on."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import OFFER, OTHER_OFFER, OTHER_SPEC, SPEC, asked, group, line, quoted
from xportcn_tools.desk.naming import named
from xportcn_tools.desk.product_facts import held_against_list_prices, warned_of_quantities
from xportcn_tools.desk.quote import NotOrderableError, Quote, Reason, UnitsUnclearError
from xportcn_tools.desk.refusals import reasons_of
from xportcn_tools.goods.product import OptionValue, PriceTier, Product, ProductOption
from xportcn_tools.order import Item


def product(list_price: int | None, offer_id: str = OFFER, **fields: Any) -> Product:
    options = (
        ProductOption(SPEC, None, (OptionValue("颜色", "白色"),), stock=5, price=list_price),
        ProductOption(OTHER_SPEC, None, (OptionValue("颜色", "红色"),), stock=500, price=list_price),
    )
    return replace(Product(offer_id, "陶瓷马克杯", options=options), **fields)


def fen_quote(unit_price: int, *products: Product, quantity: int = 2) -> Quote:
    """Closes as fen alone: amounts in fen beside sums in fen."""
    amount = unit_price * quantity
    sums = {"sumPaymentNoCarriage": amount, "sumPayment": amount + 600}
    request = asked(Item(OFFER, quantity, SPEC))
    quote = quoted(group(line(amount, unit_price), **sums), request=request)
    assert quote.unit == "fen"
    return named(quote, {each.offer_id: each for each in products})


def yuan_quote(unit_price: int, *products: Product) -> Quote:
    """The same two pieces at `unit_price` fen, with the line's amounts in yuan."""
    amount = unit_price * 2
    sums = {"sumPaymentNoCarriage": amount, "sumPayment": amount + 600}
    quote = quoted(group(line(f"{amount / 100:.2f}", f"{unit_price / 100:.2f}"), **sums))
    assert quote.unit == "yuan"
    return named(quote, {each.offer_id: each for each in products})


@pytest.mark.parametrize("list_price", [2900, 2000, 8000])
def test_fen_that_are_a_hundredth_of_the_list_price_are_unclear(list_price: int) -> None:
    quote = fen_quote(29, product(list_price))
    with pytest.raises(UnitsUnclearError, match="list prices say the other unit") as unclear:
        held_against_list_prices(quote)
    (figures,) = unclear.value.figures
    assert f"offer {OFFER}: 0.58 CNY for 2" in figures
    assert f"{list_price * 2 / 100:.2f} CNY" in figures


def test_yuan_that_are_a_hundred_times_the_list_price_are_unclear() -> None:
    with pytest.raises(UnitsUnclearError):
        held_against_list_prices(yuan_quote(290000, product(2900)))


@pytest.mark.parametrize("quote", [fen_quote(2900, product(290000)), yuan_quote(2900, product(290000))])
def test_the_other_unit_is_judged_by_the_direction_of_the_factor(quote: Quote) -> None:
    if quote.unit == "yuan":  # read as fen it would be a ten-thousandth: neither unit agrees
        assert held_against_list_prices(quote) == quote
    else:
        with pytest.raises(UnitsUnclearError):
            held_against_list_prices(quote)


def test_a_list_price_that_agrees_takes_the_doubt_about_the_unit_away() -> None:
    doubtful = fen_quote(29)
    assert doubtful.unverified_unit
    assert held_against_list_prices(doubtful).unverified_unit
    assert not held_against_list_prices(fen_quote(29, product(35))).unverified_unit


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_discount_of_up_to_ninety_six_per_cent_is_ever_taken_for_another_unit(
    price: int, listed: int
) -> None:
    if listed < price * 25 and price < listed * 25:
        assert held_against_list_prices(fen_quote(price, product(listed))).payable == price * 2 + 600


def test_list_prices_that_contradict_each_other_leave_a_doubt_and_refuse_nothing() -> None:
    request = asked(Item(OFFER, 2, SPEC), Item(OTHER_OFFER, 2, SPEC))
    lines = (line(58, 29), line(5800, 2900, offerId=int(OTHER_OFFER)))
    quote = quoted(group(*lines, sumPaymentNoCarriage=5858, sumPayment=6458), request=request)
    products = {OFFER: product(2900), OTHER_OFFER: product(2900, OTHER_OFFER)}
    held = held_against_list_prices(named(quote, products))
    assert (held.payable, quote.unverified_unit, held.unverified_unit) == (6458, False, True)
    agreeing = {OFFER: product(29), OTHER_OFFER: product(2900, OTHER_OFFER)}
    assert not held_against_list_prices(named(quote, agreeing)).unverified_unit


@pytest.mark.parametrize("found", [(), (product(None),)])
def test_without_a_list_price_nothing_is_judged(found: tuple[Product, ...]) -> None:
    quote = fen_quote(29, *found)
    assert held_against_list_prices(quote) == quote


def test_the_tier_goes_by_the_quantity_of_the_whole_offer() -> None:
    tiers = (PriceTier(1, 2900), PriceTier(100, 29))  # absurd, so that a wrong tier is another unit
    whole = product(None, price_tiers=tiers)
    request = asked(Item(OFFER, 50, SPEC), Item(OFFER, 50, OTHER_SPEC))
    lines = (line(1450, 29), line(1450, 29, specId=OTHER_SPEC))
    quote = quoted(group(*lines, sumPaymentNoCarriage=2900, sumPayment=3500), request=request)
    assert not held_against_list_prices(named(quote, {OFFER: whole})).unverified_unit


def test_minimum_lots_and_stock_are_warnings_with_the_nearest_quantities() -> None:
    quote = fen_quote(2900, product(2900, min_quantity=20, lot_size=8, unit="件"), quantity=10)
    found = {warning.code: warning.message for warning in warned_of_quantities(quote)}
    assert found.keys() == {"below_minimum", "not_in_lots", "low_stock"}
    assert all(message.startswith(f"Offer {OFFER}: ") for message in found.values())
    assert "minimum of 20" in found["below_minimum"]
    assert "24" in found["below_minimum"]
    assert "lot of 8" in found["not_in_lots"]
    assert f"only 5 of spec {SPEC}" in found["low_stock"]
    assert not any("件" in message or "白色" in message for message in found.values()), (
        "no words of the seller"
    )


def test_what_fits_is_no_warning() -> None:
    quote = fen_quote(2900, product(2900, min_quantity=2, lot_size=2), quantity=2)
    assert list(warned_of_quantities(quote)) == []


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("500_004", "only 5"),
        ("500_005", "minimum of 20"),
        ("500_006", "lot of 8"),
        ("500_009", "minimum of 20"),
        ("500_001", None),
    ],
)
@pytest.mark.parametrize("offer_id", [OFFER, None])
def test_a_refusal_has_the_numbers_that_product_data_knows(
    code: str, numbers: str | None, offer_id: str | None
) -> None:
    error = NotOrderableError([Reason("refused", offer_id, SPEC, code, "不行")])
    request = asked(Item(OFFER, 10, SPEC), Item(OTHER_OFFER, 1))
    (plain,) = reasons_of(error, request)
    error.products = {OFFER: product(2900, min_quantity=20, lot_size=8)}
    (reason,) = reasons_of(error, request)
    if numbers:
        assert numbers in reason["message"]
        assert numbers not in plain["message"]
    else:
        assert reason == plain
