"""How long things take on this machine, printed as a table: `make bench`. The one threshold is a ratio.

In process, on the sandbox, with a real SQLite ledger (fsync at every commit); timings are noisy, so each
figure is the median of several runs taken in turn.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.house import House, call, order_arguments, previewed

pytestmark = pytest.mark.anyio
RUNS = 30


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    times: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        await work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


async def test_a_call_of_each_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = House(tmp_path, MAX_DAY_CNY="1000000", MAX_DAY_ORDERS="1000")
    async with house.client() as client:
        quantities = iter(range(2, 1000))
        waiting = [
            (await previewed(client, quantity=next(quantities)))["create_order_arguments"]
            for _ in range(RUNS)
        ]
        figures = {
            "preview_order": await _median_ms(lambda: call(client, "preview_order", order_arguments())),
            "create_order": await _median_ms(lambda: call(client, "create_order", waiting.pop())),
            "get_orders": await _median_ms(lambda: call(client, "get_orders")),
        }
    assert house.creates == RUNS
    with capsys.disabled():
        print("\nmedian of", RUNS, "calls in process, ms")
        for name, milliseconds in figures.items():
            print(f"  {name:<14} {milliseconds:8.1f}")


@pytest.mark.parametrize("module", ["mcp.server", "xportcn_server.app"])
def test_an_import_in_a_fresh_process(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    times: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        times.append(time.perf_counter() - start)
    with capsys.disabled():
        print(f"\nmedian of 5 fresh processes that import {module}: {statistics.median(times):.2f} s")


def _started(folder: Path, *words: str) -> float:
    """Seconds until a command has ended; the input of `serve` ends at once."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    environ["XPORTCN_LEDGER"] = str(folder / "ledger.sqlite3")
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "xportcn_server", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environ,
        check=True,
    )
    return time.perf_counter() - start


def test_a_persons_command_starts_in_less_than_half_the_time_of_serve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Taken in turn, and compared by medians: a busy machine slows both."""
    times: dict[str, list[float]] = {"serve": [], "orders list": []}
    for _ in range(7):
        for command, found in times.items():
            found.append(_started(tmp_path, *command.split()))
    medians = {command: statistics.median(found) for command, found in times.items()}
    ratio = medians["orders list"] / medians["serve"]
    with capsys.disabled():
        print("\nmedian of 7 starts:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
        print(f"orders list / serve: {ratio:.2f}")
    assert ratio < 0.5
