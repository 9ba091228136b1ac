"""Goods by name: read beside the price, shown wherever a person looks, part of the terms, and never in the way."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import TextResourceContents

from harness.clock import Clock
from harness.house import (
    ERAS,
    MUG,
    MUG_SPEC,
    Era,
    House,
    Person,
    call,
    fifty_lines,
    order_arguments,
    previewed,
    text_of,
)
from harness.seams import ForwardingUpstream
from harness.settings import settings_for
from harness.terminal import command
from harness.transports import Alteration, AlteredAnswers
from xportcn_server.parts import Seams, upstream_of
from xportcn_server.sandbox.catalogue import CATALOGUE
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.desk import pricing
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import Upstream

pytestmark = pytest.mark.anyio

NAME = "「Nordic ceramic mug with lid and spoon (白色 = White)」"
GOODS = "2 × 「Nordic ceramic mug with lid and spoon (白色)」"
NAMELESS = f"2 × offer {MUG} spec b266e072…530d"
NEW_TITLE = "升级款新标题"
ALWAYS = {"RECHECK_AFTER_SECONDS": "0"}


def codes(preview: Mapping[str, Any]) -> list[str]:
    return [warning["code"] for warning in preview["warnings"]]


def line_of(preview: Mapping[str, Any]) -> dict[str, Any]:
    ((line,),) = (group["lines"] for group in preview["groups"])
    return line


async def receipt_of(client: Client, reference: str) -> str:
    (contents,) = (await client.read_resource(f"order://{reference}")).contents
    assert isinstance(contents, TextResourceContents)
    return contents.text


# Where names stand


@pytest.mark.parametrize("era", ERAS)
async def test_goods_are_named_wherever_a_person_looks(tmp_path: Path, era: Era) -> None:
    house, person = House(tmp_path), Person()
    async with house.client(era, person) as client:
        answered = await client.call_tool("preview_order", order_arguments())
        assert answered.structured_content is not None
        preview = answered.structured_content["preview"]
        created = await client.call_tool("create_order", preview["create_order_arguments"])
        found = await client.call_tool("get_orders", {"reference": preview["out_order_id"]})
        receipt = await receipt_of(client, preview["out_order_id"])
    line = line_of(preview)
    assert (line["title"], line["title_translated"]) == (
        "北欧风陶瓷马克杯带盖带勺",
        "Nordic ceramic mug with lid and spoon",
    )
    assert (line["option"], line["option_translated"], line["unit"]) == ("白色", "White", "个")
    assert line["image"].startswith("https://cbu01.alicdn.com/")
    assert preview["groups"][0]["seller_open_id"] == "BBBsandboxYiwuHousehold01"
    assert "goods_not_named" not in codes(preview)
    assert preview["goods"] == preview["create_order_arguments"]["goods"] == GOODS
    text = text_of(answered)
    assert f"- 2 「个」 × {NAME} offer {MUG} spec {MUG_SPEC} at 29.00: 58.00 CNY" in text
    assert text.count("BBBsandboxYiwuHousehold01") == 1
    assert "alicdn" not in text
    (form,) = person.asked
    assert f"- 2 「个」 x {NAME} offer {MUG} spec {MUG_SPEC} at 29.00: 58.00 CNY" in form
    assert f"| {NAME} | 个 | `{MUG}` | `{MUG_SPEC}` | – | 2 | 29.00 CNY | 58.00 CNY |" in receipt
    for answer in (created, found):
        assert f"Goods: {GOODS}" in text_of(answer)
        content = answer.structured_content
        assert content is not None
        order = content["order"] if "order" in content else content["orders"][0]
        assert order["goods"] == GOODS
        assert (order["lines"][0]["title"], order["lines"][0]["option"]) == (line["title"], "白色")
    for printed in (
        (await command(house, "orders", "show", preview["out_order_id"])).output,
        (await receipt_show(house, person)),
    ):
        assert NAME in printed


async def receipt_show(house: House, person: Person) -> str:
    """What `approve` shows of another preview of the same goods."""
    async with house.client() as client:
        preview = await previewed(client, quantity=3)
    return (await command(house, "approve", preview["approval_code"], answer="n\n")).output


# Names never stand in the way


class Doubled(ForwardingUpstream):
    """An upstream that gives a price once the product is asked for, and the product when it may."""

    def __init__(self, inner: Upstream) -> None:
        super().__init__(inner)
        self.answers_products = anyio.Event()
        self.reads = 0
        self.reading = anyio.Event()

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        await self.reading.wait()  # names are read at the same time, or this never ends
        return await super().preview(body, user_id)

    async def read(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        self.reads += 1
        self.reading.set()
        await self.answers_products.wait()
        return await super().read(path, body, user_id)


def doubled(house: House) -> Doubled:
    return Doubled(upstream_of(settings_for(house.ledger), Seams(sandbox=house.sandbox)))


async def test_names_are_read_at_the_same_time_as_the_price_and_then_remembered(tmp_path: Path) -> None:
    house = House(tmp_path)
    upstream = doubled(house)
    upstream.answers_products.set()
    with anyio.fail_after(20):
        async with house.client(upstream=upstream) as client:
            assert line_of(await previewed(client))["option"] == "白色"
            assert line_of(await previewed(client))["option"] == "白色"
    assert upstream.reads == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_product_path_that_hangs_costs_the_names_and_not_the_order(
    tmp_path: Path, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pricing.NAMES_WAIT_SECONDS == 3
    monkeypatch.setattr(pricing, "NAMES_WAIT_SECONDS", 0.01)
    house, person = House(tmp_path), Person()
    with anyio.fail_after(20):
        async with house.client(era, person, upstream=doubled(house)) as client:
            preview = await previewed(client)
            placed = await call(client, "create_order", preview["create_order_arguments"])
    assert "goods_not_named" in codes(preview)
    assert preview["goods"] == NAMELESS
    assert placed["order"]["state"] == "placed"
    (note,) = (row for row in person.asked[0].splitlines() if row.startswith("Note (goods_not_named)"))
    assert f"https://detail.1688.com/offer/{MUG}.html" in note


def not_the_product(answer: dict[str, Any]) -> str | None:
    answer["data"] = [{"offerId": 1, "subject": "another"}]
    return None


def a_list_of_nonsense(answer: dict[str, Any]) -> str | None:
    answer["data"] = [1, None, [], {"result": {"result": []}}]
    return None


def html(answer: dict[str, Any]) -> str | None:
    del answer
    return "<html><body>登录</body></html>"


def a_huge_title(answer: dict[str, Any]) -> str | None:
    answer["data"] = {"offerId": MUG, "subject": {"a": ["b"]}, "productSkuInfos": "no list"}
    return None


@pytest.mark.parametrize("alter", [not_the_product, a_list_of_nonsense, html, a_huge_title])
async def test_a_product_answer_that_lies_costs_the_names_and_not_the_order(
    tmp_path: Path, alter: Any
) -> None:
    house = House(tmp_path)
    answers = AlteredAnswers(house.sandbox, alter, "/product/detail/get")
    async with house.client(new_transport=answers) as client:
        preview = await previewed(client)
        assert "goods_not_named" in codes(preview)
        assert line_of(preview)["title"] is None
        placed = await call(client, "create_order", preview["create_order_arguments"])
    assert placed["order"]["state"] == "placed"


@pytest.mark.parametrize(
    "fault", ["path-404", "no-such-interface", "not-permitted", "no-such-product", "other-offer", "http-500"]
)
async def test_a_product_that_cannot_be_read_is_named_by_its_ids_with_the_reason(
    tmp_path: Path, fault: str
) -> None:
    house, person = House(tmp_path), Person()
    for endpoint in ("product", "sibling-product"):
        house.sandbox.faults.add(fault, endpoint, times=None)
    async with house.client("auto", person) as client:
        preview = await previewed(client)
        placed = await call(client, "create_order", preview["create_order_arguments"])
        receipt = await receipt_of(client, preview["out_order_id"])
    assert codes(preview) == ["goods_not_named"]
    assert placed["order"]["state"] == "placed"
    assert placed["order"]["goods"] == preview["goods"] == NAMELESS
    assert "Note (goods_not_named)" in person.asked[0]
    assert f"not named: https\\://detail.1688.com/offer/{MUG}.html" in receipt


async def test_where_products_are_not_read_the_warning_says_so_all_the_same(tmp_path: Path) -> None:
    async with House(tmp_path, PRODUCTS="off").client() as client:
        preview = await previewed(client)
    assert codes(preview) == ["goods_not_named"]
    assert preview["goods"] == NAMELESS


# Names are terms


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("fault", "what", "was", "now"),
    [
        ("renamed-title", f"title of offer {MUG}", "北欧风陶瓷马克杯带盖带勺", NEW_TITLE),
        ("changed-option", f"option of offer {MUG} spec {MUG_SPEC}", "白色", "白色新款"),
    ],
)
async def test_another_title_or_option_ends_the_create_with_both(
    tmp_path: Path, era: Era, fault: str, what: str, was: str, now: str
) -> None:
    house = House(tmp_path, **ALWAYS)
    async with house.client(era) as client:
        preview = await previewed(client)
        house.sandbox.faults.add(fault, "product", times=None)
        refused = await client.call_tool("create_order", preview["create_order_arguments"])
        assert refused.structured_content is not None
        problem = refused.structured_content["problem"]
        assert (problem["code"], problem["request_sent"]) == ("terms_changed", "no")
        assert problem["details"]["changes"] == [{"what": what, "was": was, "now": now}]
        assert f"- {what}: was 「{was}」, now 「{now}」" in text_of(refused)
        fresh = problem["preview"]
        assert now in (line_of(fresh)["title"], line_of(fresh)["option"])
        placed = await call(client, "create_order", fresh["create_order_arguments"])
        assert placed["order"]["state"] == "placed"
    assert house.creates == 1


async def test_a_name_is_read_again_past_the_memory_only_where_the_price_is(tmp_path: Path) -> None:
    clock = Clock()
    house = House(tmp_path, build_sandbox(clock=clock))
    async with house.client(clock=clock) as client:
        young = await previewed(client)
        house.sandbox.faults.add("renamed-title", "product", times=None)
        placed = await call(client, "create_order", young["create_order_arguments"])
        assert placed["order"]["state"] == "placed"
        old = await previewed(client, quantity=3)
        assert line_of(old)["title"] != NEW_TITLE, "from memory"
        clock.advance(16)
        refused = await call(client, "create_order", old["create_order_arguments"])
    assert refused["problem"]["details"]["changes"][0]["now"] == NEW_TITLE


def product_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The product in an answer, out of its wrappers."""
    data = answer["data"]
    while "productSkuInfos" not in data:
        data = data["result"]
    return data


