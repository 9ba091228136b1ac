"""What was ordered as a table: every amount adds up, ids stay ids, and no text becomes a formula."""

import csv
import io
import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import Clock
from harness.settings import environ_of
from ledger.suite.stores import OUTCOMES, preview_of, settled
from xportcn_server.commands.cli import main
from xportcn_tools.desk.export import COLUMNS, cell
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord
from xportcn_tools.ledger.sqlite import SqliteLedger

ORDERS = 450  # more than two pages of the reader
START = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[OrderRecord]]:
    path = tmp_path_factory.mktemp("export") / "ledger.sqlite3"

    async def month() -> list[OrderRecord]:
        clock = Clock(START)
        books = SqliteLedger(path, "sandbox", clock=clock)
        await books.open()
        for number in range(ORDERS):
            outcome = list(OUTCOMES.values())[number % 3]
            caller = ("bob", "caller:alice", "oauth:https://id|7", "caller:alice")[number % 4]
            preview = preview_of(number, now=clock.now, fen=600 + 7919 * number, caller=caller)
            await settled(books, preview, outcome)
            clock.advance(3600)
        orders = await books.orders(OrderQuery(None))
        await books.aclose()
        return orders

    return path, anyio.run(month)


def exported(path: Path, *words: str) -> bytes:
    done = CliRunner().invoke(
        main, ["orders", "export", *words], env=environ_of(LEDGER=str(path)), catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def json_rows(path: Path, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(path, "--format", "json", *words).splitlines()]


def csv_rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def fen(text: str) -> int:
    return int(Decimal(text) * 100)


def test_the_rows_of_each_order_add_up_to_what_was_approved(ledger: tuple[Path, list[OrderRecord]]) -> None:
    path, orders = ledger
    for rows in (json_rows(path), csv_rows(exported(path))):
        sums: dict[str, int] = defaultdict(int)
        for row in rows:
            sums[row["out_order_id"].strip('="')] += fen(row["amount"])
        assert sums == {order.out_order_id: order.payable_fen for order in orders}
        assert {row["kind"] for row in rows} == {"goods", "freight", "fees", "discount"}
        assert tuple(rows[0]) == COLUMNS
        seen = list(dict.fromkeys(row["out_order_id"].strip('="') for row in rows))
        assert seen == [order.out_order_id for order in orders]  # newest first, none twice


def test_days_are_those_of_the_owner_and_both_ends_are_in(ledger: tuple[Path, list[OrderRecord]]) -> None:
    path, _ = ledger
    rows = json_rows(path, "--since", "2026-03-02", "--until", "2026-03-03")
    assert {row["date"][:10] for row in rows} == {"2026-03-02", "2026-03-03"}
    assert len({row["out_order_id"] for row in rows}) == 48
    assert min(row["date"] for row in rows) == "2026-03-02 00:30:00"
    first = json_rows(path, "--until", "2026-03-01")
    assert {row["out_order_id"] for row in first} == {"PO-0"}


def test_rows_are_chosen_by_state_and_caller(ledger: tuple[Path, list[OrderRecord]]) -> None:
    path, orders = ledger
    rows = json_rows(path, "--state", "placed", "--caller", "bob")
    expected = {order.out_order_id for order in orders if (order.state, order.caller) == ("placed", "bob")}
    assert {row["out_order_id"] for row in rows} == expected
    assert exported(path, "--caller", "nobody", "--format", "json") == b""


@pytest.mark.parametrize(
    ("recorded", "name"), [("caller:alice", "alice"), ("oauth:https://id|7", "https://id|7")]
)
def test_a_caller_is_chosen_by_the_name_that_the_owner_knows(
    ledger: tuple[Path, list[OrderRecord]], recorded: str, name: str
) -> None:
    rows = json_rows(ledger[0], "--caller", name)
    assert {row["caller"] for row in rows} == {recorded}
    assert rows == json_rows(ledger[0], "--caller", recorded)


def listed(path: Path, *words: str) -> list[str]:
    done = CliRunner().invoke(
        main, ["orders", "list", *words], env=environ_of(LEDGER=str(path)), catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert not any(line.startswith("2026-") for line in done.stderr.splitlines())  # rows are stdout's
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def test_a_list_has_the_same_filters_and_ends_with_the_totals_of_all_that_fit(
    ledger: tuple[Path, list[OrderRecord]],
) -> None:
    path, orders = ledger
    words = ("--since", "2026-03-02", "--until", "2026-03-09", "--caller", "bob")
    fitting = [
        order
        for order in orders
        if order.caller == "bob"
        and START + timedelta(minutes=30) < order.created_at < START + timedelta(days=8, minutes=30)
    ]
    lines = listed(path, *words, "--limit", "3")
    for state in ("placed", "rejected", "unknown"):
        fen_of_state = [order.payable_fen for order in fitting if order.state == state]
        total = f"orders: {len(fen_of_state):<15}  {state:<8}  {sum(fen_of_state) / 100:>10.2f} CNY"
        assert total in [line.strip() for line in lines]
    assert lines[-1] == f"More: --before {fitting[2].out_order_id}"
    rest = listed(path, *words, "--before", fitting[2].out_order_id, "--limit", "1000")
    seen = re.findall(r"^2026-.* CNY  (PO-[0-9]+)", "\n".join(rest), re.MULTILINE)
    assert seen == [order.out_order_id for order in fitting[3:]]
    assert not any(line.startswith("More") for line in rest)
    only = listed(path, *words, "--state", "placed", "--limit", "1")
    assert not any("rejected" in line or "unknown" in line for line in only)


@pytest.mark.parametrize("command", ["list", "export"])
def test_days_in_the_wrong_order_are_refused(ledger: tuple[Path, list[OrderRecord]], command: str) -> None:
    words = ["orders", command, "--since", "2026-03-03", "--until", "2026-03-02"]
    done = CliRunner().invoke(main, words, env=environ_of(LEDGER=str(ledger[0])), catch_exceptions=False)
    assert done.exit_code == 2
    assert "--since is a later day than --until" in done.output


def test_the_ends_of_the_calendar_leave_no_row_out(ledger: tuple[Path, list[OrderRecord]]) -> None:
    assert exported(ledger[0], "--since", "0001-01-01", "--until", "9999-12-31") == exported(ledger[0])


def test_a_ledger_without_orders_gives_the_head_alone(tmp_path: Path) -> None:
    assert csv_rows(exported(tmp_path / "new.sqlite3")) == []


@given(st.sampled_from(COLUMNS), st.text(max_size=12))
def test_no_cell_is_a_formula_but_for_an_id_as_text(name: str, text: str) -> None:
    shown = cell(name, text)
    if shown.startswith("="):
        assert shown == f'="{text}"'
        assert '"' not in text
    elif name not in ("amount", "unit_price", "quantity"):
        assert shown.lstrip()[:1] not in tuple("=+-@＝＋－＠|%")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", '="a"&B1', "|cmd"])
def test_what_a_seller_or_caller_wrote_is_no_formula(text: str) -> None:
    assert cell("title", text) == f"'{text}"


def test_no_part_of_a_text_is_a_formula_where_semicolons_part_the_cells() -> None:
    assert cell("title", '红色; =HYPERLINK("http://x")') == """红色; '=HYPERLINK("http://x")"""
    assert cell("ship_to", '楼;"-1;@A1') == "楼;\"'-1;'@A1"
    assert cell("title", "红色; 350ml") == "红色; 350ml"


def test_paging_by_the_last_order_gives_each_once(ledger: tuple[Path, list[OrderRecord]]) -> None:
    path, orders = ledger

    async def pages() -> list[OrderRecord]:
        books = SqliteLedger(path, "sandbox", clock=Clock(START + timedelta(days=40)))
        await books.open()
        found: list[OrderRecord] = []
        query = OrderQuery(None, limit=7)
        while page := await books.orders(query):
            found += page
            query = OrderQuery(None, limit=7, before=page[-1].out_order_id)
        totals = {total.state: total for total in await books.totals(OrderQuery("bob"))}
        await books.aclose()
        for state, total in totals.items():
            chosen = [order for order in orders if (order.caller, order.state) == ("bob", state)]
            assert (total.orders, total.payable_fen) == (
                len(chosen),
                sum(order.payable_fen for order in chosen),
            )
        return found

    assert anyio.run(pages) == orders
