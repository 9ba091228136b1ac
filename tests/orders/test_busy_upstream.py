"""An upstream that asks to wait: `upstream_busy` with its seconds, and retries that keep to them."""

from collections import Counter
from pathlib import Path

import httpx
import pytest

from harness.house import ERAS, Era, House, call, order_arguments

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_beyond_the_deadline_is_told_at_once_and_not_tried_again(
    tmp_path: Path, era: Era
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(429, headers={"retry-after": "90"}, text="<html>busy</html>")

    house = House(tmp_path)
    async with house.client(era, new_transport=lambda: httpx.MockTransport(answer)) as client:
        problem = (await call(client, "preview_order", order_arguments()))["problem"]
    assert (problem["code"], problem["request_sent"]) == ("upstream_busy", "no")
    assert "Wait 90 seconds" in problem["next_step"]
    assert problem["details"]["retry_after_seconds"] == 90
    assert Counter(request.url.path.rpartition("/ka/")[2] for request in asked) == {
        "order/create/preview": 1,
        "product/detail/get": 1,
    }


async def test_a_wait_within_the_deadline_is_kept_and_the_preview_comes(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = [httpx.Response(429, headers={"retry-after": "1"}, text="busy")]
    sandbox = house.sandbox

    from xportcn_server.sandbox.transport import SandboxTransport

    class BusyOnce(SandboxTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            of_price = request.url.path.endswith("/preview")
            return first.pop() if first and of_price else await super().handle_async_request(request)

    async with house.client(new_transport=lambda: BusyOnce(sandbox)) as client:
        envelope = await call(client, "preview_order", order_arguments())
    assert envelope["ok"]
    assert not first