def spec_gone(answer: dict[str, Any]) -> None:
    for sku in product_of(answer)["productSkuInfos"]:
        if sku["specId"] == MUG_SPEC:
            sku["specId"] = "0" * 32


def no_specs(answer: dict[str, Any]) -> None:
    product_of(answer)["productSkuInfos"] = []


def retitled_and(rest: Callable[[dict[str, Any]], None], title: str = "电子烟弹") -> Alteration:
    def alter(answer: dict[str, Any]) -> None:
        product_of(answer)["subject"] = title
        rest(answer)

    return alter


TITLE_TERM, OPTION_TERM = f"title of offer {MUG}", f"option of offer {MUG} spec {MUG_SPEC}"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("alter", "changes"),
    [
        (spec_gone, {OPTION_TERM: "not listed"}),
        (no_specs, {OPTION_TERM: "not listed"}),
        (retitled_and(spec_gone), {TITLE_TERM: "电子烟弹", OPTION_TERM: "not listed"}),
        (retitled_and(no_specs), {TITLE_TERM: "电子烟弹", OPTION_TERM: "not listed"}),
        (retitled_and(lambda _: None, "「」"), {TITLE_TERM: "「」", OPTION_TERM: "not listed"}),
    ],
    ids=["spec gone", "no specs", "retitled, spec gone", "retitled, no specs", "no title left"],
)
async def test_a_product_that_no_longer_lists_what_was_named_ends_the_create(
    tmp_path: Path, era: Era, alter: Alteration, changes: dict[str, str]
) -> None:
    house = House(tmp_path, **ALWAYS)
    answers = AlteredAnswers(house.sandbox, endpoint="/product/detail/get")
    async with house.client(era, new_transport=answers) as client:
        preview = await previewed(client)
        answers.alter = alter
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert (problem["code"], problem["request_sent"]) == ("terms_changed", "no")
        assert {each["what"]: each["now"] for each in problem["details"]["changes"]} == changes
        assert codes(problem["preview"]) == ["goods_not_named"]
        placed = await call(client, "create_order", problem["preview"]["create_order_arguments"])
        assert placed["order"]["state"] == "placed", "the fresh preview shows what is true now"
    assert house.creates == 1


