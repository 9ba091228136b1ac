"""Telemetry: what is seen of an order, what never leaves, and that no order can fail for being watched."""

import inspect
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest.mock import AsyncMock, Mock

import anyio
import anyio.lowlevel
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared import _otel as sdk_spans
from mcp.shared.exceptions import MCPError
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from harness.house import ADDRESS, ERAS, Era, House, Person, call, order_arguments, previewed, settings_for
from harness.over_http import (
    bearer,
    client_of,
    http_client,
    made_callers,
    modern,
    modern_headers,
    serving,
)
from harness.processes import process_environment, processes, ran, xportcn_mcp
from harness.seams import SteppedLedger
from xportcn_server import serve as start
from xportcn_server.parts import Seams, ledger_of
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.telemetry import otlp as otel
from xportcn_server.telemetry.forwarding import ForwardingLedger
from xportcn_server.telemetry.instruments import Instruments
from xportcn_server.telemetry.otlp import TARGETS, Scrubbed, all_within
from xportcn_server.telemetry.telemetry import Telemetry
from xportcn_tools.ledger.ledger import Ledger, LedgerUnavailableError, OrderQuery
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.results import Environment

P = ParamSpec("P")
T = TypeVar("T")

pytestmark = pytest.mark.anyio

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXIT_SECONDS = 30.0
"""An end that waited for its exporters in vain would take longer; the machine may have other things to do."""


@pytest.fixture(autouse=True)
def no_telemetry_of_this_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)


