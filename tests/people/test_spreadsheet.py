"""A month of orders as an accountant opens it: LibreOffice reads the export, and adds it up to the fen."""

import json
import shutil
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from harness.clock import Clock
from harness.lives import Lives
from harness.settings import environ_of
from xportcn_server.commands.cli import main
from xportcn_tools.desk.export import COLUMNS

ORDERS = 1_000
LIVES = ("placed", "placed", "split", "refused", "unknown, found by a person", "unknown, does not exist")
NOVEMBER = datetime(2026, 10, 31, 16, tzinfo=UTC)  # the first, 00:00 in Shanghai
APART = 30 * 24 * 3600 / ORDERS

pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice is not installed (libreoffice-calc-nogui)"
)

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def opened_in_libreoffice(csv: Path, folder: Path) -> list[list[str | Decimal]]:
    """The cells as LibreOffice has them, its formulas worked out: a number where it has taken one for a number."""
    words = ["soffice", "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    words += ["--infilter=CSV:44,34,76,1", "--convert-to", "fods", "--outdir", str(folder), str(csv)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    tree = ET.parse((folder / csv.name).with_suffix(".fods"))  # noqa: S314 - our own file
    rows = [list(_cells(row)) for row in tree.iter(f"{TABLE}table-row")]
    return [row for row in rows if any(row)]


def _cells(row: ET.Element) -> Iterator[str | Decimal]:
    for cell in row.iter(f"{TABLE}table-cell"):
        value = cell.get(f"{OFFICE}value")
        text = "\n".join("".join(each.itertext()) for each in cell.iter(f"{TEXT}p"))
        repeated = min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), len(COLUMNS))
        yield from [text if value is None else Decimal(value)] * repeated


def fen(amount: object) -> int:
    assert isinstance(amount, Decimal), amount
    assert amount * 100 == int(amount * 100), amount
    return int(amount * 100)


def test_a_month_adds_up_to_the_ledger_and_to_the_upstreams_books_with_its_ids_intact(tmp_path: Path) -> None:
    lives = Lives(tmp_path / "ledger.sqlite3", 1688, APART, Clock(NOVEMBER))
    assert lives.run(ORDERS, LIVES).keys() == set(LIVES)
    words = ["orders", "export", "--since", "2026-11-01", "--until", "2026-11-30"]
    export = CliRunner().invoke(main, words, env=environ_of(LEDGER=str(lives.path)), catch_exceptions=False)
    assert export.exit_code == 0, export.output
    amount = COLUMNS.index("amount")
    lines = export.stdout_bytes.count(b"\r\n")
    letter = chr(ord("A") + amount)
    added_up = "," * amount + f'"=SUM({letter}2:{letter}{lines})"\r\n'
    csv = tmp_path / "november.csv"
    csv.write_bytes(export.stdout_bytes + added_up.encode())

    head, *rows, total = opened_in_libreoffice(csv, tmp_path)
    assert tuple(head[: len(COLUMNS)]) == COLUMNS
    assert len(rows) == lines - 1
    sums: dict[str, int] = defaultdict(int)
    ids: dict[str, str] = {}
    goods: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for row in rows:
        cells = dict(zip(COLUMNS, row, strict=False))
        name = str(cells["out_order_id"])
        sums[name] += fen(cells["amount"])
        ids[name] = str(cells["order_ids"])
        if cells["kind"] == "goods":
            named = (cells["offer_id"], cells["spec_id"], cells["product_no"], cells["quantity"])
            assert [str(each) for each in named[:3]] == list(named[:3])  # text, each of them
            goods[name][named] += 1

    with closing(sqlite3.connect(lives.path)) as sql:
        ledger = {
            name: (payable, json.loads(order_ids))
            for name, payable, order_ids in sql.execute(
                "SELECT out_order_id, payable_fen, order_ids FROM orders"
            )
        }
    assert sums == {name: payable for name, (payable, _) in ledger.items()}
    assert len(sums) == ORDERS
    assert ids == {name: ", ".join(order_ids) for name, (_, order_ids) in ledger.items()}
    in_libreoffice = total[amount]
    assert isinstance(in_libreoffice, Decimal)
    assert round(in_libreoffice * 100) == sum(sums.values())

    books = lives.sandbox.books.orders
    assert len(books) > ORDERS / 2
    for order in books:
        name = order.out_order_id
        assert (sums[name], ids[name]) == (order.payable_fen, ", ".join(order.order_ids))
        lines_sent = order.body["cargoParamList"]
        assert goods[name] == Counter(
            (
                str(line["offerId"]),
                line.get("specId", ""),
                line.get("productNo", "").replace("=1+1", "'=1+1"),  # what could act as a formula is marked
                Decimal(line["quantity"]),
            )
            for line in lines_sent
        )
