"""What the sandbox sells as its product and search answers show it, and as its previews charge for it."""

import json
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.port_sandbox import running_sandbox
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.catalogue import CATALOGUE, Offer
from xportcn_server.sandbox.parsing import PreviewBody, read
from xportcn_server.sandbox.pictures import picture
from xportcn_server.sandbox.prices import price
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.upstream.signing import Signer

KA = "/alibaba/ka/product/detail/get"
SIBLING = "/alibaba/product/detail/get"
SEARCH = "/alibaba/ka/product/keywords/query"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)

MUG, ENVELOPE, JAR, SHIRT, HOODIE, DRESS = (
    610947572360,
    620118834455,
    633402917781,
    700312458816,
    742610385571,
    711904463307,
)
DELISTED, MAGNET, SANDALS, STAND, CUTLERY = (
    617730088241,
    612003847790,
    781120364459,
    716220493558,
    659013774210,
)


pytestmark = pytest.mark.anyio


async def ask(sandbox: Sandbox, path: str, body: object, *, signed: bool = True) -> httpx.Response:
    headers = Signer(SANDBOX_CREDENTIALS).sign(NOW) if signed else {}
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        return await client.post(SANDBOX_BASE_URL + path, json=body, headers=headers)


def a_sandbox(shape: Any = "object") -> Sandbox:
    return build_sandbox(shape, clock=lambda: NOW)


async def detail(
    offer_id: int, fault: str = "", *, shape: Any = "object", path: str = KA, **more: object
) -> Any:
    """The `data` of a product's answer, or the whole envelope where it is no success."""
    sandbox = a_sandbox(shape)
    if fault:
        sandbox.faults.add(fault, sandbox.endpoints["/api" + path])
    envelope = (await ask(sandbox, path, {"offerId": offer_id, **more})).json()
    return envelope["data"] if envelope["code"] == 200 else envelope


async def found(keyword: str, *, shape: Any = "object", **more: object) -> Any:
    return (await ask(a_sandbox(shape), SEARCH, {"keyword": keyword, **more})).json()["data"]


def values(sku: Any) -> str:
    return "/".join(each["value"] for each in sku["skuAttributes"])


@pytest.mark.parametrize("path", [KA, SIBLING])
async def test_a_product_answers_under_both_paths_with_the_ids_that_an_order_takes(path: str) -> None:
    product = await detail(MUG, path=path)
    assert (product["offerId"], product["subject"]) == (MUG, "北欧风陶瓷马克杯带盖带勺")
    assert [(values(sku), sku["specId"]) for sku in product["productSkuInfos"]] == [
        ("白色", "b266e0726506185beaf205cbae88530d"),
        ("墨绿", "5f1d7a84b9e34c0a9d3c1e7f60b2a845"),
    ]
    assert product["productSkuInfos"][0]["price"] == "29.00"
    assert product["sellerOpenId"] == CATALOGUE[MUG].seller.open_id


async def test_product_and_search_are_signed_like_every_call() -> None:
    for path, body in ((KA, {"offerId": MUG}), (SIBLING, {"offerId": MUG}), (SEARCH, {"keyword": "杯"})):
        assert (await ask(a_sandbox(), path, body, signed=False)).json()["code"] == 401


async def test_a_product_comes_as_an_object_a_list_or_in_the_native_wrapper() -> None:
    plain = await detail(MUG)
    assert await detail(MUG, shape="list") == [plain]
    wrapped = (await detail(MUG, "native-wrapper"))["result"]
    assert (wrapped["success"], wrapped["result"]) == (True, plain)


async def test_the_quote_type_says_where_the_prices_stand() -> None:
    by_spec, tiers_alone, tiers_with_specs = [await detail(each) for each in (STAND, ENVELOPE, SHIRT)]
    assert [each["productSaleInfo"]["quoteType"] for each in (by_spec, tiers_alone, tiers_with_specs)] == [
        1,
        0,
        2,
    ]
    assert (by_spec["productSkuInfos"][0]["price"], by_spec["productSkuInfos"][0]["promotionPrice"]) == (
        "6.80",
        "6.46",
    )
    assert tiers_alone["productSkuInfos"] == []
    assert tiers_alone["productSaleInfo"]["amountOnSale"] == 48200
    assert {sku["price"] for sku in tiers_with_specs["productSkuInfos"]} == {None}
    assert [tier["startQuantity"] for tier in tiers_with_specs["productSaleInfo"]["priceRangeList"]] == [
        2,
        50,
    ]


