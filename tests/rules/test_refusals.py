"""Refusals of the upstream in our words: what each means, for which line, and the way out that fits."""

from typing import Any

import pytest

from harness.builders import OFFER, OTHER_OFFER, SPEC, asked, group, line, quoted
from xportcn_tools.desk import problems
from xportcn_tools.desk.quote import NotOrderableError, Reason
from xportcn_tools.order import Item
from xportcn_tools.render import text_of as rendered
from xportcn_tools.results import OrderEnvelope, Problem, ProblemError
from xportcn_tools.upstream.envelope import UpstreamEnvelope
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.words import cause_of, documented

TWO = asked(Item(OFFER, 2, SPEC, product_no="P-1"), Item(OTHER_OFFER, 3))
FOREIGN = "系统提示"

MEANINGS = [
    ("500_001", "cannot be ordered by API", "another offer"),
    ("500_003", "spec_id is not one of this offer", "not the sku_id"),
    ("500_004", "not enough stock", "fewer pieces"),
    ("500_005", "below the seller's minimum quantity", "at least the minimum"),
    ("500_006", "mixed batches", "more of this seller's goods"),
    ("500_007", "no consignment relation", "agree a consignment"),
    ("500_008", "without a price", "another option"),
    ("500_009", "wholesale minimum", "more pieces"),
]


def refused(*reasons: Reason) -> Problem:
    return problems.not_orderable(NotOrderableError(reasons), TWO).problem


@pytest.mark.parametrize(("code", "meaning", "way_out"), MEANINGS)
def test_each_documented_code_says_what_it_means_for_which_line_and_the_way_out(
    code: str, meaning: str, way_out: str
) -> None:
    found = refused(Reason("offer is refused", OFFER, SPEC, code, FOREIGN))
    assert f"line 1, product_no P-1 (offer {OFFER} spec {SPEC})" in found.message
    assert meaning in found.message
    assert way_out in found.next_step
    assert FOREIGN not in found.message + found.next_step
    (reason,) = (found.details or {})["reasons"]
    assert (reason["line"], reason["product_no"], reason["code"], reason["text"]) == (1, "P-1", code, FOREIGN)


def test_a_missing_spec_is_told_from_goods_of_several_sellers() -> None:
    with_spec = refused(Reason("refused", OFFER, SPEC, "500_002"))
    without = refused(Reason("refused", OTHER_OFFER, None, "500_002"))
    assert "several sellers" in with_spec.next_step
    assert "line 2 (offer" in without.message
    assert "needs a spec_id" in without.message
    assert "several sellers" not in without.next_step


def test_a_refusal_of_the_whole_cart_names_no_line_that_is_not_certain() -> None:
    found = refused(Reason("the upstream refuses the preview", code="500_004"))
    assert "line 1" not in found.message
    assert "the order has not enough stock" in found.message


def test_several_reasons_bring_each_way_out_once() -> None:
    found = refused(
        Reason("refused", OFFER, SPEC, "500_004"),
        Reason("refused", OTHER_OFFER, None, "500_004"),
        Reason("refused", OTHER_OFFER, None, "500_005"),
    )
    assert found.next_step.count("fewer pieces") == 1
    assert "at least the minimum" in found.next_step


def test_a_line_that_the_upstream_refuses_is_told_by_its_line() -> None:
    with pytest.raises(NotOrderableError) as caught:
        quoted(group(line(resultCode="500_004", message=FOREIGN)))
    found = problems.not_orderable(caught.value, asked()).problem
    assert (
        found.message
        == f"This cannot be ordered as asked: line 1 (offer {OFFER} spec {SPEC}) has not enough stock."
    )


def test_trade_types_name_the_owners_setting() -> None:
    with pytest.raises(NotOrderableError) as caught:
        quoted(group(tradeModeNameList=["creditBuy"]))
    assert "XPORTCN_TRADE_TYPES" in problems.not_orderable(caught.value, asked()).problem.next_step


@pytest.mark.parametrize(
    ("fields", "wanted", "said"),
    [
        ({"tradeModeNameList": ["creditBuy", "x"]}, {}, "trade types on offer: 「creditBuy, x」"),
        (
            {"shopPromotionList": [{"promotionId": "p7"}]},
            {"promotion_id": "p9"},
            "promotions on offer: 「p7」",
        ),
    ],
)
def test_names_that_the_upstream_lists_are_said_to_be_what_they_are_and_of_no_line(
    fields: dict[str, Any], wanted: dict[str, str], said: str
) -> None:
    request = asked(**wanted)
    with pytest.raises(NotOrderableError) as caught:
        quoted(group(**fields), request=request)
    found = problems.not_orderable(caught.value, request).problem
    text = rendered(OrderEnvelope(ok=False, environment="sandbox", problem=found))
    assert f"\n- {said}\n" in text
    assert "the upstream says" not in text
    assert found.details
    assert [reason["line"] for reason in found.details["reasons"]] == [None]


