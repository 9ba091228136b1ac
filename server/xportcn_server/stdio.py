"""MCP over this process's stdin and stdout: nothing else on the wire, and a clean end however it comes.

The SDK's own stdio (2.3.0, tried) misses both by a little. It gives fd 1 back to the wire when serving
ends, and what `print` left in Python's buffer follows when the interpreter exits. SIGTERM kills the
process before the lifespan has ended; SIGINT hangs, for a worker thread is blocked reading stdin; a
client that is gone ends in a traceback. So this module owns the wire:

- `take_wire` moves both pipes to private descriptors for good; fd 0 is empty and fd 1 is stderr from then on.
- `_Inbox` reads in a daemon thread. A signal or a lost client only ends the inbox: to the SDK it is EOF,
  the one end that it handles well. It cancels calls under way, lets shielded ones finish, ends the lifespan.
- `_Outbox` writes in a daemon thread, so that a client that stopped reading cannot hold up the end.
"""

import asyncio
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, cast

import anyio
from mcp.os.win32.utilities import rebind_std_handle_to_fd
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

READ_AHEAD_LINES = 64  # then the client has to wait, as with a full pipe
CHUNK_BYTES = 65_536
DRAIN_SECONDS = 1.0  # for the last answers, once the lifespan has ended


@dataclass(frozen=True)
class Wire:
    """The two ends of MCP, as descriptors that nothing else in the process or its children knows."""

    source: int
    sink: int


def take_wire() -> Wire:
    """Move stdin and stdout out of everybody's reach for the rest of the process's life; call it once.

    Call it before imports that might print. Afterwards fd 0 reads as empty and fd 1 is stderr, for
    Python, for C libraries and for child processes.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:  # the parent closed it: fill it, lest the next file opened becomes "stdout"
            os.open(os.devnull, os.O_RDWR)
    wire = Wire(source=os.dup(0), sink=os.dup(1))
    if sys.platform != "win32":
        os.set_blocking(wire.source, True)  # some parents share a non-blocking pipe
        os.set_blocking(wire.sink, True)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    for fd in (0, 1):
        with suppress(OSError):
            rebind_std_handle_to_fd(fd)  # Windows: children inherit handles, not descriptors
    return wire


def run_stdio(server: MCPServer[Any], wire: Wire | None = None) -> None:
    """Serve until the client closes stdin or is gone, or SIGTERM or SIGINT (SIGBREAK on Windows) arrives.

    Returns normally in each case, with the lifespan ended and shielded calls finished. The handlers stay
    installed, so that a second signal cannot cut the interpreter's exit short. Main thread only.

    Args:
        server: the server; its lifespan starts and ends here.
        wire: what `take_wire` gave, where the caller took it early; else it is taken now.

    Raises:
        Exception: what the lifespan raised, taken out of the task groups that wrapped it.

    """
    wire = wire or take_wire()
    inbox = _Inbox(wire.source)
    outbox = _Outbox(wire.sink, on_lost=inbox.end)
    _on_signals(inbox.end)
    try:
        anyio.run(_serve, server, inbox, outbox)
    except BaseExceptionGroup as group:
        raise _innermost(group) from None
    finally:
        _settle_standard_streams()


async def _serve(server: MCPServer[Any], inbox: "_Inbox", outbox: "_Outbox") -> None:
    lowlevel = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no public way
    stdin = cast("anyio.AsyncFile[str]", inbox)  # the SDK iterates over the one,
    stdout = cast("anyio.AsyncFile[str]", outbox)  # writes and flushes the other, and no more
    with _awake_at_signals(), anyio.CancelScope() as drain:
        inbox.open()
        outbox.open()
        async with stdio_server(stdin, stdout) as (reader, writer):
            await lowlevel.run(reader, writer, lowlevel.create_initialization_options())
            drain.deadline = anyio.current_time() + DRAIN_SECONDS


class _Inbox:
    """Lines from a descriptor, read by a daemon thread; over at EOF or at `end`, whichever is first."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()  # None: the end
        self._room = threading.Semaphore(READ_AHEAD_LINES)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump, name="mcp-stdin", daemon=True).start()

    def end(self) -> None:
        """End now, so that no call that waits unread begins. Safe in a signal handler, and repeatedly."""
        self._ended = True
        self._hand_over(None)

    def __aiter__(self) -> "_Inbox":
        return self

    async def __anext__(self) -> str:
        line = None if self._ended else await self._lines.get()
        if line is None or self._ended:
            raise StopAsyncIteration
        self._room.release()
        return line

    def _pump(self) -> None:
        for line in _lines_of(self._source):
            self._room.acquire()
            self._hand_over(line)
        self._hand_over(None)

    def _hand_over(self, line: str | None) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: serving is over
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line)


class _Outbox:
    """Text to a descriptor, written by a daemon thread; `on_lost` is called once nobody can read it."""

    def __init__(self, sink: int, on_lost: Callable[[], None]) -> None:
        self._sink = sink
        self._on_lost = on_lost
        self._jobs: queue.SimpleQueue[tuple[bytes, Future[bool]]] = queue.SimpleQueue()

    def open(self) -> None:
        threading.Thread(target=self._pump, name="mcp-stdout", daemon=True).start()

    async def write(self, text: str) -> None:
        """Return when `text` has left the process, or can reach nobody any more."""
        written = Future[bool]()
        self._jobs.put((text.encode(), written))
        if not await asyncio.wrap_future(written):
            self._on_lost()

    async def flush(self) -> None:
        """Nothing is held back."""

    def _pump(self) -> None:
        while True:
            data, written = self._jobs.get()
            if written.set_running_or_notify_cancel():
                written.set_result(_write_all(self._sink, data))


def _lines_of(source: int) -> Iterator[str]:
    """Lines of UTF-8, without their ends, however long and however cut into chunks."""
    parts: list[bytes] = []
    while chunk := _read(source):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield b"".join([*parts, part]).decode(errors="replace")
            parts.clear()
        if rest:
            parts.append(rest)
    if parts:
        yield b"".join(parts).decode(errors="replace")


def _read(source: int) -> bytes:
    try:
        return os.read(source, CHUNK_BYTES)
    except OSError:  # a terminal that hung up, a pipe that broke: nobody will say more
        return b""


def _write_all(sink: int, data: bytes) -> bool:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(sink, rest) :]
    except OSError:  # EPIPE, on Windows EINVAL: the client is gone
        return False
    return True


def _on_signals(end: Callable[[], None]) -> None:
    """Ahead of the event loop, which replaces no handler but Python's own of SIGINT."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        end()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, handle)


@contextmanager
def _awake_at_signals() -> Generator[None]:
    """Python runs handlers in the main thread alone, which may sleep while the signal hits another thread.

    So a byte in a socket wakes the event loop, from whichever thread; the loop of Windows does so by itself.
    """
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    ear, mouth = socket.socketpair()
    with ear, mouth:
        ear.setblocking(False)
        mouth.setblocking(False)
        loop.add_reader(ear, ear.recv, 64)
        signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            loop.remove_reader(ear)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        if len(group.exceptions) != 1:
            return group
        error = group.exceptions[0]
    return error


def _settle_standard_streams() -> None:
    """Let go of text that nobody can read any more, else the interpreter exits with 120 instead of 0."""
    for fd, stream in ((1, sys.__stdout__), (2, sys.__stderr__)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, fd)
            os.close(nowhere)
