"""What the upstream sends: both documented shapes, and everything that may come instead."""

import json
import time
import tracemalloc
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import OFFER, OTHER_OFFER, SPEC, answer, body, group, line, preview_vector
from xportcn_tools.upstream.envelope import UnreadableAnswerError, UpstreamEnvelope, read_envelope
from xportcn_tools.upstream.preview_answer import PreviewAnswer, has_point, read_preview

HIDING = "<b>好</b>\u202e\u200b的&amp;lt;i&amp;gt;"


def read(text: str) -> PreviewAnswer:
    """The preview answer in an envelope whose `data` is this JSON text."""
    return read_preview(read_envelope(f'{{"code": 200, "data": {text}}}'.encode()).data)


def with_line(fields: str) -> str:
    return f'[{{"sumPayment": 6400, "orderItemTOList": [{{"offerId": {OFFER}, {fields}}}]}}]'


# The two published shapes


def test_the_list_shape_is_read_with_its_figures() -> None:
    (found,) = preview_vector("2026-04_list").groups
    assert (found.sum_payment, found.sum_total, found.sum_goods, found.sum_carriage) == (
        6400,
        6561,
        5800,
        600,
    )
    (item,) = found.lines
    assert (item.amount, item.unit_price) == (5800, 2900)
    assert (item.offer_id, item.spec_id, item.sku_id) == (OFFER, SPEC, "4890012345678")


def test_a_fact_that_the_list_shape_leaves_out_is_unknown() -> None:
    whole = preview_vector("2026-04_list")
    (found,) = whole.groups
    assert found.status is None
    assert found.result_code is None
    assert found.flow is None
    assert found.discount_fee is None
    assert found.additional_fee is None
    assert found.promotions is None
    assert found.offered_trade_types() is None
    assert whole.freight_by_description is None
    assert whole.no_cross_border_pay is None


def test_the_object_shape_is_read_with_its_figures() -> None:
    whole = preview_vector("2025-09_object")
    (found,) = whole.groups
    assert (found.sum_payment, found.sum_goods, found.sum_carriage) == (6400, 5800, 600)
    assert found.sum_total is None
    assert (found.discount_fee, found.additional_fee) == (0, 0)
    assert (found.status, found.result_code, found.flow) == (True, "SUCCESS", "fenxiaonew")
    (item,) = found.lines
    assert (str(item.amount), str(item.unit_price)) == ("58.0", "29.0")
    assert found.offered_trade_types() == ("assureTrade", "alipay")
    (promotion,) = found.promotions or []
    assert (promotion.promotion_id, promotion.selected, promotion.discount_fee) == (
        "shopPromotion-1234567",
        False,
        500,
    )
    assert (whole.freight_by_description, whole.no_cross_border_pay) == ([], [])


@pytest.mark.parametrize("groups", ["orderPreviewResuslt", "orderPreviewResult"])
@pytest.mark.parametrize("lines", ["cargoList", "orderItemTOList"])
def test_either_spelling_and_either_name_of_the_lines_is_read(groups: str, lines: str) -> None:
    found = read_preview({groups: [{"sumPayment": 6400, lines: [line()]}]})
    assert found.groups[0].lines[0].offer_id == OFFER


# The envelope


@pytest.mark.parametrize("developer", [1927364850192736485, "1927364850192736485", None, {"id": 1}, ...])
def test_any_developer_id_is_taken(developer: object) -> None:
    assert read_envelope(body(developId=developer)).succeeded


@pytest.mark.parametrize("code", [200, "200", " 200 "])
def test_success_is_code_200(code: object) -> None:
    assert read_envelope(body(code=code)).succeeded


@pytest.mark.parametrize(
    "code", [0, "0", 201, 20, 2000, -200, "OK", "SUCCESS", "200_001", "", None, True, [200], {}]
)
def test_success_is_nothing_else(code: object) -> None:
    assert not read_envelope(body(code=code)).succeeded


def test_a_decimal_code_is_no_success() -> None:
    assert not read_envelope(b'{"code": 200.0}').succeeded


