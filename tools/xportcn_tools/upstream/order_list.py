"""The upstream's order list: its request, and the rows of whatever list it answers. Pure.

The list is known by name only: path and form are inferred.
"""

from collections.abc import Iterator
from typing import Any, cast

ORDER_LIST_PATH = "/alibaba/ka/order/page"

_PAGE_SIZE = 50
_LISTS = ("result", "data", "records", "list", "rows")


def list_request(out_order_id: str, page: int) -> dict[str, Any]:
    """Ask for one page of the orders with this number; pages count from 1."""
    return {"page": page, "pageSize": _PAGE_SIZE, "outOrderId": out_order_id}


def list_in(answer: object) -> list[object] | None:
    """The list that an answer is or holds."""
    data: object = answer
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        data = next((fields[name] for name in _LISTS if isinstance(fields.get(name), list)), None)
    return cast("list[object]", data) if isinstance(data, list) else None


def rows_of(answer: object) -> Iterator[dict[str, Any]]:
    """The rows of whatever list the answer holds; a row's `baseInfo` is part of it (1688)."""
    for row in list_in(answer) or ():
        if isinstance(row, dict):
            fields = cast("dict[str, Any]", row)
            base: object = fields.get("baseInfo")
            yield fields | cast("dict[str, Any]", base) if isinstance(base, dict) else fields