async def test_the_title_binds_where_the_option_was_never_listed(tmp_path: Path) -> None:
    house = House(tmp_path, **ALWAYS)
    answers = AlteredAnswers(house.sandbox, spec_gone, endpoint="/product/detail/get")
    async with house.client(new_transport=answers) as client:
        preview = await previewed(client)
        assert preview["goods"] == NAMELESS
        answers.alter = retitled_and(spec_gone)
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert [each["what"] for each in problem["details"]["changes"]] == [TITLE_TERM]
        answers.alter = None
        placed = await call(client, "create_order", preview["create_order_arguments"])
        assert placed["order"]["state"] == "placed", (
            "an option that is listed for the first time is no change"
        )


@pytest.mark.parametrize("era", ERAS)
async def test_spec_ids_in_capital_letters_are_the_same_ids(tmp_path: Path, era: Era) -> None:
    def in_capitals(answer: dict[str, Any]) -> None:
        for sku in product_of(answer)["productSkuInfos"]:
            sku["specId"] = sku["specId"].upper()

    house = House(tmp_path)
    answers = AlteredAnswers(house.sandbox, in_capitals, endpoint="/product/detail/get")
    async with house.client(era, new_transport=answers) as client:
        item = {"offer_id": MUG, "quantity": 2, "option": "白色"}
        preview = await previewed(client, items=[item])
        assert (preview["goods"], line_of(preview)["spec_id"]) == (GOODS, MUG_SPEC)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
        again = await previewed(client)
        assert "recent_identical_order" in codes(again)


