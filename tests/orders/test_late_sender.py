"""A machine that slept between the claim and the request's first byte does not send; nor does one that cannot."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from harness.house import House, call, previewed
from harness.port_sandbox import running_sandbox
from harness.settings import live, settings_for
from xportcn_server.parts import Seams, upstream_of
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_tools.desk import sending
from xportcn_tools.upstream.port import NotSentError
from xportcn_tools.upstream.requests import CREATE_PATH

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("seconds", "sent"), [(9, 1), (11, 0), (500, 0)])
async def test_a_claim_that_took_too_long_is_not_followed_by_a_send(
    tmp_path: Path, seconds: int, sent: int
) -> None:
    house, slept = House(tmp_path), timedelta(0)
    start = datetime.now(UTC)

    def clock() -> datetime:
        return start + slept

    async def sleep_at_claim(step: str) -> None:
        nonlocal slept
        if step == "claim":
            slept = timedelta(seconds=seconds)

    async with house.client(clock=clock, step=sleep_at_claim) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
        again = await call(client, "create_order", preview["create_order_arguments"])
    assert house.creates == sent
    assert envelope["ok"] is bool(sent)
    assert again["order"]["state"] == envelope["order"]["state"] == ("placed" if sent else "rejected")
    if not sent:
        assert envelope["problem"]["code"] == "upstream_unavailable"
        assert envelope["problem"]["request_sent"] == "no"


@pytest.mark.parametrize(("seconds", "sent"), [(9, 1), (11, 0)])
async def test_a_wall_clock_that_was_set_back_meanwhile_hides_no_delay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, sent: int
) -> None:
    house, now = House(tmp_path), datetime.now(UTC)
    passed = 0.0
    monkeypatch.setattr(sending, "monotonic", lambda: passed)

    async def hang_at_claim(step: str) -> None:
        nonlocal passed
        if step == "claim":
            passed = seconds

    async with house.client(clock=lambda: now, step=hang_at_claim) as client:
        preview = await previewed(client)
        await call(client, "create_order", preview["create_order_arguments"])
    assert house.creates == sent


class Connecting(SandboxTransport):
    """An upstream to which the connection takes so long, before the request begins."""

    def __init__(self, house: House, wait: Callable[[], None]) -> None:
        super().__init__(house.sandbox)
        self._wait = wait

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(CREATE_PATH):
            self._wait()
        return await super().handle_async_request(request)


@pytest.mark.parametrize("of", ["wall", "monotonic"])
@pytest.mark.parametrize(("seconds", "sent"), [(9, 1), (11, 0), (3600, 0)])
async def test_a_machine_that_slept_while_it_connected_does_not_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, sent: int, of: str
) -> None:
    house, start = House(tmp_path), datetime.now(UTC)
    passed = {"wall": 0, "monotonic": 0}
    monkeypatch.setattr(sending, "monotonic", lambda: passed["monotonic"])

    def sleep() -> None:
        passed[of] += seconds

    def clock() -> datetime:
        return start + timedelta(seconds=passed["wall"])

    async with house.client(clock=clock, new_transport=lambda: Connecting(house, sleep)) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert house.creates == sent
    assert envelope["ok"] is bool(sent)
    if not sent:
        assert envelope["order"]["state"] == "rejected"
        assert envelope["problem"]["request_sent"] == "no"


async def test_no_byte_of_a_create_that_comes_too_late_leaves_over_a_real_connection(tmp_path: Path) -> None:
    async with running_sandbox() as (sandbox, base_url):
        client = upstream_of(settings_for(tmp_path / "ledger.sqlite3", **live(base_url)), Seams())
        asked: list[int] = []

        def too_late() -> bool:
            asked.append(sandbox.books.received["create"])
            return False

        with pytest.raises(NotSentError, match="held up"):
            await client.create({}, may_leave=too_late)
        await client.aclose()
        assert asked == [0]
        assert sandbox.books.received["create"] == 0


async def test_an_import_that_fails_before_the_claim_spends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        preview = await previewed(client)
        with monkeypatch.context() as broken:
            broken.setitem(sys.modules, "httpx", None)
            envelope = await call(client, "create_order", preview["create_order_arguments"])
        assert (envelope["problem"]["code"], envelope["problem"]["request_sent"]) == (
            "upstream_unavailable",
            "no",
        )
        assert envelope["order"] is None
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]


async def test_an_import_that_fails_before_a_byte_left_is_not_sent(tmp_path: Path) -> None:
    class Missing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith(CREATE_PATH):
                raise ImportError("cannot import name 'AnyIOBackend'")
            return await SandboxTransport(house.sandbox).handle_async_request(request)

    house = House(tmp_path)
    async with house.client(new_transport=Missing) as client:
        preview = await previewed(client)
        envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert (envelope["order"]["state"], envelope["problem"]["request_sent"]) == ("rejected", "no")
    assert house.creates == 0
