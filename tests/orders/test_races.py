"""Many callers at once, in one process and in several: one create, and a cap is a cap."""

import json
import sys
from pathlib import Path

import anyio
import pytest
from anyio.streams.text import TextReceiveStream

from harness.house import ERAS, Era, House, address_of, at_once, call, previewed
from harness.port_sandbox import running_sandbox
from harness.postgres_server import PostgresServer
from harness.processes import script_environment
from harness.settings import live

pytestmark = pytest.mark.anyio

CHILD = Path(__file__).with_name("race_child.py")
PROCESSES, CALLS = 4, 25
STORES = ("sqlite", "postgres")


def ledger_in(store: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """An empty ledger of that kind, as the setting names it."""
    if store == "sqlite":
        return str(folder / "ledger.sqlite3")
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return postgres.new_database()


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("era", ERAS)
async def test_a_hundred_calls_with_one_token_make_one_create_and_all_speak_of_it(
    tmp_path: Path, request: pytest.FixtureRequest, era: Era, store: str
) -> None:
    house = House(tmp_path, LEDGER=ledger_in(store, tmp_path, request))
    with anyio.fail_after(60):
        async with house.client(era) as client:
            arguments = (await previewed(client))["create_order_arguments"]
            answers = await at_once(client, [arguments] * 100)
    assert house.creates == 1
    assert len(answers) == 100
    assert set(answers) <= {("placed", *house.order_ids), ("order_in_progress",)}
    assert ("placed", *house.order_ids) in answers


@pytest.mark.parametrize("store", STORES)
async def test_calls_of_several_processes_on_one_ledger_make_one_create(
    tmp_path: Path, request: pytest.FixtureRequest, store: str
) -> None:
    ledger = ledger_in(store, tmp_path, request)
    with anyio.fail_after(120):
        async with running_sandbox() as (sandbox, base_url):
            house = House(tmp_path, sandbox, **live(base_url), LEDGER=ledger)
            async with house.client() as client:
                arguments = (await previewed(client))["create_order_arguments"]
                answers = await _race(ledger, base_url, json.dumps(arguments))
                told = await call(client, "create_order", arguments)
    placed = ("placed", *house.order_ids)
    assert house.creates == 1
    assert len(answers) == PROCESSES * CALLS
    assert set(answers) <= {placed, ("order_in_progress",)}
    assert placed in answers
    assert (told["order"]["state"], *told["order"]["order_ids"]) == placed


async def _race(ledger: str, base_url: str, arguments: str) -> list[tuple[str, ...]]:
    """Every process is up before the first of them may begin."""
    answers: list[tuple[str, ...]] = []
    ready = [anyio.Event() for _ in range(PROCESSES)]
    begin = anyio.Event()

    async def child(number: int) -> None:
        command = [sys.executable, str(CHILD), ledger, base_url, str(CALLS)]
        async with await anyio.open_process(command, stderr=None, env=script_environment()) as process:
            assert process.stdin
            assert process.stdout
            lines = TextReceiveStream(process.stdout)
            assert await lines.receive() == "ready\n"
            ready[number].set()
            await begin.wait()
            await process.stdin.send(f"{arguments}\n".encode())
            answer = "".join([part async for part in lines])
            answers.extend(tuple(each) for each in json.loads(answer))
            assert await process.wait() == 0

    async with anyio.create_task_group() as tasks:
        for number in range(PROCESSES):
            tasks.start_soon(child, number)
        for event in ready:
            await event.wait()
        begin.set()
    return answers


@pytest.mark.parametrize("era", ERAS)
async def test_tokens_of_one_buyers_number_make_one_create(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    with anyio.fail_after(60):
        async with house.client(era) as client:
            calls = [
                (await previewed(client, quantity=2 + number % 3, out_order_id="PO-2026-0001"))[
                    "create_order_arguments"
                ]
                for number in range(20)
            ]
            answers = await at_once(client, calls)
    assert house.creates == 1
    assert sorted(answers) == sorted([("placed", *house.order_ids), *[("duplicate_reference",)] * 19])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(("cap", "value", "fits"), [("DAY_CNY", "500", 500 // 64), ("DAY_ORDERS", "13", 13)])
async def test_a_hundred_racing_creates_fill_a_cap_of_the_day_and_never_pass_it(
    tmp_path: Path, request: pytest.FixtureRequest, cap: str, value: str, fits: int, store: str
) -> None:
    house = House(tmp_path, None, **{f"MAX_{cap}": value}, LEDGER=ledger_in(store, tmp_path, request))
    with anyio.fail_after(120):
        async with house.client() as client:
            calls = [
                (await previewed(client, address=address_of(number)))["create_order_arguments"]
                for number in range(100)
            ]
            assert {arguments["expected_total"] for arguments in calls} == {"64.00"}
            answers = await at_once(client, calls)
    assert len(house.sandbox.books.orders) == house.creates == fits
    assert [answer[0] for answer in answers].count("placed") == fits
    assert [answer[0] for answer in answers].count("over_limit") == 100 - fits
