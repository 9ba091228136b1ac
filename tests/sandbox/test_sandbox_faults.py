"""Every fault, in process and over a port: what the client sees, and what is true in the books."""

import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest

from harness.port_sandbox import running_sandbox
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.faults import FAULTS, FaultPlan
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SENT, SandboxTransport
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH
from xportcn_tools.upstream.signing import Signer

ORDER = {**VENDOR_EXAMPLE_REQUEST, "tradeType": "assureTrade", "outOrderId": "PO-0001"}
PATHS: dict[Operation, str] = {"create": CREATE_PATH, "preview": PREVIEW_PATH}

# What a create meets, in the words of `meet` below.
CREATE_MEETS = {
    "not-connectable": "ConnectError",
    "timeout-before-read": "silence",
    "reset-before-order": "ReadError",
    "reset-after-order": "ReadError",
    "hang-before-order": "silence",
    "hang": "silence",
    "slow": "200 code 200, 1 id",
    "drip": "silence",
    "http-500": "500 page",
    "http-500-envelope": "500 code 500, no ids",
    "http-502": "502 page",
    "http-502-envelope": "502 code 502, no ids",
    "http-503": "503 page",
    "http-503-envelope": "503 code 503, no ids",
    "http-429": "429 page",
    "http-429-envelope": "429 code 429, no ids",
    "redirect": "302 page",
    "html": "200 page",
    "cut-json": "200 unreadable",
    "too-large": "200 too large",
    "no-code": "200 code None, 1 id",
    "null-data": "200 code 200, no ids",
    "wrong-types": "200 code 200, wrong ids",
    "no-ids": "200 code 200, no ids",
    "ids-beside-failure": "200 code 200, 1 id, failed",
    "ids-beside-refusal": "200 code 500_004, 1 id",
    "ids-beside-failed-goods": "200 code 200, 1 id",
    "refusal": "200 code 500_004, no ids",
    "signature-refused": "200 code 401, no ids",
    "duplicate-refused": "200 code 409, no ids",
    "envelope-500": "200 code 500, no ids",
    "negative-code": "200 code -1, no ids",
    "split": "200 code 200, 2 ids",
}


pytestmark = pytest.mark.anyio


QUICK_OR_NEVER = Pace(slow_seconds=0.01, drip_seconds=60)


@asynccontextmanager
async def in_process(pace: Pace = QUICK_OR_NEVER) -> AsyncGenerator[tuple[Sandbox, httpx.AsyncClient]]:
    sandbox = build_sandbox(pace=pace)
    async with httpx.AsyncClient(transport=SandboxTransport(sandbox), base_url=SANDBOX_BASE_URL) as client:
        yield sandbox, client


@asynccontextmanager
async def over_a_port(pace: Pace = QUICK_OR_NEVER) -> AsyncGenerator[tuple[Sandbox, httpx.AsyncClient]]:
    async with (
        running_sandbox(build_sandbox(pace=pace)) as (sandbox, base_url),
        httpx.AsyncClient(base_url=base_url, trust_env=False) as client,
    ):
        yield sandbox, client


Way = Callable[..., AbstractAsyncContextManager[tuple[Sandbox, httpx.AsyncClient]]]


async def call(client: httpx.AsyncClient, endpoint: Operation = "create") -> httpx.Response:
    body = ORDER if endpoint == "create" else VENDOR_EXAMPLE_REQUEST
    headers = Signer(SANDBOX_CREDENTIALS).sign(datetime.now(UTC))
    return await client.post(PATHS[endpoint], json=body, headers=headers)


async def meet(client: httpx.AsyncClient, patience: float = 10) -> str:
    """What a create comes to, in a few words; silence is what lasts for `patience` seconds."""
    try:
        with anyio.fail_after(patience):
            answer = await call(client)
    except TimeoutError:
        return "silence"
    except httpx.TransportError as error:
        return type(error).__name__
    if answer.headers.get("content-type") != "application/json":
        return f"{answer.status_code} page"
    if len(answer.content) > 2_000_000:
        return f"{answer.status_code} too large"
    try:
        envelope = answer.json()
    except json.JSONDecodeError:
        return f"{answer.status_code} unreadable"
    return f"{answer.status_code} code {envelope.get('code')}, {_ids(envelope['data'])}"


def _ids(data: Any) -> str:
    if not data or not data["orderIds"]:
        return "no ids"
    ids: Any = data["orderIds"]
    if "0" in ids:
        return "wrong ids"
    words = "1 id" if len(ids) == 1 else f"{len(ids)} ids"
    return f"{words}, failed" if data.get("success") is False else words


