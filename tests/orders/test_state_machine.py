"""Anything in any order, against the real SQLite ledger and the sandbox: a random walk and a small model.

The model knows nothing of how the desk works. It knows what was shown and agreed to, what the upstream's
own books hold, and which outcomes were told; after every step the ledger must be true of all three.
"""

import asyncio
import itertools
import os
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import stamina
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from harness.house import ADDRESS, MUG, MUG_SPEC, address_of
from harness.postgres_server import PostgresServer
from harness.seams import SteppedLedger
from harness.trail_check import first_break
from harness.transports import OnlyOption
from ledger.suite.stores import preview_of, stored
from orders.fault_outcomes import CREATE, PREVIEW
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.policy import LOCAL_CALLER, Answer, Policy
from xportcn_tools.desk.quote import PinRules
from xportcn_tools.ledger.ledger import (
    Claimed,
    DayUsage,
    Ledger,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    State,
)
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.results import OrderResult, PreviewResult, ProblemError
from xportcn_tools.upstream import client as upstream_client
from xportcn_tools.upstream.signing import Signer

T = TypeVar("T")

TIMEOUT_SECONDS = 0.1  # what hangs hangs this long; a slow machine only gets more unknowns, which are true
TTL = timedelta(seconds=600)
CAPS = Caps(order_fen=110_00, day_fen=250_00, day_orders=3)
STEPS = ("claim", "send", "record", "recorded")
EDGES: set[tuple[str, State]] = {
    ("[*]", "sending"),
    ("sending", "placed"),
    ("sending", "rejected"),
    ("sending", "unknown"),
    ("unknown", "placed"),
    ("unknown", "rejected"),
    ("unknown", "absent"),
}
AT_ONCE = {("[*]", now) for was, now in EDGES if was == "sending"}  # where a step of the walk sees both
PAGE = Path(__file__).parents[2] / "docs" / "states.md"
SEEDS = int(os.environ.get("XPORTCN_TEST_WALK_SEEDS", "10"))
OUTCOMES: tuple[State, ...] = ("placed", "rejected", "unknown")
MET: Counter[str] = Counter()


def evenly(options: Sequence[T]) -> st.SearchStrategy[T]:
    """One of them, each as likely as the next: Hypothesis itself stays with what it has tried."""
    return st.integers(0, 2**20).map(lambda number: random.Random(number).choice(options))


_OF_STATE: dict[str | None, list[str | None]] = {
    state: [name for name, end in CREATE.items() if end.state == state] for state in OUTCOMES
}
CREATE_FAULTS = evenly([None, *OUTCOMES]).flatmap(lambda state: evenly(_OF_STATE.get(state, [None])))
PREVIEW_FAULTS = evenly([*[None] * len(PREVIEW), *PREVIEW])
TOKENS = st.integers(0, 2**20)
NAMES = evenly([None, None, None, "PO-0001", "po-0001", "PO-0002"])
# Two destinations, each named in several ways: one by its place, one by its mobile.
PLACES: tuple[tuple[int, dict[str, str]], ...] = (
    (1, ADDRESS),
    (1, ADDRESS | {"address": "浙江省杭州市网商路６９９號", "mobile": "13900000001"}),
    (1, ADDRESS | {"area": "滨江区", "town": "长河街道", "mobile": "13900000002"}),
    (2, address_of(7)),
    (2, address_of(7) | {"city": "宁波市", "address": "中山路2号", "mobile": "+8613900000007"}),
)


class DiedError(BaseException):
    """The process ends here, as far as this call is concerned."""


Told = tuple[str, list[str]]
Result = OrderResult | ProblemError | DiedError


@dataclass
class Shown:
    """What the model knows of a token."""

    preview: PreviewResult
    expires_at: datetime
    alike: tuple[int, int]  # quantity and destination: what makes two orders twins
    placed: frozenset[str]  # orders that were placed when it was made
    agreed: bool = False
    told: Told | None = None
    sent: bool = False  # a create of it has reached the upstream, whatever the ledger remembers
    void: bool = False  # the ledger was put back since, and had gone on


