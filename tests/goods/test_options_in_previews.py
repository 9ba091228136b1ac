"""`preview_order` with links and options in words: exactly one option fits, or the person chooses."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_types import CallToolResult

from harness.builders import asked
from harness.house import ERAS, MUG, MUG_SPEC, Era, House, call, order_arguments, text_of
from harness.transports import OnlyOption
from xportcn_tools.desk.choosing import Chooser, Wish
from xportcn_tools.goods.product import NotRead

pytestmark = pytest.mark.anyio

LINK = f"https://detail.1688.com/offer/{MUG}.html"
GREEN_SPEC = "5f1d7a84b9e34c0a9d3c1e7f60b2a845"
SHIRT = "700312458816"  # 红色, 酒红色 …, in M, L, XL; 红色 / XL is a hole
FLASK = "628913047512"  # one option
FLASK_SPEC = "0c9d2f6e8b7a41539e2c5d1f4a6b8703"
ENVELOPE = "620118834455"  # no options
NOBODYS = "610947572361"
NO_PATH = ("product", "sibling-product")


def wanted(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Arguments of `preview_order` for these items, 2 of each but where one says otherwise."""
    return order_arguments(items=[{"quantity": 2} | item for item in items], **changes)


def lines_of(envelope: dict[str, Any]) -> list[dict[str, Any]]:
    assert envelope["ok"], envelope["problem"]
    return [line for group in envelope["preview"]["groups"] for line in group["lines"]]


def failing_products(house: House, fault: str) -> None:
    for endpoint in NO_PATH:
        house.sandbox.faults.add(fault, endpoint, times=None)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("words", ["dark green", "墨绿", "(Dark  GREEN)", "颜色：墨绿"])
