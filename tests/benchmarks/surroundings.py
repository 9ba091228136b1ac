"""What all measurements share: a folder, the sandbox as upstream in a process of its own, and the servers."""

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from benchmarks.stdio_server import StdioServer
from harness.processes import TESTS, Process, free_port, spawned, xportcn_mcp
from harness.settings import environ_of, live

CLIENTS = TESTS.parent / "build" / "clients"
BARE = Path(__file__).with_name("bare_server.py")


@dataclass(frozen=True)
class Place:
    """`upstream`: the sandbox's URL, which stands for the real one."""

    folder: Path
    upstream: str

    def settings(self, ledger: Path | str) -> dict[str, str]:
        """The environment of our server: no limit is in the way, and no approval is asked for."""
        settings = live(self.upstream) | {
            "LEDGER": str(ledger),
            "MAX_ORDER_CNY": "1000000",
            "MAX_DAY_CNY": "100000000",
            "MAX_DAY_ORDERS": "1000000",
            "RECHECK_AFTER_SECONDS": "600",
            "APPROVAL": "off",
        }
        return environ_of(**settings) | {"XDG_STATE_HOME": str(self.folder / "state")}

    def ours(self, ledger: Path | str) -> StdioServer:
        return StdioServer(xportcn_mcp("serve"), self.settings(ledger), self.folder)

    def bare(self, answer: Path, *floor: str) -> StdioServer:
        """`floor`: the upstream and the file that its tools post and commit to."""
        words = [sys.executable, str(BARE), "stdio", str(answer), *floor]
        return StdioServer(words, {"PYTHONPATH": str(TESTS)} if floor else {}, self.folder)

    def answer(self, name: str, result: Mapping[str, Any]) -> Path:
        """A file with a result of ours, for the bare servers."""
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(result), encoding="utf-8")
        return file


def others(answer: Path) -> dict[str, list[str] | str]:
    """What starts a bare server of each other SDK, or why there is none."""
    folder = Path(__file__).parent / "others"
    python = CLIENTS / "clients" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    package = CLIENTS / "node" / "package.json"
    nodes = sorted(CLIENTS.glob("node/node_modules/node-*-*/bin/node*"))
    missing = "not installed: `make clients`"
    return {
        "fastmcp": [str(python), str(folder / "fastmcp_server.py"), str(answer)]
        if python.exists()
        else missing,
        "typescript": [str(nodes[0]), str(folder / "typescript_server.mjs"), str(answer), str(package)]
        if nodes
        else missing,
    }


@contextmanager
def place(folder: Path) -> Generator[Place]:
    port = free_port()
    sandbox = spawned(xportcn_mcp("sandbox", "--port", str(port)), {}, folder, port)
    try:
        anyio.run(_listening, sandbox)
        yield Place(folder, f"http://127.0.0.1:{port}/api")
    finally:
        sandbox.kill()


async def _listening(process: Process) -> None:
    with anyio.fail_after(60):
        while True:
            assert process.popen.poll() is None, process.log.read_text("utf-8")
            try:
                async with await anyio.connect_tcp("127.0.0.1", process.port):
                    return
            except OSError:
                await anyio.sleep(0.05)
