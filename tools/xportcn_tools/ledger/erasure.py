"""What an order's rows lose when its personal data is erased; goods, sums, states and ids stay. Pure."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

UNORDERED = timedelta(days=7)
"""A preview that became no order keeps its personal data so long after it has expired."""

_NOBODY = {"full_name": "", "mobile": "", "province": "", "city": "", "address": ""}


def erased_order() -> dict[str, Any]:
    """The columns that change. The upstream's words may repeat an address."""
    return {"ship_to": "", "problem_text": None}


def erased_preview(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that change. Without its salt, no guess can be tried against the seals in the trail.
    A warning about an address names its place.
    """
    shown = json.loads(row["shown"])
    warnings = [each for each in shown["warnings"] if not each["code"].startswith("address_")]
    nobodys = {"address": _NOBODY, "address_name": None, "message": None}
    return {
        "ship_to": "",
        "salt": "",
        "request": json.dumps(json.loads(row["request"]) | nobodys, ensure_ascii=False),
        "shown": json.dumps(shown | {"ship_to": "", "warnings": warnings}, ensure_ascii=False),
    }
