"""The sandbox's control: what tests and people do with it. Unsigned.

GET    /sandbox/health
GET    /sandbox/books     counts, and the orders by outOrderId
POST   /sandbox/orders    {order_id, status?, payable_fen?, parcel?}: as Books.move
POST   /sandbox/faults    {name, endpoint, times?, probability?, seed?}: as FaultPlan.add
DELETE /sandbox/faults
"""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xportcn_server.sandbox.books import Books
from xportcn_server.sandbox.faults import FaultPlan
from xportcn_server.sandbox.jsontext import Json, encode
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.shapes import AnswerShape


def control_routes(shape: AnswerShape, books: Books, faults: FaultPlan) -> list[Route]:
    async def health(_request: Request) -> Response:
        return _answer({"ok": True, "environment": "sandbox", "shape": shape})

    async def show_books(_request: Request) -> Response:
        return _answer(_books_as_json(books))

    async def add_fault(request: Request) -> Response:
        try:
            faults.add(**PlannedFault.model_validate_json(await request.body()).model_dump())
        except ValueError as error:
            return _answer({"ok": False, "error": str(error)}, 400)
        return _answer({"ok": True})

    async def move_order(request: Request) -> Response:
        try:
            books.move(**MovedOrder.model_validate_json(await request.body()).model_dump())
        except (ValueError, LookupError) as error:
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


class PlannedFault(BaseModel, extra="forbid"):
    """As `FaultPlan.add` takes it."""

    name: str
    endpoint: Operation
    times: int | None = 1
    probability: float = 1
    seed: int = 0


class MovedOrder(BaseModel, extra="forbid"):
    """As `Books.move` takes it. `parcel`: carrier and number."""

    order_id: str
    status: str | None = None
    payable_fen: int | None = None
    parcel: tuple[str, str] | None = None


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