class Walk(RuleBasedStateMachine):
    """What is drawn depends on nothing that has happened: Hypothesis goes a way twice, and a slow machine, which
    has other outcomes then, must not lead it to other draws. So a token is drawn as a number (`_create`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.now = datetime(2026, 11, 21, 23, 50, tzinfo=UTC)
        self.sandbox: Sandbox = build_sandbox(clock=lambda: self.now, pace=Pace(0.001, 60))
        self.upstream = upstream_client.UpstreamClient(
            upstream_client.Endpoint(SANDBOX_BASE_URL, TIMEOUT_SECONDS),
            Signer(SANDBOX_CREDENTIALS),
            new_transport=lambda: OnlyOption(self.sandbox, MUG_SPEC),
            clock=lambda: self.now,
        )
        self.shown: dict[str, Shown] = {}
        self.states: dict[str, str] = {}
        self.kinds: dict[str, tuple[int, int]] = {}
        self.dies_at: str | None = None
        self.lost: set[str] = set()  # numbers whose create the upstream has read, and that the ledger lost

    @initialize(approval=evenly(["ask", "require", "off"]))
    def start(self, approval: Any) -> None:
        # Rechecked always: so no order may ever have other terms than those shown.
        pin = PinRules(("assureTrade",), trade_types_set=False)
        self.policy = Policy("sandbox", CAPS, pin, approval=approval, recheck_after=0, call_timeout=20)
        self.desk, self.ledger = self._open()

    def _ledger(self) -> Ledger:
        """The same store at each call: what one has written, the next one finds."""
        return SqliteLedger(self.folder / "ledger.sqlite3", "sandbox", clock=lambda: self.now)

    def _open(self) -> tuple[Desk, Ledger]:
        ledger = self._ledger()
        stepped = SteppedLedger(ledger, self._step)
        return Desk(self.upstream, stepped, self.policy, clock=lambda: self.now), ledger

    async def _step(self, name: str) -> None:
        if name == self.dies_at:
            raise DiedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    # What happens

    @rule(quantity=st.integers(2, 4), place=evenly(PLACES), named=NAMES, fault=PREVIEW_FAULTS)
    def preview(
        self, quantity: int, place: tuple[int, dict[str, str]], named: str | None, fault: str | None
    ) -> None:
        """One in three without a spec, as where the product could not be read; the upstream takes the one that
        there is.
        """
        self._plan(fault, "preview")
        if named and named.lower() in {name.lower() for name in self.lost}:
            named = None  # the upstream has read this number, and the ledger does not know it
        destination, address = place
        spec_id = None if len(self.shown) % 3 == 2 else MUG_SPEC
        request = OrderRequest(named or "", (Item(MUG, quantity, spec_id),), Address(**address), "general")
        shown = self.run(_caught(lambda: self.desk.preview(request, LOCAL_CALLER)))
        if isinstance(shown, PreviewResult):
            self._show(shown, (quantity, destination))
            return
        assert isinstance(shown, ProblemError)
        assert shown.problem.request_sent == "no"
        MET[f"preview: {shown.problem.code}"] += 1

    def _show(self, preview: PreviewResult, alike: tuple[int, int]) -> None:
        placed = frozenset(name for name, order in self._orders().items() if order.state == "placed")
        self.shown[preview.preview_token] = Shown(preview, self.now + TTL, alike, placed)

    @rule(token=TOKENS, fault=CREATE_FAULTS, callers=evenly([1, 1, 6]))
    def create(self, token: int, fault: str | None, callers: int) -> None:
        self._plan(fault, "create")
        self._create(token, callers=callers)

    @rule(
        token=TOKENS,
        answer=evenly(["no", "cannot_ask", "unanswered", "cancelled"]),
        fault=PREVIEW_FAULTS,
    )
    def create_without_a_yes(self, token: int, answer: Answer, fault: str | None) -> None:
        """And with a recheck that may fail."""
        self._plan(fault, "preview")
        self._create(token, answer=answer, callers=2)

    @rule(token=TOKENS, echo=evenly(["total", "ship_to"]))
    def create_with_a_wrong_echo(self, token: int, echo: str) -> None:
        self._create(token, echo)

    @rule(token=TOKENS, dies_at=evenly(STEPS))
    def create_and_die(self, token: int, dies_at: str) -> None:
        self.dies_at = dies_at
        self._create(token)
        self.dies_at = None
        self.restart()

    @rule()
    def restart(self) -> None:
        self.run(self.ledger.aclose())
        self.desk, self.ledger = self._open()

    @rule(seconds=evenly([5, 36, 36, 36, 601, 86_400, -3600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(fen=evenly([2900, 2500, 2901]))
    def the_price_drifts(self, fen: int) -> None:
        offer = self.sandbox.catalogue[int(MUG)]
        skus = tuple(replace(sku, price_fen=fen) for sku in offer.skus)
        self.sandbox.catalogue[int(MUG)] = replace(offer, skus=skus)

    @rule()
    def a_person_resolves_what_is_unknown(self) -> None:
        """The operator looks into the upstream's books, and says what stands there."""
        for order in self.run(self.ledger.orders(OrderQuery(None, states=("unknown",)))):
            ids = self._ids_upstream(order)
            outcome = Outcome("placed", "yes", ids) if ids else Outcome("absent", order.request_sent)
            resolved = self.run(self.ledger.resolve(order.order_key, outcome, "resolved"))
            assert resolved
            assert resolved.state == outcome.state

    def _plan(self, fault: str | None, endpoint: Operation) -> None:
        self.sandbox.faults.clear()
        if fault:
            self.sandbox.faults.add(fault, endpoint)

    def _create(self, number: int, echo: str = "right", answer: Answer = "yes", *, callers: int = 1) -> None:
        if not self.shown:
            return
        token, shown = list(self.shown.items())[number % len(self.shown)]
        arguments = shown.preview.create_order_arguments
        total = "0.01" if echo == "total" else arguments.expected_total
        ship_to = "elsewhere" if echo == "ship_to" else arguments.ship_to
        call = CreateCall(token, total, ship_to, arguments.goods, LOCAL_CALLER, self.now)
        before, read = self._orders(), self.sandbox.books.received["create"]
        rule = self.policy.approval
        yes = rule == "off" or answer == "yes" or (rule == "ask" and answer == "cannot_ask")
        shown.agreed = yes and echo == "right" and self.now < shown.expires_at
        results = self.run(_gather([lambda: self.desk.create(call, answer)] * callers))
        sent = self.sandbox.books.received["create"] - read
        assert sent <= int(not (shown.sent or shown.void))
        shown.sent = shown.sent or bool(sent)
        if shown.void:
            MET["void"] += 1
        new = self._orders().keys() - before.keys()
        assert not new or (shown.agreed and new == {shown.preview.out_order_id})
        if new:
            self._has_no_twin(shown, before)
        told = shown.told
        fresh = [found for result in results if (found := self._judge(shown, told, result))]
        for preview in fresh:
            self._show(preview, shown.alike)

    def _has_no_twin(self, shown: Shown, before: dict[str, OrderRecord]) -> None:
        """No order like it was open, and each that was placed stood there when its preview was made."""
        for name, order in before.items():
            if self.kinds[name] == shown.alike:
                MET[f"twin {order.state}"] += 1
                assert order.state in ("rejected", "absent") or name in shown.placed
        self.kinds[shown.preview.out_order_id] = shown.alike

    def _judge(self, shown: Shown, told: Told | None, result: Result) -> PreviewResult | None:
        """A result is true of the ledger, and once an outcome was told, nothing else is told ever after."""
        if isinstance(result, DiedError):
            MET["died"] += 1
            return None
        order = result if isinstance(result, OrderResult) else result.order
        if isinstance(result, ProblemError):
            MET[result.problem.code] += 1
            changes = (result.problem.details or {}).get("changes", [])
            if any(change["what"] == "identical order" for change in changes):
                MET["an identical order"] += 1
            if order is None:
                assert told is None
                assert result.problem.request_sent == "no"
                return result.problem.preview
        assert order
        record = self._orders()[order.out_order_id]
        if order.state != "sending":  # another caller may have ended it since
            assert (order.state, order.order_ids) == (record.state, list(record.order_ids))
        if told and told[0] not in ("sending", "unknown"):
            assert (order.state, order.order_ids) == told
        shown.told = (record.state, list(record.order_ids))
        return None

    # What must be true after every step

    def _orders(self) -> dict[str, OrderRecord]:
        found = self.run(self.ledger.orders(OrderQuery(None)))
        return {order.out_order_id: order for order in found}

    def _ids_upstream(self, order: OrderRecord) -> tuple[str, ...]:
        return tuple(
            order_id
            for made in self.sandbox.books.orders_of(order.out_order_id)
            for order_id in made.order_ids
        )

    @invariant()
    def count(self) -> None:
        MET["steps"] += 1

    @invariant()
    def every_statement_is_true(self) -> None:
        if not hasattr(self, "desk"):
            return
        orders, books = self._orders(), self.sandbox.books
        assert all(count == 1 for count in books.creates_of.values())
        assert {made.out_order_id for made in books.orders} <= orders.keys() | self.lost
        for name, order in orders.items():
            was = self.states.get(name, "[*]")
            assert was == order.state or (was, order.state) in EDGES | AT_ONCE
            self.states[name] = order.state
            MET[order.state] += 1
            ids = self._ids_upstream(order)
            assert order.state != "placed" or order.order_ids == ids
            assert order.state not in ("rejected", "absent") or not ids
            for made in books.orders_of(name):
                assert made.payable_fen == order.payable_fen  # what was shown is what was ordered

    @invariant()
    def no_cap_is_passed(self) -> None:
        if not hasattr(self, "desk"):
            return
        counting = [order for order in self._orders().values() if order.state not in ("rejected", "absent")]
        assert all(order.payable_fen <= CAPS.order_fen for order in counting)
        for day in {order.day for order in counting}:
            fens = [order.payable_fen for order in counting if order.day == day]
            assert sum(fens) <= CAPS.day_fen
            assert len(fens) <= CAPS.day_orders

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.now += timedelta(days=2)
            self.run(self.ledger.orders(OrderQuery(None)))
            assert all(order.state != "sending" for order in self._orders().values())
            assert first_break(self.run(self.ledger.trail())) is None
            self.run(self.ledger.aclose())
        self.run(self.upstream.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)


