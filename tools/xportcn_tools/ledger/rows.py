"""Records as rows and back, and what of them goes into the trail. Shared by the drivers. Pure."""

import contextlib
import dataclasses
import json
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any

from xportcn_tools.canonical import fingerprint
from xportcn_tools.ledger.ledger import (
    LedgerUnavailableError,
    NewOrder,
    OrderQuery,
    OrderRecord,
    Outcome,
    PreviewRecord,
)
from xportcn_tools.ledger.trail import TrailRow

_TIMES = frozenset(("created_at", "updated_at", "expires_at", "lease_until"))
_JSON = frozenset(("request", "pinned", "terms", "shown", "order_ids"))


def time_text(moment: datetime) -> str:
    """UTC with microseconds and `Z`, of one width: text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def _time_of(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def to_row(record: object) -> dict[str, Any]:
    """A preview's or an order's columns."""
    return {name: _to_column(name, value) for name, value in vars(record).items()}


def _to_column(name: str, value: Any) -> Any:
    if name in _TIMES:
        return time_text(value)
    if name in _JSON:
        return json.dumps(value, ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value


def _from_row(row: Mapping[str, Any], record: type) -> dict[str, Any]:
    """The record's own columns: a newer program's, running beside this one, may have added more."""
    return {field.name: _from_column(field.name, row[field.name]) for field in dataclasses.fields(record)}


def _from_column(name: str, value: Any) -> Any:
    if name in _TIMES:
        return _time_of(value)
    if name in _JSON:
        return json.loads(value)
    return bool(value) if name == "approval_verified" else value


@contextlib.contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError) as error:
        raise LedgerUnavailableError(
            f"a row of the ledger cannot be read ({type(error).__name__})"
        ) from error


def preview_of(row: Mapping[str, Any]) -> PreviewRecord:
    with _readable():
        return PreviewRecord(**_from_row(row, PreviewRecord))


def order_of(row: Mapping[str, Any]) -> OrderRecord:
    with _readable():
        fields = _from_row(row, OrderRecord)
        fields["order_ids"] = tuple(fields["order_ids"])
        return OrderRecord(**fields)


def trail_row_of(row: Mapping[str, Any]) -> TrailRow:
    with _readable():
        return TrailRow(**_from_row(row, TrailRow))


def new_order(new: NewOrder, now: datetime, lease_until: datetime) -> OrderRecord:
    """The attempt as it stands from its claim until its outcome."""
    preview = new.preview
    return OrderRecord(
        order_key=new.order_key,
        preview_id=preview.preview_id,
        realm=preview.realm,
        caller=preview.caller,
        out_order_id=preview.out_order_id,
        state="sending",
        day=day_of(now),
        payable_fen=preview.payable_fen,
        ship_to=preview.ship_to,
        goods_digest=preview.goods_digest,
        place_digest=preview.place_digest,
        approval_method=new.approval_method,
        approval_verified=new.approval_verified,
        created_at=now,
        updated_at=now,
        lease_until=lease_until,
    )


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


def outcome_values(outcome: Outcome) -> tuple[Any, ...]:
    """State, order ids, request id, whether sent, problem code and text, as columns in this order."""
    return (
        outcome.state,
        json.dumps(outcome.order_ids),
        outcome.request_id,
        outcome.request_sent,
        outcome.problem_code,
        outcome.problem_text,
    )


def preview_trail(preview: PreviewRecord) -> dict[str, Any]:
    return {
        "payable_fen": preview.payable_fen,
        "terms": fingerprint(preview.terms),
        "request": fingerprint(preview.request),
        "caller": preview.caller,
        "realm": preview.realm,
    }


def order_trail(order: OrderRecord, preview: PreviewRecord) -> dict[str, Any]:
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


def select_orders(query: OrderQuery, id_is_listed: str) -> tuple[str, tuple[Any, ...]]:
    """SQL (`?` marks) and its values for a query; newest first. `id_is_listed`: see `SqlLedger`."""
    conditions: dict[str, Any] = {"realm = ?": query.realm}
    optional = {
        "caller = ?": query.caller,
        "preview_id = ?": query.preview_id,
        "goods_digest = ?": query.goods_digest,
        "place_digest = ?": query.place_digest,
        "created_at >= ?": time_text(query.since) if query.since else None,
    }
    conditions |= {condition: value for condition, value in optional.items() if value is not None}
    clauses, values = list(conditions), list(conditions.values())
    if query.reference is not None:
        clauses.append(f"(out_order_id = ? OR {id_is_listed})")
        values += [query.reference, query.reference]
    if query.states:
        clauses.append(f"state IN ({', '.join('?' * len(query.states))})")
        values += query.states
    statement = f"SELECT * FROM orders WHERE {' AND '.join(clauses)} ORDER BY created_at DESC, order_key"  # noqa: S608
    if query.limit is not None:
        statement += " LIMIT ?"
        values.append(query.limit)
    return statement, tuple(values)
