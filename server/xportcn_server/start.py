"""What is looked at before the server starts."""

import logging

import anyio

from xportcn_server.app import ledger_of
from xportcn_server.settings import Settings
from xportcn_tools.ledger.ledger import LedgerUnavailableError

logger = logging.getLogger(__name__)


def warn_of_unknown_names(settings: Settings) -> None:
    """A misspelt setting has no effect; that must not pass in silence."""
    for name in settings.unknown_names:
        logger.warning("%s is not a setting of this program and has no effect: is it misspelt?", name)


def check_ledger(settings: Settings) -> None:
    """Open the ledger once, so that one of a newer program stops the start.

    Raises:
        NewerLedgerError: this program must not touch it.
    """

    async def look() -> None:
        ledger = ledger_of(settings)
        try:
            await ledger.open()
        except LedgerUnavailableError:
            return  # the lifespan logs it, and each call answers `ledger_unavailable` until it is back
        finally:
            await ledger.aclose()

    anyio.run(look)