def patience_for(name: str) -> float:
    return 0.5 if CREATE_MEETS[name] == "silence" else 10


def test_the_table_of_this_test_has_every_fault_of_a_create() -> None:
    assert set(CREATE_MEETS) == {fault.name for fault in FAULTS.values() if "create" in fault.endpoints}


@pytest.mark.parametrize("name", CREATE_MEETS)
async def test_in_process_a_fault_shows_as_described_and_the_books_hold_what_it_says(name: str) -> None:
    await check_fault(in_process, name)


@pytest.mark.parametrize("name", [name for name in CREATE_MEETS if not FAULTS[name].in_process_only])
async def test_over_a_port_a_fault_shows_as_described_and_the_books_hold_what_it_says(name: str) -> None:
    await check_fault(over_a_port, name)


async def check_fault(way: Way, name: str) -> None:
    with anyio.fail_after(30):
        async with way() as (sandbox, client):
            sandbox.faults.add(name, "create")
            assert await meet(client, patience_for(name)) == CREATE_MEETS[name]
            assert bool(sandbox.books.orders) is FAULTS[name].order_exists
            unread = name in {"not-connectable", "timeout-before-read"}
            assert sandbox.books.creates_of["PO-0001"] == (0 if unread else 1)
            assert await meet(client) == "200 code 200, 1 id"


@pytest.mark.parametrize("way", [in_process, over_a_port])
async def test_a_dripping_answer_is_right_for_who_has_the_time(way: Way) -> None:
    with anyio.fail_after(10):
        async with way(Pace(drip_seconds=0.0001)) as (sandbox, client):
            sandbox.faults.add("drip", "create")
            data = (await call(client)).json()["data"]
            assert data == {"orderIds": list(sandbox.books.orders[0].order_ids)}


async def test_a_split_order_is_one_create_with_two_ids_in_the_books() -> None:
    async with in_process() as (sandbox, client):
        sandbox.faults.add("split", "create")
        ids = (await call(client)).json()["data"]["orderIds"]
        (order,) = sandbox.books.orders
        assert len(set(ids)) == 2
        assert tuple(ids) == order.order_ids


async def test_prices_drift_for_as_many_previews_as_planned() -> None:
    async with in_process() as (sandbox, client):
        sandbox.faults.add("price-drift", "preview", times=2)
        sums = [
            (await call(client, "preview")).json()["data"]["orderPreviewResuslt"][0]["sumPaymentNoCarriage"]
            for _ in range(3)
        ]
        assert sums == [5858, 5858, 5800]


async def test_a_previews_sums_may_come_as_words() -> None:
    async with in_process() as (sandbox, client):
        sandbox.faults.add("wrong-types", "preview")
        (group,) = (await call(client, "preview")).json()["data"]["orderPreviewResuslt"]
        assert {group["sumPayment"], group["sumCarriage"], group["sumPaymentNoCarriage"]} == {"六十四元整"}


async def test_a_fault_after_the_order_leaves_a_refusal_a_refusal() -> None:
    async with in_process() as (sandbox, client):
        sandbox.faults.add("no-ids", "create")
        headers = Signer(SANDBOX_CREDENTIALS).sign(datetime.now(UTC))
        answer = await client.post(CREATE_PATH, json={**ORDER, "tradeType": "alipay"}, headers=headers)
        assert answer.json()["code"] == 400
        assert sandbox.books.orders == []


@pytest.mark.parametrize(
    ("name", "heard"), [(None, True), ("reset-before-order", True), ("not-connectable", False)]
)
async def test_the_trace_callback_hears_of_what_was_sent_and_of_nothing_else(
    name: str | None, heard: bool
) -> None:
    events: list[str] = []

    async def trace(event: str, info: dict[str, Any]) -> None:
        assert not sandbox.books.received
        events.append(event)

    async with in_process() as (sandbox, client):
        if name:
            sandbox.faults.add(name, "create")
        headers = Signer(SANDBOX_CREDENTIALS).sign(datetime.now(UTC))
        request = client.build_request(
            "POST", CREATE_PATH, json=ORDER, headers=headers, extensions={"trace": trace}
        )
        try:
            await client.send(request)
        except httpx.TransportError:
            assert name
        assert (SENT in events) is heard


