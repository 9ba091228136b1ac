"""The rows of docs/performance.md: what is measured, and its goal. A goal changes here and nowhere else."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Unit = Literal["×", "ms", "s", "bytes"]


@dataclass(frozen=True)
class Row:
    """`what` has `{}` where a number of orders or rows stands that the run decides."""

    key: str
    what: str
    unit: Unit
    goal: float | None = None
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        assert self.goal is not None
        return value >= self.goal if self.at_least else value <= self.goal


@dataclass(frozen=True)
class Figure:
    """What a row measured, once a round. `floor`: what it is held against, in words; `size`: orders or rows."""

    samples: Sequence[float]
    floor: str = "–"
    size: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def middle_half(self) -> tuple[float, float]:
        if len(self.samples) < 2:
            return self.samples[0], self.samples[0]
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return low, high


Measured = dict[str, Figure | str]
"""By the row's key; a text says why it was not measured. `phases` and `loaded` are tables of their own."""

ROWS = (
    Row("start", "cold start until `initialize` is answered ÷ bare SDK", "×", 1.08),
    Row("start-cpu", "the same, in processor time", "×"),
    Row("start-fastmcp", "cold start of fastmcp ÷ bare SDK", "×"),
    Row("start-typescript", "cold start of the TypeScript SDK ÷ bare SDK", "×"),
    Row("call-fastmcp", "a call of fastmcp ÷ of the bare SDK", "×"),
    Row("call-typescript", "a call of the TypeScript SDK ÷ of the bare SDK", "×"),
    Row("preview", "preview of 1 line, above call + POST + commit", "ms", 2.5),
    Row("preview-within", "the same, above a bare SDK server that does these within the call", "ms"),
    Row("preview-50", "preview of 50 lines, above call + POST + commit", "ms", 6),
    Row("preview-50-within", "the same, above a bare SDK server that does these within the call", "ms"),
    Row("create", "create, above call + POST + 2 commits", "ms", 3),
    Row("create-within", "the same, above a bare SDK server that does these within the call", "ms"),
    Row("repeat", "the same create again, above call", "ms", 0.5),
    Row("memory", "memory after {} previews ÷ bare SDK", "×", 1.2),
    Row("create-big", "create at {} orders ÷ at none, SQLite", "×", 1.2),
    Row("get-big", "`get_orders` at {} orders ÷ at few, SQLite", "×", 1.2),
    Row("create-postgres", "create at {} orders ÷ at none, PostgreSQL", "×", 1.2),
    Row("get-postgres", "`get_orders` at {} orders ÷ at few, PostgreSQL", "×", 1.2),
    Row("trail", "one row of a trail of {} rows, PostgreSQL", "ms", 1),
    Row("http-1", "previews a second over HTTP, 1 caller ÷ floor", "×", 0.5, at_least=True),
    Row("http-16", "previews a second over HTTP, 16 callers ÷ floor", "×", 0.4, at_least=True),
    Row("http-100", "previews a second over HTTP, 100 callers ÷ floor", "×", 0.35, at_least=True),
    Row("tail-1", "p99 ÷ p50 of these, 1 caller", "×", 3),
    Row("tail-16", "p99 ÷ p50 of these, 16 callers", "×", 3),
    Row("tail-100", "p99 ÷ p50 of these, 100 callers", "×", 3),
    Row("doctor", "`doctor` at {} orders, SQLite", "s", 2),
    Row("file", "file at {} orders of one line, by order, with preview and trail, SQLite", "bytes", 4500),
    Row("tools", "all tools, as a model reads them", "bytes", 7500),
    Row("text", "text of a preview of 50 lines with names", "bytes", 12000),
)


@dataclass(frozen=True)
class Sizes:
    """How much of everything; seconds are of one setup in one round."""

    starts: int = 11
    rounds: int = 20
    batch: int = 10
    memory_calls: int = 12_000
    sqlite_orders: int = 1_000_000
    postgres_orders: int = 200_000
    trail_rows: int = 0
    doctor_runs: int = 3
    http_rounds: int = 3
    http_seconds: float = 3.0
    callers: tuple[int, ...] = (1, 16, 100)


QUICK = Sizes(
    starts=5,
    rounds=6,
    batch=5,
    memory_calls=500,
    sqlite_orders=20_000,
    postgres_orders=5_000,
    http_rounds=1,
    http_seconds=2.0,
)
TRAIL_ROWS = 3_000_000
