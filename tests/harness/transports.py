"""The sandbox as the upstream, with its answers altered on their way."""

import json
from collections.abc import Callable
from typing import Any, cast

import httpx

from xportcn_server.sandbox.service import Sandbox
from xportcn_server.sandbox.transport import SandboxTransport

Alteration = Callable[[dict[str, Any]], str | None]
"""Changes an answer in place, or gives the text that comes instead of it."""


class AlteredAnswers:
    """The seam `new_transport`: the answers of one endpoint are altered for as long as there is an `alter`.

    `endpoint`: how its path ends.
    """

    def __init__(self, sandbox: Sandbox, alter: Alteration | None = None, endpoint: str = "/preview") -> None:
        self.sandbox = sandbox
        self.alter = alter
        self.endpoint = endpoint

    def __call__(self) -> httpx.AsyncBaseTransport:
        return _Altering(self)


class _Altering(httpx.AsyncBaseTransport):
    def __init__(self, answers: AlteredAnswers) -> None:
        self._answers = answers
        self._inner = SandboxTransport(answers.sandbox)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        answers = self._answers
        if answers.alter is None or not request.url.path.endswith(answers.endpoint):
            return response
        answer = json.loads(await response.aread())
        text = answers.alter(answer)
        if text is not None:
            return httpx.Response(response.status_code, text=text)
        return httpx.Response(response.status_code, json=answer)


class OnlyOption(SandboxTransport):
    """An upstream that takes this spec where a line names none, and names none in its price then."""

    def __init__(self, sandbox: Sandbox, spec_id: str) -> None:
        super().__init__(sandbox)
        self._spec_id = spec_id

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}")
        items = body.get("cargoParamList", [])
        if all(item.get("specId") for item in items):
            return await super().handle_async_request(request)
        for item in items:
            item.setdefault("specId", self._spec_id)
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        full = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=json.dumps(body),
            extensions=request.extensions,
        )
        response = await super().handle_async_request(full)
        text = await response.aread()
        try:
            answer = _without_specs(json.loads(text))
        except ValueError:  # a fault: no answer of the API
            return response
        return httpx.Response(response.status_code, json=answer)


def _without_specs(answer: Any) -> Any:
    if isinstance(answer, dict):
        held = cast("dict[str, Any]", answer)
        return {name: _without_specs(value) for name, value in held.items() if name != "specId"}
    return (
        [_without_specs(each) for each in cast("list[Any]", answer)] if isinstance(answer, list) else answer
    )
