"""Orders after their creation, as the sandbox's details and list answers show them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.upstream.order_list import ORDER_LIST_PATH
from xportcn_tools.upstream.requests import CREATE_PATH
from xportcn_tools.upstream.signing import Signer

DETAILS = "/alibaba/ka/order/detail"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SHIRT = 700312458816
ADDRESS: Any = VENDOR_EXAMPLE_REQUEST["addressParam"]


pytestmark = pytest.mark.anyio


async def ask(sandbox: Sandbox, path: str, body: object) -> Any:
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        headers = Signer(SANDBOX_CREDENTIALS).sign(NOW)
        return (await client.post(SANDBOX_BASE_URL + path, json=body, headers=headers)).json()


async def control(sandbox: Sandbox, body: object) -> httpx.Response:
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        return await client.post("http://127.0.0.1/sandbox/orders", json=body)


async def ordered(sandbox: Sandbox, quantity: int = 2) -> list[str]:
    """The ids of a new order of red shirts in M."""
    sku = sandbox.catalogue[SHIRT].skus[0]
    lines = [{"offerId": SHIRT, "specId": sku.spec_id, "quantity": quantity}]
    body = {
        **VENDOR_EXAMPLE_REQUEST,
        "cargoParamList": lines,
        "outOrderId": "PO-1",
        "tradeType": "assureTrade",
    }
    return (await ask(sandbox, CREATE_PATH, body))["data"]["orderIds"]


async def details(sandbox: Sandbox, order_id: str) -> Any:
    return (await ask(sandbox, DETAILS, {"webSite": "1688", "orderId": order_id}))["data"]


def a_sandbox(shape: Any = "object") -> Sandbox:
    return build_sandbox(shape, clock=lambda: NOW)


async def test_details_mix_totals_in_yuan_with_discounts_in_fen_and_close() -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    found = await details(sandbox, order_id)
    base, (item,) = found["baseInfo"], found["productItems"]
    assert (base["idOfStr"], base["outOrderId"], base["status"]) == (order_id, "PO-1", "waitbuyerpay")
    assert str(base["id"]) != order_id
    assert (base["totalAmount"], base["sumProductPayment"], base["shippingFee"]) == (42.16, 37.0, 7.0)
    assert base["discount"] == item["entryDiscount"] == -184
    assert base["createTime"] == "20261125120000000+0800"
    assert (item["price"], item["itemAmount"], item["quantity"], item["unit"]) == (18.5, 35.16, 2, "件")
    assert [each["value"] for each in item["skuInfos"]] == ["红色", "M"]
    assert found["nativeLogistics"]["contactPerson"] == ADDRESS["fullName"]
    assert found["nativeLogistics"]["logisticsItems"] is None
    assert found["tradeTerms"][0]["payStatus"] == "1"


async def test_an_order_is_paid_shipped_repriced_and_closed_by_control() -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    assert (await control(sandbox, {"order_id": order_id, "payable_fen": 4000})).json() == {"ok": True}
    repriced = (await details(sandbox, order_id))["baseInfo"]
    assert (repriced["totalAmount"], repriced["discount"]) == (40.0, -400)
    assert sandbox.books.orders[0].payable_fen == 4216
    sandbox.books.move(order_id, "waitsellersend")
    paid = await details(sandbox, order_id)
    assert (paid["tradeTerms"][0]["payStatus"], paid["baseInfo"]["totalAmount"]) == ("2", 40.0)
    sandbox.books.move(order_id, "waitbuyerreceive", parcel=("圆通速递", "YT1234567890"))
    (parcel,) = (await details(sandbox, order_id))["nativeLogistics"]["logisticsItems"]
    assert parcel == {"logisticsCompanyName": "圆通速递", "logisticsBillNo": "YT1234567890"}
    sandbox.books.move(order_id, "cancel")
    closed = (await details(sandbox, order_id))["baseInfo"]
    assert (closed["status"], bool(closed["closeReason"])) == ("cancel", True)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"order_id": "1"},
        {"order_id": "ID", "status": "lost"},
        {"order_id": "ID", "state": "cancel"},
        {"order_id": "ID", "payable_fen": "much"},
        {"order_id": "ID", "parcel": ["alone"]},
    ],
)
async def test_control_says_what_is_wrong_with_a_move_and_moves_nothing(body: Any) -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    if body and body.get("order_id") == "ID":
        body = {**body, "order_id": order_id}
    before = list(sandbox.books.orders)
    answer = await control(sandbox, body)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert sandbox.books.orders == before


@pytest.mark.parametrize(
    ("fault", "field", "value"),
    [
        ("order-paid", "status", "waitsellersend"),
        ("order-shipped", "status", "waitbuyerreceive"),
        ("order-closed", "status", "cancel"),
        ("order-repriced", "totalAmount", 43.66),
        ("totals-in-fen", "totalAmount", 4216),
        ("vendor-words", "status", "WAITING_FOR_PAYMENT"),
        ("no-out-order-id", "outOrderId", None),
    ],
)
async def test_a_fault_shows_an_order_otherwise_in_details_and_list(
    fault: str, field: str, value: object
) -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    sandbox.faults.add(fault, "details")
    sandbox.faults.add(fault, "list")
    assert (await details(sandbox, order_id))["baseInfo"].get(field) == value
    (row,) = (await ask(sandbox, ORDER_LIST_PATH, {"outOrderId": "PO-1"}))["data"]["result"]
    assert row["baseInfo"].get(field) == value
    assert (await details(sandbox, order_id))["baseInfo"]["totalAmount"] == 42.16


async def test_a_list_may_be_empty_or_repeat_neither_our_number_nor_ids_as_texts() -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    sandbox.faults.add("empty-list", "list")
    empty = (await ask(sandbox, ORDER_LIST_PATH, {"outOrderId": "PO-1"}))["data"]
    assert (empty["totalRecord"], empty["result"]) == (0, [])
    sandbox.faults.add("no-out-order-id", "list")
    (row,) = (await ask(sandbox, ORDER_LIST_PATH, {"outOrderId": "PO-1"}))["data"]["result"]
    assert row["baseInfo"]["idOfStr"] == int(order_id)


async def test_details_of_an_unknown_order_are_refused_and_may_be_anothers() -> None:
    sandbox = a_sandbox()
    (order_id,) = await ordered(sandbox)
    assert (await ask(sandbox, DETAILS, {"webSite": "1688", "orderId": "1"}))["msg"] == "订单不存在"
    sandbox.faults.add("no-such-order", "details")
    assert (await ask(sandbox, DETAILS, {"webSite": "1688", "orderId": order_id}))["msg"] == "订单不存在"
    sandbox.faults.add("other-order", "details")
    base = (await details(sandbox, order_id))["baseInfo"]
    assert (base["idOfStr"] == order_id, base["outOrderId"] == "PO-1") == (False, False)
    for body in (
        {},
        {"orderId": order_id},
        {"webSite": "1688"},
        {"webSite": "1688", "orderId": int(order_id)},
    ):
        assert (await ask(sandbox, DETAILS, body))["code"] == 400


@pytest.mark.parametrize("shape", ["object", "list"])
async def test_the_parts_of_a_split_order_add_up_to_what_was_to_be_paid(shape: Any) -> None:
    sandbox = a_sandbox(shape)
    sandbox.faults.add("split", "create")
    ids = await ordered(sandbox)
    totals = [Decimal(str((await details(sandbox, each))["baseInfo"]["totalAmount"])) for each in ids]
    assert len(ids) == 2
    assert sum(totals) * 100 == sandbox.books.orders[0].payable_fen
