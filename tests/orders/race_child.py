"""A server process of its own for test_races: many calls of `create_order` with one token, at once.

Arguments: the ledger (a path or a URL), the upstream's base URL, the number of calls. The arguments of `create_order`
come in on stdin once the parent wants the race to begin; what each call said goes out as a line of JSON.
"""

import json
import sys
from pathlib import Path

import anyio
import anyio.to_thread
from mcp import Client

from harness.house import at_once
from harness.settings import live, settings_for
from xportcn_server.app import build_server


async def main(ledger: str, base_url: str, calls: int) -> None:
    server = build_server(settings_for(Path.cwd() / "unused", **live(base_url), LEDGER=ledger))
    async with Client(server, read_timeout_seconds=60) as client:
        print("ready", flush=True)
        arguments = json.loads(await anyio.to_thread.run_sync(sys.stdin.readline))
        print(json.dumps(await at_once(client, [arguments] * calls)), flush=True)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