@dataclass
class Watch:
    """All that leaves, caught in memory where the exporters would take it."""

    mode: Environment = "sandbox"
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def __post_init__(self) -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(Scrubbed(self.exporter)))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(Instruments(self.tracers, meters, self.mode))

    def spans(self, prefix: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name.startswith(prefix)]

    def one(self, name: str) -> Mapping[str, Any]:
        """The attributes of the only span of this name."""
        (span,) = self.spans(name)
        return span.attributes or {}

    def points(self, name: str) -> list[Any]:
        """What the metric of this name holds now, one point for each set of attributes."""
        data: Any = self.reader.get_metrics_data()
        if data is None:
            return []
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        found = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [point for metric in found for point in metric.data.data_points]

    def text(self) -> str:
        """Everything, as it would be read by somebody who looks for something in it."""
        data: Any = self.reader.get_metrics_data()
        parts = [span.to_json() for span in self.spans()] + [data.to_json() if data else ""]
        states = [span.context and span.context.trace_state.to_header() for span in self.spans()]
        return json.dumps([json.loads(part or "null") for part in parts] + states, ensure_ascii=False)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Telemetry for a server of this test; the SDK's spans join it as they join the process's own."""
    watch = Watch()
    monkeypatch.setattr(sdk_spans, "_tracer", watch.tracers.get_tracer("mcp-python-sdk"))
    return watch


def counted(points: list[Any]) -> dict[str, int]:
    return {point.attributes["xportcn.order.state"]: point.value for point in points}


# What is seen


@pytest.mark.parametrize("era", ERAS)
async def test_upstream_and_ledger_spans_descend_from_the_servers_span_of_the_call(
    tmp_path: Path, watch: Watch, era: Era
) -> None:
    async with House(tmp_path).client(era, Person(), telemetry=watch.telemetry) as client:
        preview = await previewed(client)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    below: dict[str, set[str]] = {}
    by_id = {span.context.span_id: span for span in watch.spans() if span.context}
    for span in watch.spans():
        above = span
        while above.parent and above.parent.span_id in by_id and above.kind is not SpanKind.SERVER:
            above = by_id[above.parent.span_id]
        if above.kind is SpanKind.SERVER and above is not span:
            below.setdefault(above.name, set()).add(span.name)
    assert {"upstream preview", "ledger offer"} <= below["tools/call preview_order"]
    assert {"ledger standing", "ledger claim", "upstream create", "ledger record"} <= below[
        "tools/call create_order"
    ]


async def test_the_spans_of_an_order_say_what_came_of_it(tmp_path: Path, watch: Watch) -> None:
    async with House(tmp_path).client(telemetry=watch.telemetry) as client:
        preview = await previewed(client)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    database = {"db.system.name": "sqlite", "xportcn.mode": "sandbox"}
    assert watch.one("ledger claim") == database | {
        "db.operation.name": "claim",
        "xportcn.outcome": "Claimed",
    }
    assert watch.one("ledger record") == database | {
        "db.operation.name": "record",
        "xportcn.outcome": "placed",
    }
    assert watch.one("upstream create") == {
        "xportcn.operation": "create",
        "xportcn.mode": "sandbox",
        "xportcn.result": "answered",
        "http.request.method": "POST",
        "http.response.status_code": 200,
    }
    order = [span.name for span in watch.spans()]
    assert order.index("ledger claim") < order.index("upstream create") < order.index("ledger record")


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("not-connectable", {"xportcn.result": "not_sent", "error.type": "NotSentError"}),
        ("reset-after-order", {"xportcn.result": "answer_lost", "error.type": "AnswerLostError"}),
        ("http-502", {"xportcn.result": "unreadable", "error.type": "502", "http.response.status_code": 502}),
        ("refusal", {"xportcn.result": "answered", "http.response.status_code": 200}),
    ],
)
async def test_a_call_that_fails_says_how(
    tmp_path: Path, watch: Watch, fault: str, result: dict[str, Any]
) -> None:
    house = House(tmp_path)
    async with house.client(telemetry=watch.telemetry) as client:
        preview = await previewed(client)
        house.sandbox.faults.add(fault, "create")
        await call(client, "create_order", preview["create_order_arguments"])
    (span,) = watch.spans("upstream create")
    known = {"xportcn.operation": "create", "xportcn.mode": "sandbox", "http.request.method": "POST"}
    assert span.attributes == known | result
    assert (span.status.status_code is StatusCode.ERROR) is ("error.type" in result)
    points = [
        point
        for point in watch.points("xportcn.upstream.duration")
        if point.attributes["xportcn.operation"] == "create"
    ]
    (point,) = points
    assert isinstance(point, HistogramDataPoint)
    assert point.count == 1
    assert point.attributes == {"xportcn.operation": "create", "xportcn.mode": "sandbox"} | result


async def test_a_ledger_that_is_unavailable_fails_in_its_span_as_it_does_outside(
    tmp_path: Path, watch: Watch
) -> None:
    ledger = watch.telemetry.ledger(
        SqliteLedger(tmp_path, "sandbox"), "sqlite", Mock()
    )  # a folder is no ledger
    with pytest.raises(LedgerUnavailableError):
        await ledger.open()
    assert watch.one("ledger open")["error.type"] == "LedgerUnavailableError"
    await ledger.aclose()


async def test_a_call_that_is_cancelled_ends_its_span(tmp_path: Path, watch: Watch) -> None:
    house = House(tmp_path)
    house.sandbox.faults.add("hang", "preview", times=None)
    async with house.client(telemetry=watch.telemetry) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "preview_order", order_arguments())
            while not house.sandbox.books.received["preview"]:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        with anyio.fail_after(EXIT_SECONDS):
            while not watch.spans("upstream preview"):
                await anyio.lowlevel.checkpoint()
    assert watch.one("upstream preview")["xportcn.result"] == "cancelled"


@pytest.mark.parametrize("name", [name for name in vars(Ledger) if not name.startswith("_")])
async def test_each_method_of_the_ledger_is_forwarded_under_its_own_name(name: str) -> None:
    seen: list[tuple[Any, ...]] = []

    class Listening(ForwardingLedger):
        async def around(
            self, name: str, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
        ) -> T:
            seen.append((name, method, args))
            return await super().around(name, method, *args, **kwargs)

    inner = AsyncMock(spec=Ledger)
    given = tuple(object() for _ in inspect.signature(getattr(SqliteLedger, name)).parameters)[1:]
    await getattr(Listening(inner), name)(*given)
    assert seen == [(name, getattr(inner, name), given)]


# Metrics


async def test_orders_are_counted_by_their_outcome(tmp_path: Path, watch: Watch) -> None:
    house = House(tmp_path)
    async with house.client(telemetry=watch.telemetry) as client:
        preview: dict[str, Any] = {}
        for quantity, fault in enumerate((None, None, "refusal", "reset-after-order"), start=2):
            preview = await previewed(client, quantity=quantity)
            if fault:
                house.sandbox.faults.add(fault, "create")
            await call(client, "create_order", preview["create_order_arguments"])
        again = await call(client, "create_order", preview["create_order_arguments"])
        assert again["order"]["replayed"]
        points = watch.points("xportcn.orders")
    assert counted(points) == {"placed": 2, "rejected": 1, "unknown": 1}
    assert {point.attributes["xportcn.mode"] for point in points} == {"sandbox"}


async def test_an_unknown_order_that_is_found_is_counted_as_placed_and_is_open_no_more(
    tmp_path: Path, watch: Watch
) -> None:
    house = House(tmp_path, build_sandbox(), ORDER_LOOKUP="on")

    def open_unknowns() -> list[int]:
        return [point.value for point in watch.points("xportcn.orders.unknown")]

    async with house.client(telemetry=watch.telemetry) as client:
        with anyio.fail_after(EXIT_SECONDS):
            while open_unknowns() != [0]:
                await anyio.lowlevel.checkpoint()
            preview = await previewed(client)
            house.sandbox.faults.add("reset-after-order", "create")
            await call(client, "create_order", preview["create_order_arguments"])
            while open_unknowns() != [1]:
                await anyio.lowlevel.checkpoint()
            found = await call(client, "get_orders", {"reference": preview["out_order_id"]})
            assert found["orders"][0]["state"] == "placed"
            while open_unknowns() != [0]:
                await anyio.lowlevel.checkpoint()
        assert counted(watch.points("xportcn.orders")) == {"unknown": 1, "placed": 1}


async def test_the_unknown_orders_are_not_told_while_nobody_can_count_them(
    tmp_path: Path, watch: Watch
) -> None:
    asked = anyio.Event()

    async def orders(query: OrderQuery) -> None:
        del query
        asked.set()
        raise LedgerUnavailableError

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.telemetry.refresh, Mock(orders=orders))
        await asked.wait()
        assert watch.points("xportcn.orders.unknown") == []
        tasks.cancel_scope.cancel()


async def test_a_claim_tells_the_share_of_the_days_caps_that_is_used(tmp_path: Path, watch: Watch) -> None:
    house = House(tmp_path, build_sandbox(), MAX_DAY_ORDERS="2", MAX_DAY_CNY="1000")
    shares: list[tuple[float, float]] = []
    async with house.client(telemetry=watch.telemetry) as client:
        preview = await previewed(client)
        await call(client, "create_order", preview["create_order_arguments"])
        shares = [(point.sum, point.count) for point in watch.points("xportcn.caps.used")]
        kinds = [point.attributes["xportcn.cap"] for point in watch.points("xportcn.caps.used")]
    payable = float(preview["payable"]["amount"])
    assert dict(zip(kinds, shares, strict=True)) == {
        "day_sum": (pytest.approx(payable / 1000), 1),
        "day_orders": (0.5, 1),
    }


# An order stands above its telemetry


class Saboteur:
    """A tracer, a span, a meter and an instrument in one: whatever is called fails, from `failing` on."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def anything(*args: object, **kwargs: object) -> "Saboteur":
            self.calls.append(name)
            if name in self.failing:
                raise RuntimeError(name)
            return self

        return anything


