"""`get_product`: what an offer is, by its id or link; or why it could not be read."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult

from harness.house import ERAS, MUG, MUG_SPEC, Era, House, call, text_of

pytestmark = pytest.mark.anyio

LINK = f"https://detail.1688.com/offer/{MUG}.html"
SHIRT = "700312458816"  # 红色, 酒红色 …, in M, L, XL, with holes
HOODIE = "742610385571"  # more than a hundred options
RIBBON = "645570013398"  # in lots of 50, at least 100
ENVELOPE = "620118834455"  # no options, price tiers
OLD_LAMP = "617730088241"  # not on sale
POISONED = "676005531127"
NOBODYS = "610947572361"


async def product(house: House, **arguments: Any) -> dict[str, Any]:
    async with house.client() as client:
        envelope = await call(client, "get_product", arguments)
    assert envelope["ok"], envelope["problem"]
    return envelope["product"]


async def text(house: House, **arguments: Any) -> str:
    async with house.client() as client:
        result = await client.call_tool("get_product", arguments)
    assert isinstance(result, CallToolResult)
    return text_of(result)


def names(found: dict[str, Any]) -> list[str]:
    return [option["option"] for option in found["options"]]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("offer", [MUG, int(MUG), LINK, f"【1688】看看这个 {LINK}?spm=a26 快来买吧！"])
async def test_an_offer_is_known_by_its_id_its_link_or_a_sentence_with_the_link(
    tmp_path: Path, era: Era, offer: object
) -> None:
    async with House(tmp_path).client(era) as client:
        envelope = await call(client, "get_product", {"offer": offer})
    found = envelope["product"]
    assert (found["offer_id"], found["url"]) == (MUG, LINK)
    assert found["title_translated"] == "Nordic ceramic mug with lid and spoon"
    assert (found["orderable"], found["seller_open_id"]) == (True, "BBBsandboxYiwuHousehold01")
    white, green = found["options"]
    assert (white["spec_id"], white["option"], white["option_translated"]) == (MUG_SPEC, "白色", "White")
    assert (white["stock"], green["price"]) == (5000, {"amount": "31.50", "currency": "CNY"})


async def test_the_text_alone_holds_what_a_person_chooses_by_and_no_address_of_a_picture(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    found = await product(house, offer=MUG)
    said = await text(house, offer=MUG)
    for option in found["options"]:
        assert f"{option['spec_id']} 「{option['option']}」 = 「{option['option_translated']}」" in said
        assert f"stock {option['stock']}, {option['price']['amount']} CNY" in said
    assert found["image"]
    assert "alicdn" not in said
    assert found["image"] not in said
    for part in (found["title"], found["title_translated"], found["url"], found["ships_from"], found["unit"]):
        assert part in said
    for note in found["notes"]:
        assert f"Note {note['code']}: {note['message']}" in said


async def test_only_the_options_that_fit_the_words_are_listed(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert names(await product(house, offer=SHIRT, option="red")) == ["红色 / M", "红色 / L"]
    found = await product(house, offer=SHIRT, option="L码 红色")
    assert names(found) == ["红色 / L"]
    assert found["options_total"] == 10


async def test_where_no_option_fits_none_is_listed_and_a_note_says_so(tmp_path: Path) -> None:
    wish = {"offer": SHIRT, "option": "红色 XL"}  # 酒红色 has it
    found = await product(House(tmp_path), **wish)
    assert found["options"] == []
    assert found["notes"][0]["code"] == "no_option_fits"
    assert (await text(House(tmp_path), **wish)).endswith("None of its 10 options is listed.")


async def test_more_than_a_hundred_options_are_told_in_less_than_6_kb_of_text(tmp_path: Path) -> None:
    house = House(tmp_path)
    found = await product(house, offer=HOODIE)
    assert found["options_total"] > 100
    assert len(found["options"]) == 40
    said = await text(house, offer=HOODIE)
    assert len(said.encode()) < 6000
    assert all(option["spec_id"] in said for option in found["options"])
    assert f"40 of {found['options_total']}" in said


async def test_the_option_that_a_link_points_at_stands_first(tmp_path: Path) -> None:
    house = House(tmp_path)
    last = (await product(house, offer=MUG))["options"][-1]
    found = await product(house, offer=f"{LINK}?skuId={last['sku_id']}")
    assert found["options"][0] == last
    assert len(found["options"]) == 2


async def test_a_quantity_is_advised_on(tmp_path: Path) -> None:
    house = House(tmp_path)
    notes = {
        note["code"]: note["message"] for note in (await product(house, offer=RIBBON, quantity=120))["notes"]
    }
    assert "100" in notes["not_in_lots"]
    assert "150" in notes["not_in_lots"]
    assert "1000" in notes["tier"]
    notes = {note["code"] for note in (await product(house, offer=RIBBON, quantity=50))["notes"]}
    assert "below_minimum" in notes


async def test_an_offer_without_options_has_its_own_stock_and_tiers(tmp_path: Path) -> None:
    found = await product(House(tmp_path), offer=ENVELOPE)
    assert (found["options"], found["options_total"], found["stock"]) == ([], 0, 48200)
    assert [(tier["from_quantity"], tier["price"]["amount"]) for tier in found["price_tiers"]] == [
        (10, "0.42"),
        (1000, "0.36"),
    ]


async def test_an_offer_that_is_not_on_sale_is_found_and_said_to_be_so(tmp_path: Path) -> None:
    found = await product(House(tmp_path), offer=OLD_LAMP)
    assert found["orderable"] is False
    assert "not_on_sale" in {note["code"] for note in found["notes"]}


async def test_a_sellers_instructions_stand_between_signs_as_data(tmp_path: Path) -> None:
    said = await text(House(tmp_path), offer=POISONED)
    outside = ""
    for part in said.split("「"):
        quoted, sign, rest = part.rpartition("」")
        assert "」" not in quoted
        outside += rest if sign else part
    assert "忽略" not in outside
    assert "Ignore" not in outside


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        (None, "product_not_found", "no such product"),
        ("no-such-product-native", "product_not_found", "no such product"),
        ("path-404", "product_unavailable", "not confirmed"),
        ("no-such-interface", "product_unavailable", "not confirmed"),
        ("not-permitted", "product_unavailable", "not permitted"),
        ("other-offer", "product_unavailable", "cannot be read"),
        ("html", "product_unavailable", "cannot be read"),
        ("signature-refused", "upstream_unauthorized", "signature"),
        ("http-429", "upstream_busy", "asks to wait"),
        ("http-429-envelope", "upstream_busy", "asks to wait"),
        ("http-503", "product_unavailable", "no answer"),
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_why_a_product_could_not_be_read_is_said_and_never_confused(
    tmp_path: Path, era: Era, fault: str | None, code: str, word: str
) -> None:
    house = House(tmp_path)
    if fault:
        for endpoint in ("product", "sibling-product"):
            house.sandbox.faults.add(fault, endpoint, times=None)
    async with house.client(era) as client:
        envelope = await call(client, "get_product", {"offer": NOBODYS if fault is None else MUG})
    problem = envelope["problem"]
    assert (problem["code"], problem["request_sent"]) == (code, "no")
    assert word in problem["message"]
    assert problem["next_step"]


async def test_where_products_are_off_neither_tool_for_goods_is_offered(tmp_path: Path) -> None:
    async with House(tmp_path, PRODUCTS="off").client() as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
    assert tools == ["preview_order", "create_order", "get_orders"]


async def test_the_owners_path_and_language_are_used(tmp_path: Path) -> None:
    house = House(tmp_path, PRODUCT_PATH="/alibaba/product/detail/get", PRODUCT_LANGUAGE="VI")
    await product(house, offer=MUG)
    assert house.sandbox.books.received["sibling-product"] == 1
    assert house.sandbox.books.received["product"] == 0
