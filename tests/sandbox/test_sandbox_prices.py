"""The sandbox's prices: exact, closed sums in both shapes, and refusals where nothing can be ordered."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.catalogue import CATALOGUE, GUANGZHOU, JINJIANG, SHENZHEN, YIWU, Offer
from xportcn_server.sandbox.jsontext import decode, encode, yuan
from xportcn_server.sandbox.parsing import BadRequestError, CreateBody, ListBody, OrderBody, PreviewBody, read
from xportcn_server.sandbox.prices import price, service_fee, spread
from xportcn_server.sandbox.shapes import AnswerShape, payable_fen, preview_data

MUG, FLASK, TABLE, BAG = 610947572360, 628913047512, 671204589033, 655830126694
EARPHONES, CABLE, POWER_BANK, STAND = 7043215678901, 698450213377, 713360927845, 7105589340126

ADDRESS = VENDOR_EXAMPLE_REQUEST["addressParam"]


def line(offer_id: int, quantity: float, **more: object) -> dict[str, object]:
    offer = CATALOGUE.get(offer_id)
    spec_id = offer.skus[0].spec_id if offer else "0" * 32
    content = {"offerId": offer_id, "specId": spec_id, "quantity": quantity, **more}
    return {name: value for name, value in content.items() if value is not None}


def asked(*lines: dict[str, object], **more: object) -> OrderBody:
    body = {"addressParam": ADDRESS, "cargoParamList": list(lines), **more}
    return read(CreateBody, json.dumps(body).encode())


def shown(request: OrderBody, shape: AnswerShape = "object") -> Any:
    return decode(encode(preview_data(price(request, CATALOGUE), request.flow, shape)))


def test_a_preview_of_the_vendors_example_costs_65_61_yuan_in_the_list_shape() -> None:
    request = read(PreviewBody, json.dumps(VENDOR_EXAMPLE_REQUEST).encode())
    (group,) = shown(request, "list")
    (item,) = group.pop("orderItemTOList")
    assert group == {
        "sumCarriage": 600,
        "sumPayment": 6400,
        "sumTotalPayment": 6561,
        "sumPaymentNoCarriage": 5800,
    }
    assert set(item) == {
        "amount",
        "message",
        "finalUnitPrice",
        "specId",
        "skuId",
        "offerId",
        "openOfferId",
    }
    assert (item["amount"], item["finalUnitPrice"], item["message"]) == (5800, 2900, None)


def test_the_object_shape_writes_line_amounts_in_yuan_with_exact_digits() -> None:
    data = preview_data(price(asked(line(MUG, 2)), CATALOGUE), "", "object")
    text = encode(data).decode()
    assert '"amount": 58.00' in text
    assert '"finalUnitPrice": 29.00' in text
    assert '"sumPayment": 6400' in text


def test_the_object_shape_has_every_documented_field_and_its_misspellings() -> None:
    data = shown(asked(line(CABLE, 30), flow="fenxiaonew"))
    assert set(data) == {
        "postFeeByDescOfferList",
        "consignOfferList",
        "unsupportedCrossBorderPayOfferList",
        "orderPreviewResuslt",
    }
    (group,) = data["orderPreviewResuslt"]
    assert set(group) == {
        *("discountFee", "tradeModeNameList", "status", "taoSampleSinglePromotion", "sumPayment", "message"),
        *("sumCarriage", "resultCode", "sumPaymentNoCarriage", "additionalFee", "flowFlag", "cargoList"),
        *("shopPromotionList", "tradeModelList", "payChannelList", "payChannelInfos"),
    }
    assert group["flowFlag"] == "fenxiaonew"
    assert "avaliable" in group["payChannelList"][0]
    assert set(group["cargoList"][0]) == {
        *("amount", "message", "finalUnitPrice", "specId", "skuId", "resultCode", "offerId"),
        *("cargoPromotionList", "openOfferId"),
    }
    assert set(group["shopPromotionList"][0]) == {
        *("promotionId", "selected", "text", "desc", "freePostage", "discountFee")
    }
    assert set(group["tradeModelList"][0]) == {"tradeWay", "name", "tradeType", "description", "opSupport"}


def test_credit_stands_first_among_the_trade_types_and_withdrawn_ones_are_not_supported() -> None:
    (group,) = shown(asked(line(MUG, 2)))["orderPreviewResuslt"]
    assert group["tradeModeNameList"] == ["creditBuy", "assureTrade"]
    assert [(kind["tradeType"], kind["opSupport"]) for kind in group["tradeModelList"]] == [
        ("creditBuy", True),
        ("assureTrade", True),
        ("alipay", False),
    ]


def test_one_offer_on_credit_leaves_the_whole_group_on_credit_only() -> None:
    (group,) = shown(asked(line(EARPHONES, 2), line(POWER_BANK, 1)))["orderPreviewResuslt"]
    assert group["tradeModeNameList"] == ["creditBuy"]


def test_a_selected_promotion_is_off_the_line_amounts_and_named_as_discount() -> None:
    (group,) = shown(asked(line(EARPHONES, 4)))["orderPreviewResuslt"]
    assert group["discountFee"] == 500
    assert group["sumPaymentNoCarriage"] == 4 * 4550 - 500
    assert group["cargoList"][0]["amount"] == Decimal("177.00")
    assert group["cargoList"][0]["finalUnitPrice"] == Decimal("45.50")
    assert [(p["promotionId"], p["selected"]) for p in group["shopPromotionList"]] == [("shop-100-5", True)]


def test_below_its_threshold_a_promotion_is_not_offered() -> None:
    (group,) = shown(asked(line(EARPHONES, 2)))["orderPreviewResuslt"]
    assert (group["discountFee"], group["shopPromotionList"]) == (0, [])


def test_the_promotion_that_a_create_names_takes_the_place_of_the_selected_one() -> None:
    (group,) = price(asked(line(EARPHONES, 5), shopPromotionId="shop-200-post"), CATALOGUE)
    assert (group.discount_fen, group.carriage_fen, group.goods_fen) == (0, 0, 5 * 4550)


def test_an_items_own_promotion_is_off_its_amount() -> None:
    (group,) = shown(asked(line(CABLE, 10)))["orderPreviewResuslt"]
    assert group["cargoList"][0]["amount"] == Decimal("35.50")
    assert group["cargoList"][0]["cargoPromotionList"][0]["discountFee"] == 100
    assert group["taoSampleSinglePromotion"] is False


def test_freight_grows_by_lots_begun_and_ignores_what_is_freighted_by_description() -> None:
    assert [YIWU.freight.fen(pieces) for pieces in (0, 1, 10, 11, 15, 16)] == [0, 600, 600, 700, 700, 800]
    data = shown(asked(line(TABLE, 1)))
    assert data["orderPreviewResuslt"][0]["sumCarriage"] == 0
    assert data["postFeeByDescOfferList"] == [TABLE]


def test_consignment_goods_are_an_order_of_their_own() -> None:
    data = shown(asked(line(MUG, 2), line(BAG, 1)))
    assert [group["cargoList"][0]["offerId"] for group in data["orderPreviewResuslt"]] == [MUG, BAG]
    assert data["consignOfferList"] == [BAG]


def test_an_offer_without_variants_is_ordered_without_a_spec_and_names_itself_unpayable_abroad() -> None:
    data = shown(asked(line(STAND, 5)))
    assert data["orderPreviewResuslt"][0]["status"] is True
    assert data["unsupportedCrossBorderPayOfferList"] == [STAND]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line(699999999999, 5)], "500_001"),
        ([line(MUG, 2, specId=None)], "500_002"),
        ([line(MUG, 2), line(EARPHONES, 2)], "500_002"),
        ([line(MUG, 2, specId="f" * 32)], "500_003"),
        ([line(STAND, 5, specId="f" * 32)], "500_003"),
        ([line(MUG, 2, sellerOpenId=SHENZHEN.open_id)], "500_003"),
        ([line(TABLE, 4)], "500_004"),
        ([line(TABLE, 2), line(TABLE, 2)], "500_004"),
        ([line(MUG, 1)], "500_005"),
    ],
)
def test_a_line_that_cannot_be_ordered_is_refused_with_its_code(
    lines: list[dict[str, object]], code: str
) -> None:
    for group in shown(asked(*lines))["orderPreviewResuslt"]:
        assert group["status"] is False
        assert group["resultCode"] == code
        assert group["message"]
        assert [cargo["resultCode"] for cargo in group["cargoList"]] == [code] * len(group["cargoList"])


def test_a_good_line_beside_a_bad_one_of_the_same_seller_keeps_its_price() -> None:
    (group,) = shown(asked(line(MUG, 2), line(FLASK, 1)))["orderPreviewResuslt"]
    assert group["status"] is False
    assert [cargo["resultCode"] for cargo in group["cargoList"]] == ["", "500_005"]
    assert [cargo["amount"] for cargo in group["cargoList"]] == [58, 0]


def test_the_minimum_counts_over_all_variants_of_an_offer() -> None:
    white, green = CATALOGUE[MUG].skus
    (group,) = price(asked(line(MUG, 1, specId=white.spec_id), line(MUG, 1, specId=green.spec_id)), CATALOGUE)
    assert group.refusal is None
    assert group.goods_fen == white.price_fen + green.price_fen


def test_drifted_prices_are_one_percent_higher_and_by_a_fen_at_least() -> None:
    (cable,) = price(asked(line(CABLE, 10)), CATALOGUE, drifted=True)
    (mug,) = price(asked(line(MUG, 2)), CATALOGUE, drifted=True)
    assert cable.lines[0].unit_fen == 365 + 3
    assert mug.lines[0].unit_fen == 2900 + 29


def test_the_service_fee_rounds_half_a_fen_up() -> None:
    assert [service_fee(fen) for fen in (0, 6400, 50, 5000)] == [0, 161, 1, 126]


@given(st.data())
def test_sums_close_in_both_shapes_for_whatever_one_seller_can_deliver(data: st.DataObject) -> None:
    seller = data.draw(st.sampled_from([YIWU, SHENZHEN, GUANGZHOU, JINJIANG]))
    offers = [
        offer
        for offer in CATALOGUE.values()
        if offer.seller is seller and offer.status == "published" and offer.skus[0].stock >= offer.minimum
    ]
    chosen = data.draw(st.lists(st.sampled_from(offers), min_size=1, unique_by=lambda offer: offer.offer_id))

    def quantity(offer: Offer) -> int:
        lot = offer.lot or 1
        return lot * data.draw(st.integers(offer.minimum // lot, offer.skus[0].stock // lot))

    request = asked(*(line(offer.offer_id, quantity(offer)) for offer in chosen))
    groups = price(request, CATALOGUE)
    assert not any(group.refusal for group in groups)
    for group in shown(request, "object")["orderPreviewResuslt"]:
        assert sum(cargo["amount"] for cargo in group["cargoList"]) * 100 == group["sumPaymentNoCarriage"]
        assert group["sumPaymentNoCarriage"] + group["sumCarriage"] == group["sumPayment"]
    in_list = shown(request, "list")
    for group in in_list:
        assert sum(item["amount"] for item in group["orderItemTOList"]) == group["sumPaymentNoCarriage"]
        assert group["sumPaymentNoCarriage"] + group["sumCarriage"] == group["sumPayment"]
    assert payable_fen(groups, "list") == sum(group["sumTotalPayment"] for group in in_list)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.integers(0, 10**9))
def test_a_discount_is_shared_out_to_the_fen_and_never_beyond_an_amount(
    amounts: list[int], discount: int
) -> None:
    discount = min(discount, sum(amounts))
    shares = spread(discount, amounts)
    assert sum(shares) == discount
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))


@given(st.integers(0, 10**12))
def test_a_money_amount_goes_through_json_without_loss(fen: int) -> None:
    assert decode(encode({"amount": yuan(fen)})) == {"amount": Decimal(fen) / 100}


def a_request(**changes: object) -> bytes:
    body: dict[str, object] = {"addressParam": ADDRESS, "cargoParamList": [line(MUG, 2)], **changes}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        a_request(cargoParamList=[]),
        a_request(cargoParamList=[line(MUG, 2)] * 51),
        a_request(cargoParamList=[line(MUG, 1.5)]),
        a_request(cargoParamList=[line(MUG, 0)]),
        a_request(cargoParamList=[line(MUG, True)]),
        a_request().replace(b'"quantity": 2', b'"quantity": 1e999999999'),
        a_request().replace(b'"quantity": 2', b'"quantity": NaN'),
        a_request(cargoParamList=[{"quantity": 2}]),
        a_request(cargoParamList=[line(MUG, 2, offerId=str(MUG))]),
        a_request(cargoParamList=["mug"]),
        a_request(addressParam={}),
        a_request(addressParam=None),
        a_request(flow=None),
        a_request(tradetype="assureTrade"),
        a_request(message="长" * 501),
        a_request(dropshipping=True),
        a_request(dropshipping="yes"),
    ],
)
def test_a_body_that_is_not_of_the_documented_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        read(CreateBody, body)


def test_fields_of_the_create_are_unknown_to_the_preview() -> None:
    body = a_request(tradeType="assureTrade")
    assert read(CreateBody, body).trade_type == "assureTrade"
    with pytest.raises(BadRequestError, match="tradeType"):
        read(PreviewBody, body)


def test_pages_of_the_order_list_begin_at_1_and_hold_50_at_most() -> None:
    assert read(ListBody, b'{"page": 2, "pageSize": 50, "outOrderId": "A"}').page == 2
    for body in (b'{"page": 0}', b'{"pageSize": 51}', b'{"page": "1"}'):
        with pytest.raises(BadRequestError):
            read(ListBody, body)
