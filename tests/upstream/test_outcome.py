"""What an answer to a create means: the whole table, and two rules that nothing may break."""

import json
import re
import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import body
from upstream.create_answers import OURS, TABLE, Row
from xportcn_tools.upstream.envelope import UnreadableAnswerError, read_envelope
from xportcn_tools.upstream.outcome import (
    Placed,
    Refused,
    Reply,
    Unclear,
    is_unauthorized,
    sort_create,
)

ID, OTHER_ID = "1927364850192736485", "1927364850192736486"
IDS = {"orderIds": [ID]}


def reply(status: int, raw: bytes) -> Reply:
    """As the client makes it of an answer."""
    try:
        return Reply(status, read_envelope(raw))
    except UnreadableAnswerError as departure:
        return Reply(status, None, str(departure))


def sort(
    status: int, code: object = 200, data: object = None, **fields: object
) -> Placed | Refused | Unclear:
    return sort_create(reply(status, body(data, code, **fields)))


SPOKEN = (200, 400, 401, 403, 404, 422, 429)
NOT_SPOKEN = (100, 201, 202, 204, 206, 301, 302, 304, 307, 408, 409, 425, 499, 500, 502, 503, 504, 599)
REFUSALS: list[object] = [400, 401, 403, 404, 422, 429, 500001, "500_004", "500-001", "OUT_OF_STOCK"]
NO_REFUSALS: list[object] = [
    *(..., None, 0, 1, -1, 204, 500, 503, 599, 600, 1001, 1600000),
    *("", "-1", "500", "SYSTEM_ERROR", "SUCCESS", "OK", "E1", {}),
]
NO_IDS: list[object] = [
    None,
    {},
    [],
    "",
    {"orderIds": None},
    {"orderIds": []},
    {"success": False},
]
SOME_IDS: list[object] = [
    IDS,
    {"orderIds": [int(ID)]},
    {"orderIds": [ID, OTHER_ID]},
    {"orderIds": ID},
    {"orderIds": [{}]},
]
MEANINGS = {"placed": Placed, "refused": Refused, "unknown": Unclear}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.why)
def test_an_answer_means_what_the_table_says(row: Row) -> None:
    assert isinstance(sort_create(reply(row.status, row.raw), OURS), MEANINGS[row.meaning])


def test_the_table_has_at_least_sixty_answers_and_says_each_once() -> None:
    assert len(TABLE) >= 60
    assert len({row.why for row in TABLE}) == len(TABLE)


def test_a_part_keeps_its_ids_and_names_what_is_missing() -> None:
    data = {"orderIds": [ID], "failedOfferList": [{"offerId": 610947572360, "errorMsg": "库存不足"}]}
    found = sort(200, 200, data)
    assert isinstance(found, Unclear)
    assert found.order_ids == (ID,)
    assert "610947572360" in found.reason
    assert found.text is not None
    assert "库存不足" in found.text


@pytest.mark.parametrize("name", ["errorMsg", "errorCode", "message", "error_message"])
def test_an_unclear_answer_keeps_the_words_of_the_upstream(name: str) -> None:
    found = sort(200, 1600000, {name: "系统<b>繁忙</b>"}, msg="no")
    assert isinstance(found, Unclear)
    assert found.text is not None
    assert "系统繁忙" in found.text


def test_an_unclear_answer_keeps_an_id_that_it_hints_at() -> None:
    found = sort(200, 1001, {"result": {"orderId": ID}}, msg="库存不足")
    assert isinstance(found, Unclear)
    assert ID in found.reason


def test_http_200_with_code_200_and_ids_is_placed() -> None:
    assert sort(200, 200, IDS) == Placed((ID,), "req-1")


@pytest.mark.parametrize("status", SPOKEN)
@pytest.mark.parametrize("code", REFUSALS, ids=repr)
def test_a_refusing_code_in_a_spoken_answer_without_ids_is_refused(status: int, code: object) -> None:
    for data in NO_IDS:
        found = sort(status, code, data, msg="<b>no</b>")
        assert isinstance(found, Refused), data
        assert (found.code, found.text, found.request_id) == (str(code), "no", "req-1")


@pytest.mark.parametrize("status", SPOKEN)
@pytest.mark.parametrize("code", NO_REFUSALS, ids=repr)
def test_a_code_that_refuses_nothing_is_unclear(status: int, code: object) -> None:
    for data in NO_IDS:
        assert isinstance(sort(status, code, data, msg="no"), Unclear), data


