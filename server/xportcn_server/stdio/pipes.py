"""The two pipes of MCP over stdio, kept from everything else: one thread reads, another writes.

Daemon threads, not the event loop: no loop can wait for a pipe on every system, and a thread of the usual
kind that is blocked in a read, or in a write to a client that stopped reading, would hold up the exit.

Imports the standard library alone, so that the pipes can be taken before anything else is imported.
"""

import asyncio
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

READ_AHEAD_LINES = 64  # then the client has to wait, as with a full pipe
CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Pipes:
    """The two ends of MCP, as descriptors that nothing else in the process or its children knows."""

    source: int
    sink: int


def take_pipes() -> Pipes:
    """Take stdin and stdout away from everything else for the rest of the process's life; call it once.

    Call it before imports that might print. Afterwards fd 0 reads as empty and fd 1 is stderr, for
    Python, for C libraries and for child processes.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:  # the parent closed it: fill it, lest the next file opened becomes "stdout"
            os.open(os.devnull, os.O_RDWR)
    pipes = Pipes(source=os.dup(0), sink=os.dup(1))
    if sys.platform != "win32":
        os.set_blocking(pipes.source, True)  # some parents share a non-blocking pipe
        os.set_blocking(pipes.sink, True)
    _point_nowhere(0, os.O_RDONLY)
    os.dup2(2, 1)
    if sys.platform == "win32":  # where children inherit handles, not descriptors
        from mcp.os.win32.utilities import rebind_std_handle_to_fd  # noqa: PLC0415  # it may print by now

        for fd in (0, 1):
            with suppress(OSError):
                rebind_std_handle_to_fd(fd)
    return pipes


class Inbox:
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

    def __aiter__(self) -> "Inbox":
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


class Outbox:
    """Text to a descriptor, written by a daemon thread; `on_lost` is called once nobody can read it."""

    def __init__(self, sink: int, on_lost: Callable[[], None]) -> None:
        self._sink = sink
        self._on_lost = on_lost
        self._jobs: queue.SimpleQueue[tuple[bytes, Future[bool]]] = queue.SimpleQueue()

    def open(self) -> None:
        threading.Thread(target=self._pump, name="mcp-stdout", daemon=True).start()

    async def write(self, text: str) -> None:
        """Return when `text` has left the process, or nobody can read it any more."""
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
    except OSError:  # a terminal that hung up, a pipe that broke: nothing more will come
        return b""


def _write_all(sink: int, data: bytes) -> bool:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(sink, rest) :]
    except OSError:  # EPIPE, on Windows EINVAL: the client is gone
        return False
    return True


def _point_nowhere(fd: int, flags: int) -> None:
    nowhere = os.open(os.devnull, flags)
    os.dup2(nowhere, fd)
    os.close(nowhere)


def settle_standard_streams() -> None:
    """Drop text that cannot be delivered, else the interpreter exits with 120 instead of 0."""
    for fd, stream in ((1, sys.__stdout__), (2, sys.__stderr__)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _point_nowhere(fd, os.O_WRONLY)
