"""The trail against itself and against the tables: the first break, in words. Pure.

A row of the trail proves itself (its hash) and its predecessor (`previous`); each order's last row proves
what stands in the tables (`seals.py`). Whether rows were cut off, or all was rewritten, only a hash that was
noted elsewhere shows: the witness's, or one that the owner keeps.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from xportcn_tools.ledger.rows import compact
from xportcn_tools.ledger.seals import CHANGED_BEFORE, ORDER_COLUMNS, PREVIEW_COLUMNS, digest_of
from xportcn_tools.ledger.trail import GENESIS, TrailRow, is_intact

ORDER_EVENTS = (
    *("claimed", "placed", "rejected", "unknown", "abandoned"),
    *("found_by_look_up", "resolved_by_operator", "erased"),
)
"""Rows that change an order in its table."""

COMPARABLE = 10
"""The first version of a ledger whose tables have seals (`010_seals.sql`)."""

_REALM, _NAME = ORDER_COLUMNS.index("realm"), ORDER_COLUMNS.index("out_order_id")
_SALT = PREVIEW_COLUMNS.index("salt")
_OLD_COLUMNS = (
    *("payable_fen", "caller", "state", "approval_method", "request_id", "request_sent", "problem_code"),
)


class BrokenTrailError(Exception):
    """The first break, in words."""


@dataclass
class Chain:
    """What a walk along a trail has seen so far."""

    rows: int = 0
    head: str = GENESIS
    events: Counter[str] = field(default_factory=Counter[str])
    paused: bool = False

    def follow(self, rows: Iterator[TrailRow | None]) -> Iterator[TrailRow]:
        """The rows, each once it is proven. `None`: a row that cannot be read.

        Raises:
            BrokenTrailError: at the first that is not the next one.
        """
        for row in rows:
            due = self.rows + 1
            if row is None or not is_intact(row):
                raise BrokenTrailError(f"row {due} of the trail was changed")
            if row.sequence < due:
                raise BrokenTrailError(
                    f"row {row.sequence} of the trail is out of order: it follows row {self.rows}"
                )
            if row.sequence > due:
                if _comes_later(rows, due):
                    raise BrokenTrailError(
                        f"row {due} of the trail is out of order: it stands behind row {row.sequence}"
                    )
                last = row.sequence - 1
                named = (
                    f"row {due} of the trail is" if last == due else f"rows {due} to {last} of the trail are"
                )
                raise BrokenTrailError(f"{named} missing")
            if row.previous != self.head:
                raise BrokenTrailError(
                    f"row {due - 1} of the trail was replaced: row {due} does not follow it"
                    if self.rows
                    else "row 1 of the trail does not begin it: rows before it are missing"
                )
            self.rows, self.head = due, row.hash
            self.events[row.event] += 1
            if row.event in ("paused", "resumed"):
                self.paused = row.event == "paused"
            yield row


def _comes_later(rows: Iterator[TrailRow | None], sequence: int) -> bool:
    try:
        return any(row is not None and row.sequence == sequence for row in rows)
    except BrokenTrailError:  # an export whose last line does not fit: no wonder
        return False


def line_of(row: TrailRow) -> str:
    """A row of an export."""
    return _line(vars(row))


def last_line_of(rows: int, head: str) -> str:
    """The end of an export, which shows that nothing behind it was cut off."""
    return _line({"rows": rows, "head": head})


def _line(content: Mapping[str, Any]) -> str:
    return compact(content) + "\n"


def export_rows(lines: Iterable[bytes], ends: Callable[[], tuple[int, str]]) -> Iterator[TrailRow | None]:
    """The rows of an export, down to its last line, which must be that of `ends`: the rows and head so far.

    Raises:
        BrokenTrailError: the last line is missing or another's.
    """
    ended = False
    for line in lines:
        if ended:
            raise BrokenTrailError("something stands behind the last line of the export")
        ended = b'"rows"' in line[:10] and line.startswith(b'{"rows":')
        if not ended:
            yield _row_of(line)
        elif line.decode("utf-8", "replace") != last_line_of(*ends()):
            rows, head = ends()
            raise BrokenTrailError(
                f"the last line of the export is not that of {rows} rows that end in {head}: rows were "
                "cut off, or the line was changed"
            )
    if not ended:
        raise BrokenTrailError(f"the export was cut off behind row {ends()[0]}: its last line is missing")


def _row_of(line: bytes) -> TrailRow | None:
    try:
        text = line.decode()
        row = TrailRow(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None
    kinds: list[object] = [type(value) for value in vars(row).values()]
    # Another spelling of the same is a change, too.
    return row if kinds == [int, *[str] * 6] and line_of(row) == text else None


def tables_statement() -> str:
    """Each order with its preview, and with the row of the trail that changed it last."""
    wanted = [f"orders.{name} AS order_{name}" for name in (*ORDER_COLUMNS, "last_sequence")]
    wanted += [f"previews.{name} AS preview_{name}" for name in (*PREVIEW_COLUMNS, "realm")]
    return (
        f"SELECT {', '.join(wanted)}, trail.event, trail.subject, trail.body FROM orders"  # noqa: S608 - ours
        " LEFT JOIN previews ON previews.preview_id = orders.preview_id"
        " LEFT JOIN trail ON trail.sequence = orders.last_sequence"
    )


LOST_ORDERS = (
    "SELECT sequence, subject FROM trail WHERE event IN ('"  # noqa: S608 - ours
    + "', '".join(ORDER_EVENTS)
    + "') AND NOT EXISTS (SELECT 1 FROM orders WHERE realm IN ('sandbox', 'real')"
    " AND reference = lower(trail.subject) AND last_sequence >= trail.sequence) ORDER BY sequence LIMIT 1"
)
"""The first row of the trail of which the table of orders knows nothing."""


def check_order(row: tuple[Any, ...]) -> None:
    """One row of `tables_statement`, by its columns.

    Raises:
        BrokenTrailError: the order's row, or its preview's, is not what the trail has recorded.
    """
    in_order, sequence = row[: len(ORDER_COLUMNS)], row[len(ORDER_COLUMNS)]
    in_preview = row[len(ORDER_COLUMNS) + 1 : -4]
    realm, event, subject, recorded = row[-4:]
    name = in_order[_NAME]
    if event not in ORDER_EVENTS or str(subject).lower() != str(name).lower():
        raise BrokenTrailError(f"order {name} is in the table, and no row {sequence} of the trail is its own")
    body: dict[str, Any] = json.loads(recorded)
    if "order" not in body:  # of an earlier program
        order = dict(zip(ORDER_COLUMNS, in_order, strict=True))
        for column in _OLD_COLUMNS:
            if column in body and body[column] != order[column]:
                raise BrokenTrailError(_changed(name, sequence))
        if "order_ids" in body and json.dumps(body["order_ids"]) != order["order_ids"]:
            raise BrokenTrailError(_changed(name, sequence))
        return
    if CHANGED_BEFORE in body:
        raise BrokenTrailError(f"order {name} was changed in the tables before row {sequence} of the trail")
    salt = in_preview[_SALT]
    if in_preview[0] is None:
        raise BrokenTrailError(
            f"the preview that order {name} was made of is missing, or the order was changed"
        )
    if digest_of((salt, *in_preview)) != body["preview"] or realm != in_order[_REALM]:
        raise BrokenTrailError(
            f"the preview that order {name} was made of was changed after row {sequence} of the trail"
        )
    if digest_of((salt, *in_order)) != body["order"]:
        raise BrokenTrailError(_changed(name, sequence))


def _changed(name: str, sequence: int) -> str:
    return f"order {name} was changed in the table after row {sequence} of the trail"
