"""The owner's caps hold whatever the model is told, also against calls that race.

Run as a script it is a process of the race: `test_caps.py LEDGER CALLS`.
"""

import json
import random
import secrets
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client

from harness.clock import Clock
from harness.house import ERAS, MUG, MUG_SPEC, Era, House, address_of, call, previewed, settings_for
from harness.processes import script_environment
from harness.seams import SteppedLedger
from xportcn_server.parts import Seams, ledger_of, policy_of, upstream_of
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.policy import LOCAL_CALLER
from xportcn_tools.ledger.ledger import OrderQuery, Outcome
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.results import OrderResult, PreviewResult, Problem, ProblemError

pytestmark = pytest.mark.anyio

PROCESSES = 2
SECONDS = 60


async def ordered(client: Client, **changes: Any) -> dict[str, Any]:
    """What `create_order` answers for a fresh preview (two mugs and freight: 64.00)."""
    return await call(client, "create_order", (await previewed(client, **changes))["create_order_arguments"])


def passed(envelope: dict[str, Any]) -> dict[str, Any]:
    """The details of `over_limit`: nothing was sent, and the message names them all; nothing is used of the
    cap of one order.
    """
    problem = envelope["problem"]
    assert problem["code"] == "over_limit"
    assert problem["request_sent"] == "no"
    assert envelope["order"] is None
    details = problem["details"]
    ends_at: set[str] = set() if details["setting"] == "XPORTCN_MAX_ORDER_CNY" else {"ends_at"}
    assert set(details) == {"setting", "cap", "used", "would_be"} | ends_at
    for name, value in details.items():
        assert value in problem["message"] or (name == "used" and not ends_at)
    details.pop("ends_at", None)
    return details


# Which cap, its value, what is used, what this would make it


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("setting", "cap", "fits", "used", "would_be"),
    [
        ("MAX_ORDER_CNY", "63.99", 0, "0.00", "64.00"),
        ("MAX_DAY_CNY", "191.99", 2, "128.00", "192.00"),
        ("MAX_DAY_ORDERS", "2", 2, "2", "3"),
    ],
)
async def test_an_order_above_a_cap_is_refused_with_its_figures(
    tmp_path: Path, era: Era, setting: str, cap: str, fits: int, used: str, would_be: str
) -> None:
    house = House(tmp_path, **{setting: cap})
    async with house.client(era) as client:
        for _ in range(fits):
            assert (await ordered(client))["ok"]
        details = passed(await ordered(client))
    assert details == {"setting": f"XPORTCN_{setting}", "cap": cap, "used": used, "would_be": would_be}
    assert house.creates == fits


async def test_a_refused_order_leaves_its_token_good_for_when_the_owner_raises_the_cap(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, MAX_ORDER_CNY="63.99")
    async with house.client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        passed(await call(client, "create_order", arguments))
        assert (await call(client, "get_orders"))["orders"] == []
    house.changes["MAX_ORDER_CNY"] = "64.00"
    async with house.client() as client:
        assert (await call(client, "create_order", arguments))["ok"]


async def test_caps_hold_where_nobody_is_ever_asked(tmp_path: Path) -> None:
    house = House(tmp_path, APPROVAL="off", MAX_DAY_ORDERS="1")
    async with house.client() as client:
        assert (await ordered(client))["ok"]
        passed(await ordered(client))
    assert house.creates == 1


# What counts


async def test_an_order_of_unknown_outcome_counts(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_CNY="100")
    async with house.client() as client:
        house.sandbox.faults.add("http-502", "create")
        assert (await ordered(client))["problem"]["code"] == "outcome_unknown"
        assert passed(await ordered(client, quantity=3))["used"] == "64.00"
    assert house.creates == 1


