"""For two hundred random previews, the card has the figures, names and address of the structured result, and of
the create body that reaches the upstream.
"""

import html
import random
import re
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from harness.house import House, address_of, call, previewed
from harness.page_visit import OWNER
from harness.settings import settings_for
from orders.test_what_is_shown_is_sent import PLENTY, SELLERS, fen, ship_to_of
from xportcn_server.page.showing import card_of, rendered
from xportcn_server.parts import ledger_of
from xportcn_server.sandbox.books import Order
from xportcn_tools.clock import utc_now

pytestmark = pytest.mark.anyio

LETTERS = "abc 中文 <>&\"'{}%「」é😀"
WISHES: dict[str, list[Any]] = {
    "flow": ["general", "saleproxy"],
    "trade_type": ["assureTrade"],
    "dropshipping": [True, False],
}
PLACES = {"area": ["滨江区"], "town": ["长河街道"], "phone": ["0571-85022088"], "post_code": ["310052"]}


async def test_a_card_has_what_its_preview_says_and_what_reaches_the_upstream(tmp_path: Path) -> None:
    dice = random.Random(14)
    house = House(tmp_path, APPROVAL="off", **PLENTY)
    ledger = ledger_of(settings_for(house.ledger))
    async with house.client() as client:
        for number in range(200):
            preview = await previewed(client, **wish(dice, number))
            stored = await ledger.preview_by_code(preview["approval_code"])
            assert stored is not None
            card = card_of(stored, lambda *_: "token")
            text = rendered("card.html", "en", utc_now(), UTC, card=card, visitor=OWNER, pictures=True)
            shown = seen(text)
            for expected in expected_of(preview):
                assert " ".join(expected.split()) in shown
            created = await call(client, "create_order", preview["create_order_arguments"])
            assert created["ok"], created["problem"]
            assert len(house.sandbox.books.orders) == number + 1
            compare(text, house.sandbox.books.orders[-1])
    await ledger.aclose()


def wish(dice: random.Random, number: int) -> dict[str, Any]:
    """Arguments of `preview_order`: goods of one seller, and some of what may be left out."""

    def some(choices: dict[str, list[Any]]) -> dict[str, Any]:
        return {name: dice.choice(values) for name, values in choices.items() if dice.random() < 0.5}

    goods = SELLERS[dice.choice(sorted(SELLERS))]
    items: list[dict[str, Any]] = []
    for line in range(dice.randint(1, 4)):
        offer_id, spec_id, least, most = dice.choice(goods)
        item = {"offer_id": offer_id, "spec_id": spec_id, "quantity": dice.randint(least, most)}
        items.append(item | some({"product_no": [f"A-{number}-{line}"], "container": [f"C{line}"]}))
    message = "".join(dice.choices(LETTERS, k=dice.randint(1, 60))).strip() or "x"
    address = address_of(dice.randrange(10**8)) | some(PLACES)
    return {"items": items, "message": message, "address": address, "flow": None} | some(WISHES)


def seen(text: str) -> str:
    return " ".join(html.unescape(text).split())


def expected_of(preview: dict[str, Any]) -> list[str]:
    """Everything of a preview that a person has to see."""
    sums = [preview[name]["amount"] for name in ("payable", "goods_total", "freight")]
    lines = [line for group in preview["groups"] for line in group["lines"]]
    names = ("title", "title_translated", "option", "option_translated", "product_no")
    words = [
        *(line[name] for line in lines for name in names if line[name]),
        *(f"{line['quantity']} {line['unit']}" for line in lines if line["unit"]),
        *(line[name]["amount"] for line in lines for name in ("unit_price", "amount")),
        *(warning["message"] for warning in preview["warnings"]),
    ]
    return [*sums, *words, preview["ship_to"], preview["out_order_id"]]


ROW = re.compile(
    r'<span class="ids"><a href="[^"]*" [^>]*>offer (\d+)</a>(?: · spec (\w+))?(?: · your number ([^<]*))?'
    r'</span>.*?<td data-label="Quantity">(\d+)',
    re.DOTALL,
)


def compare(text: str, placed: Order) -> None:
    """The card beside the body of its create, and beside what the upstream's books say is to be paid."""
    body: dict[str, Any] = dict(placed.body)

    def stands_at(label: str) -> str | None:
        found = re.findall(rf"<dt>{label}</dt><dd>(.*?)</dd>", text, re.DOTALL)
        assert len(found) <= 1, label
        return seen(found[0].replace("<br>", "\n")) if found else None

    assert stands_at("To pay") == f"{placed.payable_fen // 100}.{placed.payable_fen % 100:02} CNY"
    parts = [fen(stands_at(label) or "0") for label in ("Goods", "Freight", "Fees")]
    assert sum(parts) - fen((stands_at("Discount") or "0").lstrip("−")) == placed.payable_fen
    rows = Counter(
        (offer, spec or None, number or None, int(many)) for offer, spec, number, many in ROW.findall(text)
    )
    assert rows == Counter(
        (str(line["offerId"]), line.get("specId"), line.get("productNo"), line["quantity"])
        for line in body["cargoParamList"]
    )
    assert stands_at("Ship to") == ship_to_of(body["addressParam"])
    assert stands_at("Trade type") == body.get("tradeType", "left to the platform")
    assert stands_at("Flow") == body.get("flow", "left to the platform")
    assert stands_at("Promotion") == body.get("shopPromotionId", "none")
    assert f"</span> {body['outOrderId']}</h3>" in text
    along = stands_at("Sent along") or ""
    assert seen(f"Message to the seller: {body['message']}") in along
    said = {"y": "Dropshipping: yes", "n": "Dropshipping: no"}.get(body.get("dropshipping", ""))
    assert (said in along) if said else ("Dropshipping:" not in along)
    for line in body["cargoParamList"]:
        if "container" in line:
            assert f"container {line['container']}" in along
