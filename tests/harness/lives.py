"""Random lives of orders, over a real ledger and the sandbox: what a shop's month leaves in both."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from harness.clock import Clock
from harness.house import ADDRESS
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.operator import Operator
from xportcn_tools.desk.policy import LookupPaths, Policy
from xportcn_tools.desk.quote import PinRules
from xportcn_tools.goods.reader import GoodsPaths, ProductReader
from xportcn_tools.ledger.ledger import OrderQuery
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.results import OrderResult, PreviewResult, ProblemError
from xportcn_tools.upstream.client import Endpoint, UpstreamClient
from xportcn_tools.upstream.signing import Signer

CREATE_FAULTS = {
    "split": "split",
    "refused": "refusal",
    "refused key": "signature-refused",
    "never sent": "not-connectable",
    "unknown, found by a look-up": "reset-after-order",
    "unknown, found by a person": "cut-json",
    "unknown, a part": "ids-beside-failed-goods",
    "unknown, does not exist": "reset-before-order",
    "left open, exists": "no-ids",
    "left open, does not exist": "reset-before-order",
}
LIVES = (*["placed"] * 8, *CREATE_FAULTS, "repeated", "forgotten", "paused", "declined", "only previewed")

# Offers, specs, and least and most pieces of a line: one seller's, since an order has one.
SHELVES: tuple[tuple[tuple[str, str | None, int, int], ...], ...] = (
    (
        ("610947572360", "b266e0726506185beaf205cbae88530d", 2, 60),
        ("610947572360", "5f1d7a84b9e34c0a9d3c1e7f60b2a845", 2, 60),
        ("628913047512", "0c9d2f6e8b7a41539e2c5d1f4a6b8703", 3, 40),
        ("655830126694", "3a84c6d20f9b4e17b5e8d7a1c2f06943", 1, 90),
    ),
    (
        ("7043215678901", "9b2e4d7c1a5f48e0b3c6f8d2071e9a54", 2, 7),
        ("698450213377", "6d0f8e2b4c7a4913a5d1e9b3f8c20647", 10, 90),
        ("7105589340126", None, 5, 40),
    ),
)
NUMBERS = ("", "000123", "12e5", "1-2", "SKU 7", "=1+1", "货号8", "00000000000000000042")
PLENTY = Caps(10**9, 10**12, 10**6)


@dataclass
class Lives:
    """A ledger and a sandbox, and which life each order number has had."""

    path: Path
    seed: int
    apart_seconds: float = 60.0
    clock: Clock = field(default_factory=Clock)
    of: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.sandbox: Sandbox = build_sandbox(clock=self.clock)
        self.ledger = SqliteLedger(self.path, "sandbox", clock=self.clock)
        upstream = UpstreamClient(
            Endpoint(SANDBOX_BASE_URL, 20),
            Signer(SANDBOX_CREDENTIALS),
            new_transport=lambda: SandboxTransport(self.sandbox),
            clock=self.clock,
        )
        paths = LookupPaths("/alibaba/ka/order/detail", "/alibaba/ka/order/page")
        pins = PinRules(("assureTrade", "fxassure", "alipay"), trade_types_set=False)
        policy = Policy("sandbox", PLENTY, pins, lookup=paths)
        goods = GoodsPaths("/alibaba/ka/product/detail/get", "/alibaba/ka/product/keywords/query", "en")
        products = ProductReader(upstream, goods, self.clock)
        self.desk = Desk(upstream, self.ledger, policy, clock=self.clock, products=products)
        self.operator = Operator(self.ledger)

    def run(self, count: int, lives: tuple[str, ...] = LIVES) -> Counter[str]:
        """So many lives one after the other; how many of each there were."""

        async def all_of_them() -> None:
            await self.ledger.open()
            try:
                for number in range(count):
                    await self._live(number, self.draw.choice(lives))
                    self.clock.advance(self.apart_seconds)
            finally:
                await self.ledger.aclose()

        anyio.run(all_of_them)
        return Counter(self.of.values())

    async def _live(self, number: int, life: str) -> None:
        preview = await self.desk.preview(self._request(number), "local")
        name = preview.out_order_id
        self.of[name] = life
        fault = CREATE_FAULTS.get(life)
        if fault:
            self.sandbox.faults.add(fault, "create")
        if life == "paused":
            await self.operator.pause("stocktaking")
            await self._create(preview)
            await self.operator.resume()
        if life == "declined":
            await self._create(preview, "no")
        elif life != "only previewed":
            await self._create(preview)
        self.sandbox.faults.clear()
        if life == "repeated":
            await self._create(preview)
        if life == "unknown, found by a look-up":
            await self.desk.history.listed(OrderQuery("local", name))
        elif life.startswith("unknown"):
            ids = tuple(each for order in self.sandbox.books.orders_of(name) for each in order.order_ids)
            await self.operator.resolve(await self.operator.to_resolve(name, ids), ids)
        if life == "forgotten":
            await self.operator.forget(name)

    async def _create(self, preview: PreviewResult, answer: "str" = "yes") -> OrderResult | ProblemError:
        echo = preview.create_order_arguments
        call = CreateCall(
            echo.preview_token, echo.expected_total, echo.ship_to, echo.goods, "local", self.clock()
        )
        try:
            return await self.desk.create(call, "no" if answer == "no" else "yes")
        except ProblemError as problem:
            return problem

    def _request(self, number: int) -> OrderRequest:
        shelf = self.draw.choice(SHELVES)
        lines = self.draw.sample(shelf, self.draw.randint(1, len(shelf)))
        items = tuple(
            Item(offer, self.draw.randint(least, most), spec, product_no=self.draw.choice(NUMBERS) or None)
            for offer, spec, least, most in lines
        )
        address = Address(**ADDRESS | {"address": f"网商路{number}号", "mobile": f"139{number:08}"})
        return OrderRequest("", items, address, self.draw.choice(("general", "fenxiao")))
