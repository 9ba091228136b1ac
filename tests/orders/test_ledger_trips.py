"""How often a call goes to the ledger, and how often it waits for the one lock of all writers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import psycopg
import pytest

from harness.house import ERAS, Era, House, Person, call, order_arguments, previewed
from harness.postgres_server import PostgresServer
from ledger.suite.stores import PLACED, preview_of, settled
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Counts:
    """Trips into the ledger, statements that wait for the writers' lock, and all statements, since `reset`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.trips = self.locks = self.statements = 0

    def taken(self) -> tuple[int, int]:
        """Trips and locks; the count begins again."""
        found = self.trips, self.locks
        self.reset()
        return found


class _CountingSession:
    def __init__(self, inner: Session, counts: Counts) -> None:
        self._inner = inner
        self._counts = counts

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        self._counts.statements += 1
        self._counts.locks += statement == "BEGIN IMMEDIATE" or "pg_advisory_xact_lock" in statement
        return self._inner.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def counted(work: Callable[[Session], T], counts: Counts) -> Callable[[Session], T]:
    counts.trips += 1
    return lambda sql: work(cast("Session", _CountingSession(sql, counts)))


class CountingSqliteLedger(SqliteLedger):
    def __init__(self, path: Path, counts: Counts) -> None:
        super().__init__(path, "sandbox")
        self.counts, self.swept = counts, anyio.Event()

    def _guarded(self, work: Callable[[Session], T]) -> T:
        return super()._guarded(counted(work, self.counts))

    async def erase_old(self, retention: timedelta) -> int:
        erased = await super().erase_old(retention)
        self.swept.set()
        return erased


class CountingPostgresLedger(PostgresLedger):
    def __init__(self, url: str, counts: Counts) -> None:
        super().__init__(url, "sandbox")
        self.counts, self.swept = counts, anyio.Event()

    async def erase_old(self, retention: timedelta) -> int:
        erased = await super().erase_old(retention)
        self.swept.set()
        return erased

    def _guarded(self, work: Callable[[Session], T]) -> T:
        return super()._guarded(counted(work, self.counts))


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(
    request: pytest.FixtureRequest, tmp_path: Path, counts: Counts
) -> CountingSqliteLedger | CountingPostgresLedger:
    if request.param == "sqlite":
        return CountingSqliteLedger(tmp_path / "ledger.sqlite3", counts)
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return CountingPostgresLedger(postgres.new_database(), counts)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("asks", [False, True], ids=["no form", "form"])
async def test_each_call_goes_to_the_ledger_a_few_times_and_waits_for_the_lock_only_to_order(
    tmp_path: Path,
    ledger: CountingSqliteLedger | CountingPostgresLedger,
    counts: Counts,
    era: Era,
    *,
    asks: bool,
) -> None:
    of_preview = 1 if isinstance(ledger, SqliteLedger) else 0  # one file has one writer, whatever it writes
    async with House(tmp_path).client(era, Person() if asks else None, ledger=ledger) as client:
        with anyio.fail_after(30):
            await ledger.swept.wait()  # what a start erases is no part of a call
        counts.reset()
        preview = await previewed(client)
        assert counts.taken() == (1, of_preview)
        placed = await call(client, "create_order", preview["create_order_arguments"])
        assert placed["order"]["state"] == "placed"
        # The question is put in each of two rounds where the protocol keeps no session, and in none where
        # nobody can be asked.
        rounds = (2 if era == "auto" else 1) if asks else 0
        assert counts.taken() == (rounds + 3, 2)
        again = await call(client, "create_order", preview["create_order_arguments"])
        assert again["order"]["replayed"]
        assert counts.taken() == (2 if asks else 1, 0)
        for reference in (preview["preview_token"], preview["out_order_id"], placed["order"]["order_ids"][0]):
            found = await call(client, "get_orders", {"reference": reference})
            assert len(found["orders"]) == 1
            assert counts.taken() == (1, 0)
        await call(client, "get_orders")
        assert counts.taken() == (1, 0)
        missed = await call(client, "get_orders", {"reference": "PO-nobodys"})
        assert missed["problem"]["code"] == "not_found"
        assert counts.taken() == (2, 0)
        named = await call(client, "preview_order", order_arguments(3, out_order_id="PO-of-the-buyer"))
        assert named["ok"]
        assert counts.taken() == (2, of_preview)


@pytest.mark.parametrize("query", [{}, {"reference": "PO-same"}], ids=["all", "reference"])
async def test_fifty_orders_come_with_their_goods_in_one_trip_and_four_selects(
    tmp_path: Path,
    ledger: CountingSqliteLedger | CountingPostgresLedger,
    counts: Counts,
    query: dict[str, Any],
) -> None:
    async with House(tmp_path).client(ledger=ledger) as client:
        for number in range(50):
            preview = preview_of(number)
            await settled(ledger, preview, replace(PLACED, order_ids=(f"{number + 1}", "PO-same")))
        counts.reset()
        found = await call(client, "get_orders", {"limit": 50} | query)
        assert counts.statements == (7 if isinstance(ledger, SqliteLedger) else 8)  # four are selects
        assert counts.taken() == (1, 0)
    assert len(found["orders"]) == 50
    assert all(order["goods"] and order["lines"] for order in found["orders"])


async def test_a_preview_waits_for_no_writer_of_the_database(
    tmp_path: Path, postgres: PostgresServer, counts: Counts
) -> None:
    url = postgres.new_database()
    ledger = CountingPostgresLedger(url, counts)
    async with House(tmp_path).client(ledger=ledger) as client:
        await previewed(client)
        with psycopg.connect(url, autocommit=False) as writer:
            writer.execute("SELECT pg_advisory_xact_lock(7688268100000001)")
            preview = await previewed(client)
            refused = await call(client, "create_order", preview["create_order_arguments"])
    assert (refused["problem"]["code"], refused["problem"]["request_sent"]) == ("ledger_unavailable", "no")
