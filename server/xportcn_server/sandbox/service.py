"""The sandbox put together: `build_sandbox` gives the Starlette application and what a test looks at.

API, signed, under `/api`, so that the base URL is `http://HOST:PORT/api` as the real one's is:
    POST /api/alibaba/ka/order/create/preview    documented
    POST /api/alibaba/ka/order/create            documented
    POST /api/alibaba/ka/order/page              experimental, path and form inferred
    POST /api/alibaba/ka/product/keywords/query  path documented, form the sibling's
    POST /api/alibaba/ka/product/detail/get      path inferred, form the sibling's
    POST /api/alibaba/product/detail/get         the sibling's

Drawings, unsigned, at the path that they have in the addresses of answers:
    GET  /img/ibank/sandbox-….png

Control, unsigned, for tests and people:
    GET    /sandbox/health
    GET    /sandbox/books     counts, and the orders by outOrderId
    POST   /sandbox/faults    {name, endpoint, times?, probability?, seed?}: as FaultPlan.add
    DELETE /sandbox/faults
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive

from xportcn_server.sandbox.access import API, SANDBOX_CREDENTIALS, Door
from xportcn_server.sandbox.books import Books
from xportcn_server.sandbox.catalogue import CATALOGUE, Offer
from xportcn_server.sandbox.conduct import (
    EXTENSION,
    ClientConnection,
    Pace,
    Silence,
    after_carrying_out,
    in_order,
    instead_of_carrying_out,
)
from xportcn_server.sandbox.faults import EVERYWHERE, Fault, FaultPlan
from xportcn_server.sandbox.jsontext import Json, decode, encode
from xportcn_server.sandbox.office import Office
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.pictures import PICTURE_PATH, picture
from xportcn_server.sandbox.shapes import AnswerShape
from xportcn_tools.clock import utc_now
from xportcn_tools.upstream.order_list import ORDER_LIST_PATH
from xportcn_tools.upstream.requests import CREATE_PATH, PREVIEW_PATH
from xportcn_tools.upstream.signing import Credentials, SignatureRule, TimestampUnit


@dataclass(frozen=True)
class Sandbox:
    """One upstream: its application, its books, the faults to come, and what it sells.

    `catalogue` may be changed while it runs: that is how a test moves a price for good.
    """

    app: Starlette
    books: Books
    faults: FaultPlan
    catalogue: dict[int, Offer]
    endpoints: Mapping[str, Operation]

    def draw(self, method: str, path: str) -> Fault | None:
        """The fault of a request that is beginning; the transport or the port asks for it once."""
        endpoint = self.endpoints.get(path)
        return self.faults.next(endpoint) if endpoint and method == "POST" else None


def build_sandbox(
    shape: AnswerShape = "object",
    *,
    credentials: Credentials = SANDBOX_CREDENTIALS,
    rule: SignatureRule = "concat",
    unit: TimestampUnit = "s",
    clock: Callable[[], datetime] = utc_now,
    faults: FaultPlan | None = None,
    books: Books | None = None,
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> Sandbox:
    """A sandbox that answers previews in `shape`, to one account that signs by `rule` and `unit`."""
    books = Books() if books is None else books
    faults = FaultPlan() if faults is None else faults
    offers = dict(CATALOGUE)
    office = Office(shape, Door(credentials, rule, unit), clock, books, offers)
    endpoints: dict[str, Operation] = {
        API + PREVIEW_PATH: "preview",
        API + CREATE_PATH: "create",
        API + ORDER_LIST_PATH: "list",
        API + "/alibaba/ka/product/detail/get": "product",
        API + "/alibaba/product/detail/get": "sibling-product",
        API + "/alibaba/ka/product/keywords/query": "search",
    }
    routes = [
        Route(path, _api_call(office, endpoint, pace), methods=["POST"])
        for path, endpoint in endpoints.items()
    ]
    drawings = Route(PICTURE_PATH + "{name}", _drawing, methods=["GET"])
    app = Starlette(routes=[*routes, drawings, *_control_routes(shape, books, faults)])
    return Sandbox(app, books, faults, offers, endpoints)


def _api_call(office: Office, endpoint: Operation, pace: Pace) -> Callable[[Request], Any]:
    async def call(request: Request) -> Response:
        line: ClientConnection = request.scope.get("extensions", {}).get(EXTENSION, _PLAIN_LINE)
        fault = line.fault
        if fault and fault.name == "timeout-before-read":
            return Silence()
        body = await request.body()
        # From here to the answer nothing awaits: a client that goes away cannot stop it half-way.
        office.books.note_request(endpoint, body)
        if fault is None or fault.variation:
            return in_order(office.answer(endpoint, request.headers, body, fault.name if fault else ""))
        if not fault.order_exists:
            return instead_of_carrying_out(fault)
        return after_carrying_out(fault, office.answer(endpoint, request.headers, body), pace)

    return call


async def _drawing(request: Request) -> Response:
    try:
        return Response(picture(request.url.path), media_type="image/png")
    except LookupError:
        return Response(status_code=404)


async def _nothing_to_reset(receive: Receive) -> None:  # noqa: ARG001 - a ClientConnection's signature
    raise RuntimeError("faults need SandboxTransport or a port")


# Under a plain ASGI server or test client, which draw no faults.
_PLAIN_LINE = ClientConnection(None, _nothing_to_reset)


def _control_routes(shape: AnswerShape, books: Books, faults: FaultPlan) -> list[Route]:
    async def health(_request: Request) -> Response:
        return _control_answer({"ok": True, "environment": "sandbox", "shape": shape})

    async def show_books(_request: Request) -> Response:
        return _control_answer(_books_as_json(books))

    async def add_fault(request: Request) -> Response:
        try:
            _add_fault(faults, decode(await request.body()))
        except (ValueError, TypeError) as error:
            return _control_answer({"ok": False, "error": str(error)}, 400)
        return _control_answer({"ok": True})

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return _control_answer({"ok": True})

    return [
        Route("/sandbox/health", health, methods=["GET"]),
        Route("/sandbox/books", show_books, methods=["GET"]),
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


def _books_as_json(books: Books) -> Json:
    by_reference: dict[str, list[Json]] = {}
    for order in books.orders:
        row: Json = {
            "order_ids": list(order.order_ids),
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


def _control_answer(content: Json, status: int = 200) -> Response:
    return Response(encode(content), status_code=status, media_type="application/json")
