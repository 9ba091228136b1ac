"""The page on a loopback port of this machine, and how the owner's browser comes to it.

The address with its one-time code stands in a file that the owner alone can read, and the browser is given
the file: a process list shows no more than its name. The file is deleted when this process ends.
"""

import contextlib
import logging
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Generator
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.lowlevel
import uvicorn

from xportcn_server.http.connections import LimitedConnection
from xportcn_server.page.site import Site
from xportcn_tools.ledger.approvals import Visitor
from xportcn_tools.ledger.ledger import LedgerError

logger = logging.getLogger(__name__)

Browse = Callable[[str], bool]
"""Opens an address in a browser; whether one could be found."""

BROWSER_SECONDS = 5.0
OWNER = Visitor(None)

_REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={url}">
<title>xportcn-mcp</title>
<p><a href="{url}">Open the page</a></p>
"""


class Doorway:
    """Leads the owner's browser to a page that is served at `base_url`. `folder`: for the file."""

    def __init__(self, site: Site, folder: Path, base_url: str = "", browse: Browse | None = None) -> None:
        self.base_url = base_url
        self._site = site
        self._folder = folder
        self._browse = browse or browse_here
        self._files: list[Path] = []
        self._lock = anyio.Lock()
        self._opened: bool | None = None

    async def file(self, *, opened: bool = False) -> Path:
        """A new file that leads to the page, once.

        Raises:
            LedgerError: the ledger cannot be written. OSError: the file cannot.
        """
        code = await self._site.sessions.new_code(OWNER, opened=opened)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"page-{secrets.token_hex(8)}.html"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(_REDIRECT.format(url=f"{self.base_url}/enter/{code}"))
        self._files.append(path)
        return path

    async def open(self) -> bool:
        """Start the browser with such a file; whether there is one."""
        try:
            address = (await self.file(opened=True)).as_uri()
        except (LedgerError, OSError) as error:
            logger.warning("the page could not be opened: %s", error)
            return False
        return await _in_time(lambda: self._browse(address))

    async def open_once(self) -> bool:
        """The same at the first call; after it, whether that call found a browser."""
        async with self._lock:
            if self._opened is None:
                self._opened = await self.open()
            return self._opened

    def close(self) -> None:
        """Delete the files."""
        for path in self._files:
            path.unlink(missing_ok=True)


def browse_here(address: str) -> bool:
    """The person's own browser. One in a terminal does not count: the terminal belongs to the client."""
    with contextlib.suppress(webbrowser.Error):
        found = webbrowser.get()
        if type(found) is webbrowser.GenericBrowser and not os.environ.get("BROWSER"):
            return False
    return webbrowser.open(address)


async def _in_time(work: Callable[[], bool]) -> bool:
    """In a thread that does not keep the process: a browser may run for as long as its window is open."""
    outcome: list[bool] = []
    ended = anyio.Event()
    token = anyio.lowlevel.current_token()

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 - whatever a browser's start breaks, the server goes on
            logger.warning("no browser could be started: %s", type(error).__name__)
            outcome.append(False)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            anyio.from_thread.run_sync(ended.set, token=token)

    threading.Thread(target=run, daemon=True, name="browser").start()
    with anyio.move_on_after(BROWSER_SECONDS):
        await ended.wait()
    return outcome[0] if outcome else True  # one that runs in the foreground is running


class LoopbackServer(uvicorn.Server):
    """Serves the page until `should_exit` is set. Signals are the process's own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def loopback_server(site: Site, port: int = 0) -> tuple[LoopbackServer, socket.socket, str]:
    """A server that is not yet started, the socket for its `serve`, and its base URL. Port 0: a free one.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only where TCP is named
    taken = listener.getsockname()[1]
    hosts = {f"{name}:{taken}" for name in ("127.0.0.1", "localhost")}
    config = uvicorn.Config(
        site.application(hosts.__contains__),
        http=LimitedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # a line would hold the code
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    return LoopbackServer(config), listener, f"http://127.0.0.1:{taken}"
