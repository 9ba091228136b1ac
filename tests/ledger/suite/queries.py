"""Orders are found by what a caller may ask for."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from harness.clock import START
from ledger.suite.stores import (
    ABSENT,
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
from xportcn_tools.ledger.ledger import OrderQuery, OrderRecord, State, StateTotal


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

    async def test_totals_are_those_of_the_orders_that_are_listed_wherever_a_period_begins_and_ends(
        self, store: Store
    ) -> None:
        """Whole days stand added up; the first and the last day of a period are added order by order."""
        async with opened(store) as ledger, opened(store, "real") as other:
            for hour in range(0, 24 * 5, 7):
                store.clock.now = START.replace(hour=0, minute=0) + timedelta(hours=hour)
                outcome = (PLACED, REJECTED, UNKNOWN)[hour % 3]
                caller = "local" if hour % 2 else "other"
                await settled(ledger, preview_of(hour, fen=100 + hour, caller=caller), outcome)
            await settled(other, preview_of("real"), PLACED)
            begin = START.replace(hour=0, minute=0)
            bounds = [None, *(begin + timedelta(hours=hours) for hours in (0, 7, 24, 30, 72, 73))]
            asked: list[tuple[State, ...]] = [(), ("placed",), ("placed", "unknown")]
            queries = [
                OrderQuery(caller, states=states, since=since, until=until)
                for caller in (None, "local")
                for states in asked
                for since in bounds
                for until in bounds
            ]
            for query in queries:
                expected: dict[str, list[int]] = {}
                for order in await ledger.orders(query):
                    expected.setdefault(order.state, []).append(order.payable_fen)
                found = await ledger.totals(query)
                assert {each.state: (each.orders, each.payable_fen) for each in found} == {
                    state: (len(sums), sum(sums)) for state, sums in expected.items()
                }, query

    async def test_totals_follow_an_order_from_state_to_state(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await claimed(ledger, preview_of(1))
            for outcome in (None, UNKNOWN, ABSENT):
                if outcome == ABSENT:
                    await ledger.resolve(order.order_key, ABSENT, "resolved_by_operator")
                elif outcome:
                    await ledger.record(order.order_key, outcome)
                state = outcome.state if outcome else "sending"
                assert await ledger.totals(OrderQuery(None)) == [StateTotal(state, 1, order.payable_fen)]
            assert await ledger.erase(order.order_key)
            assert await ledger.totals(OrderQuery(None)) == [StateTotal("absent", 1, order.payable_fen)]