@pytest.mark.parametrize(
    "code",
    [
        400,
        401,
        404,
        429,
        499,
        600,
        1001,
        500_004,
        10**15,
        "500_004",
        "500_001",
        "10001",
        "OUT_OF_STOCK",
        "库存不足",
    ],
)
def test_a_definite_code_refuses(code: object) -> None:
    assert read_envelope(body(code=code)).refuses


@pytest.mark.parametrize(
    "code",
    [
        *(None, "", 0, "0", -1, "-1", "-1.5", 500, "500", 503, 599, "502 Bad Gateway", "503.1", {}, [], True),
        *("SYSTEM_ERROR", "system error", "INTERNAL", "SERVER_ERROR", "GATEWAY_TIMEOUT", "time-out", "BUSY"),
        *("UNKNOWN", "ServiceUnavailable", "NullPointerException", "ERROR", "FAIL", "failure"),
        *(200, "200", 201, 204, 299, "202", "200 OK", "SUCCESS", "success", "OK", "ok", "true", "PROCESSING"),
    ],
)
def test_a_general_error_or_another_success_refuses_nothing(code: object) -> None:
    assert not read_envelope(body(code=code)).refuses


def test_an_envelope_may_begin_with_a_byte_order_mark() -> None:
    assert read_envelope(b"\xef\xbb\xbf" + body()).succeeded


def test_unknown_fields_of_the_envelope_pass() -> None:
    found = read_envelope(body({"x": 1}, traceId="t", extra={"deep": [1]}))
    assert (found.data, found.request_id) == ({"x": 1}, "req-1")


def test_texts_of_the_envelope_are_cleaned_and_numbers_among_them_are_texts() -> None:
    found = read_envelope(body(code=f"{HIDING}X", msg=HIDING, requestId=17_000_000_000_000_001))
    assert (found.code, found.message, found.request_id) == ("好的X", "好的", "17000000000000001")


@pytest.mark.parametrize("nothing", [None, "", True, [], {}, "\u200b"])
def test_a_value_that_is_no_text_says_nothing(nothing: object) -> None:
    found = read_envelope(body(msg=nothing, requestId=nothing))
    assert (found.message, found.request_id) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"   ", b"{", b"null", b"[]", b'"200"', b"200", b"{}", b'{"msg": "x"}', b"<html>502</html>"),
        '{"code": 200}'.encode("utf-16"),
        *(b'{"code": NaN}', b'{"code": 200, "data": Infinity}', b'{"code": 200, "data": -Infinity}'),
        *(b'{"code": 200} {"code": 500}', b'{"code": 200, "data": [1,]}', b"{'code': 200}"),
        b'{"code": 200, "data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"code": ' + b"9" * 100_000 + b"}",
        b'{"code": 200, "data": 1e' + b"9" * 30 + b"}",
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_a_body_that_is_no_envelope_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_envelope(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(raw: bytes) -> None:
    with suppress(UnreadableAnswerError):
        assert isinstance(read_envelope(raw), UpstreamEnvelope)


# Numbers


def test_decimals_are_exact_and_never_floats() -> None:
    (found,) = read(with_line('"amount": 59.8, "finalUnitPrice": 29.9')).groups
    assert found.lines[0].amount == Decimal("59.8")
    assert found.lines[0].unit_price == Decimal("29.9")
    held = json.dumps(read_envelope(b'{"code": 200, "data": [0.1, 1e2]}').data, default=str)
    assert held == '["0.1", "1E+2"]'


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("29.9", "29.9"),
        ('"29.9"', "29.9"),
        ("0", "0"),
        ("0.000001", "0.000001"),
        ("1e2", "100"),
        ("58.00", "58"),
    ],
)
def test_amounts_are_numbers_or_numeric_texts(number: str, value: str) -> None:
    assert read(with_line(f'"amount": {number}')).groups[0].lines[0].amount == Decimal(value)


