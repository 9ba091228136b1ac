"""Ledgers of earlier programs: opened, brought to this version, and ordered in.

`old/version_003.json` was written by the program whose ledger had version 3 (commit `ec2f095`), over the sandbox:
one order that is placed, one that is being sent, one preview that waits and one that is approved.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
import psycopg.errors
import pytest
from psycopg.rows import dict_row

from harness.house import MUG, MUG_SPEC, House, call
from harness.postgres_server import PostgresServer
from harness.trail_check import first_break
from ledger.suite.stores import claim, remembered, standing_of, stored
from xportcn_server import app
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.canonical import fingerprint
from xportcn_tools.ledger import migrations, sql
from xportcn_tools.ledger import postgres as postgres_driver
from xportcn_tools.ledger.ledger import (
    Claimed,
    EarlierUnknown,
    Ledger,
    LedgerUnavailableError,
    OrderQuery,
    ReferenceUsed,
)
from xportcn_tools.ledger.migrations import numbered_scripts, statements
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.seals import PREVIEW_COLUMNS, seal_of
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.order import Item

pytestmark = pytest.mark.anyio

OLD = json.loads((Path(__file__).parent / "old" / "version_003.json").read_text(encoding="utf-8"))
THEN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
Driver = Literal["sqlite", "postgres"]
Execute = Callable[[str, tuple[Any, ...]], object]


def insert(execute: Execute, mark: str, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join([mark] * len(row))
    execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608


def insert_all(execute: Execute, mark: str) -> None:
    for table, rows in OLD["tables"].items():
        for row in rows:
            insert(execute, mark, table, row)


def scripts_before(dialect: Driver, number: int) -> Iterator[str]:
    return (script for each, _, script in numbered_scripts(dialect) if each < number)


class OldLedger:
    """A store as the earlier program left it. `execute` runs a statement of an earlier program on it."""

    def __init__(self, driver: Driver, where: str) -> None:
        self.driver: Driver = driver
        self.where = where
        if driver == "sqlite":
            with closing(sqlite3.connect(where, isolation_level=None)) as file:
                for script in scripts_before("sqlite", 4):
                    for statement in statements(script):
                        file.execute(statement)
                insert_all(file.execute, "?")
        else:
            with psycopg.connect(where, autocommit=True) as database:
                for script in scripts_before("postgres", 4):
                    database.execute(script)  # pyright: ignore[reportArgumentType, reportCallIssue]
                insert_all(database.execute, "%s")  # pyright: ignore[reportArgumentType]

    def ledger(self, clock: Callable[[], datetime] = lambda: THEN) -> Ledger:
        if self.driver == "sqlite":
            return SqliteLedger(Path(self.where), "sandbox", clock=clock)
        return PostgresLedger(self.where, "sandbox", clock=clock)

    @asynccontextmanager
    async def opened(self, clock: Callable[[], datetime] = lambda: THEN) -> AsyncGenerator[Ledger]:
        ledger = self.ledger(clock)
        await ledger.open()
        try:
            yield ledger
        finally:
            await ledger.aclose()

    def execute(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """A statement with `?` for its values, and its rows."""
        if self.driver == "sqlite":
            with closing(sqlite3.connect(self.where, isolation_level=None)) as file:
                file.row_factory = sqlite3.Row
                return [dict(row) for row in file.execute(statement, values)]
        with psycopg.connect(self.where, autocommit=True) as database:
            text: Any = statement.replace("?", "%s")
            cursor = database.cursor(row_factory=dict_row).execute(text, values)
            return cursor.fetchall() if cursor.description else []

    def insert_order(self, row: dict[str, Any]) -> None:
        insert(lambda statement, values: self.execute(statement, *values), "?", "orders", row)

    def claim_as_before(self, preview_id: str, number: str = "PO-old") -> None:
        """The insertion with which an earlier program claims."""
        row = OLD["tables"]["orders"][0]
        key = {"preview_id": preview_id, "order_key": f"key of {number}", "out_order_id": number}
        self.insert_order(row | key)

    def record_as_before(self) -> None:
        """The update with which an earlier program records that its create was placed."""
        self.execute("UPDATE orders SET state = 'placed', order_ids = '[\"1\"]' WHERE state = 'sending'")


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> OldLedger:
    if request.param == "sqlite":
        return OldLedger("sqlite", str(tmp_path / "ledger.sqlite3"))
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return OldLedger("postgres", postgres.new_database())


async def test_what_an_earlier_program_kept_is_read_in_fen_and_by_type(old: OldLedger) -> None:
    async with old.opened() as ledger:
        preview = await ledger.preview_by_code(OLD["previews"]["placed"]["approval_code"])
        assert preview is not None
        assert preview.request.items == (Item(MUG, 2, MUG_SPEC),)
        assert (preview.request.message, preview.request.dropshipping) == ("请尽快发货", True)
        assert preview.pinned.flow == "general"
        assert (preview.shown.payable, preview.payable_fen) == (6400, 6400)
        assert [line.amount for group in preview.shown.groups for line in group.lines] == [5800]
        (order,) = await ledger.orders(OrderQuery(None, states=("placed",)))
        assert list(order.order_ids) == OLD["order_ids"]
        totals = {total.state: total.orders for total in await ledger.totals(OrderQuery(None))}
        assert totals == {"placed": 1, "sending": 1}
        assert first_break(await ledger.trail()) is None
        assert [row.event for row in await ledger.trail()].count("previewed") == 4


async def test_orders_are_placed_and_replayed_in_a_ledger_of_an_earlier_program(
    old: OldLedger, tmp_path: Path
) -> None:
    now = THEN + timedelta(seconds=10)
    house = House(tmp_path, build_sandbox(clock=lambda: now), APPROVAL="require")
    async with house.client(clock=lambda: now, ledger=old.ledger(lambda: now)) as client:
        quantities = {"placed": 2, "sending": 3, "waiting": 4, "approved": 5}
        arguments = {  # today's third echo, made of what was stored
            name: OLD["previews"][name]["create_order_arguments"]
            | {"goods": f"{quantity} × offer 610947572360 spec b266e072…530d"}
            for name, quantity in quantities.items()
        }
        placed = await call(client, "create_order", arguments["placed"])
        assert (placed["order"]["replayed"], placed["order"]["order_ids"]) == (True, OLD["order_ids"])
        assert house.creates == 0
        approved = await call(client, "create_order", arguments["approved"])
        assert approved["order"]["state"] == "placed", approved
        waiting = await call(client, "create_order", arguments["waiting"])
        assert waiting["problem"]["code"] == "approval_required"
        sending = await call(client, "get_orders", {"reference": arguments["sending"]["preview_token"]})
        assert [order["state"] for order in sending["orders"]] == ["sending"]
    assert house.creates == 1


async def test_an_order_that_was_under_way_at_the_change_blocks_every_twin(old: OldLedger) -> None:
    async with old.opened() as ledger:
        first = await ledger.preview_by_code(OLD["previews"]["sending"]["approval_code"])
        assert first is not None
        twin = replace(first, preview_id="twin", token_digest="t", approval_code="T", out_order_id="PO-twin")
        await stored(ledger, twin)
        assert isinstance(await claim(ledger, twin), EarlierUnknown)


async def test_two_numbers_that_differ_in_case_are_kept_and_neither_serves_again(old: OldLedger) -> None:
    """An earlier program took PO-old and po-OLD for two numbers."""
    waiting, approved = (OLD["previews"][name]["approval_code"] for name in ("waiting", "approved"))
    ids = {row["approval_code"]: row["preview_id"] for row in OLD["tables"]["previews"]}
    old.claim_as_before(ids[waiting], "PO-old")
    old.claim_as_before(ids[approved], "po-OLD")
    async with old.opened() as ledger:
        preview = await ledger.preview_by_code(waiting)
        assert preview
        for number in ("PO-old", "po-OLD", "po-old"):
            again = replace(
                preview, preview_id=number, token_digest=number, approval_code=number, out_order_id=number
            )
            await stored(ledger, again)
            assert (await standing_of(ledger, again)).reference_used
            assert await claim(ledger, again) == ReferenceUsed()
        assert {order.out_order_id for order in await ledger.orders(OrderQuery(None))} >= {"PO-old", "po-OLD"}


async def test_an_earlier_program_that_still_runs_claims_nothing_more(old: OldLedger) -> None:
    waiting = next(
        row["preview_id"]
        for row in OLD["tables"]["previews"]
        if row["approval_code"] == OLD["previews"]["waiting"]["approval_code"]
    )
    async with old.opened() as ledger:
        with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError), match=r"newer|reference"):
            old.claim_as_before(waiting)
        assert await ledger.orders(OrderQuery(None, "PO-old")) == []


async def test_an_order_that_an_earlier_program_made_without_a_spec_blocks_the_same_goods_with_one(
    old: OldLedger,
) -> None:
    code = OLD["previews"]["sending"]["approval_code"]
    (row,) = (row for row in OLD["tables"]["previews"] if row["approval_code"] == code)
    request = json.loads(row["request"])
    (item,) = request["items"]
    assert item.pop("spec_id") == MUG_SPEC
    without = fingerprint([(item["offer_id"], "", item["quantity"])])
    key = row["preview_id"]
    old.execute("UPDATE previews SET request = ? WHERE preview_id = ?", json.dumps(request), key)
    old.execute("UPDATE orders SET goods_digest = ? WHERE preview_id = ?", without, key)
    async with old.opened() as ledger:
        first = await ledger.preview_by_code(code)
        assert first is not None
        with_spec = replace(first.request, items=(replace(first.request.items[0], spec_id=MUG_SPEC),))
        twin = replace(first, preview_id="twin", token_digest="t", approval_code="T", out_order_id="PO-twin")
        twin = replace(twin, request=with_spec)
        await stored(ledger, twin)
        assert isinstance(await claim(ledger, twin), EarlierUnknown)


async def test_a_program_that_looks_for_orders_by_their_specs_claims_nothing_more(old: OldLedger) -> None:
    """It would not find the orders of this one."""
    code, other = (OLD["previews"][name]["approval_code"] for name in ("waiting", "approved"))
    async with old.opened() as ledger:
        mine, its = await ledger.preview_by_code(code), await ledger.preview_by_code(other)
        assert mine
        assert its
        assert isinstance(await claim(ledger, mine), Claimed)
    row = old.execute("SELECT * FROM orders WHERE preview_id = ?", mine.preview_id)[0]
    row |= {"order_key": "its", "preview_id": its.preview_id, "out_order_id": "its", "reference": "its"}
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError), match="newer program"):
        old.insert_order(row | {"goods_digest": "0" * 64})
    old.insert_order(row)


async def test_an_outcome_that_an_earlier_program_records_ends_the_create_of_a_twin(old: OldLedger) -> None:
    """The preview showed the order as under way, not as placed."""
    async with old.opened() as ledger:
        first = await ledger.preview_by_code(OLD["previews"]["sending"]["approval_code"])
        assert first is not None
        seen = await remembered(ledger, first.caller, first.request)
        assert [order.state for order in seen.alike] == ["sending"]
        twin = replace(first, preview_id="twin", token_digest="t", approval_code="T", out_order_id="PO-twin")
        await stored(ledger, replace(twin, trail_seen=seen.trail_seen))
        old.record_as_before()
        refused = await claim(ledger, replace(twin, trail_seen=seen.trail_seen))
        assert isinstance(refused, EarlierUnknown)
        assert refused.order.state == "placed"


async def test_a_yes_seals_a_preview_as_an_earlier_program_has_written_it(old: OldLedger) -> None:
    async with old.opened() as ledger:
        preview = await ledger.preview_by_code(OLD["previews"]["waiting"]["approval_code"])
        assert preview
        assert await ledger.approve(preview)
        trail = await ledger.trail()
    names = ", ".join(PREVIEW_COLUMNS)
    wanted: Any = f"SELECT {names} FROM previews WHERE preview_id = '{preview.preview_id}'"  # noqa: S608
    stored: Any
    if old.driver == "sqlite":
        with closing(sqlite3.connect(old.where)) as file:
            stored = file.execute(wanted).fetchone()
    else:
        with psycopg.connect(old.where) as database:
            stored = database.execute(wanted).fetchone()
    assert ", " in stored[PREVIEW_COLUMNS.index("request")]
    assert len(preview.salt) == 32
    sealed = seal_of(PREVIEW_COLUMNS, dict(zip(PREVIEW_COLUMNS, stored, strict=True)), preview.salt)
    assert json.loads(trail[-1].body)["preview"] == sealed


async def test_each_step_to_this_version_is_in_the_log(
    old: OldLedger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "xportcn_tools.ledger.migrations")
    async with old.opened():
        steps = [number for number, _, _ in numbered_scripts(old.driver) if number > 3]
        newest = steps[-1]
        rows = len(OLD["tables"]["trail"])
        assert caplog.messages == [
            f"the ledger of {rows} trail rows is brought to version {number} of {newest}" for number in steps
        ]
    caplog.clear()
    async with old.opened():
        assert caplog.messages == []


async def test_a_handshake_is_answered_and_calls_hear_why_they_wait_while_a_ledger_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = OldLedger("sqlite", str(tmp_path / "ledger.sqlite3"))
    goes_on = threading.Event()

    def slow(script: str) -> Iterator[str]:
        assert goes_on.wait(60)
        return statements(script)

    monkeypatch.setattr(migrations, "statements", slow)
    monkeypatch.setattr(app, "START_SECONDS", 0.01)
    monkeypatch.setattr(sql, "GIVE_UP_SECONDS", 0.5)
    try:
        async with House(tmp_path).client(clock=lambda: THEN, ledger=old.ledger()) as client:
            problem = (await call(client, "get_orders", {}))["problem"]
            assert problem["code"] == "ledger_unavailable"
            newest = numbered_scripts("sqlite")[-1][0]
            words = f"it is being brought up to date for this program (version 4 of {newest}); try again when"
            assert words in problem["message"]
            goes_on.set()
            monkeypatch.setattr(sql, "GIVE_UP_SECONDS", 60.0)
            assert len((await call(client, "get_orders", {}))["orders"]) == 2
    finally:
        goes_on.set()


async def test_what_is_done_of_a_long_migration_stays_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = OldLedger("sqlite", str(tmp_path / "ledger.sqlite3"))
    monkeypatch.setattr(migrations, "LONG", 0)
    with closing(sqlite3.connect(old.where, isolation_level=None)) as file:
        file.execute("CREATE TABLE upstream_ids (in_the_way)")
        ledger = old.ledger()
        with pytest.raises(LedgerUnavailableError, match="upstream_ids already exists"):
            await ledger.open()
        await ledger.aclose()
        assert file.execute("SELECT MAX(number) FROM migrations").fetchone() == (15,)
        file.execute("DROP TABLE upstream_ids")
    async with old.opened() as ledger:
        assert len(await ledger.orders(OrderQuery(None))) == 2
        assert first_break(await ledger.trail()) is None


async def test_a_start_beside_a_migration_of_another_process_says_that_it_may_be_one(
    old: OldLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old.driver == "sqlite":
        holder: Any = sqlite3.connect(old.where, isolation_level=None)
        holder.execute("PRAGMA journal_mode = WAL")
        holder.execute("BEGIN IMMEDIATE")
        ledger: Ledger = SqliteLedger(Path(old.where), "sandbox", busy_seconds=0.1)
    else:
        holder = psycopg.connect(old.where)
        holder.execute(f"SELECT pg_advisory_xact_lock({postgres_driver._WRITERS})")  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr(
            postgres_driver,
            "_GUARDS",
            postgres_driver._GUARDS.replace("5s", "100ms"),  # pyright: ignore[reportPrivateUsage]
        )
        ledger = old.ledger()
    with (
        closing(holder),
        pytest.raises(LedgerUnavailableError, match="another process may be bringing it up to date"),
    ):
        await ledger.open()
    await ledger.open()
    await ledger.aclose()
