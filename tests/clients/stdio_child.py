"""A tiny server that test_stdio.py runs as a process of its own: `stdio_child.py DIARY PORT`.

What it does goes line by line into the file DIARY; `wait_shielded` and `wait` report to PORT and wait there.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp.server import MCPServer

from xportcn_server.stdio.pipes import take_wire
from xportcn_server.stdio.serving import run_stdio

DIARY = Path(sys.argv[1])
PORT = int(sys.argv[2])


def note(entry: str) -> None:
    with DIARY.open("a", encoding="utf-8") as diary:
        diary.write(entry + "\n")


@asynccontextmanager
async def lifespan(_server: MCPServer[Any]) -> AsyncGenerator[None]:
    print("stray: lifespan begins")
    if "fail" in sys.argv[3:]:
        raise LookupError("the ledger is of a newer version")
    try:
        yield
    finally:
        print("stray: lifespan ends")
        note("lifespan ended")


wire = take_wire()
logging.basicConfig(stream=sys.stderr)  # else the SDK's rich handler exits with 1 where stderr is broken
print("stray: before serving")
server = MCPServer("child", lifespan=lifespan)


@server.tool()
def noisy() -> str:
    print("stray: a tool")
    os.write(1, b"stray: the descriptor\n")
    subprocess.run([sys.executable, "-c", "print('stray: a child process')"], check=True)
    return f"stdin held {sys.stdin.read()!r}"


@server.tool()
def length(text: str) -> int:
    return len(text)


@server.tool()
def repeat(text: str, times: int) -> str:
    return text * times


@server.tool()
async def wait_shielded() -> str:
    async with await anyio.connect_tcp("127.0.0.1", PORT) as person:
        with anyio.CancelScope(shield=True):
            await person.send(b"waiting shielded\n")
            await person.receive()
            note("recorded")
    return "done"


@server.tool()
async def wait() -> str:
    async with await anyio.connect_tcp("127.0.0.1", PORT) as person:
        await person.send(b"waiting\n")
        try:
            await person.receive()
        finally:
            note("cancelled")
            with anyio.CancelScope(shield=True):
                await person.send(b"cancelled\n")
    return "done"


@server.tool()
def arm() -> None:
    """Have SIGTERM hit the thread that reads, at a moment that the test chooses."""

    def fire() -> None:
        with socket.create_connection(("127.0.0.1", PORT)) as person:
            person.recv(1)
        reader = next(thread for thread in threading.enumerate() if thread.name == "mcp-stdin")
        signal.pthread_kill(reader.ident or 0, signal.SIGTERM)

    threading.Thread(target=fire, daemon=True).start()


try:
    run_stdio(server, wire)
except LookupError as error:
    print(f"refused: {error}", file=sys.stderr)
    sys.exit(2)
finally:
    print("stray: after serving")