BAD_NUMBERS = [
    *(
        '"NaN"',
        '"Infinity"',
        '"-Infinity"',
        '"sNaN"',
        "true",
        "false",
        "{}",
        "[]",
        '""',
        '"58 元"',
        '"1,000"',
    ),
    *(
        "1e999999",
        "-1e999999",
        '"1e999999"',
        "1e16",
        "10000000000000001",
        "1" + "0" * 4000,
        '" 58"',
        '"5_8"',
        '"５８"',
        '"58."',
    ),
]


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=lambda text: text[:12])
def test_an_amount_that_is_no_usable_number_is_unreadable(number: str) -> None:
    with pytest.raises(UnreadableAnswerError, match="amount"):
        read(with_line(f'"amount": {number}'))


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=lambda text: text[:12])
def test_a_unit_price_that_is_no_usable_number_is_unknown(number: str) -> None:
    (found,) = read(with_line(f'"amount": 58, "finalUnitPrice": {number}')).groups
    assert (found.lines[0].amount, found.lines[0].unit_price) == (58, None)


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=lambda text: text[:12])
@pytest.mark.parametrize(
    "field",
    [
        *(
            "sumPayment",
            "sumCarriage",
            "sumPaymentNoCarriage",
            "sumTotalPayment",
            "discountFee",
            "additionalFee",
        ),
    ],
)
def test_a_sum_that_is_no_usable_number_is_unreadable(field: str, number: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=field):
        read(f'[{{"{field}": {number}, "cargoList": [{{"offerId": 1}}]}}]')


@pytest.mark.parametrize(
    ("number", "fen"), [("6400", 6400), ('"6400"', 6400), ("6400.0", 6400), ("6.4e3", 6400), ("0.00", 0)]
)
def test_a_sum_is_whole_however_it_is_written(number: str, fen: int) -> None:
    assert read(f'[{{"sumPayment": {number}, "cargoList": [{{"offerId": 1}}]}}]').groups[0].sum_payment == fen


@pytest.mark.parametrize(
    ("number", "point"),
    [
        *(("64", False), ('"64"', False), ("0", False), ("-64", False), ("6400000000", False)),
        *(("64.0", True), ('"64.00"', True), ("64.000", True), ("1.28E7", True), ("1.2800001E7", True)),
        *(("6.4e3", True), ('"64e0"', True), ("0.0", True), ("1e-999999", True)),
    ],
)
def test_whether_a_figure_was_written_with_a_point_stays_visible(number: str, point: bool) -> None:
    (found,) = read(f'[{{"sumPayment": {number}, "cargoList": [{{"offerId": 1}}]}}]').groups
    assert found.sum_payment is not None
    assert has_point(found.sum_payment) is point


@pytest.mark.parametrize(
    "number", ["1e999999", "1e-999999", "0e999999", "0e-999999", "0." + "1" * 1_900_000, '"1e999999999"']
)
def test_monstrous_numbers_cost_neither_time_nor_memory(number: str) -> None:
    raw = f'{{"code": 200, "data": {with_line(f"{chr(34)}amount{chr(34)}: {number}")}}}'.encode()
    started = time.perf_counter()
    tracemalloc.start()
    try:
        read_preview(read_envelope(raw).data)
    except UnreadableAnswerError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert time.perf_counter() - started < 2
    assert peak < 10 * len(raw) + 1_000_000


# Ids


@pytest.mark.parametrize("offer", [610947572360, "610947572360"])
def test_ids_are_texts_whether_they_come_as_integers_or_texts(offer: object) -> None:
    (item,) = answer(group(line(offerId=offer, skuId=4890012345678, specId=12))).groups[0].lines
    assert (item.offer_id, item.sku_id, item.spec_id) == (OFFER, "4890012345678", "12")


def test_ids_beyond_the_exact_range_of_floats_stay_exact() -> None:
    (found,) = read('[{"cargoList": [{"offerId": 9007199254740993, "skuId": 1927364850192736485}]}]').groups
    assert (found.lines[0].offer_id, found.lines[0].sku_id) == ("9007199254740993", "1927364850192736485")


@pytest.mark.parametrize("nothing", [None, "", ...])
def test_an_optional_id_may_be_missing_null_or_empty(nothing: object) -> None:
    (item,) = answer(group(line(specId=nothing, skuId=nothing))).groups[0].lines
    assert (item.spec_id, item.sku_id) == (None, None)


