"""Single statements of the ledger, as every driver runs them; transactions of them stand in `sql.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.ledger import COUNTING_STATES, DayUsage, OrderRecord, PreviewRecord, Realm

Row = Mapping[str, Any]


class Session(Protocol):
    """One connection: runs a statement and gives its rows by column name."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]: ...


def insert(sql: Session, table: str, row: Row) -> None:
    """One row; column names are those of our own records."""
    marks = ", ".join("?" * len(row))
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
    sql.execute(statement, tuple(row.values()))


def order_where(sql: Session, condition: str, values: Sequence[Any]) -> OrderRecord | None:
    """The first order under a condition of ours with `?` for its values."""
    found = sql.execute(f"SELECT * FROM orders WHERE {condition} LIMIT 1", values)  # noqa: S608 - ours
    return rows.order_of(found[0]) if found else None


def earlier_open(sql: Session, preview: PreviewRecord) -> OrderRecord | None:
    """See the seam. What came first is read off the trail, since the clocks of replicas may disagree."""
    under_way_before = (
        "state = 'sending' AND"
        " (SELECT MIN(sequence) FROM trail WHERE subject = orders.out_order_id AND event = 'claimed')"
        " < (SELECT MAX(sequence) FROM trail WHERE subject = ? AND event = 'previewed')"
    )
    return order_where(
        sql,
        "realm = ? AND caller = ? AND goods_digest = ? AND place_digest = ? AND preview_id <> ?"
        f" AND (state = 'unknown' OR {under_way_before})",
        (
            preview.realm,
            preview.caller,
            preview.goods_digest,
            preview.place_digest,
            preview.preview_id,
            preview.out_order_id,
        ),
    )


def abandoned(sql: Session, realm: Realm, now: datetime) -> list[OrderRecord]:
    found = sql.execute(
        "SELECT * FROM orders WHERE state = 'sending' AND realm = ? AND lease_until < ?",
        (realm, rows.time_text(now)),
    )
    return [rows.order_of(row) for row in found]


def is_approved(sql: Session, preview_id: str) -> bool:
    return bool(sql.execute("SELECT 1 AS one FROM approvals WHERE preview_id = ?", (preview_id,)))


def reference_used(sql: Session, realm: Realm, out_order_id: str) -> bool:
    statement = "SELECT 1 AS one FROM orders WHERE realm = ? AND out_order_id = ?"
    return bool(sql.execute(statement, (realm, out_order_id)))


def usage(sql: Session, realm: Realm, caller: str, day: str) -> DayUsage:
    marks = ", ".join("?" * len(COUNTING_STATES))
    statement = (
        "SELECT COALESCE(SUM(payable_fen), 0) AS fen, COUNT(*) AS orders FROM orders"  # noqa: S608 - marks
        f" WHERE realm = ? AND caller = ? AND day = ? AND state IN ({marks})"
    )
    (total,) = sql.execute(statement, (realm, caller, day, *COUNTING_STATES))
    return DayUsage(int(total["fen"]), int(total["orders"]))
