"""One upstream, one ledger file and one clock; desks come and go over them, as processes do."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.house import ADDRESS, MUG, MUG_SPEC
from harness.seams import SteppedLedger, SteppedUpstream
from harness.settings import environ_of, live, load_settings
from torture.mortal import Life, MortalLedger, MortalPostgresLedger, MortalTransport, closing
from xportcn_server.parts import Seams, policy_of, upstream_of
from xportcn_server.sandbox.access import SANDBOX_BASE_URL
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.faults import Fault, FaultPlan
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.policy import LOCAL_CALLER
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.results import CreateOrderArguments, PreviewResult, ProblemError

PATIENT = 20.0  # seconds for a whole call, as the product's default is
HASTY = 0.05  # where a fault never answers; the lease is longer all the same
HASTY_OVER_A_PORT = 1.0  # where another process has to load and connect first
REQUEST = OrderRequest("", (Item(MUG, 2, MUG_SPEC),), Address(**ADDRESS), flow="general")
NO_WAIT = Pace(slow_seconds=0.002, drip_seconds=60)


def rechecking(ledger: Path, base_url: str = SANDBOX_BASE_URL) -> dict[str, str]:
    """The environment of a server that takes the sandbox for the real upstream and rechecks every order."""
    return environ_of(**live(base_url, LEDGER=str(ledger), RECHECK_AFTER_SECONDS="0"))


@dataclass(frozen=True)
class Told:
    """What a call of `create_order` answered."""

    code: str | None
    request_sent: str
    state: str | None
    order_ids: tuple[str, ...]
    replayed: bool


class Arrivals(FaultPlan):
    """Counts the creates whose request arrived, whether the upstream goes on to read it or not."""

    def __init__(self) -> None:
        super().__init__()
        self.creates = 0

    def next(self, endpoint: Operation) -> Fault | None:
        fault = super().next(endpoint)
        if endpoint == "create" and not (fault and fault.name == "not-connectable"):
            self.creates += 1
        return fault


@dataclass(frozen=True)
class Facts:
    """Both sides, and the trail, at one moment. `arrived` of all creates, `creates` were read to their end."""

    arrived: int
    creates: int
    order_ids: list[tuple[str, ...]]
    strays: int
    row: OrderRecord | None
    trail: list[TrailRow]


class World:
    """The clock stands still unless `pass_time` moves it. `url`: an empty PostgreSQL instead of a file."""

    def __init__(self, folder: Path, now: datetime | None = None, url: str | None = None) -> None:
        self.url = url
        self.now = self.began = now or datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self.ledger_path = folder / "ledger.sqlite3"
        self.arrivals = Arrivals()
        self.sandbox: Sandbox = build_sandbox(clock=self.clock, pace=NO_WAIT, faults=self.arrivals)

    def clock(self) -> datetime:
        return self.now

    def ledger(
        self, life: Life, file_type: type[MortalLedger] = MortalLedger
    ) -> MortalLedger | MortalPostgresLedger:
        return self._ledger(life, file_type, self.clock)

    def _ledger(
        self, life: Life, file_type: type[MortalLedger], clock: Callable[[], datetime]
    ) -> MortalLedger | MortalPostgresLedger:
        if self.url:
            return MortalPostgresLedger(self.url, life, clock=clock)
        return file_type(self.ledger_path, life, clock=clock)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @asynccontextmanager
    async def desk(
        self,
        life: Life | None = None,
        *,
        seconds: float = PATIENT,
        ledger_type: type[MortalLedger] = MortalLedger,
    ) -> AsyncGenerator[Desk]:
        """A desk as `app.build_server` makes it, with a life of its own."""
        life = life or Life()
        settings = load_settings(rechecking(self.ledger_path), self.ledger_path.parent)
        # Shorter than a person may set it: a fault that never answers takes that long in every run.
        settings = settings.model_copy(update={"timeout_seconds": seconds})
        seams = Seams(
            clock=self.clock,
            new_transport=lambda: MortalTransport(SandboxTransport(self.sandbox), life),
        )
        upstream = upstream_of(settings, seams)
        async with closing(self.ledger(life, ledger_type)) as ledger:
            watched = SteppedUpstream(upstream, life.step)
            yield Desk(watched, SteppedLedger(ledger, life.step), policy_of(settings), clock=self.clock)
            await upstream.aclose()

    async def preview(self) -> PreviewResult:
        async with self.desk() as desk:
            return await desk.preview(REQUEST, LOCAL_CALLER)

    async def repeat(self, preview: PreviewResult, seconds: float = PATIENT) -> Told:
        """The call by a process of its own, which nothing befalls but what the upstream does."""
        async with self.desk(seconds=seconds) as desk:
            return await create(desk, preview.create_order_arguments)

    async def facts(self, preview: PreviewResult) -> Facts:
        """`strays`: creates and orders upstream that are not this preview's."""
        books, reference = self.sandbox.books, preview.out_order_id
        # Every read gives up attempts beyond their lease: not this one, by whose clock no lease has ended.
        async with closing(self._ledger(Life(), MortalLedger, lambda: self.began)) as ledger:
            rows = await ledger.orders(OrderQuery(None))
            trail = await ledger.trail()
        orders = books.orders_of(reference)
        return Facts(
            arrived=self.arrivals.creates,
            creates=books.creates_of[reference],
            order_ids=[order.order_ids for order in orders],
            strays=books.received["create"] - books.creates_of[reference] + len(books.orders) - len(orders),
            row=next((row for row in rows if row.out_order_id == reference), None),
            trail=trail,
        )


async def create(desk: Desk, arguments: CreateOrderArguments) -> Told:
    """The call of `create_order`, by a client that cannot ask."""
    call = CreateCall(
        arguments.preview_token,
        arguments.expected_total,
        arguments.ship_to,
        arguments.goods,
        LOCAL_CALLER,
        desk.now(),
    )
    try:
        order = await desk.create(call, "cannot_ask")
    except ProblemError as error:
        order, problem = error.order, error.problem
        ids, state = (order.order_ids, order.state) if order else ([], None)
        replayed = order.replayed if order else False
        return Told(problem.code, problem.request_sent, state, tuple(ids), replayed)
    return Told(None, "yes", order.state, tuple(order.order_ids), order.replayed)