async def test_red_and_wine_red_stand_side_by_side_and_either_may_be_missing() -> None:
    shirt = [values(sku) for sku in (await detail(SHIRT))["productSkuInfos"]]
    assert {"红色/M", "酒红色/XL"} < set(shirt)
    assert "红色/XL" not in shirt
    dress = {values(sku).partition("/")[0] for sku in (await detail(DRESS))["productSkuInfos"]}
    assert "酒红色" in dress
    assert "红色" not in dress


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("no-such-product", (500, "商品不存在")),
        ("not-permitted", (403, "没有该商品的查询权限")),
        ("no-such-interface", (404, "接口不存在")),
    ],
)
async def test_a_product_is_refused_in_words(fault: str, said: tuple[int, str]) -> None:
    envelope = await detail(MUG, fault)
    assert (envelope["code"], envelope["msg"], envelope["data"]) == (*said, None)


async def test_a_missing_product_shows_in_each_of_its_four_forms() -> None:
    for old in (await detail(DELISTED), await detail(MUG, "delisted")):
        assert (old["status"], old["productSkuInfos"], old["productSaleInfo"]) == (
            "member expired",
            None,
            None,
        )
    assert (await detail(699999999999))["msg"] == "商品不存在"
    assert await detail(MUG, "null-data") is None
    native = (await detail(MUG, "no-such-product-native"))["result"]
    assert (native["success"], native["code"], native["result"]) == (False, "SP0056", None)


async def test_a_path_may_be_missing_while_the_other_candidate_answers() -> None:
    sandbox = a_sandbox()
    sandbox.faults.add("path-404", "product", times=None)
    assert (await ask(sandbox, KA, {"offerId": MUG})).status_code == 404
    assert (await ask(sandbox, SIBLING, {"offerId": MUG})).json()["data"]["offerId"] == MUG
    assert (sandbox.books.received["product"], sandbox.books.received["sibling-product"]) == (1, 1)


async def test_between_two_calls_a_seller_may_rename_a_title_or_an_option() -> None:
    before = await detail(SHIRT)
    renamed = await detail(SHIRT, "renamed-title")
    assert renamed["subject"] != before["subject"]
    changed = await detail(SHIRT, "changed-option")
    ids = [[sku["specId"] for sku in each["productSkuInfos"]] for each in (before, renamed, changed)]
    assert ids[0] == ids[1] == ids[2]
    assert [values(sku) + "新款" for sku in before["productSkuInfos"]] == [
        values(sku) for sku in changed["productSkuInfos"]
    ]


async def test_translations_are_english_and_null_in_other_languages_or_by_a_fault() -> None:
    assert (await detail(MUG))["subjectTrans"] == "Nordic ceramic mug with lid and spoon"
    for untranslated in (await detail(MUG, country="vi"), await detail(MUG, "null-translations")):
        assert untranslated["subjectTrans"] is None
        assert untranslated["productSkuInfos"][0]["skuAttributes"][0]["valueTrans"] is None


async def test_prices_are_texts_in_yuan_or_whole_numbers_and_an_answer_may_be_anothers() -> None:
    sandals = await detail(SANDALS)
    assert (sandals["productSaleInfo"]["retailPrice"], sandals["batchNumber"]) == ("19.90", 12)
    assert {sku["retailPrice"] for sku in sandals["productSkuInfos"]} == {"19.90"}
    assert (await detail(STAND, "whole-number-prices"))["productSkuInfos"][0]["promotionPrice"] == 646
    assert (await detail(STAND, "other-offer"))["offerId"] != STAND


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (KA, {}),
        (KA, {"offerId": str(MUG)}),
        (KA, {"offerId": MUG, "country": "zh"}),
        (KA, {"offerId": MUG, "language": "en"}),
        (SEARCH, {"keyword": ""}),
        (SEARCH, {"keyword": "杯", "beginPage": 0}),
        (SEARCH, {"keyword": "杯", "pageSize": 51}),
        (SEARCH, {"keyword": "杯", "sort": {"price": "asc"}}),
        (SEARCH, {"keyword": "杯", "sort": '{"price": "up"}'}),
        (SEARCH, {"keyword": "杯", "sort": '{"stars": "asc"}'}),
        (SEARCH, {"keyword": "杯", "sort": "price"}),
        (SEARCH, {"keyword": "杯", "priceStart": 1}),
        (SEARCH, {"keyword": "杯", "priceStart": "cheap"}),
    ],
)
async def test_a_body_of_another_form_is_refused(path: str, body: dict[str, object]) -> None:
    assert (await ask(a_sandbox(), path, body)).json()["code"] == 400


