"""Runs by their names, one after the other, in a process of the pool."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import anyio
import stamina

from torture.course import Run
from torture.crashes import crash_run, fault_run
from torture.kills import kill_run, nursery
from torture.races import race_run
from torture.returns import restored_run, twin_run
from torture.verdict import Fault

RUN_SECONDS = 120.0

Play = Callable[[str], Awaitable[Run]]
IN_PROCESS: dict[str, Play] = {
    "crash": crash_run,
    "fault": fault_run,
    "race": race_run,
    "restored": restored_run,
    "twin": twin_run,
}


def batch_of(names: list[str]) -> list[Run]:
    """The runs of these names, one after the other."""
    logging.disable()  # what the product has to say of so many failures, nobody can read
    stamina.set_testing(True, attempts=3, cap=True)  # retries of previews, without their waits
    if not any(name.startswith("kill:") for name in names):
        return asyncio.run(_run_all(names, IN_PROCESS))
    with nursery() as processes:
        return asyncio.run(_run_all(names, IN_PROCESS | {"kill": partial(kill_run, processes=processes)}))


async def _run_all(names: Iterable[str], kinds: dict[str, Play]) -> list[Run]:
    return [await _run(name, kinds[name.partition(":")[0]]) for name in names]


async def _run(name: str, play: Play) -> Run:
    try:
        with anyio.fail_after(RUN_SECONDS):
            return await play(name)
    except Exception as error:  # noqa: BLE001 - any end but the foreseen one is a finding
        return Run(name, "error", faults=[Fault("error", f"{type(error).__name__}: {error}")])