@pytest.mark.parametrize("fault", [None, "refusal", "reset-after-order", "not-connectable"])
@pytest.mark.parametrize(
    "failing",
    [("start_span",), ("set_attributes",), ("set_status",), ("end",), ("add",), ("record",)],
    ids=lambda names: names[0],
)
async def test_telemetry_that_raises_changes_nothing(
    tmp_path: Path, failing: tuple[str, ...], fault: str | None
) -> None:
    told: list[dict[str, Any]] = []
    broken: Any = Saboteur(*failing)
    for name, telemetry in (("watched", Telemetry(Instruments(broken, broken, "sandbox"))), ("alone", None)):
        (tmp_path / name).mkdir()
        house = House(tmp_path / name)
        async with house.client(telemetry=telemetry) as client:
            preview = await previewed(client, out_order_id="order-of-this-test")
            if fault:
                house.sandbox.faults.add(fault, "create")
            envelope = await call(client, "create_order", preview["create_order_arguments"])
        async with house.opened() as ledger:
            (order,) = await ledger.orders(OrderQuery(None))
        told.append(
            {
                "creates": house.creates,
                "recorded": (order.state, order.request_sent, order.problem_code),
                "true": list(order.order_ids) == (house.order_ids if order.state == "placed" else []),
                "told": (envelope["ok"], envelope["order"]["state"]),
                "ids told": envelope["order"]["order_ids"] == list(order.order_ids),
                "problem": envelope["problem"] and envelope["problem"]["code"],
            }
        )
    assert told[0] == told[1]
    assert set(failing) <= set(broken.calls) or (failing == ("set_status",) and fault in (None, "refusal"))