@pytest.mark.parametrize("keyword", ["马克杯", "陶瓷杯", "杯 北欧", "ceramic mugs", "Mug NORDIC"])
async def test_a_search_finds_an_offer_by_words_of_either_title(keyword: str) -> None:
    page = await found(keyword)
    assert [row["offerId"] for row in page["data"]] == [MUG]
    (row,) = page["data"]
    assert (row["priceInfo"]["price"], row["minOrderQuantity"]) == ("29.00", 2)
    assert (page["totalRecords"], page["totalPage"], page["currentPage"]) == (1, 1, 1)
    assert await found(keyword, shape="list") == [row]


async def test_a_search_is_sorted_bounded_and_goes_page_by_page() -> None:
    everything = (await found("a", pageSize=50))["data"]
    prices = [Decimal(row["priceInfo"]["price"]) for row in everything]
    cheapest = (await found("a", pageSize=50, sort='{"price":"asc"}'))["data"]
    assert [Decimal(row["priceInfo"]["price"]) for row in cheapest] == sorted(prices)
    sold = (await found("a", pageSize=50, sort='{"monthSold":"desc"}'))["data"]
    assert [row["monthSold"] for row in sold] == sorted(
        (row["monthSold"] for row in everything), reverse=True
    )
    between = (await found("a", pageSize=50, priceStart="10", priceEnd="20.5"))["data"]
    assert len(between) == sum(10 <= each <= Decimal("20.5") for each in prices) > 0
    pages = [(await found("a", pageSize=10, beginPage=page))["data"] for page in (1, 2)]
    assert pages[0] + pages[1] == everything[:20]


async def test_a_search_without_a_hit_has_null_in_place_of_rows_and_never_lists_what_is_off_sale() -> None:
    assert (await found("杯陶瓷"))["data"] is None
    assert await found("直升机") == {
        "totalRecords": 0,
        "totalPage": 0,
        "pageSize": 20,
        "currentPage": 1,
        "data": None,
    }
    assert (await found("旧款台灯"))["data"] is None


def charged(offer: Offer, quantity: int, index: int = 0) -> Any:
    """The one priced line of an order of the offer's sku at `index`."""
    line = {"offerId": offer.offer_id, "specId": offer.skus[index].spec_id, "quantity": quantity}
    body = {**VENDOR_EXAMPLE_REQUEST, "cargoParamList": [{k: v for k, v in line.items() if v}]}
    ((priced,),) = [group.lines for group in price(read(PreviewBody, json.dumps(body).encode()), CATALOGUE)]
    return priced


@pytest.mark.parametrize(
    ("offer_id", "quantity", "unit_fen", "amount_fen"),
    [
        (ENVELOPE, 10, 42, 420),
        (ENVELOPE, 1000, 36, 36_000),
        (SHIRT, 2, 1850, 2 * 1758),
        (SHIRT, 50, 1790, 50 * 1701),
        (STAND, 3, 680, 3 * 646),
        (MAGNET, 1, 320, 320),
        (CUTLERY, 1, 3200, 3200),
        (CUTLERY, 2, 2680, 5360),
    ],
)
def test_a_preview_charges_tier_member_and_retail_prices_as_the_detail_lists_them(
    offer_id: int, quantity: int, unit_fen: int, amount_fen: int
) -> None:
    line = charged(CATALOGUE[offer_id], quantity)
    assert (line.refusal, line.unit_fen, line.amount_fen) == (None, unit_fen, amount_fen)


@pytest.mark.parametrize(
    ("offer_id", "quantity", "code"),
    [(JAR, 7, "500_006"), (SANDALS, 12, "500_005"), (DELISTED, 1, "500_001"), (602245519906, 2, "500_004")],
)
def test_a_preview_refuses_what_the_detail_rules_out(offer_id: int, quantity: int, code: str) -> None:
    assert charged(CATALOGUE[offer_id], quantity).refusal.code == code


def texts(offers: Iterable[Offer]) -> Iterable[str]:
    for offer in offers:
        for text in (offer.title, *offer.dimensions, *(value for sku in offer.skus for value in sku.values)):
            yield from filter(None, text)


