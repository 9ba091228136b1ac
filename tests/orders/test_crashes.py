"""Crashes: a server killed at every point and between any two writes, and a short form of `make torture`."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
import stamina
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from harness.house import call, previewed
from harness.port_sandbox import running_sandbox
from harness.postgres_server import PostgresServer
from harness.processes import script_environment
from torture.course import Course, Run
from torture.crashes import crash_run, fault_run
from torture.injuries import Victim
from torture.kills import (
    CHILD,
    CLAIMED,
    NOTHING_CLAIMED,
    RECORDED,
    RECOVERY,
    SENT,
    Nursery,
    killed,
    nursery,
)
from torture.races import race_run
from torture.returns import restored_run, twin_run
from torture.world import PATIENT, World, rechecking
from xportcn_server.sandbox.books import Books
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.service import build_sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


@pytest.fixture(autouse=True)
def no_waits_between_previews() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


async def killed_at(moment: str, folder: Path, processes: Nursery) -> Course:
    """A create whose process was killed there; what the dead had sent is read."""
    course = Course(f"killed:{moment}", folder)
    await course.begin(faults=0)
    await kill(course, moment, processes)
    assert course.run.where == moment
    return course


async def kill(course: Course, moment: str, processes: Nursery) -> None:
    async with running_sandbox(course.world.sandbox) as (_, base_url):
        await course.injured(killed(processes, base_url, moment))


def without_fault(run: Run) -> Run:
    assert run.faults == []
    return run


async def test_the_moments_listed_here_are_all_that_a_create_passes(
    tmp_path: Path, processes: Nursery
) -> None:
    world = World(tmp_path)
    victim = Victim(world, await world.preview(), PATIENT, meanwhile=pytest.fail)
    async with running_sandbox(world.sandbox) as (_, base_url):
        lived = await killed(processes, base_url, None)(victim)
    passed = {name for name in lived.passed if not name.endswith(": await")}
    turns_of_recheck = {name for name in passed if name.startswith("recheck:")}
    listed = {*NOTHING_CLAIMED, *CLAIMED, *SENT, *RECORDED}
    assert listed - turns_of_recheck == passed - turns_of_recheck
    assert listed & turns_of_recheck == {"recheck: reached", "recheck: request left"}


@pytest.mark.parametrize("moment", NOTHING_CLAIMED)
async def test_killed_before_its_claim_is_on_disk_a_create_has_sent_nothing_and_the_repeat_orders(
    tmp_path: Path, processes: Nursery, moment: str
) -> None:
    course = await killed_at(moment, tmp_path, processes)
    assert course.creates == 0
    assert (await course.world.facts(course.preview)).row is None
    told = await course.called()
    assert (told.state, told.replayed) == ("placed", False)
    assert without_fault(await course.ended()).creates == 1


@pytest.mark.parametrize("moment", [*CLAIMED, *SENT])
async def test_killed_between_claim_and_record_it_is_in_progress_while_the_lease_runs_and_then_unknown(
    tmp_path: Path, processes: Nursery, moment: str
) -> None:
    course = await killed_at(moment, tmp_path, processes)
    assert course.creates == (moment in SENT)
    assert await course.left_sending()
    await course.impatient()
    course.beyond_lease()
    told = await course.called()
    assert (told.code, told.request_sent, told.state) == ("outcome_unknown", "unknown", "unknown")
    run = without_fault(await course.ended())
    assert (run.state, run.creates) == ("unknown", moment in SENT)


@pytest.mark.parametrize("moment", RECORDED)
async def test_killed_after_its_record_it_is_placed_for_ever(
    tmp_path: Path, processes: Nursery, moment: str
) -> None:
    course = await killed_at(moment, tmp_path, processes)
    told = await course.called()
    assert (told.state, told.replayed) == ("placed", True)
    assert without_fault(await course.ended()).creates == 1


@pytest.mark.parametrize("moment", RECOVERY)
async def test_killed_while_it_recovers_it_leaves_the_recovery_to_the_next(
    tmp_path: Path, processes: Nursery, moment: str
) -> None:
    course = await killed_at("send: request left", tmp_path, processes)
    course.beyond_lease()
    await kill(course, moment, processes)
    assert await course.left_sending() is (moment != "find: after COMMIT")
    assert without_fault(await course.ended()).state == "unknown"


def stdio_server(world: World, base_url: str, dies: str | None) -> StdioServerParameters:
    job: dict[str, Any] = {
        "environment": rechecking(world.ledger_path, base_url),
        "now": world.now.isoformat(),
        "dies": dies,
    }
    return StdioServerParameters(
        command=sys.executable, args=[str(CHILD), "serve", json.dumps(job)], env=script_environment()
    )


@pytest.mark.parametrize(
    ("moment", "creates"),
    [("claim: after COMMIT", 0), ("send: request left", 1), ("record: before COMMIT", 1)],
)
async def test_a_whole_server_killed_in_the_midst_of_a_create_knows_it_when_it_is_started_again(
    tmp_path: Path, moment: str, creates: int
) -> None:
    world = World(tmp_path)
    with anyio.fail_after(60):
        async with running_sandbox(world.sandbox) as (sandbox, base_url):
            async with Client(stdio_server(world, base_url, moment)) as client:
                preview = await previewed(client)
                with pytest.raises(Exception, match=r"(?i)clos"):
                    await client.call_tool("create_order", preview["create_order_arguments"])
            async with Client(stdio_server(world, base_url, None)) as client:
                early = await call(client, "create_order", preview["create_order_arguments"])
            world.pass_time(60)
            async with Client(stdio_server(world, base_url, None)) as client:
                (listed,) = (await call(client, "get_orders"))["orders"]
                late = await call(client, "create_order", preview["create_order_arguments"])
    assert early["problem"]["code"] == "order_in_progress"
    assert late["problem"]["code"] == "outcome_unknown"
    assert listed["state"] == late["order"]["state"] == "unknown"
    assert sandbox.books.creates_of[preview["out_order_id"]] == sandbox.books.received["create"] == creates


class Watched(Books):
    """Books that say when a create was read."""

    def __init__(self) -> None:
        super().__init__()
        self.on_create: Callable[[], None] = pytest.fail

    def note_request(self, endpoint: Operation, body: bytes) -> None:
        super().note_request(endpoint, body)
        if endpoint == "create":
            self.on_create()


@pytest.mark.parametrize("how", ["cancels its call", "disconnects"])
async def test_a_client_that_leaves_while_its_create_is_on_the_way_finds_the_outcome_next_time(
    tmp_path: Path, how: str
) -> None:
    world, books = World(tmp_path), Watched()
    sandbox = build_sandbox(clock=world.clock, books=books, pace=Pace(slow_seconds=0.5))
    sandbox.faults.add("slow", "create")
    with anyio.fail_after(60):
        async with running_sandbox(sandbox) as (_, base_url):
            server = stdio_server(world, base_url, None)
            async with Client(server) as client:
                arguments = (await previewed(client))["create_order_arguments"]
            request, connection = anyio.CancelScope(), anyio.CancelScope()
            with connection:
                async with Client(server) as client:
                    with request:
                        books.on_create = (request if how == "cancels its call" else connection).cancel
                        await client.call_tool("create_order", arguments)
            assert request.cancelled_caught or connection.cancelled_caught
            async with Client(server) as client:
                again = await call(client, "create_order", arguments)
    assert again["order"]["state"] == "placed"
    assert again["order"]["replayed"] is True
    assert again["order"]["order_ids"] == [number for order in books.orders for number in order.order_ids]
    assert books.received["create"] == 1


async def test_a_hundred_and_fifty_creates_that_die_are_cancelled_or_stall_end_as_they_must() -> None:
    runs = [await crash_run(f"crash:ci:{number}") for number in range(150)]
    assert [run for run in runs if run.faults] == []
    assert {run.how for run in runs} == {"died", "cancelled", "cut off", "stalled", "unharmed"}
    assert {run.state for run in runs} == {"placed", "rejected", "unknown"}
    phases = {run.where.partition(":")[0] for run in runs if run.where}
    assert phases == {"find", "check", "recheck", "claim", "send", "record", "recorded"}
    # Both truths behind an unknown outcome have been there.
    assert {run.creates for run in runs if run.state == "unknown"} == {0, 1}


async def test_creates_against_an_upstream_that_fails_end_as_they_must() -> None:
    runs = [await fault_run(f"fault:ci:{number}") for number in range(60)]
    assert [run for run in runs if run.faults] == []
    assert {run.state for run in runs} == {"placed", "rejected", "unknown"}


@pytest.mark.parametrize("number", range(3))
async def test_a_hundred_calls_with_one_token_at_once_make_one_create(number: int) -> None:
    run = without_fault(await race_run(f"race:ci:{number}"))
    assert run.creates == 1


async def test_with_the_ledger_in_postgresql_they_end_as_they_must_too(postgres: PostgresServer) -> None:
    runs = [await crash_run(f"crash:pg:{number}", postgres.new_database()) for number in range(30)]
    runs += [await fault_run(f"fault:pg:{number}", postgres.new_database()) for number in range(8)]
    assert [run for run in runs if run.faults] == []
    assert {run.how for run in runs} == {"died", "cancelled", "cut off", "stalled", "unharmed"}
    assert {run.state for run in runs} == {"placed", "rejected", "unknown"}
    phases = {run.where.partition(":")[0] for run in runs if run.where}
    assert phases >= {"find", "claim", "send", "record"}


async def test_a_hundred_calls_over_several_desks_on_one_postgresql_make_one_create(
    postgres: PostgresServer,
) -> None:
    run = without_fault(await race_run("race:pg:1", postgres.new_database()))
    assert run.creates == 1


async def test_a_ledger_that_is_put_back_makes_no_second_create() -> None:
    runs = [await restored_run(f"restored:ci:{number}") for number in range(40)]
    assert [run for run in runs if run.faults] == []
    assert {run.creates for run in runs} == {0, 1}
    assert {run.state for run in runs} >= {None, "placed"}  # void, or not even claimed before


@pytest.mark.parametrize("driver", ["sqlite", "postgres"])
async def test_one_wish_that_is_previewed_and_ordered_twice_is_one_order(
    request: pytest.FixtureRequest, driver: str
) -> None:
    urls: list[str | None] = [None] * 40
    if driver == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        urls = [postgres.new_database() for _ in range(12)]
    runs = [await twin_run(f"twin:{driver}:{number}", url) for number, url in enumerate(urls)]
    assert [run for run in runs if run.faults] == []
    assert {run.how for run in runs} == {"twins at once", "twins in turn"}


async def test_a_run_is_made_again_by_its_name() -> None:
    first, again = [await crash_run("crash:ci:1") for _ in range(2)]
    assert replace(again, creates=first.creates) == first
