"""Each half of a result is whole: an agent that is given nothing but the text, and one that is given nothing
but the structured content, each order, are corrected, repeat, and order again after a change of price.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from mcp import Client
from mcp_types import CallToolResult

from clients.careful_assistant import turns
from clients.test_model_requests import house_with_addresses
from harness.house import ERAS, Era, House, order_arguments, text_of

pytestmark = pytest.mark.anyio


class Reader(Protocol):
    """What an agent makes out of the half of a result that it is given."""

    def next_call(self, result: CallToolResult) -> dict[str, Any]:
        """The arguments of the create that a preview, or a problem with a fresh one, holds ready."""
        ...

    def problem(self, result: CallToolResult) -> str | None: ...

    def correct_total(self, result: CallToolResult) -> str: ...

    def placed(self, result: CallToolResult) -> list[str]: ...

    def replayed(self, result: CallToolResult) -> bool: ...

    def changes(self, result: CallToolResult) -> dict[str, tuple[str, str]]: ...


class TextAlone:
    def next_call(self, result: CallToolResult) -> dict[str, Any]:
        name, _, arguments = text_of(result).splitlines()[-1].partition(" ")
        assert name == "create_order"
        return json.loads(arguments)

    def problem(self, result: CallToolResult) -> str | None:
        found = re.match(r"\[[^]]*\] ([a-z_]+): ", text_of(result))
        return found[1] if found else None

    def correct_total(self, result: CallToolResult) -> str:
        return self._found(r"^The preview has expected_total: (.+)$", result)

    def placed(self, result: CallToolResult) -> list[str]:
        return self._found(r" is placed as ([0-9, ]+):", result).split(", ")

    def replayed(self, result: CallToolResult) -> bool:
        return "nothing was sent again" in text_of(result)

    def changes(self, result: CallToolResult) -> dict[str, tuple[str, str]]:
        found = re.findall(r"^- (.+): was (\S+), now (\S+)$", text_of(result), re.MULTILINE)
        return {what: (was, now) for what, was, now in found}

    def _found(self, pattern: str, result: CallToolResult) -> str:
        found = re.search(pattern, text_of(result), re.MULTILINE)
        assert found, text_of(result)
        return found[1]


class StructuredAlone:
    def next_call(self, result: CallToolResult) -> dict[str, Any]:
        envelope = self._of(result)
        preview = envelope["preview"] if "preview" in envelope else envelope["problem"]["preview"]
        return preview["create_order_arguments"]

    def problem(self, result: CallToolResult) -> str | None:
        problem = self._of(result)["problem"]
        return problem["code"] if problem else None

    def correct_total(self, result: CallToolResult) -> str:
        return self._of(result)["problem"]["details"]["preview_has"]

    def placed(self, result: CallToolResult) -> list[str]:
        order = self._of(result)["order"]
        assert order["state"] == "placed"
        return order["order_ids"]

    def replayed(self, result: CallToolResult) -> bool:
        return self._of(result)["order"]["replayed"]

    def changes(self, result: CallToolResult) -> dict[str, tuple[str, str]]:
        changes = self._of(result)["problem"]["details"]["changes"]
        return {change["what"]: (change["was"], change["now"]) for change in changes}

    def _of(self, result: CallToolResult) -> dict[str, Any]:
        assert result.structured_content is not None
        return result.structured_content


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("reader", [TextAlone(), StructuredAlone()])
async def test_an_agent_orders_with_one_half_of_the_results_alone(
    tmp_path: Path, era: Era, reader: Reader
) -> None:
    house = House(tmp_path, RECHECK_AFTER_SECONDS="0")
    async with house.client(era) as client:
        ready = reader.next_call(await _call(client, "preview_order", order_arguments()))

        wrong = await _call(client, "create_order", ready | {"expected_total": "1.00"})
        assert reader.problem(wrong) == "echo_mismatch"
        ready["expected_total"] = reader.correct_total(wrong)

        created = await _call(client, "create_order", ready)
        assert reader.placed(created) == house.order_ids
        assert not reader.replayed(created)

        repeated = await _call(client, "create_order", ready)
        assert reader.placed(repeated) == house.order_ids
        assert reader.replayed(repeated)

        ready = reader.next_call(await _call(client, "preview_order", order_arguments(3)))
        house.sandbox.faults.add("price-drift", "preview", times=None)
        dearer = await _call(client, "create_order", ready)
        assert reader.problem(dearer) == "terms_changed"
        fresh = reader.next_call(dearer)
        assert reader.changes(dearer)["payable"] == (ready["expected_total"], fresh["expected_total"])

        assert house.creates == 1
        assert reader.placed(await _call(client, "create_order", fresh)) == house.order_ids[1:]


async def _call(client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    result = await client.call_tool(tool, arguments)
    assert isinstance(result, CallToolResult)
    return result


# Hosts that decode strictly: every property is required, null is how to leave one out.


def openai_strict(schema: dict[str, Any]) -> dict[str, Any]:
    """As `ensure_strict_json_schema` of the OpenAI Agents SDK: objects are closed, all properties required."""
    fields = {key: _each(value, openai_strict) for key, value in schema.items()}
    if "object" in _types(schema):
        fields["additionalProperties"] = False
        fields["properties"] = {
            name: openai_strict(value) for name, value in schema.get("properties", {}).items()
        }
        fields["required"] = list(fields["properties"])
    return fields


def gemini(schema: dict[str, Any]) -> dict[str, Any]:
    """As google-genai's `Schema.from_json_schema`: one type, `nullable` beside it, no `additionalProperties`.

    It has a single type or `anyOf` of such; a list of types beyond one and null would be lost.
    """
    types = _types(schema)
    assert len([name for name in types if name != "null"]) == 1, schema
    fields = {
        key: _each(value, gemini)
        for key, value in schema.items()
        if key not in ("type", "additionalProperties", "properties")
    }
    fields |= {"type": types[0], "nullable": "null" in types}
    if "properties" in schema:
        fields["properties"] = {name: gemini(value) for name, value in schema["properties"].items()}
    return fields


def _each(value: object, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> object:
    if not isinstance(value, dict) or "type" not in value:
        return cast("object", value)
    return convert(cast("dict[str, Any]", value))


def _types(schema: dict[str, Any]) -> list[str]:
    return [schema["type"]] if isinstance(schema["type"], str) else schema["type"]


def decoded(schema: dict[str, Any], meant: object) -> object:
    """What a strict host sends for what is meant: every property, with the schema's null for those absent."""
    if isinstance(meant, dict):
        fields = cast("dict[str, Any]", meant)
        return {
            name: decoded(part, fields.get(name, part.get("default")))
            for name, part in schema["properties"].items()
        }
    if isinstance(meant, list):
        return [decoded(schema["items"], item) for item in cast("list[object]", meant)]
    if meant is None:
        assert schema.get("nullable") or "null" in _types(schema), schema
    return meant


def as_published(schema: dict[str, Any]) -> dict[str, Any]:
    """No conversion: what a host sends that knows the schema alone, with null for all that is absent."""
    return schema


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("convert", [as_published, openai_strict, gemini])
async def test_each_request_is_taken_as_a_strict_host_sends_it_with_null_for_what_is_absent(
    tmp_path: Path, era: Era, convert: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    async with house_with_addresses(tmp_path).client(era) as client:
        tools = (await client.list_tools()).tools
        schemas = {tool.name: convert(tool.input_schema) for tool in tools}

        def sent(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
            return cast("dict[str, Any]", decoded(schemas[tool], arguments))

        async for turn in turns(client, "structured content", sent):
            assert (turn.seen.code or "ok") == turn.call.answer, (turn.request.id, turn.seen.whole)
