"""A person's order is forgotten: in every file of the ledger, in list and receipt, and the trail stays whole."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from harness.clock import Clock
from harness.house import ADDRESS, ERAS, Era, House, Person, call, previewed, text_of
from harness.terminal import command
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.order import ERASED

pytestmark = pytest.mark.anyio

MESSAGE = "Please ring twice at the green door"
PERSONAL = (*(ADDRESS[name] for name in ("full_name", "mobile", "address")), MESSAGE)


def traces(ledger: Path, words: Sequence[str] = PERSONAL) -> list[str]:
    content = b"".join(path.read_bytes() for path in ledger.parent.glob(f"{ledger.name}*"))
    found = [word for word in words if word.encode() in content]
    return found + [word for word in words if word.encode("ascii", "backslashreplace") in content]


@pytest.mark.parametrize("era", ERAS)
async def test_nothing_of_a_forgotten_order_is_found_in_the_ledgers_files(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era, Person()) as client:
        arguments = (await previewed(client, message=MESSAGE))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
        assert traces(house.ledger)
        done = await command(house, "forget", order["out_order_id"])
        assert done.exit_code == 0, done.output
        assert traces(house.ledger) == []
        again = await client.call_tool("create_order", arguments)
        assert again.structured_content["order"] == order | {
            "ship_to": ERASED,
            "replayed": True,
            "updated_at": again.structured_content["order"]["updated_at"],
        }
        assert ERASED in text_of(again)
        listed = await client.call_tool("get_orders", {})
        assert ERASED in text_of(listed)
        receipt = str(await client.read_resource(f"order://{order['out_order_id']}"))
        assert ERASED.partition(":")[0] in receipt
        assert [word for word in PERSONAL if word in receipt + text_of(listed) + text_of(again)] == []
    assert (await command(house, "audit", "verify")).exit_code == 0
    assert ERASED in (await command(house, "orders", "show", order["out_order_id"])).stdout
    assert house.creates == 1


async def test_with_an_order_goes_what_its_warnings_and_its_replaced_previews_say_of_the_address(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    abroad = ADDRESS | {"province": "Freistaat Bayern"}
    async with house.client("auto", Person()) as client:
        for quantity in (2, 3):
            preview = await previewed(client, quantity=quantity, address=abroad, out_order_id="Order-0001")
        assert "address_abroad" in [each["code"] for each in preview["warnings"]]
        await call(client, "create_order", preview["create_order_arguments"])
        assert abroad["province"] in traces(house.ledger, (abroad["province"],))
        assert (await command(house, "forget", "Order-0001")).exit_code == 0
        assert traces(house.ledger, (*PERSONAL, abroad["province"])) == []
    assert (await command(house, "audit", "verify")).exit_code == 0


async def test_an_order_of_unknown_outcome_is_not_forgotten(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.sandbox.faults.add("reset-after-order", "create")
    async with house.client("auto", Person()) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        order = (await call(client, "create_order", arguments))["order"]
    assert order["state"] == "unknown"
    refused = await command(house, "forget", order["out_order_id"])
    assert refused.exit_code == 1
    assert "is unknown" in refused.stderr
    assert traces(house.ledger)
    assert (await command(house, "forget", "PO-nobodys")).exit_code == 1


async def test_a_server_erases_at_its_start_what_is_older_than_the_retention(tmp_path: Path) -> None:
    clock = Clock()
    house = House(tmp_path, build_sandbox(clock=clock), RETENTION_DAYS="30")
    async with house.client("auto", Person(), clock=clock) as client:
        placed = await previewed(client, message=MESSAGE)
        await call(client, "create_order", placed["create_order_arguments"])
        await previewed(client, quantity=5, message=MESSAGE)
    clock.advance(timedelta(days=31).total_seconds())
    async with house.client("auto", Person(), clock=clock) as client:
        with anyio.fail_after(30):
            while (await call(client, "get_orders"))["orders"][0]["ship_to"] != ERASED:
                await anyio.lowlevel.checkpoint()
    verified = await command(house, "audit", "verify")
    assert verified.exit_code == 0, verified.output


async def test_a_forgotten_order_is_still_the_same_goods_for_a_day(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client("auto", Person()) as client:
        first, second = await previewed(client), await previewed(client)
        order = (await call(client, "create_order", first["create_order_arguments"]))["order"]
        assert (await command(house, "forget", order["out_order_id"])).exit_code == 0
        ended = await call(client, "create_order", second["create_order_arguments"])
        assert ended["problem"]["code"] == "terms_changed"
        (warning,) = [
            each["message"]
            for each in (await previewed(client))["warnings"]
            if each["code"] == "recent_identical_order"
        ]
    assert order["out_order_id"] in warning
    assert house.creates == 1


async def test_while_an_order_is_being_sent_the_file_is_not_rewritten_which_would_keep_its_outcome_out(
    tmp_path: Path,
) -> None:
    house, said = House(tmp_path), list[tuple[int, str]]()

    async def forget_meanwhile(moment: str) -> None:
        if moment == "send" and house.creates:
            done = await command(house, "forget", first["out_order_id"])
            said.append((done.exit_code, done.stderr))

    async with house.client("auto", Person(), step=forget_meanwhile) as client:
        first = await previewed(client)
        await call(client, "create_order", first["create_order_arguments"])
        second = await previewed(client, quantity=3)
        assert (await call(client, "create_order", second["create_order_arguments"]))["ok"]
    ((code, words),) = said
    assert code == 1
    assert "an order is being sent); run this again" in words
    assert (await command(house, "forget", first["out_order_id"])).exit_code == 0
