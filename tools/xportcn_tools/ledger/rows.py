"""Records as rows and back, and what of them goes into the trail. Shared by the drivers. Pure."""

import dataclasses
import functools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from xportcn_tools.canonical import fingerprint
from xportcn_tools.ledger.approvals import Bought
from xportcn_tools.ledger.ledger import (
    LedgerUnavailableError,
    NewOrder,
    OrderRecord,
    Outcome,
    StoredPreview,
)
from xportcn_tools.ledger.trail import TrailRow
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.order import OrderRequest, Pinned, ShownPreview
from xportcn_tools.upstream_state import Reading, UpstreamOrder, VendorMessage

_TIMES = frozenset(("created_at", "updated_at", "expires_at", "lease_until", "since", "declined_at"))
_JSON: dict[str, Any] = {
    "request": OrderRequest,
    "pinned": Pinned,
    "terms": dict[str, str],
    "shown": ShownPreview,
    "order_ids": tuple[str, ...],
}
"""Columns that hold JSON, with their types. What a newer program has added beside is left out, and so is what
has its default, which is `None` or nothing and must stay so.
"""
_BESIDE = {"request": "out_order_id", "shown": "ship_to"}
"""What these leave out, too, where the row has the same in a column of its own."""
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_STRICT: Mapping[str, Any] = {}
_UNKNOWN: Mapping[str, Any] = dict.fromkeys(_TIMES, datetime.fromtimestamp(0, UTC)) | {"order_ids": ()}


_READ = tuple[UpstreamOrder, ...]
_SAID = tuple[VendorMessage, ...]
_adapter: Callable[[Any], TypeAdapter[Any]] = functools.cache(TypeAdapter)  # made when a row is there


def time_text(moment: datetime) -> str:
    """UTC with microseconds and `Z`, of one width: text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def day_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def start_of(day: str) -> datetime:
    """The first moment of a UTC day."""
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)


def time_of(text: str) -> datetime:
    if not _TIME.fullmatch(text):  # `fromisoformat` takes more than `time_text` writes
        raise ValueError(f"no time: {text[:40]}")
    return datetime.fromisoformat(text)


def compact(content: Any) -> str:
    """JSON without blanks, as a column holds it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def to_row(record: object) -> dict[str, Any]:
    """The columns of a preview, an order (both but for the realm) or an outcome."""
    values = vars(record)
    return {name: _to_column(name, values) for name in values}


def _to_column(name: str, values: Mapping[str, Any]) -> Any:
    value = values[name]
    if name in _TIMES:
        return time_text(value) if value else None
    if name in _JSON:
        adapter, beside = _adapter(_JSON[name]), _BESIDE.get(name)
        left_out = {beside} if beside and getattr(value, beside) == values[beside] else None
        try:
            return adapter.dump_json(value, exclude_defaults=True, exclude=left_out).decode()
        except ValueError as error:  # half a character
            raise LedgerUnavailableError(f"{name} cannot be written") from error
    return int(value) if isinstance(value, bool) else value


class UnreadableRowError(LedgerUnavailableError):
    """One row holds what no program of ours has written. The message names it and its columns."""


def _from_row(row: Mapping[str, Any], record: type, instead: Mapping[str, Any] = _STRICT) -> dict[str, Any]:
    """The record's own columns: a newer program's, running beside this one, may have added more.

    `instead`: what stands for a column that cannot be read.

    Raises:
        UnreadableRowError: a column cannot be read, and nothing stands for it.
    """
    found: dict[str, Any] = {}
    unreadable: list[str] = []
    for name in (field.name for field in dataclasses.fields(record)):
        try:
            found[name] = _from_column(name, row)
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            found[name] = instead.get(name)
            unreadable += [] if name in instead else [name]
    if unreadable:
        what = "preview of" if record is StoredPreview else "order"
        subject = row.get("out_order_id") or row.get("sequence")
        raise UnreadableRowError(
            f"the ledger's row of {what} {subject} cannot be read ({', '.join(unreadable)})"
        )
    return found


