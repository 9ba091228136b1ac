"""Ways that were once open to get another order than the one that was shown, or a second one."""

from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp_types import CallToolResult

from harness.house import ERAS, MUG, Era, House, call, order_arguments, previewed, text_of
from harness.transports import AlteredAnswers
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.ledger.ledger import OrderQuery, Outcome

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "sums",
    [
        {"sumTotalPayment": 0},
        {"sumTotalPayment": -13600, "discountFee": 20000},
        {"sumTotalPayment": 0, "discountFee": 6400},
    ],
)
async def test_a_total_of_nothing_or_less_beside_a_sum_is_no_total(
    tmp_path: Path, sums: dict[str, int]
) -> None:
    house = House(tmp_path, build_sandbox("list"))

    def alter(answer: dict[str, Any]) -> None:
        answer["data"][0] |= sums

    async with house.client(new_transport=AlteredAnswers(house.sandbox, alter)) as client:
        envelope = await call(client, "preview_order", order_arguments())
    assert envelope["problem"]["code"] == "units_unclear"


@pytest.mark.parametrize("era", ERAS)
async def test_whole_yuan_written_as_doubles_get_no_token_and_their_figures_stand_in_both_halves(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, build_sandbox("list"))

    def alter(answer: dict[str, Any]) -> None:
        (group,) = answer["data"]
        (line,) = group["orderItemTOList"]
        for part in (group, line):
            part |= {name: part[name] / 100 for name in part if name.startswith(("sum", "amount", "final"))}
        group["sumTotalPayment"] = 64.0

    async with house.client(era, new_transport=AlteredAnswers(house.sandbox, alter)) as client:
        result = await client.call_tool("preview_order", order_arguments())
    assert isinstance(result, CallToolResult)
    problem = cast("dict[str, Any]", result.structured_content)["problem"]
    assert problem["code"] == "units_unclear"
    figures: str = problem["details"]["figures"][0]
    assert figures.startswith("sumPayment 64.0, sumCarriage 6.0, sumPaymentNoCarriage 58.0")
    assert f"offer {MUG}: amount 58.0, finalUnitPrice 29.0" in figures
    assert f"- {figures}" in text_of(result).splitlines()


async def test_an_answer_that_prices_thousands_of_lines_is_one_short_problem(tmp_path: Path) -> None:
    house = House(tmp_path)

    def alter(answer: dict[str, Any]) -> None:
        (group,) = answer["data"]["orderPreviewResuslt"]
        group["cargoList"] *= 10_000

    async with house.client(new_transport=AlteredAnswers(house.sandbox, alter)) as client:
        envelope = await call(client, "preview_order", order_arguments())
    assert envelope["problem"]["code"] == "upstream_unavailable"
    assert len(str(envelope)) < 2000


async def test_the_spec_that_the_upstream_priced_is_the_one_that_is_ordered(tmp_path: Path) -> None:
    house = House(tmp_path)

    def alter(answer: dict[str, Any]) -> None:
        answer["data"]["orderPreviewResuslt"][0]["cargoList"][0]["specId"] = "BLUE"

    plain = {"offer_id": "7105589340126", "quantity": 5}
    async with house.client(new_transport=AlteredAnswers(house.sandbox, alter)) as client:
        preview = await previewed(client, items=[plain])
        assert preview["groups"][0]["lines"][0]["spec_id"] == "BLUE"
        await call(client, "create_order", preview["create_order_arguments"])
    async with house.opened() as ledger:
        stored = await ledger.preview_by_code(preview["approval_code"])
    assert stored is not None
    assert [item.spec_id for item in stored.request.items] == ["BLUE"]


async def test_a_trade_type_that_the_owner_removed_is_not_ordered_with_an_old_token(
    tmp_path: Path,
) -> None:
    credit = {"offer_id": "713360927845", "spec_id": "f3b6d9172e8c4a05b7d40c1e5a9f2863", "quantity": 1}
    house = House(tmp_path, TRADE_TYPES="assureTrade,creditBuy")
    async with house.client() as client:
        preview = await previewed(client, items=[credit], trade_type="creditBuy")
    house.changes = {"TRADE_TYPES": "assureTrade", "RECHECK_AFTER_SECONDS": "1800"}
    async with house.client() as client:
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert envelope["problem"]["code"] == "invalid_arguments"
    assert house.creates == 0


async def test_a_second_preview_of_what_is_being_sent_is_warned_of_and_refused(tmp_path: Path) -> None:
    """An assistant whose client gave up previews again, while the first create is on its way."""
    house, sending, go_on = House(tmp_path), anyio.Event(), anyio.Event()

    async def gate(step: str) -> None:
        if step == "send":
            sending.set()
            await go_on.wait()

    async with house.client(step=gate) as slow, house.client() as other, anyio.create_task_group() as tasks:
        first = await previewed(slow)
        tasks.start_soon(call, slow, "create_order", first["create_order_arguments"])
        with anyio.fail_after(20):
            await sending.wait()
        twin = await previewed(other)
        assert "earlier_order_unknown" in {warning["code"] for warning in twin["warnings"]}
        refused = await call(other, "create_order", twin["create_order_arguments"])
        assert refused["problem"]["code"] == "order_in_progress"
        assert refused["problem"]["details"] == {"out_order_id": first["out_order_id"]}
        go_on.set()
    assert house.creates == 1


async def test_an_answer_that_a_person_had_ruled_out_is_told_with_its_ids(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def resolved_meanwhile(step: str) -> None:
        if step == "record":
            async with house.opened() as ledger:
                (order,) = await ledger.orders(OrderQuery(None))
                await ledger.record(order.order_key, Outcome("unknown", "unknown"))
                await ledger.resolve(order.order_key, Outcome("absent", "unknown"), "resolved_by_operator")

    async with house.client(step=resolved_meanwhile) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    problem = envelope["problem"]
    assert (problem["code"], problem["request_sent"]) == ("outcome_unknown", "yes")
    assert problem["details"]["order_ids"] == house.order_ids
    assert house.order_ids[0] in problem["message"]
    assert "preview_order" not in problem["next_step"]


async def test_trade_types_in_another_order_are_the_same_terms(tmp_path: Path) -> None:
    house, turn = House(tmp_path, RECHECK_AFTER_SECONDS="0"), iter((False, True))

    def alter(answer: dict[str, Any]) -> None:
        if next(turn):
            for name in ("tradeModeNameList", "tradeModelList"):
                answer["data"]["orderPreviewResuslt"][0][name].reverse()

    async with house.client(new_transport=AlteredAnswers(house.sandbox, alter)) as client:
        preview = await previewed(client)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]


async def test_the_message_to_the_seller_is_shown_with_the_preview(tmp_path: Path) -> None:
    items = [order_arguments()["items"][0] | {"product_no": "SKU-77"}]
    async with House(tmp_path).client() as client:
        arguments = order_arguments(message="请用纸箱", dropshipping=True, items=items)
        result = await client.call_tool("preview_order", arguments)
    text = str(result.content)
    assert "请用纸箱" in text
    assert "Dropshipping: yes" in text
    assert "SKU-77" in text
    assert MUG in text
