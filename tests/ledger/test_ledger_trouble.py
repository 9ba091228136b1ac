"""A ledger that fails, a clock that is set back, a client that goes away: nothing unrecorded, nothing lost."""

import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import stamina

from harness.house import ERAS, Era, House, call, order_arguments, previewed
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.desk import sending
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.policy import Policy
from xportcn_tools.desk.quote import PinRules
from xportcn_tools.ledger import sql
from xportcn_tools.ledger.ledger import LedgerUnavailableError, OrderRecord, Outcome
from xportcn_tools.ledger.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=51)


class Gate:
    """A sender is held at one of its steps, until the test lets it go on."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.reached, self.opened, self.recorded = anyio.Event(), anyio.Event(), anyio.Event()

    async def __call__(self, name: str) -> None:
        if name == self.at:
            self.reached.set()
            with anyio.move_on_after(20):  # it is shielded: a test that fails must not hang on it
                await self.opened.wait()
        if name == "recorded":
            self.recorded.set()

    async def is_passed_by_one_who_was_cancelled(self) -> None:
        """Opens once the cancellation has come as far as it can; returns when the outcome is on disk."""
        with anyio.CancelScope(shield=True):
            await anyio.wait_all_tasks_blocked()
            self.opened.set()
            with anyio.fail_after(10):
                await self.recorded.wait()


class World(House):
    """A house whose clock and ledger are the test's own; a locked ledger is given up soon."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
        super().__init__(folder, build_sandbox(clock=self.clock), **changes)
        self.open_ledger = SqliteLedger(self.ledger, "sandbox", clock=self.clock)

    def clock(self) -> datetime:
        return self.now

    def client(self, era: Era = "auto", person: Any = None, **seams: Any) -> Any:
        self.open_ledger = SqliteLedger(self.ledger, "sandbox", clock=self.clock, busy_seconds=0.05)
        return super().client(era, person, **{"clock": self.clock, "ledger": self.open_ledger} | seams)

    def files(self) -> list[Path]:
        return sorted(self.ledger.parent.glob("ledger.sqlite3*"))


Trouble = Callable[[World], AbstractContextManager[None]]