@pytest.mark.parametrize("status", NOT_SPOKEN)
@pytest.mark.parametrize("code", [200, *REFUSALS, *NO_REFUSALS], ids=repr)
def test_a_status_other_than_200_and_4xx_is_unclear_whatever_it_says(status: int, code: object) -> None:
    for data in (*NO_IDS, *SOME_IDS):
        assert isinstance(sort(status, code, data), Unclear), data


@pytest.mark.parametrize("status", SPOKEN)
@pytest.mark.parametrize("code", [*REFUSALS, *NO_REFUSALS], ids=repr)
def test_ids_beside_any_other_code_are_unclear(status: int, code: object) -> None:
    for data in SOME_IDS:
        assert isinstance(sort(status, code, data), Unclear), data


@pytest.mark.parametrize("status", [status for status in SPOKEN if status != 200])
def test_code_200_under_an_http_failure_is_unclear_with_ids_and_without(status: int) -> None:
    for data in (*NO_IDS, *SOME_IDS):
        assert isinstance(sort(status, 200, data), Unclear), data


@pytest.mark.parametrize("data", NO_IDS, ids=repr)
def test_code_200_without_ids_is_unclear(data: object) -> None:
    assert isinstance(sort(200, 200, data), Unclear)


@pytest.mark.parametrize("status", [*SPOKEN, *NOT_SPOKEN])
@pytest.mark.parametrize(
    "raw",
    [b"", b"<html></html>", b"{}", b'{"code": 200', b'[{"code": "500_004"}]', b'{"msg": "no"}', b"null"],
)
def test_an_unreadable_body_is_unclear(status: int, raw: bytes) -> None:
    found = sort_create(reply(status, raw))
    assert isinstance(found, Unclear)
    assert str(status) in found.reason
    assert found.request_id is None


# Ids


def test_ids_are_texts_each_once_in_their_order() -> None:
    found = sort(200, 200, {"orderIds": [int(OTHER_ID), ID, OTHER_ID]})
    assert found == Placed((OTHER_ID, ID), "req-1")


@pytest.mark.parametrize(
    "ids",
    [
        *(ID, int(ID), {}, {"0": ID}, True, [None], [""], [True], [1.5], [[ID]], [{"id": ID}], [ID, None]),
        *(
            ["0"],
            [0],
            ["null"],
            ["None"],
            ["-"],
            [" "],
            [f" {ID}"],
            [f"{ID}\n"],
            ["１２３"],
            ["x" * 65],
            ["<b>1</b>"],
        ),
    ],
    ids=repr,
)
def test_ids_that_cannot_be_read_are_never_placed_and_never_refused(ids: object) -> None:
    assert isinstance(sort(200, 200, {"orderIds": ids}), Unclear)
    assert isinstance(sort(200, "500_004", {"orderIds": ids}), Unclear)


@pytest.mark.parametrize(
    "flags",
    [
        *({"success": False}, {"success": "false"}, {"success": "FALSE"}, {"success": 0}, {"success": "n"}),
        *(
            {"errorCode": "500_004"},
            {"errorCode": 500},
            {"errorCode": "FAIL"},
            {"success": True, "errorCode": "1"},
        ),
    ],
    ids=repr,
)
def test_ids_beside_a_failure_flag_are_unclear(flags: dict[str, object]) -> None:
    found = sort(200, 200, IDS | flags)
    assert isinstance(found, Unclear)
    assert ID in found.reason, "the person who looks for the order needs the id"
    assert isinstance(sort(200, 200, IDS, **flags), Unclear), "also where the flag stands beside data"


@pytest.mark.parametrize(
    "flags",
    [
        *({"success": True}, {"success": None}, {"success": "true"}, {"success": 1}, {"errorCode": None}),
        *(
            {"errorCode": ""},
            {"errorCode": 0},
            {"errorCode": "200"},
            {"errorCode": "SUCCESS"},
            {"novelty": 1},
        ),
    ],
    ids=repr,
)
def test_ids_beside_a_flag_of_success_are_placed(flags: dict[str, object]) -> None:
    assert sort(200, 200, IDS | flags) == Placed((ID,), "req-1")


@pytest.mark.parametrize(
    "data",
    [
        *(
            [IDS],
            {"orderId": ID},
            {"order_id": ID},
            {"result": {"orderIds": [ID]}},
            {"list": [{"orderId": 1}]},
        ),
        *([ID], [int(ID)], ID, {"result": [ID]}),
    ],
    ids=repr,
)
def test_an_order_id_where_none_is_documented_makes_a_refusal_unclear(data: object) -> None:
    assert isinstance(sort(200, "500_004", data), Unclear)
    assert isinstance(sort(200, 200, data), Unclear)


