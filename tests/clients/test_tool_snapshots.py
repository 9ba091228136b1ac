"""No name, description, schema or hint that a model sees changes unseen: one snapshot file a tool.

After a change that is meant: `XPORTCN_TEST_WRITE_SNAPSHOTS=1 pytest tests/clients/test_tool_snapshots.py`.
"""

import json
import os
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from mcp_types import Tool

from harness.house import ERAS, MUG, Era, House, call, order_arguments

pytestmark = pytest.mark.anyio
SNAPSHOTS = Path(__file__).parent / "toolsnaps"
NAMES = ["search_products", "get_product", "preview_order", "create_order", "get_orders"]
MOST_BYTES = 25_000
MOST_READ = 7500  # names, descriptions and input schemas


async def _tools(folder: Path, era: Era) -> list[Tool]:
    async with House(folder).client(era) as client:
        return (await client.list_tools()).tools


def _as_json(tool: Tool) -> dict[str, Any]:
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize("era", ERAS)
async def test_there_are_five_tools_in_the_order_of_the_contract(tmp_path: Path, era: Era) -> None:
    assert [tool.name for tool in await _tools(tmp_path, era)] == NAMES


@pytest.mark.parametrize("era", ERAS)
async def test_each_tool_is_as_its_snapshot_says(tmp_path: Path, era: Era) -> None:
    for tool in await _tools(tmp_path, era):
        file = SNAPSHOTS / f"{tool.name}.json"
        text = json.dumps(_as_json(tool), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        if os.environ.get("XPORTCN_TEST_WRITE_SNAPSHOTS"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("era", ERAS)
async def test_the_whole_list_of_tools_is_at_most_25000_bytes(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        listed = await client.list_tools()
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) <= MOST_BYTES


async def test_what_a_model_reads_of_all_tools_is_at_most_7500_bytes(tmp_path: Path) -> None:
    seen = [
        (tool.name, tool.description, json.dumps(tool.input_schema, ensure_ascii=False))
        for tool in await _tools(tmp_path, "auto")
    ]
    assert sum(len((part or "").encode()) for texts in seen for part in texts) <= MOST_READ


@pytest.mark.parametrize(
    ("tool", "arguments", "answers"),
    [
        ("search_products", {"query": "mug"}, ["products", "total"]),
        ("get_product", {"offer": MUG}, ["product"]),
        ("preview_order", order_arguments(), ["preview"]),
        ("create_order", {}, ["order"]),
        ("get_orders", {}, ["orders", "totals", "next_before"]),
    ],
)
async def test_each_tool_publishes_and_returns_an_envelope_of_its_own(
    tmp_path: Path, tool: str, arguments: dict[str, Any], answers: list[str]
) -> None:
    async with House(tmp_path).client() as client:
        (published,) = [each for each in (await client.list_tools()).tools if each.name == tool]
        found = await call(client, tool, arguments)
    assert published.output_schema
    names = ["ok", "environment", *answers, "problem"]
    assert list(published.output_schema["properties"]) == list(found) == names
    problem = published.output_schema["properties"]["problem"]["properties"]
    assert (problem["preview"]["type"] == "null") is (tool != "create_order")


async def test_every_result_fits_the_schema_that_its_tool_publishes(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        preview = await call(client, "preview_order", order_arguments())
        arguments = preview["preview"]["create_order_arguments"]
        results = [
            ("search_products", await call(client, "search_products", {"query": "mug"})),
            ("search_products", await call(client, "search_products", {"query": ""})),
            ("get_product", await call(client, "get_product", {"offer": MUG})),
            ("get_product", await call(client, "get_product", {"offer": "610947572361"})),
            ("preview_order", preview),
            ("preview_order", await call(client, "preview_order", order_arguments(items=[]))),
            ("create_order", await call(client, "create_order", arguments | {"goods": "x"})),
            ("create_order", await call(client, "create_order", arguments)),
            ("get_orders", await call(client, "get_orders")),
        ]
    for name, result in results:
        cast("Any", Draft202012Validator(schemas[name] or {})).validate(result)


async def test_no_schema_has_references_and_every_object_is_closed(tmp_path: Path) -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            fields = cast("dict[str, Any]", node)
            assert "$ref" not in fields
            if "object" in (fields.get("type") or ()):
                assert fields["additionalProperties"] is False
            for value in fields.values():
                check(value)
        elif isinstance(node, list):
            for value in cast("list[Any]", node):
                check(value)

    for tool in await _tools(tmp_path, "auto"):
        check(tool.input_schema)
        assert "$ref" not in json.dumps(tool.output_schema)


async def test_hints_tell_the_truth_about_each_tool(tmp_path: Path) -> None:
    hints = {
        tool.name: (
            tool.annotations.read_only_hint,
            tool.annotations.destructive_hint,
            tool.annotations.idempotent_hint,
            tool.annotations.open_world_hint,
        )
        for tool in await _tools(tmp_path, "auto")
        if tool.annotations
    }
    assert hints == {
        "search_products": (True, False, False, True),
        "get_product": (True, False, False, True),
        "preview_order": (True, False, False, True),
        "create_order": (False, True, True, True),
        "get_orders": (True, False, True, False),
    }
