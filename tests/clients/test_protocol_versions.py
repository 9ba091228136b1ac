"""Two orders and a price that changes between them, in each version of the protocol, by half a result each:
by text alone in all four, by structured content alone in those that have it. Frames are written by hand.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from clients.scripted_agent import Agent, Half, Shown, Upstream
from harness.over_http import command, modern, process_environment

SECONDS = 60
HANDSHAKES = ("2024-11-05", "2025-06-18", "2025-11-25")
STATELESS = "2026-07-28"
WAYS: list[tuple[str, Half]] = [
    *((version, "text") for version in (*HANDSHAKES, STATELESS)),
    *((version, "structured content") for version in (*HANDSHAKES[1:], STATELESS)),
]


class Wire:
    """A server on stdio, one request at a time."""

    def __init__(self, process: "subprocess.Popen[str]", version: str) -> None:
        assert process.stdin
        assert process.stdout
        self._stdin: IO[str] = process.stdin
        self._stdout: IO[str] = process.stdout
        self.version = version
        if version != STATELESS:
            client = {"name": "test", "version": "1"}
            hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
            assert self.request("initialize", **hello)["protocolVersion"] == version
            self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, frame: dict[str, Any]) -> None:
        self._stdin.write(json.dumps(frame) + "\n")
        self._stdin.flush()

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        frame = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self._send(modern(method, **params) if self.version == STATELESS else frame)
        answer = json.loads(self._stdout.readline())
        assert "result" in answer, answer
        return answer["result"]

    def call(self, tool: str, arguments: dict[str, Any]) -> Shown:
        result = self.request("tools/call", name=tool, arguments=arguments)
        (content,) = result["content"]
        return {"text": content["text"], "structured": result.get("structuredContent")}


@contextmanager
def serving(environment: dict[str, str], version: str) -> Iterator[Wire]:
    process = subprocess.Popen(
        command("serve"),
        env=process_environment(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    late = threading.Timer(SECONDS, process.kill)
    late.start()
    try:
        with process:
            yield Wire(process, version)
    finally:
        late.cancel()
        process.kill()


@pytest.mark.parametrize(("version", "half"), WAYS)
def test_orders_are_placed_by_one_half_of_each_result_though_the_price_changes(
    tmp_path: Path, upstream: Upstream, version: str, half: Half
) -> None:
    environment = upstream.settings | {"XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3")}
    with serving(environment, version) as wire:
        Agent(wire.call, upstream, half).order_twice()
