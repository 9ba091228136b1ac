"""`python timed_server.py OUT`: `xportcn-mcp serve` with a watch on each phase of its calls, for phases.py.

OUT gets JSON as the server ends: for each call of a tool, in order, the milliseconds of each phase, and of the
whole call under "tool".
"""

import atexit
import functools
import inspect
import json
import sys
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

from xportcn_server.commands.cli import main

READING = "reading the answer"
PHASES: dict[str, tuple[str, ...]] = {
    "reading the arguments": (
        "mcp.server.mcpserver.utilities.func_metadata FuncMetadata.validate_arguments",
    ),
    "the exchange with the upstream": (
        "xportcn_tools.upstream.client UpstreamClient.preview",
        "xportcn_tools.upstream.client UpstreamClient.create",
    ),
    READING: (
        "xportcn_tools.desk.pricing read_preview",
        "xportcn_tools.desk.pricing read_quote",
        "xportcn_tools.desk.pricing named",
        "xportcn_tools.desk.pricing held_against_list_prices",
        "xportcn_tools.desk.sending sort_create",
    ),
    "ledger: how things stand": ("xportcn_tools.ledger.sql SqlLedger.standing",),
    "ledger: earlier orders, and the preview or the claim to the disk": (
        "xportcn_tools.ledger.sql SqlLedger.offer",
        "xportcn_tools.ledger.sql SqlLedger.claim",
    ),
    "ledger: the outcome to the disk": ("xportcn_tools.ledger.sql SqlLedger.record",),
    "making the result": (
        "xportcn_tools.desk.present preview_result",
        "xportcn_tools.desk.present order_result",
        "xportcn_tools.tool text_of",
        "xportcn_tools.results Envelope.model_dump",
    ),
    "tool": ("xportcn_tools.sdk_tool SdkTool.run",),
}
"""No two of them hold one another, but for the last, which holds all."""

calls: list[dict[str, float]] = []
_running: dict[str, float] = defaultdict(float)


def _took(phase: str, began: float) -> None:
    _running[phase] += (time.perf_counter() - began) * 1000
    if phase == "tool":
        calls.append(dict(_running))
        _running.clear()


def _watch(phase: str, place: str) -> None:
    module, _, path = place.partition(" ")
    owner: Any = import_module(module)
    *above, name = path.split(".")
    owner = functools.reduce(getattr, above, owner)
    work = getattr(owner, name)

    @functools.wraps(work)
    async def awaited(*values: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return await work(*values, **named)
        finally:
            _took(phase, began)

    @functools.wraps(work)
    def called(*values: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*values, **named)
        finally:
            _took(phase, began)

    setattr(owner, name, awaited if inspect.iscoroutinefunction(work) else called)


if __name__ == "__main__":
    for watched, places in PHASES.items():
        for each in places:
            _watch(watched, each)
    atexit.register(lambda: Path(sys.argv[1]).write_text(json.dumps(calls), encoding="utf-8"))
    main(["serve"])
