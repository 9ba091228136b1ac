"""Clients that people use place orders by what they show a model by default; docs/clients.md says so.

After a change that is meant: `XPORTCN_TEST_WRITE_SNAPSHOTS=1 pytest tests/clients/test_real_clients.py`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.clients_page import table
from clients.real_clients import CLIENTS_OF_PEOPLE, ROOT, Client, driven, words
from clients.scripted_agent import Agent, Half, Upstream
from harness.processes import process_environment, start, xportcn_mcp
from package.pages import filled

PAGE = ROOT / "docs" / "clients.md"
TOOLS = ["search_products", "get_product", "preview_order", "create_order", "get_orders"]

Seen = dict[bool, set[Half]]
Order = Callable[[Client], Seen]


@pytest.fixture(scope="session")
def seen() -> dict[Client, Seen]:
    """What the runs of this session have found so far."""
    return {}


@pytest.fixture
def order(tmp_path: Path, upstream: Upstream, seen: dict[Client, Seen]) -> Order:
    """Place orders with a client over stdio, once in a session; which halves of results were shown."""

    def place(client: Client) -> Seen:
        if client not in seen:
            shown: Seen = {True: set(), False: set()}
            for half in client.halves:
                upstream.calm()
                folder = tmp_path / f"{client.driver}-{half}"
                folder.mkdir()
                agent = ordered(client, on_stdio(upstream, folder), folder, upstream, half)
                assert agent.approval == "client_dialog"
                shown = {problem: shown[problem] | agent.shown[problem] for problem in shown}
            seen[client] = shown
        return seen[client]

    return place


def on_stdio(upstream: Upstream, folder: Path) -> dict[str, Any]:
    program, *rest = xportcn_mcp("serve")
    environment = upstream.settings | {"XPORTCN_LEDGER": str(folder / "ledger.sqlite3")}
    return {"command": program, "args": rest, "env": process_environment(environment)}


def ordered(
    client: Client, server: dict[str, Any], folder: Path, upstream: Upstream, half: Half | None
) -> Agent:
    with driven(words(client, server), folder) as running:
        tools = running.shown()["tools"][: len(TOOLS)]  # mcp-use makes tools of prompts as well
        assert [tool["name"] for tool in tools] == TOOLS
        assert all(tool["description"] and tool["parameters"] for tool in tools)
        agent = Agent(running.call, upstream, half)
        agent.order_twice()
    return agent


@pytest.mark.parametrize("client", CLIENTS_OF_PEOPLE, ids=lambda client: client.name)
def test_a_client_that_starts_the_program_orders_by_what_it_shows_its_model(
    client: Client, order: Order
) -> None:
    assert all(order(client).values())


@pytest.mark.parametrize("client", CLIENTS_OF_PEOPLE, ids=lambda client: client.name)
def test_a_client_over_http_orders_by_what_it_shows_its_model(
    client: Client, tmp_path: Path, upstream: Upstream
) -> None:
    environment = upstream.settings | {
        "XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3"),
        "XPORTCN_APPROVAL": "ask",
    }
    server = start(environment, tmp_path)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as http:
            http.get(f"{server.url}/healthz").raise_for_status()
        ordered(client, {"url": f"{server.url}/mcp"}, tmp_path, upstream, client.halves[0])
    finally:
        server.kill()


def test_the_page_shows_what_each_client_was_seen_to_show(order: Order) -> None:
    text = PAGE.read_text("utf-8")
    wanted = filled(text, {"clients": table({client: order(client) for client in CLIENTS_OF_PEOPLE})})
    if os.environ.get("XPORTCN_TEST_WRITE_SNAPSHOTS"):
        PAGE.write_text(wanted, "utf-8")
    assert PAGE.read_text("utf-8") == wanted, "see the top of this file"
