"""A connection that breaks at COMMIT: what the ledger cannot know it says, and nothing is sent on a guess.

Between the driver and a real PostgreSQL stands a wire of ours that cuts the connection where a COMMIT passes.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import anyio
import psycopg
import pytest
from mcp import Client

from harness.house import call, order_arguments, previewed, settings_for
from harness.postgres_server import PostgresServer
from harness.seams import SteppedLedger
from harness.trail_check import first_break
from xportcn_server.app import build_server
from xportcn_server.parts import Seams
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord
from xportcn_tools.ledger.postgres import PostgresLedger

pytestmark = pytest.mark.anyio

# not forwarded | forwarded, and its answer kept | the same, and nobody gets through any more
# | kept, and forwarded when the test says so
Cut = Literal["before", "after", "after, for good", "late"]


class Wire:
    """A port that leads to the database. `cut`: what becomes of the next COMMIT; then it is whole again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut: Cut | None = None
        self.cut_at = b"COMMIT\0"
        self.cuts = 0
        self.open = True
        self.let_go = asyncio.Event()
        self._late: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            await _closed(writer)
            return
        self._ends.add(writer)
        above, below = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._pass(above, writer))
        cut: Cut | None = None
        try:
            while data := await reader.read(65536):
                if self.cut and self.cut_at in data:
                    cut, self.cut = self.cut, None
                    self.cuts += 1
                    answers.cancel()
                    await asyncio.wait([answers])
                    await self._end(cut, data, above, below)
                    return
                below.write(data)
                await below.drain()
        finally:
            answers.cancel()
            await asyncio.wait([answers])
            self._ends.discard(writer)
            await _closed(writer)
            if cut != "late":
                await _closed(below)

    async def _end(
        self, cut: Cut, data: bytes, above: asyncio.StreamReader, below: asyncio.StreamWriter
    ) -> None:
        if cut == "before":
            return
        if cut == "late":

            async def later() -> None:
                await self.let_go.wait()
                below.write(data)
                assert await above.read(65536)
                await _closed(below)

            self._late.add(asyncio.create_task(later()))
            return
        self.open = cut != "after, for good"
        if not self.open:
            for other in self._ends:  # the driver may hold more connections than the one that is cut
                other.close()
        below.write(data)
        assert await above.read(65536)  # it has happened, and nobody hears of it

    async def ended(self) -> None:
        """Every connection is closed; the driver has let go of its own."""
        while self._serving:
            await asyncio.wait(self._serving)

    async def arrived(self) -> None:
        self.let_go.set()
        await asyncio.gather(*self._late)

    @staticmethod
    async def _pass(above: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await above.read(65536):
                writer.write(data)
                await writer.drain()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@dataclass
class Scene:
    """A server whose ledger is at the other end of a wire, and a second ledger that is not."""

    client: Client
    wire: Wire
    sandbox: Sandbox
    ledger: PostgresLedger
    database: str
    cuts: dict[str, Cut] = field(default_factory=dict[str, Cut])
    """The step of the desk → what becomes of its COMMIT."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def creates(self) -> int:
        return self.sandbox.books.received["create"]

    async def arguments(self) -> dict[str, Any]:
        return (await previewed(self.client))["create_order_arguments"]

    async def create(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return await call(self.client, "create_order", arguments)

    async def orders(self) -> list[OrderRecord]:
        return await self.ledger.orders(OrderQuery(None))

    async def events(self) -> list[str]:
        trail = await self.ledger.trail()
        assert first_break(trail) is None
        return [row.event for row in trail]


@asynccontextmanager
async def scene(folder: Path, postgres: PostgresServer) -> AsyncGenerator[Scene]:
    database = postgres.new_database()
    wire, sandbox = Wire(postgres.port), build_sandbox()
    listener = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    made: list[Scene] = []

    def clock() -> datetime:
        return made[0].now if made else datetime.now(UTC)

    async def step(name: str) -> None:
        wire.cut = made[0].cuts.pop(name) if name in made[0].cuts else wire.cut

    direct = PostgresLedger(database, "sandbox", clock=clock)
    await direct.open()
    cuttable = PostgresLedger(database.replace(f":{postgres.port}/", f":{port}/"), "sandbox", clock=clock)
    settings = settings_for(folder / "unused", LEDGER=database, APPROVAL="off")
    stepped = SteppedLedger(cuttable, step)
    server = build_server(settings, Seams(clock=clock, sandbox=sandbox, ledger=stepped))
    with anyio.fail_after(60):
        async with Client(server, read_timeout_seconds=60) as client:
            made.append(Scene(client, wire, sandbox, direct, database))
            try:
                yield made[0]
            finally:
                await direct.aclose()
        listener.close()
        await wire.ended()


async def test_cut_off_before_the_commit_arrives_nothing_is_sent_and_the_repeat_orders(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with scene(tmp_path, postgres) as here:
        arguments = await here.arguments()
        here.cuts["claim"] = "before"
        told = await here.create(arguments)
        assert (told["problem"]["code"], told["problem"]["request_sent"]) == ("ledger_unavailable", "no")
        assert told["order"] is None
        assert (here.wire.cuts, here.creates, await here.orders()) == (1, 0, [])
        again = await here.create(arguments)
        events = await here.events()
    assert (again["order"]["state"], again["order"]["replayed"]) == ("placed", False)
    assert here.creates == 1
    assert events == ["claimed", "placed"]


async def test_cut_off_after_the_commit_the_claim_is_found_and_goes_on(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with scene(tmp_path, postgres) as here:
        arguments = await here.arguments()
        here.cuts["claim"] = "after"
        told = await here.create(arguments)
        again = await here.create(arguments)
        events = await here.events()
    assert (told["order"]["state"], told["order"]["replayed"]) == ("placed", False)
    assert again["order"] == told["order"] | {"replayed": True}
    assert (here.wire.cuts, here.creates) == (1, 1)
    assert events == ["claimed", "placed"]


@pytest.mark.parametrize("cut", ["after, for good", "late"])
async def test_a_claim_that_cannot_be_looked_for_or_comes_later_is_never_sent_and_ends_unknown(
    tmp_path: Path, postgres: PostgresServer, cut: Cut
) -> None:
    async with scene(tmp_path, postgres) as here:
        arguments = await here.arguments()
        here.cuts["claim"] = cut
        told = await here.create(arguments)
        assert (told["problem"]["code"], told["problem"]["request_sent"]) == ("ledger_unavailable", "no")
        assert here.creates == 0
        assert [order.state for order in await here.orders()] == (["sending"] if cut != "late" else [])
        await here.wire.arrived()
        here.wire.open = True
        soon = await here.create(arguments)
        here.now += timedelta(seconds=60)  # beyond the lease
        late = [await here.create(arguments) for _ in range(2)]
        (listed,) = (await call(here.client, "get_orders"))["orders"]
        events = await here.events()
    assert soon["problem"]["code"] == "order_in_progress"
    assert [each["problem"]["code"] for each in late] == ["outcome_unknown"] * 2
    assert (listed["state"], here.creates) == ("unknown", 0)
    assert events == ["claimed", "abandoned"]


async def test_a_claim_found_when_others_have_given_it_up_is_not_sent(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    async with scene(tmp_path, postgres) as here:
        arguments = await here.arguments()
        here.cuts["claim"] = "after"
        # As if finding it had taken longer than the lease, and another replica had looked meanwhile.
        with psycopg.connect(here.database, autocommit=True) as connection:
            connection.execute(
                "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN NEW.state := 'unknown'; NEW.problem_code := 'outcome_unknown'; RETURN NEW; END; $$"
            )
            connection.execute(
                "CREATE TRIGGER give_up BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION give_up()"
            )
        told = await here.create(arguments)
    assert told["problem"]["code"] == "outcome_unknown"
    assert here.creates == 0


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_an_outcome_whose_commit_is_cut_off_is_recorded_once(
    tmp_path: Path, postgres: PostgresServer, cut: Cut
) -> None:
    async with scene(tmp_path, postgres) as here:
        arguments = await here.arguments()
        here.cuts["record"] = cut
        told = await here.create(arguments)
        events = await here.events()
        (order,) = await here.orders()
    assert told["order"]["state"] == order.state == "placed"
    assert list(order.order_ids) == told["order"]["order_ids"]
    assert (here.wire.cuts, here.creates) == (1, 1)
    assert events == ["claimed", "placed"]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_preview_whose_commit_is_cut_off_gives_no_token(
    tmp_path: Path, postgres: PostgresServer, cut: Cut
) -> None:
    async with scene(tmp_path, postgres) as here:
        here.wire.cut, here.wire.cut_at = cut, b"INSERT INTO previews"  # its own transaction
        told = await call(here.client, "preview_order", order_arguments())
        assert (told["problem"]["code"], told["preview"]) == ("ledger_unavailable", None)
        assert (await here.arguments())["preview_token"]
