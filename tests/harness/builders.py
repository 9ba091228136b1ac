"""Answers, requests and quotes for the tests of the pure rules, and one setting for Hypothesis.

Answers are built as the parsed JSON that `read_preview` takes: sums in fen, decimals as `Decimal`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from xportcn_tools.desk.quote import PinRules, Quote
from xportcn_tools.desk.reading import read_quote
from xportcn_tools.order import Address, Item, OrderRequest
from xportcn_tools.upstream.envelope import read_envelope
from xportcn_tools.upstream.preview_answer import PreviewAnswer, read_preview

VECTORS = Path(__file__).parents[1] / "upstream" / "vectors"

OFFER = "610947572360"
OTHER_OFFER = "628913047512"
SPEC = "b266e0726506185beaf205cbae88530d"
OTHER_SPEC = "c4ca4238a0b923820dcc509a6f75849b"

DEFAULT_TYPES = PinRules(("assureTrade", "fxassure", "alipay"), trade_types_set=False)


def address(**changes: Any) -> Address:
    fields = {
        "full_name": "李小明",
        "mobile": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "address": "网商路699号",
    }
    return Address(**(fields | changes))


def asked(*items: Item, **changes: Any) -> OrderRequest:
    """A request; without items, two pieces of the published sample's goods."""
    fields: dict[str, Any] = {"out_order_id": "xp20261121-TEST0001", "address": address()}
    return OrderRequest(items=items or (Item(OFFER, 2, SPEC),), **(fields | changes))


def line(amount: object = 5800, unit_price: object = 2900, **fields: Any) -> dict[str, Any]:
    """A line of either shape; `offerId`, `specId` and others by `fields`, `...` leaves one out."""
    return _set(
        {
            "offerId": int(OFFER),
            "specId": SPEC,
            "skuId": 4890012345678,
            "amount": amount,
            "finalUnitPrice": unit_price,
        }
        | fields
    )


def group(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A group as in the list shape, sums closing with the published sample's line; `...` leaves one out."""
    return _set(
        {
            "sumCarriage": 600,
            "sumPayment": 6400,
            "sumPaymentNoCarriage": 5800,
            "orderItemTOList": list(lines or (line(),)),
        }
        | fields
    )


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ...}


def answer(*groups: dict[str, Any], **fields: Any) -> PreviewAnswer:
    """In the object shape where `fields` stand beside the groups, else in the list shape."""
    return read_preview({"orderPreviewResuslt": list(groups), **fields} if fields else list(groups))


def quoted(
    *groups: dict[str, Any],
    request: OrderRequest | None = None,
    rules: PinRules = DEFAULT_TYPES,
    **fields: Any,
) -> Quote:
    return read_quote(answer(*(groups or (group(),)), **fields), request or asked(), rules)


def yuan_of(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def body(data: object = None, code: object = 200, **fields: Any) -> bytes:
    """An envelope's bytes. `...` as the code leaves it out."""
    whole = {
        "requestId": "req-1",
        "code": code,
        "developId": "1927364850192736485",
        "msg": "成功",
        "data": data,
    }
    return json.dumps(_set(whole | fields), ensure_ascii=False).encode()


def preview_vector(name: str) -> PreviewAnswer:
    """A published answer, read from its bytes."""
    return read_preview(read_envelope((VECTORS / "preview" / f"{name}.json").read_bytes()).data)


@dataclass(frozen=True)
class World:
    """What is true of a purchase (fen), and the groups that an honest upstream answers for it."""

    request: OrderRequest
    groups: list[dict[str, Any]]
    unit: str
    payable: int
    goods: int
    freight: int
    plain: bool


@st.composite
def worlds(draw: st.DrawFn, *, plain: bool | None = None) -> World:
    """`plain`: without discounts and fees, so that no other reading of the sums can close."""
    plain = draw(st.booleans()) if plain is None else plain
    unit, names = (
        draw(st.sampled_from(["fen", "yuan"])),
        draw(st.sampled_from(["cargoList", "orderItemTOList"])),
    )
    written: Callable[[int], object] = int if unit == "fen" else yuan_of
    prices = st.integers(1, 10**7)
    items: list[Item] = []
    groups: list[dict[str, Any]] = []
    goods = freight = payable = 0
    for number in range(draw(st.integers(1, 4))):
        lines: list[dict[str, Any]] = []
        amounts = 0
        for _ in range(draw(st.integers(1, 4))):
            item = Item(str(10**11 + len(items)), draw(st.integers(1, 999)), f"spec{number}")
            price = draw(prices)
            amount = draw(st.one_of(st.just(price * item.quantity), st.integers(1, price * item.quantity)))
            fields = {"amount": written(amount), "finalUnitPrice": written(price), "message": None}
            lines.append({"offerId": int(item.offer_id), "specId": item.spec_id, **fields})
            items.append(item)
            amounts += amount
        carriage = draw(st.integers(0, 10**5))
        discount = 0 if plain else draw(st.integers(0, amounts))
        fee = 0 if plain else draw(st.integers(0, 10**4))
        in_goods = draw(st.sampled_from([(0, 0), (1, 0), (0, 1), (1, 1)]))
        payment = amounts + carriage - discount + fee
        sums = {
            "sumPaymentNoCarriage": amounts - discount * in_goods[0] + fee * in_goods[1],
            "sumCarriage": carriage,
            "sumPayment": payment,
        }
        if discount or not plain:
            sums["discountFee"] = discount
            sums["additionalFee"] = fee
        if draw(st.booleans()):
            payment += draw(st.integers(0, 10**4))
            sums["sumTotalPayment"] = payment
        groups.append({**sums, names: draw(st.permutations(lines))})
        goods, freight, payable = goods + amounts, freight + carriage, payable + payment
    request = asked(*draw(st.permutations(items)))
    return World(request, draw(st.permutations(groups)), unit, payable, goods, freight, plain)


def quote_of(world: World, groups: list[dict[str, Any]] | None = None) -> Quote:
    return read_quote(answer(*(groups or world.groups)), world.request, DEFAULT_TYPES)
