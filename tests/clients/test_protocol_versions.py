"""Two orders and a price that changes between them, in each version of the protocol, by half a result each:
by text alone in all four, by structured content alone in those that have it. Frames are written by hand.
"""

import json
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from clients.scripted_agent import Agent, Half, Shown, Upstream
from harness.over_http import modern
from harness.processes import process_environment, xportcn_mcp

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
            assert self.request("initialize", 1, **hello)["protocolVersion"] == version
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, frame: dict[str, Any]) -> None:
        self._stdin.write(json.dumps(frame) + "\n")
        self._stdin.flush()

    def request(self, method: str, number: int = 1, **params: Any) -> dict[str, Any]:
        frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.send(modern(method, **params) if self.version == STATELESS else frame)
        answer = json.loads(self._stdout.readline())
        if answer["id"] != number:  # a late one
            answer = json.loads(self._stdout.readline())
        assert "result" in answer, answer
        return answer["result"]

    def call(self, tool: str, arguments: dict[str, Any]) -> Shown:
        result = self.request("tools/call", name=tool, arguments=arguments)
        (content,) = result["content"]
        return {"text": content["text"], "structured": result.get("structuredContent")}


@contextmanager
def serving(environment: dict[str, str], version: str) -> Generator[Wire]:
    process = subprocess.Popen(
        xportcn_mcp("serve"),
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


@pytest.mark.parametrize("patient", [True, False], ids=["patient", "impatient"])
def test_a_client_that_asks_what_is_spoken_may_shake_hands_after_all(
    tmp_path: Path, upstream: Upstream, patient: bool
) -> None:
    """An impatient one does not wait for the answer."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    environment = upstream.settings | {"XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3")}
    with serving(environment, STATELESS) as wire:
        if patient:
            assert wire.request("server/discover")["supportedVersions"] == [STATELESS]
        else:
            wire.send(modern("server/discover"))
        wire.version = "2025-11-25"
        assert wire.request("initialize", 2, **hello)["protocolVersion"] == "2025-11-25"
        Agent(wire.call, upstream).order_twice()
