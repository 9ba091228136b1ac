"""`xportcn-mcp orders export`: what was ordered, as a table for a spreadsheet or as JSON lines."""

import json
import sys
from dataclasses import asdict
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.order_filters import OrderFilters, order_filters
from xportcn_server.commands.shared import current_settings, progress_bar, with_ledger
from xportcn_tools.desk.csv_table import HEAD, csv_row, every_receipt
from xportcn_tools.desk.export import ExportRow, export_rows
from xportcn_tools.ledger.ledger import Ledger


@click.command()
@order_filters
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
def export(filters: OrderFilters, form: str) -> None:
    """Write the orders as a table. A row for each line of goods, and for freight, fees and discount of each
    order; newest first.

    Orders of every state are in it. For what is to be paid, use --state placed.
    """
    settings = current_settings()
    zone, query = ZoneInfo(settings.timezone), filters.query(settings)
    line_of, head = (csv_row, HEAD) if form == "csv" else (_json_row, "")

    async def work(ledger: Ledger) -> None:
        _out(head)
        orders = sum(total.orders for total in await ledger.totals(query))
        with progress_bar("Exporting", orders) as progress:
            async for found in every_receipt(ledger, query):
                for row in export_rows(found, zone):
                    _out(line_of(row))
                progress(1)

    with_ledger(settings, work)


def _json_row(row: ExportRow) -> str:
    return json.dumps(asdict(row), ensure_ascii=False) + "\n"


def _out(text: str) -> None:
    sys.stdout.buffer.write(text.encode())  # noqa: TID251 - whatever the console's encoding
