"""The sandbox put together: `build_sandbox` gives the Starlette application and what a test looks at.

API, signed, under `/api`, so that the base URL is `http://HOST:PORT/api` as the real one's is:
    POST /api/alibaba/ka/order/create/preview    documented
    POST /api/alibaba/ka/order/create            documented
    POST /api/alibaba/ka/order/page              path and form inferred
    POST /api/alibaba/ka/order/detail            path inferred, request the sibling's
    POST /api/alibaba/ka/product/keywords/query  path documented, form the sibling's
    POST /api/alibaba/ka/product/detail/get      path inferred, form the sibling's
    POST /api/alibaba/product/detail/get         the sibling's

Drawings, unsigned, at the path that they have in the addresses of answers:
    GET  /img/ibank/sandbox-….png

Control is in `control`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    page,
)
from xportcn_server.sandbox.control import control_routes
from xportcn_server.sandbox.faults import Fault, FaultPlan
from xportcn_server.sandbox.office import Office
from xportcn_server.sandbox.parsing import Operation
from xportcn_server.sandbox.pictures import PICTURE_PATH, picture
from xportcn_server.sandbox.shapes import AnswerShape
from xportcn_tools.clock import utc_now
from xportcn_tools.upstream.order_details import ORDER_DETAIL_PATH
from xportcn_tools.upstream.order_list import ORDER_LIST_PATH
from xportcn_tools.upstream.requests import (
    CREATE_PATH,
    OTHER_PRODUCT_PATH,
    PREVIEW_PATH,
    PRODUCT_PATH,
    SEARCH_PATH,
)
from xportcn_tools.upstream.signing import Credentials, SignatureRule, TimestampUnit

INFERRED_PATHS: Mapping[str, Operation] = {
    ORDER_LIST_PATH: "list",
    ORDER_DETAIL_PATH: "details",
    PRODUCT_PATH: "product",
    OTHER_PRODUCT_PATH: "sibling-product",
}
"""Where an upstream answers what no page documents, unless `build_sandbox` is given others."""


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
    paths: Mapping[str, Operation] = INFERRED_PATHS,
    forbidden: Collection[Operation] = (),
) -> Sandbox:
    """A sandbox that answers previews in `shape`, to one account that signs by `rule` and `unit`.

    `paths`: where it answers beside the documented paths; any other is a page of HTTP 404. `forbidden`: what
    the account may not call, which is said to a signature that is right alone.
    """
    books = Books() if books is None else books
    faults = FaultPlan() if faults is None else faults
    offers = dict(CATALOGUE)
    office = Office(shape, Door(credentials, rule, unit), clock, books, offers, frozenset(forbidden))
    endpoints: dict[str, Operation] = {
        API + PREVIEW_PATH: "preview",
        API + CREATE_PATH: "create",
        API + SEARCH_PATH: "search",
        **{API + path: operation for path, operation in paths.items()},
    }
    routes = [
        Route(path, _api_call(office, endpoint, pace), methods=["POST"])
        for path, endpoint in endpoints.items()
    ]
    drawings = Route(PICTURE_PATH + "{name}", _drawing, methods=["GET"])
    elsewhere = Route(API + "/{path:path}", _no_such_path(books), methods=["POST"])
    app = Starlette(routes=[*routes, elsewhere, drawings, *control_routes(shape, books, faults)])
    return Sandbox(app, books, faults, offers, endpoints)


def _api_call(office: Office, endpoint: Operation, pace: Pace) -> Callable[[Request], Any]:
    async def call(request: Request) -> Response:
        connection: ClientConnection = request.scope.get("extensions", {}).get(EXTENSION, _PLAIN)
        fault = connection.fault
        if fault and fault.name == "timeout-before-read":
            return Silence()
        body = await request.body()
        # From here to the answer nothing awaits: a client that goes away cannot stop it half-way.
        office.books.note_request(endpoint, body)
        office.books.paths.append(request.url.path.removeprefix(API))
        if fault is None or fault.variation:
            return in_order(office.answer(endpoint, request.headers, body, fault.name if fault else ""))
        if not fault.order_exists:
            return instead_of_carrying_out(fault)
        return after_carrying_out(fault, office.answer(endpoint, request.headers, body), pace)

    return call


def _no_such_path(books: Books) -> Callable[[Request], Any]:
    async def call(request: Request) -> Response:
        books.paths.append(request.url.path.removeprefix(API))
        return page(404)

    return call


async def _drawing(request: Request) -> Response:
    try:
        return Response(picture(request.url.path), media_type="image/png")
    except LookupError:
        return Response(status_code=404)


async def _nothing_to_reset(receive: Receive) -> None:  # noqa: ARG001 - a ClientConnection's signature
    raise RuntimeError("faults need SandboxTransport or a port")


# Under a plain ASGI server or test client, which draw no faults.
_PLAIN = ClientConnection(None, _nothing_to_reset)
