"""Goods of several sellers: which go together, and each preview ready to be called."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult

from harness.house import ERAS, MUG, MUG_SPEC, Era, House, call, order_arguments, settings_for, text_of
from xportcn_server.parts import address_book_of

pytestmark = pytest.mark.anyio

YIWU, SHENZHEN = "BBBsandboxYiwuHousehold01", "BBBsandboxShenzhenDigital2"
CABLE = {"offer_id": "698450213377", "spec_id": "6d0f8e2b4c7a4913a5d1e9b3f8c20647", "quantity": 10}
WHITE = {"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": 2}
FLASK = {"offer_id": "628913047512", "spec_id": "0c9d2f6e8b7a41539e2c5d1f4a6b8703", "quantity": 3}
MIXED = [WHITE, CABLE, FLASK]


async def refused(client: Client, **changes: Any) -> tuple[list[dict[str, Any]], str]:
    """`details.by_seller` of a preview that is refused for its sellers, and the text."""
    result = await client.call_tool("preview_order", order_arguments(**changes))
    assert isinstance(result, CallToolResult)
    assert result.structured_content
    problem = result.structured_content["problem"]
    assert (problem["code"], problem["request_sent"]) == ("several_sellers", "no"), problem
    return problem["details"]["by_seller"], text_of(result)


@pytest.mark.parametrize("era", ERAS)
async def test_in_place_of_the_upstreams_refusal_each_sellers_lines_stand_together_ready_to_be_called(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        by_seller, said = await refused(client, items=MIXED, message="请包好")
        assert house.sandbox.books.received["preview"] == 1
        assert [(each["seller_open_id"], each["lines"]) for each in by_seller] == [
            (YIWU, [1, 3]),
            (SHENZHEN, [2]),
        ]

        # By the text alone, and by the structured content alone.
        calls = [line.partition(" ") for line in said.splitlines() if line.startswith("preview_order {")]
        in_text = [json.loads(arguments) for _, _, arguments in calls]
        assert in_text == [each["preview_order_arguments"] for each in by_seller]
        for each in in_text:
            assert each["message"] == "请包好"
            preview = (await call(client, "preview_order", each))["preview"]
            created = await call(client, "create_order", preview["create_order_arguments"])
            assert created["order"]["state"] == "placed"
    assert house.creates == 2


async def test_sellers_that_are_named_are_told_apart_before_the_price(tmp_path: Path) -> None:
    house = House(tmp_path, PRODUCTS="off")
    async with house.client() as client:
        named = [WHITE | {"seller_open_id": YIWU}, CABLE | {"seller_open_id": SHENZHEN}]
        by_seller, _ = await refused(client, items=named)
    assert [each["seller_open_id"] for each in by_seller] == [YIWU, SHENZHEN]
    assert house.sandbox.books.received["preview"] == 0


async def test_sellers_in_memory_or_read_for_an_option_are_told_apart_before_the_price(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        await call(client, "get_product", {"offer": CABLE["offer_id"]})
        in_words = {"offer_id": MUG, "option": "white", "quantity": 2}
        by_seller, _ = await refused(client, items=[in_words, CABLE, FLASK])
    assert [(each["seller_open_id"], each["lines"]) for each in by_seller] == [
        (YIWU, [1, 3]),
        (SHENZHEN, [2]),
    ]
    assert by_seller[0]["preview_order_arguments"]["items"] == [WHITE, FLASK]
    assert house.sandbox.books.received["preview"] == 0


async def test_what_one_order_alone_can_have_is_left_out_and_said(tmp_path: Path) -> None:
    house = House(tmp_path)
    address_book_of(settings_for(house.ledger)).save("home", order_arguments()["address"])
    async with house.client() as client:
        arguments = order_arguments(items=MIXED, out_order_id="PO-2026-1", promotion_id="shop-100-5")
        del arguments["address"]
        problem = (await call(client, "preview_order", arguments | {"address_name": "home"}))["problem"]
        assert "out_order_id and promotion_id" in problem["next_step"]
        for each in problem["details"]["by_seller"]:
            ready = each["preview_order_arguments"]
            assert ready.keys() == {"items", "address_name", "flow"}
            assert (await call(client, "preview_order", ready))["ok"]


async def test_where_the_products_cannot_be_read_the_upstreams_refusal_stands(tmp_path: Path) -> None:
    house = House(tmp_path)
    for endpoint in ("product", "sibling-product"):
        house.sandbox.faults.add("path-404", endpoint, times=None)
    async with house.client() as client:
        problem = (await call(client, "preview_order", order_arguments(items=MIXED)))["problem"]
    assert problem["code"] == "not_orderable"
    assert problem["details"]["reasons"]


async def test_lines_of_a_seller_that_is_not_known_stand_apart(tmp_path: Path) -> None:
    house = House(tmp_path)
    for endpoint in ("product", "sibling-product"):
        house.sandbox.faults.add("path-404", endpoint, times=None)
    async with house.client() as client:
        named = [WHITE | {"seller_open_id": YIWU}, CABLE | {"seller_open_id": SHENZHEN}, FLASK]
        by_seller, said = await refused(client, items=named)
    assert [(each["seller_open_id"], each["lines"]) for each in by_seller] == [
        (YIWU, [1]),
        (SHENZHEN, [2]),
        (None, [3]),
    ]
    assert "of 2 sellers" in said
