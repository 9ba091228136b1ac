"""Salted digests of an order's rows, which go into the trail and prove what stood in the tables. Pure.

The columns are named, so that what a newer program adds beside them breaks no seal. The salt stands in the
preview's row; once it is erased, no guess at a name or a street can be tried against the seal.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

# Made once, for a million rows.
compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

ORDER_COLUMNS = (
    *("order_key", "preview_id", "realm", "caller", "out_order_id", "reference", "state", "day"),
    *("payable_fen", "ship_to", "goods_digest", "place_digest", "approval_method", "approval_verified"),
    *("order_ids", "request_id", "request_sent", "problem_code", "problem_text", "created_at"),
    *("updated_at", "lease_until"),
)
PREVIEW_COLUMNS = (
    *("preview_id", "token_digest", "approval_code", "caller", "out_order_id", "created_at"),
    *("expires_at", "payable_fen", "ship_to", "goods_digest", "request", "pinned", "terms", "shown"),
    *("trail_seen", "salt"),
)

CHANGED_BEFORE = "changed_before"
"""Stands in the trail beside the seals of an order that had been changed past the program by then."""


def seal_of(columns: tuple[str, ...], row: Mapping[str, Any], salt: str) -> str:
    """SHA-256 over the salt and these columns as they are stored, letter by letter; 64 hex digits."""
    return digest_of((salt, *(row[name] for name in columns)))


def digest_of(values: Sequence[object]) -> str:
    """SHA-256 over values as compact JSON, letter by letter: another spelling is another digest."""
    return hashlib.sha256(compact_json(values).encode(errors="surrogatepass")).hexdigest()


def seals_of(order: Mapping[str, Any], preview: Mapping[str, Any]) -> dict[str, str]:
    """Of an order's row and of its preview's."""
    salt = preview["salt"]
    return {"order": seal_of(ORDER_COLUMNS, order, salt), "preview": seal_of(PREVIEW_COLUMNS, preview, salt)}
