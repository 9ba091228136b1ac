"""The inspector's command line over stdio, in both eras: each of its calls is a process of its own, so that
an order goes from preview to look-up through four servers that share a ledger.
"""

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from conformance.checkers import as_json, npm_program, run
from harness.house import order_arguments
from harness.processes import xportcn_mcp

InspectorEra = Literal["legacy", "modern"]
PACKAGE = "@modelcontextprotocol/inspector"
IS_ERROR = 5
"""Its exit status for a result with `isError`."""


class Inspector:
    def __init__(self, era: InspectorEra, folder: Path) -> None:
        self.era = era
        self.folder = folder
        self.program = npm_program(PACKAGE, "mcp-inspector")

    def __call__(self, method: str, *words: str, exits: int = 0) -> dict[str, Any]:
        """The result of one request to a server that asks nobody."""
        settings = ("-e", "XPORTCN_APPROVAL=off", "-e", f"XPORTCN_LEDGER={self.folder / 'ledger.sqlite3'}")
        how = ("--format", "json", "--protocol-era", self.era, "--connect-timeout", "60000")
        done = run(
            [*self.program, "--cli", *settings, *xportcn_mcp("serve"), "--method", method, *words, *how],
            self.folder,
        )
        assert done.returncode == exits, done.stdout + done.stderr
        return as_json(done)["result"]

    def call(self, tool: str, arguments: dict[str, Any], exits: int = 0) -> dict[str, Any]:
        """The envelope of a call; its result is an error just when the envelope has a problem."""
        words = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments, ensure_ascii=False))
        envelope = self("tools/call", *words, exits=exits)["structuredContent"]
        assert envelope["ok"] is (exits == 0)
        return envelope


@pytest.fixture(params=["legacy", "modern"])
def inspector(request: pytest.FixtureRequest, tmp_path: Path) -> Inspector:
    return Inspector(request.param, tmp_path)


def test_the_inspector_lists_the_tools_and_finds_their_schemas_portable(inspector: Inspector) -> None:
    tools = inspector("tools/list", "--strict")["tools"]
    assert [tool["name"] for tool in tools] == [
        "search_products",
        "get_product",
        "preview_order",
        "create_order",
        "get_orders",
    ]


def test_the_inspector_lists_prompts_and_resources_and_reads_one_of_each(inspector: Inspector) -> None:
    names = [prompt["name"] for prompt in inspector("prompts/list")["prompts"]]
    assert names == ["place_order", "reorder", "resolve_unknown"]
    got = inspector("prompts/get", "--prompt-name", "place_order", "--prompt-args", "wish=two mugs")
    assert "two mugs" in got["messages"][0]["content"]["text"]
    uris = [each["uri"] for each in inspector("resources/list")["resources"]]
    assert uris == ["orders://recent", "skill://order-on-1688/SKILL.md"]
    (read,) = inspector("resources/read", "--uri", "orders://recent")["contents"]
    assert read["mimeType"] == "text/markdown"


def test_the_inspector_orders_once_and_looks_it_up(inspector: Inspector) -> None:
    preview = inspector.call("preview_order", order_arguments())["preview"]
    placed = inspector.call("create_order", preview["create_order_arguments"])["order"]
    assert (placed["state"], placed["replayed"]) == ("placed", False)
    again = inspector.call("create_order", preview["create_order_arguments"])["order"]
    assert (again["order_ids"], again["replayed"]) == (placed["order_ids"], True)
    (found,) = inspector.call("get_orders", {"reference": preview["out_order_id"]})["orders"]
    assert found["order_ids"] == placed["order_ids"]


def test_the_inspector_tells_a_bad_argument_by_its_exit_status(inspector: Inspector) -> None:
    envelope = inspector.call("preview_order", order_arguments(colour="red"), exits=IS_ERROR)
    assert envelope["problem"]["code"] == "invalid_arguments"
    assert [field["field"] for field in envelope["problem"]["details"]["fields"]] == ["colour"]
