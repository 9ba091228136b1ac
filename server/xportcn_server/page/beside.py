"""The page beside a server on stdio: started where a yes is needed that the client cannot show."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    import socket

    from xportcn_server.page.opening import Browse, LoopbackServer
    from xportcn_server.page.site import Site

logger = logging.getLogger(__name__)


@asynccontextmanager
async def page_beside(
    site: "Callable[[], Site]", folder: Path, browse: "Browse | None" = None
) -> AsyncGenerator[Callable[[], Awaitable[bool]]]:
    """For the life of a server: what starts the page at the first call, and says whether a browser shows it.

    `site` is made with it: Jinja2 is loaded then.
    """
    lock = anyio.Lock()
    opened: bool | None = None

    async def start() -> bool:
        from xportcn_server.page.opening import Doorway, loopback_server  # noqa: PLC0415 - most never need it

        try:
            page = site()
            server, listener, url = loopback_server(page)
        except OSError as error:
            logger.warning("the page could not be started: %s", error)
            return False
        tasks.start_soon(_served, server, listener)
        at_end.callback(setattr, server, "should_exit", True)
        doorway = Doorway(page, folder, url, browse)
        at_end.callback(doorway.close)
        return await doorway.open()

    async def open_page() -> bool:
        nonlocal opened
        async with lock:
            if opened is None:
                opened = await start()
            return opened

    async with anyio.create_task_group() as tasks, AsyncExitStack() as at_end:
        yield open_page


async def _served(server: "LoopbackServer", listener: "socket.socket") -> None:
    with listener:  # a cancelled server leaves it open
        await server.serve([listener])
