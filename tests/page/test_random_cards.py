"""The figures, names and address on the card are the structured result's, for two hundred random previews."""

import html
import random
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from harness.house import MUG, MUG_SPEC, House, address_of, previewed
from harness.page_visit import OWNER
from harness.settings import settings_for
from xportcn_server.page.showing import card_of, rendered
from xportcn_server.parts import ledger_of
from xportcn_tools.clock import utc_now

pytestmark = pytest.mark.anyio

LETTERS = "abc 中文 <>&\"'{}%「」é😀"


async def test_a_card_has_the_figures_names_and_address_of_its_preview(tmp_path: Path) -> None:
    dice = random.Random(14)
    house = House(tmp_path)
    ledger = ledger_of(settings_for(house.ledger))
    async with house.client() as client:
        for number in range(200):
            message = "".join(dice.choices(LETTERS, k=dice.randint(1, 60))).strip() or "x"
            items = [
                {
                    "offer_id": MUG,
                    "spec_id": MUG_SPEC,
                    "quantity": dice.randint(1, 500),
                    "product_no": f"A-{number}",
                }
                for _ in range(dice.randint(1, 3))
            ]
            preview = await previewed(
                client, items=items, message=message, address=address_of(dice.randrange(10**8))
            )
            stored = await ledger.preview_by_code(preview["approval_code"])
            assert stored is not None
            card = card_of(stored, lambda *_: "token")
            text = rendered("card.html", "en", utc_now(), UTC, card=card, visitor=OWNER, pictures=True)
            shown = " ".join(html.unescape(text).split())
            for expected in expected_of(preview):
                assert " ".join(expected.split()) in shown
    await ledger.aclose()


def expected_of(preview: dict[str, Any]) -> list[str]:
    """Everything of a preview that a person has to see."""
    sums = [preview[name]["amount"] for name in ("payable", "goods_total", "freight")]
    lines = [line for group in preview["groups"] for line in group["lines"]]
    words = [
        *(line[name] for line in lines for name in ("title", "title_translated", "option", "product_no")),
        *(f"{line['quantity']} {line['unit']}" for line in lines),
        *(line[name]["amount"] for line in lines for name in ("unit_price", "amount")),
        *(warning["message"] for warning in preview["warnings"]),
    ]
    return [
        *sums,
        *words,
        preview["ship_to"],
        preview["trade_type"],
        preview["flow"],
        preview["out_order_id"],
    ]
