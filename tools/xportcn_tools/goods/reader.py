"""Reads products and searches, with a memory of minutes. It never raises for what the upstream does.

The path of the detail call is inferred. Left at its default, the second candidate is tried once where the
first is not found; what neither answers is remembered for an hour as not confirmed for this account.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio

from xportcn_tools.clock import utc_now
from xportcn_tools.goods.product import NotRead, Product, SearchPage
from xportcn_tools.goods.product_answer import read_product, read_search
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import Upstream, UpstreamError
from xportcn_tools.upstream.requests import (
    OTHER_PRODUCT_PATH,
    PRODUCT_PATH,
    SEARCH_PATH,
    SearchQuery,
    product_request,
)

logger = logging.getLogger(__name__)

_REMEMBERED = timedelta(minutes=5)
_PATH_REMEMBERED = timedelta(hours=1)
_MOST_PRODUCTS, _MOST_OPTIONS = 500, 20_000  # remembered, all products together
_AT_A_TIME = 8


@dataclass(frozen=True)
class GoodsPaths:
    """Where goods are read, and the language of translated texts. Paths may be the owner's own."""

    product: str = PRODUCT_PATH
    search: str = SEARCH_PATH
    language: str = "en"

    def candidates(self) -> tuple[str, ...]:
        """Where to ask for a product, in this order."""
        return (PRODUCT_PATH, OTHER_PRODUCT_PATH) if self.product == PRODUCT_PATH else (self.product,)


class _Asking:
    """A question under way, which others may wait for."""

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.answer: Product | NotRead | None = None


class ProductReader:
    """One process's memory of goods over one upstream, kept by sub-account (`user_id`)."""

    def __init__(
        self,
        upstream: Upstream,
        paths: GoodsPaths | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._upstream = upstream
        self._paths = paths or GoodsPaths()
        self._clock = clock
        self._products: OrderedDict[tuple[str | None, str], tuple[Product, datetime]] = OrderedDict()
        self._unconfirmed_until: dict[tuple[str | None, str], datetime] = {}
        self._answering: dict[str | None, str] = {}
        self._asking: dict[tuple[str | None, str], _Asking] = {}

    async def product(
        self, offer_id: str, *, fresh: bool = False, user_id: str | None = None
    ) -> Product | NotRead:
        """One product. `fresh`: past the memory of products."""
        key = (user_id, offer_id)
        while True:
            if not fresh and (known := self.remembered(offer_id, user_id=user_id)):
                return known
            asking = self._asking.get(key)
            if asking is None:
                return await self._ask_for_all(key)
            await asking.ended.wait()
            if asking.answer is not None:  # else who asked was cancelled: ask ourselves
                return asking.answer

    def remembered(self, offer_id: str, *, user_id: str | None = None) -> Product | None:
        """What is in memory, without a call."""
        product, read_at = self._products.get((user_id, offer_id), (None, None))
        return product if read_at and self._clock() < read_at + _REMEMBERED else None

    async def products(
        self,
        offer_ids: Collection[str],
        *,
        fresh: bool = False,
        user_id: str | None = None,
        scope: anyio.CancelScope | None = None,
    ) -> dict[str, Product | NotRead]:
        """Several products at the same time. What is not read when `scope` ends is `no_answer`.

        `scope`: not yet entered; its deadline may be set and moved while this waits.
        """
        found: dict[str, Product | NotRead] = {}
        limiter = anyio.CapacityLimiter(_AT_A_TIME)

        async def read(offer_id: str) -> None:
            async with limiter:
                found[offer_id] = await self.product(offer_id, fresh=fresh, user_id=user_id)

        with scope or anyio.CancelScope():
            async with anyio.create_task_group() as tasks:
                for offer_id in dict.fromkeys(offer_ids):
                    tasks.start_soon(read, offer_id)
        late = NotRead("", "no_answer", text="no answer in time")
        return {each: found.get(each) or NotRead(each, late.reason, text=late.text) for each in offer_ids}

    async def search(self, query: SearchQuery, *, user_id: str | None = None) -> SearchPage | NotRead:
        """One page of a search; never from memory."""
        if self._is_unconfirmed(user_id, self._paths.search):
            return NotRead("", "not_confirmed")
        reply = await self._call("", self._paths.search, query.body(self._paths.language), user_id)
        found = reply if isinstance(reply, NotRead) else read_search(reply)
        if isinstance(found, NotRead) and found.reason == "not_confirmed":
            self._unconfirmed_until[user_id, self._paths.search] = self._clock() + _PATH_REMEMBERED
        return found

    async def _ask_for_all(self, key: tuple[str | None, str]) -> Product | NotRead:
        """Ask, and hand the answer to those who wait for the same."""
        asking = self._asking[key] = _Asking()
        try:
            asking.answer = await self._ask(*key)
        finally:
            del self._asking[key]
            asking.ended.set()
        if isinstance(asking.answer, Product):
            self._remember(key, asking.answer)
        return asking.answer

    def _remember(self, key: tuple[str | None, str], product: Product) -> None:
        self._products[key] = (product, self._clock())
        self._products.move_to_end(key)
        options = sum(len(each.options) for each, _ in self._products.values())
        while len(self._products) > _MOST_PRODUCTS or options > _MOST_OPTIONS:
            _, (forgotten, _) = self._products.popitem(last=False)
            options -= len(forgotten.options)

    def _is_unconfirmed(self, user_id: str | None, path: str) -> bool:
        until = self._unconfirmed_until.get((user_id, path))
        return until is not None and self._clock() < until

    async def _ask(self, user_id: str | None, offer_id: str) -> Product | NotRead:
        answer = NotRead(offer_id, "not_confirmed")
        if self._is_unconfirmed(user_id, self._paths.product):
            return answer
        before = self._answering.get(user_id)
        for path in sorted(self._paths.candidates(), key=lambda each: before not in (None, each)):
            reply = await self._call(offer_id, path, product_request(offer_id, self._paths.language), user_id)
            answer = reply if isinstance(reply, NotRead) else read_product(reply, offer_id)
            if isinstance(answer, Product) or answer.reason != "not_confirmed":
                self._answering[user_id] = path
                return answer
        self._unconfirmed_until[user_id, self._paths.product] = self._clock() + _PATH_REMEMBERED
        return answer

    async def _call(
        self, offer_id: str, path: str, body: Mapping[str, Any], user_id: str | None
    ) -> Reply | NotRead:
        try:
            return await self._upstream.read(path, body, user_id)
        except UpstreamError as error:
            logger.info("goods were not read: %s", error)
            return NotRead(offer_id, "no_answer", text=str(error))