@pytest.mark.parametrize("code", ["500_004", "500-004", "R500_004", "500004", 500004, " 500_004 "])
def test_a_documented_code_is_known_in_any_spelling(code: object) -> None:
    assert documented(code) == "004"


@pytest.mark.parametrize("code", [None, 500, "500", "500_000", "500_010", "1500_004", True])
def test_other_codes_are_not_documented(code: object) -> None:
    assert documented(code) is None


@pytest.mark.parametrize(
    ("code", "text", "status", "cause"),
    [
        (1001, "签名错误", 200, "signature"),
        (1001, "invalid access-key", 200, "key"),
        (1001, "timestamp expired", 200, "clock"),
        (1001, "没有该接口的权限", 200, "permission"),
        (1001, "请求过于频繁", 200, "busy"),
        (-1, "系统繁忙，请稍后再试", 200, "busy"),
        (429, "", 200, "busy"),
        (None, None, 429, "busy"),
        (None, None, 401, "signature"),
        ("500_004", "签名 busy", 200, None),
        (1001, "商品已过期", 200, None),
        (1001, "商品禁止购买", 200, None),
        (1001, "库存不足", 200, None),
    ],
)
def test_the_cause_of_a_refusal_is_read_from_code_and_words(
    code: object, text: str | None, status: int, cause: str | None
) -> None:
    assert cause_of(code, text, status) == cause


def reply(code: int | str, text: str, status: int = 200, retry_after: int | None = None) -> Reply:
    return Reply(
        status, UpstreamEnvelope(code=code, message=text, request_id="r1", data=None), retry_after=retry_after
    )


@pytest.mark.parametrize(
    ("answer", "code", "way_out"),
    [
        (reply(429, "请求过于频繁", 429, 7), "upstream_busy", "Wait 7 seconds"),
        (reply(1001, "系统繁忙"), "upstream_busy", "Wait 60 seconds"),
        (Reply(429, None, "no envelope", 9), "upstream_busy", "Wait 9 seconds"),
        (reply(1001, "签名错误"), "upstream_unauthorized", "XPORTCN_SIGNATURE"),
        (reply(1001, "时间戳过期"), "upstream_unauthorized", "clock"),
        (reply(1001, "access-key 不存在"), "upstream_unauthorized", "XPORTCN_ACCESS_KEY"),
        (reply(403, "forbidden", 403), "upstream_unauthorized", "XPORTCN_USER_ID"),
        (reply(500, "系统异常", 500), "upstream_unavailable", "Try again in a minute"),
        (reply(500, "系统异常"), "upstream_unavailable", "Try again in a minute"),
        (reply(500, "签名错误"), "upstream_unauthorized", "XPORTCN_SIGNATURE"),
        (reply(500, "invalid signature"), "upstream_unauthorized", "XPORTCN_SIGNATURE"),
        (reply(-1, "access-key 不存在"), "upstream_unauthorized", "XPORTCN_ACCESS_KEY"),
        (reply(0, "没有该接口的权限"), "upstream_unauthorized", "XPORTCN_USER_ID"),
        (reply(500, "签名服务异常"), "upstream_unavailable", "Try again in a minute"),
    ],
)
def test_a_preview_that_is_refused_for_no_fault_of_the_goods_never_advises_to_change_lines(
    answer: Reply, code: str, way_out: str
) -> None:
    found = problems.preview_refused(answer)
    assert isinstance(found, ProblemError)
    assert (found.problem.code, found.problem.request_sent) == (code, "no")
    assert way_out in found.problem.next_step
    assert "line" not in found.problem.next_step


@pytest.mark.parametrize(("code", "words"), [(500, "库存不足"), (-1, "商品已下架"), (0, "收货地址不合法")])
def test_a_preview_refused_in_words_is_refused_whatever_its_code(code: int, words: str) -> None:
    found = problems.preview_refused(reply(code, words))
    assert isinstance(found, NotOrderableError)
    assert [reason.text for reason in found.reasons] == [words]


def test_a_documented_refusal_counts_over_a_word_in_its_text() -> None:
    found = problems.preview_refused(reply("500_004", "库存 signature busy"))
    assert isinstance(found, NotOrderableError)
