"""`get_orders` by days, page by page, with totals; by text alone and by structured content alone."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.clock import Clock
from harness.house import ERAS, Era, House, Person, address_of, call, previewed, text_of
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio


async def five_orders(folder: Path, era: Era, work: Any) -> None:
    """One an hour from 22:00 in Shanghai on the first of March, the second of which is refused."""
    clock = Clock(datetime(2026, 3, 1, 14, 0, tzinfo=UTC))
    house = House(folder, build_sandbox(clock=clock), MAX_DAY_CNY="100000")
    async with house.client(era, Person(), clock=clock) as client:
        for number in range(5):
            arguments = await previewed(client, address=address_of(number), out_order_id=f"PO-000{number}")
            if number == 1:
                house.sandbox.faults.add("refusal", "create")
            await call(client, "create_order", arguments["create_order_arguments"])
            clock.advance(3600)
        await work(client)


def numbers(envelope: dict[str, Any]) -> list[str]:
    return [order["out_order_id"] for order in envelope["orders"]]


@pytest.mark.parametrize("era", ERAS)
async def test_days_are_those_of_the_owner_and_totals_are_over_all_that_fit(tmp_path: Path, era: Era) -> None:
    async def work(client: Any) -> None:
        first = await call(client, "get_orders", {"until": "2026-03-01"})
        assert numbers(first) == ["PO-0001", "PO-0000"]
        second = await call(client, "get_orders", {"since": "2026-03-02", "until": "2026-03-02", "limit": 1})
        assert numbers(second) == ["PO-0004"]
        everything = await call(client, "get_orders")
        for ends in ({"until": "9999-12-31"}, {"since": "0001-01-01"}):
            assert await call(client, "get_orders", ends) == everything
        for ends in ({"until": "0001-01-01"}, {"since": "9999-12-31"}):
            assert numbers(await call(client, "get_orders", ends)) == []
        price = {"amount": "64.00", "currency": "CNY"}
        assert first["totals"] == [
            {"state": "placed", "orders": 1, "payable": price},
            {"state": "rejected", "orders": 1, "payable": price},
        ]
        assert second["totals"] == [{"state": "placed", "orders": 3, "payable": price | {"amount": "192.00"}}]
        assert sum(total["orders"] for total in everything["totals"]) == 5
        assert everything["next_before"] is None
        text = text_of(await client.call_tool("get_orders", {"limit": 1}))
        assert "All that fit: 4 placed, 256.00 CNY; 1 rejected, 64.00 CNY" in text

    await five_orders(tmp_path, era, work)


@pytest.mark.parametrize("era", ERAS)
async def test_pages_go_on_where_the_last_ended_by_content_or_by_text_alone(tmp_path: Path, era: Era) -> None:
    async def work(client: Any) -> None:
        asked: dict[str, Any] = {"limit": 2}
        seen: list[str] = []
        while True:
            result = await client.call_tool("get_orders", asked)
            envelope = result.structured_content
            seen += numbers(envelope)
            if envelope["next_before"] is None:
                break
            (more,) = [line for line in text_of(result).splitlines() if line.startswith("There are more: ")]
            said = json.loads(more.partition("get_orders ")[2])
            assert said == {"before": envelope["next_before"]}
            asked = {"limit": 2} | said
        assert seen == [f"PO-000{number}" for number in (4, 3, 2, 1, 0)]

    await five_orders(tmp_path, era, work)


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_no_day_is_refused_with_its_form(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        for field in ("since", "until"):
            for wrong in ("2026-02-30", "yesterday", "25.11.2026", "2026-11-2"):
                problem = (await call(client, "get_orders", {field: wrong}))["problem"]
                assert problem["code"] == "invalid_arguments"
                assert field in problem["message"]
                assert "2026-11-25" in problem["message"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_period_or_a_place_in_the_list_that_there_is_not_is_no_empty_list(
    tmp_path: Path, era: Era
) -> None:
    async with House(tmp_path).client(era, Person()) as client:
        await call(client, "create_order", (await previewed(client))["create_order_arguments"])
        wrong = {"since": {"since": "2026-03-03", "until": "2026-03-02"}, "before": {"before": "PO-nobody"}}
        for field, arguments in wrong.items():
            problem = (await call(client, "get_orders", arguments))["problem"]
            assert problem["code"] == "invalid_arguments"
            assert [each["field"] for each in problem["details"]["fields"]] == [field]
        (order,) = (await call(client, "get_orders"))["orders"]
        assert (await call(client, "get_orders", {"before": order["out_order_id"]}))["orders"] == []


@pytest.mark.parametrize("era", ERAS)
async def test_an_order_number_of_digits_may_come_back_as_a_number(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era, Person()) as client:
        preview = await previewed(client, out_order_id="20260815")
        await call(client, "create_order", preview["create_order_arguments"])
        (order,) = (await call(client, "get_orders", {"reference": 20260815}))["orders"]
        assert order["out_order_id"] == "20260815"
        assert (await call(client, "get_orders", {"before": 20260815}))["ok"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_that_has_become_no_order_is_said_to_be_one_with_the_way_on(
    tmp_path: Path, era: Era
) -> None:
    async with House(tmp_path).client(era, Person()) as client:
        preview = await previewed(client, out_order_id="PO-waits")
        for reference in (preview["preview_token"], "PO-waits"):
            result = await client.call_tool("get_orders", {"reference": reference})
            assert result.structured_content
            assert (result.structured_content["ok"], result.structured_content["orders"]) == (True, [])
            assert "This preview has not been ordered." in text_of(result)
            assert "call create_order" in text_of(result)
        await call(client, "create_order", preview["create_order_arguments"])
        for arguments in ({"reference": "PO-waits"}, {"reference": "PO-waits", "state": "unknown"}, {}):
            assert "has not been ordered" not in text_of(await client.call_tool("get_orders", arguments))
