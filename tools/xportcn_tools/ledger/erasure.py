"""What an order's rows lose when its personal data is erased; goods, sums, states and ids stay. Pure."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from xportcn_tools.ledger.rows import compact

UNORDERED = timedelta(days=7)
"""A preview that became no order keeps its personal data so long after it has expired."""

_NOBODY = {"full_name": "", "mobile": "", "province": "", "city": "", "address": ""}


def erased_order() -> dict[str, Any]:
    """The columns that change. The upstream's words may repeat an address."""
    return {"ship_to": "", "problem_text": None}


def erased_preview(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that change. Without its salt, no guess can be tried against the seals in the trail. A
    warning about an address names its place. A preview that became no order loses its goods, too, and gives
    most of its place in the file back. What cannot be read may hold a name all the same, and goes.
    """
    stored = _stored(row["shown"])
    warnings = [each for each in _listed(stored.get("warnings")) if _is_kept(each)]
    shown: dict[str, Any] = {"ship_to": "", "warnings": warnings}
    if not row["ordered"]:
        shown |= {"groups": [], "warnings": []}
    nobodys = {"address": _NOBODY, "address_name": None, "message": None}
    return {
        "ship_to": "",
        "salt": "",
        "request": compact(_stored(row["request"]) | nobodys),
        "shown": compact(stored | shown),
        "terms": row["terms"] if row["ordered"] else "{}",
    }


def _stored(text: str) -> dict[str, Any]:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _is_kept(warning: object) -> bool:
    code = cast("dict[str, object]", warning).get("code") if isinstance(warning, dict) else None
    return isinstance(code, str) and not code.startswith("address_")