@pytest.mark.parametrize("name", ["timeout-before-read", "hang-before-order", "hang", "slow", "drip"])
async def test_a_client_that_gives_up_in_process_is_let_go_and_the_truth_stands(name: str) -> None:
    sandbox = build_sandbox(pace=Pace(slow_seconds=60, drip_seconds=60))
    sandbox.faults.add(name, "create")
    with anyio.fail_after(5):
        async with (
            httpx.AsyncClient(transport=SandboxTransport(sandbox), base_url=SANDBOX_BASE_URL) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(call, client)
            await anyio.wait_all_tasks_blocked()
            assert bool(sandbox.books.orders) is FAULTS[name].order_exists
            tasks.cancel_scope.cancel()
    assert bool(sandbox.books.orders) is FAULTS[name].order_exists


@pytest.mark.parametrize("name", ["timeout-before-read", "hang", "slow", "drip"])
async def test_a_served_sandbox_ends_at_once_though_a_request_hangs(name: str) -> None:
    sandbox = build_sandbox(pace=Pace(slow_seconds=60, drip_seconds=60))
    sandbox.faults.add(name, "create")
    reached = anyio.Event()
    with anyio.fail_after(5):
        async with httpx.AsyncClient(trust_env=False) as client, anyio.create_task_group() as tasks:

            async def hanging(url: str) -> None:
                async def trace(event: str, info: dict[str, Any]) -> None:
                    if event == "http11.receive_response_headers.started":
                        reached.set()

                headers = Signer(SANDBOX_CREDENTIALS).sign(datetime.now(UTC))
                with pytest.raises(httpx.TransportError):
                    await client.post(
                        url, json=ORDER, headers=headers, timeout=None, extensions={"trace": trace}
                    )

            async with running_sandbox(sandbox) as (_, base_url):
                tasks.start_soon(hanging, base_url + CREATE_PATH)
                await reached.wait()


async def test_an_error_in_the_block_of_a_served_sandbox_comes_out_as_it_is() -> None:
    with anyio.fail_after(5), pytest.raises(LookupError):
        async with running_sandbox():
            raise LookupError


async def test_a_port_refuses_the_fault_that_it_cannot_have() -> None:
    planned = build_sandbox()
    planned.faults.add("not-connectable", "create")
    with pytest.raises(ValueError, match="closed port"):
        async with running_sandbox(planned):
            pass
    async with over_a_port() as (sandbox, client):
        with pytest.raises(ValueError, match="closed port"):
            sandbox.faults.add("not-connectable", "create")
        url = client.base_url.join("/sandbox/faults")
        answer = await client.post(url, json={"name": "not-connectable", "endpoint": "create"})
        assert answer.status_code == 400


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("fault", ["split", "hang"])
async def test_a_signal_ends_the_served_sandbox_cleanly(fault: str) -> None:
    program = (
        "import anyio\n"
        "from xportcn_server.sandbox.service import build_sandbox\n"
        "from xportcn_server.sandbox.serving_http import serve_sandbox\n"
        "sandbox = build_sandbox()\n"
        f"sandbox.faults.add({fault!r}, 'create')\n"
        "anyio.run(serve_sandbox, sandbox, '127.0.0.1', 0, lambda url: print(url, flush=True))\n"
    )
    with anyio.fail_after(20):
        async with await anyio.open_process([sys.executable, "-W", "error", "-c", program]) as process:
            assert process.stdout
            assert process.stderr
            base_url = (await process.stdout.receive()).decode().strip()
            async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
                assert await meet(client, patience_for(fault)) == CREATE_MEETS[fault]
                process.terminate()
                assert await process.wait() == 0
            with pytest.raises(anyio.EndOfStream):
                await process.stderr.receive()


def test_faults_come_in_the_order_planned_each_as_often_as_planned() -> None:
    plan = FaultPlan()
    plan.add("html", "create", times=2)
    plan.add("hang", "preview")
    plan.add("refusal", "create", times=None)
    drawn = [plan.next("create") for _ in range(5)]
    assert [fault.name for fault in drawn if fault] == ["html", "html", "refusal", "refusal", "refusal"]
    assert plan.next("preview") == FAULTS["hang"]
    assert plan.next("preview") is None
    plan.clear()
    assert plan.next("create") is None


def test_a_probable_fault_repeats_itself_by_its_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        plan = FaultPlan()
        plan.add("html", "create", times=None, probability=0.3, seed=seed)
        return [plan.next("create") is not None for _ in range(1000)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 200 < sum(drawn(1)) < 400


def test_a_fault_is_planned_only_where_it_can_happen() -> None:
    plan = FaultPlan()
    wrong: list[tuple[str, Operation]] = [
        ("nonsense", "create"),
        ("price-drift", "create"),
        ("split", "preview"),
    ]
    for name, endpoint in wrong:
        with pytest.raises(ValueError, match=name):
            plan.add(name, endpoint)
