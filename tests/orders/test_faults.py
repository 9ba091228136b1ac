"""Every fault through the tools: state, problem and `request_sent` as the table says, and true of the books."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import anyio
import pytest
import stamina

from harness.house import ERAS, House, call, order_arguments, previewed
from harness.port_sandbox import running_sandbox
from harness.settings import live
from orders.fault_outcomes import CREATE, PREVIEW, contradiction
from xportcn_server.sandbox.conduct import Pace
from xportcn_server.sandbox.faults import FAULTS
from xportcn_server.sandbox.service import Sandbox, build_sandbox

pytestmark = pytest.mark.anyio

Way = Literal["legacy", "auto", "port"]
WAYS: tuple[Way, ...] = (*ERAS, "port")
DEADLINE_SECONDS = 1


@pytest.fixture(autouse=True)
def previews_are_tried_again_at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def request_ids(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The request ids that the sandbox has given out, in order."""
    issued: list[str] = []

    def token_hex(size: int) -> str:
        issued.append(f"{len(issued) + 1:0{2 * size}x}")
        return issued[-1]

    monkeypatch.setattr("xportcn_server.sandbox.office.secrets", SimpleNamespace(token_hex=token_hex))
    return issued


def quick_or_never() -> Sandbox:
    return build_sandbox(pace=Pace(slow_seconds=0.01, drip_seconds=60))


@asynccontextmanager
async def open_house(folder: Path, way: Way, **changes: str) -> AsyncGenerator[House]:
    changes = {"TIMEOUT_SECONDS": str(DEADLINE_SECONDS)} | changes
    if way == "port":
        async with running_sandbox(quick_or_never()) as (sandbox, base_url):
            yield House(folder, sandbox, **live(base_url, **changes))
    else:
        yield House(folder, quick_or_never(), **changes)


async def in_time(awaited: Any) -> dict[str, Any]:
    """A call answers within its one deadline; the rest is for a slow machine."""
    with anyio.fail_after(DEADLINE_SECONDS + 4):
        return await awaited


def of_a_port(name: str, way: Way) -> bool:
    return not (way == "port" and FAULTS[name].in_process_only)


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name in CREATE for way in WAYS if of_a_port(name, way)]
)
async def test_a_fault_of_a_create_ends_as_the_table_says_and_true_of_the_books(
    tmp_path: Path, name: str, way: Way, request_ids: list[str]
) -> None:
    expected = CREATE[name]
    async with open_house(tmp_path, way) as house, house.client("auto" if way == "port" else way) as client:
        arguments = (await previewed(client))["create_order_arguments"]
        house.sandbox.faults.add(name, "create")
        first = await in_time(call(client, "create_order", arguments))
        order, problem = first["order"], first["problem"]
        assert order["state"] == expected.state
        assert order["replayed"] is False
        assert (problem and problem["code"]) == expected.problem
        assert (problem and problem["request_sent"]) == expected.request_sent
        assert order["request_id"] == (request_ids[-1] if expected.request_id else None)
        assert not problem or problem["request_id"] == order["request_id"]
        assert bool(house.sandbox.books.orders) is FAULTS[name].order_exists
        assert order["order_ids"] == (house.order_ids if expected.names_ids else [])
        creates = house.creates
        assert creates <= 1

        again = await in_time(call(client, "create_order", arguments))
        assert again == first | {"order": order | {"replayed": True}}
        (listed,) = (await call(client, "get_orders"))["orders"]
        assert listed == order
        assert house.creates == creates
        assert len(house.sandbox.books.orders) <= 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_fault_of_a_preview_orders_nothing_and_says_so(
    tmp_path: Path, way: Way, request_ids: list[str]
) -> None:
    async with open_house(tmp_path, way) as house, house.client("auto" if way == "port" else way) as client:
        for name, expected in PREVIEW.items():
            if not of_a_port(name, way):
                continue
            house.sandbox.faults.add(name, "preview", times=None)
            envelope = await in_time(call(client, "preview_order", order_arguments()))
            house.sandbox.faults.clear()
            problem = envelope["problem"]
            assert (name, problem and problem["code"]) == (name, expected.problem)
            if problem is None:
                assert envelope["preview"]["preview_token"], name
                continue
            assert envelope["preview"] is None, name
            assert problem["request_sent"] == "no", name
            kept = request_ids[-1] if expected.request_id else None
            assert (name, problem["request_id"]) == (name, kept)
        assert (await call(client, "get_orders"))["orders"] == []
        assert house.creates == 0


async def test_a_fault_of_the_recheck_sends_no_create_and_leaves_the_token_good(tmp_path: Path) -> None:
    async with (
        open_house(tmp_path, "auto", RECHECK_AFTER_SECONDS="0") as house,
        house.client() as client,
    ):
        arguments = (await previewed(client))["create_order_arguments"]
        for name, expected in PREVIEW.items():
            if expected.problem is None and name != "price-drift":
                continue
            house.sandbox.faults.add(name, "preview", times=None)
            envelope = await in_time(call(client, "create_order", arguments))
            house.sandbox.faults.clear()
            # What can be ordered no longer, or at another price only, has other terms.
            code = "terms_changed" if name in ("refusal", "price-drift") else expected.problem
            assert (name, envelope["problem"]["code"]) == (name, code)
            assert envelope["problem"]["request_sent"] == "no", name
            assert envelope["order"] is None, name
            assert house.creates == 0, name
        assert (await call(client, "create_order", arguments))["order"]["state"] == "placed"


async def test_a_port_that_nobody_listens_on_any_more_means_that_nothing_was_sent(tmp_path: Path) -> None:
    async with running_sandbox(quick_or_never()) as (sandbox, base_url):
        house = House(tmp_path, sandbox, **live(base_url, RECHECK_AFTER_SECONDS="1800"))
        async with house.client() as client:
            arguments = (await previewed(client))["create_order_arguments"]
    async with house.client() as client:
        envelope = await in_time(call(client, "create_order", arguments))
    assert envelope["order"]["state"] == "rejected"
    assert envelope["problem"]["code"] == "upstream_unavailable"
    assert envelope["problem"]["request_sent"] == "no"
    assert house.creates == 0


def test_the_table_has_every_fault_wherever_it_can_happen_and_no_other() -> None:
    assert list(CREATE) == [fault.name for fault in FAULTS.values() if "create" in fault.endpoints]
    assert list(PREVIEW) == [fault.name for fault in FAULTS.values() if "preview" in fault.endpoints]


@pytest.mark.parametrize("name", CREATE)
def test_the_table_states_nothing_that_is_untrue_of_what_the_sandbox_did(name: str) -> None:
    assert contradiction(FAULTS[name], CREATE[name]) is None
