"""The request: stored as it was asked, sent as it was shown, and recognised when it comes again."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import OFFER, OTHER_OFFER, OTHER_SPEC, SPEC, address, asked
from ledger.suite.stores import preview_of
from xportcn_tools.ledger import rows
from xportcn_tools.order import AccountFields, Address, Item, OrderRequest, Pinned, folded
from xportcn_tools.upstream.requests import Bodies

FULL_ITEM = Item(OFFER, 2, SPEC, "BBBseller", "P-1", "箱")
FULL_ADDRESS = address(
    area="滨江区", town="长河街道", post_code="310052", phone="0571-88888888", district_code="330108"
)
FULL = asked(
    FULL_ITEM,
    Item(OTHER_OFFER, 3),
    address=FULL_ADDRESS,
    flow="general",
    trade_type="alipay",
    promotion_id="p9",
    message="请尽快发货",
    dropshipping=True,
)
PINNED = Pinned("fenxiao", "assureTrade", "p1")
ACCOUNT = AccountFields("ali-1", "user-1", "Li", 1927364850192736485, 7)

WIRE_ADDRESS = {
    "fullName": "李小明",
    "mobile": "13800138000",
    "phone": "0571-88888888",
    "postCode": "310052",
    "cityText": "杭州市",
    "provinceText": "浙江省",
    "areaText": "滨江区",
    "townText": "长河街道",
    "address": "网商路699号",
    "districtCode": "330108",
}
WIRE_LINES = [
    {
        "sellerOpenId": "BBBseller",
        "offerId": 610947572360,
        "specId": SPEC,
        "quantity": 2,
        "productNo": "P-1",
        "container": "箱",
    },
    {"offerId": 628913047512, "quantity": 3},
]

# Bodies


def test_create_carries_what_was_asked_and_pinned_and_nothing_else() -> None:
    assert Bodies().create(FULL, PINNED) == {
        "flow": "fenxiao",
        "message": "请尽快发货",
        "shopPromotionId": "p1",
        "tradeType": "assureTrade",
        "addressParam": WIRE_ADDRESS,
        "cargoParamList": WIRE_LINES,
        "outOrderId": FULL.out_order_id,
        "dropshipping": "y",
    }


def test_create_adds_the_fields_of_the_account_where_they_are_set() -> None:
    body = Bodies(ACCOUNT).create(FULL, PINNED)
    added = {name: value for name, value in body.items() if name not in Bodies().create(FULL, PINNED)}
    assert added == {
        "userId": "user-1",
        "staffName": "Li",
        "developerId": 1927364850192736485,
        "platformOrder": 7,
    }


def test_a_field_of_the_account_that_is_set_to_nought_is_sent() -> None:
    assert Bodies(AccountFields(platform_order=0)).create(FULL, PINNED)["platformOrder"] == 0


def test_the_smallest_create_names_no_field_that_is_not_set() -> None:
    body = Bodies().create(asked(Item(OFFER, 1)), Pinned())
    assert set(body) == {"addressParam", "cargoParamList", "outOrderId"}
    assert set(body["addressParam"]) == {"fullName", "mobile", "provinceText", "cityText", "address"}
    assert body["cargoParamList"] == [{"offerId": 610947572360, "quantity": 1}]
    assert "null" not in json.dumps(body)


def test_create_takes_the_pinned_terms_and_never_the_asked_ones() -> None:
    body = Bodies().create(FULL, Pinned())
    assert not {"flow", "tradeType", "shopPromotionId"} & set(body)


@pytest.mark.parametrize(("asked_for", "sent"), [(True, "y"), (False, "n")])
def test_dropshipping_is_a_letter_on_the_wire(asked_for: bool, sent: str) -> None:
    assert Bodies().create(replace(FULL, dropshipping=asked_for), PINNED)["dropshipping"] == sent


def test_preview_asks_for_the_same_goods_to_the_same_place_under_the_same_number() -> None:
    body = Bodies(ACCOUNT).preview(FULL)
    assert body == {
        "aliId": "ali-1",
        "flow": "general",
        "outOrderId": FULL.out_order_id,
        "addressParam": WIRE_ADDRESS,
        "cargoParamList": WIRE_LINES,
    }
    create = Bodies(ACCOUNT).create(FULL, PINNED)
    assert all(create[name] == body[name] for name in ("outOrderId", "addressParam", "cargoParamList"))


def test_the_smallest_preview_names_no_field_that_is_not_set() -> None:
    assert set(Bodies().preview(asked())) == {"outOrderId", "addressParam", "cargoParamList"}


# Stored and read again


def kept(asked_for: OrderRequest) -> OrderRequest:
    return rows.preview_of(rows.to_row(replace(preview_of(1), request=asked_for))).request


def test_a_request_survives_the_ledger_whole() -> None:
    assert kept(FULL) == FULL


@given(
    st.builds(
        OrderRequest,
        out_order_id=st.text(),
        items=st.lists(st.builds(Item), min_size=1, max_size=3).map(tuple),
        address=st.builds(Address),
    )
)
def test_any_request_survives_the_ledger_and_gives_the_same_create(request_: OrderRequest) -> None:
    usable = tuple(replace(item, offer_id="1") for item in request_.items)
    request_ = replace(request_, items=usable)
    again = kept(request_)
    assert again == request_
    assert Bodies().create(again, PINNED) == Bodies().create(request_, PINNED)


# What is shown of the address


def test_ship_to_holds_everything_that_is_sent_in_one_line() -> None:
    line = FULL_ADDRESS.one_line()
    assert line == (
        "李小明, 13800138000 / 0571-88888888, 浙江省 杭州市 滨江区 长河街道 网商路699号, 310052, district 330108"
    )
    assert all(value in line for value in WIRE_ADDRESS.values())


def test_ship_to_leaves_no_gap_for_what_is_not_given() -> None:
    assert address().one_line() == "李小明, 13800138000, 浙江省 杭州市 网商路699号"


def test_ship_to_is_one_line_whatever_stands_in_the_fields() -> None:
    assert address(address="网商路\n699号\t 2幢\u3000").one_line().endswith("网商路 699号 2幢")


@pytest.mark.parametrize("field", [*Address.__dataclass_fields__])
def test_any_other_address_is_shown_otherwise(field: str) -> None:
    assert replace(FULL_ADDRESS, **{field: "999999"}).one_line() != FULL_ADDRESS.one_line()


def test_a_saved_address_is_shown_by_its_name_without_street_and_number() -> None:
    shown = replace(FULL, address_name="warehouse").ship_to()
    assert "warehouse" in shown
    assert "李小明" in shown
    assert "网商路" not in shown
    assert "13800138000" not in shown
    assert FULL.ship_to() == FULL_ADDRESS.one_line()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("浙江省 杭州市", " 浙江省\u3000 杭州市\n"),
        ("网商路６９９号", "网商路699号"),
        ("Ｌｉ", "Li"),
        ("a\tb", "a b"),
    ],
)
def test_two_spellings_of_one_echo_are_equal(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("网商路699号", "网商路698号"), ("ab", "a b"), ("li", "Li")])
def test_other_texts_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# Recognised when it comes again


def test_the_same_cart_in_another_order_is_the_same_cart() -> None:
    one = asked(Item(OFFER, 2, SPEC), Item(OTHER_OFFER, 3))
    other = asked(Item(OTHER_OFFER, 3), Item(OFFER, 2, SPEC))
    assert one.goods_key() == other.goods_key()


def test_a_line_split_in_two_is_the_same_cart() -> None:
    assert (
        asked(Item(OFFER, 1, SPEC), Item(OFFER, 1, SPEC)).goods_key()
        == asked(Item(OFFER, 2, SPEC)).goods_key()
    )


@pytest.mark.parametrize(
    "other",
    [
        (Item(OFFER, 3, SPEC),),
        (Item(OFFER, 2, OTHER_SPEC),),
        (Item(OFFER, 2),),
        (Item(OTHER_OFFER, 2, SPEC),),
        (FULL_ITEM, FULL_ITEM),
    ],
)
def test_other_goods_are_another_cart(other: tuple[Item, ...]) -> None:
    assert asked(*other).goods_key() != asked(Item(OFFER, 2, SPEC)).goods_key()


A, B, C = "a" * 32, "B" * 32, "c" * 32


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([(OFFER, 2, A)], [(OFFER, 2, A.upper())], True),
        ([(OFFER, 2, A)], [(OFFER, 2, B)], False),
        ([(OFFER, 2, None)], [(OFFER, 2, A)], True),
        ([(OFFER, 2, None)], [(OFFER, 2, None)], True),
        ([(OFFER, 2, None)], [(OFFER, 3, A)], False),
        ([(OFFER, 2, None)], [(OTHER_OFFER, 2, A)], False),
        ([(OFFER, 2, A), (OFFER, 1, None)], [(OFFER, 2, B), (OFFER, 1, None)], False),
        ([(OFFER, 2, A), (OFFER, 1, None)], [(OFFER, 1, None), (OFFER, 2, A)], True),
        ([(OFFER, 2, A), (OFFER, 1, None)], [(OFFER, 1, B), (OFFER, 2, A)], True),
        ([(OFFER, 2, A), (OFFER, 1, B)], [(OFFER, 3, None)], True),
        ([(OFFER, 2, A), (OTHER_OFFER, 1, None)], [(OFFER, 2, A), (OTHER_OFFER, 1, C)], True),
        ([(OFFER, 2, A), (OTHER_OFFER, 1, None)], [(OFFER, 2, B), (OTHER_OFFER, 1, C)], False),
    ],
)
def test_a_spec_that_one_cart_does_not_name_can_be_any_of_its_offer(
    one: list[Any], other: list[Any], same: bool
) -> None:
    carts = [asked(*(Item(*line) for line in cart)) for cart in (one, other)]
    assert carts[0].may_be_same_goods(carts[1]) is same
    assert carts[1].may_be_same_goods(carts[0]) is same


PIECES = st.lists(
    st.tuples(st.sampled_from([OFFER, OTHER_OFFER]), st.sampled_from([None, A, B])), min_size=1, max_size=4
)


@given(PIECES, PIECES)
def test_carts_may_be_the_same_where_some_choice_of_their_open_specs_makes_them_so(
    one: list[tuple[str, str | None]], other: list[tuple[str, str | None]]
) -> None:
    """`C` stands for all specs that neither names."""

    def choices(cart: list[tuple[str, str | None]]) -> set[tuple[tuple[str, str], ...]]:
        each = [[(offer, spec)] if spec else [(offer, any_) for any_ in (A, B, C)] for offer, spec in cart]
        return {tuple(sorted(chosen)) for chosen in product(*each)}

    carts = [asked(*(Item(offer, 1, spec) for offer, spec in cart)) for cart in (one, other)]
    assert carts[0].may_be_same_goods(carts[1]) == bool(choices(one) & choices(other))


ITEMS = st.lists(
    st.builds(Item, st.sampled_from([OFFER, OTHER_OFFER]), st.integers(1, 9), st.sampled_from([None, SPEC])),
    min_size=1,
)


@given(ITEMS, st.randoms())
def test_no_order_of_lines_makes_another_cart(items: list[Item], chance: Any) -> None:
    turned = list(items)
    chance.shuffle(turned)
    assert asked(*turned).goods_key() == asked(*items).goods_key()