class FileWalk(Walk):
    """With a ledger that somebody copies, and puts back from the copy within the life of its tokens."""

    copied = 0  # rows of the trail in the backup

    @rule()
    def back_up(self) -> None:
        self.copied = len(self._events())
        self.run(self.ledger.aclose())  # a whole copy: the log has gone into the file
        shutil.copyfile(self.folder / "ledger.sqlite3", self.folder / "backup")
        self.restart()

    @rule()
    def put_back(self) -> None:
        backup = self.folder / "backup"
        if not backup.exists():
            return
        had_gone_on = len(self._events()) > self.copied
        self.run(self.ledger.aclose())
        shutil.copyfile(backup, self.folder / "ledger.sqlite3")
        self.restart()
        assert self._events()[self.copied :] == ["restored"] * had_gone_on
        MET["put back" if had_gone_on else "put back without a loss"] += 1
        orders = self._orders()
        self.states = {name: order.state for name, order in orders.items()}
        self.lost |= self.sandbox.books.creates_of.keys() - orders.keys()
        for shown in self.shown.values():
            shown.told = None
            shown.void = shown.void or had_gone_on

    def _events(self) -> list[str]:
        return [row.event for row in self.run(self.ledger.trail())]


async def _gather(works: list[Callable[[], Awaitable[OrderResult]]]) -> list[Result]:
    return await asyncio.gather(*(_caught(work) for work in works))


