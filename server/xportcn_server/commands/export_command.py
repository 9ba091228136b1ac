"""`xportcn-mcp orders export`: what was ordered, as a table for a spreadsheet or as JSON lines."""

import csv
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.shared import current_settings, stop, with_ledger
from xportcn_tools.clock import start_of_day
from xportcn_tools.desk.export import COLUMNS, ExportRow, cell, export_rows
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, Receipt, State

_AT_ONCE = 200  # orders in memory
_DATE = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--since", type=_DATE, metavar="D", help="From this day on (2026-11-25).")
@click.option("--until", type=_DATE, metavar="D", help="To this day, and with it.")
@click.option("--state", type=click.Choice(get_args(State)), help="Only orders in this state.")
@click.option("--caller", metavar="NAME", help="Only this caller's orders.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
def export(
    since: datetime | None, until: datetime | None, state: State | None, caller: str | None, form: str
) -> None:
    """Write a row for each line of goods, and for freight, fees and discount of each order. Newest first."""
    settings = current_settings()
    zone = ZoneInfo(settings.timezone)
    query = OrderQuery(
        caller,
        states=(state,) if state else (),
        since=start_of_day(since.date(), zone) if since else None,
        until=start_of_day(until.date() + timedelta(days=1), zone) if until else None,
    )
    write = _csv() if form == "csv" else _json_line

    async def work(ledger: Ledger) -> None:
        with _progress(sum(total.orders for total in await ledger.totals(query))) as progress:
            async for found in _all(ledger, query):
                for row in export_rows(found, zone):
                    write(row)
                progress(1)

    try:
        with_ledger(settings, work)
    except LedgerError as error:
        stop(error, 1)


async def _all(ledger: Ledger, query: OrderQuery) -> AsyncIterator[Receipt]:
    page = replace(query, limit=_AT_ONCE)
    while found := await ledger.receipts(page):
        for each in found:
            yield each
        page = replace(page, before=found[-1].order.out_order_id)


def _csv() -> Callable[[ExportRow], None]:
    """UTF-8 with a byte order mark, by which spreadsheets know it."""
    line = io.StringIO(newline="")
    writer = csv.writer(line)

    def put(values: list[str]) -> None:
        writer.writerow(values)
        _out(line.getvalue())
        line.seek(0)
        line.truncate()

    _out("\ufeff")
    put(list(COLUMNS))
    return lambda row: put([cell(name, value) for name, value in asdict(row).items()])


def _json_line(row: ExportRow) -> None:
    _out(json.dumps(asdict(row), ensure_ascii=False) + "\n")


def _out(text: str) -> None:
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - whatever the console's encoding


@contextmanager
def _progress(orders: int) -> Generator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=orders, label="Exporting", file=sys.stderr) as bar:
        yield bar.update
