"""The upstream's order list: its request, and the ids of our order in whatever list it answers. Pure.

The list is known by name only: path and form are inferred.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from xportcn_tools.upstream.envelope import order_id_of

ORDER_LIST_PATH = "/alibaba/ka/order/page"

_PAGE_SIZE = 50
_LISTS = ("result", "list", "records", "rows", "orders", "data")
_IDS = ("idOfStr", "orderId", "id")


def list_request(out_order_id: str, page: int) -> dict[str, Any]:
    """Ask for one page of the orders with this number; pages count from 1."""
    return {"page": page, "pageSize": _PAGE_SIZE, "outOrderId": out_order_id}


def rows_of(answer: object) -> Iterator[dict[str, Any]]:
    """The rows of whatever list the answer holds; a row's `baseInfo` is part of it (1688)."""
    data: object = answer
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        data = next((fields[name] for name in _LISTS if isinstance(fields.get(name), list)), None)
    if not isinstance(data, list):
        return
    for row in cast("list[object]", data):
        if isinstance(row, dict):
            fields = cast("dict[str, Any]", row)
            base: object = fields.get("baseInfo")
            yield fields | cast("dict[str, Any]", base) if isinstance(base, dict) else fields


def order_ids_in(rows: Sequence[dict[str, Any]], out_order_id: str) -> list[str]:
    """The ids of the rows that have exactly this number; a row without a usable id is left out."""
    ours = [row for row in rows if row.get("outOrderId") == out_order_id]
    found = [next(filter(None, (order_id_of(row.get(name)) for name in _IDS)), None) for row in ours]
    return [order_id for order_id in found if order_id]
