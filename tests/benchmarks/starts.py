"""`PYTHONPATH=tests python -m benchmarks.starts [ROUNDS]`: from the start of the process to the answer of `initialize`, and on.

Our server and the bare SDK take turns. Wall time; and CPU time of the process, which other programs on the
machine disturb less. `tools/list` is the time at which that answer is there, from the start.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.over_http import INITIALIZE

BARE = """
from typing import Any
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
async def preview_order(items: list[dict[str, Any]], address: dict[str, Any], flow: str) -> dict[str, Any]:
    return {}
server.run("stdio")
"""
PROGRAMS = {"bare SDK": ["-c", BARE], "xportcn-mcp": ["-m", "xportcn_server"]}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


def cpu_ms(process: int) -> float:
    """What all threads of a process have used so far (Linux)."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e6


def start(folder: Path, words: list[str]) -> tuple[float, float, float]:
    """Milliseconds: wall and CPU until `initialize` is answered, wall until `tools/list` is."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    environ["XPORTCN_LEDGER"] = str(folder / "ledger.sqlite3")
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    ) as process:
        assert process.stdin
        assert process.stdout
        took: list[float] = []
        used = 0.0
        for messages in ((INITIALIZE,), (INITIALIZED, LIST)):
            process.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in messages))
            process.stdin.flush()
            assert "result" in json.loads(process.stdout.readline())
            took.append((time.perf_counter() - began) * 1000)
            used = used or cpu_ms(process.pid)
        process.stdin.close()
    return took[0], used, took[1]


def main(rounds: int) -> None:
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as folder:
        for words in PROGRAMS.values():
            start(Path(folder), words)
        for _ in range(rounds):
            for name, words in PROGRAMS.items():
                found[name].append(start(Path(folder), words))
    bare = found["bare SDK"]
    for name, starts in found.items():
        middle = [statistics.median(each) for each in zip(*starts, strict=True)]
        ratios = [
            statistics.median(one[at] / floor[at] for one, floor in zip(starts, bare, strict=True))
            for at in range(3)
        ]
        figures = zip(("initialize", "CPU", "tools/list"), middle, ratios, strict=True)
        print(f"{name:12}", *(f"{what} {value:6.0f} ms ({ratio:.3f})" for what, value, ratio in figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
