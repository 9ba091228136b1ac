"""With `XPORTCN_LANGUAGE=zh` a person reads Chinese everywhere, and with `en` no Chinese but that of goods."""

import re
from pathlib import Path

import pytest
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from harness.house import ERAS, Era, House, Person, call, previewed
from xportcn_server.sandbox.service import build_sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("elsewhere")]

# What is no sentence: a currency, names of the trade and of settings, codes and ids.
KNOWN = re.compile(
    r"「[^」]*」|CNY|\bXPORTCN_[A-Z_]+|\b[0-9a-f]{12,}\b|\bxp\d{8}-\w+|\bPO-[\w-]+"
    r"|\b(general|assureTrade|fxassure|alipay)\b"
    r"|\b(unverified_fee|platform_chooses|freight_by_description|no_cross_border_pay)\b"
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
