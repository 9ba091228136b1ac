"""In process: creates that die, are cancelled or stall anywhere, while the upstream fails as it likes."""

import tempfile
from pathlib import Path

from torture.course import Course, Run
from torture.injuries import HOWS, MOMENTS, Target, injury


async def crash_run(name: str, url: str | None = None) -> Run:
    """A create with an injury, an impatient repeat, perhaps a death in the recovery, and the end."""
    with memory_folder() as folder:
        course = Course(name, Path(folder), url)
        await course.begin(faults=0.5)
        await course.injured(injury(course.dice.choice(HOWS), Target.drawn(course.dice, MOMENTS)))
        if await course.left_sending():
            await course.impatient()
            # Recovery is part of the step "find": who recovers may die in it as well.
            course.beyond_lease()
            number = course.dice.randint(1, MOMENTS["find"])
            await course.injured(injury("died", Target("find", number)))
        return await course.ended()


async def fault_run(name: str, url: str | None = None) -> Run:
    """A create, perhaps twice, against an upstream that fails, with nobody injured; and the end."""
    with memory_folder() as folder:
        course = Course(name, Path(folder), url)
        await course.begin(faults=1.0)
        for _ in range(course.dice.choice((1, 2))):
            await course.called()
        return await course.ended()


def memory_folder() -> tempfile.TemporaryDirectory[str]:
    """In memory where there is some: here a process's death is played, and the disk is not asked."""
    memory = Path("/dev/shm")  # noqa: S108 - a name of its own inside
    return tempfile.TemporaryDirectory(prefix="torture-", dir=memory if memory.is_dir() else None)
