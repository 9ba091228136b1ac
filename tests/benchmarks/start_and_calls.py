"""Cold starts, single calls, memory and bytes, over stdio. The servers take turns, every second round in reverse."""

import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.floor import Commits, Wire, preview_body
from benchmarks.measured import Figure, Measured, Sizes
from benchmarks.stdio_server import StdioServer
from benchmarks.surroundings import Place, others
from harness.house import address_of, fifty_lines, order_arguments

Work = Callable[[], float]
"""Does one thing, and says how many milliseconds it took."""


def in_turn(works: Mapping[str, Work], rounds: int, batch: int) -> dict[str, list[float]]:
    """The median of each work's batch, one a round."""
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        for name in reversed([*works]) if number % 2 else works:
            found[name].append(statistics.median(works[name]() for _ in range(batch)))
    return found


def ratios(ours: Iterable[float], floor: Iterable[float]) -> list[float]:
    return [one / other for one, other in zip(ours, floor, strict=True)]


def milliseconds(samples: Sequence[float]) -> str:
    middle = statistics.median(samples)
    return f"{middle:,.0f} ms" if middle >= 100 else f"{middle:.3g} ms"


class Orders:
    """Orders of one server, each of an address of its own; `waiting` were previewed and not created yet."""

    def __init__(self, server: StdioServer) -> None:
        self.server = server
        self.waiting: list[dict[str, str]] = []
        self._count = 0

    def preview(self) -> dict[str, Any]:
        self._count += 1
        _, result = self.server.timed("preview_order", order_arguments(address=address_of(self._count)))
        self.waiting.append(result["structuredContent"]["preview"]["create_order_arguments"])
        return result

    def create(self) -> float:
        if not self.waiting:
            self.preview()
        return self.server.timed("create_order", self.waiting.pop())[0]


def starts(place: Place, sizes: Sizes) -> Measured:
    """Whole processes: ours with a ledger that is there already, as at every start but the first."""
    ledger = place.folder / "starts.sqlite3"
    with place.ours(ledger) as server:
        _, result = server.timed("preview_order", order_arguments())
    answer = place.answer("start", result)
    found: dict[str, list[float]] = defaultdict(list)

    def start(name: str, server: StdioServer) -> None:
        with server:
            found[name].append(server.started_ms)
            found[f"{name}, cpu"].append(server.cpu_ms())

    other = others(answer)
    for number in range(sizes.starts + 1):
        start("bare", place.bare(answer))
        start("ours", place.ours(ledger))
        for name, words in other.items():
            if isinstance(words, list):
                start(name, StdioServer(words, {"PYTHONWARNINGS": "ignore"}, place.folder))
        if not number:
            found.clear()  # the first reads its modules from the disk
    floor = milliseconds(found["bare"])
    measured: Measured = {
        "start": Figure(ratios(found["ours"], found["bare"]), floor),
        "start-cpu": Figure(ratios(found["ours, cpu"], found["bare, cpu"]), milliseconds(found["bare, cpu"])),
    }
    for name, words in other.items():
        measured[f"start-{name}"] = (
            words if isinstance(words, str) else Figure(ratios(found[name], found["bare"]), floor)
        )
    return measured


