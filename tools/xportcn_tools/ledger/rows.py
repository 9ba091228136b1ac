"""Records as rows and back, and what of them goes into the trail. Shared by the drivers. Pure."""

import contextlib
import dataclasses
import json
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from xportcn_tools.ledger.ledger import (
    LedgerUnavailableError,
    NewOrder,
    OrderRecord,
    Outcome,
    StoredPreview,
)
from xportcn_tools.ledger.seals import PREVIEW_COLUMNS, seal_of
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.order import OrderRequest, Pinned, ShownPreview

_TIMES = frozenset(("created_at", "updated_at", "expires_at", "lease_until", "since", "declined_at"))
_JSON: dict[str, TypeAdapter[Any]] = {
    "request": TypeAdapter(OrderRequest),
    "pinned": TypeAdapter(Pinned),
    "terms": TypeAdapter(dict[str, str]),
    "shown": TypeAdapter(ShownPreview),
    "order_ids": TypeAdapter(tuple[str, ...]),
}
"""Columns that hold JSON, with their types. What a newer program has added beside is left out."""


def time_text(moment: datetime) -> str:
    """UTC with microseconds and `Z`, of one width: text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def _time_of(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def to_row(record: object) -> dict[str, Any]:
    """A preview's or an order's columns, but for the realm."""
    return {name: _to_column(name, value) for name, value in vars(record).items()}


def _to_column(name: str, value: Any) -> Any:
    if name in _TIMES:
        return time_text(value) if value else None
    if name in _JSON:
        return json.dumps(_JSON[name].dump_python(value), ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value


def _from_row(row: Mapping[str, Any], record: type) -> dict[str, Any]:
    """The record's own columns: a newer program's, running beside this one, may have added more."""
    return {field.name: _from_column(field.name, row[field.name]) for field in dataclasses.fields(record)}


def _from_column(name: str, value: Any) -> Any:
    if name in _TIMES:
        return _time_of(value) if value else None
    if name in _JSON:
        return _JSON[name].validate_python(json.loads(value, object_hook=_fen))
    return bool(value) if name == "approval_verified" else value


def _fen(stored: dict[str, Any]) -> Any:
    """Version 3 of the ledger kept money as `{"amount": "65.61", "currency": "CNY"}`."""
    return int(Decimal(stored["amount"]) * 100) if stored.keys() == {"amount", "currency"} else stored


@contextlib.contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise LedgerUnavailableError(
            f"a row of the ledger cannot be read ({type(error).__name__})"
        ) from error


def preview_of(row: Mapping[str, Any]) -> StoredPreview:
    with _readable():
        return StoredPreview(**_from_row(row, StoredPreview))


def order_of(row: Mapping[str, Any]) -> OrderRecord:
    with _readable():
        return OrderRecord(**_from_row(row, OrderRecord))


def request_of(row: Mapping[str, Any]) -> OrderRequest:
    with _readable():
        return _from_column("request", row["request"])


def trail_row_of(row: Mapping[str, Any]) -> TrailRow:
    with _readable():
        return TrailRow(**_from_row(row, TrailRow))


def pause_of(row: Mapping[str, Any]) -> Pause:
    with _readable():
        return Pause(**_from_row(row, Pause))


def new_order(new: NewOrder, now: datetime, lease_until: datetime) -> OrderRecord:
    """The attempt as it stands from its claim until its outcome."""
    preview = new.preview
    return OrderRecord(
        order_key=new.order_key,
        preview_id=preview.preview_id,
        caller=preview.caller,
        out_order_id=preview.out_order_id,
        state="sending",
        day=day_of(now),
        payable_fen=preview.payable_fen,
        ship_to=preview.ship_to,
        goods_digest=preview.goods_digest,
        approval_method=new.approval_method,
        approval_verified=new.approval_verified,
        created_at=now,
        updated_at=now,
        lease_until=lease_until,
    )


def order_beside(order: OrderRecord) -> dict[str, Any]:
    """An order's columns that are no part of its record: its number as numbers are compared, and one that
    only an older program reads.
    """
    return {"reference": order.out_order_id.lower(), "place_digest": ""}


def outcome_of(order: OrderRecord) -> Outcome:
    """How an order has ended so far."""
    return Outcome(
        order.state,
        order.request_sent,
        order.order_ids,
        order.request_id,
        order.problem_code,
        order.problem_text,
    )


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    return {name: _to_column(name, value) for name, value in vars(outcome).items()}


def preview_trail(preview: StoredPreview) -> dict[str, Any]:
    return {
        "payable_fen": preview.payable_fen,
        "caller": preview.caller,
        "preview": seal_of(PREVIEW_COLUMNS, to_row(preview), preview.salt),
    }


def order_trail(order: OrderRecord, preview: StoredPreview) -> dict[str, Any]:
    return preview_trail(preview) | {
        "state": order.state,
        "approval_method": order.approval_method,
        "approval_verified": order.approval_verified,
    }


def outcome_trail(order: OrderRecord, outcome: Outcome) -> dict[str, Any]:
    return {
        "was": order.state,
        "state": outcome.state,
        "order_ids": list(outcome.order_ids),
        "request_id": outcome.request_id,
        "request_sent": outcome.request_sent,
        "problem_code": outcome.problem_code,
    }
