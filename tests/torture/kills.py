"""Real processes, SIGKILL at a moment, a real file and a real port; the victim is `crash_child.py`."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import anyio
import anyio.to_thread
import httpx

from harness.processes import script_environment
from torture.course import Course, Run
from torture.crashes import memory_folder
from torture.injuries import Hurt, Injury, Target, Victim
from torture.world import Told, rechecking
from xportcn_server.sandbox.serving_http import running_sandbox

CHILD = Path(__file__).with_name("crash_child.py")
KILLED = -9 if sys.platform != "win32" else 9
Dies = str | tuple[str, int] | None

# The moments by name, and by what a death there leaves behind.
NOTHING_CLAIMED = (
    "find: reached",
    "check: reached",
    "recheck: reached",
    "recheck: request left",
    "claim: reached",
    "claim: before BEGIN",
    "claim: before INSERT INTO orders",
    "claim: before INSERT INTO trail",
    "claim: before COMMIT",
)
CLAIMED = (
    "claim: after COMMIT",
    "send: reached",
    "send: before the exchange",
    "send: connecting",
    "send: connected",
    "send: head left",
)
SENT = (
    "send: request left",
    "send: answer began",
    "send: answer came",
    "record: reached",
    "record: before BEGIN",
    "record: before UPDATE",
    "record: before INSERT INTO trail",
    "record: before COMMIT",
)
RECORDED = ("record: after COMMIT", "recorded: reached")
RECOVERY = (
    "find: before BEGIN",
    "find: before UPDATE",
    "find: before INSERT INTO trail",
    "find: before COMMIT",
    "find: after COMMIT",
)

MOMENTS = {"find": 10, "check": 13, "recheck": 16, "claim": 9, "send": 17, "record": 9, "recorded": 1}
"""As `injuries.MOMENTS`, with sockets and threads."""

IN_RECOVERY = 14
"""Moments of the step "find" when it finds an abandoned attempt."""

MOST_SECONDS = 60.0
"""For a victim to die or to answer; a run that hangs is a run that fails."""


def job_for(victim: Victim, base_url: str, dies: Dies) -> dict[str, Any]:
    return {
        "environment": rechecking(victim.world.ledger_path, base_url),
        "now": victim.world.now.isoformat(),
        "dies": dies,
        "seconds": victim.seconds,
        "arguments": victim.preview.create_order_arguments.model_dump(),
    }


class Nursery:
    """Has everything loaded, and gives each job a process of its own: a fork, or where there is none, a start."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        if hasattr(os, "fork"):
            self._process = subprocess.Popen(
                [sys.executable, str(CHILD), "nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=script_environment(),
            )

    def run(self, job: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        """The victim's exit status (`KILLED`, or 0), and what it printed if it lived. Blocks."""
        if self._process is None:
            done = subprocess.run(
                [sys.executable, str(CHILD), "call", json.dumps(job)],
                capture_output=True,
                check=False,
                text=True,
                env=script_environment(),
                timeout=MOST_SECONDS,
            )
            return done.returncode, json.loads(done.stdout) if done.stdout else None
        asked, answers = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        asked.write(json.dumps(job) + "\n")
        asked.flush()
        line = answers.readline()
        told = None
        if line.startswith("{"):
            told, line = json.loads(line), answers.readline()
        return int(line), told

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=MOST_SECONDS)


@contextmanager
def nursery() -> Generator[Nursery]:
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def killed(processes: Nursery, base_url: str, dies: Dies) -> Injury:
    """The call by a process of its own, which dies at the moment named; it may never come to it."""

    async def play(victim: Victim) -> Hurt:
        with anyio.fail_after(MOST_SECONDS):
            status, lived = await anyio.to_thread.run_sync(
                processes.run, job_for(victim, base_url, dies), abandon_on_cancel=True
            )
            await all_read(base_url)
        if dies and status == KILLED and lived is None:
            return Hurt("killed", dies if isinstance(dies, str) else f"{dies[0]}: moment {dies[1]}")
        if status or lived is None:
            raise RuntimeError(f"the victim ended with status {status}")
        told = lived["told"] | {"order_ids": tuple(lived["told"]["order_ids"])}
        return Hurt("killed", told=Told(**told), passed=lived["passed"])

    return play


async def all_read(base_url: str) -> None:
    """What a dead process had sent is read: it was on the wire before this request, and so comes first."""
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(base_url.removesuffix("/api") + "/sandbox/health")


async def kill_run(name: str, processes: Nursery) -> Run:
    """A create that is killed anywhere, a repeat within the lease, a kill in the recovery, and the end."""
    with memory_folder() as folder:
        course = Course(name, Path(folder))
        await course.begin(faults=0.3, over_a_port=True)
        async with running_sandbox(course.world.sandbox) as (_, base_url):
            target = Target.drawn(course.dice, MOMENTS)
            await course.injured(killed(processes, base_url, (target.phase, target.number)))
            if await course.left_sending():
                await course.impatient()
                course.beyond_lease()
                number = course.dice.randint(1, IN_RECOVERY)
                await course.injured(killed(processes, base_url, ("find", number)))
        return await course.ended()
