"""The forty requests of model_requests.json: an assistant that reads one half of each result makes the calls
that are written there, and the tools refuse each call with a mistake in it, naming the field.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator, ValidationError
from mcp import Client

from clients.careful_assistant import HALVES, Turn, turns
from clients.model_requests import DATA, LANGUAGES, SCRIPT, broken, sample
from clients.scripted_agent import Half
from harness.house import ERAS, Era, House, call, settings_for
from xportcn_server.parts import address_book_of

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


def test_there_are_forty_requests_in_three_languages_and_every_tool_is_called_in_each() -> None:
    assert Counter(request.language for request in SCRIPT.requests) == {"en": 14, "zh": 13, "vi": 13}
    assert len({request.id for request in SCRIPT.requests}) == 40
    assert len({request.says for request in SCRIPT.requests}) == 40
    for language in LANGUAGES:
        calls = [call for each in SCRIPT.requests if each.language == language for call in each.calls]
        assert {call.tool for call in calls} == {
            "search_products",
            "get_product",
            "preview_order",
            "create_order",
            "get_orders",
        }


def test_no_request_and_no_argument_holds_a_hash() -> None:
    assert not re.search(r"[0-9a-fA-F]{32}", DATA.read_text(encoding="utf-8"))


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
        tools = (await client.list_tools()).tools
    published: set[str] = set()
    for tool in tools:
        fields = tool.input_schema["properties"]
        parts = [fields, fields.get("address", {}), fields.get("items", {}).get("items", {})]
        published |= set(fields).union(*(part.get("properties", {}) for part in parts))
    used = names_in([call.arguments for call in SCRIPT.written_calls])
    assert published - used == {"container"}  # people do not speak of it


@pytest.mark.parametrize("era", ERAS)
async def test_the_published_schema_takes_each_call(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        published = await schemas(client)
    for each in SCRIPT.written_calls:
        assert told_by_schema(published[each.tool], sample(each)) == [], each


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("era", ERAS)
async def test_each_request_comes_out_as_written_by_one_half_of_the_results_alone(
    tmp_path: Path, era: Era, half: Half
) -> None:
    house = house_with_addresses(tmp_path)
    created = 0
    async with house.client(era) as client:
        async for turn in turns(client, half):
            _nothing_is_made_up(turn)
            assert (turn.seen.code or "ok") == turn.call.answer, turn.seen.whole
            for text in turn.call.shows:
                assert text in turn.seen.whole, (turn.request.id, text)
            created += turn.call.tool == "create_order" and turn.call.answer == "ok"
            assert house.creates == created, turn.request.id
    assert created == len(house.order_ids) == 5


def _nothing_is_made_up(turn: Turn) -> None:
    """Each text of a call was said or shown before: as it stands, but for spaces, or word by word."""
    heard = "\n".join(turn.heard).casefold()
    bare = heard.replace(" ", "")
    allowed = {"sales", "price_low"} if turn.call.tool == "search_products" else set[str]()
    allowed |= {"unknown"} if turn.call.tool == "get_orders" else set()
    for text in set(texts_in(turn.arguments)) - allowed:
        words = re.split(r"[ ,/]+", text.casefold())
        said = text.casefold().replace(" ", "") in bare or all(word in heard for word in words)
        assert said, (turn.request.id, text)


@pytest.mark.parametrize("era", ERAS)
async def test_each_call_with_a_mistake_is_refused_by_schema_and_tool_and_the_field_is_named(
    tmp_path: Path, era: Era
) -> None:
    house = house_with_addresses(tmp_path)
    async with house.client(era) as client:
        published = await schemas(client)
        calls = [each for each in SCRIPT.written_calls if each.answer != "invalid_arguments"]
        for turn, right in enumerate(calls):
            mistakes = broken(right, turn)
            assert len(mistakes) == 3
            for mistake in mistakes:
                what = (right, mistake.field)
                assert mistake.field in told_by_schema(published[right.tool], mistake.arguments), what
                problem = (await call(client, right.tool, mistake.arguments))["problem"]
                assert problem["code"] == "invalid_arguments", what
                assert [each["field"] for each in problem["details"]["fields"]] == [mistake.field]
                assert mistake.field in problem["message"]
                assert problem["request_sent"] == "no"
    assert house.sandbox.books.received["preview"] == house.creates == 0


@pytest.mark.parametrize("era", ERAS)
async def test_a_preview_without_any_address_names_the_address(tmp_path: Path, era: Era) -> None:
    house = house_with_addresses(tmp_path)
    async with house.client(era) as client:
        for right in SCRIPT.written_calls:
            if right.tool == "preview_order":
                arguments = {
                    name: value
                    for name, value in sample(right).items()
                    if name not in ("address", "address_name")
                }
                problem = (await call(client, right.tool, arguments))["problem"]
                assert problem["code"] == "invalid_arguments"
                assert problem["details"]["fields"][0]["field"] == "address"


def test_the_page_names_the_saved_addresses_that_its_requests_use() -> None:
    head = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    for name in SCRIPT.saved_addresses:
        assert f"`{name}`" in head
