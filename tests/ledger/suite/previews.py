"""A preview is found again, by the caller who made it and by nobody else."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from harness.clock import START
from ledger.suite.stores import (
    DAY_ENDS,
    PLACED,
    REJECTED,
    TOKEN,
    UNKNOWN,
    Store,
    claim,
    claimed,
    digest_of,
    opened,
    preview_of,
    remembered,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger.ledger import Claimed, DayUsage, OrderQuery, Realm, Receipt, Remembered, Standing


class PreviewSuite:
    async def test_a_preview_comes_back_as_it_was_stored(self, store: Store) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            await stored(ledger, preview)
            for view in (ledger, other):
                assert await standing_of(view, preview) == Standing(
                    store.clock.now,
                    preview,
                    attempt=None,
                    approved=None,
                    used=DayUsage(0, 0, 0, DAY_ENDS),
                    twin=None,
                    reference_used=False,
                    page_open=False,
                    pause=None,
                )
                assert await view.preview_by_code("code-1") == preview

    @pytest.mark.parametrize(
        ("realm", "caller", "digest"),
        [
            ("real", "local", digest_of(f"{TOKEN}1")),
            ("sandbox", "other", digest_of(f"{TOKEN}1")),
            ("sandbox", "LOCAL", digest_of(f"{TOKEN}1")),
            ("sandbox", "local", digest_of(f"{TOKEN}2")),
            ("sandbox", "local", f"{TOKEN}1"),
            ("sandbox", "local", "%"),
            ("sandbox", "local", ""),
        ],
    )
    async def test_a_preview_is_nobody_elses(
        self, store: Store, realm: Realm, caller: str, digest: str
    ) -> None:
        async with opened(store) as ledger, opened(store, realm) as other:
            await stored(ledger, preview_of(1))
            assert await other.standing(digest, caller) is None
            if (realm, caller) != ("sandbox", "local"):
                assert not await other.knows(OrderQuery(caller, "PO-1", digest_of(f"{TOKEN}1")))
            if realm == "real":
                assert (await other.preview_by_code("code-1"), await other.waiting()) == (None, [])

    async def test_a_reference_is_known_by_preview_token_number_and_order_id_whatever_the_filters(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            await stored(ledger, preview_of(1))
            await settled(ledger, preview_of(2), PLACED)
            known = [("PO-1", ""), ("x", digest_of(f"{TOKEN}1")), ("PO-2", ""), (PLACED.order_ids[1], "")]
            for reference, digest in known:
                query = OrderQuery("local", reference, digest)
                assert await ledger.knows(query)
                assert await ledger.knows(replace(query, states=("unknown",)))
            assert not await ledger.knows(OrderQuery("local", "PO-3", digest_of(f"{TOKEN}3")))
            assert not await ledger.knows(OrderQuery("local", "x"))
            assert not await ledger.knows(OrderQuery("other", "PO-1", digest_of(f"{TOKEN}1")))

    async def test_an_order_is_found_by_the_token_of_its_preview(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await claimed(ledger, preview_of(1))
            await claimed(ledger, preview_of(2))
            query = OrderQuery("local", f"{TOKEN}1", digest_of(f"{TOKEN}1"))
            assert await ledger.orders(query) == [order]
            assert await ledger.orders(replace(query, caller="other")) == []
            assert await ledger.orders(replace(query, states=("placed",))) == []

    async def test_the_earlier_orders_alike_are_remembered_newest_first_with_the_time(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store, "real") as real:
            first = await settled(ledger, preview_of(1, goods="goods"), PLACED)
            await claimed(ledger, preview_of(2, goods="other"))
            await claimed(ledger, preview_of(3, goods="goods", place="elsewhere"))
            await claimed(ledger, preview_of(4, goods="goods", caller="other"))
            await claimed(real, preview_of(5, goods="goods"))
            store.clock.advance(5)
            await settled(ledger, preview_of(6, goods="goods"), REJECTED)
            second = await settled(ledger, preview_of(7, goods="goods"), UNKNOWN)
            trail = len(await ledger.trail())
            found = await remembered(ledger, "local", preview_of(1, goods="goods").request)
            used = DayUsage(4 * 6561, 4, 5 * 6561, DAY_ENDS)
            assert found == Remembered(store.clock.now, [second, first], trail, used)
            store.clock.advance(86400)
            assert (await remembered(ledger, "local", preview_of(1, goods="goods").request)).alike == [second]

    async def test_the_preview_of_an_order_is_the_one_that_was_claimed_not_the_newest(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first = preview_of(1, reference="PO-same")
            order = await claimed(ledger, first)
            await stored(ledger, preview_of(2, now=START + timedelta(seconds=5), reference="PO-same"))
            for view in (ledger, other):
                assert await view.receipts(OrderQuery("local", "PO-same")) == [Receipt(order, first)]
            assert await ledger.receipts(OrderQuery("other", "PO-same")) == []

    async def test_an_approval_code_belongs_to_one_preview_until_that_is_ordered(self, store: Store) -> None:
        first, second = (replace(preview_of(number), approval_code="ABCD") for number in (1, 2))
        async with opened(store) as ledger, opened(store, "real") as other:
            await stored(ledger, first)
            for view, free in ((ledger, "EFGH"), (other, "JKMN")):
                codes = iter(("ABCD", "ABCD", free))
                kept = await view.offer(
                    "local",
                    second.request,
                    lambda _, codes=codes: replace(
                        second, preview_id=uuid4().hex, token_digest=uuid4().hex, approval_code=next(codes)
                    ),
                )
                assert kept.approval_code == free
            assert await ledger.standing(second.token_digest, second.caller) is None
            assert await ledger.preview_by_code("ABCD") == first
            assert isinstance(await claim(ledger, first), Claimed)
            store.clock.advance(1)
            second = replace(second, created_at=store.clock.now)
            assert await stored(ledger, second)
            assert await ledger.preview_by_code("ABCD") == second
