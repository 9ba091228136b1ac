"""Which orders a command is about: the same options for `orders list` and `orders export`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.shared import with_ledger
from xportcn_server.http.callers import OAUTH_PREFIX, PREFIX
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import period
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, State

_DATE = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True)
class OrderFilters:
    """As they were given; days are the owner's."""

    since: datetime | None = None
    until: datetime | None = None
    state: State | None = None
    caller: str | None = None

    def query(self, settings: Settings) -> OrderQuery:
        first, last = (day.date() if day else None for day in (self.since, self.until))
        start, end = period(first, last, ZoneInfo(settings.timezone))
        return OrderQuery(
            _as_recorded(settings, self.caller) if self.caller else None,
            states=(self.state,) if self.state else (),
            since=start,
            until=end,
        )


def _as_recorded(settings: Settings, name: str) -> str:
    """The caller as the ledger has it. `name`: that, or a name of the callers' file, or ISS|SUB."""

    async def look(ledger: Ledger) -> str:
        for each in (name, f"{PREFIX}{name}", f"{OAUTH_PREFIX}{name}"):
            if await ledger.orders(OrderQuery(each, limit=1)):
                return each
        return name

    return with_ledger(settings, look)


def order_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Options of a command, which gets them as `filters`."""

    @click.option("--since", type=_DATE, metavar="D", help="From this day on (2026-11-25).")
    @click.option("--until", type=_DATE, metavar="D", help="To this day, and with it.")
    @click.option("--state", type=click.Choice(get_args(State)), help="Only orders in this state.")
    @click.option(
        "--caller",
        metavar="NAME",
        help="Only this caller's orders: local, a name of the callers' file, or ISS|SUB.",
    )
    @wraps(command)
    def filtered(
        since: datetime | None, until: datetime | None, state: State | None, caller: str | None, **others: Any
    ) -> None:
        if since and until and since > until:
            raise click.UsageError("--since is a later day than --until")
        command(filters=OrderFilters(since, until, state, caller), **others)

    return filtered
