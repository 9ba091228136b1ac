"""A server process of its own for test_races: many calls of `create_order` with one token, at once.

Arguments: the ledger (a path or a URL), the upstream's base URL, the number of calls. The arguments of `create_order`
come in on stdin once the parent wants the race to begin; what each call said goes out as a line of JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from mcp import Client

from harness.house import call, settings_for
from xportcn_server.app import build_server
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS


def live(base_url: str) -> dict[str, str]:
    """Settings for the sandbox on a port as if it were the real upstream."""
    return {
        "MODE": "live",
        "BASE_URL": base_url,
        "ACCESS_KEY": SANDBOX_CREDENTIALS.access_key,
        "ACCESS_SECRET": SANDBOX_CREDENTIALS.access_secret,
        "USER_ID": SANDBOX_CREDENTIALS.user_id,
    }


def said(envelope: dict[str, Any]) -> tuple[str, ...]:
    """A create's answer in short: its problem's code, or `placed` and the ids."""
    if envelope["problem"]:
        return (envelope["problem"]["code"],)
    return (envelope["order"]["state"], *envelope["order"]["order_ids"])


async def at_once(client: Client, calls: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What each of these creates said, all being under way together."""
    answers: list[tuple[str, ...]] = []

    async def one(arguments: dict[str, Any]) -> None:
        answers.append(said(await call(client, "create_order", arguments)))

    async with anyio.create_task_group() as tasks:
        for arguments in calls:
            tasks.start_soon(one, arguments)
    return answers


async def main(ledger: str, base_url: str, calls: int) -> None:
    server = build_server(settings_for(Path.cwd() / "unused", **live(base_url), LEDGER=ledger))
    async with Client(server, read_timeout_seconds=60) as client:
        print("ready", flush=True)
        arguments = json.loads(await anyio.to_thread.run_sync(sys.stdin.readline))
        print(json.dumps(await at_once(client, [arguments] * calls)), flush=True)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
