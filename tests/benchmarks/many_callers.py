"""Previews a second over HTTP, beside a server of the bare SDK that makes one POST and one commit a call."""

import statistics
import sys
from collections import defaultdict
from contextlib import ExitStack

import anyio

from benchmarks.closed_loop import Caller, Sample, Work, drive
from benchmarks.measured import Figure, Measured, Sizes
from benchmarks.start_and_calls import milliseconds, ratios
from benchmarks.surroundings import BARE, Place
from harness.house import address_of, order_arguments
from harness.over_http import STATE_KEY, made_callers
from harness.processes import TESTS, Process, answering, free_port, spawned, xportcn_mcp

CALLERS_OF_OURS = 8
"""Who share the connections: one caller may have only so many calls at a time."""


def many_callers(place: Place, sizes: Sizes) -> Measured:
    return anyio.run(_measured, place, sizes)


async def _measured(place: Place, sizes: Sizes) -> Measured:
    file = place.folder / "callers.toml"
    names = [f"caller-{number}" for number in range(CALLERS_OF_OURS)]
    unlimited = dict.fromkeys(names, "previews_per_minute = 10000000")
    tokens = list(made_callers(file, *names, **unlimited).values())
    environment = place.settings(place.folder / "http.sqlite3") | {
        "XPORTCN_CALLERS": str(file),
        "XPORTCN_STATE_KEYS": STATE_KEY,
    }
    with ExitStack() as stack:

        async def running(words: list[str], environment: dict[str, str], port: int) -> Process:
            process = spawned(words, environment, place.folder, port)
            stack.callback(process.kill)
            return await answering(process)

        port = free_port()
        ours = await running(xportcn_mcp("serve", "--http", "--port", str(port)), environment, port)
        one = Caller(ours.url, tokens[0], 0)
        answer = place.answer("http", await one.send(one.request("preview_order", order_arguments())))
        one.close()
        port = free_port()
        floor_file = str(place.folder / "http-floor.sqlite3")
        words = [sys.executable, str(BARE), str(port), str(answer), place.upstream, floor_file]
        bare = await running(words, {"PYTHONPATH": str(TESTS)}, port)
        samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)
        for number in range(sizes.http_rounds):
            setups = [("bare", bare), ("ours", ours)]
            for count in sizes.callers:
                for name, server in reversed(setups) if number % 2 else setups:
                    callers = [
                        Caller(server.url, tokens[caller % len(tokens)], caller) for caller in range(count)
                    ]
                    await drive(callers, _previews(), sizes.http_seconds / 6, {})
                    sample = await drive(callers, _previews(), sizes.http_seconds, {})
                    assert not sample.errors, sample.errors[:3]
                    samples[name, count].append(sample)
                    for caller in callers:
                        caller.close()
    measured: Measured = {}
    for count in sizes.callers:
        floor, here = samples["bare", count], samples["ours", count]
        rates = ratios((one.rate for one in here), (one.rate for one in floor))
        measured[f"http-{count}"] = Figure(
            rates, f"{statistics.median(one.rate for one in floor):.0f} a second"
        )
        p50 = milliseconds([one.percentile(50) for one in here])
        measured[f"tail-{count}"] = Figure(
            [one.percentile(99) / one.percentile(50) for one in here], f"p50 {p50}"
        )
    return measured


def _previews() -> Work:
    """Each caller's own place, and its request made once."""
    requests: dict[int, bytes] = {}

    async def preview(caller: Caller) -> None:
        if caller.number not in requests:
            arguments = order_arguments(address=address_of(caller.number + 1))
            requests[caller.number] = caller.request("preview_order", arguments)
        await caller.send(requests[caller.number])

    return preview