async def test_a_claim_goes_on_where_the_callers_caps_cannot_be_read(tmp_path: Path, watch: Watch) -> None:
    books = ledger_of(settings_for(tmp_path / "ledger.sqlite3"))
    unreadable = Mock(side_effect=OSError)
    ledger = watch.telemetry.ledger(books, "sqlite", unreadable)
    async with House(tmp_path).client(ledger=ledger) as client:
        preview = await previewed(client)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    unreadable.assert_called_once()
    assert watch.points("xportcn.caps.used") == []


async def test_a_close_that_fails_is_no_error(watch: Watch) -> None:
    telemetry = Telemetry(
        Instruments(watch.tracers, MeterProvider(shutdown_on_exit=False), "sandbox"), Mock()
    )
    await telemetry.aclose()  # a Mock cannot be awaited


# What never leaves

TRACE = "ab" * 16
SENTINELS = {
    "name": "哨兵甲",
    "mobile": "13800990099",
    "street": "Sentinelweg 4711",
    "caller": "sentinel-caller",
    "reference": "SENTINEL.REF.0815",
    "message": "Sentinel-Botschaft",
    "tool": "sentinel_tool",
    "state": "sentinelvendor",
    "crash": "Sentinel-Absturz",
    "id": "sentinel-request",
    "method": "sentinel/method",
}


async def test_nothing_of_a_person_an_order_or_an_account_is_exported(tmp_path: Path, watch: Watch) -> None:
    tokens = made_callers(tmp_path / "callers.toml", SENTINELS["caller"])
    settings = settings_for(tmp_path / "ledger.sqlite3", CALLERS=str(tmp_path / "callers.toml"))
    sandbox = build_sandbox()
    crash: list[str] = []
    crashes: list[str] = []

    async def step(name: str) -> None:
        if name in crash:
            crashes.append(name)
            raise RuntimeError(f"{SENTINELS['crash']} {SENTINELS['mobile']}")

    address = ADDRESS | {
        "full_name": SENTINELS["name"],
        "mobile": SENTINELS["mobile"],
        "address": SENTINELS["street"],
    }
    ledger = SteppedLedger(ledger_of(settings), step)
    seams = Seams(sandbox=sandbox, ledger=ledger, telemetry=watch.telemetry)
    secrets = {*SENTINELS.values(), *tokens.values()}
    async with (
        serving(settings, seams, ledger) as url,
        client_of(url, tokens[SENTINELS["caller"]]) as client,
    ):
        arguments = order_arguments(
            address=address, out_order_id=SENTINELS["reference"], message=SENTINELS["message"]
        )
        preview = (await call(client, "preview_order", arguments))["preview"]
        secrets |= {preview["preview_token"], preview["approval_code"], preview["payable"]["amount"]}
        sandbox.faults.add("reset-after-order", "create")
        await call(client, "create_order", preview["create_order_arguments"])
        second = (await call(client, "preview_order", order_arguments(3, address=address)))["preview"]
        crash.append("find")
        body = modern("tools/call", name="create_order", arguments=second["create_order_arguments"])
        body["id"] = SENTINELS["id"]
        body["params"]["_meta"] |= {
            "traceparent": f"00-{TRACE}-{'cd' * 8}-01",
            "tracestate": f"{SENTINELS['state']}=1",
        }
        async with http_client(url) as http:
            key = bearer(tokens[SENTINELS["caller"]])
            headers = modern_headers("tools/call", "create_order") | key
            crashed = (await http.post("/mcp", json=body, headers=headers)).text
            assert "isError" in crashed or "error" in crashed
            assert crashes == ["find"]
            method = SENTINELS["method"]
            answer = await http.post("/mcp", json=modern(method), headers=modern_headers(method) | key)
            assert "error" in answer.text
        with suppress(MCPError):  # whatever the SDK makes of it
            await client.call_tool(SENTINELS["tool"], {SENTINELS["message"]: SENTINELS["name"]})
        with suppress(MCPError):
            await client.get_prompt(SENTINELS["tool"], {"wish": SENTINELS["name"]})
    exported = watch.text()
    assert {"ledger claim", "upstream create", "tools/call create_order", "tools/call", "prompts/get"} <= {
        span.name for span in watch.spans()
    }
    assert "mcp" in {span.name for span in watch.spans()}  # a method that a client made up
    assert TRACE in exported  # the client's own trace goes on
    for secret in secrets:
        assert secret not in exported
        assert json.dumps(secret)[1:-1] not in exported


