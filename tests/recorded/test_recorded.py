"""Recorded folders play through the readers: those of the sandbox here, and any that a user has sent."""

from pathlib import Path
from typing import cast

import pytest

from harness.builders import DEFAULT_TYPES, asked
from recorded.player import Played, play
from xportcn_tools.desk.reading import read_quote
from xportcn_tools.goods.product import Product, SearchPage
from xportcn_tools.order import Item
from xportcn_tools.upstream.preview_answer import PreviewAnswer
from xportcn_tools.upstream_state import UpstreamOrder

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/README.md"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_recorded_folder_plays_and_each_answer_is_read_or_has_a_reason(folder: Path) -> None:
    played = play(folder)
    assert played
    for each in played:
        print(f"{each.file}: {each.read}")
        assert each.read is not None


def of(folder: str, call: str) -> Played:
    (played,) = [each for each in play(HERE / folder) if each.call == call]
    return played


def test_the_answers_of_the_sandbox_hold_together_after_their_disguise() -> None:
    page, product = of("sandbox", "search").read, of("sandbox", "product").read
    assert isinstance(page, SearchPage)
    assert isinstance(product, Product)
    assert [found.offer_id for found in page.products] == [product.offer_id]
    assert page.products[0].price_from == min(option.price or 0 for option in product.options)
    listed, order = of("sandbox", "order list").read, of("sandbox", "order details").read
    assert isinstance(order, UpstreamOrder)
    assert [row.order_id for row in cast("list[UpstreamOrder]", listed)] == [order.order_id]
    assert order.total is not None
    assert order.freight is not None
    assert sum(item.amount or 0 for item in order.items) + order.freight == order.total
    assert order.status_text == "not paid yet"


def test_the_sums_of_a_recorded_preview_close_in_one_unit() -> None:
    played = of("preview", "preview")
    assert isinstance(played.read, PreviewAnswer)
    (cargo,) = played.request["cargoParamList"]
    request = asked(Item(str(cargo["offerId"]), int(cargo["quantity"]), cargo["specId"]))
    quote = read_quote(played.read, request, DEFAULT_TYPES)
    assert quote.payable == quote.goods + quote.freight + quote.fees - quote.discount