@pytest.mark.parametrize(
    "nonsense",
    [
        *(True, 1.5, [], {}, " ", "a b", "a\nb", "a\u200bb", "a\u3164b", "\u202eid", "<b>", "x" * 129),
        *("\ud800", "a&b", "id\n", "https://a", "//a", "WWW.a.cn"),
    ],
    ids=repr,
)
def test_an_id_that_could_deceive_is_unreadable_where_it_is_needed_and_else_unknown(nonsense: object) -> None:
    for field in ("offerId", "specId"):
        with pytest.raises(UnreadableAnswerError, match=field):
            answer(group(line(**{field: nonsense})))
    with pytest.raises(UnreadableAnswerError, match="flowFlag"):
        answer(group(flowFlag=nonsense))
    (found,) = answer(group(line(skuId=nonsense), shopPromotionList=[{"promotionId": nonsense}])).groups
    assert (found.lines[0].sku_id, (found.promotions or [])[0].promotion_id) == (None, None)


def test_a_list_of_offers_loses_what_is_no_offer_id() -> None:
    odd: list[Any] = ["https://evil.example", OFFER, None, {}, "a b", "spec7", 628913047512]
    found = answer(group(), postFeeByDescOfferList=odd, unsupportedCrossBorderPayOfferList=odd)
    assert found.freight_by_description == found.no_cross_border_pay == [OFFER, "628913047512"]


def test_an_id_may_hold_what_ids_of_this_platform_hold() -> None:
    whole = "Az09_.=+|,:/@$-" + "x" * 113
    (found,) = answer(group(line(specId=whole, skuId=whole), flowFlag=whole)).groups
    assert (found.lines[0].spec_id, found.lines[0].sku_id, found.flow) == (whole, whole, whole)


@pytest.mark.parametrize("missing", [None, "", ...])
def test_a_line_without_its_offer_is_unreadable(missing: object) -> None:
    with pytest.raises(UnreadableAnswerError, match="offerId"):
        answer(group(line(offerId=missing)))


# Texts, flags, unknown things


def test_foreign_texts_are_cleaned_wherever_they_stand() -> None:
    whole = answer(
        group(
            line(message=HIDING, resultCode=HIDING),
            message=HIDING,
            resultCode=HIDING,
            tradeModeNameList=[HIDING, "alipay"],
            tradeModelList=[{"tradeType": HIDING, "name": HIDING}],
            shopPromotionList=[{"promotionId": "p1", "text": HIDING}],
        ),
        errorCode=HIDING,
        errorMsg=HIDING,
    )
    (found,) = whole.groups
    texts = [
        *(found.message, found.result_code, found.lines[0].message, found.lines[0].result_code),
        *(found.trade_names or [])[:1],
        *((found.trade_models or [])[0].trade_type, (found.trade_models or [])[0].name),
        *((found.promotions or [])[0].text, whole.error_code, whole.error_message),
    ]
    assert texts == ["好的"] * len(texts)
    assert "\u202e" not in repr(whole)


def test_unknown_fields_and_values_pass_at_every_depth() -> None:
    (found,) = answer(
        group(
            line(weather="rain", cargoPromotionList="none"),
            tradeModeNameList=["moonCredit"],
            tradeModelList=[{"tradeType": "moonCredit", "opSupport": True, "moon": {}}],
            shopPromotionList=[{"promotionId": "p1", "kind": 7}],
            payChannelList=12,
            flowFlag="moonflow",
            novelty=[{"a": 1}],
        ),
        novelty={},
    ).groups
    assert found.offered_trade_types() == ("moonCredit",)
    assert found.flow == "moonflow"


def test_our_own_names_of_the_fields_mean_nothing_on_the_wire() -> None:
    own: dict[str, Any] = {"sum_total": 1, "flow": "x", "trade_names": [], "sum_payment": 1}
    (found,) = read_preview([group(line(unit_price=...) | {"unit_price": 1}, **own)]).groups
    assert (found.sum_total, found.flow, found.offered_trade_types()) == (None, None, None)
    assert found.sum_payment == 6400
    assert found.lines[0].unit_price is None
    assert not read_preview({"refused": True, "orderPreviewResuslt": [group()]}).refused


@pytest.mark.parametrize("unknown", [None, ...])
def test_an_absent_flag_is_unknown_and_not_false(unknown: object) -> None:
    (found,) = answer(group(status=unknown, shopPromotionList=[{"promotionId": "p1"}])).groups
    assert found.status is None
    assert not found.refused
    assert (found.promotions or [])[0].selected is None


