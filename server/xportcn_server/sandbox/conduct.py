"""A fault → what goes over the wire, by way of ASGI where ASGI has a word for it.

It has none for a reset. So what brings a request, `transport` or `serving_http`, brings a `ClientConnection`
along in the scope's extensions: the fault of this call, and the means to reset its connection.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xportcn_server.sandbox.faults import Fault
from xportcn_server.sandbox.jsontext import Json, encode
from xportcn_server.sandbox.office import (
    DUPLICATE,
    NO_SUCH_ORDER,
    NO_SUCH_PRODUCT,
    OUT_OF_STOCK,
    WRONG_SIGNATURE,
    AnswerBody,
    envelope,
    refused,
    success,
)

EXTENSION = "xportcn.sandbox.connection"

_TOO_LARGE = 3_000_000  # bytes


@dataclass(frozen=True)
class ClientConnection:
    """What is under one request: the fault drawn for it, and how to reset its connection."""

    fault: Fault | None
    reset: Callable[[Receive], Awaitable[None]]

    def under(self, scope: Scope) -> Scope:
        """The scope of a request that comes over this connection."""
        return {**scope, "extensions": {**scope.get("extensions", {}), EXTENSION: self}}


@dataclass(frozen=True)
class Pace:
    """`slow_seconds`: how late a slow answer is. `drip_seconds`: between the bytes of a dripping one."""

    slow_seconds: float = 2.0
    drip_seconds: float = 1.0


class Reset(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        connection: ClientConnection = scope["extensions"][EXTENSION]
        await connection.reset(receive)


class Silence(Response):
    """No answer for as long as the client stays."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        await client_gone(receive)


class Late(Response):
    """The answer after a while, unless the client has gone by then."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content, media_type="application/json")
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await _gone_within(self._seconds, receive):
            await super().__call__(scope, receive, send)


class Drip(Response):
    """The answer byte by byte, a while before each."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content, media_type="application/json")
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for byte in bytes(self.body):
            if await _gone_within(self._seconds, receive):
                return
            await send({"type": "http.response.body", "body": bytes((byte,)), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def client_gone(receive: Receive) -> None:
    """Returns when the client has gone, and what it may still have sent is thrown away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def in_order(answer: AnswerBody) -> Response:
    """The answer as it should come."""
    return _json(answer)


def instead_of_carrying_out(fault: Fault) -> Response:
    """The answer, if any, of a fault that leaves the request undone (`order_exists` is false)."""
    match fault.name:
        case "timeout-before-read" | "hang-before-order":
            return Silence()
        case "reset-before-order":
            return Reset()
        case "http-500" | "http-503" | "http-429" | "path-404" | "firewall":
            return page(fault.status)
        case "http-502-envelope" | "http-503-envelope":
            return _json(envelope(fault.status, "服务暂不可用"), fault.status)
        case "http-429-envelope":
            return _json(envelope(429, "请求过于频繁"), 429)
        case "redirect":
            # The discard port of this machine: who follows is found out, and nothing leaves the machine.
            return Response(status_code=302, headers={"location": "http://127.0.0.1:9/"})
        case "html":
            return page(200)
        case "refusal":
            return _json(refused(OUT_OF_STOCK))
        case "signature-refused":
            return _json(refused(WRONG_SIGNATURE))
        case "duplicate-refused":
            return _json(refused(DUPLICATE))
        case "negative-code":
            return _json(envelope(-1, "系统繁忙"))
        case "no-such-interface":
            return _json(envelope(404, "接口不存在"))
        case "not-permitted":
            return _json(envelope(403, "没有该商品的查询权限"))
        case "no-such-product":
            return _json(refused(NO_SUCH_PRODUCT))
        case "no-such-order":
            return _json(refused(NO_SUCH_ORDER))
        case "no-such-product-native":
            said: Json = {"success": False, "code": "SP0056", "message": "商品不存在", "result": None}
            return _json(success({"result": said}))
        case _:
            raise NotImplementedError(fault.name)


def after_carrying_out(fault: Fault, answer: AnswerBody, pace: Pace) -> Response:
    """What becomes of the answer to a request that was carried out (`order_exists` is true)."""
    content = encode(answer)
    match fault.name:
        case "reset-after-order":
            return Reset()
        case "hang":
            return Silence()
        case "slow":
            return Late(content, pace.slow_seconds)
        case "drip":
            return Drip(content, pace.drip_seconds)
        case "http-500-envelope":
            return _json(envelope(500, "系统异常"), 500)
        case "http-502":
            return page(502)
        case "envelope-500":
            return _json(envelope(500, "系统异常"))
        case "cut-json":
            return Response(content[: len(content) // 2], media_type="application/json")
        case "too-large":
            return _json({**answer, "padding": "x" * _TOO_LARGE})
        case "no-code":
            return _json({name: value for name, value in answer.items() if name != "code"})
        case _:
            # The rest falsifies a success; where the request was refused, it stays refused.
            return _json(_falsified(fault, answer) if answer["code"] == 200 else answer)


def _falsified(fault: Fault, answer: AnswerBody) -> AnswerBody:
    data = answer["data"]
    match fault.name:
        case "null-data":
            return {**answer, "data": None}
        case "no-ids":
            return {**answer, "data": {"orderIds": []}}
        case "ids-beside-failure" if isinstance(data, dict):
            failure = {"success": False, "errorCode": OUT_OF_STOCK.code, "errorMsg": OUT_OF_STOCK.message}
            return {**answer, "data": {**data, **failure}}
        case "ids-beside-failed-goods" if isinstance(data, dict):
            failed: Json = [{"offerId": "610947572360", "errorMsg": OUT_OF_STOCK.message}]
            return {**answer, "data": {**data, "failedOfferList": failed}}
        case "ids-beside-refusal":
            return {**answer, "code": OUT_OF_STOCK.code, "msg": OUT_OF_STOCK.message}
        case "wrong-types":
            return {**answer, "data": _with_wrong_types(data)}
        case _:
            raise NotImplementedError(fault.name)


def _with_wrong_types(value: Json) -> Json:
    """Every sum in words, and the list of order ids an object of numbers."""
    if isinstance(value, list):
        return [_with_wrong_types(element) for element in value]
    if not isinstance(value, dict):
        return value
    wrong: dict[str, Json] = {}
    for name, member in value.items():
        if name == "orderIds" and isinstance(member, list):
            wrong[name] = {str(index): int(str(order_id)) for index, order_id in enumerate(member)}
        elif name.startswith("sum"):
            wrong[name] = "六十四元整"
        else:
            wrong[name] = _with_wrong_types(member)
    return wrong


async def _gone_within(seconds: float, receive: Receive) -> bool:
    with anyio.move_on_after(seconds):
        await client_gone(receive)
        return True
    return False


def _json(answer: AnswerBody, status: int = 200) -> Response:
    return Response(encode(answer), status_code=status, media_type="application/json")


def page(status: int) -> Response:
    """A gateway's page in HTML."""
    html = f"<html><head><title>{status}</title></head><body><center>nginx</center></body></html>"
    return Response(html, status_code=status, media_type="text/html")