@pytest.mark.parametrize("era", ERAS)
async def test_an_order_that_is_being_sent_counts(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, MAX_DAY_ORDERS="1")
    sending, go_on = anyio.Event(), anyio.Event()
    second: dict[str, Any] = {}

    async def step(name: str) -> None:
        if name == "send":
            sending.set()
            with anyio.fail_after(SECONDS):  # nothing else ends this wait: it is shielded
                await go_on.wait()

    async with (
        house.client(era, step=step) as slow,
        house.client(era) as other,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(ordered, slow)
        with anyio.fail_after(10):
            await sending.wait()
        second |= await ordered(other, quantity=3)
        go_on.set()
    assert passed(second)["used"] == "1"
    assert house.creates == 1


@pytest.mark.parametrize("fault", ["refusal", "signature-refused", "not-connectable"])
async def test_an_order_that_was_refused_does_not_count(tmp_path: Path, fault: str) -> None:
    house = House(tmp_path, MAX_DAY_ORDERS="1", MAX_DAY_CNY="64")
    async with house.client() as client:
        house.sandbox.faults.add(fault, "create")
        assert (await ordered(client))["order"]["state"] == "rejected"
        assert (await ordered(client))["ok"]
        passed(await ordered(client))


async def test_an_order_that_a_person_found_absent_counts_no_longer(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_ORDERS="1")
    async with house.client() as client:
        house.sandbox.faults.add("http-503", "create")
        lost = (await ordered(client))["order"]
        ledger = ledger_of(settings_for(house.ledger))
        (order,) = await ledger.orders(OrderQuery(None, reference=lost["out_order_id"]))
        passed(await ordered(client, quantity=3))
        await ledger.resolve(order.order_key, Outcome("absent", "unknown"), "resolved_by_operator")
        await ledger.aclose()
        assert (await ordered(client))["ok"]


async def test_a_repeat_of_the_same_token_counts_once(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_ORDERS="1")
    async with house.client() as client:
        arguments = (await previewed(client))["create_order_arguments"]
        first = await call(client, "create_order", arguments)
        again = await call(client, "create_order", arguments)
    assert (first["ok"], again["ok"], again["order"]["replayed"]) == (True, True, True)


@pytest.mark.parametrize(
    ("changes", "midnight"),
    [
        ({}, datetime(2026, 11, 20, 16, tzinfo=UTC)),  # in Shanghai
        ({"TIMEZONE": "Asia/Shanghai"}, datetime(2026, 11, 20, 16, tzinfo=UTC)),
        ({"TIMEZONE": "UTC"}, datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
async def test_the_day_is_the_time_zones_and_ends_at_its_midnight(
    tmp_path: Path, changes: dict[str, str], midnight: datetime
) -> None:
    clock = Clock(midnight - timedelta(seconds=2))
    house = House(tmp_path, build_sandbox(clock=clock), MAX_DAY_ORDERS="1", **changes)
    async with house.client(clock=clock) as client:
        assert (await ordered(client))["ok"]
        held_over = (await previewed(client, quantity=3))["create_order_arguments"]
        passed(await call(client, "create_order", held_over))
        clock.now = midnight - timedelta(microseconds=1)
        over = await call(client, "create_order", held_over)
        assert over["problem"]["details"]["ends_at"] == midnight.strftime("%Y-%m-%dT%H:%M:%SZ")
        passed(over)
        clock.now = midnight
        assert (await call(client, "create_order", held_over))["ok"]
        passed(await ordered(client))
    assert house.creates == 2


async def test_orders_of_the_sandbox_do_not_use_up_the_real_day(tmp_path: Path) -> None:
    from harness.port_sandbox import running_sandbox
    from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS

    async with House(tmp_path, MAX_DAY_ORDERS="1").client() as client:
        assert (await ordered(client))["ok"]
        passed(await ordered(client))
    async with running_sandbox() as (sandbox, base_url):
        account = {
            "MODE": "live",
            "BASE_URL": base_url,
            "ACCESS_KEY": SANDBOX_CREDENTIALS.access_key,
            "ACCESS_SECRET": SANDBOX_CREDENTIALS.access_secret,
            "USER_ID": SANDBOX_CREDENTIALS.user_id,
        }
        house = House(tmp_path, sandbox, MAX_DAY_ORDERS="1", **account)
        async with house.client() as client:
            assert (await ordered(client))["ok"]
            passed(await ordered(client))
    assert sandbox.books.received["create"] == 1


# Races


class Gate:
    """Every call waits before its claim until all have come that far: none is stopped by the first look."""

    def __init__(self, calls: int) -> None:
        self.missing = calls
        self.open = anyio.Event()

    async def __call__(self, name: str) -> None:
        if name == "claim":
            self.missing -= 1
            if not self.missing:
                self.open.set()
            with anyio.fail_after(SECONDS):  # nothing else ends this wait: it is shielded
                await self.open.wait()


@asynccontextmanager
async def desk_over(
    ledger_file: Path, sandbox: Sandbox, step: Callable[[str], Awaitable[None]], **changes: str
) -> AsyncGenerator[Desk]:
    settings = settings_for(ledger_file, **changes)
    ledger, upstream = ledger_of(settings), upstream_of(settings, Seams(sandbox=sandbox))
    try:
        await ledger.open()
        yield Desk(upstream, SteppedLedger(ledger, step), policy_of(settings))
    finally:
        await upstream.aclose()
        await ledger.aclose()


async def previews(desk: Desk, quantities: Sequence[int]) -> list[PreviewResult]:
    def request(quantity: int) -> OrderRequest:
        someone = Address(**address_of(secrets.randbelow(10**8)))
        return OrderRequest("", (Item(MUG, quantity, MUG_SPEC),), someone, flow="general")

    return [await desk.preview(request(quantity), LOCAL_CALLER) for quantity in quantities]


async def race(desk: Desk, previewed: Sequence[PreviewResult]) -> list[OrderResult | Problem]:
    """All creates at once; each one's order or problem."""
    outcomes: list[OrderResult | Problem] = []

    async def create(preview: PreviewResult) -> None:
        echoes = preview.create_order_arguments
        created = CreateCall(
            echoes.preview_token,
            echoes.expected_total,
            echoes.ship_to,
            echoes.goods,
            LOCAL_CALLER,
            desk.now(),
        )
        try:
            outcomes.append(await desk.create(created, "cannot_ask"))
        except ProblemError as error:
            outcomes.append(error.problem)

    async with anyio.create_task_group() as tasks:
        for preview in previewed:
            tasks.start_soon(create, preview)
    return outcomes


def fen(amount: str) -> int:
    return int(amount.replace(".", ""))


async def test_five_hundred_racing_creates_never_pass_the_cap_of_a_day(tmp_path: Path) -> None:
    dice = random.Random(4)
    quantities = [dice.randint(2, 30) for _ in range(500)]
    sandbox = build_sandbox()
    with anyio.fail_after(300):
        # A preview is not looked at again here: the race is to be for the claim alone.
        rules = {"RECHECK_AFTER_SECONDS": "1800", "MAX_DAY_CNY": "2500", "MAX_DAY_ORDERS": "500"}
        async with desk_over(tmp_path / "ledger.sqlite3", sandbox, Gate(500), **rules) as desk:
            outcomes = await race(desk, await previews(desk, quantities))
    placed = [outcome for outcome in outcomes if isinstance(outcome, OrderResult)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
    assert len(outcomes) == 500
    assert placed
    assert refused
    assert {order.state for order in placed} == {"placed"}
    assert {problem.code for problem in refused} == {"over_limit"}
    bought = sum(order.payable_fen for order in sandbox.books.orders)
    assert bought == sum(fen(order.payable.amount) for order in placed) <= 2500_00
    assert sandbox.books.received["create"] == len(placed)
    # Nor was anything refused that had room: used and would-be are of the moment of the claim.
    for problem in refused:
        assert problem.details is not None
        assert fen(problem.details["used"]) <= bought
        assert fen(problem.details["would_be"]) > 2500_00


def test_creates_of_two_processes_never_pass_the_number_of_a_day(tmp_path: Path) -> None:
    ledger_file = tmp_path / "ledger.sqlite3"
    children = [
        subprocess.Popen(
            [sys.executable, __file__, str(ledger_file), "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=script_environment(),
            cwd=tmp_path,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for child in children:  # every process has its previews before the first of them may begin
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write(b"begin\n")
            child.stdin.flush()
        counts: Counter[str] = Counter()
        for child in children:
            output, _ = child.communicate(timeout=120)
            assert child.returncode == 0
            counts += Counter(json.loads(output))
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert counts == {"placed": 25, "over_limit": PROCESSES * 40 - 25}
    with sqlite3.connect(ledger_file) as ledger:
        counting = "SELECT COUNT(*) FROM orders WHERE state IN ('sending', 'placed', 'unknown')"
        assert ledger.execute(counting).fetchone() == (25,)
    ledger.close()


async def _one_process_of_the_race(ledger_file: Path, calls: int) -> None:
    rules = {"RECHECK_AFTER_SECONDS": "1800", "MAX_DAY_CNY": "999999", "MAX_DAY_ORDERS": "25"}
    async with desk_over(ledger_file, build_sandbox(), Gate(calls), **rules) as desk:
        made = await previews(desk, [2] * calls)
        print("ready", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.readline)
        outcomes = await race(desk, made)
    print(json.dumps([item.state if isinstance(item, OrderResult) else item.code for item in outcomes]))


if __name__ == "__main__":
    anyio.run(_one_process_of_the_race, Path(sys.argv[1]), int(sys.argv[2]))
