"""Erases the personal data of old orders, and of previews that became none: at the start, then once a day."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio

from xportcn_tools.ledger.ledger import Ledger, LedgerError

logger = logging.getLogger(__name__)

_DAY = 24 * 3600


@asynccontextmanager
async def keeping(ledger: Ledger, days: int) -> AsyncGenerator[None]:
    """Erase in the background while the server runs what is older than `days`."""
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_erase, ledger, timedelta(days=days))
            try:
                yield
            finally:
                group.cancel_scope.cancel()
    except ExceptionGroup as failed:  # what ends the server, as it was before the group wrapped it
        raise failed.exceptions[0] from failed.exceptions[0].__cause__


async def _erase(ledger: Ledger, retention: timedelta) -> None:
    while True:
        erased = 0
        try:
            while some := await ledger.erase_old(retention):
                erased += some
        except LedgerError as error:
            logger.info("old personal data is erased tomorrow: %s", error)
        if erased:
            logger.warning("the personal data of %d old orders and previews was erased", erased)
        await anyio.sleep(_DAY)
