"""The main job through the tools, in both protocol eras: preview, create, repeat, look up."""

from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client

from harness.house import (
    ADDRESS,
    ERAS,
    MUG,
    MUG_SPEC,
    Era,
    House,
    Person,
    call,
    order_arguments,
    previewed,
)
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio


def vendor_example() -> dict[str, Any]:
    """The vendor's published request in the tool's names, its empty phone and its 2.0 kept."""
    example = cast("dict[str, Any]", VENDOR_EXAMPLE_REQUEST)
    names = {
        "fullName": "full_name",
        "mobile": "mobile",
        "phone": "phone",
        "postCode": "post_code",
        "cityText": "city",
        "provinceText": "province",
        "areaText": "area",
        "townText": "town",
        "address": "address",
        "districtCode": "district_code",
    }
    items = [
        {"offer_id": str(line["offerId"]), "spec_id": line["specId"], "quantity": line["quantity"]}
        for line in example["cargoParamList"]
    ]
    return {
        "flow": example["flow"],
        "items": items,
        "address": {names[name]: value for name, value in example["addressParam"].items()},
    }


@pytest.mark.parametrize("era", ERAS)
async def test_the_vendors_example_costs_65_61_in_the_shape_of_2026(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, build_sandbox("list"))
    async with house.client(era) as client:
        preview = (await call(client, "preview_order", vendor_example()))["preview"]
    assert preview["payable"] == {"amount": "65.61", "currency": "CNY"}
    assert preview["goods_total"]["amount"] == "58.00"
    assert preview["freight"]["amount"] == "6.00"
    assert preview["fees"]["amount"] == "1.61"
    (group,) = preview["groups"]
    (line,) = group["lines"]
    assert (line["unit_price"]["amount"], line["amount"]["amount"]) == ("29.00", "58.00")
    assert {warning["code"] for warning in preview["warnings"]} >= {"unverified_fee", "address_conflict"}
    assert preview["flow"] == VENDOR_EXAMPLE_REQUEST["flow"]


