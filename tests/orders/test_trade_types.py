"""How is paid, and with which promotion: only as the owner allows, pinned, shown, and sent as shown."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from harness.house import ERAS, Era, House, Person, call, order_arguments, previewed
from xportcn_server.sandbox.catalogue import ALIPAY, CREDIT, ESCROW, TradeType
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.sandbox.shapes import AnswerShape

pytestmark = pytest.mark.anyio

# What the sandbox sells: on offer are creditBuy, assureTrade and alipay, in this order.
STAND = {"offer_id": "7105589340126", "quantity": 5}
EARPHONES = {"offer_id": "7043215678901", "spec_id": "9b2e4d7c1a5f48e0b3c6f8d2071e9a54", "quantity": 3}
MANY_EARPHONES = EARPHONES | {"quantity": 5}
# Only creditBuy.
POWER_BANK = {"offer_id": "713360927845", "spec_id": "f3b6d9172e8c4a05b7d40c1e5a9f2863", "quantity": 1}


async def refusal(client: Client, **changes: Any) -> dict[str, Any]:
    envelope = await call(client, "preview_order", order_arguments(**changes))
    assert envelope["preview"] is None, "a token is given only for what can be ordered as shown"
    assert envelope["problem"]["request_sent"] == "no"
    return envelope["problem"]


def sent(house: House) -> dict[str, Any]:
    (order,) = house.sandbox.books.orders
    return dict(order.body)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("setting", "pinned"),
    [
        (None, "assureTrade"),
        ("assureTrade,alipay", "assureTrade"),
        ("alipay,assureTrade", "alipay"),
        ("fxassure,alipay", "alipay"),
        ("period,creditBuy,alipay", "creditBuy"),
        ("alipay", "alipay"),
    ],
)
async def test_the_first_of_the_owners_trade_types_that_is_on_offer_is_pinned_shown_and_sent(
    tmp_path: Path, era: Era, setting: str | None, pinned: str
) -> None:
    house, person = House(tmp_path, **({"TRADE_TYPES": setting} if setting else {})), Person()
    async with house.client(era, person) as client:
        preview = await previewed(client, items=[STAND])
        assert preview["trade_type"] == pinned
        assert preview["groups"][0]["trade_types"] == ["creditBuy", "assureTrade", "alipay"]
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert f"Trade type: {pinned}" in person.asked[0].splitlines()
    assert sent(house)["tradeType"] == pinned


@pytest.mark.parametrize("era", ERAS)
async def test_another_of_the_owners_trade_types_may_be_asked_for(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        preview = await previewed(client, items=[STAND], trade_type="alipay")
        assert preview["trade_type"] == "alipay"
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert sent(house)["tradeType"] == "alipay"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "asked", ["creditBuy", "period", "credit", "creditbuy", "ASSURETRADE", "assure", "x"]
)
async def test_a_trade_type_that_the_owner_does_not_name_is_refused_with_the_list_before_anything_is_asked(
    tmp_path: Path, era: Era, asked: str
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        problem = await refusal(client, items=[STAND], trade_type=asked)
    assert problem["code"] == "invalid_arguments"
    assert {field["field"] for field in problem["details"]["fields"]} == {"trade_type"}
    assert all(allowed in problem["message"] for allowed in ("assureTrade", "fxassure", "alipay"))
    assert house.sandbox.books.received["preview"] == 0


@pytest.mark.parametrize("era", ERAS)
async def test_a_trade_type_of_the_owners_that_is_not_on_offer_is_not_orderable(
    tmp_path: Path, era: Era
) -> None:
    async with House(tmp_path).client(era) as client:
        for asked in ("alipay", "fxassure"):  # alipay is listed there, but its seller has withdrawn it
            problem = await refusal(client, trade_type=asked)
            assert problem["code"] == "not_orderable"
            assert asked in problem["message"]
            assert "assureTrade" in str(problem["details"]["reasons"])
            assert "preview again with one of these as trade_type: assureTrade" in problem["next_step"]


@pytest.mark.parametrize("era", ERAS)
async def test_credit_is_not_used_where_nothing_else_is_on_offer(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        problem = await refusal(client, items=[POWER_BANK])
        assert problem["code"] == "not_orderable"
        assert "creditBuy" in str(problem["details"]["reasons"])
        assert "only the owner can allow another trade type" in problem["next_step"]
    assert house.creates == 0


@pytest.mark.parametrize("era", ERAS)
async def test_credit_is_used_where_the_owner_names_it(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path, TRADE_TYPES="assureTrade,creditBuy"), Person()
    async with house.client(era, person) as client:
        preview = await previewed(client, items=[POWER_BANK])
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert "Trade type: creditBuy" in person.asked[0].splitlines()
    assert sent(house)["tradeType"] == "creditBuy"


@pytest.mark.parametrize("setting", [",", "assureTrade,,alipay", "assure Trade", "alipay,alipay", "支付宝"])
async def test_a_list_of_trade_types_that_cannot_be_read_stops_the_start(
    tmp_path: Path, setting: str
) -> None:
    from harness.house import settings_for
    from xportcn_server.settings.loaded import SettingsError

    with pytest.raises(SettingsError, match="XPORTCN_TRADE_TYPES"):
        settings_for(tmp_path / "ledger.sqlite3", TRADE_TYPES=setting)


# Where the upstream names no trade types


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("setting", "asked", "pinned"),
    [
        (None, None, None),
        ("alipay,assureTrade", None, "alipay"),
        (None, "alipay", "alipay"),
        ("alipay,assureTrade", "assureTrade", "assureTrade"),
    ],
)
async def test_where_no_trade_types_are_named_the_owners_first_is_sent_or_the_person_is_warned(
    tmp_path: Path, era: Era, setting: str | None, asked: str | None, pinned: str | None
) -> None:
    changes = {"TRADE_TYPES": setting} if setting else {}
    house, person = House(tmp_path, build_sandbox("list"), **changes), Person()
    wish = {"trade_type": asked} if asked else {}
    async with house.client(era, person) as client:
        preview = await previewed(client, items=[STAND], **wish)
        assert preview["trade_type"] == pinned
        open_ones = [warning for warning in preview["warnings"] if warning["code"] == "platform_chooses"]
        assert bool(open_ones) is (pinned is None)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert sent(house).get("tradeType") == pinned
    assert f"Trade type: {pinned or 'left to the platform'}" in person.asked[0].splitlines()
    assert ("may buy on credit" in person.asked[0]) is (pinned is None)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), "not_orderable"),
        ((CREDIT,), "not_orderable"),
        ((TradeType("assureTrade", "担保交易", "ASSURE", "", supported=False),), "not_orderable"),
    ],
    ids=["none", "credit alone", "withdrawn alone"],
)
async def test_a_group_without_a_usable_trade_type_gets_no_token(
    tmp_path: Path, kinds: tuple[TradeType, ...], code: str
) -> None:
    from dataclasses import replace

    house = House(tmp_path)
    offer = house.sandbox.catalogue[7105589340126]
    house.sandbox.catalogue[7105589340126] = replace(offer, trade_types=kinds)
    async with house.client() as client:
        assert (await refusal(client, items=[STAND]))["code"] == code


async def test_a_pinned_choice_must_suit_every_group_of_the_order(tmp_path: Path) -> None:
    from dataclasses import replace

    mugs = order_arguments()["items"][0]
    bag = {"offer_id": "655830126694", "spec_id": "3a84c6d20f9b4e17b5e8d7a1c2f06943", "quantity": 1}
    house = House(tmp_path)
    offers = house.sandbox.catalogue
    offers[610947572360] = replace(offers[610947572360], trade_types=(ESCROW, ALIPAY))
    offers[655830126694] = replace(offers[655830126694], trade_types=(CREDIT, ALIPAY))
    async with house.client() as client:
        assert (await previewed(client, items=[mugs, bag]))["trade_type"] == "alipay"
        offers[655830126694] = replace(offers[655830126694], trade_types=(CREDIT,))
        assert (await refusal(client, items=[mugs, bag]))["code"] == "not_orderable"


# Promotions


@pytest.mark.parametrize("era", ERAS)
async def test_the_platforms_promotion_is_pinned_shown_and_sent(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        preview = await previewed(client, items=[EARPHONES])
        assert preview["promotion_id"] == "shop-100-5"
        (promotion,) = preview["groups"][0]["promotions"]
        assert promotion == {
            "promotion_id": "shop-100-5",
            "text": "满100元减5元",
            "selected": True,
            "discount": {"amount": "5.00", "currency": "CNY"},
        }
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert "Promotion: 「shop-100-5」" in person.asked[0].splitlines()
    assert sent(house)["shopPromotionId"] == "shop-100-5"


@pytest.mark.parametrize("era", ERAS)
async def test_another_promotion_on_offer_may_be_asked_for_with_a_warning_that_the_total_is_not_its(
    tmp_path: Path, era: Era
) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        plain = await previewed(client, items=[MANY_EARPHONES])
        preview = await previewed(client, items=[MANY_EARPHONES], promotion_id="shop-200-post")
        assert preview["payable"] == plain["payable"]
        (warning,) = [item for item in preview["warnings"] if item["code"] == "promotion_not_priced"]
        assert not any(item["code"] == "promotion_not_priced" for item in plain["warnings"])
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    assert preview["promotion_id"] == "shop-200-post"
    assert warning["message"] in person.asked[0]
    assert sent(house)["shopPromotionId"] == "shop-200-post"


async def test_the_platforms_own_promotion_may_be_asked_for_without_a_warning(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        preview = await previewed(client, items=[EARPHONES], promotion_id="shop-100-5")
    assert preview["promotion_id"] == "shop-100-5"
    assert not any(warning["code"] == "promotion_not_priced" for warning in preview["warnings"])


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("asked", ["shop-200-post", "shop-100-50", "SHOP-100-5"])
async def test_a_promotion_that_is_not_on_offer_is_not_orderable(
    tmp_path: Path, era: Era, asked: str
) -> None:
    async with House(tmp_path).client(era) as client:
        problem = await refusal(client, items=[EARPHONES], promotion_id=asked)
    assert problem["code"] == "not_orderable"
    assert "shop-100-5" in str(problem["details"]["reasons"])


async def test_no_promotion_is_sent_where_none_applies(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        preview = await previewed(client)
        await call(client, "create_order", preview["create_order_arguments"])
    assert preview["promotion_id"] is None
    assert "shopPromotionId" not in sent(house)


# Flow


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("shape", ["object", "list"])
@pytest.mark.parametrize(
    ("setting", "asked", "pinned"),
    [("fenxiao", None, "fenxiao"), ("fenxiao", "saleproxy", "saleproxy"), (None, "saleproxy", "saleproxy")],
)
async def test_the_flow_that_is_asked_for_or_set_is_previewed_pinned_and_sent(
    tmp_path: Path, era: Era, shape: AnswerShape, setting: str | None, asked: str | None, pinned: str
) -> None:
    house = House(tmp_path, build_sandbox(shape), **({"FLOW": setting} if setting else {}))
    arguments = order_arguments(items=[STAND])
    del arguments["flow"]
    async with house.client(era) as client:
        preview = (await call(client, "preview_order", arguments | ({"flow": asked} if asked else {})))[
            "preview"
        ]
        assert preview["flow"] == pinned
        await call(client, "create_order", preview["create_order_arguments"])
    assert sent(house)["flow"] == pinned


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("shape", "pinned"), [("object", "general"), ("list", None)])
async def test_a_flow_that_nobody_names_is_the_upstreams_or_is_warned_of(
    tmp_path: Path, era: Era, shape: AnswerShape, pinned: str | None
) -> None:
    house, person = House(tmp_path, build_sandbox(shape)), Person()
    arguments = order_arguments(items=[STAND])
    del arguments["flow"]
    async with house.client(era, person) as client:
        preview = (await call(client, "preview_order", arguments))["preview"]
        await call(client, "create_order", preview["create_order_arguments"])
    assert preview["flow"] == pinned
    assert any("flow" in warning["message"] for warning in preview["warnings"]) is (pinned is None)
    assert f"Flow: {pinned or 'left to the platform'}" in person.asked[0].splitlines()
    assert sent(house).get("flow") == pinned
