"""The budget in each preview: what the caps leave of the owner's day, before anybody asks for the order."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.clock import Clock
from harness.house import ERAS, Era, House, Person, call, order_arguments, previewed, text_of
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # eight in the evening in China


def cny(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "CNY"}


def codes(preview: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in preview["warnings"]]


@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_says_what_the_caps_are_and_what_is_left_of_the_day(tmp_path: Path, era: Era) -> None:
    clock = Clock(NOON)
    house = House(tmp_path, build_sandbox(clock=clock), MAX_DAY_CNY="200", MAX_DAY_ORDERS="3")
    async with house.client(era, clock=clock) as client:
        first = await previewed(client)
        assert first["budget"] == {
            "order_cap": cny("2000.00"),
            "day_cap": cny("200.00"),
            "day_left": cny("200.00"),
            "day_orders_left": 3,
            "day_ends_at": "2026-11-25T16:00:00Z",
        }
        await call(client, "create_order", first["create_order_arguments"])
        answered = await client.call_tool("preview_order", order_arguments(3))
    assert answered.structured_content is not None
    budget = answered.structured_content["preview"]["budget"]
    assert (budget["day_left"], budget["day_orders_left"]) == (cny("136.00"), 2)
    assert (
        "Caps: 2000.00 CNY an order, 200.00 CNY a day; until 2026-11-25T16:00:00Z 136.00 CNY and 2 orders are left"
        in text_of(answered)
    )


async def test_the_day_of_the_budget_is_the_owners(tmp_path: Path) -> None:
    clock = Clock(NOON)
    house = House(tmp_path, build_sandbox(clock=clock), TIMEZONE="America/New_York")
    async with house.client(clock=clock) as client:
        budget = (await previewed(client))["budget"]
    assert budget["day_ends_at"] == "2026-11-26T05:00:00Z"


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        (
            {"MAX_ORDER_CNY": "50"},
            "XPORTCN_MAX_ORDER_CNY is 50.00 CNY; this order is 64.00 CNY.",
        ),
        ({"MAX_DAY_CNY": "63.99"}, "XPORTCN_MAX_DAY_CNY is 63.99 CNY; "),
        ({"TOTAL_DAY_CNY": "10"}, "XPORTCN_TOTAL_DAY_CNY is 10.00 CNY; "),
        ({"MAX_DAY_ORDERS": "1"}, None),
    ],
)
async def test_an_order_that_a_cap_would_refuse_is_previewed_with_a_warning(
    tmp_path: Path, caps: dict[str, str], words: str | None
) -> None:
    house = House(tmp_path, **caps)
    async with house.client() as client:
        preview = await previewed(client)
        created = await call(client, "create_order", preview["create_order_arguments"])
    if words is None:
        assert "over_budget" not in codes(preview)
        assert created["order"]["state"] == "placed"
        return
    (message,) = (each["message"] for each in preview["warnings"] if each["code"] == "over_budget")
    assert words in message
    assert created["problem"]["code"] == "over_limit"
    assert words in created["problem"]["message"]
    assert house.creates == 0


async def test_a_cap_of_all_callers_counts_in_what_is_left(tmp_path: Path) -> None:
    async with House(tmp_path, TOTAL_DAY_CNY="100").client() as client:
        budget = (await previewed(client))["budget"]
    assert (budget["day_cap"], budget["day_left"]) == (cny("10000.00"), cny("100.00"))


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({}, True),
        ({"APPROVAL": "require"}, True),
        ({"APPROVAL": "off"}, False),
        ({"ASK_ABOVE_CNY": "64"}, False),
        ({"ASK_ABOVE_CNY": "63.99"}, True),
    ],
)
async def test_a_preview_says_whether_its_create_will_ask(
    tmp_path: Path, settings: dict[str, str], *, needs: bool
) -> None:
    person = Person()
    async with House(tmp_path, **settings).client("auto", person) as client:
        answered = await client.call_tool("preview_order", order_arguments())
        assert answered.structured_content is not None
        preview = answered.structured_content["preview"]
        await call(client, "create_order", preview["create_order_arguments"])
    assert preview["needs_approval"] is needs
    assert bool(person.asked) is needs
    assert ("create_order asks no question" in text_of(answered)) is not needs
