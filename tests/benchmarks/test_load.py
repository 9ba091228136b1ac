"""Replicas under load, beside a bare server of the SDK in the same run: `make load`. Nothing is a threshold.

nginx as deployed, PostgreSQL, the sandbox upstream in a process of its own, and the load generator all share
this machine's cores, so only the ratios mean something elsewhere. The setups take turns, forwards and
backwards, so that a machine that slows down slows all of them. All servers run all the time: a setup is
which of them a proxy gives calls to, and one without calls takes nothing.
"""

import contextlib
import json
import os
import platform
import statistics
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anyio
import psycopg
import pytest

from benchmarks.closed_loop import Caller, Sample, Work, busy_seconds, drive, parent_of
from harness.house import address_of, order_arguments
from harness.nginx_server import nginx_program, round_robin
from harness.over_http import STATE_KEY, made_callers
from harness.postgres_server import PostgresServer
from harness.processes import Process, answering, free_port, processes, spawned, xportcn_mcp
from harness.settings import environ_of, live

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="CPU times are read from /proc"),
]

REPLICAS = 3
CONNECTIONS = 16
ROUNDS = 3
WARM_UP_SECONDS = 1.0
MEASURED_SECONDS = 5.0
QUIET_SECONDS = 3.0
BARE = "bare SDK server"


@dataclass
class Setup:
    """A proxy and the servers behind it. `groups`: processes by what they are to it."""

    name: str
    url: str
    groups: dict[str, list[int]]


@dataclass
class Bench:
    """All that is running. `database`: where the replicas keep their ledger."""

    setups: list[Setup]
    database: str
    token: str

    async def rounds(self, setups: list[Setup], work: Callable[[], Work]) -> dict[str, list[Sample]]:
        """The samples of each setup, one a round."""
        samples: dict[str, list[Sample]] = {setup.name: [] for setup in setups}
        for number in range(ROUNDS):
            for setup in reversed(setups) if number % 2 else setups:
                callers = [Caller(setup.url, self.token, caller) for caller in range(CONNECTIONS)]
                warm_up = await drive(callers, work(), WARM_UP_SECONDS, {})
                sample = await drive(callers, work(), MEASURED_SECONDS, setup.groups)
                sample.errors += warm_up.errors
                samples[setup.name].append(sample)
                for caller in callers:
                    caller.close()
        return samples


@asynccontextmanager
async def bench(folder: Path, postgres: PostgresServer) -> AsyncGenerator[Bench]:
    nginx_program()
    database = postgres.new_database()
    token = made_callers(folder / "callers.toml", "load", load="previews_per_minute = 10000000")["load"]
    async with AsyncExitStack() as stack:

        def running(*arguments: str, port: int) -> Process:
            process = spawned(list(arguments), {}, folder, port)
            stack.callback(process.kill)
            return process

        upstream = free_port()
        sandbox = running(*xportcn_mcp("sandbox", "--port", str(upstream)), port=upstream)
        await listening(upstream)
        settings = live(f"http://127.0.0.1:{upstream}/api") | {
            "LEDGER": database,
            "CALLERS": str(folder / "callers.toml"),
            "STATE_KEYS": STATE_KEY,
            "MAX_DAY_CNY": "100000000",
            "MAX_DAY_ORDERS": "1000000",
            "RECHECK_AFTER_SECONDS": "600",
            "APPROVAL": "off",
        }
        environment = environ_of(**settings)
        replicas = await stack.enter_async_context(processes(environment, folder, REPLICAS))

        one = Caller(replicas[0].url, token, 0)
        answer = await one.send(one.request("preview_order", arguments_of(one)))
        one.close()
        (folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
        port = free_port()
        script = Path(__file__).with_name("bare_server.py")
        bare = running(sys.executable, str(script), str(port), str(folder / "answer.json"), port=port)
        await answering(bare)

        behind = {BARE: [bare]} | {
            f"{count} replica{'s' * (count > 1)}": replicas[:count] for count in range(1, REPLICAS + 1)
        }
        setups: list[Setup] = []
        for name, servers in behind.items():
            place = folder / f"nginx-{len(setups)}"
            place.mkdir()
            url = await stack.enter_async_context(round_robin(place, [server.port for server in servers]))
            groups = {"server": [server.popen.pid for server in servers]}
            if name != BARE:
                groups |= {"upstream": [sandbox.popen.pid], "database": [postmaster(postgres)]}
            setups.append(Setup(name, url, groups))
        yield Bench(setups, database, token)


async def listening(port: int) -> None:
    """Wait until somebody takes connections there."""
    with anyio.fail_after(60):
        while True:
            with contextlib.suppress(OSError):
                async with await anyio.connect_tcp("127.0.0.1", port):
                    return
            await anyio.sleep(0.05)


def postmaster(postgres: PostgresServer) -> int:
    """The process whose children serve the database's connections."""
    with psycopg.connect(postgres.url()) as connection:
        return parent_of(connection.info.backend_pid)


def arguments_of(caller: Caller) -> dict[str, object]:
    """Each caller has an address of its own: the same goods to one place at once would be refused."""
    return order_arguments(address=address_of(caller.number + 1))


def previews() -> Work:
    requests: dict[int, bytes] = {}

    async def preview(caller: Caller) -> None:
        if caller.number not in requests:
            requests[caller.number] = caller.request("preview_order", arguments_of(caller))
        await caller.send(requests[caller.number])

    return preview


def pairs() -> Work:
    async def preview_and_create(caller: Caller) -> None:
        shown = await caller.send(caller.request("preview_order", arguments_of(caller)))
        arguments = shown["structuredContent"]["preview"]["create_order_arguments"]
        await caller.send(caller.request("create_order", arguments))

    return preview_and_create


async def test_previews_and_orders_of_one_two_and_three_replicas(
    tmp_path: Path, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bench(tmp_path, postgres) as here:
        others = [await busy_cores()]
        before = rows_of(here.database)
        of_previews = await here.rounds(here.setups, previews)
        previewed = rows_of(here.database)
        of_pairs = await here.rounds(here.setups[1:], pairs)
        ordered = rows_of(here.database)
        others.append(await busy_cores())

    samples = [*of_previews.values(), *of_pairs.values()]
    errors = [error for rounds in samples for sample in rounds for error in sample.errors]
    first = here.setups[1].name
    with capsys.disabled():
        print(f"\n\n{surroundings(postgres, others)}\n")
        for what, measured, base in (
            ("previews", of_previews, BARE),
            ("previews with their creates", of_pairs, first),
        ):
            print(f"{table(what, measured, base)}\n\n{cpu_table(what, measured)}\n")
        print(f"{sum(len(sample.took_ms) for rounds in samples for sample in rounds)} measured", end="")
        print(f", {len(errors)} errors")
    assert not errors, errors[:5]
    # The ledger holds what was measured, and the warm-ups: nobody was answered from thin air.
    done = sum(len(sample.took_ms) for name in list(of_previews)[1:] for sample in of_previews[name])
    made = sum(len(sample.took_ms) for rounds in of_pairs.values() for sample in rounds)
    assert previewed["previews"] - before["previews"] >= done
    assert ordered["orders"] == ordered["previews"] - previewed["previews"] >= made


async def busy_cores() -> float:
    """How many cores are busy while all of ours is idle: with what others do on this machine."""
    before = busy_seconds()
    await anyio.sleep(QUIET_SECONDS)
    return (busy_seconds() - before) / QUIET_SECONDS


def rows_of(database: str) -> dict[str, int]:
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM previews), (SELECT count(*) FROM orders WHERE state = 'placed')"
        ).fetchone()
    assert found
    return {"previews": found[0], "orders": found[1]}


