"""What an order cannot do without: one signed POST that is answered, and one commit that is flushed to disk."""

import sqlite3
import time
from itertools import count
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


_NUMBERS = count(10_000_000)


def create_body() -> dict[str, Any]:
    """Of an order to an address of its own."""
    address = Address(**address_of(next(_NUMBERS)))
    request = OrderRequest(f"floor-{uuid4().hex[:16]}", (Item(MUG, 2, MUG_SPEC),), address, flow="general")
    return Bodies().create(request, Pinned("general"))


class Wire:
    """Bare signed POSTs to an upstream, answered 200 with data. Times are milliseconds."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._kept = httpx.Client(trust_env=False)

    def preview(self, body: dict[str, Any]) -> float:
        """Over a connection that is kept open."""
        return self._timed(self._kept, PREVIEW_PATH, body)

    def create(self) -> float:
        """Over a connection of its own."""
        body = create_body()
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


class WithinServer:
    """The same within the calls of a server: each POST from its loop, each commit in a thread, one after another."""

    def __init__(self, base_url: str, file: str) -> None:
        self._base_url = base_url
        self._commits, self._one_at_a_time = Commits(Path(file)), anyio.Lock()
        self._kept = httpx.AsyncClient(trust_env=False)
        self._bodies: dict[int, dict[str, Any]] = {}

    async def preview(self, items: list[dict[str, Any]]) -> None:
        """Each call of so many lines has the same body."""
        if len(items) not in self._bodies:
            self._bodies[len(items)] = preview_body(items)
        await self._post(self._kept, PREVIEW_PATH, self._bodies[len(items)])
        await self._commit()

    async def create(self) -> None:
        await self._commit()
        async with httpx.AsyncClient(trust_env=False, verify=False) as once:  # noqa: S501 - loopback without TLS
            await self._post(once, CREATE_PATH, create_body())
        await self._commit()

    async def _post(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
        answer = await client.post(self._base_url + path, json=body, headers=_SIGNER.sign(utc_now()))
        assert answer.json().get("data"), answer.text

    async def _commit(self) -> None:
        async with self._one_at_a_time:
            await anyio.to_thread.run_sync(self._commits.commit)
