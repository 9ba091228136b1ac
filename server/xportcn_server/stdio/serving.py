"""MCP over this process's stdin and stdout: nothing else on its pipes, and a clean end in every case.

The SDK's own stdio (2.3.0, tried) misses both by a little. It gives fd 1 back when serving ends, and what
`print` left in Python's buffer follows when the interpreter exits. SIGTERM kills the process before the
lifespan has ended; SIGINT hangs, for a worker thread is blocked reading stdin; a client that is gone ends in
a traceback.

So the pipes are ours (`pipes`), and fd 0 and 1 never get them back. A signal or a lost client only ends the
inbox, which to the SDK is EOF, the one end that it handles well: it cancels calls under way, lets shielded
ones finish, and ends the lifespan.
"""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp_types import JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

from xportcn_server.stdio.broken_frames import answers
from xportcn_server.stdio.pipes import Inbox, Outbox, Pipes, settle_standard_streams, take_pipes

DRAIN_SECONDS = 1.0  # for the last answers, once the lifespan has ended


def run_stdio(server: MCPServer[Any], pipes: Pipes | None = None) -> None:
    """Serve until the client closes stdin or is gone, or SIGTERM, SIGINT or SIGHUP (SIGBREAK on
    Windows) arrives.

    Returns normally in each case, with the lifespan ended and shielded calls finished. The handlers stay
    installed, so that a second signal cannot cut the interpreter's exit short. Main thread only.

    `pipes` is what `take_pipes` gave, where the caller called it early. The caller has set up logging before
    the server was made: the SDK's own handler (rich) raises SystemExit wherever a line finds stderr broken.

    Raises:
        Exception: what the lifespan raised, taken out of the task groups that wrapped it.

    """
    pipes = pipes or take_pipes()
    inbox = Inbox(pipes.source)
    outbox = Outbox(pipes.sink, on_lost=inbox.end)
    _on_signals(inbox.end)
    try:
        anyio.run(_serve, server, inbox, outbox)
    except BaseExceptionGroup as group:
        raise _innermost(group) from None
    finally:
        settle_standard_streams()
        gc.freeze()  # else the exit looks through every object of every library: 0.3 s instead of 0.03


async def _serve(server: MCPServer[Any], inbox: Inbox, outbox: Outbox) -> None:
    lowlevel = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # no public way
    openings = _Openings(inbox, outbox)
    stdin = cast("anyio.AsyncFile[str]", openings)  # the SDK iterates over the one,
    stdout = cast("anyio.AsyncFile[str]", outbox)  # writes and flushes the other, and no more
    with _awake_at_signals():
        inbox.open()
        outbox.open()
        while not openings.over:
            with anyio.CancelScope() as drain:
                async with stdio_server(stdin, stdout) as (reader, writer):
                    await lowlevel.run(reader, writer, lowlevel.create_initialization_options())
                    drain.deadline = anyio.current_time() + DRAIN_SECONDS


class _Openings:
    """The lines of the inbox that are messages; the others are answered here. They end once where a client
    that has only asked `server/discover` shakes hands after all; from that line on they are another
    connection's.

    The SDK (2.3.0) drops what it cannot read without a word, and the client waits for ever. Its server
    settles on the protocol of the first request and refuses `initialize` from then on, but Vercel's client
    (@ai-sdk/mcp 2.0.99, tried) waits one second for the answer, less than a start takes.
    """

    def __init__(self, inbox: Inbox, outbox: Outbox) -> None:
        self.over = False
        self._inbox = inbox
        self._outbox = outbox
        self._held: str | None = None
        self._undecided = True
        self._discovered = False

    def __aiter__(self) -> "_Openings":
        return self

    async def __anext__(self) -> str:
        line, self._held = self._held, None
        if line is not None:
            return line
        try:
            line, method = await self._message()
        except StopAsyncIteration:
            self.over = True
            raise
        if self._undecided and method == "initialize" and self._discovered:
            self._undecided, self._held = False, line
            raise StopAsyncIteration
        if not method.startswith("notifications/"):
            self._undecided = self._discovered = self._undecided and method == "server/discover"
        return line

    async def _message(self) -> tuple[str, str]:
        """The next line that the SDK can read, with its method: empty for an answer to us."""
        async for line in self._inbox:
            fault = None
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except (ValidationError, ValueError, RecursionError) as error:
                message, fault = None, error
            # To the SDK, a request whose id is no integer and no text is a notification.
            if message is None or isinstance(message, JSONRPCNotification):
                refusals = answers(line, fault)
                for refusal in refusals:
                    await self._outbox.write(refusal)
                if message is None or refusals:
                    continue
            return line, getattr(message, "method", "")
        raise StopAsyncIteration


def _on_signals(end: Callable[[], None]) -> None:
    """Ahead of the event loop, which replaces no handler but Python's own of SIGINT."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        end()

    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, handle)


@contextmanager
def _awake_at_signals() -> Generator[None]:
    """Python runs handlers in the main thread alone, which may sleep while the signal hits another thread:
    a byte in a socket wakes its event loop. The loop of Windows does so by itself.
    """
    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    ear, mouth = socket.socketpair()
    with ear, mouth:
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
