"""Starting: what is looked at before the server serves, then the transport."""

import logging

import anyio

from xportcn_server.app import build_server, ledger_of
from xportcn_server.settings import Settings
from xportcn_server.stdio import run_stdio
from xportcn_server.wire import Wire
from xportcn_tools.ledger.ledger import LedgerUnavailableError, NewerLedgerError

logger = logging.getLogger(__name__)


class StartError(Exception):
    """Why the server does not start, in one line."""


def serve_over_stdio(settings: Settings, wire: Wire) -> None:
    """Serve the local user until the client ends it.

    Raises:
        StartError: the ledger is a newer program's.
    """
    look_before(settings)
    run_stdio(build_server(settings), wire)


def look_before(settings: Settings) -> None:
    """Name misspelt settings in the log, and refuse a ledger of a newer program.

    Raises:
        StartError: the ledger must not be touched by this program.
    """
    for name in settings.unknown_names:
        logger.warning("%s is not a setting of this program and has no effect: is it misspelt?", name)
    try:
        anyio.run(_open_once, settings)
    except NewerLedgerError as error:
        raise StartError(f"the ledger cannot be used: {error}") from error


async def _open_once(settings: Settings) -> None:
    """Open the ledger once, so that one of a newer program stops the start."""
    ledger = ledger_of(settings)
    try:
        await ledger.open()
    except LedgerUnavailableError:
        return  # the lifespan logs it, and each call answers `ledger_unavailable` until it is back
    finally:
        await ledger.aclose()
