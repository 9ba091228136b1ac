"""What came of an attempt: recorded once, and given up after the lease where the sender is gone."""

import json
from dataclasses import replace

import anyio
import pytest

from ledger.suite.stores import (
    ABSENT,
    LEASE,
    NOT_SENT,
    PLACED,
    REJECTED,
    UNKNOWN,
    Store,
    all_orders,
    claimed,
    events,
    opened,
    preview_of,
    remembered,
    settled,
    standing_of,
)
from xportcn_tools.ledger.ledger import LedgerError, OrderQuery, Outcome


class OutcomeSuite:
    @pytest.mark.parametrize(
        "outcome", [PLACED, REJECTED, NOT_SENT, UNKNOWN], ids=["placed", "rejected", "not-sent", "unknown"]
    )
    async def test_an_outcome_is_recorded_with_one_row_and_every_view_sees_it(
        self, store: Store, outcome: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            store.clock.advance(3)
            recorded = await ledger.record(order.order_key, outcome)
            assert recorded == replace(order, updated_at=store.clock.now, **vars(outcome))
            assert await all_orders(other) == [recorded]
            assert await events(other) == ["claimed", outcome.state]

    @pytest.mark.parametrize("outcome", [PLACED, REJECTED, NOT_SENT, UNKNOWN])
    async def test_a_sender_that_comes_late_still_has_the_last_word(
        self, store: Store, outcome: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            store.clock.advance(LEASE + 1)
            (given_up,) = await all_orders(other)
            assert given_up.state == "unknown"
            recorded = await ledger.record(order.order_key, outcome)
            assert recorded == replace(given_up, **vars(outcome))
            assert await events(other) == ["claimed", "abandoned", outcome.state]

    @pytest.mark.parametrize("late", [PLACED, REJECTED, UNKNOWN, ABSENT], ids=lambda o: o.state)
    @pytest.mark.parametrize("first", [PLACED, REJECTED, ABSENT], ids=lambda o: o.state)
    async def test_an_outcome_that_stands_is_kept_and_what_contradicts_it_is_in_the_trail(
        self, store: Store, first: Outcome, late: Outcome
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await settled(ledger, preview_of(1), first)
            before = await ledger.trail()
            store.clock.advance(5)
            assert await other.record(order.order_key, late) == order
            assert await all_orders(ledger) == [order]
            rows = (await ledger.trail())[len(before) :]
            if first is late:  # a record that was tried again: it had been written after all
                assert rows == []
                return
            (row,) = rows
            assert (row.event, row.subject) == ("contradicted", "PO-1")
            body = json.loads(row.body)
            assert (body["kept"], body["state"]) == (first.state, late.state)
            assert body["order_ids"] == list(late.order_ids)

    async def test_other_order_ids_than_those_that_stand_are_not_lost(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            others = replace(PLACED, order_ids=("1111111111111111111",))
            assert await ledger.record(order.order_key, others) == order
            row = (await ledger.trail())[-1]
            assert row.event == "contradicted"
            assert "1111111111111111111" in row.body

    async def test_an_outcome_of_no_attempt_is_refused(self, store: Store) -> None:
        async with opened(store) as ledger:
            with pytest.raises(LedgerError, match="no longer"):
                await ledger.record("nobody", PLACED)
            assert await events(ledger) == []

    async def test_an_attempt_is_given_up_after_its_lease_and_never_before(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            order = await claimed(ledger, preview_of(1))
            for seconds in (0, LEASE - 0.000001, 0.000001, -3600, 3600):
                store.clock.advance(seconds)
                assert await all_orders(other) == [order]
            assert store.clock.now == order.lease_until
            store.clock.advance(0.000001)
            async with opened(store, "real") as real:
                assert await all_orders(real) == []
                assert await events(ledger) == ["claimed"]
            (given_up,) = await all_orders(other)
            assert (given_up.state, given_up.request_sent) == ("unknown", "unknown")
            assert given_up.problem_code == "outcome_unknown"
            assert given_up.updated_at == store.clock.now
            assert await all_orders(ledger) == [given_up]
            assert await events(ledger) == ["claimed", "abandoned"]

    async def test_a_lease_that_is_longer_than_any_can_be_is_over(self, store: Store) -> None:
        """A clock that was a year ahead at the claim must not leave its order under way for a year."""
        async with opened(store) as ledger:
            await claimed(ledger, preview_of(1))
            store.clock.advance(-365 * 86400)
            (given_up,) = await all_orders(ledger)
            assert given_up.state == "unknown"
            assert await events(ledger) == ["claimed", "abandoned"]

    async def test_all_that_are_gone_are_given_up_at_once_and_no_other(self, store: Store) -> None:
        async with opened(store) as ledger:
            gone = [await claimed(ledger, preview_of(n, caller=f"caller-{n}")) for n in range(3)]
            await settled(ledger, preview_of("placed"), PLACED)
            store.clock.advance(LEASE)
            alive = await claimed(ledger, preview_of("alive"))
            store.clock.advance(1)
            given_up = await all_orders(ledger, states=("unknown",))
            assert {order.order_key for order in given_up} == {order.order_key for order in gone}
            assert await all_orders(ledger, states=("sending",)) == [alive]
            assert len(await all_orders(ledger, states=("placed",))) == 1
            assert (await events(ledger)).count("abandoned") == 3

    @pytest.mark.parametrize("reader", ["standing", "remembered", "orders", "knows"])
    async def test_every_read_of_orders_first_ends_those_whose_sender_is_gone(
        self, store: Store, reader: str
    ) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            await claimed(ledger, preview)
            store.clock.advance(LEASE + 1)
            if reader == "standing":
                attempt = (await standing_of(ledger, preview)).attempt
                assert attempt is not None
                assert attempt.state == "unknown"
            elif reader == "remembered":
                (order,) = (await remembered(ledger, "local", preview.request)).alike
                assert order.state == "unknown"
            elif reader == "orders":
                assert await all_orders(ledger, states=("sending",)) == []
            else:
                assert await ledger.knows(OrderQuery("local", "PO-1"))
            assert await events(ledger) == ["claimed", "abandoned"]

    async def test_many_who_look_at_once_give_an_attempt_up_once(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:
            await claimed(ledger, preview_of(1))
            store.clock.advance(LEASE + 1)
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(all_orders, (ledger, other)[number % 2])
            assert (await events(ledger)).count("abandoned") == 1