async def test_a_name_that_cannot_be_read_again_is_no_change(tmp_path: Path) -> None:
    house = House(tmp_path, **ALWAYS)
    async with house.client() as client:
        preview = await previewed(client)
        house.sandbox.faults.add("not-permitted", "product", times=None)
        placed = await call(client, "create_order", preview["create_order_arguments"])
    assert placed["order"]["state"] == "placed"
    assert placed["order"]["goods"] == GOODS, "the names that were approved"


async def test_a_name_that_is_read_for_the_first_time_is_no_change(tmp_path: Path) -> None:
    house = House(tmp_path, **ALWAYS)
    house.sandbox.faults.add("not-permitted", "product")
    async with house.client() as client:
        preview = await previewed(client)
        assert codes(preview) == ["goods_not_named"]
        placed = await call(client, "create_order", preview["create_order_arguments"])
    assert placed["order"]["state"] == "placed"
    assert placed["order"]["goods"] == NAMELESS, "what was approved"


# List prices


def in_yuan(answer: dict[str, Any]) -> None:
    """Every figure of a preview in fen becomes whole yuan, which reads as a hundredth of the price."""
    (group,) = answer["data"]
    for figures in (group, *group["orderItemTOList"]):
        for name, figure in figures.items():
            if name.startswith("sum") or name in ("amount", "finalUnitPrice"):
                figures[name] = figure // 100


@pytest.mark.parametrize("era", ERAS)
async def test_a_price_that_is_a_hundredth_of_the_list_price_gets_no_token(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, build_sandbox("list"))
    answers = AlteredAnswers(house.sandbox, in_yuan)
    async with house.client(era, new_transport=answers) as client:
        refused = await client.call_tool("preview_order", order_arguments())
    assert refused.structured_content is not None
    problem = refused.structured_content["problem"]
    assert problem["code"] == "units_unclear"
    assert "by the list price 58.00 CNY" in text_of(refused)


