"""`PYTHONPATH=tests python -m benchmarks.above_the_floor [CALLS] [--profile NAME]`: what a call costs beyond what it must.

CPU time of this process (client, server and sandbox are in it), a call, as medians over batches that take
turns. The floor has the same client over the bare SDK, whose one tool answers with as many bytes; one signed
POST into the same sandbox, answered the same; and one commit of one row to a SQLite file.
"""

import cProfile
import pstats
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client
from mcp.server import MCPServer
from mcp_types import CallToolResult

from harness.house import ADDRESS, MUG, MUG_SPEC, Era, House, address_of, order_arguments
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.clock import utc_now
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.results import PreviewEnvelope
from xportcn_tools.sdk_tool import output_schema
from xportcn_tools.upstream.requests import PREVIEW_PATH, Bodies
from xportcn_tools.upstream.signing import Signer

Work = Callable[[], Awaitable[object]]
BATCH = 20


def lines_of(count: int) -> list[dict[str, Any]]:
    """So many lines of one offer."""
    return [{"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": 2 + number % 7} for number in range(count)]


@asynccontextmanager
async def bare_client(answer: CallToolResult, era: Era) -> AsyncGenerator[Client]:
    """A client of the SDK alone, whose tool `preview_order` always gives this answer."""
    server = MCPServer("bare")

    @server.tool()
    async def preview_order(  # pyright: ignore[reportUnusedFunction]
        items: list[dict[str, Any]], address: dict[str, Any], flow: str
    ) -> CallToolResult:
        del items, address, flow
        return answer

    # The client checks each answer against it.
    metadata = server._tool_manager._tools["preview_order"].fn_metadata  # pyright: ignore[reportPrivateUsage]
    metadata.output_schema = output_schema(PreviewEnvelope)
    async with Client(server, mode=era) as client:
        yield client


def signed_post(house: House, count: int) -> tuple[httpx.AsyncClient, Work]:
    """A bare POST of a preview of so many lines, signed; and the client, to be closed."""
    http = httpx.AsyncClient(transport=SandboxTransport(house.sandbox), trust_env=False)
    signer = Signer(SANDBOX_CREDENTIALS)
    items = tuple(Item(each["offer_id"], each["quantity"], each["spec_id"]) for each in lines_of(count))
    body = Bodies().preview(OrderRequest("", items, Address(**ADDRESS), flow="general"))

    async def post() -> None:
        answer = await http.post(SANDBOX_BASE_URL + PREVIEW_PATH, json=body, headers=signer.sign(utc_now()))
        assert answer.json().get("data"), answer.text

    return http, post


def committing(folder: Path, size: int) -> Work:
    """One row of so many bytes, committed as the ledger commits, in a worker thread."""
    connection = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (body TEXT)")
    body = "x" * size

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows VALUES (?)", (body,))
        connection.execute("COMMIT")

    return lambda: anyio.to_thread.run_sync(commit)


async def medians(works: Mapping[str, Work], calls: int) -> dict[str, float]:
    """CPU milliseconds of a call of each, in batches that take turns."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        await work()
    for _ in range(calls // BATCH):
        for name, work in works.items():
            start = time.process_time()
            for _ in range(BATCH):
                await work()
            found[name].append((time.process_time() - start) / BATCH * 1000)
    return {name: statistics.median(each) for name, each in found.items()}


async def main(calls: int, profile: str | None = None, era: Era = "auto") -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = House(
            folder,
            MAX_DAY_CNY="100000000",
            MAX_DAY_ORDERS="1000000",
            MAX_ORDER_CNY="1000000",
            APPROVAL="off",
            RECHECK_AFTER_SECONDS="3600",
            PREVIEW_TTL_SECONDS="1800",
        )
        async with house.client(era) as client:
            waiting: list[dict[str, Any]] = []
            of_address = 0

            async def preview(count: int = 1) -> Any:
                answer = await client.call_tool("preview_order", order_arguments(items=lines_of(count)))
                assert isinstance(answer, CallToolResult)
                assert not answer.is_error, answer
                return answer

            async def fill() -> None:
                nonlocal of_address
                of_address += 1
                answer: Any = await client.call_tool(
                    "preview_order", order_arguments(quantity=2 + of_address, address=address_of(of_address))
                )
                waiting.append(answer.structured_content["preview"]["create_order_arguments"])

            async def create() -> None:
                answer = await client.call_tool("create_order", waiting.pop())
                assert isinstance(answer, CallToolResult)
                assert not answer.is_error, answer

            one, fifty = await preview(), await preview(50)
            for _ in range(calls + 2 + calls // 2):
                await fill()
            again = waiting[0]
            repeat_of = waiting.pop(0)
            await client.call_tool("create_order", repeat_of)

            async def repeat() -> None:
                answer = await client.call_tool("create_order", again)
                assert isinstance(answer, CallToolResult)
                assert not answer.is_error, answer

            if profile:
                work = {"preview": preview, "fifty": lambda: preview(50), "create": create, "repeat": repeat}[
                    profile
                ]
                await work()
                with cProfile.Profile() as profiler:
                    for _ in range(calls):
                        await work()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
                pstats.Stats(profiler).sort_stats("cumtime").print_stats("xportcn|sqlite|httpx", 70)
                return
            async with bare_client(one, era) as bare, bare_client(fifty, era) as bare_fifty:
                http, post = signed_post(house, 1)
                http_fifty, post_fifty = signed_post(house, 50)
                works: dict[str, Work] = {
                    "bare call": lambda: bare.call_tool("preview_order", order_arguments()),
                    "bare call, 50 lines": lambda: bare_fifty.call_tool(
                        "preview_order", order_arguments(items=lines_of(50))
                    ),
                    "POST": post,
                    "POST, 50 lines": post_fifty,
                    "commit": committing(folder, 3000),
                    "preview": preview,
                    "preview, 50 lines": lambda: preview(50),
                    "create": create,
                    "repeat": repeat,
                }
                found = await medians(works, calls)
                await http.aclose()
                await http_fifty.aclose()
    floor, commit, post_ms = found["bare call"], found["commit"], found["POST"]
    above = {
        "preview": floor + post_ms + commit,
        "preview, 50 lines": found["bare call, 50 lines"] + found["POST, 50 lines"] + commit,
        "create": floor + post_ms + 2 * commit,
        "repeat": floor,
    }
    for name, value in found.items():
        more = f"   above the floor {value - above[name]:6.2f}" if name in above else ""
        print(f"{name:22}{value:8.2f} ms{more}")


if __name__ == "__main__":
    named = sys.argv[sys.argv.index("--profile") + 1] if "--profile" in sys.argv else None
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 300, named)
