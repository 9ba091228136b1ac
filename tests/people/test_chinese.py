"""With `XPORTCN_LANGUAGE=zh` a person reads Chinese everywhere, and with `en` no Chinese but that of goods."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextResourceContents

from harness.house import ADDRESS, ERAS, MUG, MUG_SPEC, Era, House, Person, address_of, call, previewed
from harness.page_visit import visited
from harness.terminal import command
from xportcn_server.sandbox.service import build_sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("elsewhere")]

# What is no sentence: a currency, names of the trade and of settings, codes and ids.
KNOWN = re.compile(
    r"「[^」]*」|CNY|CST|UTC|SHA-256|Ctrl-C|Xportcn|CSV|=on\b|district \d+|NOSUCH|（address_name）|\b(ann|bob|home)\b|/callers\.toml|\bxc_[\w-]+|\blocal\b|BBB\w+|xportcn-mcp:|`xportcn-mcp [^`]+`|`… --absent`|（(placed|rejected|unknown|absent)）|\bXPORTCN_[A-Z_]+|\b[0-9a-f]{12,}\b|\bxp\d{8}-\w+|\bPO-[\w-]+"
    r"|\b(general|assureTrade|fxassure|alipay)\b"
    r"|\b(unverified_fee|platform_chooses|freight_by_description|no_cross_border_pay|address_conflict|over_budget|recent_identical_order)\b"
)
CHINESE = re.compile(r"[\u3400-\u9fff，。：；（）]")


def english_in(text: str) -> list[str]:
    """Words in Latin letters that are no names and no ids."""
    return re.findall(r"[A-Za-z]{2,}", KNOWN.sub(" ", text))


def chinese_in(text: str, *foreign: str) -> list[str]:
    """Chinese that is neither goods nor an address."""
    for each in foreign:
        text = text.replace(each, "")
    return CHINESE.findall(KNOWN.sub(" ", text))


class Reader(Person):
    """Keeps the form as it came."""

    form: ElicitRequestFormParams

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.form = params
        return await super().__call__(context, params)


@pytest.mark.parametrize("era", ERAS)
async def test_the_form_is_in_chinese_and_its_yes_and_no_count_as_ever(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path, build_sandbox("list"), LANGUAGE="zh", MAX_DAY_CNY="100000")
    refuser = Reader(approve=False)
    async with house.client(era, refuser) as client:
        preview = await previewed(client, message="请尽快发货", dropshipping=True)
        refused = await call(client, "create_order", preview["create_order_arguments"])
    assert refused["problem"]["code"] == "approval_declined"
    assert not chinese_in(refused["problem"]["message"]), "what a model reads is English"
    text, field = refuser.form.message, refuser.form.requested_schema["properties"]["approve"]
    assert field["type"] == "boolean"
    assert english_in(" ".join([text, field["title"], field["description"]])) == []
    assert set(refuser.form.requested_schema) == {"type", "properties", "required"}, "nothing else is shown"
    lines = text.splitlines()
    assert lines[1] == "合计应付：65.61 CNY = 货款 58.00 + 运费 6.00 + 手续费 1.61 - 优惠 0.00"
    assert all(line.startswith("注意（") for line in lines[2 : 2 + len(preview["warnings"])])
    assert preview["warnings"]
    assert f"收货地址：{preview['ship_to']}" in lines
    assert all(
        word in text for word in ("订单编号", "规格", "北欧", "一件代发：是", "给卖家留言：请尽快发货")
    )
    reader = Reader()
    async with house.client(era, reader) as client:
        order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
    assert (order["state"], order["approval"]) == ("placed", {"method": "form", "verified": True})
    assert reader.form.message == text, "the same question"


@pytest.mark.parametrize("era", ERAS)
async def test_the_form_in_english_has_no_chinese_but_goods_and_address(tmp_path: Path, era: Era) -> None:
    house, reader = House(tmp_path, build_sandbox("list")), Reader()
    async with house.client(era, reader) as client:
        preview = await previewed(client)
        await call(client, "create_order", preview["create_order_arguments"])
    assert chinese_in(reader.form.message, preview["ship_to"]) == []
    assert reader.form.requested_schema["properties"]["approve"]["title"] == "Place this order?"


async def ordered(client: Client, number: int) -> dict[str, Any]:
    """To a place of its own."""
    preview = await previewed(client, address=address_of(number), out_order_id=f"PO-{number:05}")
    return (await call(client, "create_order", preview["create_order_arguments"]))["order"]


async def filled(house: House) -> dict[str, Any]:
    """A placed order, an unknown one and a refused one, and a preview that waits, which is the answer."""
    async with house.client() as client:
        await ordered(client, 1)
        for number, fault in ((2, "reset-after-order"), (3, "refusal")):
            house.sandbox.faults.add(fault, "create")
            await ordered(client, number)
            house.sandbox.faults.clear()
        return await previewed(client, address=address_of(4), out_order_id="PO-00004")


def recorded(text: str) -> str:
    """Without the reasons of problems, which keep the words in which they were recorded."""
    return "\n".join(line for line in text.splitlines() if not re.search(r"原因|\breason\b|Reason", line))


async def said_in_the_terminal(house: House, code: str, language: str) -> list[str]:
    """What the commands print that a person uses, and what they refuse."""
    folder = house.ledger.parent
    file = str(folder / "copy.sqlite3")
    texts: list[str] = []
    for words, answer in (
        (["approve", "--list"], ""),
        (["approve", code], "n\n"),
        (["approve", code], "y\n"),
        (["approve", code], ""),
        (["approve", "NOSUCH"], ""),
        (["orders", "list"], ""),
        (["orders", "show", "PO-00001"], ""),
        (["orders", "show", "PO-00002"], ""),
        (["orders", "show", "PO-00003"], ""),
        (["orders", "show", "PO-99999"], ""),
        (["orders", "resolve", "PO-00001", "--absent"], ""),
        (["orders", "resolve", "PO-00002", "--placed", "12"], "n\n"),
        (["orders", "resolve", "PO-00002", "--absent"], "n\n"),
        (["orders", "resolve", "PO-00002", "--absent"], "y\n"),
        (["orders", "watch", "--once"], ""),
        (["pause", "--reason", "7"], ""),
        (["orders", "list"], ""),
        (["resume"], ""),
        (["resume"], ""),
        (["forget", "PO-99999"], ""),
        (["forget", "PO-00003"], ""),
        (["orders", "show", "PO-00003"], ""),
        (["backup", file], ""),
        (["backup", file], ""),
        (["audit", "verify"], ""),
        (["caller", "new", "ann"], ""),
        (["caller", "page", "bob"], ""),
        (["caller", "remove", "ann"], ""),
        (["address", "add", "home"], "王小明\n13800138000\n阿根廷省\n杭州市\n网商路699号\n"),
        (["address", "remove", "home"], ""),
        (["address", "list"], ""),
        (["address", "show", "home"], ""),
    ):
        done = await command(
            house, *words, answer=answer, LANGUAGE=language, CALLERS=str(folder / "callers.toml")
        )
        assert done.output, words
        texts.append(recorded(done.output.replace(file, "").replace(str(folder), "")))
    return texts


async def test_the_terminal_is_in_chinese(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_CNY="100000")
    preview = await filled(house)
    for text in await said_in_the_terminal(house, preview["approval_code"], "zh"):
        bare = text.replace(preview["approval_code"], "")
        assert english_in(bare) == [], text
        assert CHINESE.search(bare), text


async def test_the_terminal_in_english_has_no_chinese_but_goods_and_addresses(tmp_path: Path) -> None:
    house = House(tmp_path, MAX_DAY_CNY="100000")
    preview = await filled(house)
    typed = ["王小明", "阿根廷省", "杭州市", "浙江省", ADDRESS["address"]]
    typed += [address_of(number)["address"] for number in range(1, 5)]
    for text in await said_in_the_terminal(house, preview["approval_code"], "en"):
        assert chinese_in(text, *typed) == [], text


@pytest.mark.parametrize("form", ["md", "html"])
async def test_receipts_are_in_chinese_and_say_so(tmp_path: Path, form: str) -> None:
    house = House(tmp_path, LANGUAGE="zh", MAX_DAY_CNY="100000")
    await filled(house)
    for number in (1, 2, 3):
        show = ("orders", "show", f"PO-{number:05}", "--receipt", form)
        text = (await command(house, *show, LANGUAGE="zh")).stdout_bytes.decode()
        assert ('<html lang="zh-CN">' in text) == (form == "html")
        assert english_in(recorded(bare_of(text))) == []
        assert all(word in text for word in ("订单", "规格", "合计", "运费", "收货地址"))
        assert number != 1 or form == "md" or "未付款" in text
        text = (await command(house, *show)).stdout_bytes.decode()
        assert ('<html lang="en">' in text) == (form == "html")
        shipped = ("个", "王小明", "浙江省", "杭州市", address_of(number)["address"])
        assert chinese_in(recorded(bare_of(text)), *shipped) == []
    async with house.client() as client:
        for uri in ("orders://recent", "order://PO-00002"):
            (content,) = (await client.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            assert english_in(recorded(bare_of(content.text))) == []


def bare_of(text: str) -> str:
    """What a person reads of a receipt or a page."""
    text = re.sub(
        r"<style>.*?</style>|<script.*?</script>|<code>.*?</code>|<[^>]*>|`xportcn-mcp [^`]*`|`… --absent`",
        " ",
        text,
        flags=re.DOTALL,
    )
    return html.unescape(text).replace("\\", "")


async def test_the_page_says_warnings_and_refusals_in_its_language(tmp_path: Path) -> None:
    house = House(tmp_path, LANGUAGE="zh", MAX_ORDER_CNY="100", APPROVAL="require", ASK_ABOVE_CNY="70")
    async with house.client() as client, visited(house) as visit:
        await ordered(client, 1)
        changed = address_of(1) | {"district_code": "110101"}
        item = {"offer_id": MUG, "spec_id": MUG_SPEC, "quantity": 4, "product_no": "PO-7"}
        preview = await previewed(client, items=[item], address=changed, dropshipping=True, message="请尽快")
        codes = {warning["code"] for warning in preview["warnings"]}
        assert codes >= {"address_conflict", "over_budget"}
        text = await visit.text()
        assert "此订单会被拒绝：XPORTCN_MAX_ORDER_CNY 上限为 100.00 CNY，此订单为 122.00 CNY" in text
        assert "一件代发：是" in text
        assert not any(warning["message"] in text for warning in preview["warnings"])
        (form,) = await visit.forms("/yes")
        await visit.send("/yes", form)
        again = await visit.send("/no", form)
    names = re.compile(
        r'<span class="name">.*?</span>|<span class="original">.*?</span>|<span class="option">.*?</span>|'
        + re.escape(preview["approval_code"])
    )
    assert english_in(bare_of(names.sub("", text)).replace("English", "")) == []
    assert english_in(bare_of(names.sub("", again.text)).replace("English", "")) == []
