"""The OpenTelemetry SDK, set up from its own standard environment variables: the extra `otel`.

Everything leaves over OTLP/HTTP from threads of the SDK's; nothing is ever printed. The MCP SDK makes spans
too, with whatever a client or an exception put into them, so all spans pass a list of what may leave.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from threading import Thread
from time import monotonic

import anyio
from anyio import to_thread
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status
from opentelemetry.util.types import AttributeValue

from xportcn_server.telemetry.instruments import SCOPE, Instruments
from xportcn_server.telemetry.telemetry import Telemetry
from xportcn_tools.results import Environment

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
"""For what is left at the end. A client that closed stdin kills the process some seconds later."""

TARGETS = frozenset(
    {
        "search_products",
        "get_product",
        "preview_order",
        "create_order",
        "get_orders",
        "place_order",
        "reorder",
        "resolve_unknown",
    }
)
METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "notifications/cancelled",
        "notifications/initialized",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
    }
)
_WORD = re.compile(r"[A-Za-z0-9_./-]{1,48}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,6}", re.ASCII)


def _one_of(words: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in words))


# Ours are from fixed lists where they are made; the SDK's may be a client's own words.
OF_US: dict[str, re.Pattern[str]] = {
    "db.operation.name": _WORD,
    "db.system.name": _WORD,
    "error.type": _WORD,
    "http.request.method": _WORD,
    "http.response.status_code": _WORD,
    "xportcn.mode": _WORD,
    "xportcn.operation": _WORD,
    "xportcn.outcome": _WORD,
    "xportcn.result": _WORD,
}
OF_THE_SDK: dict[str, re.Pattern[str]] = {
    "error.type": _WORD,
    "gen_ai.operation.name": _WORD,
    "gen_ai.prompt.name": _one_of(TARGETS),
    "gen_ai.tool.name": _one_of(TARGETS),
    "mcp.method.name": _one_of(METHODS),
    "mcp.protocol.version": _DATE,
    "rpc.response.status_code": _NUMBER,
}


def telemetry_from(environ: Mapping[str, str], signals: frozenset[str], mode: Environment) -> Telemetry:
    """Telemetry that exports `signals` (`traces`, `metrics`); the SDK's spans join it from here on.

    Raises:
        Exception: an OTEL_ variable that the exporter cannot use.
    """
    for name in ("", "TRACES_", "METRICS_"):
        protocol = environ.get(f"OTEL_EXPORTER_OTLP_{name}PROTOCOL", "").strip()
        if protocol not in ("", "http/protobuf"):
            logger.warning("OTEL_EXPORTER_OTLP_%sPROTOCOL: http/protobuf is what this program speaks", name)
    resource = Resource.create({"service.name": SCOPE, "service.version": version(SCOPE)}).merge(
        OTELResourceDetector().detect()  # the owner's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
    )
    # Left to themselves both would hold the exit up for as long as an exporter waits.
    meters = MeterProvider(
        [PeriodicExportingMetricReader(OTLPMetricExporter())] if "metrics" in signals else [],
        resource,
        shutdown_on_exit=False,
    )
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    if "traces" in signals:
        tracers.add_span_processor(BatchSpanProcessor(Scrubbed(OTLPSpanExporter())))
    trace.set_tracer_provider(tracers)

    async def close() -> None:
        await all_within(CLOSE_SECONDS, tracers.shutdown, meters.shutdown)

    return Telemetry(Instruments(tracers, meters, mode), close)


async def all_within(seconds: float, *ends: Callable[[], object]) -> None:
    """Run each in a thread of its own, and wait so long at most. Daemons: none can hold the exit up."""
    threads = [Thread(target=end, daemon=True, name="telemetry-end") for end in ends]
    deadline = monotonic() + seconds

    def wait() -> None:
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))

    for thread in threads:
        thread.start()
    with anyio.CancelScope(shield=True):
        await to_thread.run_sync(wait)


class Scrubbed(SpanExporter):
    """Hands on spans without anything that could be personal: attributes off the list, the text of errors
    and statuses, events, links, names that a client made up, and its trace state.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_scrubbed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _scrubbed(span: ReadableSpan) -> ReadableSpan:
    scope = span.instrumentation_scope
    ours = scope is not None and scope.name == SCOPE
    listed = OF_US if ours else OF_THE_SDK
    attributes = {
        key: value
        for key, value in (span.attributes or {}).items()
        if key in listed and (isinstance(value, int) or listed[key].fullmatch(str(value)))
    }
    context = span.context
    return ReadableSpan(
        name=span.name if ours else _name_of(attributes),
        context=context
        and SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags),
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        instrumentation_scope=scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _name_of(attributes: Mapping[str, AttributeValue]) -> str:
    """The SDK's own name of a span, rebuilt from what may leave: the method and its target."""
    target = attributes.get("gen_ai.tool.name") or attributes.get("gen_ai.prompt.name")
    return " ".join(str(word) for word in (attributes.get("mcp.method.name", "mcp"), target) if word)
