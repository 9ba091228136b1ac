"""Stands where the language model would be, in each Python driver beside this file: what a framework shows
its model goes out on stdout, a JSON object a line, and the model's next call comes in on stdin.

The last argument of the command line says where the server is: `{"command", "args", "env"}` or `{"url"}`.
"""

import asyncio
import json
import os
import sys
from typing import Any

_out = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # what a framework prints for people goes to stderr

server: dict[str, Any] = json.loads(sys.argv[-1]) if sys.argv[-1].startswith("{") else {}


def say(**shown: Any) -> dict[str, Any] | None:
    """Show something, and wait for what comes back; None at the end."""
    print(json.dumps(shown, default=str), file=_out, flush=True)
    line = sys.stdin.readline()
    return json.loads(line) if line.strip() else None


async def next_call(**shown: Any) -> dict[str, Any] | None:
    """Show something; the call that the model makes now, `{"tool", "arguments"}`, or None when it is done.

    `tools`: names, descriptions and parameters. `text`, `structured`: of the result of the last call.
    """
    return await asyncio.to_thread(say, **shown)
