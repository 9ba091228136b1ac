"""Spans and metrics, and the rule that observing an order never changes it.

A failing observation becomes a line in the log: no call returns or raises anything else because of it. No
attribute identifies a person, an order or an account: values are from short fixed lists.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import perf_counter
from typing import TypeVar

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider

from xportcn_tools.desk.caps import Caps
from xportcn_tools.ledger.ledger import DayUsage, OrderRecord
from xportcn_tools.results import Environment

logger = logging.getLogger(__name__)

T = TypeVar("T")

SCOPE = "xportcn-mcp"
LATENCIES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 50)
SHARES = (0, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.999, 1)

Attributes = Mapping[str, str | int]


def quietly(observe: Callable[[], T]) -> T | None:
    """What `observe` returns; whatever a telemetry library does, the order goes on."""
    try:
        return observe()
    except Exception:
        logger.debug("an observation failed", exc_info=True)
        return None


class Instruments:
    """The tracer and the four metrics of one server. A method that may raise says so.

    `unknowns`: how many orders of unknown outcome are open; `None` while that is not known.
    """

    def __init__(
        self,
        tracers: TracerProvider,
        meters: MeterProvider,
        mode: Environment,
    ) -> None:
        self.mode = mode
        self._tracer = tracers.get_tracer(SCOPE)
        meter = meters.get_meter(SCOPE)
        self._orders = meter.create_counter(
            "xportcn.orders", "{order}", "Outcomes of orders, as they are recorded"
        )
        self._duration = meter.create_histogram(
            "xportcn.upstream.duration",
            "s",
            "Calls of the upstream, retries of a preview included",
            explicit_bucket_boundaries_advisory=LATENCIES,
        )
        self._caps = meter.create_histogram(
            "xportcn.caps.used",
            "1",
            "Share of a day's cap that is used after a claim",
            explicit_bucket_boundaries_advisory=SHARES,
        )
        meter.create_observable_gauge(
            "xportcn.orders.unknown", [self._open_unknowns], "{order}", "Orders of unknown outcome, open now"
        )
        self.unknowns: int | None = None

    def _open_unknowns(self, options: CallbackOptions) -> Iterable[Observation]:
        del options
        if self.unknowns is not None:
            yield Observation(self.unknowns, {"xportcn.mode": self.mode})

    def ended(self, orders: Iterable[OrderRecord]) -> None:
        """Count outcomes that are in the ledger now. Never raises."""
        for order in orders:
            of = {"xportcn.order.state": order.state, "xportcn.mode": self.mode}
            quietly(lambda of=of: self._orders.add(1, of))

    def used(self, caps: Caps, used: DayUsage, claimed_fen: int | None) -> None:
        """What a claim found of the day's caps, itself included where it was granted. May raise."""
        more_fen, more_orders = (0, 0) if claimed_fen is None else (claimed_fen, 1)
        shares = {
            "day_sum": (used.fen + more_fen, caps.day_fen),
            "day_orders": (used.orders + more_orders, caps.day_orders),
        }
        for kind, (count, cap) in shares.items():
            share = min(count / cap, 1.0) if cap else 1.0
            self._caps.record(share, {"xportcn.cap": kind, "xportcn.mode": self.mode})

    def took(self, seconds: float, attributes: Attributes) -> None:
        """How long a call of the upstream took. May raise."""
        self._duration.record(seconds, {**attributes, "xportcn.mode": self.mode})

    async def watched(
        self,
        name: str,
        attributes: Attributes,
        call: Awaitable[T],
        describe: Callable[[T | BaseException, float], Attributes],
    ) -> T:
        """Await `call` in a span; its result or error comes out untouched, whatever the span does.

        `describe(result or error, seconds)`: its attributes. The span is not made the current one: nothing
        below makes spans, and there is nothing to reset.
        """
        span = quietly(lambda: self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes))
        began = perf_counter()
        try:
            result = await call
        except BaseException as error:
            _end(span, describe, error, perf_counter() - began)
            raise
        _end(span, describe, result, perf_counter() - began)
        return result


def _end(
    span: Span | None,
    describe: Callable[[T | BaseException, float], Attributes],
    result: T | BaseException,
    seconds: float,
) -> None:
    def end() -> None:
        attributes = describe(result, seconds)
        if span is None:
            return
        try:
            span.set_attributes(dict(attributes))
            if "error.type" in attributes:
                span.set_status(StatusCode.ERROR)
        finally:
            span.end()

    quietly(end)