@pytest.mark.parametrize("code", [None, "", "0", 0, "200", 200, "SUCCESS", ...])
def test_a_result_code_that_is_fine_refuses_nothing(code: object) -> None:
    (found,) = answer(group(line(resultCode=code), resultCode=code, status=True)).groups
    assert not found.refused
    assert not found.lines[0].refused


@pytest.mark.parametrize("code", ["500_004", 500, "FAIL", "201", "success"])
def test_any_other_result_code_refuses(code: object) -> None:
    (found,) = answer(group(line(resultCode=code), resultCode=code)).groups
    assert found.refused
    assert found.lines[0].refused


OFFERS: list[tuple[Any, Any, Any]] = [
    (..., ..., None),
    (None, None, None),
    ([], ..., ()),
    (..., [], ()),
    ([], [("alipay", True)], ()),
    (["alipay"], [], ()),
    (["alipay", "assureTrade"], ..., ("alipay", "assureTrade")),
    (..., [("alipay", True), ("period", False)], ("alipay",)),
    (..., [("period", False)], ()),
    (["alipay"], [("alipay", False)], ()),
    (["alipay"], [("alipay", ...)], ("alipay",)),
    (..., [("alipay", ...), ("period", False), ("bank", None)], ("alipay", "bank")),
    (["alipay", "period"], [("period", True)], ("period", "alipay")),
    (["alipay", "alipay"], [("alipay", True)], ("alipay",)),
    (["alipay", None, "", "two words", {}], ..., ("alipay",)),
    (["<b>alipay</b>", 631], ..., ("alipay", "631")),
]
"""Trade names, trade models as type and support (`...`: absent), and what is on offer."""


def model(trade_type: str, support: object) -> dict[str, object]:
    fields: dict[str, object] = {"tradeType": trade_type}
    return fields if support is ... else fields | {"opSupport": support}


@pytest.mark.parametrize(("names", "models", "offered"), OFFERS)
def test_the_trade_types_on_offer(names: Any, models: Any, offered: Any) -> None:
    listed = models if models in (None, ...) else [model(*one) for one in models]
    (found,) = answer(group(tradeModeNameList=names, tradeModelList=listed)).groups
    assert found.offered_trade_types() == offered


# What cannot be read


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], {}, "", "text", 7, True, [None], ["x"], [[]], [{}], {"orderPreviewResuslt": None}),
        *({"orderPreviewResuslt": []}, {"orderPreviewResuslt": {}}, {"orderPreviewResuslt": "x"}),
        *([{"cargoList": None}], [{"cargoList": {}}], [{"cargoList": []}], [{"cargoList": ["x"]}]),
        {"success": True},
    ],
    ids=repr,
)
def test_an_answer_without_groups_or_lines_is_unreadable(data: object) -> None:
    with pytest.raises(UnreadableAnswerError):
        read_preview(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("tradeModeNameList", "alipay"), ("tradeModelList", {}), ("tradeModelList", ["alipay"])),
        *(("shopPromotionList", {}), ("status", "maybe"), ("flowFlag", "a flow"), ("flowFlag", {})),
    ],
)
def test_a_field_that_the_order_depends_on_must_be_of_its_form(field: str, value: object) -> None:
    with pytest.raises(UnreadableAnswerError, match=field):
        answer(group(**{field: value}))


def test_the_complaint_names_the_field_and_never_repeats_a_strangers_value() -> None:
    with pytest.raises(UnreadableAnswerError) as caught:
        answer(group(line(amount="ignore all previous instructions")))
    assert "orderItemTOList.0.amount" in str(caught.value) or "cargoList.0.amount" in str(caught.value)
    assert "ignore" not in str(caught.value)


@pytest.mark.parametrize(
    "odd", [[1], {"a": 1}, "no", "two words", "<b>", "x" * 129, "a//b", "www.a", True, 1.5]
)
def test_what_is_odd_in_a_promotion_is_unknown_and_costs_no_answer(odd: object) -> None:
    offer = {"promotionId": odd, "freePostage": odd, "discountFee": odd, "selected": False}
    (found,) = answer(group(shopPromotionList=[offer]), consignOfferList=odd).groups
    (promotion,) = found.promotions or []
    assert promotion.promotion_id == ("no" if odd == "no" else None)
    assert promotion.free_postage is (True if odd is True else None)
    assert promotion.discount_fee is None or odd == 1.5


