"""The sandbox as the upstream, with its answers altered on their way."""

import json
from collections.abc import Callable
from typing import Any

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
