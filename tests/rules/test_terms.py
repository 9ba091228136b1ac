"""The terms of a deal: equal quotes are equal terms, and each difference is named with both sides."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from harness.builders import (
    OFFER,
    OTHER_OFFER,
    OTHER_SPEC,
    SPEC,
    World,
    asked,
    group,
    line,
    quote_of,
    quoted,
    worlds,
)
from xportcn_tools.desk import terms
from xportcn_tools.desk.quote import Group, Quote, UnitsUnclearError
from xportcn_tools.desk.terms import Change, differences
from xportcn_tools.goods.product import NotRead, Product
from xportcn_tools.order import Item, Line, Pinned, Promotion

PROMOTION = {"promotionId": "p1", "text": "满减", "selected": True, "discountFee": 500}


def terms_of(quote: Quote) -> dict[str, str]:
    return terms.terms_of(quote, {"environment": "sandbox"})


def deal() -> Quote:
    return quoted(
        group(
            line(message="现货"),
            tradeModeNameList=["assureTrade", "alipay"],
            flowFlag="general",
            shopPromotionList=[PROMOTION],
            sumTotalPayment=6561,
        ),
        postFeeByDescOfferList=[],
    )


def changed(before: Quote, after: Quote) -> dict[str, Change]:
    return {change.what: change for change in differences(terms_of(before), terms_of(after))}


def in_group(**fields: Any) -> Callable[[Quote], Quote]:
    return lambda quote: replace(quote, groups=(replace(quote.groups[0], **fields),))


def in_line(**fields: Any) -> Callable[[Quote], Quote]:
    def apply(quote: Quote) -> Quote:
        (item,) = quote.groups[0].lines
        return in_group(lines=(replace(item, **fields),))(quote)

    return apply


def in_promotion(**fields: Any) -> Callable[[Quote], Quote]:
    def apply(quote: Quote) -> Quote:
        offers = quote.groups[0].promotions
        assert offers is not None
        (offer,) = offers
        return in_group(promotions=(replace(offer, **fields),))(quote)

    return apply


def pinned(**fields: Any) -> Callable[[Quote], Quote]:
    return lambda quote: replace(quote, pinned=replace(quote.pinned, **fields))


def whole(**fields: Any) -> Callable[[Quote], Quote]:
    return lambda quote: replace(quote, **fields)


ONE_CHANGE: list[tuple[Callable[[Quote], Quote], str, str, str]] = [
    (in_group(payable=6562), "payable", "65.61", "65.62"),
    (in_group(goods=5801), "goods", "58.00", "58.01"),
    (in_group(freight=601), "freight", "6.00", "6.01"),
    (in_group(fees=162), "fees", "1.61", "1.62"),
    (in_group(discount=1), "discount", "0.00", "0.01"),
    (in_group(stated="additionalFee 300"), "order 1 stated", "none", "additionalFee 300"),
    (in_group(promotions=()), "order 1 promotions", "p1 (applied) -5.00", "none"),
    (in_promotion(selected=False), "order 1 promotions", "p1 (applied) -5.00", "p1 -5.00"),
    (in_promotion(discount=501), "order 1 promotions", "p1 (applied) -5.00", "p1 (applied) -5.01"),
    (in_promotion(promotion_id="p2"), "order 1 promotions", "p1 (applied) -5.00", "p2 (applied) -5.00"),
    (in_line(amount=5801), "order 1 line 1 amount", "58.00", "58.01"),
    (in_line(unit_price=2901), "order 1 line 1 unit_price", "29.00", "29.01"),
    (in_line(unit_price=None), "order 1 line 1 unit_price", "29.00", "unknown"),
    (in_line(quantity=3), "order 1 line 1 quantity", "2", "3"),
    (pinned(flow="fenxiao"), "flow", "general", "fenxiao"),
    (pinned(flow=None), "flow", "general", "none"),
    (pinned(trade_type="alipay"), "trade_type", "assureTrade", "alipay"),
    (pinned(promotion_id=None), "promotion_id", "p1", "none"),
    (whole(promotion_not_priced=True), "promotion_priced", "yes", "no"),
    (whole(freight_by_description=(OFFER,)), "freight_by_description", "none", OFFER),
    (whole(no_cross_border_pay=(OFFER,)), "no_cross_border_pay", "none", OFFER),
]


def test_the_same_deal_read_twice_has_no_differences() -> None:
    assert terms_of(deal()) == terms_of(deal())
    assert differences(terms_of(deal()), terms_of(deal())) == []


def test_what_a_preview_keeps_of_its_terms_is_the_same_deal() -> None:
    whole_deal, kept = terms_of(deal()), terms.kept(terms_of(deal()))
    assert whole_deal.keys() - kept.keys() == {
        *("discount", "freight_by_description", "no_cross_border_pay"),
        *("order 1 discount", "order 1 stated"),
    }
    assert differences(kept, whole_deal) == []
    assert differences(whole_deal, kept) == []


@given(worlds(), worlds())
def test_two_deals_differ_by_the_same_terms_as_kept_and_as_read(one: World, other: World) -> None:
    try:
        before, after = (terms_of(quote_of(world)) for world in (one, other))
    except UnitsUnclearError:
        return
    assert differences(terms.kept(before), after) == differences(before, after)


@pytest.mark.parametrize(
    ("change", "field", "was", "now"), ONE_CHANGE, ids=[f"{row[1]} {row[3]}" for row in ONE_CHANGE]
)
def test_a_single_change_is_named_once_with_both_sides(
    change: Callable[[Quote], Quote], field: str, was: str, now: str
) -> None:
    assert list(changed(deal(), change(deal())).values()) == [Change(field, was, now)]
    assert differences(terms.kept(terms_of(deal())), terms_of(change(deal()))) == [Change(field, was, now)]
    assert list(changed(change(deal()), deal()).values()) == [Change(field, now, was)]


def test_a_price_that_rises_is_named_with_the_total_and_without_the_sums_that_follow() -> None:
    dearer = in_group(payable=6761, goods=6000)(in_line(unit_price=3000, amount=6000)(deal()))
    assert list(changed(deal(), dearer).values()) == [
        Change("payable", "65.61", "67.61"),
        Change("order 1 line 1 unit_price", "29.00", "30.00"),
    ]


@pytest.mark.parametrize("part", ["offer_id", "spec_id", "sku_id"])
def test_other_goods_are_named(part: str) -> None:
    (change,) = changed(deal(), in_line(**{part: "9"})(deal())).values()
    assert change.what == "order 1 line 1 goods"
    assert change.was != change.now


def test_every_field_of_a_line_a_group_and_a_promotion_is_a_term_or_known_to_be_none() -> None:
    """A field that is added to the quote must be thought of here."""
    no_terms = {
        *("message", "text", "unexplained_fee", "position", "product_no", "trade_types", "seller_open_id"),
        *("title_translated", "option_translated", "unit", "image"),
    }
    assert set(Line.__dataclass_fields__) - no_terms == {
        "offer_id",
        "spec_id",
        "sku_id",
        "quantity",
        "unit_price",
        "amount",
        "title",
        "option",
    }
    assert set(Promotion.__dataclass_fields__) - no_terms == {"promotion_id", "selected", "discount"}
    assert set(Group.__dataclass_fields__) - no_terms == {
        *("payable", "goods", "freight", "fees", "discount", "stated", "lines", "promotions"),
    }
    assert set(Quote.__dataclass_fields__) == {
        *("groups", "pinned", "freight_by_description", "no_cross_border_pay", "promotion_not_priced"),
        "unverified_unit",  # follows from the prices
        *("unit", "products"),  # what proves and names the lines
    }


@pytest.mark.parametrize("change", [in_line(message="最后三件！"), in_promotion(text="限时满减")])
def test_texts_that_a_seller_may_reword_are_no_terms(change: Callable[[Quote], Quote]) -> None:
    assert changed(deal(), change(deal())) == {}


NAMED = in_line(title="陶瓷马克杯", option="白色 / 350ml")


@pytest.mark.parametrize(
    ("names", "change"),
    [
        ({"title": "玻璃杯"}, Change(f"title of offer {OFFER}", "陶瓷马克杯", "玻璃杯")),
        (
            {"option": "红色 / 350ml"},
            Change(f"option of offer {OFFER} spec {SPEC}", "白色 / 350ml", "红色 / 350ml"),
        ),
        ({"option": None}, Change(f"option of offer {OFFER} spec {SPEC}", "白色 / 350ml", "none")),
    ],
)
def test_another_title_or_option_is_one_change_with_both(names: dict[str, Any], change: Change) -> None:
    shown = NAMED(deal())
    assert list(changed(shown, in_line(**names)(shown)).values()) == [change]


@pytest.mark.parametrize(
    "names",
    [
        {"title_translated": "Mug", "option_translated": "White", "unit": "件"},
        {"image": "https://cbu01.alicdn.com/img/ibank/1.jpg"},
    ],
)
def test_translation_unit_and_picture_are_no_terms(names: dict[str, Any]) -> None:
    assert changed(NAMED(deal()), in_line(**names)(NAMED(deal()))) == {}


def test_a_name_that_only_one_reading_has_is_no_change() -> None:
    assert changed(NAMED(deal()), deal()) == {}
    assert changed(deal(), NAMED(deal())) == {}


def test_a_product_that_was_read_without_the_option_it_named_is_a_change() -> None:
    def read(quote: Quote, title: str) -> Quote:
        return replace(quote, products={OFFER: Product(OFFER, title)})

    option = f"option of offer {OFFER} spec {SPEC}"
    gone = changed(NAMED(deal()), read(deal(), "陶瓷马克杯"))
    assert list(gone.values()) == [Change(option, "白色 / 350ml", "not listed")]
    assert set(changed(NAMED(deal()), read(deal(), "玻璃杯"))) == {f"title of offer {OFFER}", option}
    assert changed(read(deal(), "陶瓷马克杯"), NAMED(deal())) == {}
    assert set(changed(read(deal(), "玻璃杯"), NAMED(deal()))) == {f"title of offer {OFFER}"}
    assert changed(NAMED(deal()), replace(deal(), products={OFFER: NotRead(OFFER, "no_answer")})) == {}


def test_an_option_that_is_called_not_listed_is_not_one_that_is_not_listed() -> None:
    called = in_line(option="not listed")(NAMED(deal()))
    assert set(changed(called, NAMED(deal()))) == {f"option of offer {OFFER} spec {SPEC}"}


def test_a_title_on_several_lines_is_one_change() -> None:
    request = asked(Item(OFFER, 2, SPEC), Item(OFFER, 2, OTHER_SPEC))
    quote = quoted(
        group(line(), line(specId=OTHER_SPEC), sumPaymentNoCarriage=11600, sumPayment=12200), request=request
    )

    def titled(title: str) -> Quote:
        return in_group(lines=tuple(replace(each, title=title) for each in quote.groups[0].lines))(quote)

    assert list(changed(titled("旧"), titled("新"))) == [f"title of offer {OFFER}"]


COUPON = {"promotionId": "p9", "text": "优惠券", "selected": False, "discountFee": 700}


@pytest.mark.parametrize(
    "fields",
    [
        {"shopPromotionList": [COUPON]},
        {"shopPromotionList": [COUPON | {"selected": None}]},
        {"shopPromotionList": []},
        {"tradeModeNameList": ["assureTrade", "alipay", "period"]},
        {"tradeModeNameList": ["period", "assureTrade"]},
    ],
)
def test_what_is_on_offer_and_not_taken_is_no_term(fields: dict[str, Any]) -> None:
    assert (
        changed(
            quoted(group(tradeModeNameList=["assureTrade"])),
            quoted(group(**{"tradeModeNameList": ["assureTrade"], **fields})),
        )
        == {}
    )


def test_a_coupon_that_is_applied_or_asked_for_is_a_term() -> None:
    def with_coupon(**fields: Any) -> Quote:
        return quoted(group(shopPromotionList=[COUPON | fields]), request=asked(promotion_id="p9"))

    was, now = "p9 -7.00", "p9 -6.00"
    assert changed(with_coupon(), with_coupon(discountFee=600))["order 1 promotions"] == Change(
        "order 1 promotions", was, now
    )
    assert changed(quoted(), quoted(group(shopPromotionList=[COUPON | {"selected": True}])))


@pytest.mark.parametrize("field", ["flow", "trade_type", "promotion_id"])
def test_a_choice_that_is_called_none_is_not_the_same_as_no_choice(field: str) -> None:
    named_none, none = (replace(deal(), pinned=replace(Pinned(), **{field: name})) for name in ("none", None))
    assert changed(named_none, none)[field] == Change(field, "「none」", "none")


def test_a_fee_that_is_stated_from_now_on_changes_the_terms() -> None:
    found = changed(quoted(), quoted(group(additionalFee=300)))
    assert found == {"order 1 stated": Change("order 1 stated", "none", "additionalFee 300")}


def test_a_group_more_is_a_difference() -> None:
    first = group()
    second = group(line(offerId=int(OTHER_OFFER)))
    request = asked(Item(OFFER, 2), Item(OTHER_OFFER, 2))
    one = quoted(
        group(line(), line(offerId=int(OTHER_OFFER)), sumPaymentNoCarriage=11600, sumPayment=12200),
        request=request,
    )
    two = quoted(first, second, request=request)
    found = changed(one, two)
    assert found["orders"] == Change("orders", "1", "2")
    assert found["order 2 payable"] == Change("order 2 payable", "none", "64.00")
    assert changed(two, one)["order 2 payable"] == Change("order 2 payable", "64.00", "none")


def test_the_published_answers_as_terms_of_one_purchase_differ_in_price_by_the_fee() -> None:
    found = changed(quoted(group(sumTotalPayment=6561)), quoted(group()))
    assert found["payable"] == Change("payable", "65.61", "64.00")
    assert found["fees"] == Change("fees", "1.61", "0.00")


@given(worlds(plain=True), worlds(plain=True))
def test_terms_are_equal_exactly_where_the_prices_are(one: World, other: World) -> None:
    first, second = quote_of(one), quote_of(other)
    assert (differences(terms_of(first), terms_of(second)) == []) is (terms_of(first) == terms_of(second))
    if first.payable != second.payable:
        assert "payable" in changed(first, second)


@given(worlds())
def test_an_answer_read_again_in_another_order_has_the_same_terms(world: World) -> None:
    try:
        first = quote_of(world)
    except UnitsUnclearError:
        return
    assert changed(first, quote_of(world, world.groups[::-1])) == {}


def test_a_preview_shown_in_another_mode_has_other_terms() -> None:
    shown, fresh = (terms.terms_of(deal(), {"environment": mode}) for mode in ("preview", "live"))
    (change,) = differences(shown, fresh)
    assert (change.what, change.was, change.now) == ("environment", "preview", "live")