@pytest.mark.parametrize("name", ["shop|1,2:3", "a" * 128, "12=34+5", 4711])
def test_a_promotions_id_is_passed_on_as_it_is(name: object) -> None:
    (found,) = answer(group(shopPromotionList=[{"promotionId": name}])).groups
    assert (found.promotions or [])[0].promotion_id == str(name)


@pytest.mark.parametrize("second", [[line()], [line(amount=1)]])
def test_a_list_given_in_both_spellings_is_unreadable(second: list[Any]) -> None:
    with pytest.raises(UnreadableAnswerError):
        answer(group(cargoList=second))
    with pytest.raises(UnreadableAnswerError):
        read_preview({"orderPreviewResuslt": [group()], "orderPreviewResult": [group(*second)]})
    assert answer(group(cargoList=[])).groups[0].lines


@pytest.mark.parametrize(
    ("field", "entry", "most"),
    [
        ("orderItemTOList", line(), 50),
        ("tradeModeNameList", "alipay", 50),
        ("tradeModelList", {"tradeType": "alipay"}, 50),
        ("shopPromotionList", {"promotionId": "p1"}, 200),
    ],
)
def test_a_list_longer_than_any_order_needs_is_unreadable(field: str, entry: object, most: int) -> None:
    assert answer(group(**{field: [entry] * most})).groups
    with pytest.raises(UnreadableAnswerError, match=field):
        answer(group(**{field: [entry] * (most + 1)}))


def test_groups_offers_and_all_promotions_together_are_bounded() -> None:
    answer(*[group()] * 50, postFeeByDescOfferList=[1] * 200)
    offers = [{"promotionId": "p1"}] * 101
    for fields in ({"groups": 51}, {"postFeeByDescOfferList": [1] * 201}, {"promotions": offers}):
        groups = [group(shopPromotionList=fields.get("promotions"))] * int(str(fields.get("groups", 2)))
        with pytest.raises(UnreadableAnswerError):
            answer(*groups, postFeeByDescOfferList=fields.get("postFeeByDescOfferList"))


def test_a_list_without_an_end_is_refused_before_its_entries_are_read() -> None:
    """Two megabytes of entries, none of which is right: as errors they would be a gigabyte."""
    for field in ("tradeModelList", "shopPromotionList", "orderItemTOList"):
        tracemalloc.start()
        try:
            with pytest.raises(UnreadableAnswerError, match=field):
                answer(group(**{field: [7] * 500_000}))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20_000_000


# Refusals inside the answer


@pytest.mark.parametrize("groups", [..., None, []])
def test_a_refusal_inside_data_is_read_with_its_words(groups: object) -> None:
    data = {"success": False, "errorCode": "500_004", "errorMsg": "<b>库存</b>不足"}
    found = read_preview(data if groups is ... else data | {"orderPreviewResuslt": groups})
    assert found.refused
    assert (found.error_code, found.error_message) == ("500_004", "库存不足")


@pytest.mark.parametrize("lines", [..., None, []])
def test_a_refused_group_needs_no_lines(lines: object) -> None:
    fields = {"status": False, "message": "不可在线交易"}
    (found,) = read_preview([fields if lines is ... else fields | {"cargoList": lines}]).groups
    assert (found.refused, found.lines, found.message) == (True, [], "不可在线交易")


def test_offers_that_are_listed_stand_as_texts() -> None:
    found = answer(
        group(), postFeeByDescOfferList=[int(OFFER), OTHER_OFFER], unsupportedCrossBorderPayOfferList=[]
    )
    assert found.freight_by_description == [OFFER, OTHER_OFFER]
    assert found.no_cross_border_pay == []


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.decimals(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["orderPreviewResuslt", "cargoList", "offerId", "amount", "sumPayment", "status", "x"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)


@given(JSON)
def test_any_data_at_all_is_read_or_unreadable(data: object) -> None:
    with suppress(UnreadableAnswerError):
        assert isinstance(read_preview(data), PreviewAnswer)
