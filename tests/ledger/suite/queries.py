"""Orders are found by what a caller may ask for."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from harness.clock import START
from ledger.suite.stores import (
    PLACED,
    REJECTED,
    UNKNOWN,
    Store,
    all_orders,
    claimed,
    opened,
    preview_of,
    settled,
)
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord, StateTotal


class QuerySuite:
    async def test_orders_come_newest_first_and_as_many_as_asked_for(self, store: Store) -> None:
        async with opened(store) as ledger:
            for number in (3, 1, 4, 2):
                store.clock.now = START + timedelta(minutes=number)
                await claimed(ledger, preview_of(number))
            found = await all_orders(ledger)
            assert [order.preview_id[-1] for order in found] == ["4", "3", "2", "1"]
            assert all(newer.created_at > older.created_at for newer, older in pairwise(found))
            assert await all_orders(ledger, limit=2) == found[:2]

    async def test_every_filter_of_a_query_must_hold(self, store: Store) -> None:
        async with opened(store) as ledger:
            one = await settled(ledger, preview_of(1, goods="g", place="p"), PLACED)
            two = await settled(ledger, preview_of(2, goods="g", place="q"), REJECTED)
            three = await claimed(ledger, preview_of(3, goods="h", place="p", caller="other"))
            nobody: set[OrderRecord] = set()
            cases: list[tuple[dict[str, Any], set[OrderRecord]]] = [
                ({}, {one, two, three}),
                ({"caller": "local"}, {one, two}),
                ({"caller": "other"}, {three}),
                ({"caller": "nobody"}, nobody),
                ({"states": ("placed", "sending")}, {one, three}),
                ({"states": ("unknown",)}, nobody),
                ({"states": ("placed",), "caller": "other"}, nobody),
                ({"reference": "PO-3"}, {three}),
                ({"reference": "PO-3", "caller": "local"}, nobody),
                ({"reference": "PO-4"}, nobody),
                ({"reference": "PO-2", "states": ("placed",)}, nobody),
            ]
            for filters, expected in cases:
                assert set(await all_orders(ledger, **filters)) == expected, filters
            async with opened(store, "real") as other:
                real = await claimed(other, preview_of(4))
                assert await all_orders(other) == [real]
            assert real not in await all_orders(ledger)

    async def test_an_order_is_found_by_each_of_its_ids_and_by_no_part_of_one(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            await settled(ledger, preview_of(2), replace(PLACED, order_ids=("31415926535897932",)))
            for reference in (*PLACED.order_ids, "PO-1", "po-1"):
                assert await all_orders(ledger, reference=reference) == [order]
            for reference in ("314159265358979323", "3141592653589793239", "%", "", '"', "[]"):
                assert await all_orders(ledger, reference=reference) == []

    async def test_orders_are_asked_for_by_time_page_by_page_and_added_up(self, store: Store) -> None:
        async with opened(store) as ledger:
            start = store.clock.now
            for number in range(6):
                await settled(ledger, preview_of(number, now=store.clock.now), PLACED if number else UNKNOWN)
                if number % 2:  # two have the same time
                    store.clock.advance(60)
            query = OrderQuery(None, since=start, until=start + timedelta(seconds=120))
            everything = await ledger.orders(query)
            assert {order.out_order_id for order in everything} == {f"PO-{number}" for number in range(4)}
            assert await ledger.totals(replace(query, limit=1, before="PO-1")) == [
                StateTotal("placed", 3, 3 * 6561),
                StateTotal("unknown", 1, 6561),
            ]
            paged: list[OrderRecord] = []
            page = replace(query, limit=1)
            while found := await ledger.orders(page):
                paged += found
                page = replace(page, before=found[-1].out_order_id)
            assert paged == everything