@pytest.mark.parametrize("era", ERAS)
async def test_an_approved_preview_becomes_exactly_one_order(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    order = envelope["order"]
    assert envelope["environment"] == "sandbox"
    assert envelope["problem"] is None
    assert order["state"] == "placed"
    assert order["order_ids"] == house.order_ids
    assert order["payable"] == preview["payable"]
    assert order["ship_to"] == preview["ship_to"]
    assert order["out_order_id"] == preview["out_order_id"]
    assert order["approval"] == {"method": "form", "verified": True}
    assert order["replayed"] is False
    assert order["request_id"]
    assert len(person.asked) == 1
    assert all(len(order_id) == 19 for order_id in order["order_ids"])


@pytest.mark.parametrize("era", ERAS)
async def test_a_create_carries_what_was_shown_and_nothing_else(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        preview = await previewed(client, quantity=3, message="请尽快发货", dropshipping=True)
        await call(client, "create_order", preview["create_order_arguments"])
    (order,) = house.sandbox.books.orders
    assert order.body == {
        "outOrderId": preview["out_order_id"],
        "flow": preview["flow"],
        "tradeType": preview["trade_type"],
        "message": "请尽快发货",
        "dropshipping": "y",
        "addressParam": {
            "fullName": ADDRESS["full_name"],
            "mobile": ADDRESS["mobile"],
            "provinceText": ADDRESS["province"],
            "cityText": ADDRESS["city"],
            "address": ADDRESS["address"],
        },
        "cargoParamList": [{"offerId": int(MUG), "specId": MUG_SPEC, "quantity": 3}],
    }


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_token_again_returns_the_same_order_and_sends_nothing(
    tmp_path: Path, era: Era
) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        first = (await call(client, "create_order", arguments))["order"]
        again = (await call(client, "create_order", arguments))["order"]
    async with house.client(era, person) as restarted:
        after = (await call(restarted, "create_order", arguments))["order"]
    assert again == after == first | {"replayed": True}
    assert house.creates == 1
    assert len(person.asked) == 1


async def test_a_repeat_needs_no_right_echo_because_the_outcome_is_recorded(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        await call(client, "create_order", arguments)
        again = await call(client, "create_order", arguments | {"expected_total": "1.00"})
    assert again["order"]["replayed"] is True
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_orders_by_its_own_dialog(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
    assert order["approval"] == {"method": "client_dialog", "verified": False}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("expected_total", "64.01"),
        ("expected_total", "6400"),
        ("ship_to", "somebody else, elsewhere"),
        ("goods", "20 × offer 1"),
    ],
)
async def test_a_wrong_echo_is_refused_before_anybody_is_asked(
    tmp_path: Path, era: Era, field: str, wrong: str
) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        envelope = await call(client, "create_order", arguments | {field: wrong})
        assert envelope["problem"]["code"] == "echo_mismatch"
        assert envelope["problem"]["request_sent"] == "no"
        assert field in envelope["problem"]["message"]
        assert person.asked == []
        assert house.creates == 0
        assert (await call(client, "create_order", arguments))["ok"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_that_nobody_was_given_is_unknown(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        arguments = {"preview_token": "pv_nobodysaw", "expected_total": "1.00", "ship_to": "x", "goods": "x"}
        envelope = await call(client, "create_order", arguments)
    assert envelope["problem"]["code"] == "unknown_token"
    assert envelope["order"] is None
    assert person.asked == []


async def test_orders_are_found_by_token_reference_and_order_id_newest_first(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        first = await previewed(client)
        await call(client, "create_order", first["create_order_arguments"])
        second = await previewed(client, quantity=4, out_order_id="PO-2026-0001")
        order = (await call(client, "create_order", second["create_order_arguments"]))["order"]
        everything = (await call(client, "get_orders"))["orders"]
        assert [found["out_order_id"] for found in everything] == ["PO-2026-0001", first["out_order_id"]]
        for reference in (second["preview_token"], "PO-2026-0001", order["order_ids"][0]):
            assert (await call(client, "get_orders", {"reference": reference}))["orders"] == [order]
        assert len((await call(client, "get_orders", {"limit": 1}))["orders"]) == 1
        assert (await call(client, "get_orders", {"state": "unknown"}))["orders"] == []


async def test_a_reference_that_is_nobodys_is_not_found(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        envelope = await call(client, "get_orders", {"reference": "PO-nobodys"})
        assert envelope["problem"]["code"] == "not_found"
        preview = await previewed(client)
        for reference in (preview["preview_token"], preview["out_order_id"]):
            assert (await call(client, "get_orders", {"reference": reference}))["orders"] == []


async def test_a_buyers_own_number_serves_one_order_only(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        one = await previewed(client, out_order_id="PO-2026-0001")
        twin = await previewed(client, out_order_id="PO-2026-0001")
        assert (await call(client, "create_order", one["create_order_arguments"]))["ok"]
        refused = await call(client, "create_order", twin["create_order_arguments"])
        assert refused["problem"]["code"] == "duplicate_reference"
        anew = await call(client, "preview_order", order_arguments(out_order_id="PO-2026-0001"))
        assert anew["problem"]["code"] == "duplicate_reference"
    assert house.creates == 1


async def _problem(client: Client, **changes: Any) -> dict[str, Any]:
    envelope = await call(client, "preview_order", order_arguments(**changes))
    assert envelope["preview"] is None
    return envelope["problem"]


async def test_a_preview_that_cannot_be_ordered_gets_reasons_by_line_and_no_token(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        problem = await _problem(client, quantity=1)
    assert problem["code"] == "not_orderable"
    (reason,) = problem["details"]["reasons"]
    assert (reason["offer_id"], reason["code"]) == (MUG, "500_005")
    assert "起订" in reason["text"] or "最少" in reason["text"]
    assert problem["request_id"]