@pytest.mark.parametrize(
    "data", [{"outOrderId": "xp20261121-TEST0001"}, {"offerId": 610947572360}, ["offerId"]], ids=repr
)
def test_a_value_that_is_no_order_id_leaves_a_refusal_definite(data: object) -> None:
    assert isinstance(sort(200, "500_004", data), Refused)


def test_what_we_sent_is_no_order_and_no_documented_code() -> None:
    sent = {
        "addressParam": {"address": "中山路500-001"},
        "cargoParamList": [{"offerId": 610947572360, "specId": "b266e072", "productNo": "500_003"}],
    }
    repeated = {"id": 610947572360, "productNo": "500_003", "note": "中山路500-001"}
    for number in ("PO-500-001", "500_003", "中山路500-001"):
        answer = reply(200, body(repeated, 1001, msg=f"系统繁忙, {number}"))
        assert isinstance(sort_create(answer, "PO-500-001", sent), Unclear)
        answer = reply(200, body(repeated, 1001, msg=f"库存不足, {number}"))
        assert isinstance(sort_create(answer, "PO-500-001", sent), Refused)


@pytest.mark.parametrize(
    ("ids", "placed"), [([ID], False), ([ID, OTHER_ID], True), ([ID, OTHER_ID, "3"], True)]
)
def test_fewer_ids_than_the_orders_that_were_shown_are_a_part(ids: list[str], placed: bool) -> None:
    found = sort_create(reply(200, body({"orderIds": ids})), groups=2)
    assert isinstance(found, Placed) is placed
    assert found == Placed(tuple(ids), "req-1") or (
        isinstance(found, Unclear) and found.order_ids == (ID,) and "1 of the 2 orders" in found.reason
    )


def test_an_answer_that_is_too_large_to_be_judged_is_unclear_and_keeps_its_ids() -> None:
    for much in (["x"] * 30_000, "x" * 200_000):
        assert isinstance(sort(200, "500_004", {"notes": much}), Unclear)
        found = sort(200, 200, IDS | {"notes": much})
        assert isinstance(found, Unclear)
        assert found.order_ids == (ID,)


# Words


@pytest.mark.parametrize(
    ("status", "code", "words", "unauthorized"),
    [
        *((401, 401, "no", True), (200, 401, "no", True), (200, 403, "no", True)),
        *(
            (200, 1001, "签名错误", True),
            (200, "E1", "Invalid signature", True),
            (200, 500, "签名错误", True),
            (200, 1001, "时间戳过期", True),
        ),
        *((200, "500_004", "库存不足", False), (200, 400, "bad request", False)),
    ],
)
def test_a_refusal_says_whether_it_is_about_key_signature_or_clock(
    status: int, code: object, words: str, unauthorized: bool
) -> None:
    found = sort(status, code, None, msg=words)
    assert isinstance(found, Refused)
    assert found.unauthorized is unauthorized


@pytest.mark.parametrize(
    ("code", "words"), [(500, "签名服务异常"), (-1, "system busy: signature"), (200, "签名")]
)
def test_words_beside_doubt_or_success_make_nothing_unauthorized(code: int, words: str) -> None:
    assert not is_unauthorized(reply(200, body(code=code, msg=words)))


def test_a_reply_speaks_with_what_it_has() -> None:
    assert reply(502, b"<html>").code == "HTTP 502"
    assert "JSON" in reply(502, b"<html>").text
    assert reply(200, body(code=None, msg=None)).code == "HTTP 200"
    assert reply(200, body(code=7, msg=None)).text == "no message"
    assert Reply(200, None).text == "no envelope"


# The two rules

CODES = st.one_of(
    st.sampled_from([200, "200", 0, -1, 400, 500, "500_004", "SUCCESS", "OK", None, True]),
    st.integers(-1000, 10**6),
    st.text(max_size=12),
)
SOME_ID = st.one_of(
    st.just(ID), st.just(int(ID)), st.integers(1), st.text(max_size=5), st.none(), st.booleans()
)
DATA: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.lists(SOME_ID, max_size=2),
    st.fixed_dictionaries(
        {},
        optional={
            "orderIds": st.one_of(st.lists(SOME_ID, max_size=3), SOME_ID),
            "orderId": SOME_ID,
            "success": st.sampled_from([True, False, "true", "false", None]),
            "errorCode": st.sampled_from([None, "", "500_004", 0]),
            "outOrderId": st.just("xp20261121-TEST0001"),
        },
    ),
)