@pytest.mark.parametrize(("readable", "warned"), [(True, False), (False, True)])
async def test_a_cheap_price_is_doubted_only_where_no_list_price_agrees(
    tmp_path: Path, *, readable: bool, warned: bool
) -> None:
    cheap = next(
        offer
        for offer in CATALOGUE.values()
        if offer.status == "published"
        and max(sku.price_fen for sku in offer.skus) < 90
        and not offer.price_ranges
    )
    item = {"offer_id": str(cheap.offer_id), "quantity": cheap.minimum * (cheap.lot or 1)}
    if cheap.skus[0].spec_id:
        item["spec_id"] = cheap.skus[0].spec_id
    house = House(tmp_path, build_sandbox("list"))
    if not readable:
        house.sandbox.faults.add("not-permitted", "product", times=None)
    async with house.client() as client:
        preview = await previewed(client, items=[item])
    assert ("unverified_unit" in codes(preview)) is warned


# Quantities


@pytest.mark.parametrize(
    ("items", "numbers"),
    [
        ([(MUG, MUG_SPEC, 1)], "1 is below the minimum of 2"),
        ([("671204589033", None, 9)], "only 3 of"),
    ],
)
async def test_a_refused_quantity_is_told_with_the_numbers_of_the_product(
    tmp_path: Path, items: list[tuple[str, str | None, int]], numbers: str
) -> None:
    asked = [
        {"offer_id": offer_id, "quantity": quantity} | ({"spec_id": spec_id} if spec_id else {})
        for offer_id, spec_id, quantity in items
    ]
    async with House(tmp_path).client() as client:
        refused = await client.call_tool("preview_order", order_arguments(items=asked))
    assert refused.structured_content is not None
    problem = refused.structured_content["problem"]
    assert problem["code"] == "not_orderable"
    assert numbers in problem["message"]
    assert numbers in problem["details"]["reasons"][0]["message"]
    assert text_of(refused).count(numbers) == 1
    assert "\n- line 1: the upstream says 「" in text_of(refused)


async def test_a_quantity_below_a_minimum_that_is_no_hard_stop_is_a_warning(tmp_path: Path) -> None:
    (offer,) = (offer for offer in CATALOGUE.values() if offer.lenient)
    item = {"offer_id": str(offer.offer_id), "spec_id": offer.skus[0].spec_id, "quantity": offer.minimum - 1}
    person = Person()
    async with House(tmp_path).client("auto", person) as client:
        preview = await previewed(client, items=[item])
        placed = await call(client, "create_order", preview["create_order_arguments"])
    assert codes(preview) == ["below_minimum"]
    assert f"minimum of {offer.minimum}" in preview["warnings"][0]["message"]
    assert "Note (below_minimum)" in person.asked[0]
    assert placed["order"]["state"] == "placed"


# The goods that come back, and how much there is to read


@pytest.mark.parametrize(
    ("goods", "taken"),
    [
        (GOODS, True),
        (GOODS.replace("×", "x").replace("「", '"').replace("」", '"'), True),
        (GOODS.replace(" (", "（").replace(")", "）"), True),
        (GOODS.replace("白色", "墨绿"), False),
        (GOODS.replace("2 ×", "20 ×"), False),
        (NAMELESS, False),
    ],
)
async def test_the_goods_of_the_preview_come_back_folded_or_not_at_all(
    tmp_path: Path, goods: str, *, taken: bool
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        answer = await call(client, "create_order", arguments | {"goods": goods})
    if taken:
        assert answer["order"]["state"] == "placed"
    else:
        assert answer["problem"]["code"] == "echo_mismatch"
        assert answer["problem"]["details"] == {"field": "goods", "preview_has": GOODS}
        assert house.creates == 0


@pytest.mark.parametrize("era", ERAS)
async def test_fifty_lines_with_the_longest_titles_are_named_in_12000_bytes(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, MAX_ORDER_CNY="99999", MAX_DAY_CNY="99999")
    async with house.client(era) as client:
        answered = await client.call_tool("preview_order", order_arguments(items=fifty_lines()))
        assert answered.structured_content is not None
        preview = answered.structured_content["preview"]
        assert all(line["title"] for group in preview["groups"] for line in group["lines"])
        assert len(text_of(answered).encode()) <= 12000
        assert len(preview["goods"]) <= 300
        arguments = json.loads(text_of(answered).splitlines()[-1].removeprefix("create_order "))
        placed = await call(client, "create_order", arguments)
        assert placed["order"]["state"] == "placed"
        assert placed["order"]["goods"] == preview["goods"]
