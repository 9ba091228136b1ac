"""The month's orders as a table, for a spreadsheet: the rows of `xportcn-mcp orders export`."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import datetime, tzinfo

from xportcn_tools.clock import start_of_day
from xportcn_tools.desk.export import COLUMNS, cell, export_rows
from xportcn_tools.ledger.ledger import Ledger, OrderQuery

AT_ONCE = 200  # orders in memory


async def month_csv(ledger: Ledger, caller: str | None, now: datetime, zone: tzinfo) -> AsyncIterator[bytes]:
    """UTF-8 with a byte order mark, newest first, from the first day of the month that `now` is in."""
    first = now.astimezone(zone).date().replace(day=1)
    query = OrderQuery(caller, since=start_of_day(first, zone), limit=AT_ONCE)
    yield "\ufeff".encode() + _line(list(COLUMNS))
    while found := await ledger.receipts(query):
        for each in found:
            for row in export_rows(each, zone):
                yield _line([cell(name, value) for name, value in asdict(row).items()])
        query = replace(query, before=found[-1].order.out_order_id)


def _line(values: list[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(values)
    return line.getvalue().encode()
