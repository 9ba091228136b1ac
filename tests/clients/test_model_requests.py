"""The thirty requests of model_requests.json: the tools take what a careful person would send for them, and
refuse each of them with a mistake in it, naming the field.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator, ValidationError
from mcp import Client

from clients.model_requests import LANGUAGES, SCRIPT, Request, broken
from harness.house import ERAS, Era, House, call, settings_for
from xportcn_server.app import address_book_of

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
_ABOUT_A_NAME = ("required", "additionalProperties")
BEGIN = "<!-- requests:begin -->"


def house_with_addresses(folder: Path) -> House:
    house = House(folder)
    for name, address in SCRIPT.saved_addresses.items():
        address_book_of(settings_for(house.ledger)).save(name, dict(address))
    return house


async def schemas(client: Client) -> dict[str, Draft202012Validator]:
    """What each tool says that it takes."""
    tools = (await client.list_tools()).tools
    for tool in tools:
        Draft202012Validator.check_schema(tool.input_schema)
    return {tool.name: Draft202012Validator(tool.input_schema) for tool in tools}


def told_by_schema(schema: Draft202012Validator, arguments: dict[str, Any]) -> list[str]:
    """The places that the schema objects to, as our problems write them."""
    places: list[str] = []
    errors = cast("Iterator[ValidationError]", cast("Any", schema).iter_errors(arguments))
    for error in errors:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path)
        named = re.findall(r"'(\w+)'", error.message) if error.validator in _ABOUT_A_NAME else [""]
        places += [f"{path}.{name}".strip(".") for name in named]
    return places


def test_there_are_ten_requests_in_each_of_three_languages_and_every_tool_is_asked_for_in_each() -> None:
    assert Counter(request.language for request in SCRIPT.requests) == dict.fromkeys(LANGUAGES, 10)
    assert len({request.id for request in SCRIPT.requests}) == len(SCRIPT.requests)
    assert len({request.request for request in SCRIPT.requests}) == len(SCRIPT.requests)
    for language in LANGUAGES:
        tools = Counter(each.tool for each in SCRIPT.requests if each.language == language)
        assert set(tools) == {"preview_order", "create_order", "get_orders"}
        assert max(tools, key=lambda tool: tools[tool]) == "preview_order"


def names_in(value: object) -> set[str]:
    """Every name of a field, at any depth."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return set(fields).union(*map(names_in, fields.values()))
    names: set[str] = set()
    return names.union(*map(names_in, cast("list[object]", value))) if isinstance(value, list) else names


def texts_in(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return [text for each in cast("list[object]", value) for text in texts_in(each)]
    return [value] if isinstance(value, str) else []


async def test_the_requests_use_every_argument_that_the_tools_take(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        listed = (await client.list_tools()).tools
    tools = [tool for tool in listed if tool.name not in ("search_products", "get_product")]
    published: set[str] = set()
    for tool in tools:
        fields = tool.input_schema["properties"]
        parts = [fields, fields.get("address", {}), fields.get("items", {}).get("items", {})]
        published |= set(fields).union(*(part.get("properties", {}) for part in parts))
    used = names_in([request.arguments for request in SCRIPT.requests])
    # Nobody says the first in words; the second is in tests/goods.
    assert published - used == {"container", "option"}


def test_no_argument_is_made_up_each_text_is_in_the_persons_words() -> None:
    for request in SCRIPT.requests:
        if request.tool == "preview_order":
            said = request.request.replace(" ", "")
            for text in texts_in(request.arguments):
                assert text.replace(" ", "") in said, (request.id, text)


@pytest.mark.parametrize("era", ERAS)
async def test_the_published_schema_takes_each_request(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        published = await schemas(client)
    for request in SCRIPT.requests:
        assert told_by_schema(published[request.tool], request.arguments) == [], request.id


@pytest.mark.parametrize("era", ERAS)
async def test_each_request_gets_the_answer_that_is_written_beside_it(tmp_path: Path, era: Era) -> None:
    house = house_with_addresses(tmp_path)
    previews: dict[str, dict[str, Any]] = {}
    async with house.client(era) as client:
        for request in SCRIPT.requests:
            arguments = request.arguments
            if request.follows:
                # The token is random; total and address are those that the preview gives.
                ready = previews[request.follows]["create_order_arguments"]
                arguments = arguments | {"preview_token": ready["preview_token"]}
                assert arguments == ready, request.id
            envelope = await call(client, request.tool, arguments)
            code = envelope["problem"]["code"] if envelope["problem"] else "ok"
            assert code == request.answer, (request.id, envelope["problem"])
            if envelope.get("preview"):
                previews[request.id] = envelope["preview"]
            if request.follows:
                assert envelope["order"]["state"] == "placed"
            _agrees(request, envelope)
    assert house.creates == sum(1 for request in SCRIPT.requests if request.follows)


def _agrees(request: Request, envelope: dict[str, Any]) -> None:
    """The answer is about what was asked for."""
    asked = request.arguments
    if envelope.get("preview"):
        lines = [line for group in envelope["preview"]["groups"] for line in group["lines"]]
        assert sorted((line["offer_id"], line["quantity"]) for line in lines) == sorted(
            (item["offer_id"], item["quantity"]) for item in asked["items"]
        )
        for name in ("out_order_id", "trade_type", "promotion_id", "flow"):
            assert envelope["preview"][name] == asked.get(name, envelope["preview"][name])
    if envelope.get("orders") is not None:
        assert len(envelope["orders"]) <= asked.get("limit", 10)
        for order in envelope["orders"]:
            assert order["state"] == asked.get("state", order["state"])
            assert order["out_order_id"] == asked.get("reference", order["out_order_id"])
        assert envelope["orders"] or asked.get("state") in ("unknown", "rejected")


@pytest.mark.parametrize("era", ERAS)
async def test_each_request_with_a_mistake_is_refused_by_schema_and_tool_and_the_field_is_named(
    tmp_path: Path, era: Era
) -> None:
    house = house_with_addresses(tmp_path)
    async with house.client(era) as client:
        published = await schemas(client)
        for turn, request in enumerate(SCRIPT.requests):
            mistakes = broken(request, turn)
            assert len(mistakes) == 3
            for mistake in mistakes:
                what = (request.id, mistake.field)
                assert mistake.field in told_by_schema(published[request.tool], mistake.arguments), what
                problem = (await call(client, request.tool, mistake.arguments))["problem"]
                assert problem["code"] == "invalid_arguments", what
                assert [each["field"] for each in problem["details"]["fields"]] == [mistake.field]
                assert mistake.field in problem["message"]
                assert problem["request_sent"] == "no"
    assert house.sandbox.books.received["preview"] == house.creates == 0


@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_without_any_address_names_the_address(tmp_path: Path, era: Era) -> None:
    house = house_with_addresses(tmp_path)
    async with house.client(era) as client:
        for request in SCRIPT.requests:
            if request.tool == "preview_order":
                arguments = {
                    name: value
                    for name, value in request.arguments.items()
                    if name not in ("address", "address_name")
                }
                problem = (await call(client, request.tool, arguments))["problem"]
                assert problem["code"] == "invalid_arguments"
                assert problem["details"]["fields"][0]["field"] == "address"


def test_the_page_names_the_saved_addresses_that_its_requests_use() -> None:
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    for name in SCRIPT.saved_addresses:
        assert f"`{name}`" in head
