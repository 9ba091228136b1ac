"""The sandbox's control: what tests and people do with it. Unsigned.

GET    /sandbox/health
GET    /sandbox/books     counts, and the orders by outOrderId
POST   /sandbox/orders    {order_id, status?, payable_fen?, parcel?}: as Books.move
POST   /sandbox/faults    {name, endpoint, times?, probability?, seed?}: as FaultPlan.add
DELETE /sandbox/faults
"""

from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xportcn_server.sandbox.books import Books
from xportcn_server.sandbox.faults import EVERYWHERE, FaultPlan
from xportcn_server.sandbox.jsontext import Json, decode, encode
from xportcn_server.sandbox.shapes import AnswerShape


def control_routes(shape: AnswerShape, books: Books, faults: FaultPlan) -> list[Route]:
    async def health(_request: Request) -> Response:
        return _answer({"ok": True, "environment": "sandbox", "shape": shape})

    async def show_books(_request: Request) -> Response:
        return _answer(_books_as_json(books))

    async def add_fault(request: Request) -> Response:
        try:
            _add_fault(faults, decode(await request.body()))
        except (ValueError, TypeError) as error:
            return _answer({"ok": False, "error": str(error)}, 400)
        return _answer({"ok": True})

    async def move_order(request: Request) -> Response:
        try:
            _move_order(books, decode(await request.body()))
        except (ValueError, TypeError, LookupError) as error:
            return _answer({"ok": False, "error": str(error)}, 400)
        return _answer({"ok": True})

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return _answer({"ok": True})

    return [
        Route("/sandbox/health", health, methods=["GET"]),
        Route("/sandbox/books", show_books, methods=["GET"]),
        Route("/sandbox/orders", move_order, methods=["POST"]),
        Route("/sandbox/faults", add_fault, methods=["POST"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
    ]


def _add_fault(faults: FaultPlan, wanted: object) -> None:
    if not isinstance(wanted, dict):
        raise TypeError("expected an object: {name, endpoint, times, probability, seed}")
    fields = cast("dict[str, Any]", wanted)
    unknown = fields.keys() - {"name", "endpoint", "times", "probability", "seed"}
    if unknown or not fields.keys() >= {"name", "endpoint"}:
        raise ValueError("the fields are name and endpoint; optional: times, probability, seed")
    if fields["endpoint"] not in EVERYWHERE:
        raise ValueError(f"endpoint is one of: {', '.join(sorted(EVERYWHERE))}")
    times = fields.get("times", 1)
    faults.add(
        str(fields["name"]),
        fields["endpoint"],
        times=None if times is None else int(times),
        probability=float(fields.get("probability", 1)),
        seed=int(fields.get("seed", 0)),
    )


def _move_order(books: Books, wanted: object) -> None:
    if not isinstance(wanted, dict):
        raise TypeError("expected an object: {order_id, status, payable_fen, parcel}")
    fields = cast("dict[str, Any]", wanted)
    if "order_id" not in fields or fields.keys() - {"order_id", "status", "payable_fen", "parcel"}:
        raise ValueError("the fields are order_id; optional: status, payable_fen, parcel: [carrier, number]")
    payable_fen, parcel = fields.get("payable_fen"), fields.get("parcel")
    if parcel is not None:
        carrier, number = parcel
        parcel = str(carrier), str(number)
    fen = None if payable_fen is None else int(payable_fen)
    books.move(fields["order_id"], fields.get("status"), fen, parcel)


def _books_as_json(books: Books) -> Json:
    by_reference: dict[str, list[Json]] = {}
    for order in books.orders:
        row: Json = {
            "order_ids": list(order.order_ids),
            "statuses": [part.status for part in order.parts],
            "trade_type": order.trade_type,
            "payable_fen": order.payable_fen,
            "created_at": order.created_at.isoformat(),
            "body": order.body,
        }
        by_reference.setdefault(order.out_order_id, []).append(row)
    return {
        "previews_received": books.received["preview"],
        "creates_received": books.received["create"],
        "lists_received": books.received["list"],
        "products_received": sum(books.received[name] for name in ("product", "sibling-product")),
        "searches_received": books.received["search"],
        "creates_of": dict(books.creates_of),
        "orders": by_reference,
    }


def _answer(content: Json, status: int = 200) -> Response:
    return Response(encode(content), status_code=status, media_type="application/json")
