"""`xportcn-mcp page`: the page for people, on a loopback port of this machine."""

import contextlib
import signal
import sys
from functools import partial

import anyio
import click

from xportcn_server.commands.shared import current_settings, stop, tell
from xportcn_server.parts import data_folder, ledger_of, policy_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.ledger.ledger import LedgerError


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1; 0: one that is free.")
@click.option("--no-browser", is_flag=True, help="Print where the page is instead of opening it.")
def page(port: int, *, no_browser: bool) -> None:
    """Open the page for people. Say yes or no, see orders, end what is unknown. Ctrl-C ends it."""
    settings = current_settings()
    try:
        anyio.run(show_page, settings, port, not no_browser)
    except (LedgerError, OSError) as error:
        stop(error, 1)
    except KeyboardInterrupt:
        sys.exit(130)


async def show_page(settings: Settings, port: int, browser: bool) -> None:
    """Serve the page until a signal ends it.

    Raises:
        LedgerError: the ledger cannot be used. OSError: the port is taken, or the file cannot be written.
    """
    from xportcn_server.page.opening import Doorway, loopback_server  # noqa: PLC0415
    from xportcn_server.page.site import Site  # noqa: PLC0415

    ledger = ledger_of(settings)
    site = Site(ledger, policy_of(settings), settings)
    try:
        await ledger.open()
        server, listener, url = loopback_server(site, port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, partial(_end, server))
        doorway = Doorway(site, data_folder(settings), url)
        with contextlib.closing(doorway):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, [listener])
                if not (browser and await doorway.open()):
                    file = await doorway.file()
                    tell("Open this file in your browser, within ten minutes: {file}", file=file)
                tell("The page is at {url}/ until you end this command (Ctrl-C).", url=url)
    finally:
        await ledger.aclose()


def _end(server: object, *_: object) -> None:
    setattr(server, "should_exit", True)  # noqa: B010