def test_the_catalogue_has_every_case_that_ordering_must_handle() -> None:
    offers = CATALOGUE.values()
    assert 40 <= len(offers) <= 45
    assert len({offer.seller.open_id for offer in offers}) == 4
    assert {len(offer.dimensions) for offer in offers} == {0, 1, 2}
    assert {"个", "件", "套", "双", "米", "卷"} <= {offer.unit[0] for offer in offers}
    assert any(len(offer.skus) > 100 for offer in offers)
    assert any(all(sku.stock == 0 for sku in offer.skus) for offer in offers if offer.status == "published")
    assert any(len(offer.title[0]) == 120 == len(offer.title[1] or "") for offer in offers)
    assert any(offer.title[1] is None for offer in offers)
    poisoned = [text for text in texts(offers) if "」" in text]
    assert len(poisoned) == 4
    assert sum("\u202e" in text for text in poisoned) == 2
    ids = [sku.sku_id for offer in offers for sku in offer.skus]
    assert len(set(ids)) == len(ids)
    for offer in offers:
        assert len({sku.spec_id for sku in offer.skus}) == len(offer.skus)
        assert all(re.fullmatch(r"[0-9a-f]{32}", sku.spec_id or "0" * 32) for sku in offer.skus)
        assert all(len(sku.values) == len(offer.dimensions) for sku in offer.skus)


async def test_every_picture_is_a_drawing_of_ours_at_an_address_of_the_pictures_host() -> None:
    addresses: set[str] = set()
    for offer in CATALOGUE.values():
        product: dict[str, Any] = await detail(offer.offer_id)
        addresses |= set(product["productImage"]["images"])
        skus: list[Any] = product["productSkuInfos"] or []
        attributes = [each for sku in skus for each in sku["skuAttributes"]]
        addresses |= {each["skuImageUrl"] for each in attributes if each["skuImageUrl"]}
    foreign = {
        address
        for address in addresses
        if not address.startswith("https://cbu01.alicdn.com/img/ibank/sandbox-")
    }
    assert foreign == {"https://pictures.example/pixel.png"}
    for address in addresses - foreign:
        check_png(picture(address))
    with pytest.raises(LookupError):
        picture(foreign.pop())


def check_png(content: bytes) -> None:
    """Reads it as its format prescribes: signature, checksums, size, and as many pixels."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, dict[bytes, bytes]()
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", content, at + 8 + length) == (zlib.crc32(kind + data),)
        chunks[kind] = data
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, depth, kind_of_colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, kind_of_colour) == (8, 3)
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (width + 1)
    assert {0, 1} == set(rows)


async def test_the_sandbox_serves_its_drawings_at_the_path_of_their_addresses() -> None:
    path = "/img/ibank/sandbox-610947572360-d0342c.png"
    async with httpx.AsyncClient(
        transport=SandboxTransport(a_sandbox()), base_url="http://127.0.0.1"
    ) as client:
        answer = await client.get(path)
        assert (answer.headers["content-type"], answer.content) == ("image/png", picture(path))
        assert (await client.get("/img/ibank/other.png")).status_code == 404


@given(st.sampled_from([offer for offer in CATALOGUE.values() if offer.status == "published"]), st.data())
def test_what_a_preview_charges_never_exceeds_the_list_price(offer: Offer, data: st.DataObject) -> None:
    offer = replace(offer, lenient=True, lot=None)
    index = data.draw(st.integers(0, len(offer.skus) - 1))
    quantity = data.draw(st.integers(1, 500))
    unit_fen, paid_fen = offer.unit_prices(offer.skus[index], quantity)
    assert 0 < paid_fen <= unit_fen


async def test_products_pictures_and_their_faults_are_served_over_a_port() -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("path-404", "product")
    sandbox.faults.add("html", "search")
    sandbox.faults.add("reset-after-order", "sibling-product")
    headers = Signer(SANDBOX_CREDENTIALS).sign(datetime.now(UTC))
    with anyio.fail_after(20):
        async with (
            running_sandbox(sandbox) as (_, base_url),
            httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as client,
        ):
            assert (await client.post(KA, json={"offerId": MUG})).status_code == 404
            assert (await client.post(KA, json={"offerId": MUG})).json()["data"]["offerId"] == MUG
            with pytest.raises(httpx.ReadError):
                await client.post(SIBLING, json={"offerId": MUG})
            page = await client.post(SEARCH, json={"keyword": "杯"})
            assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
            drawing = await client.get(client.base_url.join("/img/ibank/sandbox-1-d0342c.png"))
            assert drawing.content == picture("https://cbu01.alicdn.com/img/ibank/sandbox-1-d0342c.png")