def calls(place: Place, sizes: Sizes) -> Measured:
    """Single calls beside what they cannot do without."""
    with ExitStack() as stack:
        server = stack.enter_context(place.ours(place.folder / "calls.sqlite3"))
        orders = Orders(server)
        one, fifty = order_arguments(), order_arguments(items=fifty_lines())
        of_one = server.timed("preview_order", one)[1]
        of_fifty = server.timed("preview_order", fifty)[1]
        orders.preview()
        again = orders.waiting.pop()
        of_create = server.timed("create_order", again)[1]
        answer = place.answer("one", of_one)
        bare = stack.enter_context(place.bare(answer))
        bare_fifty = stack.enter_context(place.bare(place.answer("fifty", of_fifty)))
        bare_create = stack.enter_context(place.bare(place.answer("create", of_create)))
        within = {
            name: stack.enter_context(
                place.bare(place.answer(name, result), place.upstream, str(place.folder / f"{name}.sqlite3"))
            )
            for name, result in (("one", of_one), ("fifty", of_fifty), ("create", of_create))
        }
        wire, commits = Wire(place.upstream), Commits(place.folder / "floor.sqlite3")
        stack.callback(wire.close)
        stack.callback(commits.close)
        body, body_of_fifty = preview_body(one["items"]), preview_body(fifty["items"])
        for _ in range((sizes.rounds + 1) * sizes.batch):
            orders.preview()
        works: dict[str, Work] = {
            "call": lambda: bare.timed("preview_order", one)[0],
            "POST": lambda: wire.preview(body),
            "preview within": lambda: within["one"].timed("preview_order", one)[0],
            "preview": lambda: server.timed("preview_order", one)[0],
            "call of 50": lambda: bare_fifty.timed("preview_order", fifty)[0],
            "POST of 50": lambda: wire.preview(body_of_fifty),
            "preview-50 within": lambda: within["fifty"].timed("preview_order", fifty)[0],
            "preview-50": lambda: server.timed("preview_order", fifty)[0],
            "commit": commits.commit,
            "call of create": lambda: bare_create.timed("create_order", again)[0],
            "POST of create": wire.create,
            "create within": lambda: within["create"].timed("create_order", again)[0],
            "create": orders.create,
            "repeat": lambda: server.timed("create_order", again)[0],
        }
        other = others(answer)
        for name, words in other.items():
            if isinstance(words, list):
                one_more = StdioServer(words, {"PYTHONWARNINGS": "ignore"}, place.folder)
                stack.enter_context(one_more)
                works[name] = lambda one_more=one_more: one_more.timed("preview_order", one)[0]
        in_turn(works, 1, sizes.batch)
        found = in_turn(works, sizes.rounds, sizes.batch)
        tools = server.tools()
    made_of = {
        "preview": ("call", "POST", "commit"),
        "preview-50": ("call of 50", "POST of 50", "commit"),
        "create": ("call of create", "POST of create", "commit", "commit"),
        "repeat": ("call of create",),
    }
    measured: Measured = {}
    for name, parts in made_of.items():
        floor = [sum(each) for each in zip(*(found[part] for part in parts), strict=True)]
        above = [ours - least for ours, least in zip(found[name], floor, strict=True)]
        measured[name] = Figure(above, milliseconds(floor))
        if floor := found.get(f"{name} within"):
            above = [ours - least for ours, least in zip(found[name], floor, strict=True)]
            measured[f"{name}-within"] = Figure(above, milliseconds(floor))
    for name, words in other.items():
        measured[f"call-{name}"] = (
            words
            if isinstance(words, str)
            else Figure(ratios(found[name], found["call"]), milliseconds(found["call"]))
        )
    return measured | {"tools": Figure([_bytes_read(tools)]), "text": Figure([_bytes_of_text(of_fifty)])}


def memory(place: Place, sizes: Sizes) -> Measured:
    with place.ours(place.folder / "memory.sqlite3") as server:
        result = server.timed("preview_order", order_arguments())[1]
        for _ in range(sizes.memory_calls):
            server.timed("preview_order", order_arguments())
        ours = server.resident_bytes()
    with place.bare(place.answer("memory", result)) as server:
        for _ in range(sizes.memory_calls):
            server.timed("preview_order", order_arguments())
        bare = server.resident_bytes()
    return {"memory": Figure([ours / bare], f"{bare / 2**20:.0f} MB", sizes.memory_calls)}


def _bytes_read(tools: list[dict[str, Any]]) -> int:
    """Names, descriptions and input schemas, as in tests/clients/test_tool_snapshots.py."""
    return sum(
        len(
            (
                tool["name"] + tool["description"] + json.dumps(tool["inputSchema"], ensure_ascii=False)
            ).encode()
        )
        for tool in tools
    )


def _bytes_of_text(result: dict[str, Any]) -> int:
    return len("\n".join(block["text"] for block in result["content"]).encode())