async def _caught(work: Callable[[], Awaitable[T]]) -> T | ProblemError | DiedError:
    try:
        return await work()
    except (ProblemError, DiedError) as error:
        return error


def test_whatever_happens_in_whatever_order_the_ledger_is_true_and_nothing_is_ordered_twice() -> None:
    """Several seeds: each alone tends to stay in one corner."""
    hard = {"placed", "rejected", "unknown", "absent", "sending", "died"}
    hard |= {"outcome_unknown", "earlier_order_unknown", "over_limit", "terms_changed", "token_expired"}
    hard |= {"twin placed", "an identical order", "order_in_progress"}
    hard |= {"duplicate_reference", "approval_declined", "approval_required", "echo_mismatch"}
    walk(Walk, SEEDS, 12, hard)


def test_the_same_holds_where_the_ledger_is_put_back_from_a_backup_in_between() -> None:
    hard = {"placed", "rejected", "unknown", "sending", "died", "token_expired", "twin placed"}
    walk(FileWalk, 3, 12, hard | {"put back", "put back without a loss", "void"})


@pytest.fixture
def steps() -> Iterator[FileWalk]:
    """The walk, for steps that it rarely takes in this order."""
    with stamina.set_testing(True, attempts=3):
        walk = FileWalk()
        walk.start("off")
        yield walk
        walk.every_statement_is_true()
        walk.teardown()


def test_a_restored_ledger_that_is_copied_and_put_back_keeps_its_tokens_good(steps: FileWalk) -> None:
    steps.back_up()
    _previewed_and_created(steps)
    steps.put_back()
    steps.preview(2, PLACES[0], None, None)
    steps.back_up()
    steps.put_back()
    steps.create(-1, None, 1)
    assert [shown.sent for shown in steps.shown.values()] == [True, True]


