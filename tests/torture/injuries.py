"""What can befall one call of `create_order`, each at a moment or a step that the run has drawn."""

import asyncio
import contextlib
import functools
import random
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import anyio

from torture.mortal import Fate, InlineLedger, Life, Moment, ProcessDiedError, driven
from torture.world import Told, World, create
from xportcn_tools.results import PreviewResult

How = Literal["died", "cancelled", "cut off", "stalled"]
HOWS: tuple[How, ...] = ("died", "cancelled", "cut off", "stalled")

MOMENTS = {"find": 10, "check": 1, "recheck": 5, "claim": 9, "send": 8, "record": 10, "recorded": 1}
"""The desk's steps, and how many moments to draw from in each: about as many as there are. Where the drawn
one never comes, the call ends unharmed: a case too."""


@dataclass
class Hurt:
    """What came of the call: where it was struck, if it was; what it told and passed, if it got so far."""

    how: str
    where: str | None = None
    told: Told | None = None
    passed: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Victim:
    """A call about to be made. `seconds`: its deadline. `meanwhile`: what others do while it stalls."""

    world: World
    preview: PreviewResult
    seconds: float
    meanwhile: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Target:
    """The moment at which a call is struck."""

    phase: str
    number: int

    @classmethod
    def drawn(cls, dice: random.Random, moments: Mapping[str, int]) -> "Target":
        phase = dice.choice(list(moments))
        return cls(phase, dice.randint(1, moments[phase]))

    def is_now(self, moment: Moment) -> bool:
        return (moment.phase, moment.number) == (self.phase, self.number)


Injury = Callable[[Victim], Awaitable[Hurt]]


def injury(how: How, target: Target) -> Injury:
    """Make the victim's call, and let `how` befall it there."""
    play = {"died": _die, "cancelled": _cancel, "cut off": _cut_off, "stalled": _stall}[how]
    return functools.partial(play, Hurt(how), target)


async def _die(hurt: Hurt, target: Target, victim: Victim) -> Hurt:
    """The process ends at a moment, and nothing of it runs any more."""

    def fate(moment: Moment) -> None:
        if target.is_now(moment):
            hurt.where = str(moment)
            raise ProcessDiedError

    life = Life(fate)
    async with victim.world.desk(life, seconds=victim.seconds, ledger_type=InlineLedger) as desk:
        with contextlib.suppress(ProcessDiedError):
            hurt.told = await driven(create(desk, victim.preview.create_order_arguments), life)
    return hurt


async def _cancel(hurt: Hurt, target: Target, victim: Victim) -> Hurt:
    """The client cancels or disconnects: the SDK cancels the scope that the call runs in."""
    with anyio.CancelScope() as scope:
        life = Life(_striking(hurt, target, scope.cancel))
        async with victim.world.desk(life, seconds=victim.seconds) as desk:
            hurt.told = await driven(create(desk, victim.preview.create_order_arguments), life)
    return hurt


async def _cut_off(hurt: Hurt, target: Target, victim: Victim) -> Hurt:
    """The task itself is cancelled, which no shield of anyio holds off: a server that is torn down."""
    calls: list[asyncio.Task[Told]] = []

    def strike() -> None:
        calls[0].cancel()

    life = Life(_striking(hurt, target, strike))
    async with victim.world.desk(life, seconds=victim.seconds, ledger_type=InlineLedger) as desk:

        async def call() -> Told:
            return await driven(create(desk, victim.preview.create_order_arguments), life)

        calls.append(asyncio.create_task(call()))
        await asyncio.wait(calls)
        if not calls[0].cancelled():
            hurt.told = calls[0].result()
    return hurt


async def _stall(hurt: Hurt, target: Target, victim: Victim) -> Hurt:
    """A laptop that sleeps, a process that is stopped: it goes on when others have long given it up."""

    class Stalling(Life):
        async def step(self, name: str) -> None:
            await super().step(name)
            if name == target.phase:
                hurt.where = name
                await victim.meanwhile()

    async with victim.world.desk(Stalling(), seconds=victim.seconds) as desk:
        hurt.told = await create(desk, victim.preview.create_order_arguments)
    return hurt


def _striking(hurt: Hurt, target: Target, strike: Callable[[], object]) -> Fate:
    """A fate that strikes once; moments of a worker thread strike by way of the loop."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()

    def fate(moment: Moment) -> None:
        if not target.is_now(moment):
            return
        hurt.where = str(moment)
        if threading.get_ident() == thread:
            strike()
        else:
            loop.call_soon_threadsafe(strike)

    return fate
