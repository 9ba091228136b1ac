"""What tests of the whole server share: settings, servers in process, clients of both eras, calls."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.server import MCPServer
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from harness.seams import Step, SteppedLedger, SteppedUpstream
from harness.settings import settings_for
from xportcn_server.app import build_server
from xportcn_server.parts import Seams, ledger_of, upstream_of
from xportcn_server.sandbox.catalogue import CATALOGUE
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.clock import utc_now
from xportcn_tools.ledger.ledger import Realm
from xportcn_tools.ledger.sqlite import SqliteLedger

Era = Literal["legacy", "auto"]
ERAS: tuple[Era, ...] = ("legacy", "auto")

MUG = "610947572360"
MUG_SPEC = "b266e0726506185beaf205cbae88530d"
ADDRESS: dict[str, str] = {
    "full_name": "王小明",
    "mobile": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "address": "网商路699号",
}


def address_of(number: int) -> dict[str, str]:
    """Another place and another person for each number below 10^8: what goes there is nobody's twin."""
    return ADDRESS | {"address": f"网商路{number}号", "mobile": f"139{number:08}"}


def order_arguments(quantity: int = 2, **changes: Any) -> dict[str, Any]:
    """Arguments of `preview_order` that the sandbox can fulfil."""
    items = [{"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": quantity}]
    return {"items": items, "address": dict(ADDRESS), "flow": "general"} | changes


def fifty_lines() -> list[dict[str, Any]]:
    """Of one seller, those with the longest titles first."""
    offers = [
        offer
        for offer in CATALOGUE.values()
        if offer.seller.open_id == "BBBsandboxYiwuHousehold01"
        and offer.offer_id in (664417205538, 676005531127)
    ]
    specs = [(offer.offer_id, sku.spec_id) for offer in offers for sku in offer.skus]
    return [
        {
            "offer_id": str(specs[number % len(specs)][0]),
            "spec_id": specs[number % len(specs)][1],
            "quantity": 2,
        }
        for number in range(50)
    ]


class Person:
    """Answers the approval form, and remembers what it was asked."""

    def __init__(
        self, action: Literal["accept", "decline", "cancel"] = "accept", approve: object = True
    ) -> None:
        self.action: Literal["accept", "decline", "cancel"] = action
        self.approve = approve
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        self.asked.append(params.message)
        content: dict[str, Any] | None = {"approve": self.approve} if self.action == "accept" else None
        return ElicitResult(action=self.action, content=content)


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def call(client: Client, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The envelope of a call; `isError` is always `not ok`."""
    result = await client.call_tool(tool, dict(arguments or {}))
    assert isinstance(result, CallToolResult)
    envelope = result.structured_content
    assert envelope is not None, text_of(result)
    assert bool(result.is_error) is not envelope["ok"]
    assert text_of(result)
    assert ". " not in (envelope["problem"] or {"next_step": ""})["next_step"], "it is one sentence"
    return envelope


async def previewed(client: Client, **changes: Any) -> dict[str, Any]:
    """A preview that has a token."""
    envelope = await call(client, "preview_order", order_arguments(**changes))
    assert envelope["ok"], envelope["problem"]
    return envelope["preview"]


def said(envelope: dict[str, Any]) -> tuple[str, ...]:
    """A create's answer in short: its problem's code, or `placed` and the ids."""
    if envelope["problem"]:
        return (envelope["problem"]["code"],)
    return (envelope["order"]["state"], *envelope["order"]["order_ids"])


async def at_once(client: Client, calls: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What each of these creates said, all being under way together."""
    answers: list[tuple[str, ...]] = []

    async def one(arguments: dict[str, Any]) -> None:
        answers.append(said(await call(client, "create_order", arguments)))

    async with anyio.create_task_group() as tasks:
        for arguments in calls:
            tasks.start_soon(one, arguments)
    return answers


class House:
    """One sandbox and one ledger file, and servers over them that can be restarted."""

    def __init__(self, folder: Path, sandbox: Sandbox | None = None, /, **changes: str) -> None:
        self.ledger = folder / "ledger.sqlite3"
        self.sandbox = sandbox or build_sandbox()
        self.changes = changes

    def server(self, **seams: Any) -> MCPServer[Any]:
        """`seams` as in `Seams`, and `step`, which is told each moment of a create."""
        settings = settings_for(self.ledger, **self.changes)
        outside: dict[str, Any] = {"sandbox": self.sandbox} | seams
        step: Step | None = outside.pop("step", None)
        if step:
            ledger = outside.get("ledger") or ledger_of(settings, outside.get("clock"))
            outside["ledger"] = SteppedLedger(ledger, step)
            outside["upstream"] = SteppedUpstream(upstream_of(settings, Seams(**outside)), step)
        return build_server(settings, Seams(**outside))

    @asynccontextmanager
    async def client(
        self, era: Era = "auto", person: Person | None = None, **seams: Any
    ) -> AsyncGenerator[Client]:
        """A client of a server of its own; without a person, one that cannot ask."""
        async with Client(
            self.server(**seams), mode=era, elicitation_callback=person, read_timeout_seconds=30
        ) as client:
            yield client

    def opened(
        self, realm: Realm = "sandbox", clock: Callable[[], datetime] = utc_now
    ) -> aclosing[SqliteLedger]:
        """The ledger as another process has it."""
        return aclosing(SqliteLedger(self.ledger, realm, clock=clock))

    async def trail(self) -> list[tuple[str, dict[str, Any]]]:
        """Each row's event and body."""
        async with self.opened() as ledger:
            return [(row.event, json.loads(row.body)) for row in await ledger.trail()]

    async def events(self) -> list[str]:
        return [event for event, _ in await self.trail()]

    @property
    def creates(self) -> int:
        """How many creates reached the upstream."""
        return self.sandbox.books.received["create"]

    @property
    def order_ids(self) -> list[str]:
        """What the upstream's own books hold."""
        return [order_id for order in self.sandbox.books.orders for order_id in order.order_ids]
