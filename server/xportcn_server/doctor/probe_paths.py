"""Which of the inferred paths answer this account: product, order list, order details, by their candidates.

A path is *confirmed* where the program's own reader reads the answer, or the answer says in words that there
is no such product or order (inferred). A 404 or "no such interface" is *not confirmed*: it says nothing of
goods or orders.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xportcn_server.doctor.signed_call import Account, Attempt, Call, PathAnswer, attempt
from xportcn_tools.goods.answer_data import NotReadableError, data_of
from xportcn_tools.goods.product import NotRead, NotReadReason
from xportcn_tools.goods.product_answer import read_product, read_search
from xportcn_tools.upstream.order_details import ORDER_DETAIL_PATH, detail_request, read_order
from xportcn_tools.upstream.order_list import ORDER_LIST_PATH, list_in, rows_of
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import UpstreamError
from xportcn_tools.upstream.reading_paths import reads_only
from xportcn_tools.upstream.requests import OTHER_PRODUCT_PATH, PRODUCT_PATH, product_request
from xportcn_tools.upstream.signing import SignatureRule, TimestampUnit

# The paths of the vendor's other software, by analogy with that of the product (inferred).
_OTHER_LIST_PATH = "/alibaba/order/page"
_OTHER_DETAIL_PATH = "/alibaba/order/detail"

_NO_OFFER, _NO_ORDER = "1", "1000000000000000000"  # asked for where the answers before name none
_NO_SUCH_ORDER = re.compile(r"订单.{0,4}不存在|order.{0,20}(?:not found|not exist|n't exist)", re.IGNORECASE)
_VERDICTS: dict[NotReadReason, PathAnswer] = {
    "not_found": "confirmed",
    "not_confirmed": "not confirmed",
    "not_permitted": "not permitted",
    "unreadable": "unreadable",
    "no_answer": "no answer",
}

Judge = Callable[[Reply], tuple[PathAnswer, bool]]


@dataclass(frozen=True)
class PathProbe:
    """Tries paths for an account by a rule and a unit, one call for each candidate until one is confirmed."""

    account: Account
    pair: tuple[SignatureRule, TimestampUnit]

    async def all(self, searched: Reply) -> tuple[Attempt, ...]:
        """`searched`: the answer to the search, which names a product to ask for."""
        settings = self.account.settings
        found: list[Attempt] = [self._judged("search", settings.search_path, searched, _of_search)]
        page = read_search(searched)
        offer = _NO_OFFER if isinstance(page, NotRead) or not page.products else page.products[0].offer_id
        paths = (settings.product_path, PRODUCT_PATH, OTHER_PRODUCT_PATH)
        body = product_request(offer, settings.product_language)
        product, _ = await self._first("product", paths, body, lambda reply: _of_product(reply, offer))
        paths = (settings.order_list_path, ORDER_LIST_PATH, _OTHER_LIST_PATH)
        listed, reply = await self._first("order list", paths, {"page": 1, "pageSize": 1}, _of_list)
        order = next(_order_ids(reply), _NO_ORDER)
        paths = (settings.order_detail_path, ORDER_DETAIL_PATH, _OTHER_DETAIL_PATH)
        body = detail_request(order)
        details, _ = await self._first("order details", paths, body, lambda reply: _of_details(reply, order))
        return (*found, *product, *listed, *details)

    async def _first(
        self, call: Call, paths: tuple[str, ...], body: dict[str, object], judge: Judge
    ) -> tuple[list[Attempt], Reply | UpstreamError | None]:
        """Until one is confirmed, and its answer. An owner's path that may do more than read is left out."""
        made: list[Attempt] = []
        for path in filter(reads_only, dict.fromkeys(paths)):
            reply = await self.account.call(call, path, body, *self.pair)
            made.append(self._judged(call, path, reply, judge))
            if made[-1].meaning == "confirmed":
                return made, reply
        return made, None

    def _judged(self, call: Call, path: str, reply: Reply | UpstreamError, judge: Judge) -> Attempt:
        verdict: tuple[PathAnswer, bool] = (
            ("no answer", False) if isinstance(reply, UpstreamError) else judge(reply)
        )
        return attempt(call, path, self.pair, reply, verdict[0], inferred=verdict[1])


def _of_search(reply: Reply) -> tuple[PathAnswer, bool]:
    return _of(read_search(reply))


def _of_product(reply: Reply, offer_id: str) -> tuple[PathAnswer, bool]:
    return _of(read_product(reply, offer_id))


def _of(read: object) -> tuple[PathAnswer, bool]:
    return (_VERDICTS[read.reason], True) if isinstance(read, NotRead) else ("confirmed", False)


def _of_list(reply: Reply) -> tuple[PathAnswer, bool]:
    try:
        return ("unreadable", True) if list_in(data_of(reply)) is None else ("confirmed", False)
    except NotReadableError as why:
        return _VERDICTS[why.reason], True


def _of_details(reply: Reply, order_id: str) -> tuple[PathAnswer, bool]:
    try:
        order = read_order(data_of(reply))
    except NotReadableError as why:
        looked = why.reason == "unreadable" and _NO_SUCH_ORDER.search(why.text or "")
        return ("confirmed" if looked else _VERDICTS[why.reason]), True
    return ("confirmed", False) if order and order.order_id == order_id else ("unreadable", True)


def _order_ids(reply: Reply | UpstreamError | None) -> Iterator[str]:
    if not isinstance(reply, Reply) or reply.envelope is None:
        return
    for row in rows_of(reply.envelope.data):
        order = read_order(row)
        if order:
            yield order.order_id
