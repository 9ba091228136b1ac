"""The page beside a server on stdio: started where a yes is needed that the client cannot show."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

if TYPE_CHECKING:
    import socket

    from xportcn_server.page.opening import Browse, LoopbackServer
    from xportcn_server.page.site import Site

logger = logging.getLogger(__name__)


class PageBeside:
    """Starts the page at the first call, and opens the browser once."""

    def __init__(
        self,
        site: "Callable[[], Site]",
        folder: Path,
        browse: "Browse | None",
        tasks: TaskGroup,
        at_end: AsyncExitStack,
    ) -> None:
        self._site = site
        self._folder = folder
        self._browse = browse
        self._tasks = tasks
        self._at_end = at_end
        self._lock = anyio.Lock()
        self._opened: bool | None = None

    async def open(self) -> bool:
        """Whether the page has been opened on this machine."""
        async with self._lock:
            if self._opened is None:
                self._opened = await self._open()
            return self._opened

    async def _open(self) -> bool:
        from xportcn_server.page.opening import Doorway, loopback_server  # noqa: PLC0415 - most never need it

        try:
            site = self._site()
            server, listener, url = loopback_server(site)
        except OSError as error:
            logger.warning("the page could not be started: %s", error)
            return False
        self._tasks.start_soon(_served, server, listener)
        self._at_end.callback(setattr, server, "should_exit", True)
        doorway = Doorway(site, self._folder, url, self._browse)
        self._at_end.callback(doorway.close)
        return await doorway.open()


async def _served(server: "LoopbackServer", listener: "socket.socket") -> None:
    with listener:  # a cancelled server leaves it open
        await server.serve([listener])


@asynccontextmanager
async def page_beside(
    site: "Callable[[], Site]", folder: Path, browse: "Browse | None" = None
) -> AsyncGenerator[PageBeside]:
    """For the life of a server. `site` is made at the first call: Jinja2 is loaded with it."""
    async with anyio.create_task_group() as tasks, AsyncExitStack() as at_end:
        yield PageBeside(site, folder, browse, tasks, at_end)
