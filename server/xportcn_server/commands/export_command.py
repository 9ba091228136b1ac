"""`xportcn-mcp orders export`: what was ordered, as a table for a spreadsheet or as JSON lines."""

import json
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.shared import current_settings, progress_bar, stop, with_ledger
from xportcn_tools.clock import start_of_day
from xportcn_tools.desk.csv_table import HEAD, csv_row, every_receipt
from xportcn_tools.desk.export import ExportRow, export_rows
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, State

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
    line_of, head = (csv_row, HEAD) if form == "csv" else (_json_row, "")

    async def work(ledger: Ledger) -> None:
        _out(head)
        orders = sum(total.orders for total in await ledger.totals(query))
        with progress_bar("Exporting", orders) as progress:
            async for found in every_receipt(ledger, query):
                for row in export_rows(found, zone):
                    _out(line_of(row))
                progress(1)

    try:
        with_ledger(settings, work)
    except LedgerError as error:
        stop(error, 1)


def _json_row(row: ExportRow) -> str:
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def _out(text: str) -> None:
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - whatever the console's encoding
