"""`orders://recent` and `order://{reference}`: what they hold, and what they never do."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, TextResourceContents

from harness.house import ADDRESS, ERAS, MUG, MUG_SPEC, Era, House, call, previewed, settings_for
from xportcn_server.guide.receipts import code, page, plain, receipt, table
from xportcn_server.parts import address_book_of
from xportcn_tools.ledger.ledger import OrderRecord, Receipt

pytestmark = pytest.mark.anyio

NOT_FOUND = -32602
"""SEP-2164: a resource that does not exist is an invalid parameter."""


async def read(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "text/markdown"
    return contents.text


async def ordered(client: Client, **changes: Any) -> dict[str, Any]:
    preview = await previewed(client, **changes)
    envelope = await call(client, "create_order", preview["create_order_arguments"])
    return envelope["order"]


async def lost(house: House, client: Client, **changes: Any) -> dict[str, Any]:
    """An order of unknown outcome."""
    house.sandbox.faults.add("cut-json", "create")
    try:
        order = await ordered(client, **changes)
    finally:
        house.sandbox.faults.clear()
    assert order["state"] == "unknown"
    return order


def cells(markdown: str) -> dict[str, str]:
    """The two-column table of a receipt."""
    return dict(re.findall(r"^\| ([A-Z][^|]*?) \| (.*) \|$", markdown, flags=re.MULTILINE))


@pytest.mark.parametrize("era", ERAS)
async def test_the_resources_of_orders_are_listed(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        recent, _ = (await client.list_resources()).resources  # the other is the skill
        (receipt,) = (await client.list_resource_templates()).resource_templates
    assert (recent.uri, recent.mime_type) == ("orders://recent", "text/markdown")
    assert (receipt.uri_template, receipt.mime_type) == ("order://{reference}", "text/markdown")
    assert recent.description
    assert receipt.description


@pytest.mark.parametrize("era", ERAS)
async def test_a_receipt_says_what_how_much_where_to_how_approved_and_when(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        order = await ordered(client, out_order_id="PO-2026-0001")
        (order_id,) = order["order_ids"]
        text = await read(client, "order://PO-2026-0001")
        assert await read(client, f"order://{order_id}") == text
    assert text.startswith("# Order `PO-2026-0001`\n\nSANDBOX: nothing real is bought.\n")
    told = cells(text)
    assert told["State"] == (
        "**placed**: this order is placed; not paid yet unless you paid it in your Xportcn account"
    )
    assert told["Total"] == "64.00 CNY = goods 58.00 + freight 6.00 + fees 0.00 - discount 0.00"
    assert told["Order ids"] == f"`{order_id}`"
    assert told["Ship to"] == order["ship_to"]
    assert told["Approval"] == "client_dialog (not verified)"
    for name, time in (("Created", order["created_at"]), ("Updated", order["updated_at"])):
        there = datetime.fromisoformat(time).astimezone(ZoneInfo("Asia/Shanghai"))
        assert told[name] == f"{there:%Y-%m-%d %H:%M:%S} CST"
    assert told["Request id"] == f"`{order['request_id']}` (for the vendor's support)"
    assert f"| `{MUG}` | `{MUG_SPEC}` | – | 2 | 29.00 CNY | 58.00 CNY |" in text
    assert "What to do next" not in text


@pytest.mark.parametrize("era", ERAS)
async def test_the_receipt_of_an_unknown_order_says_what_to_do_and_not_that_none_exists(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        order = await lost(house, client)
        text = await read(client, f"order://{order['out_order_id']}")
        recent = await read(client, "orders://recent")
    assert cells(text)["State"] == "**unknown**: this order has an unknown outcome: an order may exist"
    assert cells(text)["Reason"].startswith("`outcome_unknown`, what came back (data): ")
    assert "**Do not order this again.**" in text
    assert f"xportcn-mcp orders resolve {order['out_order_id']} --placed" in text
    for each in (text, recent):
        assert "an order may exist" in each
        assert "no order exists" not in each.lower()


async def test_a_receipt_of_an_order_that_nobody_was_asked_about_says_so(tmp_path: Path) -> None:
    async with House(tmp_path, APPROVAL="off").client() as client:
        order = await ordered(client)
        text = await read(client, f"order://{order['out_order_id']}")
    assert cells(text)["Approval"] == "off (no approval was asked for)"


async def test_a_refused_order_has_its_reason_in_words_that_are_marked_as_the_upstreams(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client() as client:
        house.sandbox.faults.add("refusal", "create")
        order = await ordered(client)
        text = await read(client, f"order://{order['out_order_id']}")
    assert cells(text)["State"] == "**rejected**: this order was refused; no order exists"
    assert cells(text)["Reason"].startswith("`upstream_rejected`, the upstream's words (data): ")
    assert "nothing was bought" in text


@pytest.mark.parametrize("era", ERAS)
async def test_recent_orders_are_the_newest_twenty_newest_first(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        assert (await read(client, "orders://recent")).endswith("No orders yet.")
        for number in range(22):
            await ordered(client, out_order_id=f"PO-2026-{number:04}", quantity=2 + number)
        text = await read(client, "orders://recent")
        (newest,) = (await call(client, "get_orders", {"limit": 1}))["orders"]
    listed = re.findall(r"^\| `(PO-[0-9-]+)` \|", text, flags=re.MULTILINE)
    assert listed == [f"PO-2026-{number:04}" for number in range(21, 1, -1)]
    first = next(line for line in text.splitlines() if "PO-2026-0021" in line)
    assert first == (
        f"| `PO-2026-0021` | placed | {newest['payable']['amount']} CNY | {newest['created_at']} | "
        f"`{newest['order_ids'][0]}` | {newest['ship_to']} |"
    )


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "reference",
    ["PO-2026-9999", "x", "%00", "%0A", "..", "a%2Fb", "1" * 65, "PO%202026", "%E8%AE%A2%E5%8D%95", "%25"],
)
async def test_an_order_that_belongs_to_nobody_is_not_found(tmp_path: Path, era: Era, reference: str) -> None:
    async with House(tmp_path).client(era) as client:
        await ordered(client)
        with pytest.raises(MCPError) as refused:
            await client.read_resource(f"order://{reference}")
    assert refused.value.code == NOT_FOUND
    assert refused.value.data == {"uri": f"order://{reference}"}


@pytest.mark.parametrize("era", ERAS)
async def test_neither_a_token_nor_a_preview_without_an_order_is_a_receipt(tmp_path: Path, era: Era) -> None:
    async with House(tmp_path).client(era) as client:
        preview = await previewed(client, out_order_id="PO-2026-0001")
        await call(client, "create_order", preview["create_order_arguments"])
        waiting = await previewed(client, out_order_id="PO-2026-0002", quantity=3)
        for reference in (preview["preview_token"], waiting["preview_token"], "PO-2026-0002"):
            with pytest.raises(MCPError) as refused:
                await client.read_resource(f"order://{reference}")
            assert refused.value.code == NOT_FOUND


async def test_the_buyers_own_number_goes_before_an_order_id_that_reads_the_same(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        (order_id,) = (await ordered(client))["order_ids"]
        await ordered(client, out_order_id=order_id, quantity=3)
        text = await read(client, f"order://{order_id}")
    assert text.startswith(f"# Order `{order_id}`")
    assert cells(text)["Total"].startswith("93.00 CNY")


@pytest.mark.parametrize("era", ERAS)
async def test_the_receipt_has_the_preview_that_was_ordered_where_the_number_had_two(
    tmp_path: Path, era: Era
) -> None:
    async with House(tmp_path).client(era) as client:
        first = await previewed(client, out_order_id="PO-2026-0001")
        await previewed(client, out_order_id="PO-2026-0001", quantity=5)
        await call(client, "create_order", first["create_order_arguments"])
        text = await read(client, "order://PO-2026-0001")
    assert f"| `{MUG}` | `{MUG_SPEC}` | – | 2 | 29.00 CNY | 58.00 CNY |" in text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("uri", ["orders://recent", "order://PO-2026-0001"])
async def test_a_ledger_that_cannot_be_read_is_an_error_and_no_empty_list(
    tmp_path: Path, era: Era, uri: str
) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        await ordered(client, out_order_id="PO-2026-0001")
        with closing(sqlite3.connect(house.ledger)) as file:
            file.execute("ALTER TABLE orders RENAME TO gone")
            file.commit()
        with pytest.raises(MCPError) as refused:
            await client.read_resource(uri)
    assert refused.value.code != NOT_FOUND
    assert "ledger_unavailable" in refused.value.message


async def test_a_saved_address_is_masked_as_in_results(tmp_path: Path) -> None:
    house = House(tmp_path)
    book = address_book_of(settings_for(house.ledger))
    book.save("office", dict(ADDRESS))
    async with house.client() as client:
        envelope = await call(
            client,
            "preview_order",
            {"items": [{"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": 2}], "address_name": "office"},
        )
        order = (await call(client, "create_order", envelope["preview"]["create_order_arguments"]))["order"]
        texts = [await read(client, uri) for uri in ("orders://recent", f"order://{order['out_order_id']}")]
    for text in texts:
        assert plain(order["ship_to"]) in text
        assert ADDRESS["mobile"] not in text
        assert ADDRESS["address"] not in text


@pytest.mark.parametrize("era", ERAS)
async def test_text_of_others_cannot_act_as_markdown_in_a_receipt(tmp_path: Path, era: Era) -> None:
    hostile = "路| x |[a](https://evil.test)![b](http://evil.test)<img src=x>`**_~~# www.evil.test"
    async with House(tmp_path).client(era) as client:
        order = await ordered(client, address=ADDRESS | {"address": hostile})
        for uri in (f"order://{order['out_order_id']}", "orders://recent"):
            text = await read(client, uri)
            line = next(each for each in text.splitlines() if "evil" in each)
            bare = re.sub(r"\\.", "", line)
            assert bare.count("|") in (3, 7)  # the table's own borders
            for active in ("[", "]", "<", ">", "**", "://", "www.", "~", "#", "_", "!"):
                assert active not in bare, active


@pytest.mark.parametrize("era", ERAS)
async def test_a_receipt_of_an_unknown_order_is_looked_up_first_where_that_is_on_and_a_completion_never(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, ORDER_LOOKUP="on")
    ref = PromptReference(name="resolve_unknown")
    async with house.client(era) as client:
        order = await lost(house, client)
        found = await client.complete(ref, {"name": "reference", "value": ""})
        assert found.completion.values == [order["out_order_id"]]
        assert house.sandbox.books.received["list"] == 0
        text = await read(client, f"order://{order['out_order_id']}")
    assert cells(text)["State"].startswith("**placed**: this order is placed; not paid yet unless")
    assert cells(text)["Order ids"] == f"`{house.order_ids[0]}`"


HOSTILE = "x|[a](https://evil.test)<b>\n\n# `y`"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
REFUSED = OrderRecord(
    order_key="key",
    preview_id="preview",
    caller="local",
    out_order_id="PO-2026-0001",
    state="rejected",
    day="2026-11-21",
    payable_fen=6561,
    ship_to="王小明",
    approval_method="form",
    approval_verified=True,
    created_at=NOW,
    updated_at=NOW,
    lease_until=NOW,
    order_ids=(HOSTILE,),
    request_id=HOSTILE,
    request_sent="yes",
    problem_code="upstream_rejected",
    problem_text=HOSTILE,
)


def test_whatever_the_upstream_calls_its_reasons_and_ids_a_receipt_is_one_table_of_text() -> None:
    text = page("live", receipt(Receipt(REFUSED, None), UTC))
    assert "real orders, real money." in text
    assert cells(text)["Approval"] == "form (verified)"
    assert cells(text)["Created"] == "2026-11-21 09:30:00 UTC"
    for line in text.splitlines():
        bare = re.sub(r"\\.", "", line).replace("`upstream_rejected`", "")
        if "evil" in line:
            assert bare.count("|") == 3
            assert not set("[]<>#`").intersection(bare)
            assert "://" not in bare


def test_a_receipt_whose_preview_is_no_longer_kept_has_what_the_order_itself_says() -> None:
    text = page("live", receipt(Receipt(REFUSED, None), UTC))
    assert cells(text)["Total"] == "65.61 CNY"
    assert "## Goods" not in text


def test_plain_text_is_one_line_and_stays_readable() -> None:
    assert plain("王小明, 138\n\n# x\r\n- y") == "王小明, 138 \\# x - y"
    assert plain("a|b\\|c") == r"a\|b\\\|c"
    assert plain("HTTP 200: 3.5 (approx)") == "HTTP 200: 3.5 (approx)"


def test_only_what_looks_like_an_identifier_is_shown_as_code() -> None:
    assert code("PO-2026_1.a") == "`PO-2026_1.a`"
    assert code("a`b") == r"a\`b"
    assert code("") == code(None) == "–"


def test_a_table_has_a_head_and_a_line_for_each_row() -> None:
    assert table(("A", "B"), [("1", "2")]) == "| A | B |\n| --- | --- |\n| 1 | 2 |"
