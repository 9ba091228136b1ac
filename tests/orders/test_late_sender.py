"""A machine that slept between the claim and the send does not send."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.house import House, call, previewed
from xportcn_tools.desk import sending

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("seconds", "sent"), [(9, 1), (11, 0), (3600, 0)])
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
