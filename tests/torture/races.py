"""In process: a hundred calls with one token at once, over several desks on one ledger file."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from torture.course import Course, Run
from torture.crashes import memory_folder
from torture.world import create

CALLS = 100


async def race_run(name: str, url: str | None = None) -> Run:
    """All ask at once; whoever is told an outcome is told the one that there is."""
    with memory_folder() as folder:
        course = Course(name, Path(folder), url)
        await course.begin(faults=0.5, previews=False)
        course.run.how = f"{CALLS} calls"
        async with AsyncExitStack() as stack:
            desks = [
                await stack.enter_async_context(course.world.desk(seconds=course.seconds))
                for _ in range(course.dice.randint(1, 4))
            ]
            course.run.where = f"{len(desks)} desks"
            arguments = course.preview.create_order_arguments
            calls = (create(course.dice.choice(desks), arguments) for _ in range(CALLS))
            told = await asyncio.gather(*calls)
        final = await course.called()
        for answer in told:
            if answer.code != "order_in_progress" and (answer.state, answer.order_ids) != (
                final.state,
                final.order_ids,
            ):
                course.fault("untrue", f"told {answer}, while it ended as {final}")
        firsts = sum(not answer.replayed for answer in told)
        if firsts != 1:
            course.fault("double", f"{firsts} calls were told that they had sent it")
        return await course.ended()