@contextmanager
def locked(house: World) -> Generator[None]:
    with closing(sqlite3.connect(house.ledger, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def read_only(house: World) -> Generator[None]:
    """As SQLite tells of a read-only file. Modes would do, were it not for tests that run as root."""
    connection = house.open_ledger._connection  # pyright: ignore[reportPrivateUsage]
    assert connection
    connection.execute("PRAGMA query_only = ON")
    yield
    with suppress(sqlite3.ProgrammingError):  # closed with its server
        connection.execute("PRAGMA query_only = OFF")


@contextmanager
def full(house: World) -> Generator[None]:
    """No file of this process may grow: what a full disk is to SQLite."""
    import resource

    assert sys.platform != "win32"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def deleted(house: World) -> Generator[None]:
    """Moved away, and moved back."""
    moved = [(file, file.with_name(f"moved-{file.name}")) for file in house.files()]
    for file, away in moved:
        file.rename(away)
    yield
    for file in house.files():  # an empty new one would be no ledger to go on with
        file.unlink()
    for file, away in moved:
        away.rename(file)


@contextmanager
def replaced(house: World) -> Generator[None]:
    """By its own copy, which looks like a ledger in order."""
    with deleted(house):
        for away in house.ledger.parent.glob("moved-*"):
            shutil.copy(away, away.with_name(away.name.removeprefix("moved-")))
        yield


@contextmanager
def corrupted(house: World) -> Generator[None]:
    """Everything is in the file, and the file is no database."""
    with closing(sqlite3.connect(house.ledger)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        size = house.ledger.stat().st_size
        whole = house.ledger.read_bytes()
        _overwrite(house.ledger, os.urandom(size))
    yield
    _overwrite(house.ledger, whole)


def _overwrite(file: Path, content: bytes) -> None:
    with file.open("r+b") as stream:
        stream.write(content)


TROUBLES: tuple[Trouble, ...] = (locked, read_only, full, deleted, replaced, corrupted)
if sys.platform == "win32":  # neither resource limits nor moving an open file are to be had there
    TROUBLES = (locked, read_only)
every_trouble = pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)


@pytest.fixture(autouse=True)
def recording_is_tried_twice() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@every_trouble
async def test_in_trouble_no_preview_gets_a_token_and_after_it_one_does(
    tmp_path: Path, trouble: Trouble
) -> None:
    house = World(tmp_path)
    async with house.client() as client:
        await previewed(client)
        with trouble(house):
            envelope = await call(client, "preview_order", order_arguments())
        assert envelope["preview"] is None
        assert envelope["problem"]["code"] == "ledger_unavailable"
    async with house.client() as client:
        assert (await previewed(client))["preview_token"]


@every_trouble
@pytest.mark.parametrize("era", ERAS)
async def test_in_trouble_no_create_is_sent_and_after_it_the_token_is_good(
    tmp_path: Path, trouble: Trouble, era: Era
) -> None:
    house = World(tmp_path)
    async with house.client(era) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        with trouble(house):
            envelope = await call(client, "create_order", arguments)
        assert envelope["order"] is None
        assert envelope["problem"]["code"] == "ledger_unavailable"
        assert envelope["problem"]["request_sent"] == "no"
        assert house.creates == 0
        if trouble in (locked, read_only, full):
            assert (await call(client, "create_order", arguments))["ok"]
    async with house.client(era) as client:
        order = (await call(client, "create_order", arguments))["order"]
    assert (order["state"], order["order_ids"]) == ("placed", house.order_ids)
    assert house.creates == 1


@every_trouble
@pytest.mark.parametrize("moment", ["send", "record"])
@pytest.mark.parametrize("fault", [None, "refusal"])
async def test_an_outcome_that_cannot_be_recorded_is_told_and_is_unknown_from_then_on(
    tmp_path: Path, trouble: Trouble, moment: str, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    house = World(tmp_path)
    breaking = trouble(house)

    async def step(name: str) -> None:
        if name == moment:
            breaking.__enter__()

    async with house.client(step=step) as client:
        preview = await previewed(client)
        arguments = preview["create_order_arguments"]
        if fault:
            house.sandbox.faults.add(fault, "create")
        first = await call(client, "create_order", arguments)
        assert first["order"]["state"] == ("rejected" if fault else "placed")
        assert first["order"]["order_ids"] == house.order_ids
        assert (first["problem"] and first["problem"]["code"]) == ("upstream_rejected" if fault else None)
        named = [record for record in caplog.messages if "could not be recorded" in record]
        assert len(named) == 1
        assert all(order_id in named[0] for order_id in house.order_ids)

        in_trouble = await call(client, "create_order", arguments)
        assert in_trouble["problem"]["code"] in ("ledger_unavailable", "order_in_progress")
        assert house.creates == 1
    breaking.__exit__(None, None, None)
    house.now += LEASE
    async with house.client() as client:
        after = await call(client, "create_order", arguments)
        assert (after["problem"]["code"], after["order"]["state"]) == ("outcome_unknown", "unknown")
        same = (await previewed(client))["create_order_arguments"]
        assert (await call(client, "create_order", same))["problem"]["code"] == "earlier_order_unknown"
    assert house.creates == 1


async def test_a_ledger_that_is_gone_for_good_is_no_reason_to_order_again(tmp_path: Path) -> None:
    house = World(tmp_path)
    async with house.client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        await call(client, "create_order", arguments)
    for file in house.files():
        file.unlink()
    async with house.client() as client:
        envelope = await call(client, "create_order", arguments)
    assert envelope["problem"]["code"] == "unknown_token"
    assert house.creates == 1


class PassingTrouble(SqliteLedger):
    """The first attempt to record fails, and the caller's own second one does not."""

    failures = 0

    async def record(self, order_key: str, outcome: Outcome) -> OrderRecord:
        if not self.failures:
            self.failures += 1
            raise LedgerUnavailableError("busy")
        return await super().record(order_key, outcome)


async def test_recording_is_tried_again_and_sending_is_not(tmp_path: Path) -> None:
    house = World(tmp_path)
    ledger = PassingTrouble(house.ledger, clock=house.clock)
    async with house.client(ledger=ledger) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        first = (await call(client, "create_order", arguments))["order"]
        assert (await call(client, "create_order", arguments))["order"] == first | {"replayed": True}
    assert (ledger.failures, house.creates, first["state"]) == (1, 1, "placed")


@pytest.mark.parametrize("era", ERAS)
async def test_a_clock_that_is_set_back_an_hour_changes_no_answer(tmp_path: Path, era: Era) -> None:
    house = World(tmp_path)
    async with house.client(era) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        house.now -= timedelta(hours=1)
        first = (await call(client, "create_order", arguments))["order"]
        assert first["state"] == "placed"
        house.now -= timedelta(hours=1)
        assert (await call(client, "create_order", arguments))["order"] == first | {"replayed": True}
        assert (await call(client, "get_orders"))["orders"] == [first]
        again = await previewed(client)
        assert [warning["code"] for warning in again["warnings"]] == ["recent_identical_order"]
    assert house.creates == 1


async def test_a_clock_that_is_set_back_makes_no_attempt_unknown_too_soon(tmp_path: Path) -> None:
    house, gate = World(tmp_path), Gate("send")
    async with house.client(step=gate) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, client, "create_order", arguments)
            await gate.reached.wait()
            house.now -= timedelta(hours=1)
            meanwhile = await call(client, "create_order", arguments)
            assert meanwhile["problem"]["code"] == "order_in_progress"
            gate.opened.set()
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"
    assert house.creates == 1


@pytest.mark.parametrize("fault", [None, "refusal"])
async def test_a_sender_is_given_up_after_its_lease_only_and_its_late_answer_still_counts(
    tmp_path: Path, fault: str | None
) -> None:
    house, gate = World(tmp_path), Gate("record")
    async with house.client(step=gate) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        if fault:
            house.sandbox.faults.add(fault, "create")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, client, "create_order", arguments)
            await gate.reached.wait()
            house.now += timedelta(seconds=49)  # longer than any deadline of a call
            meanwhile = await call(client, "create_order", arguments)
            assert meanwhile["problem"]["code"] == "order_in_progress"
            house.now += timedelta(seconds=2)
            given_up = await call(client, "create_order", arguments)
            assert given_up["problem"]["code"] == "outcome_unknown"
            gate.opened.set()
        (order,) = (await call(client, "get_orders"))["orders"]
    assert order["state"] == ("rejected" if fault else "placed")
    assert order["order_ids"] == house.order_ids
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("moment", ["claim", "send", "record"])
async def test_a_client_that_cancels_while_a_create_is_on_its_way_loses_nothing(
    tmp_path: Path, era: Era, moment: str
) -> None:
    house, gate = World(tmp_path), Gate(moment)
    with anyio.fail_after(30):
        async with house.client(era, step=gate) as client:
            arguments = (await previewed(client))["create_order_arguments"]
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, client, "create_order", arguments)
                await gate.reached.wait()
                tasks.cancel_scope.cancel()
                await gate.is_passed_by_one_who_was_cancelled()
            order = (await call(client, "create_order", arguments))["order"]
    assert (order["state"], order["order_ids"], order["replayed"]) == ("placed", house.order_ids, True)
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("moment", ["claim", "send", "record"])
async def test_a_client_that_is_gone_while_a_create_is_on_its_way_finds_the_outcome_when_it_is_back(
    tmp_path: Path, era: Era, moment: str
) -> None:
    house, gate, tokens = World(tmp_path), Gate(moment), list[dict[str, Any]]()

    async def short_lived() -> None:
        async with house.client(era, step=gate) as client:
            tokens.append((await previewed(client))["create_order_arguments"])
            await call(client, "create_order", tokens[0])

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(short_lived)
            await gate.reached.wait()
            tasks.cancel_scope.cancel()
            await gate.is_passed_by_one_who_was_cancelled()
        async with house.client(era) as client:
            order = (await call(client, "create_order", tokens[0]))["order"]
    assert (order["state"], order["order_ids"], order["replayed"]) == ("placed", house.order_ids, True)
    assert house.creates == 1


