"""A server process that kills itself with SIGKILL at a moment that its job names; run by `torture.kills`.

    crash_child.py call JOB     one call of `create_order` by a desk made as `app.py` makes it
    crash_child.py serve JOB    the whole server on stdio
    crash_child.py nursery      jobs come line by line on stdin, and each gets a fresh process, a fork of this

JOB is JSON: `environment` (the server's settings), `now` (what its clock says), `dies` ("claim: after
COMMIT", or [phase, number], or null), `seconds` (of the deadline), and for a call `arguments`. A call that
lives prints what it told and the moments that it passed, as one line of JSON.
"""

import json
import logging
import os
import signal
import sys
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import anyio
import httpx

from harness.seams import SteppedLedger, SteppedUpstream
from harness.settings import load_settings
from torture.mortal import Life, Moment, MortalLedger, MortalTransport, closing, driven
from torture.world import create
from xportcn_server.app import build_server
from xportcn_server.parts import Seams, policy_of, upstream_of
from xportcn_server.stdio.serving import run_stdio
from xportcn_tools.desk.desk import Desk
from xportcn_tools.results import CreateOrderArguments

Job = dict[str, Any]


def die() -> None:
    """No handler, no `finally`, no flush."""
    if sys.platform == "win32":
        os._exit(9)
    os.kill(os.getpid(), signal.SIGKILL)


def life_of(job: Job) -> Life:
    dies = job["dies"]

    def fate(moment: Moment) -> None:
        if dies in (str(moment), [moment.phase, moment.number]):
            die()

    return Life(fate)


def seams_of(job: Job, life: Life) -> Seams:
    now = datetime.fromisoformat(job["now"])
    settings = load_settings(job["environment"])
    return Seams(
        clock=lambda: now,
        ledger=MortalLedger(settings.ledger_path or sys.exit("no file"), life, clock=lambda: now),
        new_transport=lambda: MortalTransport(httpx.AsyncHTTPTransport(), life),
    )


async def call(job: Job) -> str:
    life, now = life_of(job), datetime.fromisoformat(job["now"])
    seams = seams_of(job, life)
    settings = load_settings(job["environment"]).model_copy(update={"timeout_seconds": job["seconds"]})
    upstream = upstream_of(settings, seams)
    assert isinstance(seams.ledger, MortalLedger)
    async with closing(seams.ledger) as ledger:
        watched = SteppedUpstream(upstream, life.step)
        desk = Desk(watched, SteppedLedger(ledger, life.step), policy_of(settings), clock=lambda: now)
        told = await driven(create(desk, CreateOrderArguments(**job["arguments"])), life)
        await upstream.aclose()
    return json.dumps({"told": asdict(told), "passed": [str(moment) for moment in life.passed]})


def serve(job: Job) -> None:
    life = life_of(job)
    seams = seams_of(job, life)
    assert seams.ledger
    seams = replace(seams, ledger=SteppedLedger(seams.ledger, life.step))
    run_stdio(build_server(load_settings(job["environment"]), seams))


def nursery() -> None:
    """Loads nothing twice: a victim begins where this process stands, with no thread and no loop yet."""
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            answer = anyio.run(call, json.loads(line))
            os.write(1, answer.encode() + b"\n")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    logging.disable()
    match sys.argv[1:]:
        case ["call", text]:
            os.write(1, anyio.run(call, json.loads(text)).encode() + b"\n")
        case ["serve", text]:
            serve(json.loads(text))
        case _:
            nursery()
