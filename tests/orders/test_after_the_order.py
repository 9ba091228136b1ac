"""What the upstream says of an order after its create: read on request, compared, kept, and never believed."""

import logging
from pathlib import Path
from typing import Any

import pytest

from harness.house import ERAS, Era, House, call, previewed, text_of
from xportcn_server.sandbox.books import CLOSED, SHIPPED

pytestmark = pytest.mark.anyio


async def placed(client: Any, **changes: Any) -> dict[str, Any]:
    preview = await previewed(client, **changes)
    envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert envelope["ok"]
    return envelope["order"]


async def call_text(client: Any, tool: str, arguments: dict[str, Any] | None = None) -> str:
    return text_of(await client.call_tool(tool, arguments or {}))


async def refreshed(client: Any, **arguments: Any) -> dict[str, Any]:
    return await call(client, "get_orders", {"refresh": True} | arguments)


@pytest.mark.parametrize("era", ERAS)
async def test_a_refresh_says_that_an_order_is_unpaid_and_until_when(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client(era) as client:
        order = await placed(client)
        assert order["upstream"] is None
        (found,) = (await refreshed(client))["orders"]
        (upstream,) = found["upstream"]["orders"]
        assert upstream["order_id"] == order["order_ids"][0]
        assert (upstream["status_text"], upstream["unpaid"]) == ("not paid yet", True)
        assert upstream["pay_until"] > found["created_at"]
        assert (upstream["total"], upstream["differs"]) == (order["payable"], False)
        text = await call_text(client, "get_orders", {"refresh": True})
        assert f"order {upstream['order_id']}: not paid yet" in text
        assert f"to be paid until {upstream['pay_until']}" in text


async def test_a_total_that_the_seller_has_changed_is_the_first_thing_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        order = await placed(client)
        (order_id,) = order["order_ids"]
        approved = order["payable"]["amount"]
        house.sandbox.books.move(order_id, payable_fen=5_998)
        with caplog.at_level(logging.WARNING):
            (found,) = (await refreshed(client))["orders"]
        (upstream,) = found["upstream"]["orders"]
        assert (upstream["differs"], upstream["total"]["amount"]) == (True, "59.98")
        assert upstream["differences"] == [f"total: approved {approved}, now 59.98"]
        assert f"total approved {approved}, now 59.98" in caplog.text
        assert found["payable"]["amount"] == approved
        await placed(client, quantity=5)  # a newer order, which is listed first
        first, second, *_ = (await call_text(client, "get_orders")).splitlines()
        assert f"WARNING: the upstream has order {order['out_order_id']} otherwise" in first
        assert f"approved {approved}, now 59.98" in first
        assert not second.startswith("WARNING")


async def test_what_was_read_is_kept_and_a_later_answer_has_it_with_its_time(tmp_path: Path) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        await placed(client)
        (first,) = (await refreshed(client))["orders"]
    async with house.client() as client:
        asked = house.sandbox.books.received["details"]
        (again,) = (await call(client, "get_orders"))["orders"]
        assert again["upstream"] == first["upstream"]
        assert house.sandbox.books.received["details"] == asked


async def test_a_shipped_order_has_its_parcel_and_is_no_longer_to_be_paid(tmp_path: Path) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        order = await placed(client)
        house.sandbox.books.move(order["order_ids"][0], SHIPPED, parcel=("圆通速递", "YT7788"))
        (found,) = (await refreshed(client))["orders"]
        (upstream,) = found["upstream"]["orders"]
        assert (upstream["status_text"], upstream["unpaid"]) == ("shipped", False)
        assert upstream["parcels"] == [{"carrier": "圆通速递", "tracking_number": "YT7788"}]
        text = await call_text(client, "get_orders")
        assert "parcel 「圆通速递」 「YT7788」" in text
        assert "not paid yet" not in text


async def test_a_closed_order_says_why(tmp_path: Path) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        order = await placed(client)
        house.sandbox.books.move(order["order_ids"][0], CLOSED)
        (found,) = (await refreshed(client))["orders"]
        (upstream,) = found["upstream"]["orders"]
        assert (upstream["status_text"], upstream["closed_because"]) == ("closed", "买家未付款")
        assert "closed, total" in await call_text(client, "get_orders")
        assert found["state"] == "placed"


@pytest.mark.parametrize("name", ["totals-in-fen", "vendor-words"])
async def test_fen_and_the_vendors_own_words_are_read_as_well(tmp_path: Path, name: str) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        order = await placed(client)
        house.sandbox.faults.add(name, "details", times=None)
        (found,) = (await refreshed(client))["orders"]
        (upstream,) = found["upstream"]["orders"]
        assert (upstream["differs"], upstream["total"]) == (False, order["payable"])
        assert upstream["status_text"] == "not paid yet"


FAILING = ["path-404", "no-such-interface", "no-such-order", "other-order", "html", "http-500", "null-data"]


@pytest.mark.parametrize("name", FAILING)
async def test_what_could_not_be_read_is_said_and_changes_nothing(tmp_path: Path, name: str) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        order = await placed(client)
        house.sandbox.faults.add(name, "details", times=None)
        answer = await refreshed(client)
        assert answer["ok"]
        (found,) = answer["orders"]
        assert (found["state"], found["upstream"]) == ("placed", None)
        text = await call_text(client, "get_orders", {"refresh": True})
        assert f"Not read: these orders could not be read upstream now: {order['out_order_id']}" in text


async def test_a_refresh_where_the_look_up_is_off_says_so_and_asks_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        await placed(client)
        text = await call_text(client, "get_orders", {"refresh": True})
    assert "Not read: nothing was read upstream: the owner has not switched XPORTCN_ORDER_LOOKUP on" in text
    assert house.sandbox.books.received["details"] == 0


async def test_a_refresh_never_writes_upstream(tmp_path: Path) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    async with house.client() as client:
        await placed(client)
        before = dict(house.sandbox.books.received)
        await refreshed(client)
    after = dict(house.sandbox.books.received)
    assert {name for name in after if after[name] != before.get(name, 0)} == {"details"}
