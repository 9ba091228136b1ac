"""Which orders a command is about: the same options for `orders list` and `orders export`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, get_args
from zoneinfo import ZoneInfo

import click

from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import period
from xportcn_tools.ledger.ledger import OrderQuery, State

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
            self.caller,
            states=(self.state,) if self.state else (),
            since=start,
            until=end,
        )


def order_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Options of a command, which gets them as `filters`."""

    @click.option("--since", type=_DATE, metavar="D", help="From this day on (2026-11-25).")
    @click.option("--until", type=_DATE, metavar="D", help="To this day, and with it.")
    @click.option("--state", type=click.Choice(get_args(State)), help="Only orders in this state.")
    @click.option("--caller", metavar="NAME", help="Only this caller's orders.")
    @wraps(command)
    def filtered(
        since: datetime | None, until: datetime | None, state: State | None, caller: str | None, **others: Any
    ) -> None:
        if since and until and since > until:
            raise click.UsageError("--since is a later day than --until")
        command(filters=OrderFilters(since, until, state, caller), **others)

    return filtered
