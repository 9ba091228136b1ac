"""`search_products`: offers by words."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult

from harness.house import ERAS, MUG, Era, House, call, text_of
from harness.transports import AlteredAnswers

pytestmark = pytest.mark.anyio


async def found(house: House, **arguments: Any) -> dict[str, Any]:
    async with house.client() as client:
        envelope = await call(client, "search_products", arguments)
    assert envelope["ok"], envelope["problem"]
    return envelope


@pytest.mark.parametrize("era", ERAS)
async def test_a_search_answers_with_offers_that_a_person_recognises(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        result = await client.call_tool("search_products", {"query": "马克杯"})
    assert isinstance(result, CallToolResult)
    assert result.structured_content
    (mug,) = result.structured_content["products"]
    assert result.structured_content["total"] == 1
    assert (mug["offer_id"], mug["url"]) == (MUG, f"https://detail.1688.com/offer/{MUG}.html")
    assert (mug["price_from"]["amount"], mug["min_quantity"]) == ("29.00", 2)
    said = text_of(result)
    for part in (MUG, f"「{mug['title']}」", f"「{mug['title_translated']}」", "29.00 CNY", mug["url"]):
        assert part in said
    assert mug["image"]
    assert mug["image"] not in said


async def test_prices_bound_the_search_in_yuan_and_the_order_is_as_asked(tmp_path: Path) -> None:
    house = House(tmp_path)
    cheap = await found(house, query="手机", sort="price_low", price_max="10", limit=20)
    prices = [float(row["price_from"]["amount"]) for row in cheap["products"]]
    assert prices == sorted(prices)
    assert max(prices) <= 10
    dear = await found(house, query="手机", sort="price_high", price_min=9.5, limit=20)
    prices = [float(row["price_from"]["amount"]) for row in dear["products"]]
    assert prices == sorted(prices, reverse=True)
    assert min(prices) >= 9.5


async def test_pages_follow_one_another_and_total_counts_all_of_them(tmp_path: Path) -> None:
    house = House(tmp_path)
    whole = await found(house, query="手机", limit=20)
    ids = [row["offer_id"] for row in whole["products"]]
    assert whole["total"] == len(ids) > 2
    pages = [await found(house, query="手机", limit=2, page=page) for page in (1, 2)]
    assert [row["offer_id"] for page in pages for row in page["products"]] == ids[:4]
    assert {page["total"] for page in pages} == {len(ids)}


async def test_no_more_products_come_than_were_asked_for(tmp_path: Path) -> None:
    house = House(tmp_path)

    def more(answer: dict[str, Any]) -> None:
        answer["data"]["data"] *= 3

    answers = AlteredAnswers(house.sandbox, more, "/keywords/query")
    async with house.client(new_transport=answers) as client:
        envelope = await call(client, "search_products", {"query": "手机", "limit": 2})
    assert len(envelope["products"]) == 2


async def test_a_search_that_finds_nothing_is_an_answer(tmp_path: Path) -> None:
    envelope = await found(House(tmp_path), query="没有人卖的东西")
    assert (envelope["products"], envelope["total"]) == ([], 0)


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        ("path-404", "product_unavailable", "not confirmed"),
        ("not-permitted", "product_unavailable", "not permitted"),
        ("html", "product_unavailable", "cannot be read"),
        ("signature-refused", "upstream_unauthorized", "signature"),
        ("http-429", "upstream_busy", "asks to wait"),
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_a_search_that_fails_says_why_and_what_to_do(
    tmp_path: Path, era: Era, fault: str, code: str, word: str
) -> None:
    house = House(tmp_path)
    house.sandbox.faults.add(fault, "search", times=None)
    async with house.client(era) as client:
        problem = (await call(client, "search_products", {"query": "mug"}))["problem"]
    assert problem["code"] == code
    assert word in problem["message"]
    assert "spec_id" not in problem["next_step"]


async def test_a_least_price_above_the_most_is_refused(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        arguments = {"query": "mug", "price_min": "20", "price_max": "5"}
        problem = (await call(client, "search_products", arguments))["problem"]
    assert problem["code"] == "invalid_arguments"
    assert problem["details"]["fields"][0]["field"] == "price_min"
