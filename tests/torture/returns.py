"""In process: a ledger that is put back from a backup, and a wish that is ordered twice, while clocks jump."""

import asyncio
import random
import shutil
from pathlib import Path

from torture.course import Course, Run
from torture.crashes import memory_folder
from torture.injuries import HOWS, MOMENTS, Target, Victim, injury
from torture.world import World, create
from xportcn_tools.ledger.ledger import OrderRecord

JUMPS = (0.0, 5.0, 60.0, 700.0, 86_400.0, -3600.0)
"""Seconds; a preview lives for 600."""


async def restored_run(name: str) -> Run:
    """A create with an injury, the ledger as it was before it, and the same token again: never a second create.
    SQLite only.
    """
    with memory_folder() as folder:
        course = Course(name, Path(folder))
        run, world = course.run, course.world
        await course.begin(faults=0.5, previews=False)
        backup = Path(folder) / "backup"
        shutil.copyfile(world.ledger_path, backup)
        hurt = await injury(course.dice.choice(HOWS), Target.drawn(course.dice, MOMENTS))(
            Victim(world, course.preview, course.seconds, _nobody)
        )
        run.how, run.where = hurt.how, "put back"
        came = world.arrivals.creates
        await _jump(course.dice, world)
        shutil.copyfile(backup, world.ledger_path)
        world.sandbox.faults.clear()
        told = await world.repeat(course.preview)
        if came and (told.code, told.request_sent) != ("token_expired", "no"):
            course.fault("untrue", f"its order may be missing in this ledger, and the caller was told {told}")
        if world.arrivals.creates > 1:
            course.fault("double", f"{world.arrivals.creates} creates with one token")
        fresh = await world.preview()
        placed = await world.repeat(fresh)
        if placed.state != "placed" and placed.code != "terms_changed":
            course.fault("untrue", f"nothing stands in the way of a fresh preview, and it ended as {placed}")
        run.creates, run.state = course.creates, told.state
        return run


async def twin_run(name: str, url: str | None = None) -> Run:
    """One wish, previewed twice and ordered twice, one after the other or at once: one order at most, since
    neither preview shows the other's.
    """
    with memory_folder() as folder:
        course = Course(name, Path(folder), url)
        run, world = course.run, course.world
        await course.begin(faults=0.6, previews=False)
        previews = [course.preview, await world.preview()]
        if course.dice.random() < 0.5:
            run.how = "twins at once"
            async with world.desk(seconds=course.seconds) as one, world.desk(seconds=course.seconds) as other:
                calls = zip((one, other), previews, strict=True)
                await asyncio.gather(*(create(desk, each.create_order_arguments) for desk, each in calls))
        else:
            run.how = "twins in turn"
            for preview in previews:
                await world.repeat(preview, course.seconds)
                await _jump(course.dice, world)
        world.sandbox.faults.clear()
        world.pass_time(2 * 86_400)
        for preview in previews:
            await world.repeat(preview)
        made = world.sandbox.books.orders
        if len(made) > 1:
            course.fault("double", f"{len(made)} orders of one wish")
        for preview in previews:
            facts = await world.facts(preview)
            wrong = facts.row and _untrue(facts.row, facts.order_ids)
            if wrong:
                course.fault("untrue", wrong)
            run.state = facts.row.state if facts.row else run.state
        run.creates = world.arrivals.creates
        return run


async def _nobody() -> None:
    """Nobody does anything meanwhile."""


async def _jump(dice: random.Random, world: World) -> None:
    world.pass_time(dice.choice(JUMPS))


def _untrue(row: OrderRecord, made: list[tuple[str, ...]]) -> str | None:
    if row.state == "placed" and [row.order_ids] != made:
        return f"placed as {row.order_ids}, upstream has {made}"
    if row.state in ("rejected", "absent") and made:
        return f"{row.state}, upstream has {made}"
    return "left sending" if row.state == "sending" else None