def field(data: Any, name: str) -> Any:
    return cast("dict[str, Any]", data).get(name) if isinstance(data, dict) else None


def named_ids(data: Any) -> list[Any]:
    """Everything that stands in `orderIds`, by a reading of its own."""
    found = field(data, "orderIds")
    return cast("list[Any]", found) if isinstance(found, list) else [] if found is None else [found]


@given(st.one_of(st.just(200), st.integers(100, 599)), CODES, DATA)
def test_placed_needs_http_200_code_200_readable_ids_and_no_flag_of_failure(
    status: int, code: Any, data: Any
) -> None:
    found = sort(status, code, data)
    good = (
        status == 200
        and str(code).strip().lstrip("0") == "200"
        and code is not True
        and bool(named_ids(data))
        and field(data, "success") in (True, "true", None)
        and field(data, "errorCode") in (None, "", 0)
    )
    if isinstance(found, Placed):
        assert good
        assert found.order_ids
        assert set(found.order_ids) == {str(one) for one in named_ids(data)}


@given(st.integers(100, 599), CODES, DATA)
def test_nothing_is_refused_that_names_an_order(status: int, code: Any, data: Any) -> None:
    found = sort(status, code, data)
    if isinstance(found, Refused):
        assert status == 200 or 400 <= status < 500
        assert not named_ids(data)
        assert ID not in json.dumps(data)


@given(st.integers(100, 599), st.binary(max_size=60))
def test_any_bytes_are_sorted_and_noise_is_unclear(status: int, raw: bytes) -> None:
    assert isinstance(sort_create(reply(status, raw)), Unclear)


# From the rule's own words (docs/reliability.md), and what stands for them on this platform.
OF_DOUBT = (
    *(
        "系统繁忙",
        "请求超时",
        "订单处理中",
        "已受理",
        "请稍后",
        "系统异常",
        "重复提交",
        "订单已存在",
        "成功",
        "訂單重複",
    ),
    *(
        "被占用",
        "相同订单",
        "幂等",
        "扣款未成功",
        "支付失败",
        "保存订单失败",
        "busy",
        "timed out",
        "processing",
    ),
    *("accepted", "try later", "an exception", "repeated", "already exists", "success", "payment declined"),
    *("order number taken", "rpc error", "EOF", "insert failed", "could not save", "deadline exceeded"),
)
PLACES = (
    "{said}，{doubt}",
    "{doubt}; {said}",
    "{said}<!-- {doubt} -->",
    "{said} {long} {doubt}",
    "<{doubt}> {said}",
)
PLAIN = [
    row
    for row in TABLE
    if row.meaning == "refused" and isinstance(row.body, dict) and not re.search(rb"500[_-]00|429", row.raw)
]


@given(st.sampled_from(PLAIN), st.sampled_from(OF_DOUBT), st.sampled_from([*PLACES, "field", "list", "json"]))
def test_a_word_of_doubt_anywhere_makes_a_refusal_unclear(row: Row, doubt: str, place: str) -> None:
    answer: dict[str, Any] = json.loads(row.raw)
    if place in PLACES:
        answer["msg"] = place.format(said=answer["msg"], doubt=doubt, long="specId, " * 60)
    else:
        wrapped = {"field": doubt, "list": [{"x": [doubt]}], "json": json.dumps({"x": doubt})}
        answer["novelty"] = wrapped[place]
    assert isinstance(sort_create(reply(row.status, json.dumps(answer).encode()), OURS), Unclear)


@given(st.sampled_from(PLAIN), st.sampled_from(["traceId", "memberId", "gmtTime", "offerId", "outOrderId"]))
def test_a_number_of_something_else_leaves_a_refusal_definite(row: Row, name: str) -> None:
    for number in ("2100581617323456789", 2100581617323456789, "0b51-05871732345678901234", OURS):
        answer = json.dumps(json.loads(row.raw) | {name: number}).encode()
        assert isinstance(sort_create(reply(row.status, answer), OURS), Refused)


@pytest.mark.parametrize(
    "fields",
    [
        {"traceId": "1.:" * 16_000 + "!"},
        {f"{number:0>90}": 1 for number in range(19_000)},
        {"x" * 800_000: 1},
    ],
    ids=["a handle", "many names", "a long name"],
)
def test_a_monstrous_answer_is_judged_in_a_moment(fields: dict[str, Any]) -> None:
    answer = reply(200, body(fields, 400, msg="参数错误"))
    started = time.perf_counter()
    sort_create(answer)
    assert time.perf_counter() - started < 2
