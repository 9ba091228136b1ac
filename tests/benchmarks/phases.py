"""Where the time of a call and the memory of a process go: tables without goals, which say why a goal is missed."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measured import Measured, Sizes
from benchmarks.start_and_calls import Orders
from benchmarks.stdio_server import StdioServer
from benchmarks.surroundings import Place
from benchmarks.timed_server import PHASES
from harness.house import fifty_lines, order_arguments
from harness.processes import TESTS

SERVER = Path(__file__).with_name("timed_server.py")
KINDS = ("preview of 1 line", "preview of 50 lines", "create", "the same create again")


def phases(place: Place, sizes: Sizes) -> Measured:
    """Medians, as a table; the kinds of calls take turns."""
    file, count = place.folder / "phases.json", sizes.rounds * sizes.batch // 2
    settings = place.settings(place.folder / "phases.sqlite3") | {"PYTHONPATH": str(TESTS)}
    walls: list[float] = []
    kinds: list[str] = []
    with StdioServer([sys.executable, str(SERVER), str(file)], settings, place.folder) as server:
        orders = Orders(server)
        for _ in range(count + 1):
            orders.preview()
        before = count + 1
        again = orders.waiting[-1]
        fifty = order_arguments(items=fifty_lines())
        works: dict[str, Callable[[], float]] = {
            KINDS[0]: lambda: server.timed("preview_order", order_arguments())[0],
            KINDS[1]: lambda: server.timed("preview_order", fifty)[0],
            KINDS[2]: orders.create,
            KINDS[3]: lambda: server.timed("create_order", again)[0],
        }
        for _ in range(count):
            for kind, work in works.items():
                kinds.append(kind)
                walls.append(work())
    timed = json.loads(file.read_text("utf-8"))[before:]
    assert len(timed) == len(kinds)
    found = {
        kind: [
            call | {"outside": wall - call["tool"]}
            for call, wall, of_kind in zip(timed, walls, kinds, strict=True)
            if of_kind == kind
        ][count // 4 :]
        for kind in KINDS
    }
    return {"phases": _table(found)}


LOADED = {
    "the bare SDK, loaded": ("mcp.server",),
    "our modules, loaded at the start": ("xportcn_server.app",),
    "our modules, loaded at the first call": ("xportcn_server.parts", "xportcn_tools.desk.desk"),
    "httpx, loaded at the first call": ("httpx",),
    "stamina, loaded at the first call": ("stamina",),
}
_MEASURES = """
import importlib, sys
def resident():
    return int(open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]) / 1024
before = 0
for step in sys.argv[1:]:
    for module in step.split():
        importlib.import_module(module)
    now = resident()
    print(now - before)
    before = now
"""


def loaded(place: Place, sizes: Sizes) -> Measured:
    """MB that loading modules takes, one after another in a process that does nothing else; and the rest."""
    words = [sys.executable, "-c", _MEASURES, *map(" ".join, LOADED.values())]
    runs = [
        list(map(float, subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()))
        for _ in range(5)
    ]
    found = dict(zip(LOADED, map(statistics.median, zip(*runs, strict=True)), strict=True))
    with place.ours(place.folder / "loaded.sqlite3") as server:
        result = server.timed("preview_order", order_arguments())[1]
        whole = _after_calls(server, sizes)
    with place.bare(place.answer("loaded", result)) as server:
        served = _after_calls(server, sizes) - found["the bare SDK, loaded"]
    found["what it takes to serve with it"] = served
    found["all else: certificates, SQLite, tools, products"] = whole - sum(found.values())
    lines = [["MB", "resident"], ["---", "---:"], *([name, f"{each:.1f}"] for name, each in found.items())]
    lines.append(["**the whole process after a few calls**", f"{whole:.1f}"])
    return {"loaded": "\n".join(f"| {' | '.join(line)} |" for line in lines)}


def _after_calls(server: StdioServer, sizes: Sizes) -> float:
    for _ in range(sizes.rounds):
        server.timed("preview_order", order_arguments())
    return server.resident_bytes() / 2**20


def _table(found: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: a row for each phase, a column for each kind of call."""
    named = [phase for phase in PHASES if phase != "tool"]
    rows: dict[str, Callable[[dict[str, float]], float]] = {
        "client, pipes and the SDK around the tool": lambda call: call["outside"],
        **{phase: lambda call, phase=phase: call.get(phase, 0.0) for phase in named},
        "all else within the tool": lambda call: call["tool"] - sum(call.get(each, 0.0) for each in named),
        "**the whole call**": lambda call: call["tool"] + call["outside"],
    }
    lines = [["milliseconds", *found], ["---", *["---:"] * len(found)]]
    for name, value in rows.items():
        medians = [statistics.median(map(value, calls)) for calls in found.values()]
        lines.append([name, *(f"{each:.2f}" if each else "–" for each in medians)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
