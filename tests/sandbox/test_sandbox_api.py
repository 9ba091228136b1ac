"""The sandbox as a client meets it: signed calls in, envelopes out, books that hold the truth."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.books import Books
from xportcn_server.sandbox.catalogue import CATALOGUE
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.upstream.order_list import ORDER_LIST_PATH
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH
from xportcn_tools.upstream.signing import Credentials, Signer

NOW = datetime(2025, 10, 9, 8, 0, tzinfo=UTC)
ORDER = {**VENDOR_EXAMPLE_REQUEST, "tradeType": "assureTrade", "outOrderId": "PO-0001"}
MUG = 610947572360
MUG_SPEC = CATALOGUE[MUG].skus[0].spec_id
SIGNER = Signer(SANDBOX_CREDENTIALS)


pytestmark = pytest.mark.anyio


def fixed_clock() -> datetime:
    return NOW


async def ask(sandbox: Sandbox, path: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
    """The envelope of a call that is signed well at NOW unless `headers` are given."""
    headers = SIGNER.sign(NOW) if headers is None else headers
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        answer = await client.post(SANDBOX_BASE_URL + path, json=body, headers=headers)
    assert answer.status_code == 200
    return answer.json()


async def control(sandbox: Sandbox, method: str, path: str, body: object = None) -> httpx.Response:
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        return await client.request(method, f"http://127.0.0.1/sandbox/{path}", json=body)


async def test_a_signed_preview_is_answered_in_the_documented_envelope() -> None:
    envelope = await ask(build_sandbox("list", clock=fixed_clock), PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST)
    assert list(envelope) == ["requestId", "code", "developId", "msg", "data"]
    assert (envelope["code"], envelope["msg"]) == (200, "成功")
    assert re.fullmatch(r"\d{19}", envelope["developId"])
    assert envelope["data"][0]["sumTotalPayment"] == 6561


@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("rule", ["concat", "query"])
async def test_each_rule_and_unit_lets_in_its_own_signature_and_no_other(rule: Any, unit: Any) -> None:
    sandbox = build_sandbox(rule=rule, unit=unit, clock=fixed_clock)
    for other_rule in ("concat", "query"):
        for other_unit in ("s", "ms"):
            headers = Signer(SANDBOX_CREDENTIALS, other_rule, other_unit).sign(NOW)
            envelope = await ask(sandbox, PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST, headers)
            assert envelope["code"] == (200 if (other_rule, other_unit) == (rule, unit) else 401)


@pytest.mark.parametrize(("seconds", "code"), [(-601, 401), (-600, 200), (600, 200), (601, 401)])
async def test_the_clock_may_be_600_seconds_off_and_no_more(seconds: int, code: int) -> None:
    headers = SIGNER.sign(NOW + timedelta(seconds=seconds))
    envelope = await ask(build_sandbox(clock=fixed_clock), PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST, headers)
    assert envelope["code"] == code


@pytest.mark.parametrize("name", ["access-key", "timestamp", "nonce-str", "user-id", "signature"])
async def test_every_header_is_required_and_must_be_right(name: str) -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    headers = SIGNER.sign(NOW)
    without = {key: value for key, value in headers.items() if key != name}
    for wrong in (without, {**headers, name: "x"}):
        envelope = await ask(sandbox, CREATE_PATH, ORDER, wrong)
        assert (envelope["code"], envelope["data"]) == (401, None)
    assert sandbox.books.orders == []


async def test_another_accounts_secret_is_refused() -> None:
    account = Credentials(SANDBOX_CREDENTIALS.access_key, "guessed", SANDBOX_CREDENTIALS.user_id)
    envelope = await ask(
        build_sandbox(clock=fixed_clock), PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST, Signer(account).sign(NOW)
    )
    assert (envelope["code"], envelope["msg"]) == (401, "签名错误")


async def test_a_create_gives_a_19_digit_id_and_is_in_the_books_as_it_was_sent() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    envelope = await ask(sandbox, CREATE_PATH, ORDER)
    (order,) = sandbox.books.orders
    assert envelope["data"] == {"orderIds": list(order.order_ids)}
    assert re.fullmatch(r"\d{19}", order.order_ids[0])
    assert order.body == ORDER
    assert (order.out_order_id, order.trade_type, order.payable_fen) == ("PO-0001", "assureTrade", 6400)
    assert order.created_at == NOW


async def test_in_the_list_shape_the_order_costs_the_total_payment() -> None:
    sandbox = build_sandbox("list", clock=fixed_clock)
    await ask(sandbox, CREATE_PATH, ORDER)
    assert sandbox.books.orders[0].payable_fen == 6561


async def test_a_create_that_names_no_trade_type_is_bought_on_credit() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    await ask(sandbox, CREATE_PATH, VENDOR_EXAMPLE_REQUEST)
    assert sandbox.books.orders[0].trade_type == "creditBuy"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tradeType": "alipay"}, 400),
        ({"shopPromotionId": "shop-100-5"}, 400),
        ({"cargoParamList": []}, 400),
        ({"cargoParamList": [{"offerId": MUG, "specId": MUG_SPEC, "quantity": 1}]}, "500_005"),
    ],
)
async def test_a_create_of_what_cannot_be_ordered_is_refused_and_makes_no_order(
    change: dict[str, object], code: str | int
) -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    envelope = await ask(sandbox, CREATE_PATH, {**ORDER, **change})
    assert (envelope["code"], envelope["data"]) == (code, None)
    assert sandbox.books.orders == []


async def test_a_refused_preview_is_told_by_line_in_one_shape_and_by_envelope_in_the_other() -> None:
    body = {
        **VENDOR_EXAMPLE_REQUEST,
        "cargoParamList": [{"offerId": 699999999999, "specId": "x", "quantity": 1}],
    }
    by_line = await ask(build_sandbox(clock=fixed_clock), PREVIEW_PATH, body)
    assert by_line["code"] == 200
    assert by_line["data"]["orderPreviewResuslt"][0]["cargoList"][0]["resultCode"] == "500_001"
    by_envelope = await ask(build_sandbox("list", clock=fixed_clock), PREVIEW_PATH, body)
    assert (by_envelope["code"], by_envelope["data"]) == ("500_001", None)
    assert by_envelope["msg"]


async def test_a_repeated_out_order_id_makes_a_second_order_since_nobody_promises_otherwise() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    first, second = await ask(sandbox, CREATE_PATH, ORDER), await ask(sandbox, CREATE_PATH, ORDER)
    assert first["data"]["orderIds"] != second["data"]["orderIds"]
    assert len(sandbox.books.orders_of("PO-0001")) == 2


async def test_books_that_refuse_duplicates_turn_the_second_away_and_still_count_it() -> None:
    sandbox = build_sandbox(clock=fixed_clock, books=Books(duplicates="refused"))
    await ask(sandbox, CREATE_PATH, ORDER)
    envelope = await ask(sandbox, CREATE_PATH, ORDER)
    assert envelope["code"] == 409
    assert len(sandbox.books.orders_of("PO-0001")) == 1
    assert sandbox.books.creates_of["PO-0001"] == 2


async def test_a_price_that_moves_in_the_catalogue_moves_in_the_next_preview() -> None:
    dearer, untouched = build_sandbox("list", clock=fixed_clock), build_sandbox("list", clock=fixed_clock)
    mug = dearer.catalogue[MUG]
    dearer.catalogue[MUG] = replace(mug, skus=(replace(mug.skus[0], price_fen=3000),))
    sums = [
        (await ask(sandbox, PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST))["data"][0]["sumPaymentNoCarriage"]
        for sandbox in (dearer, untouched)
    ]
    assert sums == [6000, 5800]


async def test_the_order_list_finds_by_out_order_id_and_goes_page_by_page_newest_first() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    for reference in ("PO-0001", "PO-0002", "PO-0001"):
        await ask(sandbox, CREATE_PATH, {**ORDER, "outOrderId": reference})
    older, _, newer = [order.order_ids[0] for order in sandbox.books.orders]
    pages = [
        await ask(sandbox, ORDER_LIST_PATH, {"page": page, "pageSize": 1, "outOrderId": "PO-0001"})
        for page in (1, 2, 3)
    ]
    assert [page["data"]["totalRecord"] for page in pages] == [2, 2, 2]
    found = [[row["baseInfo"]["idOfStr"] for row in page["data"]["result"]] for page in pages]
    assert found == [[newer], [older], []]
    everything = await ask(sandbox, ORDER_LIST_PATH, {})
    assert everything["data"]["totalRecord"] == 3


async def test_control_shows_the_books_with_exact_amounts() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    await ask(sandbox, PREVIEW_PATH, VENDOR_EXAMPLE_REQUEST)
    await ask(sandbox, CREATE_PATH, ORDER)
    books = (await control(sandbox, "GET", "books")).json()
    assert (books["previews_received"], books["creates_received"], books["creates_of"]) == (
        1,
        1,
        {"PO-0001": 1},
    )
    (row,) = books["orders"]["PO-0001"]
    assert (row["payable_fen"], row["body"]["tradeType"]) == (6400, "assureTrade")
    health = (await control(sandbox, "GET", "health")).json()
    assert health == {"ok": True, "environment": "sandbox", "shape": "object"}


async def test_control_plans_faults_and_clears_them() -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    plan = {"name": "refusal", "endpoint": "create", "times": None, "probability": 1, "seed": 7}
    assert (await control(sandbox, "POST", "faults", plan)).json() == {"ok": True}
    assert (await ask(sandbox, CREATE_PATH, ORDER))["code"] == "500_004"
    await control(sandbox, "DELETE", "faults")
    assert (await ask(sandbox, CREATE_PATH, ORDER))["code"] == 200


@pytest.mark.parametrize(
    "plan",
    [
        [],
        {},
        {"name": "refusal"},
        {"name": "nonsense", "endpoint": "create"},
        {"name": "price-drift", "endpoint": "create"},
        {"name": "refusal", "endpoint": "pay"},
        {"name": "refusal", "endpoint": []},
        {"name": "refusal", "endpoint": "create", "times": 0},
        {"name": "refusal", "endpoint": "create", "times": "many"},
        {"name": "refusal", "endpoint": "create", "probability": 2},
        {"name": "refusal", "endpoint": "create", "often": 2},
    ],
)
async def test_control_says_what_is_wrong_with_a_plan(plan: object) -> None:
    sandbox = build_sandbox(clock=fixed_clock)
    answer = await control(sandbox, "POST", "faults", plan)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await ask(sandbox, CREATE_PATH, ORDER))["code"] == 200