def test_a_number_that_the_upstream_has_refused_and_the_ledger_has_lost_is_not_taken_again(
    steps: FileWalk,
) -> None:
    steps.back_up()
    _previewed_and_created(steps, "PO-0001", "refusal")
    steps.put_back()
    _previewed_and_created(steps, "po-0001")
    assert [shown.sent for shown in steps.shown.values()] == [True, True]


def _previewed_and_created(steps: FileWalk, named: str | None = None, fault: str | None = None) -> None:
    steps.preview(2, PLACES[0], named, None)
    steps.create(-1, fault, 1)


def test_the_same_holds_with_the_ledger_in_postgresql(postgres: PostgresServer) -> None:
    class PostgresWalk(Walk):
        def __init__(self) -> None:
            super().__init__()
            self.url = postgres.new_database()

        def _ledger(self) -> Ledger:
            return PostgresLedger(self.url, "sandbox", clock=lambda: self.now)

    walk(PostgresWalk, 6, 4, {"placed", "rejected", "unknown", "sending", "died", "outcome_unknown"})


def walk(machine: type[Walk], seeds: int, examples: int, hard: set[str]) -> None:
    """So many seeds, and more until the walks have come to all the hard places: else they prove nothing.

    On a busy machine more calls run out of time, and fewer of a seed's walks get there.
    """
    MET.clear()
    walks = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    with stamina.set_testing(True, attempts=3):
        for number in range(4 * seeds):
            if number >= seeds and hard <= MET.keys():
                break
            run_state_machine_as_test(seed(number)(machine), settings=walks)
    assert hard <= MET.keys(), hard - MET.keys()


OPERATIONS: tuple[tuple[str, State], ...] = (
    *(("record", state) for state in OUTCOMES),
    *(("resolve", state) for state in ("placed", "absent")),
    ("settle", "unknown"),
)
WAYS: dict[State, list[tuple[str, State]]] = {
    "sending": [],
    **{state: [("record", state)] for state in OUTCOMES},
    "absent": [("record", "unknown"), ("resolve", "absent")],
}


def no_rule(used: DayUsage) -> str | None:
    return None


async def _claimed(ledger: Ledger, name: str, now: datetime) -> OrderRecord:
    preview = preview_of(name, now=now)
    await stored(ledger, preview)
    claim = await ledger.claim(NewOrder(name, preview, "off", approval_verified=False), 35, no_rule)
    assert isinstance(claim, Claimed)
    return claim.order


@pytest.mark.anyio
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_the_ledger_lets_an_order_go_along_these_edges_and_no_other(
    tmp_path: Path, request: pytest.FixtureRequest, store: str
) -> None:
    now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    ledger: Ledger = SqliteLedger(tmp_path / "ledger.sqlite3", "sandbox", clock=lambda: now)
    if store == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        ledger = PostgresLedger(postgres.new_database(), "sandbox", clock=lambda: now)
    met: set[tuple[str, State]] = set()
    for before, last in itertools.product(WAYS, OPERATIONS):
        order = await _claimed(ledger, f"{before}-{last[0]}-{last[1]}", now)
        was: State = order.state
        met.add(("[*]", was))
        for operation, state in [*WAYS[before], last]:
            outcome = Outcome(state, "yes")
            if operation == "record":
                await ledger.record(order.order_key, outcome)
            elif operation == "resolve":
                await ledger.resolve(order.order_key, outcome, "resolved")
            else:
                now += timedelta(seconds=36)
                await ledger.orders(OrderQuery(None))
            (after,) = await ledger.orders(OrderQuery(None, reference=order.out_order_id))
            met |= {(was, after.state)} if was != after.state else set()
            was = after.state
    await ledger.aclose()
    assert met == EDGES


def test_the_page_of_states_draws_every_edge_and_gives_its_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")
    drawn = re.findall(r"^    (\S+) --> (\w+)$", page, re.MULTILINE)
    reasons = re.findall(r"^- \*\*(\S+) → (\w+)\*\*: \S.*\.$", page, re.MULTILINE)
    ends = {state for _, state in EDGES} - {was for was, _ in EDGES}
    assert sorted(drawn) == sorted(EDGES)
    assert sorted(reasons) == sorted(EDGES)
    assert re.findall(r"^    (\w+) --> \[\*\]$", page, re.MULTILINE) == sorted(ends)