async def test_words_choose_the_one_option_that_they_name_and_that_is_what_is_ordered(
    tmp_path: Path, era: Era, words: str
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        result = await client.call_tool("preview_order", wanted({"offer_id": LINK, "option": words}))
        assert isinstance(result, CallToolResult)
        assert result.structured_content
        (line,) = lines_of(result.structured_content)
        assert (line["offer_id"], line["spec_id"], line["option"]) == (MUG, GREEN_SPEC, "墨绿")
        assert "墨绿" in text_of(result).splitlines()[1]
        ready = result.structured_content["preview"]["create_order_arguments"]
        assert "墨绿" in ready["goods"]
        created = await call(client, "create_order", ready)
    assert created["order"]["lines"][0]["spec_id"] == GREEN_SPEC
    (order,) = house.sandbox.books.orders
    assert [cargo["specId"] for cargo in order.body["cargoParamList"]] == [GREEN_SPEC]


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_open_in_all_lines_is_asked_at_once_with_the_likeliest_first(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path)
    arguments = wanted(
        {"offer_id": SHIRT, "option": "red"},
        {"offer_id": MUG, "spec_id": MUG_SPEC},
        {"offer_id": SHIRT, "option": "红色 XL"},
        {"offer_id": MUG, "option": "purple"},
    )
    async with house.client(era) as client:
        result = await client.call_tool("preview_order", arguments)
    assert isinstance(result, CallToolResult)
    assert result.structured_content
    problem = result.structured_content["problem"]
    assert (problem["code"], problem["request_sent"]) == ("choose_option", "no")
    lines = problem["details"]["lines"]
    assert [(line["line"], line["offer_id"]) for line in lines] == [(1, SHIRT), (3, SHIRT), (4, MUG)]
    assert problem["details"]["options"] == lines[0]["options"]
    assert {option["option"] for option in lines[0]["options"][:2]} == {"红色 / M", "红色 / L"}
    assert len(lines[0]["options"]) == 10
    assert house.sandbox.books.received["preview"] == 0

    said = text_of(result)
    for line in lines:
        assert f"Line {line['line']}, offer {line['offer_id']}, " in said
        for option in line["options"]:
            assert f"- {option['spec_id']} 「{option['option']}」" in said
            assert f"stock {option['stock']}" in said
    assert "31.50 CNY" in said


async def test_a_colour_never_takes_another_whose_name_holds_it(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for words in ("红色 XL", "red XL"):  # 酒红色 / XL is there, 红色 / XL is not
            envelope = await call(client, "preview_order", wanted({"offer_id": SHIRT, "option": words}))
            assert envelope["problem"]["code"] == "choose_option"


async def test_a_product_with_several_options_of_which_none_was_named_is_never_ordered(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        unread = await call(client, "preview_order", wanted({"offer_id": MUG}))
        assert unread["problem"]["code"] == "choose_option"
        assert house.sandbox.books.received["preview"] == 1
        known = await call(client, "preview_order", wanted({"offer_id": MUG}))
    assert known["problem"] == unread["problem"]
    assert house.sandbox.books.received["preview"] == 1  # what is in memory is asked before the price


async def test_the_option_that_a_link_points_at_stands_first_and_is_not_taken(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        options = (await call(client, "get_product", {"offer": MUG}))["product"]["options"]
        for option in options:
            link = f"{LINK}?skuId={option['sku_id']}"
            problem = (await call(client, "preview_order", wanted({"offer_id": link})))["problem"]
            assert problem["code"] == "choose_option"
            assert problem["details"]["options"][0] == option


@pytest.mark.parametrize("look_first", [True, False])
@pytest.mark.parametrize(("offer", "spec"), [(FLASK, FLASK_SPEC), (ENVELOPE, None)])
async def test_a_product_with_one_option_or_none_needs_no_option(
    tmp_path: Path, offer: str, spec: str | None, *, look_first: bool
) -> None:
    async with House(tmp_path).client() as client:
        if look_first:
            await call(client, "get_product", {"offer": offer})
        arguments = wanted({"offer_id": offer, "quantity": 10})
        (line,) = lines_of(await call(client, "preview_order", arguments))
    assert line["spec_id"] == spec


async def test_words_for_a_product_without_options_are_open_and_it_is_said_to_leave_them_out(
    tmp_path: Path,
) -> None:
    async with House(tmp_path).client() as client:
        arguments = wanted({"offer_id": ENVELOPE, "option": "brown", "quantity": 10})
        problem = (await call(client, "preview_order", arguments))["problem"]
    assert problem["code"] == "choose_option"
    assert "leave option out" in problem["next_step"]


async def test_where_not_all_options_are_listed_it_is_said_how_to_see_others(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        few, many = [
            (await call(client, "preview_order", wanted({"offer_id": offer, "quantity": 2})))["problem"]
            for offer in (MUG, "742610385571")
        ]
    assert "more words in option" not in few["next_step"]
    assert "more words in option" in many["next_step"]


async def test_words_beside_a_spec_must_agree_with_it(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        agreed = {"offer_id": MUG, "spec_id": MUG_SPEC, "option": "white"}
        (line,) = lines_of(await call(client, "preview_order", wanted(agreed)))
        assert line["spec_id"] == MUG_SPEC
        for words in ("dark green", "purple"):
            envelope = await call(client, "preview_order", wanted(agreed | {"option": words}))
            assert envelope["problem"]["code"] == "invalid_arguments"
            assert envelope["problem"]["details"]["fields"][0]["field"] == "items[0].option"


async def test_where_products_are_off_words_are_refused_and_ids_and_links_go_through(tmp_path: Path) -> None:
    house = House(tmp_path, PRODUCTS="off")
    async with house.client() as client:
        envelope = await call(client, "preview_order", wanted({"offer_id": LINK, "option": "white"}))
        assert envelope["problem"]["code"] == "invalid_arguments"
        assert envelope["problem"]["details"]["fields"][0]["field"] == "items[0].option"
        (line,) = lines_of(
            await call(client, "preview_order", wanted({"offer_id": LINK, "spec_id": MUG_SPEC}))
        )
    assert (line["offer_id"], line["title"]) == (MUG, None)
    assert house.sandbox.books.received["product"] == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("path-404", "product_unavailable"),
        ("not-permitted", "product_unavailable"),
        ("html", "product_unavailable"),
        ("other-offer", "product_unavailable"),
        ("no-such-product", "product_not_found"),
        ("signature-refused", "upstream_unauthorized"),
        ("http-429", "upstream_busy"),
    ],
)
async def test_words_need_the_product_and_say_why_it_could_not_be_read_while_ids_go_through(
    tmp_path: Path, fault: str, code: str
) -> None:
    house = House(tmp_path)
    failing_products(house, fault)
    async with house.client() as client:
        arguments = wanted({"offer_id": MUG, "spec_id": MUG_SPEC}, {"offer_id": LINK, "option": "white"})
        problem = (await call(client, "preview_order", arguments))["problem"]
        assert problem["code"] == code
        assert "line 2" in problem["message"]
        assert problem["details"]["line"] == 2
        by_ids = await call(client, "preview_order", wanted({"offer_id": LINK, "spec_id": MUG_SPEC}))
    assert lines_of(by_ids)[0]["spec_id"] == MUG_SPEC


async def test_words_wait_for_the_product_no_longer_than_one_call_may_take(tmp_path: Path) -> None:
    house = House(tmp_path, TIMEOUT_SECONDS="1")
    failing_products(house, "timeout-before-read")
    async with house.client() as client:
        with anyio.fail_after(10):
            envelope = await call(client, "preview_order", wanted({"offer_id": MUG, "option": "white"}))
    assert envelope["problem"]["code"] == "product_unavailable"
    assert "no answer" in envelope["problem"]["message"]
    assert house.sandbox.books.received["preview"] == 0


def test_words_that_are_settled_need_the_product_no_more() -> None:
    request = asked()
    unread = {item.offer_id: NotRead(item.offer_id, "no_answer") for item in request.items}
    assert request.items[0].spec_id
    assert Chooser(None, 1.0).after_price(request, [Wish("white")], unread) == request


async def test_an_offer_without_a_spec_whose_product_cannot_be_read_is_asked_of_the_upstream_as_it_is(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    failing_products(house, "path-404")
    async with house.client() as client:
        none = await call(client, "preview_order", wanted({"offer_id": ENVELOPE, "quantity": 10}))
        several = await call(client, "preview_order", wanted({"offer_id": MUG}))
    assert lines_of(none)[0]["offer_id"] == ENVELOPE
    assert several["problem"]["code"] == "not_orderable"


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_arguments_are_the_same_goods_where_a_price_names_no_option(
    tmp_path: Path, era: Era
) -> None:
    """An upstream that takes the only option of an offer where none is named, and names none in its price."""
    house = House(tmp_path, APPROVAL="off")
    async with house.client(era, new_transport=lambda: OnlyOption(house.sandbox, FLASK_SPEC)) as client:
        asked_for = wanted({"offer_id": FLASK, "quantity": 10})
        previews = [await call(client, "preview_order", asked_for) for _ in range(2)]
        assert [lines_of(preview)[0]["spec_id"] for preview in previews] == [FLASK_SPEC] * 2
        first, second = (preview["preview"]["create_order_arguments"] for preview in previews)
        assert (await call(client, "create_order", first))["order"]["state"] == "placed"
        again = await call(client, "create_order", second)
    assert again["problem"]["code"] == "terms_changed"
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("unread", [0, 1])
async def test_the_same_wish_is_a_twin_where_the_product_could_be_read_for_one_preview_alone(
    tmp_path: Path, era: Era, unread: int
) -> None:
    """So that one of the two previews knows the spec, and the other does not."""
    house = House(tmp_path, APPROVAL="off")
    asked_for = wanted({"offer_id": FLASK, "quantity": 10})

    async def preview(*, read: bool) -> dict[str, Any]:
        """By a server of its own, which remembers no product."""
        if not read:
            failing_products(house, "path-404")
        async with house.client(era, new_transport=lambda: OnlyOption(house.sandbox, FLASK_SPEC)) as client:
            envelope = await call(client, "preview_order", asked_for)
        house.sandbox.faults.clear()
        assert lines_of(envelope)[0]["spec_id"] == (FLASK_SPEC if read else None)
        return envelope["preview"]

    first, second = [await preview(read=at != unread) for at in range(2)]
    async with house.client(era, new_transport=lambda: OnlyOption(house.sandbox, FLASK_SPEC)) as client:
        placed = await call(client, "create_order", first["create_order_arguments"])
        assert placed["order"]["state"] == "placed"
        again = await call(client, "create_order", second["create_order_arguments"])
    assert again["problem"]["code"] == "terms_changed"
    assert placed["order"]["out_order_id"] in json.dumps(again["problem"]["details"]["changes"])
    shown = await preview(read=unread == 0)
    assert "recent_identical_order" in {warning["code"] for warning in shown["warnings"]}
    assert house.creates == 1


async def test_an_agent_that_sees_the_text_alone_orders_from_a_link_and_words(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:

        async def said(tool: str, arguments: dict[str, Any]) -> str:
            result = await client.call_tool(tool, arguments)
            assert isinstance(result, CallToolResult)
            return text_of(result)

        asked = wanted({"offer_id": f"this one: {LINK}", "option": "green"})
        choices = dict(
            re.findall(r"^- ([0-9a-f]{32}) 「([^」]+)」", await said("preview_order", asked), re.MULTILINE)
        )
        spec = next(spec for spec, option in choices.items() if option == "墨绿")
        preview = await said("preview_order", wanted({"offer_id": MUG, "spec_id": spec}))
        name, _, arguments = preview.splitlines()[-1].partition(" ")
        assert "is placed as" in await said(name, json.loads(arguments))
    assert house.creates == 1


@pytest.mark.parametrize(
    ("offer", "word"),
    [
        ("https://qr.1688.com/s/aBc123", "is a share link, which does not hold the offer's number; open it"),
        (f"{LINK} or https://detail.1688.com/offer/{SHIRT}.html", "names several offers; give one"),
        ("https://example.com/offer/610947572360.html", f"such as {LINK}"),
        ("the blue one", f"such as {LINK}"),
        ("9" * 4001, "is longer than 4000 characters"),
    ],
)
@pytest.mark.parametrize("tool", ["get_product", "preview_order"])
async def test_a_text_that_names_no_offer_is_refused_with_what_to_paste(
    tmp_path: Path, tool: str, offer: str, word: str
) -> None:
    arguments = {"offer": offer} if tool == "get_product" else wanted({"offer_id": offer})
    async with House(tmp_path).client() as client:
        problem = (await call(client, tool, arguments))["problem"]
    assert problem["code"] == "invalid_arguments"
    assert word in problem["message"]
