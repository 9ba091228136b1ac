"""A run: a preview, calls that go well or ill, and the end, with a look at both sides after each."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from torture.injuries import Injury, Victim
from torture.verdict import Fault, Kind, faults_in, told_faults
from torture.world import HASTY, HASTY_OVER_A_PORT, PATIENT, Facts, Told, World
from xportcn_server.sandbox.faults import FAULTS
from xportcn_tools.results import PreviewResult

BEYOND_LEASE = 60.0


@dataclass
class Run:
    """One run's course and end, as the table and the tests want it. `name` makes it again."""

    name: str
    how: str = "unharmed"
    where: str | None = None
    upstream: str | None = None
    creates: int = 0
    state: str | None = None
    faults: list[Fault] = field(default_factory=list[Fault])


class Course:
    """The acts of a run, drawn from dice that its name has seeded."""

    preview: PreviewResult

    def __init__(self, name: str, folder: Path, url: str | None = None) -> None:
        self.run = Run(name)
        self.dice = random.Random(name)
        self.world = World(folder, url=url)
        self.seconds = PATIENT

    async def begin(self, *, faults: float, previews: bool = True, over_a_port: bool = False) -> None:
        """A preview in good weather, and faults, with that probability, for what follows."""
        self.preview = await self.world.preview()
        drawn: list[str] = []
        plan = self.world.sandbox.faults
        if self.dice.random() < faults:
            drawn.append(self._draw("create", over_a_port=over_a_port))
            plan.add(drawn[-1], "create")
        if previews and self.dice.random() < faults / 3:
            drawn.append(self._draw("preview", over_a_port=over_a_port))
            plan.add(drawn[-1], "preview", times=self.dice.choice((1, 3)))
        if drawn:
            self.run.upstream = ", ".join(drawn)
            self.seconds = HASTY_OVER_A_PORT if over_a_port else HASTY

    async def injured(self, injury: Injury) -> None:
        """A call to which something happens."""
        before = self.world.arrivals.creates
        hurt = await injury(Victim(self.world, self.preview, self.seconds, self._others))
        facts = await self._look(hurt.told, before)
        if hurt.where and self.run.where is None:
            self.run.how, self.run.where = hurt.how, hurt.where
        if hurt.how == "cancelled" and facts.row and facts.row.state == "sending":
            self.fault("sending", f"cancelled at {hurt.where}, the call lost its outcome")

    async def called(self) -> Told:
        """A call by a process that nothing befalls."""
        before = self.world.arrivals.creates
        told = await self.world.repeat(self.preview, self.seconds)
        await self._look(told, before)
        return told

    async def left_sending(self) -> bool:
        row = (await self.world.facts(self.preview)).row
        return row is not None and row.state == "sending"

    async def impatient(self) -> None:
        """While the lease of its sender runs, a repeat is told of the attempt and must not touch it."""
        self.world.pass_time(1)
        row = (await self.world.facts(self.preview)).row
        told = await self.called()
        if told.code != "order_in_progress" or (await self.world.facts(self.preview)).row != row:
            self.fault("untrue", f"within the lease of its sender, the repeat was told {told}")

    def beyond_lease(self) -> None:
        self.world.pass_time(BEYOND_LEASE)

    async def ended(self) -> Run:
        """The upstream is well and the lease over: the repeat must know, and its repeat say the same."""
        self.world.sandbox.faults.clear()
        self.beyond_lease()
        self.seconds = PATIENT
        told = await self.called()
        again = await self.called()
        if (again.code, again.state, again.order_ids) != (told.code, told.state, told.order_ids):
            self.fault("untrue", f"told {told}, then {again}")
        facts = await self.world.facts(self.preview)
        self._add(faults_in(facts))
        self.run.creates, self.run.state = facts.creates, facts.row.state if facts.row else None
        if self.run.where is None and self.run.upstream is None and self.run.state != "placed":
            self.fault("untrue", f"nothing was wrong, and yet it ended {self.run.state}")
        return self.run

    @property
    def creates(self) -> int:
        return self.world.sandbox.books.creates_of[self.preview.out_order_id]

    def fault(self, kind: Kind, text: str) -> None:
        self._add([Fault(kind, text)])

    async def _others(self) -> None:
        """What another process does while this one stalls: it waits for the lease, and repeats the call."""
        self.beyond_lease()
        await self.called()

    async def _look(self, told: Told | None, arrived_before: int) -> Facts:
        facts = await self.world.facts(self.preview)
        self._add(faults_in(facts, recovered=False))
        if told:
            self._add(told_faults(told, arrived_before, facts))
        return facts

    def _draw(self, endpoint: str, *, over_a_port: bool) -> str:
        names = [
            name
            for name, fault in sorted(FAULTS.items())
            if endpoint in fault.endpoints and not (over_a_port and fault.in_process_only)
        ]
        return self.dice.choice(names)

    def _add(self, found: list[Fault]) -> None:
        self.run.faults += [fault for fault in found if fault not in self.run.faults]