def surroundings(postgres: PostgresServer, others: list[float]) -> str:
    with psycopg.connect(postgres.url()) as connection:
        database = connection.info.server_version // 10000
    parts = ", ".join(f"{name} {version(name)}" for name in ("mcp", "uvicorn", "psycopg"))
    load = ", ".join(f"{figure:.2f}" for figure in os.getloadavg())
    busy = " before and ".join(f"{figure:.2f}" for figure in others)
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {parts}, "
        f"PostgreSQL {database}. {CONNECTIONS} connections, {ROUNDS} rounds of {MEASURED_SECONDS:g} s a setup "
        f"after {WARM_UP_SECONDS:g} s of warm-up; medians over the rounds.\n"
        f"Cores that others kept busy: {busy} after; load average at the end {load}."
    )


def table(what: str, samples: dict[str, list[Sample]], base: str) -> str:
    """Markdown. A ratio is to `base` in the same round: the median, and for the rate the lowest and highest."""
    head = [what, "a second", "p50 ms", "p95 ms", f"rate to {base}", "p50 to it", "p95 to it"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for name, rounds in samples.items():
        rates = ratios(rounds, samples[base], lambda one: one.rate)
        lines.append(
            [
                name,
                f"{median(rounds, lambda one: one.rate):.0f}",
                f"{median(rounds, lambda one: one.percentile(50)):.1f}",
                f"{median(rounds, lambda one: one.percentile(95)):.1f}",
                f"{statistics.median(rates):.3f} ({min(rates):.3f}–{max(rates):.3f})",
                f"{statistics.median(ratios(rounds, samples[base], lambda one: one.percentile(50))):.2f}",
                f"{statistics.median(ratios(rounds, samples[base], lambda one: one.percentile(95))):.2f}",
            ]
        )
    return markdown(lines)


def cpu_table(what: str, samples: dict[str, list[Sample]]) -> str:
    """Markdown: where the processor's time goes. `rest`: load generator, nginx, and what is not ours."""
    groups = ("server", "upstream", "database", "rest")
    head = [f"CPU ms of one of {what}", *groups, "cores busy"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for name, rounds in samples.items():
        parts = [median(rounds, lambda one, group=group: one.cpu_ms.get(group, 0.0)) for group in groups]
        busy = median(rounds, lambda one: one.busy)
        lines.append([name, *(f"{part:.1f}" for part in parts), f"{busy:.2f}"])
    return markdown(lines)


def markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def median(rounds: list[Sample], of: Callable[[Sample], float]) -> float:
    return statistics.median(of(sample) for sample in rounds)


def ratios(rounds: list[Sample], base: list[Sample], of: Callable[[Sample], float]) -> list[float]:
    return [of(one) / of(other) for one, other in zip(rounds, base, strict=True)]