# A ledger that hangs


async def test_what_was_given_up_while_it_waited_for_its_turn_does_not_happen_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caller was told that nothing was sent and may try again: so the token must still be good."""
    monkeypatch.setattr(sql, "GIVE_UP_SECONDS", 0.5)
    ledger, house = SqliteLedger(tmp_path / "ledger.sqlite3", "sandbox"), House(tmp_path, APPROVAL="off")
    hung, goes_on = threading.Event(), threading.Event()
    told: dict[str, Any] = {}
    after: dict[str, Any] = {}

    def hang(session: object) -> None:
        hung.set()
        goes_on.wait(20)

    async def step(name: str) -> None:
        if name == "claim" and not hung.is_set():
            tasks.start_soon(unheard)
            await anyio.to_thread.run_sync(hung.wait)

    async def unheard() -> None:
        with pytest.raises(LedgerUnavailableError):
            await ledger._run(hang)  # pyright: ignore[reportPrivateUsage]

    with anyio.fail_after(60):
        async with house.client(ledger=ledger, step=step) as client, anyio.create_task_group() as tasks:
            arguments = (await previewed(client))["create_order_arguments"]
            told |= await call(client, "create_order", arguments)
            goes_on.set()
            after |= await call(client, "create_order", arguments)
    assert (told["problem"]["code"], told["problem"]["request_sent"]) == ("ledger_unavailable", "no")
    (made,) = house.sandbox.books.orders
    assert after["order"]["order_ids"] == list(made.order_ids)


async def test_an_answer_that_came_is_told_though_the_ledger_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sql, "GIVE_UP_SECONDS", 0.5)
    ledger, house = SqliteLedger(tmp_path / "ledger.sqlite3", "sandbox"), House(tmp_path, APPROVAL="off")
    hung, goes_on = threading.Event(), threading.Event()
    told: dict[str, Any] = {}

    def hang(session: object) -> None:
        hung.set()
        goes_on.wait(20)

    async def unheard() -> None:
        with pytest.raises(LedgerUnavailableError):
            await ledger._run(hang)  # pyright: ignore[reportPrivateUsage]

    async def step(name: str) -> None:
        if name == "record":
            tasks.start_soon(unheard)
            await anyio.to_thread.run_sync(hung.wait)

    with anyio.fail_after(60):
        async with house.client(ledger=ledger, step=step) as client, anyio.create_task_group() as tasks:
            arguments = (await previewed(client))["create_order_arguments"]
            told |= await call(client, "create_order", arguments)
            goes_on.set()
    (made,) = house.sandbox.books.orders
    assert told["order"]["order_ids"] == list(made.order_ids)
    assert made.order_ids[0] in caplog.text


def test_the_lease_is_longer_than_the_longest_sender() -> None:
    policy = Policy("live", Caps(1, 1, 1), PinRules((), trade_types_set=False))
    longest = sending.LATEST_SEND_SECONDS + policy.call_timeout + sending.RECORD_SECONDS + sql.GIVE_UP_SECONDS
    assert policy.lease >= longest
