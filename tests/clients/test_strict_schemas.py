"""Hosts that decode strictly, with the conversions of OpenAI's and Gemini's schemas that real packages make."""

import json
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from clients.careful_assistant import turns
from clients.real_clients import DRIVERS, environment_in, python
from clients.test_halves import decoded
from clients.test_model_requests import house_with_addresses

pytestmark = pytest.mark.anyio

HOSTS = ["OpenAI Agents", "Pydantic AI for OpenAI", "Pydantic AI for Gemini"]
Schemas = dict[str, dict[str, Any]]


def converted(schemas: Schemas, program: str, folder: Path) -> dict[str, Schemas]:
    """What each host makes of the tools' schemas."""
    done = subprocess.run(
        [program, str(DRIVERS / "strict_schemas.py")],
        input=json.dumps(schemas),
        capture_output=True,
        encoding="utf-8",
        env=environment_in(folder),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_strict_host_finds_a_form_for_each_request_and_the_form_is_taken(tmp_path: Path) -> None:
    program = python("clients")  # where it is missing the skip must not be raised inside a task group
    async with house_with_addresses(tmp_path).client() as client:
        published = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
        hosts = converted(published, program, tmp_path)
    assert list(hosts) == HOSTS
    for number, (host, schemas) in enumerate(hosts.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with house_with_addresses(folder).client() as client:
            await all_are_taken(client, host, schemas, published)


async def all_are_taken(client: Client, host: str, schemas: Schemas, published: Schemas) -> None:
    """Each call of the forty requests, with every property given, and for what the person did not say the
    published default, else null.
    """

    def sent(tool: str, meant: dict[str, Any]) -> dict[str, Any]:
        fields = published[tool]["properties"]
        defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
        arguments = cast("dict[str, Any]", decoded(schemas[tool], defaults | meant))
        assert arguments.keys() == schemas[tool]["properties"].keys()
        Draft202012Validator(schemas[tool]).validate(arguments)  # pyright: ignore[reportUnknownMemberType]
        return arguments

    async for turn in turns(client, "structured content", sent):
        assert (turn.seen.code or "ok") == turn.call.answer, (host, turn.request.id, turn.seen.whole)
