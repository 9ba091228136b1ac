"""No statement of the ledger reads a whole table: each finds its rows by an index, on both drivers.

The statements are those that the ledger's methods run, each method called at least once, and their plans are the
database's own, in a ledger of a few thousand orders. What is meant to read a whole table does so by another way
(`read_only.py`: audit, doctor), or stands in `MEANT` with its reason.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import psycopg
import pytest

from benchmarks.big_ledger import fill
from harness.clock import START, Clock
from harness.postgres_server import PostgresServer
from ledger.suite.stores import (
    ABSENT,
    PLACED,
    UNKNOWN,
    claim,
    claimed,
    digest_of,
    preview_of,
    remembered,
    settled,
    stored,
)
from xportcn_tools.ledger.approvals import SignIn, Visitor
from xportcn_tools.ledger.ledger import Ledger, OrderQuery
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.queries import Row, Session
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.upstream_state import Reading, VendorMessage

pytestmark = pytest.mark.anyio

T = TypeVar("T")

SMALL = {
    "pause": "one row at most",
    "identity": "one row",
    "visits": "the page's sessions of a day",
}
"""Tables that may be read whole, and why they stay small."""

MEANT = {
    "SELECT * FROM trail ORDER BY sequence": "gives the whole trail",
    "SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1": "reads the last row, and ends",
}
"""Statements that may read a table from one end, and why."""

FEW = {
    "order_key IN (SELECT": "the orders of one reference",
    "AS part0": "as many of each state as were asked for",
    "WHERE realm = ? AND (state = 'unknown')": "the unknown orders",
    "WHERE realm = ? AND (state = 'sending')": "the orders that are being sent",
    "WHERE realm = ? AND ordered = 0": "the previews that wait now",
    "AND (out_order_id = ? OR token_digest = ?)": "the previews of one number",
    "AS recent": "the newest orders that a card looks back at",
    "AND approval_code = ?": "the previews of one code",
    "GROUP BY state": "five states",
}
"""Parts of statements that may sort, and the few rows that they sort."""

SHORT = {
    "orders_of_no_day": "orders whose time of claim was damaged",
    "orders_open": "orders that are being sent or unknown",
}
"""Indexes of which all of a realm, a caller or a state may be read, and what few rows they have."""


class Heard:
    """Distinct statements with the values that came with them first."""

    def __init__(self) -> None:
        self.statements: dict[str, Sequence[Any]] = {}

    def around(self, work: Callable[[Session], T]) -> Callable[[Session], T]:
        return lambda sql: work(cast("Session", _HeardSession(sql, self)))

    def readers(self) -> dict[str, Sequence[Any]]:
        """Those that find rows; the others begin and end transactions, or insert what they are given."""
        finds = re.compile("(SELECT|DELETE) .*FROM|UPDATE ")
        return {text: values for text, values in self.statements.items() if finds.match(text)}


class _HeardSession:
    def __init__(self, inner: Session, heard: Heard) -> None:
        self._inner = inner
        self._heard = heard

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        self._heard.statements.setdefault(statement, values)
        return self._inner.execute(statement, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class HeardSqliteLedger(SqliteLedger):
    def __init__(self, path: Path, clock: Clock, heard: Heard) -> None:
        super().__init__(path, "sandbox", clock=clock)
        self._heard = heard

    def _guarded(self, work: Callable[[Session], T]) -> T:
        return super()._guarded(self._heard.around(work))


class HeardPostgresLedger(PostgresLedger):
    def __init__(self, url: str, clock: Clock, heard: Heard) -> None:
        super().__init__(url, "sandbox", clock=clock)
        self._heard = heard

    def _guarded(self, work: Callable[[Session], T]) -> T:
        return super()._guarded(self._heard.around(work))


def seam() -> set[str]:
    """What a ledger can do."""
    return {name for name in dir(Ledger) if not name.startswith("_")}


class Called:
    """The ledger, and which of its methods were called."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self._ledger, name)


