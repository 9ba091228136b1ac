"""`orders watch`, and what the commands say of an order that was read upstream."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner, Result

from harness.house import House, call, previewed
from harness.settings import environ_of
from xportcn_server.commands import watch_command
from xportcn_server.commands.cli import main
from xportcn_server.http.callers import PREFIX, new_caller
from xportcn_server.parts import Seams, upstream_of
from xportcn_server.sandbox.books import CLOSED, SHIPPED
from xportcn_server.settings.settings import Settings
from xportcn_tools.upstream.client import UpstreamClient
from xportcn_tools.upstream.outcome import Reply


class Evening:
    """A house whose sandbox the commands reach, too."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, ORDER_LOOKUP="on")

    def place(self, **changes: Any) -> dict[str, Any]:
        async def conversation() -> dict[str, Any]:
            async with self.house.client() as client:
                preview = await previewed(client, **changes)
                return (await call(client, "create_order", preview["create_order_arguments"]))["order"]

        return anyio.run(conversation)

    def run(self, *words: str, **changes: str) -> Result:
        environ = environ_of(**({"LEDGER": str(self.house.ledger), "ORDER_LOOKUP": "on"} | changes))
        return CliRunner().invoke(main, ["orders", *words], env=environ)

    def upstream_of(self, settings: Settings, _: Seams) -> UpstreamClient:
        return upstream_of(settings, Seams(sandbox=self.house.sandbox))

    @property
    def asked(self) -> int:
        return self.house.sandbox.books.received["details"]


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evening:
    evening = Evening(tmp_path)
    monkeypatch.setattr(watch_command, "upstream_of", evening.upstream_of)
    return evening


def test_orders_that_are_placed_and_not_paid_are_nothing_new(evening: Evening) -> None:
    assert evening.run("watch", "--once").exit_code == 0
    assert evening.asked == 0
    evening.place()
    done = evening.run("watch", "--once")
    assert (done.exit_code, done.output) == (0, "")
    assert evening.asked == 1


def test_a_change_is_one_line_and_once_exits_with_3(evening: Evening) -> None:
    order = evening.place()
    (order_id,) = order["order_ids"]
    evening.house.sandbox.books.move(order_id, SHIPPED, parcel=("圆通速递", "YT7788"))
    done = evening.run("watch", "--once")
    assert done.exit_code == 3
    (line,) = done.output.splitlines()
    said = f"{order_id}: not paid yet → shipped, parcel 「圆通速递」 「YT7788」"
    assert line.endswith(f"  {order['out_order_id']}  {said}")
    again = evening.run("watch", "--once")
    assert (again.exit_code, again.output) == (0, "")


def test_a_total_that_differs_is_said_first_and_at_every_single_reading(evening: Evening) -> None:
    order = evening.place()
    (order_id,) = order["order_ids"]
    evening.house.sandbox.books.move(order_id, SHIPPED, payable_fen=5_998)
    first = evening.run("watch", "--once")
    warning, change = first.output.splitlines()
    again = evening.run("watch", "--once")
    assert (first.exit_code, again.exit_code) == (3, 3)
    assert again.output.splitlines() == [warning]
    assert warning.startswith(f"WARNING: order {order['out_order_id']} is no longer as it was approved")
    assert f"total: approved {order['payable']['amount']}, now 59.98" in warning
    assert "shipped" in change


def test_what_became_of_an_order_is_said_in_the_owners_language(evening: Evening) -> None:
    order = evening.place()
    (order_id,) = order["order_ids"]
    evening.house.sandbox.books.move(order_id, SHIPPED, payable_fen=5_998, parcel=("圆通速递", "YT7788"))
    warning, change = evening.run("watch", "--once", LANGUAGE="zh").output.splitlines()
    approved = order["payable"]["amount"]
    assert warning == (
        f"警告：订单 {order['out_order_id']} 与确认时不一致：合计：确认时为 {approved}，现在为 59.98。付款前请先联系卖家。"
    )
    assert change.endswith(f"{order_id}: 未付款 → 已发货，包裹 「圆通速递」 「YT7788」")
    listed = evening.run("list", LANGUAGE="zh").output
    assert re.search(
        rf"    平台（.+ 读取）：订单 {order_id}：已发货，合计 59.98 CNY\n    - 包裹 「圆通速递」", listed
    )


def test_an_order_that_could_not_be_read_is_named_and_once_exits_with_1(evening: Evening) -> None:
    order = evening.place()
    evening.house.sandbox.faults.add("http-500", "details", times=None)
    done = evening.run("watch", "--once")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Could not be read upstream: {order['out_order_id']}\n"


def test_an_order_is_read_in_the_account_of_its_caller(
    evening: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening.place()
    with sqlite3.connect(evening.house.ledger) as ledger:
        ledger.execute("UPDATE orders SET caller = ?", (f"{PREFIX}alice",))
    ledger.close()
    callers = tmp_path / "callers.toml"
    new_caller(callers, "alice")
    text = callers.read_text("utf-8")
    callers.write_text(f'{text}\nuser_id = "sub-account-7"\n', "utf-8")
    asked_as: list[str | None] = []
    read = UpstreamClient.read

    async def recorded(self: UpstreamClient, path: str, body: Any, user_id: str | None = None) -> Reply:
        asked_as.append(user_id)
        return await read(self, path, body, user_id)

    monkeypatch.setattr(UpstreamClient, "read", recorded)
    evening.run("watch", "--once", CALLERS=str(callers))
    assert asked_as == ["sub-account-7"]


def test_a_closed_order_is_not_read_again(evening: Evening) -> None:
    evening.house.sandbox.books.move(evening.place()["order_ids"][0], CLOSED)
    assert "→ closed" in evening.run("watch", "--once").output
    asked = evening.asked
    assert evening.run("watch", "--once").exit_code == 0
    assert evening.asked == asked


def test_without_once_it_reads_again_after_the_time_asked_for(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = evening.place()["order_ids"][0]
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt
        evening.house.sandbox.books.move(order_id, payable_fen=5_998)

    monkeypatch.setattr(watch_command, "_wait", wait)
    done = evening.run("watch", "--every", "15")
    assert waits == [900, 900, 900]
    assert evening.asked == 3
    assert done.stdout.count("WARNING") == done.stdout.count("\n") == 1


def test_where_the_look_up_is_off_it_says_how_to_switch_it_on(evening: Evening) -> None:
    done = evening.run("watch", "--once", ORDER_LOOKUP="off")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "XPORTCN_ORDER_LOOKUP=on" in done.stderr
    assert evening.run("watch", "--every", "9").exit_code == 2


def test_list_and_show_say_what_was_read_and_what_differs_first(evening: Evening) -> None:
    order = evening.place()
    (order_id,) = order["order_ids"]
    evening.house.sandbox.books.move(order_id, payable_fen=5_998)
    evening.run("watch", "--once")
    for words in (("list",), ("show", order_id)):
        first, *rest = evening.run(*words, TIMEZONE="Asia/Tokyo").output.splitlines()
        assert first.startswith(f"WARNING: order {order['out_order_id']}")
        assert f"approved {order['payable']['amount']}, now 59.98" in first
        (read,) = [line for line in rest if "Upstream, read" in line]
        assert f"order {order_id}: not paid yet, total 59.98 CNY, to be paid until " in read
        assert read.count(" JST") == 2
    evening.house.sandbox.books.move(order_id, SHIPPED)
    evening.run("watch", "--once")
    assert "shipped" in (shown := evening.run("show", order_id).output)
    assert "not paid yet" not in shown
