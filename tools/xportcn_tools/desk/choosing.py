"""Beside the price: options in words become specs, and goods of several sellers are told apart.

Nothing is guessed: exactly one option fits what was said, or the person chooses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio

from xportcn_tools.desk import product_problems
from xportcn_tools.desk.product_problems import OpenLine
from xportcn_tools.desk.quote import NotOrderableError, Products
from xportcn_tools.goods.options import fitting
from xportcn_tools.goods.product import NotRead, Product, ProductOption
from xportcn_tools.goods.reader import ProductReader
from xportcn_tools.order import Item, OrderRequest
from xportcn_tools.results import wrong_argument
from xportcn_tools.upstream.words import documented

SEVERAL_SELLERS = ("002", "003")
"""Documented refusals that several sellers in one order lead to, among other things (1688)."""


@dataclass(frozen=True)
class Wish:
    """What was said of a line beside its ids: an option in words, and the `sku_id` that its link points at.

    The link only ranks: it says what somebody looked at, not what is wanted.
    """

    option: str | None = None
    sku_id: str | None = None


@dataclass(frozen=True)
class Chooser:
    """Each method raises the problem that a person has to settle before this can be ordered."""

    _reader: ProductReader | None
    _timeout: float

    async def before_price(
        self, request: OrderRequest, wishes: Sequence[Wish], user_id: str | None
    ) -> OrderRequest:
        """The request with a spec for each option in words. Reads the products of those alone.

        Raises:
            ProblemError: `invalid_arguments`, `product_not_found`, `product_unavailable`, `choose_option`,
                `several_sellers`.
        """
        in_words = [at for at, wish in enumerate(wishes) if wish.option]
        products: dict[str, Product | NotRead] = {}
        if self._reader:
            for item in request.items:
                if known := self._reader.remembered(item.offer_id, user_id=user_id):
                    products[item.offer_id] = known
            needed = {request.items[at].offer_id for at in in_words} - products.keys()
            products |= await self._read(needed, user_id)
        elif in_words:
            raise product_problems.products_off(f"items[{in_words[0]}].option")
        request = with_specs(request, wishes, products)
        if len(_sellers(request, products)) > 1:
            unread = {item.offer_id for item in request.items if not _seller(item, products)}
            products |= await self._read(unread, user_id)
            raise product_problems.several_sellers(request, _lines_by_seller(request, products))
        return request

    def after_refusal(
        self, request: OrderRequest, wishes: Sequence[Wish], error: NotOrderableError
    ) -> OrderRequest:
        """The request with the specs that its products leave no choice about. `error` has what was read.

        Raises:
            ProblemError: `choose_option`, `several_sellers`.
        """
        request = self.after_price(request, wishes, error.products)
        code = any(documented(reason.code) in SEVERAL_SELLERS for reason in error.reasons)
        if code and len(_sellers(request, error.products)) > 1:
            sellers = _lines_by_seller(request, error.products)
            raise product_problems.several_sellers(request, sellers, error.request_id)
        return request

    def after_price(self, request: OrderRequest, wishes: Sequence[Wish], products: Products) -> OrderRequest:
        """The same for a request that has a price, so that no option is the upstream's choice. Words are
        settled by now.

        Raises:
            ProblemError: `choose_option`.
        """
        return with_specs(request, [replace(wish, option=None) for wish in wishes], products)

    async def _read(self, offer_ids: set[str], user_id: str | None) -> Products:
        """Each within the time that one call may take."""
        if self._reader is None or not offer_ids:
            return {}
        scope = anyio.CancelScope(deadline=anyio.current_time() + self._timeout)
        return await self._reader.products(offer_ids, user_id=user_id, scope=scope)


def with_specs(request: OrderRequest, wishes: Sequence[Wish], products: Products) -> OrderRequest:
    """The request with a spec wherever exactly one option is left. A line without words whose product was not
    read stays as it is.

    Raises:
        ProblemError: `choose_option` with every line that is open; `invalid_arguments` where words and spec
            of a line disagree; `product_not_found` or `product_unavailable` where words need the product.
    """
    items: list[Item] = []
    still_open: list[OpenLine] = []
    for at, item in enumerate(request.items):
        wish = wishes[at] if at < len(wishes) else Wish()
        product = products.get(item.offer_id)
        spec_id = item.spec_id
        if spec_id and not wish.option:
            pass  # nothing is open
        elif isinstance(product, Product):
            fit, ranked = _ranked(product, wish)
            if spec_id is None and len(fit) == 1:
                spec_id = fit[0].spec_id
            elif spec_id is None and (wish.option or product.options):
                still_open.append(OpenLine(at + 1, item.offer_id, ranked, len(fit) if wish.option else None))
            elif wish.option and spec_id not in {option.spec_id for option in fit}:
                raise wrong_argument(
                    f"items[{at}].option", "names another option than spec_id does; give one of the two"
                )
        elif wish.option:
            raise product_problems.not_read(product or NotRead(item.offer_id, "no_answer"), line=at + 1)
        items.append(item if spec_id == item.spec_id else replace(item, spec_id=spec_id))
    if still_open:
        raise product_problems.choose_option(still_open)
    return replace(request, items=tuple(items))


def _ranked(product: Product, wish: Wish) -> tuple[Sequence[ProductOption], tuple[ProductOption, ...]]:
    """The options that fit what was said, and all of them, the likeliest first."""
    match = fitting(product, wish.option or "")
    ranked = (*match.options, *match.near)
    if wish.sku_id and not wish.option:
        ranked = tuple(sorted(ranked, key=lambda option: option.sku_id != wish.sku_id))
    return match.options, ranked


def _seller(item: Item, products: Products) -> str | None:
    product = products.get(item.offer_id)
    return (product.seller_open_id if isinstance(product, Product) else None) or item.seller_open_id


def _sellers(request: OrderRequest, products: Products) -> set[str]:
    return {seller for item in request.items if (seller := _seller(item, products))}


def _lines_by_seller(request: OrderRequest, products: Products) -> dict[str | None, list[int]]:
    """The positions of the lines of each seller; `None`: of a seller that is not known."""
    lines: dict[str | None, list[int]] = {}
    for at, item in enumerate(request.items):
        lines.setdefault(_seller(item, products), []).append(at)
    return lines
