"""What is ordered costs what was shown: any other terms end the call, with the difference in words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client

from harness.house import ERAS, MUG, MUG_SPEC, Era, House, Person, call, previewed, text_of
from harness.transports import AlteredAnswers
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.sandbox.shapes import AnswerShape

pytestmark = pytest.mark.anyio

Group = dict[str, Any]
Alteration = Callable[[dict[str, Any]], None]

EARPHONES = {"offer_id": "7043215678901", "spec_id": "9b2e4d7c1a5f48e0b3c6f8d2071e9a54", "quantity": 3}
CUP = {"offer_id": "628913047512", "spec_id": "0c9d2f6e8b7a41539e2c5d1f4a6b8703", "quantity": 3}
BAG = {"offer_id": "655830126694", "spec_id": "3a84c6d20f9b4e17b5e8d7a1c2f06943", "quantity": 1}
MUGS = {"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": 2}


def groups_of(answer: dict[str, Any]) -> list[Group]:
    data: Any = answer["data"]
    return cast("list[Group]", data if isinstance(data, list) else data["orderPreviewResuslt"])


def lines_of(group: Group) -> list[dict[str, Any]]:
    return group["cargoList"] if "cargoList" in group else group["orderItemTOList"]


def the_house(folder: Path, shape: AnswerShape = "object", **changes: str) -> tuple[House, AlteredAnswers]:
    """A house whose every create is preceded by another look at the price."""
    house = House(folder, build_sandbox(shape), **{"RECHECK_AFTER_SECONDS": "0"} | changes)
    return house, AlteredAnswers(house.sandbox)


# Each kind of difference


def unit_price(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["finalUnitPrice"] = 30.5


def dearer_line(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["amount"] += 1
    lines_of(group)[0]["finalUnitPrice"] += 0.5
    group["sumPaymentNoCarriage"] += 100
    group["sumPayment"] += 100


def cheaper_line(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["amount"] -= 1
    group["sumPaymentNoCarriage"] -= 100
    group["sumPayment"] -= 100


def cheaper_by_a_fen(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["amount"] -= 0.01
    group["sumPaymentNoCarriage"] -= 1
    group["sumPayment"] -= 1


def moved_between_lines(answer: dict[str, Any]) -> None:
    """The sums stay: one line costs more, the other less."""
    (group,) = groups_of(answer)
    lines_of(group)[0]["amount"] += 2
    lines_of(group)[0]["finalUnitPrice"] += 1
    lines_of(group)[1]["amount"] -= 2


def moved_from_goods_to_freight(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["amount"] -= 1
    group["sumPaymentNoCarriage"] -= 100
    group["sumCarriage"] += 100


def freight(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["sumCarriage"] += 250
    group["sumPayment"] += 250


def fee(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["additionalFee"] = 150
    group["sumPayment"] += 150


def fee_on_top(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["sumTotalPayment"] = group["sumPayment"] + 161


def discount(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["discountFee"] = 300
    group["sumPayment"] -= 300


def flow(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["flowFlag"] = "saleproxy"


def one_trade_type_less(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["tradeModeNameList"].remove("creditBuy")
    group["tradeModelList"] = [
        model for model in group["tradeModelList"] if model["tradeType"] != "creditBuy"
    ]


def other_trade_types(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["tradeModeNameList"] = ["alipay"]
    group["tradeModelList"] = [{"tradeType": "alipay", "name": "支付宝", "opSupport": True}]


def another_promotion(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["shopPromotionList"] = [{"promotionId": "shop-7", "selected": True, "text": "x", "discountFee": 0}]


def one_more_promotion_to_choose(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["shopPromotionList"].append({"promotionId": "shop-7", "selected": False, "discountFee": 100})


def another_sku(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0]["skuId"] += 1


def two_orders(answer: dict[str, Any]) -> None:
    """The same two lines at the same total, in two orders instead of one."""
    (group,) = groups_of(answer)
    first, second = lines_of(group)
    whole = round(second["amount"] * 100)
    other = group | {
        "cargoList": [second],
        "sumCarriage": 0,
        "sumPaymentNoCarriage": whole,
        "sumPayment": whole,
    }
    group["cargoList"] = [first]
    group["sumPaymentNoCarriage"] -= whole
    group["sumPayment"] -= whole
    groups_of(answer).append(other)


def freight_moved_between_orders(answer: dict[str, Any]) -> None:
    first, second = groups_of(answer)
    for group, more in ((first, 100), (second, -100)):
        group["sumCarriage"] += more
        group["sumPayment"] += more


def freight_to_be_negotiated(answer: dict[str, Any]) -> None:
    answer["data"]["postFeeByDescOfferList"] = [int(MUG)]


def no_cross_border_pay(answer: dict[str, Any]) -> None:
    answer["data"]["unsupportedCrossBorderPayOfferList"] = [int(MUG)]


def total_of_the_list_shape(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group["sumTotalPayment"] += 1


def no_total_in_the_list_shape(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    del group["sumTotalPayment"]


DRIFTS: list[tuple[str, Alteration, list[dict[str, Any]], AnswerShape, dict[str, tuple[str, str]]]] = [
    ("unit price", unit_price, [MUGS], "object", {"order 1 line 1 unit_price": ("29.00", "30.50")}),
    (
        "line amount",
        dearer_line,
        [MUGS],
        "object",
        {
            "order 1 line 1 unit_price": ("29.00", "29.50"),
            "payable": ("64.00", "65.00"),
        },
    ),
    ("a lower price", cheaper_line, [MUGS], "object", {"payable": ("64.00", "63.00")}),
    ("a price lower by a fen", cheaper_by_a_fen, [MUGS], "object", {"payable": ("64.00", "63.99")}),
    (
        "amounts that move between lines",
        moved_between_lines,
        [MUGS, CUP],
        "object",
        {"order 1 line 1 unit_price": ("29.00", "30.00"), "order 1 line 2 amount": ("55.50", "53.50")},
    ),
    (
        "amounts that move to the freight",
        moved_from_goods_to_freight,
        [MUGS],
        "object",
        {"freight": ("6.00", "7.00"), "order 1 line 1 amount": ("58.00", "57.00")},
    ),
    ("freight", freight, [MUGS], "object", {"freight": ("6.00", "8.50"), "payable": ("64.00", "66.50")}),
    ("fee", fee, [MUGS], "object", {"fees": ("0.00", "1.50"), "payable": ("64.00", "65.50")}),
    ("fee on top", fee_on_top, [MUGS], "object", {"fees": ("0.00", "1.61"), "payable": ("64.00", "65.61")}),
    ("discount", discount, [MUGS], "object", {"discount": ("0.00", "3.00"), "payable": ("64.00", "61.00")}),
    ("flow", flow, [MUGS], "object", {"flow": ("general", "saleproxy")}),
    ("the pinned trade type", other_trade_types, [MUGS], "object", {"trade_type": ("assureTrade", "alipay")}),
    (
        "the applied promotion",
        another_promotion,
        [EARPHONES],
        "object",
        {"promotion_id": ("shop-100-5", "shop-7")},
    ),
    (
        "the sku",
        another_sku,
        [MUGS],
        "object",
        {
            "order 1 line 1 goods": (
                f"offer {MUG}, spec {MUG_SPEC}, sku 4389017265501",
                f"offer {MUG}, spec {MUG_SPEC}, sku 4389017265502",
            )
        },
    ),
    (
        "the number of orders",
        two_orders,
        [MUGS, CUP],
        "object",
        {"orders": ("1", "2"), "order 2 payable": ("none", "55.50")},
    ),
    (
        "freight that moves between orders",
        freight_moved_between_orders,
        [MUGS, BAG],
        "object",
        {"order 1 freight": ("6.00", "7.00"), "order 2 freight": ("6.00", "5.00")},
    ),
    (
        "freight by description",
        freight_to_be_negotiated,
        [MUGS],
        "object",
        {"freight_by_description": ("none", MUG)},
    ),
    ("cross-border pay", no_cross_border_pay, [MUGS], "object", {"no_cross_border_pay": ("none", MUG)}),
    (
        "the total of the list shape",
        total_of_the_list_shape,
        [MUGS],
        "list",
        {"payable": ("65.61", "65.62"), "fees": ("1.61", "1.62")},
    ),
    (
        "a total that is gone",
        no_total_in_the_list_shape,
        [MUGS],
        "list",
        {"payable": ("65.61", "64.00"), "fees": ("1.61", "0.00")},
    ),
]


async def refused_for(client: Client, arguments: dict[str, str]) -> dict[str, Any]:
    """The problem of a create whose terms have changed."""
    envelope = await call(client, "create_order", arguments)
    problem = envelope["problem"]
    assert problem["code"] == "terms_changed", problem
    assert problem["request_sent"] == "no"
    assert envelope["order"] is None
    return problem


def changes_of(problem: dict[str, Any]) -> dict[str, tuple[str, str]]:
    changes = problem["details"]["changes"]
    assert all(set(change) == {"what", "was", "now"} for change in changes)
    assert all(change["was"] != change["now"] for change in changes)
    return {change["what"]: (change["was"], change["now"]) for change in changes}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("what", "alteration", "items", "shape", "expected"),
    DRIFTS,
    ids=[row[0].replace(" ", "-") for row in DRIFTS],
)
async def test_a_difference_is_told_in_words_with_a_new_preview_and_nothing_is_sent(
    tmp_path: Path,
    era: Era,
    what: str,
    alteration: Alteration,
    items: list[dict[str, Any]],
    shape: AnswerShape,
    expected: dict[str, tuple[str, str]],
) -> None:
    changes = {"TRADE_TYPES": "assureTrade,alipay"}
    house, upstream = the_house(tmp_path, shape, **changes)
    person = Person()
    async with house.client(era, person, new_transport=upstream) as client:
        preview = await previewed(client, items=items)
        upstream.alter = alteration
        problem = await refused_for(client, preview["create_order_arguments"])
        found = changes_of(problem)
        assert found.items() >= expected.items(), (what, found)
        for field in list(found)[:5]:
            assert field in problem["message"]
        fresh = problem["preview"]
        assert fresh["preview_token"] != preview["preview_token"]
        assert fresh["approval_code"] != preview["approval_code"]
        assert fresh["out_order_id"] == preview["out_order_id"]
        assert fresh["create_order_arguments"]["preview_token"] == fresh["preview_token"]
        assert fresh["create_order_arguments"]["expected_total"] == fresh["payable"]["amount"]
        if "payable" in expected:
            assert (preview["payable"]["amount"], fresh["payable"]["amount"]) == expected["payable"]
        assert house.creates == 0
        assert (await call(client, "get_orders"))["orders"] == []
        # The old token is unspent: it is good again once the terms are.
        upstream.alter = None
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
        used = (await call(client, "create_order", fresh["create_order_arguments"]))["problem"]
        assert used["code"] == "duplicate_reference"
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
async def test_the_new_preview_needs_a_yes_of_its_own_and_orders_at_its_own_price(
    tmp_path: Path, era: Era
) -> None:
    house, upstream = the_house(tmp_path)
    person = Person()
    async with house.client(era, person, new_transport=upstream) as client:
        preview = await previewed(client)
        mug = house.sandbox.catalogue[int(MUG)]
        dearer = tuple(replace(sku, price_fen=sku.price_fen + 10) for sku in mug.skus)
        house.sandbox.catalogue[int(MUG)] = replace(mug, skus=dearer)
        fresh = (await refused_for(client, preview["create_order_arguments"]))["preview"]
        assert len(person.asked) == 1
        order = (await call(client, "create_order", fresh["create_order_arguments"]))["order"]
        assert order["payable"] == fresh["payable"] == {"amount": "64.20", "currency": "CNY"}
        assert len(person.asked) == 2
        assert "64.20" in person.asked[1]
        old = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert old["code"] == "duplicate_reference"
    assert [placed.payable_fen for placed in house.sandbox.books.orders] == [6420]


@pytest.mark.parametrize("era", ERAS)
async def test_the_old_total_with_the_new_token_is_refused(tmp_path: Path, era: Era) -> None:
    house, upstream = the_house(tmp_path)
    async with house.client(era, new_transport=upstream) as client:
        preview = await previewed(client)
        upstream.alter = dearer_line
        fresh = (await refused_for(client, preview["create_order_arguments"]))["preview"]
        mixed = preview["create_order_arguments"] | {"preview_token": fresh["preview_token"]}
        assert (await call(client, "create_order", mixed))["problem"]["code"] == "echo_mismatch"
        assert house.creates == 0


async def test_more_than_five_changes_are_counted_in_the_message_and_all_listed_in_the_details(
    tmp_path: Path,
) -> None:
    def all_at_once(answer: dict[str, Any]) -> None:
        for alter in (dearer_line, freight, fee, discount, flow, another_sku):
            alter(answer)

    house, upstream = the_house(tmp_path)
    async with house.client(new_transport=upstream) as client:
        preview = await previewed(client)
        upstream.alter = dearer_line
        problem = await refused_for(client, preview["create_order_arguments"])
        upstream.alter = all_at_once
        more = await refused_for(client, preview["create_order_arguments"])
    assert len(changes_of(problem)) == 2
    assert "more" not in problem["message"].partition(":")[2].split(".")[0]
    assert len(changes_of(more)) > 5
    assert f"and {len(changes_of(more)) - 5} more" in more["message"]


# No longer orderable


def group_refused(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group |= {"status": False, "resultCode": "500_004", "message": "库存不足"}


def line_refused(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    lines_of(group)[0] |= {"resultCode": "500_004", "message": "库存不足"}


def refused_as_a_whole(answer: dict[str, Any]) -> None:
    answer |= {"code": "500_004", "msg": "库存不足", "data": None}


def refused_inside_the_data(answer: dict[str, Any]) -> None:
    answer["data"] = {"success": False, "errorCode": "500_004", "errorMsg": "库存不足"}


def no_trade_type(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group |= {"tradeModeNameList": [], "tradeModelList": []}


def only_credit(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    group |= {"tradeModeNameList": ["creditBuy"], "tradeModelList": []}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "alteration",
    [group_refused, line_refused, refused_as_a_whole, refused_inside_the_data, no_trade_type, only_credit],
    ids=lambda alteration: alteration.__name__.replace("_", "-"),
)
async def test_an_item_no_longer_on_sale_changes_the_terms_without_a_new_token(
    tmp_path: Path, era: Era, alteration: Alteration
) -> None:
    house, upstream = the_house(tmp_path)
    async with house.client(era, new_transport=upstream) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        upstream.alter = alteration
        problem = await refused_for(client, arguments)
        (change,) = problem["details"]["changes"]
        assert (change["what"], change["was"]) == ("orderable", "yes")
        assert change["now"].startswith("no")
        assert problem["preview"] is None
        if alteration not in (no_trade_type, only_credit):
            assert "库存不足" in str(problem["details"]["reasons"])
            assert "库存不足" not in problem["message"]
        assert house.creates == 0
        upstream.alter = None
        assert (await call(client, "create_order", arguments))["ok"]


# Equal terms


def other_words(answer: dict[str, Any]) -> None:
    """Everything that a seller may reword without changing the deal."""
    answer["msg"] = "ok"
    for group in groups_of(answer):
        group["message"] = "new words"
        for line in lines_of(group):
            line["message"] = "other words"
        for promotion in group.get("shopPromotionList", []):
            promotion |= {"text": "a new text", "desc": "<b>new</b>"}
        for model in group.get("tradeModelList", []):
            model |= {"name": "another name", "description": "another description", "tradeWay": "X"}
        group["payChannelList"] = []
        group["unheardOf"] = {"of": 1}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("shape", ["object", "list"])
@pytest.mark.parametrize(
    "items", [[MUGS], [MUGS, CUP], [EARPHONES]], ids=["one line", "two lines", "a promotion"]
)
async def test_a_change_of_texts_is_no_change_of_terms(
    tmp_path: Path, era: Era, shape: AnswerShape, items: list[dict[str, Any]]
) -> None:
    house, upstream = the_house(tmp_path, shape)
    async with house.client(era, new_transport=upstream) as client:
        arguments = (await previewed(client, items=items))["create_order_arguments"]
        upstream.alter = other_words
        result = await client.call_tool("create_order", arguments)
        assert not result.is_error, text_of(result)
        assert "words" not in text_of(result)
    assert house.sandbox.books.received["preview"] == 2
    assert house.creates == 1


def groups_and_lines_turned_round(answer: dict[str, Any]) -> None:
    groups_of(answer).reverse()
    for group in groups_of(answer):
        lines_of(group).reverse()


@pytest.mark.parametrize("shape", ["object", "list"])
async def test_another_order_of_the_same_groups_and_lines_is_no_change(
    tmp_path: Path, shape: AnswerShape
) -> None:
    house, upstream = the_house(tmp_path, shape)
    async with house.client(new_transport=upstream) as client:
        preview = await previewed(client, items=[MUGS, BAG, CUP])
        assert len(preview["groups"]) == 2
        upstream.alter = groups_and_lines_turned_round
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert house.creates == 1


def choices_turned_round(answer: dict[str, Any]) -> None:
    (group,) = groups_of(answer)
    for name in ("tradeModeNameList", "tradeModelList", "shopPromotionList"):
        assert len(group[name]) > 1
        group[name].reverse()


@pytest.mark.parametrize("alteration", [one_trade_type_less, one_more_promotion_to_choose])
async def test_what_is_on_offer_and_not_taken_may_change_and_the_order_is_placed(
    tmp_path: Path, alteration: Alteration
) -> None:
    house, upstream = the_house(tmp_path)
    async with house.client(new_transport=upstream) as client:
        preview = await previewed(client)
        upstream.alter = alteration
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert house.creates == 1


async def test_another_order_of_the_same_choices_is_no_change(tmp_path: Path) -> None:
    house, upstream = the_house(tmp_path)
    async with house.client(new_transport=upstream) as client:
        preview = await previewed(client, items=[EARPHONES | {"quantity": 5}])
        upstream.alter = choices_turned_round
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert house.creates == 1


# When it is looked at again


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("age", "looks"), [(0, 1), (15, 1), (15.001, 2), (599, 2), (-1, 2)])
async def test_a_preview_older_than_the_setting_is_priced_again_before_the_create(
    tmp_path: Path, era: Era, age: float, looks: int
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def clock() -> datetime:
        return now

    house = House(tmp_path, build_sandbox(clock=clock))
    async with house.client(era, clock=clock) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        now += timedelta(seconds=age)
        assert (await call(client, "create_order", arguments))["ok"]
    assert house.sandbox.books.received["preview"] == looks


async def test_the_ledger_has_the_new_preview_and_no_claim(tmp_path: Path) -> None:
    house, upstream = the_house(tmp_path)
    async with house.client(new_transport=upstream) as client:
        preview = await previewed(client)
        upstream.alter = dearer_line
        await refused_for(client, preview["create_order_arguments"])
    async with house.opened() as ledger:
        assert await ledger.trail() == []
        assert [stored.payable_fen for stored in await ledger.waiting()] == [6500, 6400]