async def everything(called: Called, clock: Clock) -> None:
    """Calls each method, with each kind of query."""
    ledger = cast("Ledger", called)
    await ledger.open()
    placed = await settled(ledger, preview_of("a"), PLACED)
    unknown = await settled(ledger, preview_of("b"), UNKNOWN)
    for number in range(50):  # a statement with many values may have another plan
        await settled(ledger, preview_of(number), PLACED)
    await ledger.standing(preview_of("a").token_digest, "local")
    await remembered(ledger, "local", preview_of("a").request)
    states: list[tuple[Any, ...]] = [(), ("placed",), ("unknown",), ("sending",), ("placed", "unknown")]
    for caller in ("local", None):
        for states_asked in states:
            query = OrderQuery(caller, states=states_asked, limit=50)
            for each in (query, replace(query, before="PO-a")):
                await ledger.orders(each)
            whole_days = replace(query, since=START - timedelta(days=9), until=START + timedelta(days=9))
            for each in (whole_days, replace(whole_days, until=START), replace(whole_days, since=START)):
                await ledger.listing(each)
        for reference in ("PO-a", PLACED.order_ids[0]):
            query = OrderQuery(caller, reference, digest_of("any"), limit=10)
            await ledger.orders(query)
            await ledger.totals(query)
            await ledger.receipts(query)
    await ledger.orders(OrderQuery(None, states=("unknown",)))
    await ledger.knows(OrderQuery("local", "PO-a", digest_of("any")))
    await claimed(ledger, preview_of("sending"))
    clock.advance(3600)
    await ledger.orders(OrderQuery("local", limit=1))  # settles the one that was being sent
    await ledger.resolve(unknown.order_key, ABSENT, "resolved_by_operator")
    await ledger.keep_reading(placed.order_key, Reading(clock.now, ()))
    await ledger.keep_message(placed.order_key, VendorMessage(clock.now, "ORDER_PAY", None, ""))
    await ledger.messages(placed.order_key)
    for number in "cd":
        await stored(ledger, preview_of(number))
    await ledger.preview_by_code("code-c")
    await ledger.waiting()
    await ledger.bought("local", [("610947572360", "")])
    await ledger.approve(preview_of("c"))
    await ledger.decline(preview_of("c"), "page")
    await ledger.used("local")
    await ledger.let_in(SignIn("code", Visitor(None), clock.now + timedelta(hours=1)))
    await ledger.sign_in("code", lambda _: "session", clock.now + timedelta(hours=1))
    clock.advance(60)
    await ledger.visitor("session")
    await ledger.backed_up()
    await ledger.trail()
    await ledger.pause("tea")
    await ledger.paused()
    await claim(ledger, preview_of("d"))
    await ledger.resume()
    await ledger.erase(placed.order_key)
    await ledger.erase_old(timedelta(0))
    clock.advance(timedelta(days=4000).total_seconds())
    while await ledger.erase_old(timedelta(days=9000)):
        pass
    await ledger.aclose()
    assert called.names >= seam(), seam() - called.names


def sqlite_faults(statement: str, plan: list[str], tables: set[str]) -> list[str]:
    """The steps of a plan that read more the more orders there are."""
    faults: list[str] = []
    ends = " LIMIT " in statement
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step)
        of_many = re.match(
            r"SEARCH (?:orders|previews|trail) USING (?:COVERING )?INDEX (\w+) \(realm=\?(?: AND caller=\?)?(?: AND (?:state|goods_digest)=\?)?\)",
            step,
        )
        if scanned and scanned[1] in tables - SMALL.keys():
            faults.append(step)
        if of_many and of_many[1] not in SHORT and not ends:
            faults.append(step)
        if re.search("USE TEMP B-TREE FOR (ORDER|GROUP) BY", step) and not any(
            part in statement for part in FEW
        ):
            faults.append(step)
    return faults


async def test_sqlite_finds_the_rows_of_every_statement_by_an_index(tmp_path: Path) -> None:
    path, clock, heard = tmp_path / "ledger.sqlite3", Clock(), Heard()
    called = Called(HeardSqliteLedger(path, clock, heard))
    await everything(called, clock)
    with closing(sqlite3.connect(path)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found: dict[str, list[str]] = {}
        for statement, values in heard.readers().items():
            plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            faults = [] if statement in MEANT else sqlite_faults(statement, plan, tables)
            if faults:
                found[statement] = [*faults, "of", *plan]
    assert len(heard.readers()) > 30
    assert found == {}


async def test_postgresql_finds_the_rows_of_every_statement_by_an_index(postgres: PostgresServer) -> None:
    url, clock, heard = postgres.new_database(), Clock(), Heard()
    ledger = HeardPostgresLedger(url, clock, heard)
    await settled(ledger, preview_of("one"), PLACED)
    with psycopg.connect(url, autocommit=True) as database:

        def execute(text: str) -> list[tuple[object, ...]]:
            cursor = database.execute(cast("Any", text))
            return cursor.fetchall() if cursor.description else []

        fill(execute, 5000, postgres=True)
    called = Called(ledger)
    await everything(called, clock)
    found: dict[str, list[str]] = {}
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("ANALYZE")
        for statement, values in heard.readers().items():
            text = cast("Any", "EXPLAIN " + statement.replace("?", "%s"))
            plan = [row[0] for row in database.execute(text, tuple(values) or None)]
            scans = [
                step for step in plan if re.search("Seq Scan on (orders|previews|trail|upstream_ids)", step)
            ]
            if "LIMIT" not in statement and not any("Limit" in step for step in plan):
                scans += [
                    step
                    for step in plan
                    if int(next(iter(re.findall(r" on \w+ .*rows=(\d+)", step)), 0)) > 500
                ]
            if scans and statement not in MEANT:
                found[statement] = plan
    assert found == {}
