"""What an order cannot do without: one signed POST that is answered, and one commit that is flushed to disk."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
import httpx

from harness.house import ADDRESS, MUG, MUG_SPEC, address_of
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS
from xportcn_tools.clock import utc_now
from xportcn_tools.order import Address, Item, OrderRequest, Pinned
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH, Bodies
from xportcn_tools.upstream.signing import Signer

ROW_BYTES = 3000
"""About as many as a preview's row has."""

_SIGNER = Signer(SANDBOX_CREDENTIALS)


def preview_body(items: list[dict[str, Any]]) -> dict[str, Any]:
    asked = tuple(Item(each["offer_id"], each["quantity"], each["spec_id"]) for each in items)
    return Bodies().preview(OrderRequest("", asked, Address(**ADDRESS), flow="general"))


class Wire:
    """Bare signed POSTs to an upstream, answered 200 with data. Times are milliseconds."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._kept = httpx.Client(trust_env=False)
        self._created = 0

    def preview(self, body: dict[str, Any]) -> float:
        """Over a connection that is kept open."""
        return self._timed(self._kept, PREVIEW_PATH, body)

    def create(self) -> float:
        """Over a connection of its own."""
        self._created += 1
        address = Address(**address_of(10_000_000 + self._created))
        request = OrderRequest(
            f"floor-{uuid4().hex[:16]}", (Item(MUG, 2, MUG_SPEC),), address, flow="general"
        )
        body = Bodies().create(request, Pinned("general"))
        with httpx.Client(trust_env=False, verify=False) as once:  # noqa: S501 - loopback without TLS
            return self._timed(once, CREATE_PATH, body)

    def close(self) -> None:
        self._kept.close()

    def _timed(self, client: httpx.Client, path: str, body: dict[str, Any]) -> float:
        began = time.perf_counter()
        answer = client.post(self._base_url + path, json=body, headers=_SIGNER.sign(utc_now()))
        found = answer.json()
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, answer.text
        assert found.get("data"), answer.text
        return took


class Commits:
    """One row, committed as the ledger commits."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS rows (body TEXT)")

    def commit(self) -> float:
        """Milliseconds."""
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO rows VALUES (?)", ("x" * ROW_BYTES,))
        self._connection.execute("COMMIT")
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        self._connection.close()


def post_and_commit(base_url: str, file: str) -> Callable[[], Awaitable[None]]:
    """Both, for a server: the POST from its loop, the commit in a thread, one after another."""
    commits, one_at_a_time = Commits(Path(file)), anyio.Lock()
    body = preview_body([{"offer_id": MUG, "quantity": 2, "spec_id": MUG_SPEC}])
    client = httpx.AsyncClient(trust_env=False)

    async def work() -> None:
        answer = await client.post(base_url + PREVIEW_PATH, json=body, headers=_SIGNER.sign(utc_now()))
        assert answer.json().get("data"), answer.text
        async with one_at_a_time:
            await anyio.to_thread.run_sync(commits.commit)

    return work
