"""The owner pauses: no create leaves, whichever process would send it, until they resume."""

from pathlib import Path

import anyio
import pytest

from harness.house import ERAS, Era, House, Person, call, previewed, text_of
from harness.terminal import command

pytestmark = pytest.mark.anyio

REASON = "stock <b>taking</b>\nuntil Monday"


@pytest.mark.parametrize("era", ERAS)
async def test_a_create_is_refused_while_paused_and_goes_through_with_the_same_token_afterwards(
    tmp_path: Path, era: Era
) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        assert (await command(house, "pause", "--reason", REASON)).exit_code == 0
        result = await client.call_tool("create_order", arguments)
        problem = result.structured_content["problem"]
        assert (problem["code"], problem["request_sent"]) == ("paused", "no")
        assert problem["details"]["reason"] == "stock taking until Monday"
        text = text_of(result)
        assert "paused" in text
        assert "「stock taking until Monday」" in text
        assert "xportcn-mcp resume" in text
        assert (person.asked, house.creates) == ([], 0)
        assert (await command(house, "resume")).exit_code == 0
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_pause_that_comes_after_the_checks_still_keeps_the_claim_back(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, RECHECK_AFTER_SECONDS="0")

    async def step(moment: str) -> None:
        if moment == "claim":
            async with house.opened("real") as ledger:
                await ledger.pause("now")

    async with house.client(era, Person(), step=step) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        with anyio.fail_after(30):
            envelope = await call(client, "create_order", arguments)
    assert (envelope["problem"]["code"], envelope["order"]) == ("paused", None)
    assert house.creates == 0


@pytest.mark.parametrize("era", ERAS)
async def test_what_was_ordered_before_is_told_and_previews_are_shown_while_paused(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path)
    async with house.client(era, Person()) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        placed = await call(client, "create_order", arguments)
        await command(house, "pause")
        again = await call(client, "create_order", arguments)
        assert again["order"] == placed["order"] | {"replayed": True}
        assert (await previewed(client))["payable"]
    assert house.creates == 1


async def test_only_what_is_paused_can_be_resumed(tmp_path: Path) -> None:
    refused = await command(House(tmp_path), "resume")
    assert refused.exit_code == 1
    assert "not paused" in refused.stderr
