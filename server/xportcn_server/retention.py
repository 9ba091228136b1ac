"""Erases the personal data of old orders, and of previews that became none: at the start, then once a day."""

import logging
from datetime import timedelta

import anyio

from xportcn_tools.ledger.ledger import Ledger, LedgerError

logger = logging.getLogger(__name__)

_DAY = 24 * 3600


async def erase_daily(ledger: Ledger, days: int) -> None:
    """Erase what is older than `days`, until cancelled."""
    while True:
        erased = 0
        try:
            while some := await ledger.erase_old(timedelta(days=days)):
                erased += some
        except LedgerError as error:
            logger.info("old personal data is erased tomorrow: %s", error)
        if erased:
            logger.warning("the personal data of %d old orders and previews was erased", erased)
        await anyio.sleep(_DAY)