async def test_names_that_may_leave_are_those_of_the_tools_and_the_prompts(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
    assert tools | prompts == TARGETS


# On, off, and without the extra

LOADED = """
import atexit, sys
atexit.register(lambda: print("LOADED", sorted(
    name for name in sys.modules
    if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "xportcn_server.telemetry.otlp"))
    or name in ("xportcn_server.telemetry.telemetry", "xportcn_server.telemetry.instruments")
    if sys.modules[name]
), file=sys.stderr))
"""
WITHOUT_EXTRA = "import sys; sys.modules['opentelemetry.sdk'] = None\n"
MAIN = "from xportcn_server.commands.cli import main; main(prog_name='xportcn-mcp')"


def served(folder: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`serve` by a client that leaves at once."""
    environment = process_environment({"XPORTCN_LEDGER": str(folder / "ledger.sqlite3")} | environ)
    return ran([sys.executable, "-c", code + MAIN, "serve"], folder, environment)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {ENDPOINT: "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {ENDPOINT: "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
    ids=["nothing set", "disabled", "none"],
)
def test_where_it_is_off_nothing_of_it_is_imported(tmp_path: Path, environ: dict[str, str]) -> None:
    done = served(tmp_path, LOADED, **environ)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.strip() == "LOADED []"


def test_without_the_extra_one_warning_names_the_cure_and_the_server_starts(tmp_path: Path) -> None:
    done = served(tmp_path, WITHOUT_EXTRA + LOADED, **{ENDPOINT: "http://127.0.0.1:9"})
    assert (done.returncode, done.stdout) == (0, "")
    warning, loaded = done.stderr.strip().splitlines()
    assert 'pip install "xportcn-mcp[otel]"' in warning
    assert loaded == "LOADED []"


def test_stdout_stays_clean_where_it_is_on_and_cannot_export(tmp_path: Path) -> None:
    done = served(
        tmp_path, LOADED, **{ENDPOINT: "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "otlp,console"}
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "opentelemetry.sdk.trace" in done.stderr
    assert "OTEL_TRACES_EXPORTER: only otlp and none" in done.stderr


BOTH = frozenset({"traces", "metrics"})


@pytest.mark.parametrize(
    ("environ", "signals"),
    [
        ({}, None),
        ({ENDPOINT: " "}, None),
        ({ENDPOINT: "http://here"}, BOTH),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://here"}, {"traces"}),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://here"}, {"metrics"}),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, {"traces"}),
        ({"OTEL_METRICS_EXPORTER": " OTLP , console"}, {"metrics"}),
        ({ENDPOINT: "http://here", "OTEL_METRICS_EXPORTER": "none"}, {"traces"}),
        ({ENDPOINT: "http://here", "OTEL_TRACES_EXPORTER": "console"}, {"metrics"}),
        ({ENDPOINT: "http://here", "OTEL_SDK_DISABLED": "TRUE"}, None),
        ({ENDPOINT: "http://here", "OTEL_SDK_DISABLED": "1"}, BOTH),
    ],
)
def test_the_standard_variables_switch_each_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], signals: set[str] | None
) -> None:
    built = Mock()
    monkeypatch.setattr(otel, "telemetry_from", built)
    telemetry = start.telemetry_of(settings_for(tmp_path / "ledger.sqlite3"), environ)
    if signals is None:
        assert telemetry is None
        built.assert_not_called()
    else:
        built.assert_called_once_with(environ, signals, "sandbox")


def test_a_set_up_that_fails_does_not_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otel, "telemetry_from", Mock(side_effect=ValueError("secret")))
    with caplog.at_level(logging.WARNING):
        assert start.telemetry_of(settings_for(tmp_path / "x"), {ENDPOINT: "http://here"}) is None
    assert "telemetry is off" in caplog.text
    assert "secret" not in caplog.text


# The whole program


class Receiver:
    """An OTLP endpoint on this machine; keeps what it got."""

    def __init__(self) -> None:
        self.traces = ExportTraceServiceRequest()
        self.metrics = ExportMetricsServiceRequest()

    @contextmanager
    def listening(self) -> Generator[str]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/v1/traces":
                    receiver.traces.MergeFromString(body)
                if self.path == "/v1/metrics":
                    receiver.metrics.MergeFromString(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                del format, args

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()


def program(folder: Path, **environ: str) -> StdioServerParameters:
    program, *words = xportcn_mcp("serve")
    own = {"XPORTCN_LEDGER": str(folder / "ledger.sqlite3"), "XPORTCN_APPROVAL": "off"} | environ
    return StdioServerParameters(command=program, args=words, env=process_environment(own))


async def placed_by(server: StdioServerParameters, era: Era) -> float:
    """Order something; the seconds that the program took to end."""
    async with Client(server, mode=era, read_timeout_seconds=60) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
        assert envelope["order"]["state"] == "placed"
        left = time.monotonic()
    return time.monotonic() - left


@pytest.mark.parametrize("era", ERAS)
async def test_the_program_exports_spans_and_metrics_before_it_ends(tmp_path: Path, era: Era) -> None:
    receiver = Receiver()
    with receiver.listening() as url:
        await placed_by(program(tmp_path, **{ENDPOINT: url, "OTEL_SERVICE_NAME": "our-orders"}), era)
    (resource, *_) = receiver.traces.resource_spans
    named = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert named["service.name"] == "our-orders"
    spans = [
        span for each in receiver.traces.resource_spans for scope in each.scope_spans for span in scope.spans
    ]
    by_name = {span.name: span for span in spans}
    assert by_name["ledger claim"].parent_span_id == by_name["tools/call create_order"].span_id
    assert by_name["upstream create"].parent_span_id == by_name["tools/call create_order"].span_id
    metric_names = {
        metric.name
        for each in receiver.metrics.resource_metrics
        for scope in each.scope_metrics
        for metric in scope.metrics
    }
    assert {
        "xportcn.orders",
        "xportcn.orders.unknown",
        "xportcn.upstream.duration",
        "xportcn.caps.used",
    } == metric_names


async def test_over_http_it_exports_as_well(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiver.listening() as url:
        own = {"XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3"), ENDPOINT: url}
        async with processes(own, tmp_path, 1) as (server,):
            async with client_of(server.url) as client:
                preview = await previewed(client)
                assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
            server.terminate()
            await server.ended()
    assert {"ledger claim", "upstream create", "tools/call create_order"} <= {
        span.name
        for each in receiver.traces.resource_spans
        for scope in each.scope_spans
        for span in scope.spans
    }
    assert receiver.metrics.resource_metrics


@pytest.mark.parametrize("kind", ["nobody listens", "nobody answers"])
async def test_an_endpoint_that_does_not_answer_holds_up_neither_orders_nor_the_end(
    tmp_path: Path, kind: str
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "nobody answers":
            listener.listen(8)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert await placed_by(program(tmp_path, **{ENDPOINT: url}), "auto") < EXIT_SECONDS


async def test_the_end_waits_for_its_exporters_for_so_long_and_no_longer(tmp_path: Path) -> None:
    never, ended = threading.Event(), threading.Event()
    try:
        with anyio.fail_after(EXIT_SECONDS):
            await all_within(0.01, never.wait)
        await all_within(EXIT_SECONDS, ended.set)
        assert ended.is_set()
    finally:
        never.set()


def test_what_is_set_up_from_the_environment_leaves_the_exit_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []

    def register(end: Any) -> None:
        registered.append(end.__module__)

    monkeypatch.setattr("atexit.register", register)
    monkeypatch.setattr(trace, "set_tracer_provider", Mock())
    telemetry = otel.telemetry_from({}, BOTH, "sandbox")
    assert not [module for module in registered if module.startswith("opentelemetry")]
    anyio.run(telemetry.aclose)
