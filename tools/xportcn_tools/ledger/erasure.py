"""What an order's rows lose when its personal data is erased; goods, sums, states and ids stay. Pure."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

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
    most of its place in the file back.
    """
    stored = json.loads(row["shown"])
    warnings = [each for each in stored.get("warnings", ()) if not each["code"].startswith("address_")]
    shown: dict[str, Any] = {"ship_to": "", "warnings": warnings}
    if not row["ordered"]:
        shown |= {"groups": [], "warnings": []}
    nobodys = {"address": _NOBODY, "address_name": None, "message": None}
    return {
        "ship_to": "",
        "salt": "",
        "request": compact(json.loads(row["request"]) | nobodys),
        "shown": compact(stored | shown),
        "terms": row["terms"] if row["ordered"] else "{}",
    }
