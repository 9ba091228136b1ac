"""What a start and a call take, in counts that are the same on every machine: a slip here is felt by everybody.

What a model reads of the tools and of a preview is counted in clients/test_tool_snapshots.py and
orders/test_names.py.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from harness.house import House, call, previewed
from harness.over_http import INITIALIZE
from orders.test_ledger_trips import CountingSqliteLedger, Counts

pytestmark = pytest.mark.anyio

SERVER = "from xportcn_server.commands.cli import main; main(['serve'])"
BARE = "from mcp.server import MCPServer; MCPServer('bare').run('stdio')"
COUNTED = """
import atexit, gc, json, sys
from pydantic.json_schema import GenerateJsonSchema
made, generate = [], GenerateJsonSchema.generate
def counted(self, *args, **kwargs):
    made.append(1)
    return generate(self, *args, **kwargs)
GenerateJsonSchema.generate = counted
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase) if info["generation"] == 2 else None)
def told():
    counts = {"modules": sorted(sys.modules), "schemas": len(made), "collections": len(collections)}
    print("counted", json.dumps(counts), file=sys.stderr)
atexit.register(told)
"""
AND_ALL_THAT_IS_LISTED = (
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": 3, "method": "prompts/list"},
    {"jsonrpc": "2.0", "id": 4, "method": "resources/templates/list"},
    {"jsonrpc": "2.0", "id": 5, "method": "tools/list"},
)


def counted(folder: Path, program: str, *messages: dict[str, Any]) -> dict[str, Any]:
    """What a process has counted once it has answered an `initialize`, and these messages one by one."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    environ |= {"XPORTCN_LEDGER": str(folder / "ledger.sqlite3"), "XDG_STATE_HOME": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-c", COUNTED + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    ) as process:
        assert process.stdin
        assert process.stdout
        for message in (INITIALIZE, *messages):
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            if "id" in message:
                answer = json.loads(process.stdout.readline())
                assert "result" in answer, answer
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return json.loads(said.decode().partition("counted ")[2])


def ours(modules: list[str]) -> list[str]:
    return [name for name in modules if name.startswith("xportcn_")]


def test_a_handshake_loads_little_beside_the_sdk_and_makes_no_schema(tmp_path: Path) -> None:
    """Tools, desk, upstream and HTTP library come with the first message that needs them."""
    started, bare = counted(tmp_path, SERVER), counted(tmp_path, BARE)
    assert len(ours(started["modules"])) <= 56
    beside = {name.partition(".")[0] for name in started["modules"]} - {
        name.partition(".")[0] for name in bare["modules"]
    }
    others = {name for name in beside if name not in sys.stdlib_module_names and "xportcn" not in name}
    assert others <= {"dotenv", "platformdirs"}
    assert started["schemas"] == 0
    assert started["collections"] == 0  # whole ones: each looks through all that is loaded


def test_each_schema_is_made_once(tmp_path: Path) -> None:
    """Of five tools, what they take and what they answer; of three prompts and a template, by the SDK."""
    assert counted(tmp_path, SERVER, *AND_ALL_THAT_IS_LISTED)["schemas"] == 5 + 5 + 3 + 1


@pytest.fixture
def missing() -> Iterator[list[str]]:
    """The names of modules that somebody looks for and nobody finds."""
    names: list[str] = []

    class Last:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            names.append(name)

    last: Any = Last()
    sys.meta_path.append(last)
    yield names
    sys.meta_path.remove(last)


async def test_each_call_takes_so_many_statements_flushes_and_requests_and_imports_nothing_in_vain(
    tmp_path: Path, missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, flushed = Counts(), list[int]()
    flush = os.fsync

    def counted_flush(file: int) -> None:
        flushed.append(file)
        flush(file)

    monkeypatch.setattr(os, "fsync", counted_flush)
    in_thread, run_sync = list[object](), anyio.to_thread.run_sync

    def counted_run(work: Any, *values: Any, **options: Any) -> Any:
        in_thread.append(work)
        return run_sync(work, *values, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted_run)
    ledger = CountingSqliteLedger(tmp_path / "ledger.sqlite3", counts)
    house = House(tmp_path)

    async with house.client("legacy", ledger=ledger) as client:
        with anyio.fail_after(30):
            await ledger.swept.wait()
        warm = await previewed(client, quantity=9)  # loads what only calls need
        await call(client, "create_order", warm["create_order_arguments"])
        preview: dict[str, Any] = {}
        # The statements are the most; all else is exact. Each transaction that writes is one flush of SQLite.
        for tool, trips, statements, writing, requests in (
            ("preview_order", 1, 9, 1, {"preview": 1}),
            ("create_order", 3, 46, 2, {"create": 1}),
            ("create_order", 1, 5, 0, {}),
        ):
            before = house.sandbox.books.received.copy()
            counts.reset()
            for each in (flushed, missing, in_thread):
                each.clear()
            if tool == "preview_order":
                preview = await previewed(client)
            else:
                answer = await call(client, tool, preview["create_order_arguments"])
                assert answer["order"]["replayed"] is not bool(requests)
            assert (counts.trips, counts.locks, flushed, missing) == (trips, writing, [], []), tool
            assert len(in_thread) == trips, "only the ledger takes a thread"
            assert counts.statements <= statements, tool
            assert dict(house.sandbox.books.received - before) == requests, tool