def _from_column(name: str, row: Mapping[str, Any]) -> Any:
    value = row[name]
    if name == "declined_at" and value is None:
        return None
    if name in _TIMES:
        return time_of(value)
    if name in _JSON:
        adapter, beside = _adapter(_JSON[name]), _BESIDE.get(name)
        of_version_3 = '"currency"' in value
        if not beside and not of_version_3:
            return adapter.validate_json(value)
        content = json.loads(value, object_hook=_fen if of_version_3 else None)
        return adapter.validate_python({beside: row.get(beside, "")} | content if beside else content)
    return bool(value) if name == "approval_verified" else value


def _fen(stored: dict[str, Any]) -> Any:
    """Version 3 of the ledger kept money as `{"amount": "65.61", "currency": "CNY"}`."""
    return int(Decimal(stored["amount"]) * 100) if stored.keys() == {"amount", "currency"} else stored


def preview_of(row: Mapping[str, Any]) -> StoredPreview:
    return StoredPreview(**_from_row(row, StoredPreview))


def order_of(row: Mapping[str, Any]) -> OrderRecord:
    return OrderRecord(**_from_row(row, OrderRecord))


def order_whatever(row: Mapping[str, Any]) -> OrderRecord:
    """For the rules, which an order binds whether its ids and times can be read or not: then it has no ids,
    and the times are 1970.
    """
    return OrderRecord(**_from_row(row, OrderRecord, _UNKNOWN))


def reading_row(order_key: str, reading: Reading) -> dict[str, Any]:
    orders = _adapter(_READ).dump_json(reading.orders).decode()
    return {"order_key": order_key, "read_at": time_text(reading.read_at), "orders": orders}


def reading_of(row: Mapping[str, Any]) -> Reading | None:
    """`None` where it cannot be read: then the upstream is to be read again."""
    try:
        return Reading(time_of(row["read_at"]), _adapter(_READ).validate_json(row["orders"]))
    except ValueError:
        return None


def messages_row(order_key: str, messages: tuple[VendorMessage, ...]) -> dict[str, Any]:
    return {"order_key": order_key, "messages": _adapter(_SAID).dump_json(messages).decode()}


def messages_of(row: Mapping[str, Any]) -> tuple[VendorMessage, ...]:
    """None where they cannot be read: nothing depends on them."""
    try:
        return _adapter(_SAID).validate_json(row["messages"])
    except ValueError:
        return ()


def request_of(row: Mapping[str, Any]) -> OrderRequest | None:
    """What a preview asked for, by that column alone; `None` where it cannot be read."""
    try:
        return _from_column("request", row)
    except (ValueError, TypeError, RecursionError):
        return None


def bought_of(row: Mapping[str, Any]) -> Bought:
    return Bought(**_from_row(row, Bought))


def trail_row_of(row: Mapping[str, Any]) -> TrailRow:
    return TrailRow(**_from_row(row, TrailRow))


def pause_of(row: Mapping[str, Any]) -> Pause:
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
        approval_method=new.approval_method,
        approval_verified=new.approval_verified,
        created_at=now,
        updated_at=now,
        lease_until=lease_until,
    )


def goods_digest(request: OrderRequest) -> str:
    """Of the offers and quantities, by which an order is found whose goods may be the same; 32 hex digits."""
    return fingerprint(request.offers_key())[:32]


def goods_digests(request: OrderRequest) -> tuple[str, ...]:
    """Today's digest, then those of 64 digits that earlier programs wrote: with the specs, and with none."""
    without_specs = [(offer, "", quantity) for offer, quantity in request.offers_key()]
    return goods_digest(request), fingerprint(request.goods_key()), fingerprint(without_specs)


def order_beside(preview: StoredPreview) -> dict[str, Any]:
    """Columns of its order that are no part of the record: its number as numbers are compared, what its goods
    are found by, and one that only an older program reads.
    """
    found_by = goods_digest(preview.request)
    return {"reference": preview.out_order_id.lower(), "goods_digest": found_by, "place_digest": ""}


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


def preview_trail(preview: StoredPreview) -> dict[str, Any]:
    return {"payable_fen": preview.payable_fen, "caller": preview.caller}


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
