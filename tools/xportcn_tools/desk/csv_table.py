"""Orders as a CSV table for a spreadsheet: read from the ledger a page at a time, newest first."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, replace
from datetime import tzinfo

from xportcn_tools.desk.export import COLUMNS, ExportRow, cell, export_rows
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, Receipt

AT_ONCE = 200  # orders in memory


async def every_receipt(ledger: Ledger, query: OrderQuery) -> AsyncIterator[Receipt]:
    """All orders that fit."""
    page = replace(query, limit=AT_ONCE)
    while found := await ledger.receipts(page):
        for each in found:
            yield each
        page = replace(page, before=found[-1].order.out_order_id)


async def csv_table(ledger: Ledger, query: OrderQuery, zone: tzinfo) -> AsyncIterator[str]:
    """The whole table, a line at a time."""
    yield HEAD
    async for found in every_receipt(ledger, query):
        for row in export_rows(found, zone):
            yield csv_row(row)


def csv_row(row: ExportRow) -> str:
    return _line(cell(name, value) for name, value in asdict(row).items())


def _line(values: Iterable[str]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(values)
    return line.getvalue()


HEAD = "\ufeff" + _line(COLUMNS)
"""The names of the columns, after the byte order mark by which spreadsheets know UTF-8."""
